package kiosktest

import (
	"errors"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// tagged gives an entry tags.
func tagged(e kiosk.Entry, tags ...kiosk.TagID) kiosk.Entry {
	e.Tags = tags
	return e
}

// wants fails unless the work list has this of a tag; Leave means nothing.
func (s *suite) wants(tag kiosk.TagID, want kiosk.Security, by kiosk.Entry) {
	s.Helper()
	w, err := s.Work(s.Context(), tag)
	switch {
	case want == kiosk.Leave && errors.Is(err, kiosk.ErrUnknown):
	case want == kiosk.Leave || err != nil:
		s.Fatalf("Work(%s) = %+v, %v; want %q", tag, w, err, want)
	case w.Want != want || w.Entry != by.ID || w.Item != by.Item || w.Title != by.Title || w.Tag != tag || w.Since.IsZero():
		s.Fatalf("Work(%s) = %+v; want %s by %s", tag, w, want, by.ID)
	}
}

func (s *suite) wrote(tag kiosk.TagID) {
	s.Helper()
	w, err := s.Work(s.Context(), tag)
	if err == nil {
		err = s.Done(s.Context(), w, Morning.Add(time.Hour))
	}
	if err != nil {
		s.Fatalf("Done(%s): %v", tag, err)
	}
}

// workCheckout: tags are released once a loan holds and not before, and
// secured when it is taken back.
func (s *suite) workCheckout() {
	e := tagged(Checkout(1, 1, 1), "A", "B")
	s.record(e)
	s.wants("A", kiosk.Leave, e)
	o := After(e, kiosk.Granted)
	o.Due = due
	s.conclude(o)
	s.wants("A", kiosk.Released, e)
	s.wants("B", kiosk.Released, e)
	s.again()
	s.wrote("A")
	s.wants("A", kiosk.Leave, e)
	s.wants("B", kiosk.Released, e)

	off := tagged(As(Checkout(2, 2, 1), kiosk.Offline, due), "C")
	s.record(off)
	s.wants("C", kiosk.Released, off)
	s.conclude(After(off, kiosk.Exception))
	s.wants("C", kiosk.Secured, off)

	no := tagged(Checkout(3, 3, 1), "D")
	s.record(no)
	s.conclude(After(no, kiosk.Denied))
	s.wants("D", kiosk.Leave, no)
}

// workCutOff: a question that was cut off promised nothing; its tag is
// released when the ILS has confirmed the loan.
func (s *suite) workCutOff() {
	e := tagged(Checkout(1, 1, 1), "A")
	s.record(e)
	s.interruptedNow(1)
	s.wants("A", kiosk.Leave, e)
	o := After(e, kiosk.Settled)
	o.Due = due
	s.conclude(o)
	s.wants("A", kiosk.Released, e)
}

// workCheckin: a return secures before anything else; one that comes to
// nothing releases again if the item is still out.
func (s *suite) workCheckin() {
	lend := tagged(As(Checkout(1, 1, 1), kiosk.Offline, due), "A")
	s.record(lend)
	s.wrote("A")
	back := tagged(Checkin(2, 1), "A")
	s.record(back)
	s.wants("A", kiosk.Secured, back)
	s.conclude(After(back, kiosk.Dismissed))
	s.wants("A", kiosk.Released, back)
	s.wrote("A")

	again := tagged(Checkin(3, 1), "A")
	s.record(again)
	s.wrote("A")
	s.conclude(After(again, kiosk.Offline))
	s.wants("A", kiosk.Leave, again)

	found := tagged(Checkin(4, 2), "B") // was not out
	s.record(found)
	s.conclude(After(found, kiosk.Denied))
	s.wants("B", kiosk.Secured, found)

	bare := Checkin(5, 3) // by its barcode; the tag is read when it is refused
	s.record(bare)
	s.conclude(After(bare, kiosk.Denied))
	if err := s.Attach(s.Context(), bare.ID, "E", Morning); err != nil {
		s.Fatal(err)
	}
	s.wants("E", kiosk.Secured, bare)
}

// workInterrupted: a return whose tag was not secured was never asked.
func (s *suite) workInterrupted() {
	one, two := tagged(Checkin(1, 1), "A"), tagged(Checkin(2, 2), "B")
	s.record(one)
	s.record(two)
	s.wrote("B")
	s.interruptedNow(2)
	q, err := s.Queue(s.Context(), 10)
	if err != nil || len(q) != 1 || q[0].ID != two.ID || q[0].State != kiosk.Unsure {
		s.Fatalf("Queue() = %+v, %v; want the return that was secured, unsure", q, err)
	}
}

func (s *suite) interruptedNow(want int) {
	s.Helper()
	if n, err := s.Interrupted(s.Context(), Morning.Add(time.Hour)); n != want || err != nil {
		s.Fatalf("Interrupted() = %d, %v; want %d", n, err, want)
	}
}

// workNewest: the newest entry that wants something of a tag has it.
func (s *suite) workNewest() {
	lend := tagged(As(Checkout(1, 1, 1), kiosk.Offline, due), "A")
	s.record(lend)
	old, err := s.Work(s.Context(), "A")
	if err != nil {
		s.Fatal(err)
	}
	back := tagged(As(Checkin(2, 1), kiosk.Offline, time.Time{}), "A")
	s.record(back)
	if err := s.Done(s.Context(), old, Morning); err != nil { // what was written is not what is wanted by now
		s.Fatalf("Done() of what the list no longer says: %v", err)
	}
	s.wants("A", kiosk.Secured, back)
	s.conclude(After(lend, kiosk.Settled))
	s.wants("A", kiosk.Secured, back)
	s.conclude(After(lend, kiosk.Exception)) // outdated: the item has come back
	s.wants("A", kiosk.Secured, back)
}

// attach: a tag that is found when its entry is on disk already.
func (s *suite) attach() {
	e := As(Checkout(1, 1, 1), kiosk.Offline, due)
	if err := s.Attach(s.Context(), e.ID, "A", Morning); !errors.Is(err, kiosk.ErrUnknown) {
		s.Errorf("Attach() to no entry = %v; want ErrUnknown", err)
	}
	s.record(e)
	asked := Checkout(2, 2, 1)
	s.record(asked)
	for range 2 {
		for id, tag := range map[kiosk.ID]kiosk.TagID{e.ID: "A", asked.ID: "B"} {
			if err := s.Attach(s.Context(), id, tag, Morning); err != nil {
				s.Fatalf("Attach(): %v", err)
			}
		}
	}
	s.wants("A", kiosk.Released, e)
	s.wants("B", kiosk.Leave, asked)
	o := After(asked, kiosk.Granted)
	s.conclude(o)
	s.wants("B", kiosk.Released, asked)
	if err := s.Attach(s.Context(), e.ID, "", Morning); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		s.Errorf("Attach() of no tag = %v; want invalid", err)
	}
}

// itemTags: an item's tags are those it had last, but for one that was another
// item's since.
func (s *suite) itemTags() {
	tags := func(n int, want ...kiosk.TagID) {
		s.Helper()
		if got, err := s.Tags(s.Context(), Barcode(n)); err != nil || !slices.Equal(got, want) {
			s.Fatalf("Tags(item %d) = %v, %v; want %v", n, got, err, want)
		}
		if c, err := s.Copy(s.Context(), Barcode(n)); err != nil || c.Tagged != (len(want) > 0) {
			s.Fatalf("Copy(item %d) = %+v, %v; want Tagged %t", n, c, err, len(want) > 0)
		}
	}
	tags(1)
	s.record(tagged(As(Checkout(1, 1, 1), kiosk.Offline, due), "B", "A"))
	tags(1, "A", "B")
	q, err := s.Queue(s.Context(), 1)
	if len(q) == 1 {
		slices.Sort(q[0].Tags)
	}
	if err != nil || len(q) != 1 || !slices.Equal(q[0].Tags, []kiosk.TagID{"A", "B"}) {
		s.Fatalf("Queue() = %+v, %v; want the loan with its tags", q, err)
	}
	s.record(As(Checkin(2, 1), kiosk.Offline, time.Time{})) // by its barcode
	tags(1, "A", "B")
	s.record(tagged(As(Checkout(3, 2, 1), kiosk.Offline, due), "B"))
	tags(1, "A")
	tags(2, "B")
	last := As(Checkout(4, 1, 2), kiosk.Offline, due)
	s.record(last)
	if err := s.Attach(s.Context(), last.ID, "C", Morning.Add(time.Hour)); err != nil {
		s.Fatal(err)
	}
	tags(1, "C")
	s.again()
	tags(1, "C")
}
