package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// Read is something that was read on a shelf.
type Read struct {
	Text     string         // of a label, or the item's number by its tag
	At       time.Time      // zero: now
	Tag      kiosk.TagID    // that was read, if one was
	ByTag    bool           // Text is what the tag says
	TagItem  kiosk.Barcode  // what the tag says, where Text is of the label on the same book
	Part     int            // of a set, by the tag
	Security kiosk.Security // of the tag; Leave: not known
	ID       kiosk.ID       // of what is handed over: the same one counts once; empty: it has none
}

// Book is a book in words.
type Book struct {
	Item       kiosk.Barcode `json:"item"`
	Title      string        `json:"title,omitempty"`
	CallNumber string        `json:"call_number,omitempty"`
}

// Place is between two books; nil is the begin or the end of the range.
type Place struct {
	After  *Book  `json:"after,omitempty"`
	Before *Book  `json:"before,omitempty"`
	Shelf  string `json:"shelf,omitempty"`
}

// Said is what is said of something that was read, at once.
type Said struct {
	Line     int64           `json:"line,omitempty"` // in the log; 0: it is not there
	Who      string          `json:"who,omitempty"`
	At       time.Time       `json:"at,omitzero"`
	Code     string          `json:"code,omitempty"`  // that is no item's number
	Why      string          `json:"why,omitempty"`   // why it is none
	Shelf    string          `json:"shelf,omitempty"` // whose label it was
	Book     Book            `json:"book,omitzero"`
	Location string          `json:"location,omitempty"` // where it belongs, if that is another one
	State    shelf.State     `json:"state,omitempty"`
	Place    Place           `json:"place,omitzero"` // where it belongs
	Found    []shelf.Finding `json:"found,omitempty"`
	Wanted   []string        `json:"wanted,omitempty"` // what for
	Weed     *Weeded         `json:"weed,omitempty"`   // why it may go
	Sought   bool            `json:"sought,omitempty"` // it was missing until now, and was looked for
	Note     string          `json:"note,omitempty"`   // the condition that was noted of it
	Tone     shelf.Tone      `json:"tone,omitempty"`
	Left     []Book          `json:"left,omitempty"`   // said to be in place before, and they are not
	Joined   []Book          `json:"joined,omitempty"` // are in place after all
	Read     kiosk.ID        `json:"read,omitempty"`   // of what was handed over
	Repeated bool            `json:"repeated,omitempty"`
}

// Weeded is what is known of a book that may go, by the library's rule.
type Weeded struct {
	Year     int       `json:"year,omitempty"`     // in which it was published
	LastLoan time.Time `json:"last_loan,omitzero"` // here
	Copies   int       `json:"copies,omitempty"`   // of the same book
}

// weeded is that of a book of which it is found.
func weeded(found []shelf.Finding, m kiosk.Met) *Weeded {
	if !slices.Contains(found, shelf.Weed) {
		return nil
	}
	return &Weeded{Year: m.Item.Year, LastLoan: m.LastLoan, Copies: m.Copies}
}

// Words say it in English.
func (w *Weeded) Words() string {
	if w == nil {
		return ""
	}
	var words []string
	if w.Year > 0 {
		words = append(words, fmt.Sprint("published ", w.Year))
	}
	if !w.LastLoan.IsZero() {
		words = append(words, "last lent "+w.LastLoan.Format(time.DateOnly))
	}
	if w.Copies > 0 {
		words = append(words, fmt.Sprint("copies: ", w.Copies))
	}
	return strings.Join(words, ", ")
}

// fresh tells of a book that has come into the catalogue since the inventory
// was read.
func (x Said) fresh() bool {
	away := []shelf.Finding{shelf.Unknown, shelf.WrongLibrary, shelf.WrongLocation, shelf.OutsideRange}
	return x.State == shelf.Foreign && !slices.ContainsFunc(x.Found, func(f shelf.Finding) bool { return slices.Contains(away, f) })
}

const (
	shown    = 12  // of the newest scans are kept to be shown
	maxReads = 500 // taken at once: one write
)

// Scan takes what somebody has read, and says what it means once it is on
// disk. A tag that was read already on this walk is passed over.
func (s *Service) Scan(ctx context.Context, id kiosk.ID, who string, reads ...Read) (all []Said, err error) {
	for len(reads) > 0 {
		n := min(len(reads), maxReads)
		said, err := s.batch(ctx, id, who, reads[:n])
		all, reads = append(all, said...), reads[n:]
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// batch is Scan of what is written at once.
func (s *Service) batch(ctx context.Context, id kiosk.ID, who string, reads []Read) ([]Said, error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	repeats, err := s.repeats(ctx, l, reads)
	if err != nil {
		return nil, err
	}
	if err := l.takes(); err != nil {
		return slices.Collect(maps.Values(repeats)), err
	}
	b := batch{Service: s, live: l, who: who, met: map[kiosk.Barcode]kiosk.Met{}, tags: map[kiosk.TagID]bool{}, repeats: repeats}
	if err := b.prepare(ctx, reads); err != nil {
		return nil, err
	}
	if len(b.lines) > 0 {
		first, err := s.Store.Write(ctx, id, b.lines)
		if err != nil {
			return nil, err
		}
		b.number(first)
	}
	defer l.tell()
	said := b.apply()
	if err := s.name(ctx, l, said); err != nil {
		return nil, err // they are on disk, and will be there when they are scanned again
	}
	fresh := slices.DeleteFunc(slices.Clone(said), func(x Said) bool { return x.Repeated })
	l.remember(fresh)
	l.heard += len(fresh)
	if slices.ContainsFunc(said, Said.fresh) {
		l.s = nil
	}
	return said, nil
}

// batch is some reads on their way into the log.
type batch struct {
	*Service
	*live
	who   string
	met   map[kiosk.Barcode]kiosk.Met
	tags  map[kiosk.TagID]bool
	said  []Said
	lines []kiosk.ShelfLine
	at    []int // by line: its place in said

	repeats map[kiosk.ID]Said // what was taken before
}

// prepare judges reads by what is known of the books.
func (b *batch) prepare(ctx context.Context, reads []Read) error {
	codes := make([]Code, len(reads))
	var ask []kiosk.Barcode
	for i, r := range reads {
		if codes[i] = b.Config.Read(r.Text); r.ByTag {
			codes[i] = Code{Item: kiosk.Barcode(r.Text)}
		}
		if codes[i].Item != "" {
			ask = append(ask, codes[i].Item)
		}
	}
	met, err := b.Store.Meet(ctx, ask)
	if err != nil {
		return err
	}
	for _, m := range met {
		b.met[m.Item.Barcode] = m
	}
	for i, r := range reads {
		if c := codes[i]; c.Card && !b.met[c.Item].Known { // a card's number is not kept
			codes[i] = Code{Why: "no book has this number; it may be a patron's card"}
		}
		b.read(r, codes[i])
	}
	return nil
}

// read makes a line of one.
func (b *batch) read(r Read, c Code) {
	if said, ok := b.repeats[r.ID]; ok {
		b.said = append(b.said, said)
		return
	}
	now := b.Now()
	said := Said{Who: b.who, At: now, Code: r.Text, Why: c.Why, Shelf: c.Shelf, Read: r.ID}
	line := kiosk.ShelfLine{Kind: kiosk.ShelfScan, Who: b.who, At: now, Item: c.Item, Tag: r.Tag, Tagged: r.ByTag, Part: r.Part, Read: r.ID}
	if !r.At.IsZero() && r.At.Before(now) {
		line.At, said.At = r.At, r.At
	}
	switch {
	case c.Shelf != "":
		line.Kind, line.Text, said.Tone = kiosk.ShelfLabel, c.Shelf, shelf.Good
	case c.Item == "":
		said.Tone = shelf.Take
		b.said = append(b.said, said)
		return
	case r.ByTag && (b.tags[r.Tag] || b.s.Met(b.who, r.Tag)):
		return // a wand reads each tag many times
	default:
		b.tags[r.Tag] = true
		if !r.ByTag && r.TagItem != c.Item {
			line.Tag = "" // it is another book's, or nobody knows
		}
		m := b.met[c.Item]
		said.Code, said.Wanted = "", m.Wanted
		said.Sought = b.v.Stage == kiosk.Searching && !m.OnLoan && b.s.Has(c.Item) && b.s.Passes(c.Item) == 0
		said.Book = bookOf(m.Item)
		if r := b.v.Range; m.Known && (r.Location != "" && m.Item.Location != r.Location || r.Library != "" && m.Item.Library != r.Library) {
			said.Location = placeName(m.Item)
		}
		said.Found = shelf.Judge(b.facts(r, m), b.policy(), now)
		said.Weed = weeded(said.Found, m)
		for _, f := range said.Found {
			line.Found = append(line.Found, string(f))
		}
	}
	b.lines, b.at = append(b.lines, line), append(b.at, len(b.said))
	b.said = append(b.said, said)
	if r.ID != "" {
		b.repeats[r.ID] = Said{Read: r.ID, Who: b.who, At: said.At, Book: said.Book, Shelf: said.Shelf, Found: said.Found, Repeated: true}
	}
}

func (s *Service) policyOf(v kiosk.Inventory) shelf.Policy {
	return shelf.Policy{Range: v.Range, Tagged: s.Tagged, Weed: s.Weed}
}

func (b *batch) policy() shelf.Policy { return b.policyOf(b.v) }

func (b *batch) facts(r Read, m kiosk.Met) shelf.Facts {
	key, err := b.Order.Key(m.Item.Scheme, m.Item.CallNumber)
	tag := r.Tag
	if !r.ByTag && r.TagItem != m.Item.Barcode {
		tag = "" // it is not this book's
	}
	return shelf.Facts{Item: m.Item, Known: m.Known, OnLoan: m.OnLoan, Wanted: len(m.Wanted) > 0,
		Double: b.s.Double(b.who, m.Item.Barcode, tag, r.Part), Fits: err == nil, Inside: b.bounds.Has(key),
		ByTag: r.ByTag, TagItem: r.TagItem, Security: r.Security, LastLoan: m.LastLoan, Year: m.Item.Year, Copies: m.Copies}
}

// placeName is the library and location of an item.
func placeName(i kiosk.Item) string { return strings.Trim(i.Library+" / "+i.Location, " /") }

func bookOf(i kiosk.Item) Book {
	return Book{Item: i.Barcode, Title: i.Title, CallNumber: i.CallNumber}
}

func (b *batch) number(first int64) {
	for i := range b.lines {
		b.lines[i].N = first + int64(i)
	}
	b.v.Lines = first + int64(len(b.lines)) - 1
}

// apply takes the lines, which are on disk, and adds what the walk says.
func (b *batch) apply() []Said {
	for i, line := range b.lines {
		said := &b.said[b.at[i]]
		said.Line = line.N
		var key shelf.Key
		if m := b.met[line.Item]; m.Known {
			key = b.key(m.Item)
		}
		if a, ok := b.take(line, key); ok {
			b.answer(said, a)
		}
	}
	return b.said
}

// answer adds what the walk says of a scan. Books get their words later.
func (l *live) answer(said *Said, a shelf.Answer) {
	said.State, said.Tone = a.State, shelf.ToneOf(a.State, said.Found)
	if said.Sought = said.Sought && a.State != shelf.Again; said.Sought && said.Tone != shelf.Take {
		said.Tone = shelf.Sought
	}
	if said.Sought && a.State == shelf.Ahead { // who searches goes from one to the next
		said.State, a.Place = shelf.InPlace, shelf.Place{}
	}
	said.Place = placeOf(a.Place)
	said.Left, said.Joined = l.scanned(a.Left), l.scanned(a.Joined)
}

func (l *live) scanned(scans []int) (list []Book) {
	for _, n := range scans {
		item, _ := l.s.ItemOf(n)
		list = append(list, Book{Item: item})
	}
	return list
}

func placeOf(p shelf.Place) Place {
	return Place{After: copyOf(p.After), Before: copyOf(p.Before), Shelf: p.Shelf}
}

func copyOf(c *shelf.Copy) *Book {
	if c == nil {
		return nil
	}
	return &Book{Item: c.Barcode}
}

// name gives the books in what is said their words.
func (s *Service) name(ctx context.Context, l *live, said []Said) error {
	var all []*Book
	for i := range said {
		x := &said[i]
		all = append(all, x.Place.After, x.Place.Before)
		for j := range x.Left {
			all = append(all, &x.Left[j])
		}
		for j := range x.Joined {
			all = append(all, &x.Joined[j])
		}
	}
	return s.words(ctx, all)
}

// words looks up titles and call numbers.
func (s *Service) words(ctx context.Context, books []*Book) error {
	var ask []kiosk.Barcode
	for _, b := range books {
		if b != nil && b.CallNumber == "" && b.Title == "" {
			ask = append(ask, b.Item)
		}
	}
	slices.Sort(ask)
	found := map[kiosk.Barcode]Book{}
	told, n := counting(ctx, ReadingTitles), 0
	for part := range slices.Chunk(slices.Compact(ask), maxReads) {
		n += len(part)
		told(n)
		met, err := s.Store.Meet(ctx, part)
		if err != nil {
			return err
		}
		for _, m := range met {
			found[m.Item.Barcode] = bookOf(m.Item)
		}
	}
	for _, b := range books {
		if b == nil {
			continue
		}
		if f, ok := found[b.Item]; ok {
			*b = f
		}
	}
	return nil
}

// remember keeps the newest to be shown.
func (l *live) remember(said []Said) {
	for _, x := range said {
		l.said = append([]Said{x}, l.said...)
	}
	if len(l.said) > shown {
		l.said = l.said[:shown]
	}
}

// recall says of the newest scans of the log, as far as that is known without
// scanning them again, what was said.
func (s *Service) recall(ctx context.Context, l *live, newest []kiosk.ShelfLine) error {
	newest = newest[max(0, len(newest)-shown):]
	var ask []kiosk.Barcode
	for _, line := range newest {
		ask = append(ask, line.Item)
	}
	met, err := s.Store.Meet(ctx, ask)
	if err != nil {
		return err
	}
	for i, line := range newest {
		l.remember([]Said{l.was(line, met[i])})
	}
	return nil
}

// was says of a line of the log what is known of it now.
func (l *live) was(line kiosk.ShelfLine, m kiosk.Met) Said {
	said := Said{Line: line.N, Read: line.Read, Who: line.Who, At: line.At, Book: bookOf(m.Item), Wanted: m.Wanted, State: l.s.StateOf(line.Item)}
	for _, f := range line.Found {
		said.Found = append(said.Found, shelf.Finding(f))
	}
	said.Tone, said.Weed = shelf.ToneOf(said.State, said.Found), weeded(said.Found, m)
	return said
}
