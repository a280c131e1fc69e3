package scene

import (
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// refusedName begins the names of the scenes that show one reason each. They
// are not in Names: the gallery has a page for them.
const refusedName = "refused-"

// Refused names the scene of a reason.
func Refused(r kiosk.Reason) string { return refusedName + string(r) }

// refused is the scene of a reason, if the name is one.
func refused(name string) (func(now time.Time) kiosk.Screen, bool) {
	why, ok := strings.CutPrefix(name, refusedName)
	row := kiosk.RefusalOf(kiosk.Reason(why))
	if !ok || string(row.Reason) != why {
		return nil, false
	}
	return func(now time.Time) kiosk.Screen {
		switch row.Reason {
		case kiosk.ReasonWrongPIN, kiosk.ReasonCardInReturns, kiosk.ReasonTagMended, kiosk.ReasonCount:
			sc := items(now)
			if row.Reason == kiosk.ReasonWrongPIN {
				sc.View = kiosk.ViewPIN
			}
			sc.Notice = kiosk.Notice{Reason: row.Reason}
			return sc
		case kiosk.ReasonUnknownCard, kiosk.ReasonCardExpired, kiosk.ReasonCardLost, kiosk.ReasonCardBlocked, kiosk.ReasonFees, kiosk.ReasonOverdue,
			kiosk.ReasonPINTries, kiosk.ReasonPINOffline, kiosk.ReasonCardUnchecked:
			return kiosk.Screen{View: kiosk.ViewWelcome, Online: true, Notice: kiosk.Notice{Reason: row.Reason}}
		}
		l := kiosk.Line{ID: "a5", Item: "31234000000053", Title: "Encyclopedia of Insects", Kind: kiosk.Checkout, State: kiosk.LineRefused, Reason: row.Reason, Times: 1}
		switch row.Reason {
		case kiosk.ReasonOnLoanYou, kiosk.ReasonWaitsForCard, kiosk.ReasonPartsMissing, kiosk.ReasonPutBack, kiosk.ReasonTagStuck, kiosk.ReasonNotKept:
			l.State = kiosk.LineAction
		}
		sc := items(now, l)
		if row.Reason == kiosk.ReasonWaitsForCard {
			sc = kiosk.Screen{View: kiosk.ViewWelcome, Online: true, EndsAt: now.Add(time.Minute), Lines: sc.Lines}
		}
		return sc
	}, true
}
