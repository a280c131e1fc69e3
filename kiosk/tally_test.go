package kiosk

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTally(t *testing.T) {
	begin := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	refused := func(id ID, r Reason) Line { return Line{ID: id, State: LineRefused, Reason: r} }
	lent := Line{ID: "l1", State: LineLent}
	var tally Tally
	for n, step := range []struct {
		sc   Screen
		want string
	}{
		{Screen{View: ViewWelcome, Now: at(0)}, ""},
		{Screen{View: ViewWelcome, Now: at(1), Notice: Notice{Reason: ReasonUnknownCard, Until: at(9)}}, "refused:unknown-card"},
		{Screen{View: ViewWelcome, Now: at(2), Notice: Notice{Reason: ReasonUnknownCard, Until: at(9)}}, ""},
		{Screen{View: ViewWelcome, Now: at(3), Notice: Notice{Reason: ReasonUnknownCard, Until: at(11)}}, "refused:unknown-card"}, // once more
		{Screen{View: ViewIdentifying, Visit: "v1", Now: at(20)}, ""},
		{Screen{View: ViewItems, Visit: "v1", Now: at(21)}, ""},
		{Screen{View: ViewItems, Visit: "v1", Now: at(25), Lines: []Line{lent, refused("l2", ReasonOnHold)}}, "refused:on-hold"},
		{Screen{View: ViewItems, Visit: "v1", Now: at(26), Lines: []Line{lent, refused("l2", ReasonOnHold), refused("l3", ReasonOnHold)}}, "refused:on-hold"},
		{Screen{View: ViewItems, Visit: "v1", Now: at(27), Lines: []Line{lent, refused("l2", ReasonOnHold), {ID: "l4", State: LineAction, Reason: ReasonOnLoanYou}},
			Notice: Notice{Reason: ReasonTagMended, Until: at(35)}}, ""},
		{Screen{View: ViewReceipt, Visit: "v1", Now: at(46), Lines: []Line{lent, refused("l2", ReasonOnHold)}}, "visit time:30"},
		{Screen{View: ViewReceipt, Visit: "v1", Now: at(50), Lines: []Line{lent, refused("l2", ReasonOnHold)}}, ""},
		{Screen{View: ViewWelcome, Now: at(61)}, ""},
		// A wrong PIN and gone: no visit.
		{Screen{View: ViewPIN, Visit: "v2", Now: at(70)}, ""},
		{Screen{View: ViewPIN, Visit: "v2", Now: at(75), Notice: Notice{Reason: ReasonWrongPIN, Until: at(80)}}, "refused:wrong-pin"},
		{Screen{View: ViewWelcome, Now: at(90)}, ""},
		// One patron right after the other, the second stays long.
		{Screen{View: ViewItems, Visit: "v3", Now: at(100)}, ""},
		{Screen{View: ViewItems, Visit: "v3", Now: at(101), Lines: []Line{{ID: "l9", State: LineRefused, Reason: ReasonUnreadable, Times: 1}}}, "refused:unreadable"},
		{Screen{View: ViewItems, Visit: "v3", Now: at(102), Lines: []Line{{ID: "l9", State: LineRefused, Reason: ReasonUnreadable, Times: 2}}, Care: Care{Help: at(102)}}, "refused:unreadable help"},
		{Screen{View: ViewItems, Visit: "v3", Now: at(103), Lines: []Line{{ID: "l9", State: LineRefused, Reason: ReasonUnreadable, Times: 2}}, Care: Care{Help: at(102), Stuck: at(103)}}, "stuck"},
		{Screen{View: ViewItems, Visit: "v4", Now: at(110)}, "visit time:15"},
		{Screen{View: ViewWelcome, Now: at(900)}, "visit time:0"},
	} {
		if got := strings.Join(tally.See(step.sc), " "); got != step.want {
			t.Errorf("screen %d: %q; want %q", n, got, step.want)
		}
	}
}

func TestCountOf(t *testing.T) {
	for _, d := range append(VisitTimes(), 0) {
		c := Count{What: fmt.Sprint(countTime, int(d/time.Second))}
		if got, ok := c.Took(); !ok || got != d {
			t.Errorf("%q.Took() = %v, %t", c.What, got, ok)
		}
	}
	if !slices.IsSorted(VisitTimes()) {
		t.Error("the classes are in disorder")
	}
	if r, ok := (Count{What: "refused:on-hold"}).Refused(); !ok || r != ReasonOnHold {
		t.Errorf("Refused() = %q, %t", r, ok)
	}
	for _, what := range []string{"checkout", "visit", "time:x", ""} {
		c := Count{What: what}
		if _, ok := c.Refused(); ok {
			t.Errorf("%q is a refusal", what)
		}
		if _, ok := c.Took(); ok {
			t.Errorf("%q is a time", what)
		}
	}
}
