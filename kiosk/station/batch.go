package station

import (
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Mode is what is done with a tag that is put down.
type Mode string

// The modes.
const (
	Write   Mode = "write"   // it gets the number that was scanned
	Convert Mode = "convert" // it keeps its own number, in the library's model
)

// Stage is what the station waits for.
type Stage string

// The stages.
const (
	Scan    Stage = "scan"    // a barcode
	Place   Stage = "place"   // a tag
	Working Stage = "working" // the pad
	Ask     Stage = "ask"     // staff's yes to a question
	Part    Stage = "part"    // which part of the set this is
	Lift    Stage = "lift"    // it is done: take the book away
	Trouble Stage = "trouble" // see Result: something else must lie there
)

// Step is something that happens at a station.
type Step any

// What happens.
type (
	// Scanned: an item's barcode was read.
	Scanned struct{ Item kiosk.Barcode }
	// Misread: a code was read that is no item's.
	Misread struct{ Code string }
	// Seen: these tags lie on the pad.
	Seen struct{ Tags []kiosk.TagID }
	// Did: the wish that was given last has come to this.
	Did struct {
		Result Result
		Err    error
		Redo   bool // it was a Restore
	}
	// Unseen: the pad can't be read.
	Unseen struct{ Err error }
	// Sure: this tag may be overwritten.
	Sure struct{ Tag kiosk.TagID }
	// Chosen: the tag is this part of the set.
	Chosen struct{ Part int }
	// Drop: forget the barcode, and the question.
	Drop struct{}
	// Set: what follows are sets of so many parts; 0 or 1: it is not.
	Set struct{ Parts int }
	// SetMode changes what is done.
	SetMode struct{ Mode Mode }
	// SetLock: lock what is written, or not.
	SetLock struct{ On bool }
	// Undo makes the tag that was written last what it was before, Redo what
	// it was made. It must lie on the pad.
	Undo struct{}
	Redo struct{}
)

// Wanted is what a step wants done: one of both, or nothing.
type Wanted struct {
	Put     *Wish
	Restore *Found
}

// Entry is one book that was done.
type Entry struct {
	Result
	At     time.Time
	Undone bool
}

// Batch is a station where one book follows another. It is pure: it reads no
// clock and no pad.
type Batch struct {
	Mode   Mode
	Parts  int // of each set; 1: single items
	Lock   bool
	Stage  Stage
	Item   kiosk.Barcode // scanned, not yet written
	Result Result        // the newest
	Err    string        // why the pad is of no use
	Code   string        // that was no item's, until the next scan
	Needs  kiosk.Barcode // must lie on the pad alone for Undo and Redo; until the next step of staff
	Tags   int           // on the pad
	Count  int           // done and not undone
	Done   []Entry       // the newest first, at most keep

	Open []Entry // begun and lifted too early: put back, they are finished

	parts   []int // of the set in hand that are written
	seen    map[kiosk.TagID]int
	held    map[kiosk.TagID]bool // done: must be lifted
	still   int                  // times in a row that the same tags were seen
	tried   bool                 // with these tags and this item
	part    int
	sure    kiosk.TagID
	working bool
}

const (
	keep     = 20
	misses   = 3 // rounds without an answer after which a tag is gone
	steady   = 2 // rounds with the same tags after which they are believed
	rateOver = 20
)

// NewBatch begins.
func NewBatch() *Batch {
	return &Batch{Mode: Write, Parts: 1, Stage: Scan, seen: map[kiosk.TagID]int{}, held: map[kiosk.TagID]bool{}}
}

// Rate is how many books an hour, by the last ones; 0 when it can't be told.
func (b *Batch) Rate() int {
	n := min(len(b.Done), rateOver)
	if n < 2 {
		return 0
	}
	d := b.Done[0].At.Sub(b.Done[n-1].At)
	if d <= 0 {
		return 0
	}
	return int(float64(n-1) * float64(time.Hour) / float64(d))
}

// Step takes what happened and tells what to do.
func (b *Batch) Step(s Step, now time.Time) Wanted {
	if _, ok := s.(Seen); !ok {
		b.Needs = ""
	}
	switch s := s.(type) {
	case Seen:
		b.see(s.Tags)
	case Unseen:
		b.Err = s.Err.Error()
		b.still = 0
	case Did:
		b.did(s, now)
	case Scanned:
		b.scan(s.Item)
	case Misread:
		b.Code = s.Code
	case Sure:
		if b.Stage == Ask && s.Tag == b.Result.UID {
			b.sure, b.tried = s.Tag, false
		}
	case Chosen:
		if b.Stage == Part && slices.Contains(b.Result.Missing, s.Part) {
			b.part, b.tried = s.Part, false
		}
	case Drop:
		b.Item, b.Code, b.parts = "", "", nil
		b.afresh()
	case Set:
		b.Parts = max(1, min(s.Parts, 255))
		b.afresh()
	case SetMode:
		if s.Mode == Write || s.Mode == Convert {
			b.Mode, b.Item, b.Code, b.parts = s.Mode, "", "", nil
			b.afresh()
		}
	case SetLock:
		b.Lock = s.On
	case Undo:
		return b.again(false)
	case Redo:
		return b.again(true)
	}
	return b.decide()
}

// afresh forgets what was asked and tried.
func (b *Batch) afresh() {
	b.sure, b.part, b.tried = "", 0, false
	if !b.working && !b.Result.Verdict.Done() {
		b.Result = Result{}
	}
}

func (b *Batch) scan(item kiosk.Barcode) {
	b.Code = ""
	again := b.Stage == Lift && item == b.Result.Item && b.Parts == 1 // a second beep over the book that is done
	if item != b.Item && !again {
		b.Item, b.parts = item, nil
		b.afresh()
	}
}

// see notes what lies there: a tag is gone when it was missed a few times.
func (b *Batch) see(tags []kiosk.TagID) {
	b.Err = ""
	changed := false
	for t := range b.seen {
		if b.seen[t]++; b.seen[t] > misses {
			delete(b.seen, t)
			delete(b.held, t)
			changed = true
		}
	}
	for _, t := range tags {
		if _, ok := b.seen[t]; !ok {
			changed = true
		}
		b.seen[t] = 0
	}
	b.Tags = len(b.seen)
	if !changed {
		b.still++
		return
	}
	b.still = 1
	b.afresh()
}

// did takes the end of what was wanted.
func (b *Batch) did(d Did, now time.Time) {
	b.working = false
	switch {
	case d.Err != nil: // not again before the pad was read
		b.Err, b.tried, b.still = d.Err.Error(), false, 0
		return
	case d.Redo:
		b.redone(d.Result)
		return
	}
	b.Result, b.sure, b.part = d.Result, "", 0
	switch v := d.Result.Verdict; {
	case v.Done():
		b.done(d.Result, now)
	case v == Lifted || v == NoTag:
		b.tried, b.still = false, 0 // as soon as it is back
		if v == Lifted && d.Result.Blocks > 0 {
			b.begin(d.Result, now)
		}
	case v == AskPart:
		b.Result.Missing = slices.DeleteFunc(slices.Clone(d.Result.Missing), func(p int) bool { return slices.Contains(b.parts, p) })
		if len(b.Result.Missing) == 1 {
			b.part, b.tried = b.Result.Missing[0], false
		}
	}
}

// done notes a book that is as it should be.
func (b *Batch) done(r Result, now time.Time) {
	b.Count++
	b.Done = append([]Entry{{Result: r, At: now}}, b.Done[:min(len(b.Done), keep-1)]...)
	b.held[r.UID] = true
	b.tried = false
	b.finished(r.UID)
	if r.Item != b.Item {
		return // it was finished on the way
	}
	if r.Parts > 1 {
		b.parts = append(b.parts, r.Part)
	}
	if len(b.parts) >= r.Parts || len(r.Missing) == 1 && r.Missing[0] == r.Part {
		b.Item, b.parts = "", nil
	}
}

// begin notes a tag that was begun, with what it said at first.
func (b *Batch) begin(r Result, now time.Time) {
	for _, e := range b.Open {
		if e.UID == r.UID {
			r.Before = e.Before
		}
	}
	b.finished(r.UID)
	b.Open = append(b.Open, Entry{Result: r, At: now})
}

// finished takes a tag off those that were begun.
func (b *Batch) finished(tag kiosk.TagID) {
	b.Open = slices.DeleteFunc(b.Open, func(e Entry) bool { return e.UID == tag })
}

// begun is the wish for a tag that lies there and was begun before.
func (b *Batch) begun() *Wish {
	for _, e := range b.Open {
		if _, here := b.seen[e.UID]; here {
			return &Wish{Item: e.Item, Part: e.Part, Parts: e.Parts, Lock: b.Lock, Was: e.Before}
		}
	}
	return nil
}

// redone notes that the last book was undone, or was not after all.
func (b *Batch) redone(r Result) {
	b.Result = r
	if !r.Verdict.Done() || len(b.Done) == 0 {
		return
	}
	last := &b.Done[0]
	if last.Undone = !last.Undone; last.Undone {
		b.Count--
	} else {
		b.Count++
	}
	b.held[r.UID] = true
}

// again undoes or redoes the last book.
func (b *Batch) again(redo bool) Wanted {
	if b.working || len(b.Done) == 0 || b.Done[0].Undone != redo {
		return Wanted{}
	}
	last := b.Done[0]
	if _, ok := b.seen[last.UID]; !ok {
		b.Needs = last.Item
		return Wanted{}
	}
	to := last.Before
	if redo {
		to = last.After
	}
	if to == nil {
		return Wanted{}
	}
	b.working, b.Stage = true, Working
	return Wanted{Restore: to}
}

// decide finds the stage, and what is to be done.
func (b *Batch) decide() Wanted {
	fresh := 0
	for t := range b.seen {
		if !b.held[t] {
			fresh++
		}
	}
	begun := b.begun()
	set := b.Parts > 1 && b.Mode == Write && b.Item != ""
	switch {
	case b.working:
		b.Stage = Working
	case fresh == 0 && len(b.held) > 0 && !set:
		b.Stage = Lift
	case fresh == 0 && (b.Item != "" || b.Mode == Convert):
		b.Stage = Place
	case fresh == 0 || b.Item == "" && b.Mode == Write && begun == nil:
		b.Stage = Scan
	case b.still < steady:
		// not sure yet what lies there
	case b.tried:
		b.Stage = stageOf(b.Result.Verdict)
	default:
		b.working, b.tried, b.Stage = true, true, Working
		return Wanted{Put: b.wish(begun)}
	}
	return Wanted{}
}

func (b *Batch) wish(begun *Wish) *Wish {
	if begun != nil && len(b.seen) == 1 {
		return begun
	}
	w := &Wish{Item: b.Item, Sure: b.sure, Lock: b.Lock, Convert: b.Mode == Convert}
	if b.Parts > 1 && b.Mode == Write {
		w.Part, w.Parts = b.part, b.Parts
	}
	return w
}

// stageOf is what is waited for after a wish that was not fulfilled.
func stageOf(v Verdict) Stage {
	switch {
	case v == AskPart:
		return Part
	case v.Question():
		return Ask
	case v == Complete:
		return Lift
	}
	return Trouble
}

// copy is a Batch to look at: it does not change any more.
func (b *Batch) copy() Batch {
	c := *b
	c.Done, c.Open = slices.Clone(b.Done), slices.Clone(b.Open)
	c.seen, c.held = nil, nil
	return c
}

// same tells whether two views show the same.
func same(v, w View) bool {
	a, b := v.Batch, w.Batch
	return a.Mode == b.Mode && a.Parts == b.Parts && a.Lock == b.Lock && a.Stage == b.Stage && a.Item == b.Item && a.Err == b.Err &&
		a.Code == b.Code && a.Needs == b.Needs && a.Tags == b.Tags && a.Count == b.Count && v.Rate == w.Rate &&
		len(a.Open) == len(b.Open) && a.Result.Verdict == b.Result.Verdict && a.Result.UID == b.Result.UID && a.Result.Item == b.Result.Item &&
		a.Result.Says == b.Result.Says && a.Result.Part == b.Result.Part && slices.Equal(a.Result.Missing, b.Result.Missing) &&
		len(a.Done) == len(b.Done) && (len(a.Done) == 0 || a.Done[0].At.Equal(b.Done[0].At) && a.Done[0].Undone == b.Done[0].Undone)
}
