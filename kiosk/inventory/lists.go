package inventory

import (
	"cmp"
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// Want replaces the list of what is wanted for a reason, as "hold" or
// "weeding". What is wanted is told when it is met, and is in Picks.
func (s *Service) Want(ctx context.Context, why string, list []kiosk.Wanted) error {
	return s.Store.Want(ctx, strings.TrimSpace(why), list)
}

// Pick is a book that is to be pulled.
type Pick struct {
	Book
	Location string   `json:"location"` // library and location
	For      []string `json:"for"`
	Note     string   `json:"note,omitempty"`
	Weed     *Weeded  `json:"weed,omitempty"`    // why it may go
	Out      bool     `json:"out,omitempty"`     // it is not on the shelf, as is known
	Unknown  bool     `json:"unknown,omitempty"` // the catalogue does not have it
}

// Picks are all books that are wanted, in shelf order within each location;
// why empty: for any reason.
func (s *Service) Picks(ctx context.Context, r kiosk.ShelfRange, why string) ([]Pick, error) {
	bounds, err := s.Order.Bounds(r)
	if err != nil {
		return nil, ofShelf(err)
	}
	wanted, err := s.Store.WantedList(ctx)
	if err != nil {
		return nil, err
	}
	notes := map[kiosk.Barcode]string{}
	var items []kiosk.Barcode
	for _, w := range wanted {
		if why == "" || w.For == why {
			items = append(items, w.Item)
			notes[w.Item] = cmp.Or(w.Note, notes[w.Item])
		}
	}
	slices.Sort(items)
	return s.pick(ctx, r, bounds, slices.Compact(items), func(m kiosk.Met) (Pick, bool) {
		return Pick{For: m.Wanted, Note: notes[m.Item.Barcode]}, true
	})
}

// Weeds are the books of a range that may go by the library's rule, as Picks: to
// be looked at before anybody has walked.
func (s *Service) Weeds(ctx context.Context, r kiosk.ShelfRange) ([]Pick, error) {
	if s.Weed == (shelf.Weeding{}) {
		return nil, wrong("norule", "the library has no rule for books that may go: set one under [shelf.weed]")
	}
	bounds, err := s.Order.Bounds(r)
	if err != nil {
		return nil, ofShelf(err)
	}
	var items []kiosk.Barcode
	for c, err := range s.Store.Shelved(ctx, r.Library, r.Location) {
		if err != nil {
			return nil, err
		}
		if !shelf.Out(c) {
			items = append(items, c.Barcode)
		}
	}
	now := s.Now()
	return s.pick(ctx, r, bounds, items, func(m kiosk.Met) (Pick, bool) {
		found := []shelf.Finding{shelf.Weed}
		may := s.Weed.Holds(shelf.Facts{Item: m.Item, OnLoan: m.OnLoan, Wanted: len(m.Wanted) > 0, LastLoan: m.LastLoan, Year: m.Item.Year, Copies: m.Copies}, now)
		return Pick{For: []string{"weeding"}, Weed: weeded(found, m)}, may
	})
}

// pick makes a list in shelf order, within each location, of those of some books
// that are of a range and that do takes.
func (s *Service) pick(ctx context.Context, r kiosk.ShelfRange, bounds shelf.Bounds, items []kiosk.Barcode, do func(kiosk.Met) (Pick, bool)) ([]Pick, error) {
	type place struct {
		Pick
		key shelf.Key
	}
	var list []place
	told, n := counting(ctx, ReadingBooks), 0
	for part := range slices.Chunk(items, maxReads) {
		n += len(part)
		told(n)
		met, err := s.Store.Meet(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, m := range met {
			i := m.Item
			key, _ := s.Order.Key(i.Scheme, i.CallNumber)
			if r.Library != "" && i.Library != r.Library || r.Location != "" && i.Location != r.Location || !bounds.Has(key) {
				continue
			}
			p, ok := do(m)
			if !ok {
				continue
			}
			p.Book, p.Location, p.Unknown = bookOf(i), placeName(i), !m.Known
			p.Out = m.Known && shelf.Out(kiosk.Shelved{Status: i.Status, OnLoan: m.OnLoan})
			list = append(list, place{p, key})
		}
	}
	slices.SortFunc(list, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.Location, b.Location), cmp.Compare(a.key, b.key), cmp.Compare(a.Item, b.Item))
	})
	picks := make([]Pick, len(list))
	for i, p := range list {
		picks[i] = p.Pick
	}
	return picks, nil
}

// Pair is what is said of two neighbours on a shelf.
type Pair struct {
	Left    Book   `json:"left"`
	Right   Book   `json:"right"`
	Ordered bool   `json:"in_order"`
	Why     string `json:"why,omitempty"` // why nothing, or not all, can be said

	Whys []*Wrong `json:"-"` // the same, one by one
}

// Neighbours tells whether two books may stand side by side, left before
// right. It needs no inventory.
func (s *Service) Neighbours(ctx context.Context, left, right string) (p Pair, err error) {
	l, r := s.Read(left), s.Read(right)
	for _, c := range []struct {
		Code
		text string
	}{{l, left}, {r, right}} {
		if c.Item == "" {
			return p, wrong("nonumber", "%.40q is no item's number: %s", "code", c.text, "why", cmp.Or(c.Why, "it is a shelf's label"))
		}
	}
	met, err := s.Store.Meet(ctx, []kiosk.Barcode{l.Item, r.Item})
	if err != nil {
		return p, err
	}
	p.Left, p.Right = bookOf(met[0].Item), bookOf(met[1].Item)
	s.compare(&p, met[0], met[1])
	var why []string
	for _, w := range p.Whys {
		why = append(why, w.err.Text)
	}
	p.Why = strings.Join(why, "; ")
	return p, nil
}

// compare tells whether two books are in order, or why that can't be told.
func (s *Service) compare(p *Pair, left, right kiosk.Met) {
	for _, m := range []kiosk.Met{left, right} {
		if _, err := s.Order.Key(m.Item.Scheme, m.Item.CallNumber); !m.Known {
			p.Whys = append(p.Whys, wrong("unlisted", "%s is not in the catalogue", "item", m.Item.Barcode))
		} else if m.Item.CallNumber == "" {
			p.Whys = append(p.Whys, wrong("nocall", "%s has no call number", "item", m.Item.Barcode))
		} else if err != nil {
			p.Whys = append(p.Whys, ofShelf(err))
		}
	}
	if !left.Known || !right.Known {
		return
	}
	p.Ordered, _ = s.Order.InOrder(left.Item, right.Item)
	if a, b := left.Item, right.Item; a.Library != b.Library || a.Location != b.Location {
		p.Ordered = false
		p.Whys = append(p.Whys, wrong("apart", "%s is not %s", "left", placeName(a), "right", placeName(b)))
	}
}

// WriteCSV writes a report as CSV (RFC 4180): a row for each problem, the
// missing first.
func (r Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	out.Write([]string{"problem", "barcode", "title", "call_number", "found_after", "found_before", "shelf", "belongs_after", "belongs_before", "seen_at", "seen_by", "passes", "note", "location"})
	for _, part := range []struct {
		problem string
		rows    []Row
	}{{"missing", r.Missing}, {"out of order", r.Moves}, {"", r.Surprises}, {"condition", r.Notes}} {
		for _, x := range part.rows {
			out.Write(x.cells(part.problem))
		}
	}
	out.Flush()
	return out.Error()
}

func (x Row) cells(problem string) []string {
	if problem == "" {
		problem = strings.Join(x.Words(), ", ")
	}
	at, passes := "", ""
	if !x.At.IsZero() {
		at = x.At.Format(time.RFC3339)
	}
	if x.Passes > 0 {
		passes = strconv.Itoa(x.Passes)
	}
	cells := []string{problem, string(x.Item), x.Title, x.CallNumber, x.From.After.number(), x.From.Before.number(), cmp.Or(x.From.Shelf, x.To.Shelf),
		x.To.After.number(), x.To.Before.number(), at, x.Who, passes, x.Note, x.Location}
	for i, c := range cells {
		cells[i] = plain(c)
	}
	return cells
}

// plain keeps a spreadsheet from taking a text for a formula.
func plain(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// Words are the findings of a row with what it is wanted for.
func (x Row) Words() (words []string) {
	for _, f := range x.Found {
		w := string(f)
		if f == shelf.Wanted && len(x.Wanted) > 0 {
			w += " for " + strings.Join(x.Wanted, ", ")
		}
		if why := x.Weed.Words(); f == shelf.Weed && why != "" {
			w += " (" + why + ")"
		}
		words = append(words, w)
	}
	if len(words) == 0 {
		words = []string{"not of this range"}
	}
	return words
}

// number is a book's call number, or what there is of it.
func (b *Book) number() string {
	if b == nil {
		return ""
	}
	return cmp.Or(b.CallNumber, string(b.Item))
}
