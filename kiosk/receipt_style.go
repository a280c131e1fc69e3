package kiosk

import (
	"fmt"
	"slices"
	"strings"
)

// ReceiptStyle is what receipts show, as staff has set it. Where staff has set
// nothing it is as the configuration says.
type ReceiptStyle struct {
	Set    bool      // false: nothing else here counts
	Print  PrintWhen // where there is a printer
	Name   NameStyle // of the patron
	Card   bool      // the last four digits of the card
	Titles bool      // name what was lent; without, only its number
	Dates  bool      // until when it is lent
	Code   bool      // a code on the screen, for phones
	Logo   bool      // the library's, on paper and the screen; it has one in its Brand
	Head   string    // lines below the library's name
	Foot   string    // lines at the end
}

// PrintWhen says when a receipt is printed.
type PrintWhen string

// The times.
const (
	PrintAsked  PrintWhen = "ask"
	PrintAlways PrintWhen = "always"
	PrintNever  PrintWhen = "never"
)

// Bounds of the library's own lines on receipts.
const (
	MaxSlipLines = 4
	MaxSlipLine  = 80 // characters
)

// Valid tells what is wrong with a style, nil if nothing is.
func (s ReceiptStyle) Valid() error {
	if !s.Set {
		return nil
	}
	if !slices.Contains([]PrintWhen{PrintAsked, PrintAlways, PrintNever}, s.Print) {
		return fmt.Errorf("print: %q: must be ask, always or never", s.Print)
	}
	if !slices.Contains([]NameStyle{NameNone, NameFirst, NameInitials, NameFull}, s.Name) {
		return fmt.Errorf("name: %q: must be none, first, initials or full", s.Name)
	}
	for _, text := range []string{s.Head, s.Foot} {
		lines := SlipLines(text)
		if len(lines) > MaxSlipLines {
			return fmt.Errorf("%d lines: must be at most %d", len(lines), MaxSlipLines)
		}
		for _, l := range lines {
			if !Printable(l, 1, MaxSlipLine) {
				return fmt.Errorf("%q: a line has at most %d printable characters", l, MaxSlipLine)
			}
		}
	}
	return nil
}

// SlipLines are the lines of a text that stand on a receipt.
func SlipLines(text string) (lines []string) {
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// Over is what the library has decided of receipts, with what staff has set in
// place of that. Whether there is a printer, and a mail server, nobody sets.
func (s ReceiptStyle) Over(r Receipts) Receipts {
	if !s.Set {
		return r
	}
	r.Always, r.Name, r.Card, r.Titles = s.Print == PrintAlways, s.Name, s.Card, s.Titles
	r.Print = r.Printer && s.Print != PrintNever
	return r
}

// StyleOf is what a library has decided, as staff may change it.
func StyleOf(r Receipts) ReceiptStyle {
	s := ReceiptStyle{Set: true, Print: PrintAsked, Name: r.Name, Card: r.Card, Titles: r.Titles, Dates: true, Code: true, Logo: true}
	switch {
	case r.Printer && !r.Print:
		s.Print = PrintNever
	case r.Always:
		s.Print = PrintAlways
	}
	if s.Name == "" {
		s.Name = NameNone
	}
	return s
}

// ReceiptsSet says what is decided of receipts from now on: the next that is
// handed over is made so.
type ReceiptsSet struct{ Receipts Receipts }

func (ReceiptsSet) event() {}
