package web

import (
	"github.com/carrel-kiosk/carrel/kiosk"
)

// Child tells whether the words are those for children: what happens and what
// to do now, in a sentence each.
func (v view) Child() bool { return v.Pictures() || v.Screen.Child || v.child }

// Because says why something was refused, to whoever is here.
func (v view) Because(r kiosk.Reason) string {
	if v.Child() {
		return v.reason(r, "child")
	}
	return v.reason(r, "title")
}

// Then says what to do now.
func (v view) Then(r kiosk.Reason) string {
	if v.Child() {
		return v.T("next." + string(kiosk.RefusalOf(r).Next))
	}
	return v.reason(r, "step")
}

// reason gives the words for r; one that nobody has words for sends to staff.
func (l *language) reason(r kiosk.Reason, part string) string {
	key := "reason." + string(kiosk.RefusalOf(r).Reason) + "." + part
	return l.T(key)
}

// Explained tells whether a line shows in pictures why, and what next: what
// must be put back has one of its own, and what is offered has buttons.
func (l line) Explained() bool {
	return (l.State == kiosk.LineRefused || l.State == kiosk.LineAction) && !l.Urgent() && !l.Waits() && !l.Offers()
}

// Why names the picture of what a line is refused for, After that of the next
// step.
func (l line) Why() string { return string(kiosk.RefusalOf(l.Reason).Picture) }

// After: see Why.
func (l line) After() string { return string(kiosk.RefusalOf(l.Reason).Next) }

// Why names the picture of what a notice is about, After that of the next step.
func (n notice) Why() string { return string(kiosk.RefusalOf(n.Reason).Picture) }

// After: see Why.
func (n notice) After() string { return string(kiosk.RefusalOf(n.Reason).Next) }

// Drawn tells whether the notice is told in pictures.
func (n notice) Drawn() bool { return n.v.Pictures() }
