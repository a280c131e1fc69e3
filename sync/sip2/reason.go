package sip2

import (
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// words lead from what ILSs say in AF to the kiosk's reasons. AF is free text
// that a library may rewrite, so this decides nothing but the words on the
// screen. Koha 23.05 and Evergreen as recorded; lower case, the first that is
// contained counts.
var words = []struct {
	text   string
	reason kiosk.Reason
}{
	{"checked out to another patron", kiosk.ReasonOnLoanOther},
	{"already checked out to another", kiosk.ReasonOnLoanOther},
	{"reserved for another", kiosk.ReasonOnHold},
	{"on hold for another", kiosk.ReasonOnHold},
	{"on hold", kiosk.ReasonOnHold},
	{"recalled for another", kiosk.ReasonOnHold},
	{"outstanding holds", kiosk.ReasonOnHold},
	{"not_for_loan", kiosk.ReasonNotForLoan},
	{"not for loan", kiosk.ReasonNotForLoan},
	{"wthdrawn", kiosk.ReasonNotForLoan},
	{"withdrawn", kiosk.ReasonNotForLoan},
	{"restricted", kiosk.ReasonNotForLoan},
	{"circulation desk", kiosk.ReasonNotForLoan},
	{"cannot be checked out at this", kiosk.ReasonNotForLoan},
	{"too_many", kiosk.ReasonTooMany},
	{"too many", kiosk.ReasonTooMany},
	{"limit", kiosk.ReasonTooMany},
	{"not checked out", kiosk.ReasonNotOnLoan},
	{"renewals", kiosk.ReasonNoRenewal},
	{"not renew", kiosk.ReasonNoRenewal},
	{"renewal not allowed", kiosk.ReasonNoRenewal},
	{"too_soon", kiosk.ReasonNoRenewal},
	{"debarred", kiosk.ReasonCardBlocked},
	{"expired", kiosk.ReasonCardExpired},
	{"card lost", kiosk.ReasonCardLost},
	{"fines", kiosk.ReasonFees},
	{"debt", kiosk.ReasonFees},
	{" owe", kiosk.ReasonFees},
	{"fee required", kiosk.ReasonFeeRequired},
	{"blocked", kiosk.ReasonCardBlocked},
	{"invalid patron", kiosk.ReasonUnknownCard},
	{"invalid cardnumber", kiosk.ReasonUnknownCard},
	{"patron not found", kiosk.ReasonUnknownCard},
	{"card number cannot be located", kiosk.ReasonUnknownCard},
	{"invalid item", kiosk.ReasonUnknownItem},
	{"item not found", kiosk.ReasonUnknownItem},
	{"no such item", kiosk.ReasonUnknownItem},
	{"password", kiosk.ReasonWrongPIN},
}

// reasonOf gives the kiosk's reason for an ILS's words, ReasonAskStaff for
// words it does not know.
func reasonOf(text string) kiosk.Reason {
	text = strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(text, w.text) {
			return w.reason
		}
	}
	return kiosk.ReasonAskStaff
}

// flagReasons are the reasons of the 14 patron status flags, by position; the
// ones that are empty do not keep from borrowing by themselves.
var flagReasons = [14]kiosk.Reason{
	4: kiosk.ReasonCardLost, 5: kiosk.ReasonTooMany, 6: kiosk.ReasonOverdue, 7: kiosk.ReasonTooMany, 8: kiosk.ReasonCardBlocked,
	9: kiosk.ReasonCardBlocked, 10: kiosk.ReasonFees, 11: kiosk.ReasonFees, 12: kiosk.ReasonOverdue, 13: kiosk.ReasonFees,
}

// blockOf reads why a patron may not borrow, or "": flag 0 says that, the
// others and the text say why.
func blockOf(status, text string) kiosk.Reason {
	if !strings.HasPrefix(status, "Y") {
		return ""
	}
	for i, c := range status {
		if c == 'Y' && i < len(flagReasons) && flagReasons[i] != "" {
			return flagReasons[i]
		}
	}
	if r := reasonOf(text); r != kiosk.ReasonAskStaff {
		return r
	}
	return kiosk.ReasonCardBlocked
}
