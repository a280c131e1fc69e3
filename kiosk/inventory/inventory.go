// Package inventory conducts shelf inventories: what package shelf decides, in
// the order in which a kiosk.Inventories remembers it. A scan is on disk before
// anybody is told what it means, so that what was acknowledged survives all.
//
// Several inventories go on at once, each with several people. What is known
// of one is in memory while somebody works on it; it is made anew of its log
// after a restart.
package inventory

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// Config is what inventories stand on.
type Config struct {
	Store  kiosk.Inventories
	Ledger Ledger // nil: nothing can be sent to the library's system
	Order  *shelf.Order
	Tagged bool          // every book has a tag
	Weed   shelf.Weeding // none: none may go
	Ends   bool          // the library's system is there, and takes returns
	Tells  string        // how it is told that a book stands on the shelf: update or checkin; empty: not at all
	// Read tells what a text that was scanned or typed is.
	Read  func(text string) Code
	File  func(file io.Reader) iter.Seq2[FileRow, error] // reads a collector's file; nil: none is taken
	Now   func() time.Time
	NewID func() kiosk.ID
}

// Code is what a text is: an item's number, the label of a shelf, or for some
// reason neither.
type Code struct {
	Item  kiosk.Barcode
	Card  bool // it may as well be a patron's card
	Shelf string
	Why   string // for staff
}

// Service conducts inventories. It is safe for use by several goroutines.
type Service struct {
	Config
	loading sync.Mutex // one is read at a time: it takes two connections
	mu      sync.Mutex
	live    map[kiosk.ID]*live
	long    int // a report of more rows is kept for who has waited
}

// New makes a Service.
func New(c Config) *Service {
	return &Service{Config: c, live: map[kiosk.ID]*live{}, long: progressStep / 4}
}

// live is an inventory that somebody works on.
type live struct {
	mu      sync.Mutex
	v       kiosk.Inventory
	bounds  shelf.Bounds
	s       *shelf.Session // nil: it has to be read anew
	said    []Said         // the newest first
	mine    map[string][]int64
	counts  map[shelf.Finding]int
	heard   int
	changes []Change
	loads   []Load
	tallied *tally  // nil: nobody asked
	kept    *Report // that took long to make, for who has waited for it; nil: none
	seq     uint64
	changed chan struct{}
}

// invalid is an error that says what somebody has asked wrongly.
func invalid(format string, args ...any) error {
	return &kiosk.Error{Code: kiosk.CodeInvalid, Text: fmt.Sprintf(format, args...)}
}

// Begin begins an inventory of a range, and tells which others that go on have
// books in common with it.
func (s *Service) Begin(ctx context.Context, name string, r kiosk.ShelfRange) (v kiosk.Inventory, overlap []kiosk.Inventory, err error) {
	b, err := s.Order.Bounds(r)
	if err != nil {
		return v, nil, ofShelf(err)
	}
	books, out, err := s.books(ctx, r, b)
	if err != nil {
		return v, nil, err
	}
	if len(books) == 0 {
		return v, nil, s.empty(ctx, r)
	}
	if name = strings.TrimSpace(name); name == "" {
		name = nameOf(r)
	}
	others, err := s.Store.Inventories(ctx)
	if err != nil {
		return v, nil, err
	}
	for _, o := range others {
		if o.Stage != kiosk.Ended && s.Order.Overlap(o.Range, r) {
			overlap = append(overlap, o)
		}
	}
	v = kiosk.Inventory{ID: s.NewID(), Name: name, Range: r, Begun: s.Now(), Stage: kiosk.Walking}
	if err := s.Store.BeginInventory(ctx, v, out); err != nil {
		return v, overlap, err
	}
	l := &live{v: v, bounds: b, s: shelf.NewSession(books), changed: make(chan struct{})}
	l.blank()
	s.mu.Lock()
	s.live[v.ID] = l
	s.mu.Unlock()
	return v, overlap, nil
}

// nameOf is a range in a few words.
func nameOf(r kiosk.ShelfRange) string {
	words := slices.DeleteFunc([]string{r.Library, r.Location}, func(w string) bool { return w == "" })
	if r.From != "" || r.To != "" {
		words = append(words, r.From+"–"+r.To)
	}
	if len(words) == 0 {
		return "all shelves"
	}
	return strings.Join(words, ", ")
}

// empty says why a range has no book, and what there is.
func (s *Service) empty(ctx context.Context, r kiosk.ShelfRange) error {
	places, err := s.Store.Places(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, p := range places {
		if r.Library == "" || p.Library == r.Library {
			names = append(names, fmt.Sprintf("%s / %s (%d)", p.Library, p.Location, p.Items))
		}
	}
	if len(places) == 0 {
		return wrong("noitems", "the catalogue has no items: import them first")
	}
	if len(names) == 0 {
		for _, p := range places {
			names = append(names, p.Library)
		}
		names = slices.Compact(names)
		return wrong("library", "no item is of library %q; there are: %s", "library", r.Library, "places", list(names))
	}
	return wrong("empty", "no item of the catalogue stands in this range; there are: %s", "places", list(names))
}

// list names things, not too many: the rest are an ellipsis, which needs no words.
func list(names []string) string {
	const most = 12
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "…")
	}
	return strings.Join(names, ", ")
}

// progress is the key of what WithProgress wants.
type progress struct{}

// How many are read between two words about it: what has fewer is there at once.
const (
	progressStep = 10_000
	fileStep     = 1_000 // rows of a collector, each of which goes to the disk
)

// Reading is what is read while somebody waits.
type Reading string

// What is read.
const (
	ReadingBooks  Reading = "books"  // of the catalogue
	ReadingLog    Reading = "log"    // lines of an inventory
	ReadingTitles Reading = "titles" // of the books in a report
	ReadingFile   Reading = "file"   // rows of a collector
)

// WithProgress has what takes a context tell how many it has read, where it
// reads many: to begin an inventory of a large range, to go on with it after a
// restart, and to report.
func WithProgress(ctx context.Context, told func(what Reading, n int)) context.Context {
	return context.WithValue(ctx, progress{}, told)
}

// ProgressOf is what WithProgress has put into a context; nil: nothing.
func ProgressOf(ctx context.Context) func(what Reading, n int) {
	told, _ := ctx.Value(progress{}).(func(Reading, int))
	return told
}

// watched tells whether somebody is told how many were read.
func watched(ctx context.Context) bool { return ProgressOf(ctx) != nil }

// counting gives what tells how many were read by now.
func counting(ctx context.Context, what Reading) func(n int) {
	told, last, step := ProgressOf(ctx), 0, progressStep
	if what == ReadingFile {
		step = fileStep
	}
	return func(n int) {
		if told != nil && n/step > last {
			last = n / step
			told(what, last*step)
		}
	}
}

// books reads those of a range, and which of them are out.
func (s *Service) books(ctx context.Context, r kiosk.ShelfRange, b shelf.Bounds) (books []shelf.Copy, out []kiosk.Barcode, err error) {
	told, n := counting(ctx, ReadingBooks), 0
	for c, err := range s.Store.Shelved(ctx, r.Library, r.Location) {
		if err != nil {
			return nil, nil, err
		}
		n++
		told(n)
		book, _ := s.Order.Copy(c) // what fits no scheme stands behind all that fit, and is told when it is met
		if !b.Has(book.Key) {
			continue
		}
		if books = append(books, book); book.Out {
			out = append(out, c.Barcode)
		}
	}
	return books, out, nil
}

// List lists all inventories, the newest first.
func (s *Service) List(ctx context.Context) ([]kiosk.Inventory, error) {
	return s.Store.Inventories(ctx)
}

// Places counts the items by library and location.
func (s *Service) Places(ctx context.Context) ([]kiosk.Place, error) { return s.Store.Places(ctx) }

// Schemes names the schemes of call numbers, as they stand.
func (s *Service) Schemes() []string { return s.Order.Schemes() }

// open gives an inventory with its lock held, read from its log if need be.
func (s *Service) open(ctx context.Context, id kiosk.ID) (*live, error) {
	s.mu.Lock()
	l := s.live[id]
	if l == nil {
		l = &live{changed: make(chan struct{})}
		s.live[id] = l
	}
	s.mu.Unlock()
	l.mu.Lock()
	if l.s != nil {
		return l, nil
	}
	s.loading.Lock()
	err := s.read(ctx, id, l)
	s.loading.Unlock()
	if err != nil {
		l.s = nil
		l.mu.Unlock()
		return nil, err
	}
	return l, nil
}

// read makes an inventory of its log. What is out now and was not when it
// began is excused from now on.
func (s *Service) read(ctx context.Context, id kiosk.ID, l *live) error {
	v, err := s.Store.Inventory(ctx, id)
	if err != nil {
		return err
	}
	if l.bounds, err = s.Order.Bounds(v.Range); err != nil {
		return err
	}
	books, now, err := s.books(ctx, v.Range, l.bounds)
	if err != nil {
		return err
	}
	then, err := s.Store.Excused(ctx, id)
	if err != nil {
		return err
	}
	l.v, l.s = v, shelf.NewSession(books)
	l.s.Excuse(then)
	if v.Stage != kiosk.Ended {
		was := make(map[kiosk.Barcode]bool, len(then))
		for _, b := range then {
			was[b] = true
		}
		fresh := slices.DeleteFunc(now, func(b kiosk.Barcode) bool { return was[b] })
		if len(fresh) > 0 {
			if err := s.Store.Excuse(ctx, id, fresh); err != nil {
				return err
			}
		}
	}
	return s.fold(ctx, l)
}

// blank forgets what was folded.
func (l *live) blank() {
	l.mine, l.counts, l.said, l.changes, l.loads, l.tallied = map[string][]int64{}, map[shelf.Finding]int{}, nil, nil, nil, nil
}

// fold takes the whole log.
func (s *Service) fold(ctx context.Context, l *live) error {
	l.blank()
	told, n := counting(ctx, ReadingLog), 0
	var newest []kiosk.ShelfLine
	for line, err := range s.Store.Lines(ctx, l.v.ID) {
		if err != nil {
			return err
		}
		n++
		told(n)
		key, err := s.keyOf(ctx, l, line)
		if err != nil {
			return err
		}
		l.take(line, key)
		if line.Kind == kiosk.ShelfScan {
			if newest = append(newest, line); len(newest) > 2*shown {
				newest = append(newest[:0], newest[len(newest)-shown:]...)
			}
		}
	}
	return s.recall(ctx, l, newest)
}

// keyOf is the place of a book that is not of the range.
func (s *Service) keyOf(ctx context.Context, l *live, line kiosk.ShelfLine) (shelf.Key, error) {
	if line.Kind != kiosk.ShelfScan || l.s.Has(line.Item) || slices.Contains(line.Found, string(shelf.Unknown)) {
		return "", nil
	}
	met, err := s.Store.Meet(ctx, []kiosk.Barcode{line.Item})
	if err != nil || !met[0].Known {
		return "", err
	}
	return s.key(met[0].Item), nil
}

// key is the place of a book; empty if it has none.
func (s *Service) key(i kiosk.Item) shelf.Key {
	k, err := s.Order.Key(i.Scheme, i.CallNumber)
	if err != nil {
		return ""
	}
	return k
}

// take takes a line of the log.
func (l *live) take(line kiosk.ShelfLine, key shelf.Key) (shelf.Answer, bool) {
	a, ok := l.s.Take(line, key)
	if !ok {
		l.change(line)
		if line.Kind == kiosk.ShelfStart {
			l.started(line)
		}
		return a, false
	}
	l.mine[line.Who] = append(l.mine[line.Who], line.N)
	for _, f := range line.Found {
		l.counts[shelf.Finding(f)]++
	}
	return a, true
}

// tell wakes who waits for what is new.
func (l *live) tell() {
	l.seq++
	l.kept = nil
	close(l.changed)
	l.changed = make(chan struct{})
}

// write writes lines that are no scans.
func (s *Service) write(ctx context.Context, l *live, line kiosk.ShelfLine) error {
	line.At = s.Now()
	n, err := s.Store.Write(ctx, l.v.ID, []kiosk.ShelfLine{line})
	if err != nil {
		return err
	}
	line.N = n
	l.take(line, "")
	l.v.Lines = n
	l.tell()
	return nil
}

// Start says that somebody begins, or goes on elsewhere: nothing is said of
// what lies between. loose is for wands; see shelf.Walk.Start.
func (s *Service) Start(ctx context.Context, id kiosk.ID, who string, loose int) error {
	return s.line(ctx, id, kiosk.ShelfLine{Kind: kiosk.ShelfStart, Who: who, Loose: loose})
}

// GoOn has somebody go on with the walk that the log has of them, as if nothing
// had been between: the program was ended in the middle. Where there is none, or
// one that reads otherwise, or one that rests for longer than that (0: for as
// long as it may), it is Start.
func (s *Service) GoOn(ctx context.Context, id kiosk.ID, who string, loose int, rest time.Duration) error {
	l, err := s.taking(ctx, id)
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	was, last, ok := l.s.Walking(who)
	if ok && was == loose && (rest == 0 || last.IsZero() || s.Now().Sub(last) <= rest) {
		return nil
	}
	return s.write(ctx, l, kiosk.ShelfLine{Kind: kiosk.ShelfStart, Who: who, Loose: loose})
}

// Note notes the condition of a book that was met: damaged, cover, label.
func (s *Service) Note(ctx context.Context, id kiosk.ID, who string, item kiosk.Barcode, text string) error {
	if text = strings.TrimSpace(text); len(text) > maxNote {
		return longNote()
	}
	return s.line(ctx, id, kiosk.ShelfLine{Kind: kiosk.ShelfNote, Who: who, Item: item, Text: text})
}

const maxNote = 300 // bytes

func longNote() error { return wrong("note", "a note has at most %d bytes", "n", maxNote) }

// line writes a line to an inventory that takes scans.
func (s *Service) line(ctx context.Context, id kiosk.ID, line kiosk.ShelfLine) error {
	l, err := s.taking(ctx, id)
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	return s.write(ctx, l, line)
}

// taking is open of an inventory that takes scans.
func (s *Service) taking(ctx context.Context, id kiosk.ID) (*live, error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := l.takes(); err != nil {
		l.mu.Unlock()
		return nil, err
	}
	return l, nil
}

// takes tells why an inventory takes no scans.
func (l *live) takes() error {
	switch l.v.Stage {
	case kiosk.Paused:
		return wrong("paused", "the inventory %q pauses: resume it first", "name", l.v.Name)
	case kiosk.Ended:
		return wrong("ended", "the inventory %q has ended: begin another", "name", l.v.Name)
	}
	return nil
}

// Undo takes back a scan or a change that was not sent, by its line; 0 is the
// newest scan of who. With a scan goes what is planned of its book, unless it was
// met another time. It gives the number.
func (s *Service) Undo(ctx context.Context, id kiosk.ID, who string, n int64) (int64, error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	planned := slices.ContainsFunc(l.changes, func(c Change) bool { return c.Line == n && !c.Sent })
	if err := l.takes(); err != nil && !planned {
		return 0, err
	}
	if mine := l.mine[who]; n == 0 && len(mine) > 0 {
		n = mine[len(mine)-1]
	}
	if !planned && !l.has(n) {
		return 0, wrong("noscan", "there is no such scan to take back")
	}
	if _, err := s.Store.Write(ctx, id, []kiosk.ShelfLine{{Kind: kiosk.ShelfUndo, Who: who, At: s.Now(), Of: n}}); err != nil {
		return 0, err
	}
	if planned { // nothing of the walk has changed
		l.changes = slices.DeleteFunc(l.changes, func(c Change) bool { return c.Line == n })
		l.v.Lines++
		l.tell()
		return n, nil
	}
	if err := s.rewind(ctx, l, n); err != nil {
		l.s = nil // the next one reads it
		return n, err
	}
	l.v.Lines++
	defer l.tell()
	return n, s.forsake(ctx, l, who)
}

// has tells whether a line is that of a scan.
func (l *live) has(n int64) bool {
	for _, list := range l.mine {
		if _, ok := slices.BinarySearch(list, n); ok {
			return true
		}
	}
	return false
}

// rewind makes of an inventory what it is without a scan that was taken back:
// from what it remembers, or where that is too long ago of its log.
func (s *Service) rewind(ctx context.Context, l *live, n int64) error {
	line, ok := l.s.Undo(n)
	if !ok {
		l.s = l.s.Afresh()
		return s.fold(ctx, l)
	}
	l.mine[line.Who] = slices.DeleteFunc(l.mine[line.Who], func(x int64) bool { return x == n })
	for _, f := range line.Found {
		l.counts[shelf.Finding(f)]--
	}
	l.said = nil
	return s.recall(ctx, l, l.s.Newest(shown))
}

// Pause lets an inventory rest, for days if need be.
func (s *Service) Pause(ctx context.Context, id kiosk.ID) error {
	return s.stage(ctx, id, kiosk.ShelfPause, kiosk.Paused, kiosk.Walking, kiosk.Searching)
}

// Resume goes on.
func (s *Service) Resume(ctx context.Context, id kiosk.ID) error {
	return s.stage(ctx, id, kiosk.ShelfResume, "", kiosk.Paused)
}

// Search says that the shelves were walked; what is missing is looked for once
// more before it is declared missing.
func (s *Service) Search(ctx context.Context, id kiosk.ID) error {
	return s.stage(ctx, id, kiosk.ShelfSearch, kiosk.Searching, kiosk.Walking)
}

// stage brings an inventory to another stage; empty: to what it was before it
// paused.
func (s *Service) stage(ctx context.Context, id kiosk.ID, kind kiosk.ShelfKind, to kiosk.InventoryStage, from ...kiosk.InventoryStage) error {
	l, err := s.open(ctx, id)
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	if !slices.Contains(from, l.v.Stage) {
		return wrong("stage", "the inventory %q is %s", "name", l.v.Name, "stage", l.v.Stage)
	}
	if err := s.write(ctx, l, kiosk.ShelfLine{Kind: kind}); err != nil {
		return err
	}
	if to == "" {
		v, err := s.Store.Inventory(ctx, id)
		if err != nil {
			l.s = nil
			return err
		}
		to = v.Stage
	}
	l.v.Stage = to
	if to == kiosk.Paused {
		l.s = nil // it may rest for days
	}
	return nil
}
