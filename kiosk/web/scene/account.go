package scene

import (
	"fmt"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// The account: full, empty, asked for, covered, of yesterday, hostile.
func init() {
	for name, s := range map[string]func(now time.Time) kiosk.Screen{
		"account": func(now time.Time) kiosk.Screen {
			return account(now, mine(now), kiosk.Account{Owed: "2.50 USD", Message: "Your reading club meets on Friday at four.", Holds: waits()})
		},
		"account-one": func(now time.Time) kiosk.Screen {
			return account(now, mine(now)[:1], kiosk.Account{})
		},
		"account-empty": func(now time.Time) kiosk.Screen { return account(now, nil, kiosk.Account{}) },
		"account-loading": func(now time.Time) kiosk.Screen {
			sc := account(now, nil, kiosk.Account{})
			sc.Account = nil
			return sc
		},
		"account-covered": func(now time.Time) kiosk.Screen {
			sc := account(now, nil, kiosk.Account{})
			sc.Account, sc.Patron, sc.Covered = nil, "", true
			return sc
		},
		"account-offline": func(now time.Time) kiosk.Screen {
			sc := account(now, mine(now)[1:4], kiosk.Account{Local: true, Seen: now.Add(-20 * time.Hour), Blocked: kiosk.ReasonOverdue})
			sc.Online = false
			return sc
		},
		"account-renewing": func(now time.Time) kiosk.Screen {
			ls := mine(now)
			ls[0].State, ls[0].Reason = kiosk.LineRefused, kiosk.ReasonOnHold
			ls[1].State, ls[1].Reason, ls[1].Due = kiosk.LineRenewed, "", now.AddDate(0, 0, 21)
			ls[2].State, ls[2].Reason = kiosk.LineWaiting, ""
			sc := account(now, ls, kiosk.Account{Blocked: kiosk.ReasonFees, Owed: "12.00 USD"})
			sc.Busy = true
			return sc
		},
		"account-hostile": func(now time.Time) kiosk.Screen {
			var ls []kiosk.Line
			a := kiosk.Account{Owed: strings.Repeat("999", 40) + "<b>", Message: strings.Repeat("<b>Message</b> \u202e", 30), Loans: []kiosk.Borrowed{{Title: strings.Repeat("No number. ", 30)}}}
			for i, l := range hostile(now) {
				l.Kind, l.State, l.Reason, l.Listed, l.Renewals = kiosk.Renew, kiosk.LineAction, kiosk.ReasonOnLoanYou, true, i-1
				ls = append(ls, l)
				a.Holds = append(a.Holds, kiosk.Hold{Title: l.Title, Ready: i%2 == 0, At: l.Title, Place: i * 1000})
			}
			sc := account(now, ls, a)
			sc.Patron = "<script>alert(1)</script>" + strings.Repeat("Wolfeschlegelsteinhausen", 8)
			return sc
		},
	} {
		scenes[name] = s
	}
}

func account(now time.Time, ls []kiosk.Line, a kiosk.Account) kiosk.Screen {
	sc := items(now, ls...)
	sc.View, sc.Account = kiosk.ViewAccount, &a
	return sc
}

// mine are loans of an account: one overdue, one that can't be renewed again.
func mine(now time.Time) (ls []kiosk.Line) {
	for i, title := range []string{"Charlotte’s Web", "The Very Hungry Caterpillar", "Where the Wild Things Are", "A Wrinkle in Time", "Matilda"} {
		ls = append(ls, kiosk.Line{ID: kiosk.ID(fmt.Sprint("b", i)), Item: kiosk.Barcode(fmt.Sprintf("312340000003%02d", i)), Title: title, Kind: kiosk.Renew,
			State: kiosk.LineAction, Reason: kiosk.ReasonOnLoanYou, Due: now.AddDate(0, 0, 5*i-3), Times: 1, Listed: true, Renewals: i - 1})
	}
	ls[0].Renewals, ls[4].Renewals = 1, 0
	return ls
}

func waits() []kiosk.Hold {
	return []kiosk.Hold{{Title: "Holes", Ready: true, At: "Main desk"}, {Title: "Hatchet", Ready: true}, {Title: "Momo", Place: 3}, {Title: "Pippi Longstocking"}}
}
