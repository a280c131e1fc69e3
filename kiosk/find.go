package kiosk

import (
	"context"
	"time"
)

// Bounds on finding.
const (
	FindPage = 10  // titles on a page
	maxQuery = 120 // characters
)

// Finder is a Mirror in which titles can be found.
type Finder interface {
	// Find finds what text stands for: words of a title, an author or
	// a subject, the beginning of a call number, an ISBN, a barcode. What is spelled otherwise
	// is found where it is near. Page counts from 0. Who has what is not told.
	Find(ctx context.Context, text string, page int) (Findings, error)
}

// Findings are one page of what was found.
type Findings struct {
	Titles []Title
	Total  int    // titles on all pages
	More   bool   // there are more than Total, which nobody reads
	Near   bool   // nothing is spelled as it was typed: this is near
	Meant  string // what may have been meant, where that is spelled otherwise
	Unread int    // items that can't be found yet: the catalogue is still being read
}

// Title is a title with its copies here.
type Title struct {
	Title, Author, ISBN string
	Copies              []Whereabouts // those that are in come first; at least one
}

// Whereabouts is a copy, and whether it stands on its shelf.
type Whereabouts struct {
	Item
	Out bool      // on loan; to whom is nobody's business
	Due time.Time // zero means not known
}

// In tells whether a copy can be taken from its shelf.
func (c Whereabouts) In() bool { return !c.Out && (c.Status == StatusAvailable || c.Status == "") }

// Headings are the subjects, as the first copy tells them of which they are known.
func (t Title) Headings() []string {
	for _, c := range t.Copies {
		if list := c.Headings(); len(list) > 0 {
			return list
		}
	}
	return nil
}

// In counts the copies that are in.
func (t Title) In() (n int) {
	for _, c := range t.Copies {
		if c.In() {
			n++
		}
	}
	return n
}

// Back is when the next of the copies that are out is due: the first that is
// not late, or else the one that has been late for the shortest time. Zero means
// not known.
func (t Title) Back(now time.Time) (next time.Time) {
	for _, c := range t.Copies {
		if !c.Out || c.Due.IsZero() {
			continue
		}
		if next.IsZero() || c.Due.After(now) && (next.Before(now) || c.Due.Before(next)) || next.Before(now) && c.Due.After(next) {
			next = c.Due
		}
	}
	return next
}
