package outbox

import (
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var (
	was      = time.Date(2026, time.March, 10, 23, 59, 59, 0, time.UTC)
	promised = time.Date(2026, time.March, 31, 23, 59, 59, 0, time.UTC)
	less     = time.Date(2026, time.March, 24, 23, 59, 0, 0, time.UTC)
)

// standings are what an ILS can say of an item, as far as it matters.
var (
	unknown  = kiosk.Standing{}
	shelf    = kiosk.Standing{Known: true, Status: kiosk.StatusAvailable, Mine: kiosk.No}
	shelfWho = kiosk.Standing{Known: true, Status: kiosk.StatusAvailable} // Mine not told
	held     = kiosk.Standing{Known: true, Status: kiosk.StatusOnHold, Mine: kiosk.No}
	transit  = kiosk.Standing{Known: true, Status: kiosk.StatusInTransit}
	lost     = kiosk.Standing{Known: true, Status: kiosk.StatusLost, Mine: kiosk.No}
	lostWho  = kiosk.Standing{Known: true, Status: kiosk.StatusLost}
	lostMine = kiosk.Standing{Known: true, Status: kiosk.StatusLost, Mine: kiosk.Yes, Due: promised}
	mine     = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes, Due: promised}
	mineLess = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes, Due: less}
	mineWas  = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes, Due: was.Truncate(24 * time.Hour)}
	mineWhen = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes}
	others   = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.No, Due: less}
	outSince = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Due: promised}
	out      = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Due: less}
)

func TestDecide(t *testing.T) {
	const no = kiosk.Reason("")
	type row struct {
		name   string
		st     kiosk.Standing
		do     Action
		reason kiosk.Reason
	}
	for _, tt := range []struct {
		name  string
		entry kiosk.Entry
		rows  []row
	}{
		{"promised checkout", kiosk.Entry{Kind: kiosk.Checkout, Due: promised}, []row{
			{"unknown", unknown, Except, kiosk.ReasonUnknownItem},
			{"shelf", shelf, Send, no}, {"shelf, who not told", shelfWho, Send, no},
			{"held", held, Send, no}, {"transit", transit, Send, no},
			{"lost", lost, Send, no}, {"lost, who not told", lostWho, Except, kiosk.ReasonAskStaff},
			{"lost but mine", lostMine, Settle, no},
			{"mine", mine, Settle, no}, {"mine, less", mineLess, Settle, no}, {"mine, when not told", mineWhen, Settle, no},
			{"another's", others, Except, kiosk.ReasonOnLoanOther},
			{"out, who not told", out, Except, kiosk.ReasonAskStaff},
		}},
		{"interrupted checkout", kiosk.Entry{Kind: kiosk.Checkout}, []row{
			{"unknown", unknown, Dismiss, no},
			{"shelf", shelf, Dismiss, no}, {"shelf, who not told", shelfWho, Dismiss, no},
			{"held", held, Dismiss, no}, {"transit", transit, Dismiss, no},
			{"lost", lost, Dismiss, no}, {"lost, who not told", lostWho, Except, kiosk.ReasonAskStaff},
			{"lost but mine", lostMine, Settle, no},
			{"mine", mine, Settle, no}, {"mine, less", mineLess, Settle, no}, {"mine, when not told", mineWhen, Settle, no},
			{"another's", others, Dismiss, no},
			{"out, who not told", out, Except, kiosk.ReasonAskStaff},
		}},
		{"checkin", kiosk.Entry{Kind: kiosk.Checkin}, []row{
			{"unknown", unknown, Except, kiosk.ReasonUnknownItem},
			{"shelf", shelf, Settle, no}, {"shelf, who not told", shelfWho, Settle, no},
			{"held", held, Settle, no}, {"transit", transit, Settle, no},
			{"lost", lost, Settle, no}, {"lost, who not told", lostWho, Send, no},
			{"lost but mine", lostMine, Send, no},
			{"mine", mine, Send, no}, {"mine, when not told", mineWhen, Send, no},
			{"another's", others, Except, kiosk.ReasonOnLoanOther},
			{"out, who not told", out, Except, kiosk.ReasonAskStaff},
		}},
		{"checkin of a loan that was looked up before", kiosk.Entry{Kind: kiosk.Checkin, Due: less}, []row{
			{"shelf, who not told", shelfWho, Settle, no}, {"another's", others, Except, kiosk.ReasonOnLoanOther},
			{"out, who not told, the same loan", out, Send, no}, {"out, who not told, another loan", outSince, Except, kiosk.ReasonAskStaff},
		}},
		{"promised renewal", kiosk.Entry{Kind: kiosk.Renew, Due: promised, WasDue: was}, []row{
			{"unknown", unknown, Except, kiosk.ReasonUnknownItem},
			{"shelf", shelf, Except, kiosk.ReasonNotOnLoan}, {"shelf, who not told", shelfWho, Except, kiosk.ReasonNotOnLoan},
			{"held", held, Except, kiosk.ReasonNotOnLoan}, {"transit", transit, Except, kiosk.ReasonNotOnLoan},
			{"lost", lost, Except, kiosk.ReasonNotOnLoan}, {"lost, who not told", lostWho, Except, kiosk.ReasonNotOnLoan},
			{"lost but mine", lostMine, Settle, no},
			{"as promised", mine, Settle, no}, {"longer, but less", mineLess, Settle, no},
			{"as it was", mineWas, Send, no}, {"when not told", mineWhen, Except, kiosk.ReasonAskStaff},
			{"another's", others, Except, kiosk.ReasonOnLoanOther},
			{"out, who not told", out, Except, kiosk.ReasonAskStaff},
		}},
		{"promised renewal of what was due nobody knows when", kiosk.Entry{Kind: kiosk.Renew, Due: promised}, []row{
			{"as promised", mine, Settle, no},
			{"less", mineLess, Except, kiosk.ReasonAskStaff}, {"when not told", mineWhen, Except, kiosk.ReasonAskStaff},
		}},
		{"interrupted renewal", kiosk.Entry{Kind: kiosk.Renew, WasDue: was}, []row{
			{"unknown", unknown, Dismiss, no},
			{"shelf", shelf, Dismiss, no}, {"held", held, Dismiss, no}, {"lost", lost, Dismiss, no},
			{"longer", mine, Settle, no}, {"a little longer", mineLess, Settle, no},
			{"as it was", mineWas, Dismiss, no}, {"when not told", mineWhen, Dismiss, no},
			{"another's", others, Dismiss, no}, {"out, who not told", out, Dismiss, no},
		}},
		{"interrupted renewal of what was due nobody knows when", kiosk.Entry{Kind: kiosk.Renew}, []row{
			{"mine", mine, Dismiss, no},
		}},
	} {
		for _, r := range tt.rows {
			e := tt.entry
			e.State = kiosk.Unsure
			v := Decide(kiosk.Queued{Entry: e}, r.st)
			if v.Do != r.do || v.Reason != r.reason {
				t.Errorf("unsure %s, %s: Decide() = %s %q; want %s %q", tt.name, r.name, v.Do, v.Reason, r.do, r.reason)
			}
			if v.Do == Settle && e.Kind != kiosk.Checkin && !v.Due.Equal(r.st.Due) {
				t.Errorf("unsure %s, %s: due %v; want the ILS's %v", tt.name, r.name, v.Due, r.st.Due)
			}
			if v.Do == Except && v.Text == "" {
				t.Errorf("unsure %s, %s: an exception without a word for staff", tt.name, r.name)
			}
			// What was never heard of is told, whatever the item looks like;
			// what is the desk's or is over is left alone.
			for s, want := range map[kiosk.State]Action{
				kiosk.Offline: Send, kiosk.Asked: Wait, kiosk.Granted: Wait, kiosk.Denied: Wait,
				kiosk.Settled: Wait, kiosk.Exception: Wait, kiosk.Dismissed: Wait,
			} {
				e.State = s
				if s == kiosk.Offline && e.Kind == kiosk.Checkin {
					continue // TestDecideFirstCheckin
				}
				if v := Decide(kiosk.Queued{Entry: e}, r.st); v.Do != want {
					t.Errorf("%s %s, %s: Decide() = %s; want %s", s, tt.name, r.name, v.Do, want)
				}
			}
		}
	}
}

// TestDecideFirstCheckin: a return that the ILS has not heard of is told, but
// ends nobody else's loan.
func TestDecideFirstCheckin(t *testing.T) {
	for _, tt := range []struct {
		st     kiosk.Standing
		do     Action
		reason kiosk.Reason
	}{
		{unknown, Except, kiosk.ReasonUnknownItem}, {shelf, Send, ""}, {shelfWho, Send, ""}, {held, Send, ""}, {transit, Send, ""},
		{lost, Send, ""}, {lostWho, Send, ""}, {lostMine, Send, ""}, {mine, Send, ""}, {out, Send, ""},
		{others, Except, kiosk.ReasonOnLoanOther},
	} {
		q := kiosk.Queued{Entry: kiosk.Entry{Kind: kiosk.Checkin, State: kiosk.Offline}}
		if v := Decide(q, tt.st); v.Do != tt.do || v.Reason != tt.reason || !Looks(q) {
			t.Errorf("a first return, %+v: Decide() = %s %q, Looks() = %v; want %s %q", tt.st, v.Do, v.Reason, Looks(q), tt.do, tt.reason)
		}
	}
}

// TestDecideAgain: a checkout that repeats one is decided as if it had been
// told; a renewal repeats nothing.
func TestDecideAgain(t *testing.T) {
	for _, tt := range []struct {
		st     kiosk.Standing
		do     Action
		reason kiosk.Reason
	}{
		{unknown, Except, kiosk.ReasonUnknownItem}, {shelf, Send, ""}, {shelfWho, Send, ""}, {held, Send, ""},
		{mine, Settle, ""}, {mineLess, Settle, ""}, {mineWhen, Settle, ""}, {lostMine, Settle, ""},
		{others, Except, kiosk.ReasonOnLoanOther}, {out, Except, kiosk.ReasonAskStaff},
	} {
		q := kiosk.Queued{Entry: kiosk.Entry{Kind: kiosk.Checkout, State: kiosk.Offline, Due: promised}, Again: true}
		if v := Decide(q, tt.st); v.Do != tt.do || v.Reason != tt.reason || !Looks(q) {
			t.Errorf("checkout again, %+v: Decide() = %s %q, Looks() = %v; want %s %q", tt.st, v.Do, v.Reason, Looks(q), tt.do, tt.reason)
		}
		for _, k := range []kiosk.Kind{kiosk.Renew} {
			q.Kind = k
			if v := Decide(q, tt.st); v.Do != Send || Looks(q) {
				t.Errorf("%s again, %+v: Decide() = %s, Looks() = %v; want it told", k, tt.st, v.Do, Looks(q))
			}
		}
		q.Kind, q.Again = kiosk.Checkout, false
		if Looks(q) {
			t.Error("a first checkout is looked up")
		}
	}
}

// TestAnotherDueDate: staff are told of another day, not of another minute.
func TestAnotherDueDate(t *testing.T) {
	e := kiosk.Entry{Kind: kiosk.Checkout, State: kiosk.Unsure, Due: promised}
	if v := Decide(kiosk.Queued{Entry: e}, mineLess); v.Text != "promised until 2026-03-31, due 2026-03-24 by the ILS" {
		t.Errorf("a week less is noted as %q", v.Text)
	}
	near := mine
	near.Due = promised.Add(-59 * time.Second)
	if v := Decide(kiosk.Queued{Entry: e}, near); v.Text != "" || !v.Due.Equal(near.Due) {
		t.Errorf("59 seconds less: %+v; want the ILS's time and no word", v)
	}
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Second, 1: 2 * time.Second, 8: 256 * time.Second, 9: lastRetry, 1000: lastRetry} {
		seen := map[time.Duration]bool{}
		for range 100 {
			d := New(nil, nil, Config{}).backoff(firstRetry, lastRetry, n)
			if d < want/2 || d >= want {
				t.Fatalf("try %d waits %v; want %v to %v", n, d, want/2, want)
			}
			seen[d] = true
		}
		if len(seen) < 50 {
			t.Errorf("try %d: 100 kiosks wait %d different times; want them apart", n, len(seen))
		}
	}
}
