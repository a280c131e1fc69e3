package outbox

import (
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var (
	then     = time.Date(2026, time.March, 10, 14, 0, 0, 0, time.UTC) // when it happened
	was      = time.Date(2026, time.March, 10, 23, 59, 59, 0, time.UTC)
	promised = time.Date(2026, time.March, 31, 23, 59, 59, 0, time.UTC)
	less     = time.Date(2026, time.March, 24, 23, 59, 0, 0, time.UTC)
	more     = time.Date(2026, time.April, 2, 23, 59, 0, 0, time.UTC)
)

// What an ILS can say of an item, as far as it matters.
var (
	noItem        = kiosk.Standing{}
	onShelf       = kiosk.Standing{Known: true, Status: kiosk.StatusAvailable, Mine: kiosk.No}
	onShelfWho    = kiosk.Standing{Known: true, Status: kiosk.StatusAvailable} // Mine not told
	onHold        = kiosk.Standing{Known: true, Status: kiosk.StatusOnHold, Mine: kiosk.No}
	inTransit     = kiosk.Standing{Known: true, Status: kiosk.StatusInTransit}
	isWithdrawn   = kiosk.Standing{Known: true, Status: kiosk.StatusWithdrawn, Mine: kiosk.No}
	isLost        = kiosk.Standing{Known: true, Status: kiosk.StatusLost, Mine: kiosk.No}
	isLostWho     = kiosk.Standing{Known: true, Status: kiosk.StatusLost}
	isLostMine    = kiosk.Standing{Known: true, Status: kiosk.StatusLost, Mine: kiosk.Yes, Due: promised}
	isOther       = kiosk.Standing{Known: true, Status: kiosk.StatusOther} // of an ILS that can't be asked of items, too
	isMine        = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes, Due: promised}
	isMineLess    = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes, Due: less}
	isMineMore    = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes, Due: more}
	isMineWas     = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes, Due: was.Truncate(24 * time.Hour)}
	isMineWhen    = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes}
	isOthers      = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.No, Due: less}
	isOthersSince = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.No, Due: less, Since: then.Add(10 * time.Minute)}
	isOthersNow   = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.No, Due: less, Since: then.Add(time.Minute)}
	isMineSince   = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes, Due: promised, Since: then.Add(time.Hour)}
	isMineFrom    = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes, Due: promised, Since: then.Add(-time.Hour)}
	isOthersFrom  = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.No, Due: less, Since: then.Add(-10 * time.Minute)}
	isOutSince    = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Due: promised}
	isOut         = kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Due: less}
)

func TestDecide(t *testing.T) {
	const (
		no      = kiosk.Reason("")
		unknown = kiosk.ReasonUnknownItem
		another = kiosk.ReasonOnLoanOther
		ask     = kiosk.ReasonAskStaff
		notOut  = kiosk.ReasonNotOnLoan
		due     = kiosk.ReasonDueEarlier
		clock   = kiosk.ReasonClock
	)
	type row struct {
		name  string
		st    kiosk.Standing
		never Action // the ILS has certainly not heard of it
		why   kiosk.Reason
		maybe Action // it may have
		whyM  kiosk.Reason
	}
	for _, tt := range []struct {
		name      string
		entry     kiosk.Entry
		meanwhile Meanwhile
		rows      []row
	}{
		{"checkout", kiosk.Entry{Kind: kiosk.Checkout, Due: promised}, Meanwhile{}, []row{
			{"unknown", noItem, Except, unknown, Except, unknown},
			{"shelf", onShelf, Send, no, Send, no},
			{"shelf, who not told", onShelfWho, Send, no, Send, no},
			{"held", onHold, Send, no, Send, no},
			{"transit", inTransit, Send, no, Send, no},
			{"withdrawn", isWithdrawn, Send, no, Send, no},
			{"lost", isLost, Send, no, Send, no},
			{"lost, who not told", isLostWho, Send, no, Except, ask},
			{"other, who not told", isOther, Send, no, Except, ask},
			{"lost but mine", isLostMine, Settle, no, Settle, no},
			{"mine", isMine, Settle, no, Settle, no},
			{"mine, less", isMineLess, Differ, due, Differ, due},
			{"mine, more", isMineMore, Settle, no, Settle, no},
			{"mine, when not told", isMineWhen, Settle, no, Settle, no},
			{"another's", isOthers, Except, another, Except, another},
			{"another's since", isOthersSince, Except, another, Except, another},
			{"another's from before", isOthersFrom, Except, another, Except, another},
			{"out, who not told", isOut, Except, ask, Except, ask},
		}},
		{"checkout by a wrong clock", kiosk.Entry{Kind: kiosk.Checkout, Due: promised, Doubt: true}, Meanwhile{}, []row{
			{"shelf", onShelf, Except, clock, Except, clock},
			{"mine", isMine, Settle, no, Settle, no},
			{"another's", isOthers, Except, another, Except, another},
		}},
		{"interrupted checkout", kiosk.Entry{Kind: kiosk.Checkout}, Meanwhile{}, []row{
			{"unknown", noItem, Except, unknown, Dismiss, no},
			{"shelf", onShelf, Send, no, Dismiss, no},
			{"shelf, who not told", onShelfWho, Send, no, Dismiss, no},
			{"held", onHold, Send, no, Dismiss, no},
			{"transit", inTransit, Send, no, Dismiss, no},
			{"lost", isLost, Send, no, Dismiss, no},
			{"lost, who not told", isLostWho, Send, no, Except, ask},
			{"lost but mine", isLostMine, Settle, no, Settle, no},
			{"mine", isMine, Settle, no, Settle, no},
			{"mine, less", isMineLess, Settle, no, Settle, no},
			{"mine, when not told", isMineWhen, Settle, no, Settle, no},
			{"another's", isOthers, Except, another, Dismiss, no},
			{"out, who not told", isOut, Except, ask, Except, ask},
		}},
		{"interrupted checkout that can be undone", kiosk.Entry{Kind: kiosk.Checkout}, Meanwhile{Undoes: true}, []row{
			{"shelf", onShelf, Send, no, Dismiss, no},
			{"mine", isMine, Settle, no, Undo, no},
			{"mine, when not told", isMineWhen, Settle, no, Undo, no},
			{"mine from before", isMineFrom, Settle, no, Settle, no},
			{"lost but mine", isLostMine, Settle, no, Settle, no},
			{"another's", isOthers, Except, another, Dismiss, no},
		}},
		{"checkout that can be undone", kiosk.Entry{Kind: kiosk.Checkout, Due: promised}, Meanwhile{Undoes: true}, []row{
			{"mine", isMine, Settle, no, Settle, no}, // it was promised
		}},
		{"seen", kiosk.Entry{Kind: kiosk.Seen}, Meanwhile{Early: true}, []row{
			{"unknown", noItem, Except, unknown, Except, unknown},
			{"shelf", onShelf, Send, no, Send, no},
			{"held", onHold, Send, no, Send, no},
			{"lost", isLost, Send, no, Send, no},
			{"withdrawn", isWithdrawn, Send, no, Send, no},
			{"somebody's", isOthers, Except, another, Except, another},
			{"out, who not told", isOut, Except, another, Except, another},
		}},
		{"checkin", kiosk.Entry{Kind: kiosk.Checkin}, Meanwhile{}, []row{
			{"unknown", noItem, Except, unknown, Except, unknown},
			{"shelf", onShelf, Send, no, Settle, no},
			{"shelf, who not told", onShelfWho, Send, no, Settle, no},
			{"held", onHold, Send, no, Settle, no},
			{"transit", inTransit, Send, no, Settle, no},
			{"withdrawn", isWithdrawn, Send, no, Settle, no},
			{"lost", isLost, Send, no, Settle, no},
			{"lost, who not told", isLostWho, Send, no, Send, no},
			{"other, who not told", isOther, Send, no, Send, no},
			{"lost but mine", isLostMine, Send, no, Send, no},
			{"mine", isMine, Send, no, Send, no},
			{"mine, when not told", isMineWhen, Send, no, Send, no},
			{"another's", isOthers, Except, another, Except, another},
			{"another's since", isOthersSince, Settle, no, Settle, no},
			{"another's from before", isOthersFrom, Send, no, Send, no},
			{"another's since about then", isOthersNow, Except, another, Except, another},
			{"mine since", isMineSince, Send, no, Send, no}, // told late by this kiosk, perhaps
			{"mine from before", isMineFrom, Send, no, Send, no},
			{"out, who not told", isOut, Send, no, Except, ask},
		}},
		{"checkin by a wrong clock", kiosk.Entry{Kind: kiosk.Checkin, Doubt: true}, Meanwhile{}, []row{
			{"mine", isMine, Send, no, Send, no},
			{"another's since", isOthersSince, Except, another, Except, another},
			{"another's from before", isOthersFrom, Except, another, Except, another},
		}},
		{"checkin of a loan that was looked up before", kiosk.Entry{Kind: kiosk.Checkin, Due: less}, Meanwhile{}, []row{
			{"shelf, who not told", onShelfWho, Send, no, Settle, no},
			{"another's", isOthers, Except, another, Except, another},
			{"mine, the same loan", isMineLess, Send, no, Send, no},
			{"mine, another loan", isMine, Send, no, Except, ask},
			{"mine, another loan from before", isMineFrom, Send, no, Send, no},
			{"out, who not told, the same loan", isOut, Send, no, Send, no},
			{"out, who not told, another loan", isOutSince, Send, no, Except, ask},
		}},
		{"checkin, and the ILS is just back", kiosk.Entry{Kind: kiosk.Checkin}, Meanwhile{Early: true}, []row{
			{"shelf", onShelf, Defer, no, Settle, no},
			{"held", onHold, Defer, no, Settle, no},
			{"withdrawn", isWithdrawn, Send, no, Settle, no},
			{"mine", isMine, Send, no, Send, no},
			{"another's", isOthers, Except, another, Except, another},
			{"out, who not told", isOut, Send, no, Except, ask},
		}},
		{"checkin, and it was in when last looked up", kiosk.Entry{Kind: kiosk.Checkin}, Meanwhile{WasIn: true}, []row{
			{"shelf", onShelf, Send, no, Settle, no},
			{"mine", isMine, Except, another, Send, no},
			{"mine from before", isMineFrom, Send, no, Send, no},
			{"another's since", isOthersSince, Except, another, Settle, no},
			{"another's from before", isOthersFrom, Send, no, Send, no},
			{"out, who not told", isOut, Except, another, Except, ask},
		}},
		{"renewal", kiosk.Entry{Kind: kiosk.Renew, Due: promised, WasDue: was}, Meanwhile{}, []row{
			{"unknown", noItem, Except, unknown, Except, unknown},
			{"shelf", onShelf, Except, notOut, Except, notOut},
			{"shelf, who not told", onShelfWho, Except, notOut, Except, notOut},
			{"held", onHold, Except, notOut, Except, notOut},
			{"transit", inTransit, Except, notOut, Except, notOut},
			{"lost", isLost, Except, notOut, Except, notOut},
			{"lost, who not told", isLostWho, Send, no, Except, ask},
			{"other, who not told", isOther, Send, no, Except, ask},
			{"lost but mine", isLostMine, Settle, no, Settle, no},
			{"as promised", isMine, Settle, no, Settle, no},
			{"longer", isMineMore, Settle, no, Settle, no},
			{"longer, but less", isMineLess, Send, no, Differ, due},
			{"as it was", isMineWas, Send, no, Send, no},
			{"when not told", isMineWhen, Send, no, Except, ask},
			{"another's", isOthers, Except, another, Except, another},
			{"out, who not told", isOut, Send, no, Except, ask},
		}},
		{"renewal by a wrong clock", kiosk.Entry{Kind: kiosk.Renew, Due: promised, WasDue: was, Doubt: true}, Meanwhile{}, []row{
			{"as it was", isMineWas, Except, clock, Except, clock},
			{"as promised", isMine, Settle, no, Settle, no},
		}},
		{"renewal of what was due nobody knows when", kiosk.Entry{Kind: kiosk.Renew, Due: promised}, Meanwhile{}, []row{
			{"as promised", isMine, Settle, no, Settle, no},
			{"less", isMineLess, Send, no, Except, ask},
			{"when not told", isMineWhen, Send, no, Except, ask},
		}},
		{"interrupted renewal", kiosk.Entry{Kind: kiosk.Renew, WasDue: was}, Meanwhile{}, []row{
			{"unknown", noItem, Except, unknown, Dismiss, no},
			{"shelf", onShelf, Except, notOut, Dismiss, no},
			{"held", onHold, Except, notOut, Dismiss, no},
			{"lost", isLost, Except, notOut, Dismiss, no},
			{"longer", isMine, Send, no, Settle, no},
			{"a little longer", isMineLess, Send, no, Settle, no},
			{"as it was", isMineWas, Send, no, Dismiss, no},
			{"when not told", isMineWhen, Send, no, Dismiss, no},
			{"another's", isOthers, Except, another, Dismiss, no},
			{"out, who not told", isOut, Send, no, Dismiss, no},
		}},
		{"interrupted renewal of what was due nobody knows when", kiosk.Entry{Kind: kiosk.Renew}, Meanwhile{}, []row{
			{"mine", isMine, Send, no, Dismiss, no},
		}},
	} {
		for _, r := range tt.rows {
			for s, want := range map[kiosk.State]Verdict{
				kiosk.Offline: {Do: r.never, Reason: r.why}, kiosk.Unsure: {Do: r.maybe, Reason: r.whyM},
				// What is the desk's or is over is left alone.
				kiosk.Asked: {Do: Wait}, kiosk.Granted: {Do: Wait}, kiosk.Denied: {Do: Wait}, kiosk.Settled: {Do: Wait},
				kiosk.Exception: {Do: Wait}, kiosk.Differs: {Do: Wait}, kiosk.Dismissed: {Do: Wait},
			} {
				e := tt.entry
				e.At, e.State = then, s
				v := Decide(e, r.st, tt.meanwhile)
				if v.Do != want.Do || v.Reason != want.Reason {
					t.Errorf("%s %s, %s: Decide() = %s %q; want %s %q", s, tt.name, r.name, v.Do, v.Reason, want.Do, want.Reason)
				}
				if (v.Do == Settle || v.Do == Differ) && e.Kind != kiosk.Checkin && !v.Due.Equal(r.st.Due) {
					t.Errorf("%s %s, %s: due %v; want the ILS's %v", s, tt.name, r.name, v.Due, r.st.Due)
				}
				if (v.Do == Except || v.Do == Differ) && v.Text == "" {
					t.Errorf("%s %s, %s: %s without a word for staff", s, tt.name, r.name, v.Do)
				}
			}
		}
	}
}

// TestEveryCaseCounts: each line of the table decides something that no other
// line before it does.
func TestEveryCaseCounts(t *testing.T) {
	used := map[int]bool{}
	for _, kind := range []kiosk.Kind{kiosk.Checkout, kiosk.Checkin, kiosk.Renew, kiosk.Seen} {
		for _, h := range []heard{never, maybe, unspoken} {
			for _, f := range every(kind) {
				for n, c := range cases {
					if c.kind == kind && (c.heard == ever || c.heard == h) && c.when(f) {
						used[n] = true
						break
					}
				}
			}
		}
	}
	for n, c := range cases {
		if !used[n] {
			t.Errorf("line %d of the table (%s, %s %q) never holds", n+1, c.kind, c.do, c.words)
		}
	}
}

// every is each combination of facts that the conditions look at.
func every(kind kiosk.Kind) (out []facts) {
	for _, st := range []kiosk.Standing{noItem, onShelf, onShelfWho, onHold, inTransit, isWithdrawn, isLost, isLostWho, isLostMine,
		isOther, isMine, isMineLess, isMineMore, isMineWas, isMineWhen, isOthers, isOthersSince, isOthersFrom, isOthersNow, isMineSince, isMineFrom, isOutSince, isOut} {
		for _, due := range []time.Time{{}, promised, less} {
			for _, before := range []time.Time{{}, was} {
				for _, doubt := range []bool{false, true} {
					for _, m := range []Meanwhile{{}, {Early: true}, {WasIn: true}, {Undoes: true}} {
						out = append(out, facts{kiosk.Entry{Kind: kind, At: then, Due: due, WasDue: before, Doubt: doubt}, st, m})
					}
				}
			}
		}
	}
	return out
}

// TestGranted: staff are told of another day, not of another minute; of a day
// less as something to see to.
func TestGranted(t *testing.T) {
	for _, kind := range []kiosk.Kind{kiosk.Checkout, kiosk.Renew} {
		for _, tt := range []struct {
			due  time.Time
			do   Action
			why  kiosk.Reason
			text string
		}{
			{less, Differ, kiosk.ReasonDueEarlier, "promised until 2026-03-31, due 2026-03-24 by the ILS"},
			{more, Settle, "", "promised until 2026-03-31, due 2026-04-02 by the ILS"},
			{promised, Settle, "", ""},
			{promised.Add(-59 * time.Second), Settle, "", ""},
			{time.Time{}, Settle, "", ""},
		} {
			v := granted(granting{entry: kiosk.Entry{Kind: kind, State: kiosk.Unsure, Due: promised}, due: tt.due})
			if want := (Verdict{tt.do, tt.due, tt.why, tt.text}); v != want {
				t.Errorf("%s granted until %v: %+v; want %+v", kind, tt.due, v, want)
			}
		}
	}
	if v := granted(granting{entry: kiosk.Entry{Kind: kiosk.Checkin, Due: promised}}); v != (Verdict{Do: Settle}) {
		t.Errorf("a return granted: %+v; want it settled", v)
	}
}

// TestRefused: a no that says that it is done already settles; any other is an
// exception, with a reason and words.
func TestRefused(t *testing.T) {
	for _, kind := range []kiosk.Kind{kiosk.Checkout, kiosk.Checkin, kiosk.Renew} {
		for _, why := range []kiosk.Reason{"", kiosk.ReasonUnknownCard, kiosk.ReasonCardExpired, kiosk.ReasonCardBlocked, kiosk.ReasonTooMany,
			kiosk.ReasonOnHold, kiosk.ReasonNotForLoan, kiosk.ReasonOnLoanYou, kiosk.ReasonOnLoanOther, kiosk.ReasonNotOnLoan, kiosk.ReasonNoRenewal} {
			for _, code := range []kiosk.Code{kiosk.CodeRefused, kiosk.CodeInvalid} {
				want := Verdict{Do: Except, Reason: why}
				if why == "" {
					want.Reason = kiosk.ReasonAskStaff
				}
				if code == kiosk.CodeRefused && (kind == kiosk.Checkout && why == kiosk.ReasonOnLoanYou || kind == kiosk.Checkin && why == kiosk.ReasonNotOnLoan) {
					want.Do = Settle
				}
				for _, text := range []string{"", "No."} {
					v := refused(kiosk.Entry{Kind: kind}, &kiosk.Error{Code: code, Reason: why, Text: text})
					if v.Do != want.Do || v.Reason != want.Reason || v.Text == "" || !strings.HasPrefix(v.Text, text) {
						t.Errorf("%s, %s because of %q, %q: %+v; want %+v", kind, code, why, text, v, want)
					}
				}
			}
		}
	}
}

// TestRefusalsSayWhatToDo: whatever an ILS can say of a patron or an item, staff
// are told what to do.
func TestRefusalsSayWhatToDo(t *testing.T) {
	for i, r := range refusals {
		if (r.words == "") != (r.do == Settle) {
			t.Errorf("%s because of %s: %s, with the words %q", r.kind, r.why, r.do, r.words)
		}
		for _, before := range refusals[:i] {
			if before.kind == r.kind && (before.why == r.why || before.why == "") {
				t.Errorf("%s because of %s stands behind a line for the same", r.kind, r.why)
			}
		}
		v := refused(kiosk.Entry{Kind: r.kind}, &kiosk.Error{Code: kiosk.CodeRefused, Reason: r.why, Text: "No."})
		if want := strings.TrimSuffix("No.; "+r.words, "; "); v.Text != want || v.Do != r.do {
			t.Errorf("%s because of %s: %+v; want %q", r.kind, r.why, v, want)
		}
	}
}

// TestAdvise: whatever calls for a person has words for the patron as well, and
// those that its line in the table has: the ledger keeps kind and reason alone.
func TestAdvise(t *testing.T) {
	check := func(k kiosk.Kind, why kiosk.Reason, do Action, tell kiosk.Advice) {
		t.Helper()
		calls := do == Except || do == Differ
		switch got := Advise(k, why); {
		case calls != (tell != ""):
			t.Errorf("%s because of %q: %s, and the patron is told %q", k, why, do, tell)
		case calls && got != tell:
			t.Errorf("Advise(%s, %q) = %q; its line has %q", k, why, got, tell)
		}
	}
	for _, c := range cases {
		check(c.kind, c.why, c.do, c.tell)
	}
	for _, r := range refusals {
		check(r.kind, r.why, r.do, r.tell)
	}
	for _, g := range grants {
		kinds := []kiosk.Kind{g.kind}
		if g.kind == "" {
			kinds = []kiosk.Kind{kiosk.Checkout, kiosk.Renew}
		}
		for _, k := range kinds {
			check(k, g.why, g.do, g.tell)
		}
	}
	for k, want := range map[kiosk.Kind]kiosk.Advice{kiosk.Checkin: kiosk.AdviceReturned, kiosk.Renew: kiosk.AdviceOldDate, kiosk.Checkout: kiosk.AdviceShowBook, kiosk.Seen: kiosk.AdviceAskStaff} {
		if got := Advise(k, "something new"); got != want {
			t.Errorf("%s for a reason that no line has: %q; want %q", k, got, want)
		}
	}
}

// TestHoldOverridden: a book that no-block took from the hold shelf, and for
// which as many wait as before, was another patron's.
func TestHoldOverridden(t *testing.T) {
	lent := func(holds int) kiosk.Standing {
		return kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.Yes, Due: promised, Holds: holds}
	}
	shelf := kiosk.Standing{Known: true, Status: kiosk.StatusOnHold, Mine: kiosk.No, Holds: 2}
	untold := shelf
	untold.Holds = -1
	others := untold
	others.Others = true
	for _, tt := range []struct {
		name          string
		before, after kiosk.Standing
		due           time.Time
		want          Verdict
	}{
		{"another's", shelf, lent(2), promised, Verdict{Do: Differ, Reason: kiosk.ReasonOnHold, Due: promised}},
		{"another's, and earlier", shelf, lent(2), less, Verdict{Do: Differ, Reason: kiosk.ReasonOnHold, Due: less}},
		{"the patron's own", shelf, lent(1), promised, Verdict{Do: Settle, Due: promised}},
		{"how many wait is not told", untold, lent(-1), promised, Verdict{Do: Settle, Due: promised}},
		{"said to be another's", others, kiosk.Standing{}, promised, Verdict{Do: Differ, Reason: kiosk.ReasonOnHold, Due: promised}},
		{"not looked up afterwards", shelf, kiosk.Standing{}, promised, Verdict{Do: Settle, Due: promised}},
		{"it lay nowhere", onShelf, lent(1), promised, Verdict{Do: Settle, Due: promised}},
	} {
		v := granted(granting{kiosk.Entry{Kind: kiosk.Checkout, Due: promised}, tt.due, tt.before, tt.after, kiosk.Route{}})
		text := v.Text
		if v.Text = ""; v != tt.want {
			t.Errorf("%s: %+v; want %+v", tt.name, v, tt.want)
		}
		if strings.Contains(text, "hold shelf") != (v.Do == Differ) || strings.Contains(text, "by the ILS") != (tt.due == less) {
			t.Errorf("%s: staff are told %q", tt.name, text)
		}
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

// TestSeen: what comes of an answer to what stood on the shelf. Where somebody
// waits for it, staff must take it from there.
func TestSeen(t *testing.T) {
	e := kiosk.Entry{Kind: kiosk.Seen, State: kiosk.Offline}
	for route, want := range map[kiosk.Purpose]Action{"": Settle, kiosk.ForStaff: Settle, kiosk.ForHold: Differ, kiosk.ForHoldElsewhere: Differ, kiosk.ForTransfer: Differ} {
		if v := granted(granting{entry: e, route: kiosk.Route{For: route}}); v.Do != want {
			t.Errorf("granted, to go %q: %+v; want %s", route, v, want)
		}
	}
	for why, want := range map[kiosk.Reason]Action{kiosk.ReasonNotOnLoan: Settle, kiosk.ReasonOnHold: Differ, kiosk.ReasonUnknownItem: Except, "": Except} {
		if v := refused(e, &kiosk.Error{Code: kiosk.CodeRefused, Reason: why}); v.Do != want {
			t.Errorf("refused for %q: %+v; want %s", why, v, want)
		}
	}
	if v := refused(e, &kiosk.Error{Code: kiosk.CodeInvalid, Reason: kiosk.ReasonAskStaff, Text: "set seen"}); v.Do != Except || v.Text != "set seen" {
		t.Errorf("not to be told: %+v", v)
	}
}
