package config

import (
	"cmp"
	"errors"
	"io"
	"iter"
	"regexp"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/catalog"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// Shelf is how books stand on the library's shelves, and what an inventory
// tells of them.
type Shelf struct {
	Order    []string               `toml:"order"`    // schemes one after the other; see shelf.Rules
	Unnamed  string                 `toml:"unnamed"`  // the scheme of items that name none
	Prefixes map[string][]string    `toml:"prefixes"` // by scheme
	Schemes  map[string]ShelfScheme `toml:"schemes"`  // the library's own
	Labels   []string               `toml:"labels"`   // patterns of the labels on shelf ends; what is in brackets is the shelf's name
	Tagged   bool                   `toml:"tagged"`   // every book has an RFID tag
	Reach    int                    `toml:"reach"`    // how many places what a UHF wand hears may be off; 16
	Weed     Weed                   `toml:"weed"`

	Rules  *shelf.Order `toml:"-"`
	labels []*regexp.Regexp
}

// ShelfScheme is a scheme of the library's own; see shelf.Local.
type ShelfScheme struct {
	As       string   `toml:"as"`
	Prefixes []string `toml:"prefixes"`
	Parts    []string `toml:"parts"`
}

// Weed is the rule for books that may go: all that is set has to hold.
type Weed struct {
	UnlentYears int `toml:"unlent_years"` // not lent here for so long
	YearsOld    int `toml:"years_old"`    // published so many years ago
	Copies      int `toml:"copies"`       // of so many copies or more
}

// shelfLabels are those of Shelf.Labels where none is set.
var shelfLabels = []string{`(?i:shelf)[-: ](.+)`}

// check gives every zero its meaning.
func (s *Shelf) check(p *Problems) {
	rules := shelf.Rules{Order: s.Order, Unnamed: s.Unnamed, Prefixes: s.Prefixes, Schemes: map[string]shelf.Local{}}
	for name, x := range s.Schemes {
		l := shelf.Local{As: x.As, Prefixes: x.Prefixes}
		for _, part := range x.Parts {
			l.Parts = append(l.Parts, shelf.Part(part))
		}
		rules.Schemes[name] = l
	}
	var err error
	if s.Rules, err = shelf.NewOrder(rules); err != nil {
		p.checked("shelf", errors.Unwrap(err), nil)
	}
	patterns := s.Labels
	if len(patterns) == 0 {
		patterns = shelfLabels
	}
	for _, pattern := range patterns {
		re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
		if err != nil || re.MatchString("") {
			p.add("shelf.labels", pattern, "is no pattern for a label, as \"SHELF-(.+)\"")
			continue
		}
		s.labels = append(s.labels, re)
	}
	if s.Reach = cmp.Or(s.Reach, 16); s.Reach < 1 || s.Reach > maxReach {
		p.add("shelf.reach", s.Reach, "must be from 1 to %d books", maxReach)
	}
	if s.Weed.UnlentYears < 0 || s.Weed.YearsOld < 0 || s.Weed.Copies < 0 {
		p.add("shelf.weed", nil, "must be 0 (not asked) or more")
	}
}

// maxReach is where a wand would say nothing of order any more.
const maxReach = 200

// Weeding is the rule as package shelf has it.
func (w Weed) Weeding() shelf.Weeding {
	return shelf.Weeding{Unlent: time.Duration(w.UnlentYears) * 365 * 24 * time.Hour, Years: w.YearsOld, Copies: w.Copies}
}

// ShelfCode tells what a text is that was scanned on a shelf.
func (c *Config) ShelfCode(text string) inventory.Code {
	text = strings.TrimSpace(text)
	for _, re := range c.Shelf.labels {
		if m := re.FindStringSubmatch(text); m != nil && len(text) <= kiosk.MaxCode {
			return inventory.Code{Shelf: cmp.Or(strings.Join(m[1:], " "), text)}
		}
	}
	ev, _ := c.Intake.Event(drivers.Scan{Text: text, Long: len(text) > drivers.MaxText})
	switch ev := ev.(type) {
	case kiosk.ItemPlaced:
		return inventory.Code{Item: ev.Item}
	case kiosk.EitherRead:
		return inventory.Code{Item: kiosk.Barcode(ev.Code), Card: true}
	case kiosk.CardRead:
		return inventory.Code{Why: "it is a patron's card"}
	case kiosk.ISBNRead:
		return inventory.Code{Why: "it is the book trade's code: scan the library's own label"}
	case kiosk.Unreadable:
		if ev.Reason == kiosk.ReasonCheckDigit {
			return inventory.Code{Why: "its check digit is wrong: scan it again"}
		}
	}
	return inventory.Code{Why: "it is no item number of this library"}
}

// Inventories conducts inventories over a ledger.
func (c *Config) Inventories(store kiosk.Inventories, ledger inventory.Ledger, now func() time.Time, newID func() kiosk.ID) *inventory.Service {
	x := inventory.Config{Store: store, Ledger: ledger, Order: c.Shelf.Rules, Tagged: c.Shelf.Tagged, Weed: c.Shelf.Weed.Weeding(),
		Ends: c.Upstream.SIP2 != nil, Read: c.ShelfCode, File: c.collector, Now: now, NewID: newID}
	if c.Upstream.SIP2 != nil {
		x.Tells = c.Upstream.SIP2.Seen
	}
	return inventory.New(x)
}

// collector reads the file of a handheld collector, with times of the kiosk's
// zone.
func (c *Config) collector(file io.Reader) iter.Seq2[inventory.FileRow, error] {
	return func(yield func(inventory.FileRow, error) bool) {
		for s, err := range catalog.Scans(file, c.Location) {
			if !yield(inventory.FileRow(s), err) {
				return
			}
		}
	}
}
