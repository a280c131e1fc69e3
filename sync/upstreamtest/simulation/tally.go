package simulation

import (
	"fmt"
	"slices"
	"strings"
)

// Tally counts what happened, so that a simulation in which nothing does
// shows.
type Tally map[string]int

// Add adds another tally.
func (t Tally) Add(o Tally) {
	for what, n := range o {
		t[what] += n
	}
}

// String lists the counts by name.
func (t Tally) String() string {
	var list []string
	for what, n := range t {
		list = append(list, fmt.Sprintf("%s %d", what, n))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// Kinds lists what must happen in the course of many runs; a kind that never
// does is not tested.
var Kinds = []string{
	"visit", "shown lent", "shown returned", "shown renewed", "left early", "in limbo",
	"exception", "dismissed", "settled", "granted", "denied",
	"crash before a write", "crash in a write", "crash after a write", "power cut", "restart",
	"disk full", "stalled fsync", "clock jump", "wrong clock at start", "clock ahead at start",
	"line refused", "line silent", "ILS restart", "ILS effect", "no-block ignored",
	"cancels honoured", "cancels ignored", "taken back", "left on a work list", "left on the pad",
	"tag released", "tag secured", "tag put back", "tag lifted while it is written", "tag unheard", "tag stuck",
	"crash before a tag is written", "crash while a tag is written", "crash after a tag is written",
	"staff lends", "staff takes back", "staff holds", "staff bars", "staff withdraws",
	"drop-request", "cut-request", "drop-answer", "cut-answer", "close-mid-answer", "truncate-answer",
	"delay-answer", "duplicate-answer", "garbage", "late-request", "spoilt-request", "stale-answer",
}
