package web

import (
	"slices"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// OnPad tells what lies on the pad, in words; "" where nothing does.
func (v view) OnPad() string {
	if v.Tray.Items == 0 {
		return ""
	}
	return v.N("tray.items", v.Tray.Items)
}

// LeftThere tells what to do with what lay on the pad before; "" where nothing
// did.
func (v view) LeftThere() string {
	switch {
	case v.Tray.Left == 0:
		return ""
	case v.Returning():
		return v.N("tray.left.return", v.Tray.Left)
	}
	return v.N("tray.left.borrow", v.Tray.Left)
}

// Asks tells whether the patron is to count: everything else is settled.
func (v view) Asks() bool {
	t := v.Tray
	return t.Items > 0 && !t.Settled && t.Missing == 0 && t.Lifted == 0 && !v.Busy && !v.Closing
}

// Settled tells whether Finish may stand out. What is scanned by its label
// needs no more of the patron: Finish waits for it by itself.
func (v view) Settled() bool {
	t := v.Tray
	return t.Settled || t.Tags == 0 && t.Missing == 0 && t.Lifted == 0
}

// Still says what is missing before Finish stands out, or "".
func (v view) Still() string {
	t := v.Tray
	switch {
	case v.Settled():
		return ""
	case t.Lifted > 0:
		return v.N("items.still.lifted", t.Lifted)
	case t.Missing > 0:
		return v.N("items.still.missing", t.Missing)
	case v.Asks():
		return v.T("items.still.count")
	}
	return v.T("items.still.busy")
}

// Urgent tells whether the line must be put back now: nothing on the screen is
// more important.
func (l line) Urgent() bool {
	return l.State == kiosk.LineAction && l.Reason == kiosk.ReasonPutBack
}

// rank orders lines by how much they want the patron's hand.
func (l line) rank() int {
	switch {
	case l.Urgent():
		return 0
	case l.State == kiosk.LineAction && l.Reason == kiosk.ReasonPartsMissing:
		return 1
	}
	return 2
}

// byRank sorts lines by rank, and leaves those of one rank as they are.
func byRank(ls []line) []line {
	slices.SortStableFunc(ls, func(a, b line) int { return a.rank() - b.rank() })
	return ls
}

// Stands tells whether it is lent, though something remains to be done.
func (l line) Stands() bool {
	stands := l.Reason == kiosk.ReasonPutBack || l.Reason == kiosk.ReasonTagStuck || l.Reason == kiosk.ReasonNotKept
	return stands && l.State == kiosk.LineAction && l.Kind != kiosk.Checkin
}

// Until tells whether the receipt says of such a line when it is due.
func (l line) Until() bool { return l.v.View == kiosk.ViewReceipt && l.Stands() && !l.Due.IsZero() }

// Closed counts what came to its end, for the receipt: also what is lent and
// was lifted too early.
func (v view) Closed() int {
	n := len(v.Done())
	for _, l := range v.Unfinished() {
		if l.Stands() {
			n++
		}
	}
	return n
}
