package kiosk

import "time"

// Line is one item on the screen.
type Line struct {
	ID       ID // also the ID of its entry, once it has one
	Item     Barcode
	ISBN     string // scanned instead of Item, which may still be empty
	Title    string
	Kind     Kind
	State    LineState
	Due      time.Time
	Reason   Reason // why refused, or what to do; also "" with State refused never
	Text     string // the ILS's words; for staff only
	Alert    bool   // returned, but staff wants to see it (hold, transfer)
	Route    Route  // returned: where it goes, as the ILS says
	Local    bool   // decided here, the ILS hears of it later
	Times    int    // how often it was scanned
	Listed   bool   // from the patron's account, not put down
	Renewals int    // of what is listed: as Borrowed.Renewals
	Have     int    // parts of a set that lie on the pad
	Parts    int    // parts that a set has; 0 or 1: it is none

	stage   stage
	found   *Found // what the mirror said when work on it began; nil: nothing yet. Never changed
	entry   *Entry // as it was or will be recorded; nil: it has none. Never changed, only replaced
	open    bool   // its entry is on disk as asked, and nothing that followed is yet
	renewed bool   // a checkout that the ILS took for a renewal

	tags  []tag     // in the item, or what was found instead of one
	byTag bool      // it came by its tag: nobody has scanned it
	again time.Time // when lifted: not before then a tag that lies there is tried again
}

// same tells whether two lines show the same.
func (l *Line) same(o *Line) bool {
	return l.ID == o.ID && l.Item == o.Item && l.ISBN == o.ISBN && l.Title == o.Title && l.Kind == o.Kind && l.State == o.State &&
		l.Due.Equal(o.Due) && l.Reason == o.Reason && l.Text == o.Text && l.Alert == o.Alert && l.Route == o.Route && l.Local == o.Local && l.Times == o.Times &&
		l.Listed == o.Listed && l.Renewals == o.Renewals && l.Have == o.Have && l.Parts == o.Parts
}

// sameLines is same for all of them. A Line is large: each is looked at where
// it is, as everywhere here.
func sameLines(a, b []Line) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].same(&b[i]) {
			return false
		}
	}
	return true
}

// index finds the first line that fits, or gives -1.
func index(lines []Line, fits func(*Line) bool) int {
	for i := range lines {
		if fits(&lines[i]) {
			return i
		}
	}
	return -1
}

// own is the line's entry; one without an ID where it has none.
func (l *Line) own() Entry {
	if l.entry == nil {
		return Entry{}
	}
	return *l.entry
}

// stands notes the state in which its entry is on disk.
func (l *Line) stands(st State) {
	e := l.own()
	e.State = st
	l.entry = &e
}

// knows is what the mirror said, nothing before it did.
func (l *Line) knows() Found {
	if l.found == nil {
		return Found{}
	}
	return *l.found
}

// LineState is what a line shows.
type LineState string

// The states of a line.
const (
	LineWaiting  LineState = "waiting"
	LineLent     LineState = "lent"
	LineReturned LineState = "returned"
	LineRenewed  LineState = "renewed"
	LineRefused  LineState = "refused"
	LineAction   LineState = "action" // the patron must do something: Reason says what
)

// stage is how far the work on a line has come.
type stage int

const (
	held       stage = iota // put down before a card: waits for one
	gathering               // a set: waits for its other parts
	looking                 // Look is under way
	offered                 // the patron has it already and may renew it
	recording               // Record is under way
	asking                  // Ask is under way
	concluding              // Conclude is under way
	keeping                 // Keep is under way
	lifted                  // a tag was lifted before it was written: waits for it
	done
)

// working tells whether the line waits for an effect: Finish waits for it.
func (l *Line) working() bool {
	return l.stage == looking || l.stage == recording || l.stage == asking || l.stage == concluding || l.stage == keeping
}

// succeeded tells whether the line did what it was put down for.
func (l *Line) succeeded() bool {
	return l.State == LineLent || l.State == LineReturned || l.State == LineRenewed
}

func (l *Line) refuse(r Reason, text string) {
	l.stage, l.State, l.Reason, l.Text = done, LineRefused, r, text
}

// succeed shows what the entry's kind promises.
func (l *Line) succeed() {
	l.stage, l.Reason = done, ""
	switch {
	case l.own().Kind == Checkin:
		l.State = LineReturned
	case l.own().Kind == Renew || l.renewed:
		l.State = LineRenewed
	default:
		l.State = LineLent
	}
}
