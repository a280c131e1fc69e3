package sip2

import (
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// TestReasonOf: what real servers say in refusing, each text as recorded or as
// it stands in their sources, has a reason; what none is known for goes to
// staff.
func TestReasonOf(t *testing.T) {
	for text, want := range map[string]kiosk.Reason{
		// Koha 23.05, as recorded
		"Item checked out to another patron":               kiosk.ReasonOnLoanOther,
		"Item is on hold for another patron.":              kiosk.ReasonOnHold,
		"Item is reserved for another patron upon return.": kiosk.ReasonOnHold,
		"Item unavailable due to outstanding holds":        kiosk.ReasonOnHold,
		"Item cannot be issued: TOO_MANY":                  kiosk.ReasonTooMany,
		"Item has reached maximum renewals":                kiosk.ReasonNoRenewal,
		"Issue failed : NOT_FOR_LOAN":                      kiosk.ReasonNotForLoan,
		"Issue failed : WTHDRAWN":                          kiosk.ReasonNotForLoan,
		"Issue failed : RESTRICTED":                        kiosk.ReasonNotForLoan,
		"Patron debarred":                                  kiosk.ReasonCardBlocked,
		"Patron blocked":                                   kiosk.ReasonCardBlocked,
		"Patron expired on 01/01/2021":                     kiosk.ReasonCardExpired,
		"Patron has fines":                                 kiosk.ReasonFees,
		"Item not checked out":                             kiosk.ReasonNotOnLoan,
		"Item not checked out to Olive Okay":               kiosk.ReasonNotOnLoan,
		"Item withdrawn, return not allowed":               kiosk.ReasonNotForLoan,
		"Invalid Patron":                                   kiosk.ReasonUnknownCard,
		"Invalid cardnumber":                               kiosk.ReasonUnknownCard,
		"Invalid Item":                                     kiosk.ReasonUnknownItem,
		"Greetings from Koha.  -- Invalid password":        kiosk.ReasonWrongPIN,
		// Koha's source
		"Outstanding Fines block issue":                              kiosk.ReasonFees,
		"Item must be checked out at a circulation desk":             kiosk.ReasonNotForLoan,
		"Item has been recalled for another patron":                  kiosk.ReasonOnHold,
		"Item type cannot be checked out at this checkout location":  kiosk.ReasonNotForLoan,
		"Item already checked out to another patron.  Please return": kiosk.ReasonOnLoanOther,
		"Item is on hold, please return to circulation desk":         kiosk.ReasonOnHold,
		"Item lost, return not allowed":                              kiosk.ReasonAskStaff,
		"Checkin failed":                                             kiosk.ReasonAskStaff,
		"Issue failed : SOMETHING_NEW":                               kiosk.ReasonAskStaff,
		// Evergreen, fsip2 and invenio-sip2, as recorded
		"Patron Blocked":   kiosk.ReasonCardBlocked,
		"Patron not found": kiosk.ReasonUnknownCard,
		"Item not found":   kiosk.ReasonUnknownItem,
		"No such item.":    kiosk.ReasonUnknownItem,
		"Fee required":     kiosk.ReasonFeeRequired,
		"Checkout failed":  kiosk.ReasonAskStaff,
		"Your library card number cannot be located. Please see a staff member for assistance.": kiosk.ReasonUnknownCard,
		"Loan period reduced for high-demand item, moon in the seventh house":                   kiosk.ReasonAskStaff,
		"": kiosk.ReasonAskStaff,
	} {
		if got := reasonOf(text); got != want {
			t.Errorf("reasonOf(%q) = %s; want %s", text, got, want)
		}
	}
	for _, w := range words {
		if kiosk.RefusalOf(w.reason).Reason != w.reason {
			t.Errorf("%q leads to %s, which is not in the catalogue", w.text, w.reason)
		}
	}
	for i, r := range flagReasons {
		if r != "" && kiosk.RefusalOf(r).Reason != r {
			t.Errorf("flag %d leads to %s, which is not in the catalogue", i, r)
		}
	}
}
