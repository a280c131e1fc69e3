package inventory

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// Report is what an inventory has found, as of a moment or at its end.
type Report struct {
	Inventory kiosk.Inventory `json:"inventory"`
	At        time.Time       `json:"at"`
	Whole     bool            `json:"whole"`    // all of the range counts as walked
	Expected  int             `json:"expected"` // books that should be there
	Seen      int             `json:"seen"`     // books of the range that were met
	InPlace   int             `json:"in_place"`
	Scans     int             `json:"scans"`
	Passes    [3]int          `json:"passes"`    // books that were met on one walk, on two, on more
	Walked    []Span          `json:"walked"`    // in shelf order
	Missing   []Row           `json:"missing"`   // in shelf order
	Moves     []Row           `json:"moves"`     // in walking order
	Surprises []Row           `json:"surprises"` // in walking order
	Notes     []Row           `json:"notes"`     // conditions that were noted
}

// Span is a piece of shelf that was walked.
type Span struct {
	First   Book `json:"first"`
	Last    Book `json:"last"`
	Seen    int  `json:"seen"`
	Missing int  `json:"missing"`
}

// Row is a book in a report.
type Row struct {
	Book
	Found  []shelf.Finding `json:"found,omitempty"`
	Wanted []string        `json:"wanted,omitempty"`
	Weed   *Weeded         `json:"weed,omitempty"` // why it may go
	From   Place           `json:"from,omitzero"`  // where it was met
	To     Place           `json:"to,omitzero"`    // where it belongs
	At     time.Time       `json:"at,omitzero"`    // when it was met
	Who    string          `json:"who,omitempty"`
	Passes int             `json:"passes,omitempty"` // walks on which it was met
	Way    *Way            `json:"way,omitempty"`    // from where it stands to where it belongs
	Note   string          `json:"note,omitempty"`
	Photos []kiosk.ID      `json:"photos,omitempty"` // of its condition

	Location string `json:"location,omitempty"` // library and location where it belongs, if that is another one
}

// Way is from where a book stands to where it belongs, in books of the range
// from its begin.
type Way struct {
	From int `json:"from"`
	To   int `json:"to"`
	Of   int `json:"of"` // the range has so many
}

// keepFor is how long a report waits for who has waited for it: meanwhile books
// are lent.
const keepFor = time.Minute

// Report gives what an inventory has found by now; of one that has ended, what
// it had found then. whole says that all of its range was walked. A long one
// that somebody was told the progress of is kept for a moment, and given to who
// asks next without being told: once.
func (s *Service) Report(ctx context.Context, id kiosk.ID, whole bool) (Report, error) {
	ended, err := s.Store.Report(ctx, id)
	if err == nil {
		return unpack(ended)
	}
	if !errors.Is(err, kiosk.ErrUnknown) {
		return Report{}, err
	}
	l, err := s.open(ctx, id)
	if err != nil {
		return Report{}, err
	}
	defer l.mu.Unlock()
	kept := l.kept
	if l.kept = nil; kept != nil && kept.Whole == whole && !watched(ctx) && s.Now().Sub(kept.At).Abs() < keepFor {
		return *kept, nil
	}
	r, err := s.report(ctx, l, whole)
	if n := len(r.Missing) + len(r.Moves) + len(r.Surprises); err == nil && watched(ctx) && n > s.long {
		l.kept = &r // each row names some books: who has waited asks once more
	}
	return r, err
}

// End ends an inventory, and keeps what it has found: what is missing is
// declared so.
func (s *Service) End(ctx context.Context, id kiosk.ID, whole bool) (Report, error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return Report{}, err
	}
	defer l.mu.Unlock()
	if l.v.Stage == kiosk.Ended {
		return Report{}, wrong("ended", "the inventory %q has ended already", "name", l.v.Name)
	}
	r, err := s.report(ctx, l, whole)
	if err != nil {
		return r, err
	}
	r.Inventory.Stage = kiosk.Ended
	packed, err := pack(r)
	if err != nil {
		return r, err
	}
	if err := s.Store.KeepReport(ctx, id, packed); err != nil {
		return r, err
	}
	if err := s.write(ctx, l, kiosk.ShelfLine{Kind: kiosk.ShelfEnd}); err != nil {
		return r, errors.Join(err, s.Store.KeepReport(ctx, id, nil)) // it goes on
	}
	l.v.Stage = kiosk.Ended
	return r, nil
}

func pack(r Report) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	err := errors.Join(json.NewEncoder(z).Encode(r), z.Close())
	return b.Bytes(), err
}

func unpack(packed []byte) (r Report, err error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return r, err
	}
	return r, json.NewDecoder(z).Decode(&r)
}

// report makes one. What seems to be missing and is out by now is excused.
func (s *Service) report(ctx context.Context, l *live, whole bool) (Report, error) {
	found := l.s.Report(whole)
	out, err := s.outNow(ctx, found.Missing)
	if err != nil {
		return Report{}, err
	}
	if len(out) > 0 {
		if err := s.Store.Excuse(ctx, l.v.ID, out); err != nil {
			return Report{}, err
		}
		l.s.Excuse(out)
		found = l.s.Report(whole)
	}
	r := Report{Inventory: l.v, At: s.Now(), Whole: whole, Expected: found.Expected, Seen: found.Seen, InPlace: found.InPlace, Scans: l.s.Scans()}
	for _, b := range l.s.Books() {
		if n := l.s.Passes(b.Barcode); n > 0 {
			r.Passes[min(n, 3)-1]++
		}
	}
	for _, x := range found.Spans {
		r.Walked = append(r.Walked, Span{First: Book{Item: x.First.Barcode}, Last: Book{Item: x.Last.Barcode}, Seen: x.Seen, Missing: x.Missing})
	}
	for _, c := range found.Missing {
		r.Missing = append(r.Missing, Row{Book: Book{Item: c.Barcode}, To: placeOf(l.s.PlaceOf(c.Barcode))})
	}
	for _, m := range found.Moves {
		row := l.row(m.Scan)
		row.From, row.To, row.Way = placeOf(m.From), placeOf(m.To), l.way(m)
		r.Moves = append(r.Moves, row)
	}
	r.Surprises = l.surprises(found)
	for item, text := range l.s.Notes() {
		r.Notes = append(r.Notes, Row{Book: Book{Item: item}, Note: text, Passes: l.s.Passes(item)})
	}
	if err := s.illustrate(ctx, l, &r); err != nil {
		return r, err
	}
	slices.SortFunc(r.Notes, func(a, b Row) int { return cmp.Compare(a.Item, b.Item) })
	return r, s.fill(ctx, &r)
}

// way is how a book has to go; nil: that can't be told.
func (l *live) way(m shelf.Move) *Way {
	w := Way{Of: len(l.s.Books())}
	switch {
	case m.From.After != nil:
		w.From, _ = l.s.At(m.From.After.Barcode)
		w.From++
	case m.From.Before != nil:
		w.From, _ = l.s.At(m.From.Before.Barcode)
	default:
		return nil
	}
	w.To, _ = l.s.At(m.Book.Barcode)
	if w.From > w.To {
		w.From-- // it does not stand where it belongs, so those behind it are one less
	}
	return &w
}

// outNow are those of some books that should not be on the shelf, by now.
func (s *Service) outNow(ctx context.Context, books []*shelf.Copy) (out []kiosk.Barcode, err error) {
	for part := range slices.Chunk(books, maxReads) {
		var ask []kiosk.Barcode
		for _, c := range part {
			ask = append(ask, c.Barcode)
		}
		met, err := s.Store.Meet(ctx, ask)
		if err != nil {
			return nil, err
		}
		for _, m := range met {
			if !m.Known || shelf.Out(kiosk.Shelved{Status: m.Item.Status, OnLoan: m.OnLoan}) {
				out = append(out, m.Item.Barcode)
			}
		}
	}
	return out, nil
}

// row is that of a scan of the walk.
func (l *live) row(scan int) Row {
	line := l.s.Line(scan)
	item, _ := l.s.ItemOf(scan)
	r := Row{Book: Book{Item: item}, At: line.At, Who: line.Who, Passes: l.s.Passes(item), Note: l.s.Note(item)}
	r.From.Shelf = l.s.ShelfOf(scan)
	for _, f := range line.Found {
		r.Found = append(r.Found, shelf.Finding(f))
	}
	return r
}

// surprises are the books of which there is something to say beside their
// place, each once, and those that are not of the range.
func (l *live) surprises(found shelf.Report) (rows []Row) {
	foreign := map[int]shelf.Stranger{}
	for _, x := range found.Foreign {
		foreign[x.Scan] = x
	}
	at := map[kiosk.Barcode]int{}
	for scan := range l.s.Walk.Scans() {
		line := l.s.Line(scan)
		x, strange := foreign[scan]
		if len(line.Found) == 0 && !strange {
			continue
		}
		row := l.row(scan)
		if strange {
			row.From, row.To = placeOf(x.From), placeOf(x.To)
		}
		if i, ok := at[row.Item]; ok {
			row.Found = slices.Compact(slices.Sorted(slices.Values(slices.Concat(rows[i].Found, row.Found))))
			rows[i] = row
			continue
		}
		at[row.Item] = len(rows)
		rows = append(rows, row)
	}
	return rows
}

// fill gives all books in a report their words.
func (s *Service) fill(ctx context.Context, r *Report) error {
	var all []*Book
	for i := range r.Walked {
		all = append(all, &r.Walked[i].First, &r.Walked[i].Last)
	}
	var surprised []kiosk.Barcode
	for _, rows := range [][]Row{r.Missing, r.Moves, r.Surprises, r.Notes} {
		for i := range rows {
			x := &rows[i]
			all = append(all, &x.Book, x.From.After, x.From.Before, x.To.After, x.To.Before)
		}
	}
	for _, x := range r.Surprises {
		surprised = append(surprised, x.Item)
	}
	known := map[kiosk.Barcode]kiosk.Met{}
	for part := range slices.Chunk(surprised, maxReads) {
		met, err := s.Store.Meet(ctx, part)
		if err != nil {
			return err
		}
		for _, m := range met {
			known[m.Item.Barcode] = m
		}
	}
	for i := range r.Surprises {
		x := &r.Surprises[i]
		m := known[x.Item]
		x.Wanted, x.Weed = m.Wanted, weeded(x.Found, m)
		if slices.Contains(x.Found, shelf.WrongLibrary) || slices.Contains(x.Found, shelf.WrongLocation) {
			x.Location = placeName(m.Item)
		}
	}
	return s.words(ctx, all)
}

// Seen lists the books of the range that were met and that no finding takes
// off the shelf, in shelf order: those whose date of having been seen can be
// told to the library's system. all has the others too.
func (s *Service) Seen(ctx context.Context, id kiosk.ID, all bool) (list []kiosk.Barcode, err error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	taken := map[kiosk.Barcode]bool{}
	for scan := range l.s.Walk.Scans() {
		for _, f := range l.s.Line(scan).Found {
			if item, _ := l.s.ItemOf(scan); shelf.Finding(f).Takes() {
				taken[item] = true
			}
		}
	}
	for _, b := range l.s.Books() {
		if l.s.Seen(b.Barcode) && (all || !taken[b.Barcode]) {
			list = append(list, b.Barcode)
		}
	}
	return list, nil
}
