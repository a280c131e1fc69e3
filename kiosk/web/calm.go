package web

import (
	"strconv"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Calm is without motion, sound, loud colours and running numbers; where one
// is, is told in every view at the same place.
func (v view) Calm() bool { return v.Manner.Kind == Calm }

// part is one of the steps of every visit.
type part struct {
	Icon, Name string
	Now        bool
}

// Path are the steps of a visit, always as many; nil where they are not shown.
func (v view) Path() []part {
	if !v.Calm() || v.Broken() {
		return nil
	}
	ps := []part{{"card", v.T("step.begin"), false}, {"book", v.T("step.books"), false}, {"check", v.T("step.done"), false}}
	at := map[kiosk.View]int{kiosk.ViewItems: 1, kiosk.ViewReceipt: 2}[v.View]
	ps[at].Now = true
	return ps
}

// At is the number of a step, for its address.
func (v view) At(i int) string { return strconv.Itoa(i + 1) }
