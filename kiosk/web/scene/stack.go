package scene

import (
	"fmt"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// What lies on the pad: a stack of 12 with a set, a stranger, and one that was
// lifted too early.
func init() {
	for name, s := range map[string]func(now time.Time) kiosk.Screen{
		"stack-busy": func(now time.Time) kiosk.Screen {
			ls := stack(now)
			for i := range ls[4:] {
				ls[4+i].State, ls[4+i].Due = kiosk.LineWaiting, time.Time{}
			}
			sc := onPad(now, kiosk.Tray{Tags: 14, Items: 12}, ls...)
			sc.Busy = true
			return sc
		},
		"stack": func(now time.Time) kiosk.Screen {
			return onPad(now, kiosk.Tray{Tags: 14, Items: 12, Missing: 1}, append([]kiosk.Line{set(now, 2), stranger()}, stack(now)[:11]...)...)
		},
		"stack-back": func(now time.Time) kiosk.Screen {
			ls := append([]kiosk.Line{set(now, 2), stranger()}, stack(now)[:11]...)
			ls[3] = lifted(ls[3])
			return onPad(now, kiosk.Tray{Tags: 13, Items: 11, Missing: 1, Lifted: 1}, ls...)
		},
		"stack-back-long": func(now time.Time) kiosk.Screen {
			ls := append(stack(now)[:11], set(now, 3))
			for i := range 2 {
				ls[i].Title = strings.Repeat("A long title that says everything, ", 6)
				ls[i] = lifted(ls[i])
			}
			sc := onPad(now, kiosk.Tray{Tags: 12, Items: 10, Lifted: 2, Left: 2}, ls...)
			sc.Notice = kiosk.Notice{Reason: kiosk.ReasonPutBack, Code: "The Very Hungry Caterpillar"}
			return sc
		},
		"stack-left": func(now time.Time) kiosk.Screen {
			return onPad(now, kiosk.Tray{Tags: 2, Items: 2, Left: 3, Settled: true}, stack(now)[:2]...)
		},
		"stack-left-empty": func(now time.Time) kiosk.Screen {
			sc := onPad(now, kiosk.Tray{Left: 1, Settled: true})
			sc.Mode, sc.Patron = kiosk.Returning, ""
			return sc
		},
		"stack-count": func(now time.Time) kiosk.Screen {
			return onPad(now, kiosk.Tray{Tags: 14, Items: 12}, append(stack(now)[:11], set(now, 3))...)
		},
		"stack-miscount": func(now time.Time) kiosk.Screen {
			sc := onPad(now, kiosk.Tray{Tags: 14, Items: 12, Counted: 13}, append(stack(now)[:11], set(now, 3), stranger())...)
			sc.Notice = kiosk.Notice{Reason: kiosk.ReasonCount}
			return sc
		},
		"stack-settled": func(now time.Time) kiosk.Screen {
			return onPad(now, kiosk.Tray{Tags: 14, Items: 12, Settled: true}, append(stack(now)[:11], set(now, 3))...)
		},
		"strangers": func(now time.Time) kiosk.Screen {
			return onPad(now, kiosk.Tray{Tags: 7, Items: 1, Settled: true}, strangers(now)...)
		},
		"stack-receipt": func(now time.Time) kiosk.Screen {
			ls := append([]kiosk.Line{set(now, 2), stranger()}, stack(now)[:11]...)
			ls[3] = lifted(ls[3])
			ls[5].State, ls[5].Reason = kiosk.LineAction, kiosk.ReasonTagStuck
			return receipt(now, ls...)
		},
		"welcome-mended": func(time.Time) kiosk.Screen {
			return kiosk.Screen{View: kiosk.ViewWelcome, Online: true, Notice: kiosk.Notice{Reason: kiosk.ReasonTagMended, Code: "The Very Hungry Caterpillar"}}
		},
	} {
		scenes[name] = s
	}
}

func onPad(now time.Time, t kiosk.Tray, ls ...kiosk.Line) kiosk.Screen {
	sc := items(now, ls...)
	sc.Tray = t
	return sc
}

// stack are twelve books that were lent.
func stack(now time.Time) (ls []kiosk.Line) {
	for i, title := range []string{"The Very Hungry Caterpillar", "Where the Wild Things Are", "Charlotte’s Web", "A Wrinkle in Time", "Matilda", "Holes",
		"The Hobbit, or, There and Back Again", "Pippi Longstocking", "Encyclopedia of Insects", "Hatchet", "Goodnight Moon", "Frog and Toad Are Friends"} {
		ls = append(ls, kiosk.Line{ID: kiosk.ID(fmt.Sprint("s", i)), Item: kiosk.Barcode(fmt.Sprintf("312340000001%02d", i)), Title: title,
			Kind: kiosk.Checkout, State: kiosk.LineLent, Due: now.AddDate(0, 0, 21), Times: 1})
	}
	return ls
}

// set is a bag of three parts.
func set(now time.Time, have int) kiosk.Line {
	l := kiosk.Line{ID: "set", Item: "31234000000200", Title: "Robot building kit", Kind: kiosk.Checkout, State: kiosk.LineLent, Due: now.AddDate(0, 0, 7),
		Times: 1, Have: have, Parts: 3}
	if have < l.Parts {
		l.State, l.Reason, l.Due = kiosk.LineAction, kiosk.ReasonPartsMissing, time.Time{}
	}
	return l
}

func stranger() kiosk.Line {
	return kiosk.Line{ID: "foreign", Text: "DE-Sab 00417330", State: kiosk.LineRefused, Reason: kiosk.ReasonTagForeign, Times: 1}
}

func lifted(l kiosk.Line) kiosk.Line {
	l.State, l.Reason = kiosk.LineAction, kiosk.ReasonPutBack
	return l
}

// strangers are tags of every kind that names no copy of ours.
func strangers(now time.Time) []kiosk.Line {
	ls := append(stack(now)[:1], stranger())
	for _, l := range []kiosk.Line{
		{ID: "damaged", Reason: kiosk.ReasonTagDamaged}, {ID: "half", Reason: kiosk.ReasonTagDamaged, Text: "3123"}, {ID: "blank", Reason: kiosk.ReasonTagBlank},
		{ID: "twice", Reason: kiosk.ReasonTagTwice, Text: "31234000000100"}, {ID: "full", Reason: kiosk.ReasonPadFull},
	} {
		l.State, l.Times = kiosk.LineRefused, 1
		ls = append(ls, l)
	}
	return ls
}
