package kiosk

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Count is how often something happened in an hour. It is a number only:
// nothing in it leads to a patron or an item.
type Count struct {
	Day  string // 2026-11-30, in the library's zone
	Hour int    // 0 to 23
	What string // see the constants below
	N    int
}

// What is counted, beside entries by their Kind.
const (
	CountHelp    = "help"     // calls for help
	CountStuck   = "stuck"    // times that staff were told of failed tries
	CountVisits  = "visit"    // patrons who came to the items' view, and those who returned
	countRefused = "refused:" // and the Reason: refusals, and what the patron was told without an item
	countTime    = "time:"    // and the bound of VisitTimes in seconds: how long a visit took
)

// VisitTimes are the bounds by which visits are counted: the longest visit of
// each class. What took longer is in a class of its own, of bound 0.
func VisitTimes() []time.Duration {
	return []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute}
}

// Refused is the reason that a count is of.
func (c Count) Refused() (Reason, bool) {
	r, ok := strings.CutPrefix(c.What, countRefused)
	return Reason(r), ok
}

// Took is the bound of the class of visits that a count is of.
func (c Count) Took() (time.Duration, bool) {
	s, ok := strings.CutPrefix(c.What, countTime)
	n, err := strconv.Atoi(s)
	return time.Duration(n) * time.Second, ok && err == nil
}

// Tally counts what happens at a desk from what its screen shows. Each screen
// must be seen, in order. The zero Tally is one of a desk with nobody at it.
type Tally struct {
	lines  map[ID]failure // refused, by the visit that is under way
	care   Care
	notice Notice
	visit  ID
	begun  time.Time
	items  bool // the visit came to the items' view
}

// failure is why a line was refused, and at which try.
type failure struct {
	why   Reason
	times int
}

// See takes the next screen, and names what has happened, once for each time.
func (t *Tally) See(sc Screen) (whats []string) {
	if t.lines == nil {
		t.lines = map[ID]failure{}
	}
	for i := range sc.Lines {
		l := &sc.Lines[i]
		if f := (failure{l.Reason, l.Times}); l.State == LineRefused && t.lines[l.ID] != f && !slices.Contains(quietReasons, l.Reason) {
			t.lines[l.ID] = f
			whats = append(whats, countRefused+string(l.Reason))
		}
	}
	if sc.Care.Calls() && !t.care.Calls() {
		whats = append(whats, CountHelp)
	}
	if sc.Care.IsStuck() && !t.care.IsStuck() {
		whats = append(whats, CountStuck)
	}
	t.care = sc.Care
	if n := sc.Notice; n != t.notice {
		if !slices.Contains(quietReasons, n.Reason) {
			whats = append(whats, countRefused+string(n.Reason))
		}
		t.notice = n
	}
	if over := t.visit != "" && (sc.Visit != t.visit || sc.View == ViewReceipt); over {
		if t.items {
			whats = append(whats, CountVisits, countTime+took(sc.Now.Sub(t.begun)))
		}
		t.visit, t.items = "", false
		clear(t.lines)
		for _, l := range sc.Lines { // what the receipt still shows was counted
			if l.State == LineRefused {
				t.lines[l.ID] = failure{l.Reason, l.Times}
			}
		}
	}
	if sc.Visit != "" && sc.View != ViewReceipt {
		if t.visit == "" {
			t.visit, t.begun = sc.Visit, sc.Now
		}
		t.items = t.items || sc.View == ViewItems
	}
	return whats
}

// took names the class of a visit.
func took(d time.Duration) string {
	for _, most := range VisitTimes() {
		if d <= most {
			return strconv.Itoa(int(most / time.Second))
		}
	}
	return "0"
}
