// Package scene holds what the touch screen may show, as fixtures: each state
// of each view, with titles and names as they come, kind and hostile. Tests walk
// through them, and the gallery shows them to designers and translators.
package scene

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Names lists the scenes by their names.
func Names() []string { return slices.Sorted(maps.Keys(scenes)) }

// At is a scene as of now; false where there is none of that name.
func At(name string, now time.Time) (kiosk.Screen, bool) {
	as, ok := scenes[name]
	if !ok {
		as, ok = refused(name)
	}
	if !ok {
		return kiosk.Screen{}, false
	}
	sc := as(now)
	if sc.Mode == "" {
		sc.Mode = kiosk.Borrowing
	}
	if sc.Visit == "" && sc.View != kiosk.ViewWelcome {
		sc.Visit = "v1"
	}
	sc.Now = now
	return sc, true
}

// scenes are what a patron may see, each as of now.
var scenes = map[string]func(now time.Time) kiosk.Screen{
	"welcome": func(time.Time) kiosk.Screen { return kiosk.Screen{View: kiosk.ViewWelcome, Online: true} },
	"welcome-notice": func(now time.Time) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewWelcome, Online: true, Notice: kiosk.Notice{Reason: kiosk.ReasonForeign, Code: "%C0105H"}}
	},
	"welcome-fault": func(now time.Time) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewWelcome, Online: true, Notice: kiosk.Notice{Reason: kiosk.ReasonUnknownCard},
			Faults: []kiosk.Fault{{Source: "receipt printer", Text: "no such device", Since: now}}}
	},
	"held": func(now time.Time) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewWelcome, Online: true, EndsAt: now.Add(time.Minute), Lines: held()}
	},
	"held-one": func(now time.Time) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewWelcome, EndsAt: now.Add(time.Minute), Lines: held()[:1]}
	},
	"identifying": func(time.Time) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewIdentifying, Online: true, Lines: held()}
	},
	"pin": func(now time.Time) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewPIN, Online: true, EndsAt: now.Add(time.Minute), WarnAt: now.Add(40 * time.Second)}
	},
	"pin-other": func(now time.Time) kiosk.Screen { // another card at once
		return kiosk.Screen{View: kiosk.ViewPIN, Visit: "v2", Online: true, EndsAt: now.Add(time.Minute), WarnAt: now.Add(40 * time.Second)}
	},
	"pin-wrong": func(now time.Time) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewPIN, Online: true, EndsAt: now.Add(15 * time.Second), WarnAt: now.Add(-5 * time.Second),
			Notice: kiosk.Notice{Reason: kiosk.ReasonWrongPIN}}
	},
	"items-empty": func(now time.Time) kiosk.Screen { return items(now) },
	"return-empty": func(now time.Time) kiosk.Screen {
		sc := items(now)
		sc.Mode, sc.Patron = kiosk.Returning, ""
		return sc
	},
	"items-refused": func(now time.Time) kiosk.Screen {
		return items(now, append(books(now)[:2], kiosk.Line{ID: "z1", Item: "31234000000088", Title: "Matilda", Kind: kiosk.Checkout, State: kiosk.LineRefused, Reason: kiosk.ReasonOnHold, Times: 1})...)
	},
	"items-child": func(now time.Time) kiosk.Screen {
		sc := items(now, books(now)...)
		sc.Child, sc.Notice = true, kiosk.Notice{Reason: kiosk.ReasonUnknownCard}
		return sc
	},
	"items-called": func(now time.Time) kiosk.Screen {
		sc := items(now, books(now)[:3]...)
		sc.Care.Help = now
		return sc
	},
	"welcome-coming": func(now time.Time) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewWelcome, Online: true, Care: kiosk.Care{Help: now, Seen: now}}
	},
	"items-stuck": func(now time.Time) kiosk.Screen {
		sc := items(now, books(now)[3:5]...)
		sc.Online, sc.Care = false, kiosk.Care{Stuck: now, Why: kiosk.ReasonNotForLoan, Kind: true}
		return sc
	},
	"items-one": func(now time.Time) kiosk.Screen { return items(now, books(now)[:1]...) },
	"items":     func(now time.Time) kiosk.Screen { return items(now, books(now)...) },
	"items-countdown": func(now time.Time) kiosk.Screen {
		sc := items(now, books(now)[:4]...)
		sc.EndsAt, sc.WarnAt = now.Add(12*time.Second), now.Add(-8*time.Second)
		return sc
	},
	"items-soon": func(now time.Time) kiosk.Screen { // the countdown begins while one looks
		sc := items(now, books(now)[:2]...)
		sc.EndsAt, sc.WarnAt = now.Add(4*time.Second), now.Add(time.Second)
		return sc
	},
	"items-offline": func(now time.Time) kiosk.Screen {
		sc := items(now, books(now)[:3]...)
		sc.Online = false
		return sc
	},
	"items-closing": func(now time.Time) kiosk.Screen {
		sc := items(now, books(now)[:5]...)
		sc.Closing, sc.Busy = true, true
		return sc
	},
	"items-broken": func(now time.Time) kiosk.Screen {
		sc := items(now, books(now)[:3]...)
		sc.Faults = []kiosk.Fault{{Source: "ledger", Text: "disk full", Since: now, Fatal: true}}
		sc.Lines = append(sc.Lines, kiosk.Line{ID: "z9", Item: "31234000000099", Title: "Momo", Times: 1, State: kiosk.LineRefused, Reason: kiosk.ReasonNotStored})
		return sc
	},
	"card": func(now time.Time) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewCard, Online: true, EndsAt: now.Add(time.Minute)}
	},
	"items-many": func(now time.Time) kiosk.Screen { return items(now, many(now, 60)...) },
	"returning": func(now time.Time) kiosk.Screen {
		sc := items(now, returned()...)
		sc.Mode, sc.Patron = kiosk.Returning, ""
		return sc
	},
	"hostile": func(now time.Time) kiosk.Screen {
		sc := items(now, hostile(now)...)
		sc.Patron = "<script>alert(1)</script>" + strings.Repeat("Wolfeschlegelsteinhausen", 8)
		return sc
	},
	"hostile-receipt": func(now time.Time) kiosk.Screen {
		sc := items(now, hostile(now)...)
		sc.View, sc.WarnAt, sc.EndsAt = kiosk.ViewReceipt, time.Time{}, now.Add(15*time.Second)
		sc.Patron = "مريم " + strings.Repeat("Ṽ̷̡̛͖e̸r̵y̶", 20)
		return sc
	},
	"receipt": func(now time.Time) kiosk.Screen { return receipt(now, books(now)[:4]...) },
	"receipt-many": func(now time.Time) kiosk.Screen {
		return receipt(now, append(many(now, 30), books(now)[4:]...)...)
	},
	"receipt-ways": func(now time.Time) kiosk.Screen {
		sc := receipt(now, books(now)[:2]...)
		sc.Slip = kiosk.Slip{Print: kiosk.Offered, Mail: kiosk.Offered, Titles: true, Address: "a•••@mail.example.org"}
		return sc
	},
	"receipt-no-paper": func(now time.Time) kiosk.Screen {
		sc := receipt(now, books(now)[:4]...)
		sc.Slip = kiosk.Slip{Print: kiosk.NoPaper, Mail: kiosk.Working, Titles: true, Address: "a•••@mail.example.org"}
		return sc
	},
	"receipt-handed": func(now time.Time) kiosk.Screen {
		sc := receipt(now, books(now)[:4]...)
		sc.Slip = kiosk.Slip{Print: kiosk.HandedOver, Mail: kiosk.Failed, Titles: true, Address: "a•••@mail.example.org"}
		return sc
	},
	"receipt-returned": func(now time.Time) kiosk.Screen {
		sc := receipt(now, returned()...)
		sc.Mode, sc.Patron = kiosk.Returning, ""
		return sc
	},
	"fatal": func(now time.Time) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewWelcome, Faults: []kiosk.Fault{{Source: "ledger", Text: "disk full", Since: now, Fatal: true}}}
	},
}

func items(now time.Time, ls ...kiosk.Line) kiosk.Screen {
	return kiosk.Screen{View: kiosk.ViewItems, Mode: kiosk.Borrowing, Patron: "Amélie", Online: true, Lines: ls,
		EndsAt: now.Add(time.Minute), WarnAt: now.Add(40 * time.Second)}
}

func receipt(now time.Time, ls ...kiosk.Line) kiosk.Screen {
	return kiosk.Screen{View: kiosk.ViewReceipt, Mode: kiosk.Borrowing, Patron: "Amélie", Online: true, Lines: ls, EndsAt: now.Add(15 * time.Second)}
}

func books(now time.Time) []kiosk.Line {
	due := now.AddDate(0, 0, 21)
	return []kiosk.Line{
		{ID: "a1", Item: "31234000000012", Title: "The Very Hungry Caterpillar", Kind: kiosk.Checkout, State: kiosk.LineLent, Due: due, Times: 1},
		{ID: "a2", Item: "31234000000020", Title: "Where the Wild Things Are", Kind: kiosk.Checkout, State: kiosk.LineLent, Due: due, Times: 1},
		{ID: "a3", Item: "31234000000038", Title: "Charlotte’s Web", Kind: kiosk.Renew, State: kiosk.LineRenewed, Due: due, Times: 1},
		{ID: "a4", Item: "31234000000046", Title: "A Wrinkle in Time", Kind: kiosk.Checkout, State: kiosk.LineLent, Due: due.AddDate(1, 0, 0), Times: 1},
		{ID: "a5", Item: "31234000000053", Title: "Encyclopedia of Insects", Kind: kiosk.Checkout, State: kiosk.LineRefused, Reason: kiosk.ReasonNotForLoan, Times: 1},
		{ID: "a6", Item: "31234000000061", Title: "The Hobbit, or, There and Back Again", Kind: kiosk.Checkout, State: kiosk.LineAction, Reason: kiosk.ReasonOnLoanYou, Due: due, Times: 1},
		{ID: "a7", Item: "31234000000079", Title: "Pippi Longstocking", Kind: kiosk.Checkout, State: kiosk.LineWaiting, Times: 1},
	}
}

func returned() []kiosk.Line {
	ls := []kiosk.Line{
		{ID: "r1", Item: "31234000000012", Title: "The Very Hungry Caterpillar"},
		{ID: "r2", Item: "31234000000020", Title: "Where the Wild Things Are", Alert: true},
		{ID: "r3", Item: "31234000000038", Title: "Charlotte’s Web", Route: kiosk.Route{Bin: "3"}},
		{ID: "r4", Item: "31234000000046", Title: "A Wrinkle in Time", Alert: true, Route: kiosk.Route{For: kiosk.ForHold}},
		{ID: "r5", Item: "31234000000053", Title: "Matilda", Alert: true, Route: kiosk.Route{For: kiosk.ForHoldElsewhere, To: "Northside Branch"}},
		{ID: "r6", Item: "31234000000061", Title: "Holes", Alert: true, Route: kiosk.Route{For: kiosk.ForTransfer}},
	}
	for i := range ls {
		ls[i].Kind, ls[i].State, ls[i].Times = kiosk.Checkin, kiosk.LineReturned, 1
	}
	return ls
}

func held() []kiosk.Line {
	ls := []kiosk.Line{
		{ID: "h1", Item: "31234000000012", Title: "The Very Hungry Caterpillar"},
		{ID: "h2", Item: "31234000000020", Title: "Where the Wild Things Are"},
		{ID: "h3", Item: "31234000000038"},
	}
	for i := range ls {
		ls[i].State, ls[i].Reason, ls[i].Times = kiosk.LineAction, kiosk.ReasonWaitsForCard, 1
	}
	return ls
}

func many(now time.Time, n int) (ls []kiosk.Line) {
	for i := range n {
		ls = append(ls, kiosk.Line{ID: kiosk.ID(fmt.Sprint("m", i)), Item: "3123", Title: fmt.Sprintf("Volume %d of the Collected Tales", i+1),
			Kind: kiosk.Checkout, State: kiosk.LineLent, Due: now.AddDate(0, 0, 21), Times: 1})
	}
	return ls
}

// hostile are titles as catalogues and vandals write them.
func hostile(now time.Time) (ls []kiosk.Line) {
	for i, t := range []string{
		`<img src=x onerror="document.title='owned'"><b>bold</b> &amp; "quotes" 'and' {{.Patron}} ${x}`,
		strings.Repeat("An endless subtitle that nobody ever reads to its end, ", 8),
		strings.Repeat("Donaudampfschifffahrtsgesellschaftskapitän", 9),
		"ألف ليلة وليلة: حكايات (The 1001 Nights)",
		"\u202eevil.exe\u202d and \u2067more",
		"👩‍👩‍👧‍👦🐉📚 Emoji & Ẑ͖̭̮a̷̧̢l̴̨̛g̵̡o̶͜͝ " + strings.Repeat("Z\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0323\u0324\u0325", 12),
		"línea\r\nuno\x00\x1b[31m\tdos",
	} {
		ls = append(ls, kiosk.Line{ID: kiosk.ID(fmt.Sprint("x", i)), Item: "3123", Title: t, Times: 1, Kind: kiosk.Checkout,
			State: []kiosk.LineState{kiosk.LineLent, kiosk.LineRefused}[i%2], Due: now.AddDate(0, 0, 21), Reason: kiosk.ReasonOnLoanOther})
	}
	return ls
}
