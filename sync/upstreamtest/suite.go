package upstreamtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// patience is the longest wait for an answer that must come.
const patience = 10 * time.Second

// impatience is how long the suite waits for an answer that does not come.
const impatience = 300 * time.Millisecond

// Test holds a kiosk.Upstream to its contract. open starts whatever stands
// between ils and the upstream, sets ils.Away, ends everything in t.Cleanup,
// and gives the upstream.
func Test(t *testing.T, open func(t *testing.T, ils *ILS) kiosk.Upstream) {
	for name, test := range map[string]func(*suite){
		"Identify":     (*suite).identify,
		"PIN":          (*suite).pin,
		"Blocked":      (*suite).blocked,
		"Lend":         (*suite).lend,
		"Again":        (*suite).again,
		"Renew":        (*suite).renew,
		"Return":       (*suite).takeBack,
		"Refusals":     (*suite).refusals,
		"Happened":     (*suite).happened,
		"Look":         (*suite).look,
		"Away":         (*suite).away,
		"LostAnswer":   (*suite).lostAnswer,
		"LateAnswer":   (*suite).lateAnswer,
		"Concurrently": (*suite).concurrently,
		"Time":         (*suite).time,
		"Account":      (*suite).account,
		"Hold":         (*suite).hold,
	} {
		t.Run(name, func(t *testing.T) {
			s := &suite{T: t, ils: Sample(time.Now())}
			s.up = open(t, s.ils)
			test(s)
		})
	}
}

// Sample is the library that Test lends from: three patrons who may borrow
// (C1 with PIN 1234, C2, C3), some who may not, and items B1 to B9 of which
// each from B4 on has something about it.
func Sample(now time.Time) *ILS {
	s := New(Rules{MaxLoans: 3})
	s.AddPatron(kiosk.Patron{Card: "C1", FamilyName: "Lin", FirstName: "Ada"}, "1234")
	s.AddPatron(kiosk.Patron{Card: "C2", FamilyName: "Müller", FirstName: "Zoë"}, "")
	s.AddPatron(kiosk.Patron{Card: "C3", FamilyName: "Ng", FirstName: "Bo"}, "")
	s.AddPatron(kiosk.Patron{Card: "BARRED", Blocked: kiosk.ReasonCardBlocked, BlockText: "Patron debarred"}, "")
	s.AddPatron(kiosk.Patron{Card: "EXPIRED", Expires: now.AddDate(-1, 0, 0)}, "")
	s.AddPatron(kiosk.Patron{Card: "OWES"}, "")
	s.AddItems(
		kiosk.Item{Barcode: "B1", Title: "The one"}, kiosk.Item{Barcode: "B2", Title: "Le deuxième"},
		kiosk.Item{Barcode: "B3", Title: "Война и мир"}, kiosk.Item{Barcode: "B4", Title: "Out to C2"},
		kiosk.Item{Barcode: "B5", Title: "Held for C2"}, kiosk.Item{Barcode: "B6", Title: "Atlas", Reference: true},
		kiosk.Item{Barcode: "B7", Title: "Out to C3 and wanted"}, kiosk.Item{Barcode: "B8", Title: "C3's second"},
		kiosk.Item{Barcode: "B9", Title: "C3's third"},
	)
	errs := []error{
		s.SetOwed("OWES", 2500),
		s.AddLoan(kiosk.Loan{Item: "B4", Patron: "C2", At: now.AddDate(0, 0, -7), Due: now.AddDate(0, 0, 7)}),
		s.AddHold("B5", "C2"),
		s.AddLoan(kiosk.Loan{Item: "B7", Patron: "C3", At: now.AddDate(0, 0, -3), Due: now.AddDate(0, 0, 11)}),
		s.AddLoan(kiosk.Loan{Item: "B8", Patron: "C3", At: now.AddDate(0, 0, -2), Due: now.AddDate(0, 0, 12)}),
		s.AddLoan(kiosk.Loan{Item: "B9", Patron: "C3", At: now.AddDate(0, 0, -1), Due: now.AddDate(0, 0, 13)}),
		s.AddHold("B7", "C1"),
	}
	if err := errors.Join(errs...); err != nil {
		panic(err)
	}
	return s
}

type suite struct {
	*testing.T
	ils *ILS
	up  kiosk.Upstream
	n   int
}

func (s *suite) ctx(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(s.Context(), d)
	s.Cleanup(cancel)
	return ctx
}

// entry is a question of the desk that happens now.
func (s *suite) entry(k kiosk.Kind, b kiosk.Barcode, c kiosk.Card) kiosk.Entry {
	s.n++
	return kiosk.Entry{ID: kiosk.ID(string(rune('a' + s.n))), Kind: k, Item: b, Patron: c,
		At: time.Now().Truncate(time.Second), State: kiosk.Asked}
}

func (s *suite) tell(e kiosk.Entry) kiosk.Answer {
	s.Helper()
	a, err := s.up.Tell(s.ctx(patience), e)
	if err != nil {
		s.Fatalf("Tell(%s of %s for %s): %v", e.Kind, e.Item, e.Patron, err)
	}
	return a
}

func (s *suite) standing(b kiosk.Barcode, c kiosk.Card) kiosk.Standing {
	s.Helper()
	st, err := s.up.Look(s.ctx(patience), b, c)
	if err != nil {
		s.Fatalf("Look(%s, %s): %v", b, c, err)
	}
	return st
}

// did asserts the whole history but for what was refused.
func (s *suite) did(want ...Did) {
	s.Helper()
	var got []Did
	for _, f := range s.ils.History() {
		if f.Did != DidRefuse {
			got = append(got, f.Did)
		}
	}
	if len(got) != len(want) {
		s.Fatalf("the ILS did %v; want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			s.Fatalf("the ILS did %v; want %v", got, want)
		}
	}
}

// fails asserts the class of an error, and that it is one of ours.
func (s *suite) fails(what string, err error, code kiosk.Code) *kiosk.Error {
	s.Helper()
	e, ok := errors.AsType[*kiosk.Error](err)
	if !ok || e.Code != code {
		s.Fatalf("%s = %v; want a kiosk.Error of class %s", what, err, code)
	}
	return e
}

func (s *suite) identify() {
	p, err := s.up.Identify(s.ctx(patience), "C2", "")
	if err != nil || p.Card != "C2" || p.Blocked != "" || p.PINChecked || p.Local {
		s.Errorf("Identify(C2) = %+v, %v; want C2, not blocked, no PIN checked", p, err)
	}
	if p.FamilyName == "" && p.FirstName == "" {
		s.Error("Identify(C2) gives no name")
	}
	_, err = s.up.Identify(s.ctx(patience), "NOBODY", "")
	if e := s.fails("Identify(NOBODY)", err, kiosk.CodeRefused); e.Reason != kiosk.ReasonUnknownCard {
		s.Errorf("Identify(NOBODY) is refused for %q; want %q", e.Reason, kiosk.ReasonUnknownCard)
	}
	s.did()
}

func (s *suite) pin() {
	if p, err := s.up.Identify(s.ctx(patience), "C1", "1234"); err != nil || !p.PINChecked {
		s.Errorf("Identify with the right PIN = %+v, %v; want it checked", p, err)
	}
	_, err := s.up.Identify(s.ctx(patience), "C1", "4321")
	if e := s.fails("Identify with a wrong PIN", err, kiosk.CodeRefused); e.Reason != kiosk.ReasonWrongPIN {
		s.Errorf("a wrong PIN is refused for %q; want %q", e.Reason, kiosk.ReasonWrongPIN)
	}
}

func (s *suite) blocked() {
	for _, card := range []kiosk.Card{"BARRED", "EXPIRED", "OWES"} {
		p, err := s.up.Identify(s.ctx(patience), card, "")
		if err != nil || p.Blocked == "" {
			s.Errorf("Identify(%s) = %+v, %v; want Blocked and no error", card, p, err)
		}
		_, err = s.up.Tell(s.ctx(patience), s.entry(kiosk.Checkout, "B1", card))
		if e := s.fails("checkout by "+string(card), err, kiosk.CodeRefused); e.Reason == "" || e.Text == "" {
			s.Errorf("checkout by %s is refused with %+v; want a reason and the ILS's words", card, e)
		}
	}
	s.did()
}

func (s *suite) lend() {
	e := s.entry(kiosk.Checkout, "B2", "C1")
	a := s.tell(e)
	if a.Renewed || a.Due.Before(time.Now().AddDate(0, 0, 12)) || a.Title != "Le deuxième" {
		s.Errorf("Tell(checkout) = %+v; want no renewal, due in 14 days, with its title", a)
	}
	s.did(DidCheckout)
	f := s.ils.History()[0]
	if f.Item != "B2" || f.Patron != "C1" || f.NoBlock || f.When.Sub(e.At).Abs() > 5*time.Second || !f.Due.Equal(a.Due) {
		s.Errorf("the ILS was told %+v; want what %+v says, and due %v", f, e, a.Due)
	}
}

// again: no server knows a repeated checkout, so the upstream must tell.
func (s *suite) again() {
	s.tell(s.entry(kiosk.Checkout, "B1", "C1"))
	if a := s.tell(s.entry(kiosk.Checkout, "B1", "C1")); !a.Renewed {
		s.Errorf("a second checkout by the same patron = %+v; want Renewed", a)
	}
	s.did(DidCheckout, DidRenewal)
}

func (s *suite) renew() {
	was := s.standing("B4", "C2").Due
	a := s.tell(s.entry(kiosk.Renew, "B4", "C2"))
	if !a.Due.After(was) {
		s.Errorf("renewed until %v; was due %v", a.Due, was)
	}
	s.tell(s.entry(kiosk.Renew, "B4", "C2"))
	_, err := s.up.Tell(s.ctx(patience), s.entry(kiosk.Renew, "B4", "C2"))
	if e := s.fails("a third renewal", err, kiosk.CodeRefused); e.Reason != kiosk.ReasonNoRenewal {
		s.Errorf("a third renewal is refused for %q; want %q", e.Reason, kiosk.ReasonNoRenewal)
	}
	s.did(DidRenewal, DidRenewal)
}

func (s *suite) takeBack() {
	if a := s.tell(s.entry(kiosk.Checkin, "B4", "C2")); a.Alert {
		s.Errorf("a plain return = %+v; want no alert", a)
	}
	if a := s.tell(s.entry(kiosk.Checkin, "B7", "")); !a.Alert {
		s.Errorf("the return of what is wanted = %+v; want an alert", a)
	}
	s.did(DidCheckin, DidCheckin)
	_, err := s.up.Tell(s.ctx(patience), s.entry(kiosk.Checkin, "B4", "C2"))
	if e := s.fails("a second return", err, kiosk.CodeRefused); e.Reason != kiosk.ReasonNotOnLoan {
		s.Errorf("a second return is refused for %q; want %q", e.Reason, kiosk.ReasonNotOnLoan)
	}
}

func (s *suite) refusals() {
	for _, tt := range []struct {
		kind kiosk.Kind
		item kiosk.Barcode
		card kiosk.Card
		want kiosk.Reason
	}{
		{kiosk.Checkout, "NOTHING", "C1", kiosk.ReasonUnknownItem},
		{kiosk.Checkout, "B1", "NOBODY", kiosk.ReasonUnknownCard},
		{kiosk.Checkout, "B4", "C1", kiosk.ReasonOnLoanOther},
		{kiosk.Checkout, "B5", "C1", kiosk.ReasonOnHold},
		{kiosk.Checkout, "B6", "C1", kiosk.ReasonNotForLoan},
		{kiosk.Checkout, "B1", "C3", kiosk.ReasonTooMany},
		{kiosk.Renew, "B1", "C1", kiosk.ReasonNotOnLoan},
		{kiosk.Renew, "B7", "C3", kiosk.ReasonOnHold},
		{kiosk.Checkin, "NOTHING", "", kiosk.ReasonUnknownItem},
	} {
		_, err := s.up.Tell(s.ctx(patience), s.entry(tt.kind, tt.item, tt.card))
		what := string(tt.kind) + " of " + string(tt.item) + " for " + string(tt.card)
		if e := s.fails(what, err, kiosk.CodeRefused); e.Reason != tt.want || e.Text == "" {
			s.Errorf("%s: refused for %q, in the words %q; want %q", what, e.Reason, e.Text, tt.want)
		}
	}
	s.did()
}

// happened: what was decided at the desk keeps its own times.
func (s *suite) happened() {
	e := s.entry(kiosk.Checkout, "B5", "C1") // on hold for C2: only as a question refused
	e.State = kiosk.Offline
	e.At = time.Now().AddDate(0, 0, -2).Truncate(time.Second)
	e.Due = time.Now().AddDate(0, 0, 5).Truncate(time.Second)
	s.tell(e)
	s.did(DidCheckout)
	f := s.ils.History()[0]
	if !f.NoBlock || !f.When.Equal(e.At) || !f.Due.Equal(e.Due) {
		s.Errorf("the ILS was told %+v; want no-block, happened %v, due %v", f, e.At, e.Due)
	}
	r := s.entry(kiosk.Checkin, "B4", "C2")
	r.State, r.At = kiosk.Unsure, time.Now().AddDate(0, 0, -1).Truncate(time.Second)
	s.tell(r)
	if f := s.ils.History()[1]; f.Did != DidCheckin || !f.When.Equal(r.At) {
		s.Errorf("the ILS was told %+v; want a return at %v", f, r.At)
	}
}

// since is when the loan of an item began; zero without one.
func (s *suite) since(b kiosk.Barcode) time.Time {
	for _, l := range s.ils.Loans() {
		if l.Item == b {
			return l.At
		}
	}
	return time.Time{}
}

func (s *suite) look() {
	for _, tt := range []struct {
		item   kiosk.Barcode
		card   kiosk.Card
		known  bool
		status kiosk.ItemStatus
		mine   kiosk.Tri
	}{
		{"B1", "C1", true, kiosk.StatusAvailable, kiosk.No},
		{"B4", "C2", true, kiosk.StatusOnLoan, kiosk.Yes},
		{"B4", "C1", true, kiosk.StatusOnLoan, kiosk.No},
		{"B4", "", true, kiosk.StatusOnLoan, kiosk.Unknown},
		{"B5", "C1", true, kiosk.StatusOnHold, kiosk.No},
		{"B8", "C3", true, kiosk.StatusOnLoan, kiosk.Yes},
	} {
		st := s.standing(tt.item, tt.card)
		if st.Known != tt.known || st.Status != tt.status || st.Mine != tt.mine {
			s.Errorf("Look(%s, %s) = %+v; want known %v, %q, mine %d", tt.item, tt.card, st, tt.known, tt.status, tt.mine)
		}
		if out := st.Status == kiosk.StatusOnLoan; out && st.Due.IsZero() {
			s.Errorf("Look(%s) = %+v; want its due date", tt.item, st)
		}
		if from, told := s.since(tt.item), !st.Since.IsZero(); told && !st.Since.Equal(from.Truncate(time.Second)) {
			s.Errorf("Look(%s) = %+v; want the loan to have begun at %v, or nothing said of that", tt.item, st, from)
		}
	}
	if st := s.standing("NOTHING", "C1"); st.Known || st.Mine == kiosk.Yes {
		s.Errorf("Look(NOTHING) = %+v; want it unknown", st)
	}
	s.did()
}

// away: what certainly did not reach the server is offline, and the upstream
// comes back by itself.
func (s *suite) away() {
	if s.ils.Away == nil {
		s.Fatal("open has not set ILS.Away")
	}
	if err := s.up.Probe(s.ctx(patience)); err != nil {
		s.Fatalf("Probe() = %v with the server there", err)
	}
	s.ils.Away(true)
	// The question on the connection that has just died may be unsure; from
	// the second on nothing can be sent.
	s.up.Probe(s.ctx(impatience))
	s.fails("Probe with the server away", s.up.Probe(s.ctx(impatience)), kiosk.CodeOffline)
	_, err := s.up.Identify(s.ctx(impatience), "C1", "")
	s.fails("Identify with the server away", err, kiosk.CodeOffline)
	_, err = s.up.Tell(s.ctx(impatience), s.entry(kiosk.Checkout, "B1", "C1"))
	s.fails("Tell with the server away", err, kiosk.CodeOffline)
	_, err = s.up.Look(s.ctx(impatience), "B1", "C1")
	s.fails("Look with the server away", err, kiosk.CodeOffline)
	s.ils.Away(false)
	if err := s.up.Probe(s.ctx(patience)); err != nil {
		s.Fatalf("Probe() = %v with the server back", err)
	}
	s.tell(s.entry(kiosk.Checkout, "B1", "C1"))
	s.did(DidCheckout)
}

// lostAnswer: what was sent and not answered is unsure, is not sent again by
// the upstream, and can be looked up.
func (s *suite) lostAnswer() {
	release := s.ils.Stall()
	defer release()
	_, err := s.up.Tell(s.ctx(impatience), s.entry(kiosk.Checkout, "B1", "C1"))
	s.fails("Tell without an answer", err, kiosk.CodeUnsure)
	if st := s.standing("B1", "C1"); st.Mine != kiosk.Yes {
		s.Errorf("Look after a lost answer = %+v; want it mine", st)
	}
	s.did(DidCheckout)
}

// lateAnswer: an answer that comes after its question was given up is not
// taken for that of the next.
func (s *suite) lateAnswer() {
	release := s.ils.Stall()
	defer release()
	_, err := s.up.Tell(s.ctx(impatience), s.entry(kiosk.Checkout, "B1", "C1"))
	s.fails("Tell without an answer", err, kiosk.CodeUnsure)
	release()
	a := s.tell(s.entry(kiosk.Checkout, "B2", "C1"))
	if a.Title != "Le deuxième" || a.Renewed {
		s.Errorf("the checkout of B2 was answered %+v", a)
	}
	if st := s.standing("B3", "C1"); st.Title != "Война и мир" || st.Status != kiosk.StatusAvailable {
		s.Errorf("Look(B3) = %+v", st)
	}
	_, err = s.up.Tell(s.ctx(patience), s.entry(kiosk.Checkout, "B4", "C1"))
	s.fails("the checkout of B4", err, kiosk.CodeRefused)
	s.did(DidCheckout, DidCheckout)
}

// concurrently: several goroutines each get their own answer.
func (s *suite) concurrently() {
	want := map[kiosk.Barcode]string{"B1": "The one", "B2": "Le deuxième", "B3": "Война и мир", "B6": "Atlas"}
	errs := make(chan error)
	for b, title := range want {
		go func() {
			for range 20 {
				st, err := s.up.Look(s.ctx(patience), b, "C1")
				if err == nil && st.Title != title {
					err = errors.New(string(b) + " is called " + st.Title)
				}
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range want {
		if err := <-errs; err != nil {
			s.Error(err)
		}
	}
}
