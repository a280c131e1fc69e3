package simulation

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// account is an entry at the end, and what the ILS did for it.
type account struct {
	*station
	kiosk.Entry
	n     int // in the order of its ledger
	life  *life
	took  []effect // what the ILS carried out
	nos   []effect // what it refused
	undid []effect // what it took back
}

// judge holds what the kiosks say against what the ILS did.
func (w *world) judge() {
	by := map[kiosk.ID]*account{}
	var all []*account
	for _, s := range w.stations {
		for n, e := range s.disk.mem.Entries() {
			a := &account{station: s, Entry: e, n: n, life: s.disk.lives[e.ID]}
			all, by[e.ID] = append(all, a), a
		}
	}
	for _, f := range w.effects {
		a := by[f.entry]
		switch {
		case f.by == "staff":
		case a == nil || a.name != f.by:
			w.fail("%s has told the ILS of %s of %s (effect %d), and its ledger has no such entry (%q)", f.by, f.Told, f.Item, f.N, f.entry)
		case f.Did == upstreamtest.DidRefuse:
			a.nos = append(a.nos, f)
		case f.Cancel:
			a.undid = append(a.undid, f)
		default:
			a.took = append(a.took, f)
		}
	}
	for _, a := range all {
		w.count(map[kiosk.State]string{kiosk.Settled: "settled", kiosk.Granted: "granted", kiosk.Exception: "exception",
			kiosk.Dismissed: "dismissed", kiosk.Denied: "denied", kiosk.Differs: "differs"}[a.State])
		w.once(a)
		w.renewed(a, by)
		w.takenBack(a)
	}
	for _, s := range w.stations {
		w.kept(s, by)
		w.ordered(s, by)
		w.dated(s)
		w.empty(s)
	}
	w.blamed(all)
	w.gates(all, by)
}

// kept: what a screen has shown is in the ledger, whatever happened since.
func (w *world) kept(s *station, by map[kiosk.ID]*account) {
	for _, id := range slices.Sorted(maps.Keys(s.shown)) {
		p, a := s.shown[id], by[id]
		switch {
		case a == nil:
			w.fail("%s has shown %s as %s (entry %s), and its ledger has no such entry", s.name, p.item, p.state, id)
		case !a.State.Holds() && a.State != kiosk.Exception:
			w.fail("%s has shown %s as %s (entry %s), and its ledger says that it is %s", s.name, p.item, p.state, id, a.State)
		}
	}
}

// once: what counts as done took effect once, what does not never did.
func (w *world) once(a *account) {
	if len(a.took) > 1 {
		w.unless(w.undone(a, a.took[len(a.took)-1].at), "told again",
			"%s: %s of %s for %s (entry %s, %s) took effect %d times", a.name, a.Kind, a.Item, a.Patron, a.ID, a.State, len(a.took))
	}
	switch a.State {
	case kiosk.Granted:
		if len(a.took) == 0 {
			w.fail("%s: %s of %s for %s (entry %s) is granted, and the ILS did nothing", a.name, a.Kind, a.Item, a.Patron, a.ID)
		}
	case kiosk.Settled, kiosk.Differs:
		if len(a.took) == 0 && !w.stood(a) {
			w.fail("%s: %s of %s for %s (entry %s) is settled, and the ILS did nothing", a.name, a.Kind, a.Item, a.Patron, a.ID)
		}
	case kiosk.Dismissed, kiosk.Denied:
		if len(a.took) > 0 {
			excused, as := w.undone(a, a.life.last), "undone elsewhere"
			switch n := len(a.undid); {
			case unseen(a):
				excused, as = true, "due as was known"
			case n > 0 && a.undid[n-1].at.After(a.took[len(a.took)-1].at):
				excused, as = true, "taken back"
			}
			w.unless(excused, as,
				"%s: %s of %s for %s (entry %s) is %s, and took effect at the ILS", a.name, a.Kind, a.Item, a.Patron, a.ID, a.State)
		}
	}
}

// unseen: a renewal brought the due date that the kiosk had already, from a
// loan that has ended elsewhere since. Nobody was promised anything, and the
// ledger has the right date.
func unseen(a *account) bool {
	return a.Kind == kiosk.Renew && a.Due.IsZero() && !a.WasDue.IsZero() && a.took[0].Due.Truncate(24*time.Hour).Equal(a.WasDue.Truncate(24*time.Hour))
}

// unless fails, but for what can't be known from outside; that is counted.
func (w *world) unless(excused bool, as, format string, args ...any) {
	if excused {
		w.count("excused: " + as)
		w.note("judge", "excused, "+as+": "+format, args...)
		return
	}
	w.fail(format, args...)
}

// undone tells whether somebody else has undone at the ILS what an entry did
// there, before a time: then it looks as if it had never arrived. What is
// lent is undone by a return, and what is returned by another loan, which on
// the same day is due on the same day; a renewal by anything.
func (w *world) undone(a *account, before time.Time) bool {
	return slices.ContainsFunc(w.effects, func(f effect) bool {
		if f.Item != a.Item || f.by == a.name || f.Did == upstreamtest.DidRefuse || f.at.Before(a.took[0].at) || f.at.After(before) {
			return false
		}
		switch a.Kind {
		case kiosk.Checkout:
			return f.Did == upstreamtest.DidCheckin
		case kiosk.Checkin:
			return f.Did == upstreamtest.DidCheckout
		}
		return true
	})
}

// stood tells whether what an entry says was so at the ILS by itself, at a
// moment between its record and its end: it had the book out to the patron, or
// to nobody, or for as long as was promised.
func (w *world) stood(a *account) bool {
	was, from := w.first(a.Item), time.Time{}
	fits := func(to time.Time) bool {
		if to.Before(a.life.recorded) || from.After(a.life.last) {
			return false
		}
		switch a.Kind {
		case kiosk.Checkin:
			return was.Patron == "" || was.Patron != a.Patron && a.Patron != ""
		case kiosk.Renew:
			return was.Patron == a.Patron && (a.State == kiosk.Differs || !was.Due.Before(a.Due.Truncate(24*time.Hour)))
		}
		return was.Patron == a.Patron
	}
	for _, f := range w.effects {
		if f.Item != a.Item || f.Did == upstreamtest.DidRefuse {
			continue
		}
		if fits(f.at) {
			return true
		}
		from = f.at
		if was = (kiosk.Loan{Item: f.Item, Patron: f.Patron, Due: f.Due}); f.Did == upstreamtest.DidCheckin {
			was.Patron = ""
		}
	}
	return fits(a.life.last)
}

// first is the loan that an item began with.
func (w *world) first(b kiosk.Barcode) kiosk.Loan {
	for _, l := range w.loans {
		if l.Item == b {
			return l
		}
	}
	return kiosk.Loan{Item: b}
}

// renewed: no checkout became a renewal. That the desk has asked for what
// somebody else had lent to the patron already, or what is with staff, is the
// ILS's to answer; what is told after the promise, has been looked up before.
func (w *world) renewed(a *account, by map[kiosk.ID]*account) {
	if a.Kind != kiosk.Checkout {
		return
	}
	for _, f := range a.took {
		if f.Did != upstreamtest.DidRenewal {
			continue
		}
		made := w.loanBefore(f)
		elsewhere, maker := made.by != a.name, by[made.entry]
		switch {
		case elsewhere && f.asked:
			w.count("excused: lent elsewhere already")
		case elsewhere && made.at.After(f.looked) && f.looked.After(a.life.recorded):
			w.count("excused: lent elsewhere since the look")
		case a.State == kiosk.Exception:
			w.count("excused: with staff")
		case maker != nil && maker.State == kiosk.Exception && f.asked:
			w.count("excused: an exception before")
		default:
			w.fail("%s: checkout of %s for %s (entry %s, %s) became a renewal of a loan by %s %s", a.name, a.Item, a.Patron, a.ID, a.State, made.by, made.entry)
		}
	}
}

// ordered: what a kiosk has told of an item took effect in the order in which
// it happened. A question that was not answered, and that the kiosk said no to
// itself, is with staff; until it arrives, the next one may have been asked.
func (w *world) ordered(s *station, by map[kiosk.ID]*account) {
	last := map[kiosk.Barcode]*account{}
	for _, f := range w.effects {
		a := by[f.entry]
		if f.by != s.name || a == nil || f.Did == upstreamtest.DidRefuse {
			continue
		}
		if b := last[f.Item]; b != nil && b.n > a.n {
			w.unless(a.State == kiosk.Exception, "late, and with staff", "%s: %s of %s (entry %s) took effect after %s (entry %s), which happened later", s.name, a.Kind, a.Item, a.ID, b.Kind, b.ID)
		}
		last[f.Item] = a
	}
}

// clocksDiffer is by how much a date may be off that counts as right.
const clocksDiffer = 5*time.Minute + 10*time.Second

// dated: no entry is dated before an earlier one of its ledger, and each as it
// was, or it is marked. A clock that somebody sets while the kiosk runs is
// believed, see [kiosk.Clock]: that may be wrong.
func (w *world) dated(s *station) {
	var last kiosk.Entry
	for _, e := range s.disk.mem.Entries() {
		truly := s.disk.lives[e.ID].recorded
		if off := e.At.Sub(truly); off.Abs() > clocksDiffer && !e.Doubt {
			excused, as := s.misled(truly), "clock set wrong while it ran"
			if s.cutShort(truly) {
				excused, as = true, "nothing had confirmed the clock before the power was cut"
			}
			w.unless(excused, as,
				"%s: entry %s is dated %s, %v from the truth, and is not marked", s.name, e.ID, stamp(e.At), off)
		}
		if e.At.Before(last.At) {
			w.fail("%s: entry %s is dated %s, and %s before it %s", s.name, e.ID, stamp(e.At), last.ID, stamp(last.At))
		}
		last = e
	}
}

// empty: everything was told, or is an exception.
func (w *world) empty(s *station) {
	q, err := s.disk.mem.Queue(context.Background(), 1<<20)
	if err != nil {
		w.fail("%s: %v", s.name, err)
	}
	for _, e := range q {
		w.fail("%s: %s of %s (entry %s) is still %s after %v of peace", s.name, e.Kind, e.Item, e.ID, e.State, patience)
	}
}

// blamed: the ILS has out what is out, and to whom.
func (w *world) blamed(all []*account) {
	for _, b := range w.books {
		_, _, who, _ := w.ils.Item(b.Barcode)
		fits := who == b.who
		switch b.place {
		case shelf:
			fits = who == ""
		case limbo:
			fits = who == "" || who == b.who || b.who == anybody
		}
		if fits {
			continue
		}
		if open(all, b.Barcode) {
			w.count("left to staff")
			continue
		}
		excused, as := w.crossed(all, b.Barcode), "crossed"
		if w.another(b.Barcode) {
			excused, as = true, lentBefore
		}
		w.unless(excused, as, "%s is %s %s, and the ILS has it out to %q", b.Barcode, b.place, b.who, who)
	}
}

// open tells whether staff has an exception of an item to look at.
func open(all []*account, b kiosk.Barcode) bool {
	return slices.ContainsFunc(all, func(a *account) bool { return a.Item == b && a.State == kiosk.Exception })
}

// crossed tells whether an item was at two places of the library while one of
// them had not told the ILS yet: what the later one did, was done to a book of
// which the ILS did not know the truth, and no kiosk can know that.
func (w *world) crossed(all []*account, b kiosk.Barcode) bool {
	type act struct {
		by       string
		at, done time.Time
	}
	var acts []act
	for _, a := range all {
		if a.Item == b {
			done := a.life.last
			if len(a.took) > 0 {
				done = a.took[len(a.took)-1].at
			}
			acts = append(acts, act{a.name, a.life.recorded, done})
		}
	}
	for _, f := range w.effects {
		if f.Item == b && f.by == "staff" {
			acts = append(acts, act{f.by, f.at, f.at})
		}
	}
	slices.SortFunc(acts, func(a, b act) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.by, b.by)) })
	for i, a := range acts {
		for _, later := range acts[i+1:] {
			if later.by != a.by && later.at.Before(a.done) {
				return true
			}
		}
	}
	return false
}
