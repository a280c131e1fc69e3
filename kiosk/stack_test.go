package kiosk

import (
	"errors"
	"testing"
	"time"
)

func (b *bench) tagDown(tag TagID, it Item, part, parts int) {
	b.t.Helper()
	b.send(TagPlaced{Tag: tag, Item: it.Barcode, Part: part, Parts: parts})
}

// kept answers the oldest Keep.
func (b *bench) kept(err error) Keep {
	b.t.Helper()
	k := take[Keep](b)
	b.send(Kept{Entry: k.Entry, Tag: k.Tag, Want: k.Want, Err: err})
	return k
}

func (b *bench) none() {
	b.t.Helper()
	if len(b.open) > 0 {
		b.t.Fatalf("open effects %+v; want none", b.open)
	}
}

func (b *bench) grant() {
	b.t.Helper()
	ask := take[Ask](b)
	b.send(Answered{Entry: ask.Entry.ID, Answer: Answer{Due: due}})
	b.conclude()
}

// TestRelease: a tag is released when the loan is on disk, and the loan is
// shown when the tag has been read back.
func TestRelease(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.tagDown("A", book, 1, 1)
	b.find(book, nil)
	if e := b.store(); len(e.Tags) != 1 || e.Tags[0] != "A" {
		t.Fatalf("recorded %+v; want its tag", e)
	}
	ask := take[Ask](b)
	b.send(Answered{Entry: ask.Entry.ID, Answer: Answer{Due: due}})
	c := take[Conclude](b)
	b.none() // nothing is released yet
	b.send(Stored{Entry: c.Outcome.Entry, State: Granted})
	b.only(LineWaiting, "")
	if k := b.kept(nil); k.Want != Released || k.Tag != "A" {
		t.Fatalf("%+v; want A released", k)
	}
	b.only(LineLent, "")
	if tr := b.s.Screen().Tray; tr != (Tray{Tags: 1, Items: 1, Settled: true}) {
		t.Errorf("tray %+v", tr)
	}
}

// TestLiftedTooEarly: the loan stands, the patron is asked to put the book
// back, and then it is released; also while the receipt shows.
func TestLiftedTooEarly(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.tagDown("A", book, 1, 1)
	b.find(book, nil)
	b.store()
	b.send(TagRemoved{"A"})
	b.grant()
	b.only(LineAction, ReasonPutBack)
	b.none() // nothing is tried with a tag that is away
	b.send(Finish{})
	b.view(ViewReceipt)
	b.tagDown("A", book, 1, 1)
	b.kept(ErrLifted) // too quick again
	b.only(LineAction, ReasonPutBack)
	b.now = b.s.Screen().WakeAt // it still lies there
	b.send(Tick{})
	b.kept(nil)
	b.only(LineLent, "")
}

// TestReturnSecuresFirst: the ILS hears of a return when its tag is secured.
func TestReturnSecuresFirst(t *testing.T) {
	for _, online := range []bool{true, false} {
		b := newBench(t, Rules{})
		b.send(LinkChanged{Up: online})
		b.send(StartReturn{})
		b.tagDown("A", book, 1, 1)
		b.find(book, &Loan{Item: book.Barcode, Patron: "c1"})
		if e := b.store(); e.State != Asked {
			t.Fatalf("recorded as %s; want asked until the tag is secured", e.State)
		}
		if k := b.kept(nil); k.Want != Secured {
			t.Fatalf("%+v; want it secured", k)
		}
		if online {
			b.grant()
		} else if o := b.conclude(); o.State != Offline {
			t.Fatalf("concluded %+v; want offline", o)
		}
		b.only(LineReturned, "")
		b.none()
	}
}

// TestReturnLifted: a return whose tag was not secured did not happen.
func TestReturnLifted(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(StartReturn{})
	b.tagDown("A", book, 1, 1)
	b.find(book, &Loan{Item: book.Barcode, Patron: "c1"})
	b.store()
	b.kept(ErrLifted)
	b.send(TagRemoved{"A"})
	b.only(LineAction, ReasonPutBack)
	b.send(Finish{})
	b.send(Finish{}) // closes the receipt
	b.view(ViewWelcome)
	if o := b.conclude(); o.State != Dismissed {
		t.Errorf("concluded %+v; want dismissed", o)
	}
}

// TestStuck: what can't be written is said, and the session goes on.
func TestStuck(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.tagDown("A", book, 1, 1)
	b.find(book, nil)
	b.store()
	b.grant()
	b.kept(errors.New("locked"))
	if l := b.only(LineAction, ReasonTagStuck); l.Text != "locked" {
		t.Errorf("text %q", l.Text)
	}
}

// TestSet is lent when all its parts are there.
func TestSet(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.tagDown("A", book, 1, 3)
	b.find(book, nil)
	b.tagDown("B", book, 2, 3)
	if l := b.only(LineAction, ReasonPartsMissing); l.Have != 2 || l.Parts != 3 || l.Title != "Dune" {
		t.Errorf("line %+v; want 2 of 3", l)
	}
	b.none()
	b.send(TagRemoved{"A"})
	b.tagDown("C", book, 3, 3)
	b.only(LineAction, ReasonPartsMissing)
	b.tagDown("A", book, 1, 3)
	b.find(book, nil)
	if e := b.store(); len(e.Tags) != 3 {
		t.Errorf("recorded %+v; want three tags", e)
	}
	b.grant()
	b.kept(nil)
	b.kept(nil)
	b.only(LineWaiting, "")
	b.kept(nil)
	b.only(LineLent, "")
}

// TestOneLine: a barcode that is scanned of a book on the pad, before or
// after, is one line.
func TestOneLine(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.find(book, nil)
	b.store()
	b.tagDown("A", book, 1, 1) // while it is being recorded
	at := take[Attach](b)
	b.grant()
	b.only(LineWaiting, "")
	b.send(Attached{Entry: at.Entry, Tag: "A"})
	b.kept(nil)
	b.only(LineLent, "")
	b.send(ItemPlaced{book.Barcode})
	if l := b.only(LineLent, ""); l.Times != 2 {
		t.Errorf("scanned %d times; want 2", l.Times)
	}
}

// TestStrangers get lines of their own, which go when they are taken away.
func TestStrangers(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(TagUnread{Tag: "X", Code: "DE-1", Reason: ReasonTagForeign})
	b.only(LineRefused, ReasonTagForeign)
	b.tagDown("A", book, 1, 1)
	b.tagDown("B", book, 1, 1)
	if sc := b.s.Screen(); len(sc.Lines) != 3 || sc.Lines[2].Reason != ReasonTagTwice || sc.Tray.Items != 1 || sc.Tray.Tags != 3 {
		t.Errorf("lines %+v, tray %+v", sc.Lines, sc.Tray)
	}
	b.send(TagRemoved{"X"})
	b.send(TagRemoved{"B"})
	b.only(LineWaiting, "")
}

// TestLeftBehind: what lay on the pad before is nobody's, but what the work
// list has of it is done.
func TestLeftBehind(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(TagPlaced{Tag: "A", Item: book.Barcode, Part: 1, Parts: 1, Old: true})
	b.send(Mended{Tag: take[Mend](b).Tag, Work: Work{Tag: "A", Title: "Dune", Want: Released}})
	if sc := b.s.Screen(); sc.Notice.Reason != ReasonTagMended || sc.Notice.Code != "Dune" || len(sc.Lines) != 0 {
		t.Errorf("screen %+v", sc)
	}
	b.open1("c1")
	if sc := b.s.Screen(); len(sc.Lines) != 0 || sc.Tray.Left != 1 {
		t.Errorf("screen %+v; want one left from before", sc)
	}
	b.tagDown("B", book2, 1, 1)
	b.find(book2, nil)
	b.store()
	b.grant()
	b.kept(nil)
	b.send(Finish{})
	b.send(Finish{})
	if sc := b.s.Screen(); sc.Tray.Left != 2 {
		t.Errorf("tray %+v; want both left", sc.Tray)
	}
	b.send(TagRemoved{"A"})
	b.send(TagRemoved{"B"})
	if sc := b.s.Screen(); sc.Tray.Left != 0 {
		t.Errorf("tray %+v; want none left", sc.Tray)
	}
}

// TestScannedWhereItLies: a book that was left on the pad and is scanned now is
// one line with its tag: it is released for the loan.
func TestScannedWhereItLies(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(TagPlaced{Tag: "A", Item: book.Barcode, Part: 1, Parts: 1, Old: true})
	b.send(Mended{Tag: take[Mend](b).Tag})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.find(book, nil)
	if e := b.store(); len(e.Tags) != 1 || e.Tags[0] != "A" {
		t.Fatalf("recorded %+v; want its tag", e)
	}
	b.grant()
	if k := b.kept(nil); k.Tag != "A" || k.Want != Released {
		t.Errorf("%+v; want A released", k)
	}
	b.only(LineLent, "")
	if tr := b.s.Screen().Tray; tr.Left != 0 || tr.Items != 1 {
		t.Errorf("tray %+v; want the book, and none from before", tr)
	}
}

// TestNotOutIsSecured: a book that is returned by its barcode, and is out to
// nobody, goes to the shelf. Its tag is secured when it is read after that: it
// may have been released, and the book would walk out unseen.
func TestNotOutIsSecured(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(StartReturn{})
	b.send(ItemPlaced{book.Barcode})
	b.find(book, nil)
	b.store()
	ask := take[Ask](b)
	b.send(Answered{Entry: ask.Entry.ID, Err: &Error{Code: CodeRefused, Reason: ReasonNotOnLoan}})
	b.conclude()
	b.only(LineRefused, ReasonNotOnLoan)
	b.send(TagPlaced{Tag: "A", Item: book.Barcode, Part: 1, Parts: 1})
	if a := take[Attach](b); a.Tag != "A" || a.Entry != ask.Entry.ID {
		t.Errorf("%+v; want A for the return", a)
	}
	b.send(Attached{Entry: ask.Entry.ID, Tag: "A"})
	b.send(Mended{Tag: take[Mend](b).Tag, Work: Work{Tag: "A", Title: "Dune", Want: Secured}})
	b.none()
	if sc := b.s.Screen(); sc.Notice.Reason != "" {
		t.Errorf("notice %+v; want none: the patron is told that it is not on loan", sc.Notice)
	}
	b.only(LineRefused, ReasonNotOnLoan)
}

// TestScannedOnly: an item that is known to have a tag is lent, or returned, by
// its barcode; its tag is on the work list, and the patron is asked for it.
func TestScannedOnly(t *testing.T) {
	for _, returning := range []bool{false, true} {
		b := newBench(t, Rules{})
		var loan *Loan
		if returning {
			b.send(StartReturn{})
			loan = &Loan{Item: book.Barcode, Patron: "c2"}
		} else {
			b.open1("c1")
		}
		b.send(ItemPlaced{book.Barcode})
		f := Found{Line: take[Look](b).Line, Items: []Item{book}, Tags: []TagID{"A"}, Pad: true}
		if loan != nil {
			f.Loan, f.OnLoan = *loan, true
		}
		b.send(f)
		if e := b.store(); len(e.Tags) != 0 {
			t.Fatalf("recorded %+v; want no tags: nobody has seen one", e)
		}
		b.grant() // a return is told at once: the book may be in the bin by now
		at := take[Attach](b)
		b.send(Attached{Entry: at.Entry, Tag: at.Tag})
		b.only(LineAction, ReasonPutBack)
		b.tagDown("A", book, 1, 1)
		if k := b.kept(nil); k.Tag != "A" || (k.Want == Secured) != returning {
			t.Errorf("%+v; returning: %v", k, returning)
		}
		if l := b.s.Screen().Lines[0]; !l.succeeded() {
			t.Errorf("line %+v; want it done", l)
		}
		b.send(Finish{})
		b.send(Finish{})
		b.view(ViewWelcome)
		b.none()
	}
}

// TestScannedWithoutPad: where no pad works nobody is asked for what can't be
// done now, and a tag that the item has no more is no matter when another
// turns up.
func TestScannedWithoutPad(t *testing.T) {
	for _, pad := range []bool{false, true} {
		b := newBench(t, Rules{})
		b.open1("c1")
		b.send(ItemPlaced{book.Barcode})
		b.send(Found{Line: take[Look](b).Line, Items: []Item{book}, Tags: []TagID{"OLD"}, Pad: pad})
		b.store()
		b.grant()
		at := take[Attach](b)
		b.send(Attached{Entry: at.Entry, Tag: at.Tag})
		if !pad {
			b.only(LineLent, "")
			continue
		}
		b.tagDown("NEW", book, 1, 1)
		at = take[Attach](b)
		b.send(Attached{Entry: at.Entry, Tag: at.Tag})
		b.kept(nil)
		b.only(LineLent, "")
	}
}

// TestRememberedIsAnothers: a tag that was put into another book since makes
// nobody wait.
func TestRememberedIsAnothers(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ItemPlaced{book.Barcode})
	b.send(Found{Line: take[Look](b).Line, Items: []Item{book}, Tags: []TagID{"A"}, Pad: true})
	b.store()
	b.grant()
	at := take[Attach](b)
	b.send(Attached{Entry: at.Entry, Tag: "A"})
	b.only(LineAction, ReasonPutBack)
	b.tagDown("A", book2, 1, 1)
	lines := b.s.Screen().Lines
	if len(lines) != 2 || lines[0].State != LineLent || lines[1].Item != book2.Barcode || lines[1].State != LineWaiting {
		t.Errorf("lines %+v; want the first lent and one for the other", lines)
	}
}

// TestScannedThenLaid: what was returned by its barcode is not returned any
// more when its tag turns up, until that is secured.
func TestScannedThenLaid(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(StartReturn{})
	b.send(ItemPlaced{book.Barcode})
	b.find(book, &Loan{Item: book.Barcode, Patron: "c1"})
	b.store()
	b.grant()
	b.only(LineReturned, "")
	b.tagDown("A", book, 1, 1)
	b.only(LineWaiting, "")
	at := take[Attach](b)
	b.send(Finish{})
	b.view(ViewItems) // it is not over yet
	b.send(Attached{Entry: at.Entry, Tag: "A"})
	b.kept(nil)
	b.view(ViewReceipt)
	b.only(LineReturned, "")
}

// TestLeftIsMended: what a loan that was cut off has left on the work list is
// done while its tag lies there, when the ILS has been heard; what can't be
// done is not tried again and again.
func TestLeftIsMended(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(TagPlaced{Tag: "A", Item: book.Barcode, Part: 1, Parts: 1, Old: true})
	b.send(Mended{Tag: take[Mend](b).Tag}) // nothing yet
	b.send(LinkChanged{Up: false})
	b.none()
	b.send(LinkChanged{Up: true})
	b.send(Mended{Tag: take[Mend](b).Tag, Work: Work{Tag: "A", Title: "Dune", Want: Released}, Err: errors.New("locked")})
	if sc := b.s.Screen(); sc.Notice.Reason != ReasonTagStuck {
		t.Errorf("notice %+v; want that it is stuck", sc.Notice)
	}
	b.send(LinkChanged{Up: true})
	b.none()
}

// TestCount: where the library wants it, the tray agrees when the patron does.
func TestCount(t *testing.T) {
	b := newBench(t, Rules{Count: true, Notice: time.Second})
	b.open1("c1")
	b.tagDown("A", book, 1, 1)
	b.find(book, nil)
	b.store()
	b.grant()
	b.kept(nil)
	if b.s.Screen().Tray.Settled {
		t.Error("settled before anybody has counted")
	}
	b.send(Counted{2})
	if sc := b.s.Screen(); sc.Tray.Settled || sc.Notice.Reason != ReasonCount {
		t.Errorf("a count of 2: %+v", sc)
	}
	b.send(Counted{1})
	if !b.s.Screen().Tray.Settled {
		t.Error("not settled although the count is right")
	}
}
