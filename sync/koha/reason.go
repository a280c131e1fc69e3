package koha

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// reasons are Koha's codes (C4::Circulation CanBookBeIssued, CanBookBeRenewed)
// in the kiosk's words, those that say most first.
var reasons = []struct {
	code   string
	reason kiosk.Reason
}{
	{"CARD_LOST", kiosk.ReasonCardLost}, {"EXPIRED", kiosk.ReasonCardExpired},
	{"USERBLOCKEDNOENDDATE", kiosk.ReasonCardBlocked}, {"USERBLOCKEDWITHENDDATE", kiosk.ReasonCardBlocked},
	{"USERBLOCKEDOVERDUE", kiosk.ReasonOverdue}, {"DEBARRED", kiosk.ReasonCardBlocked}, {"GNA", kiosk.ReasonCardBlocked},
	{"DEBT_GUARANTEES", kiosk.ReasonFees}, {"DEBT_GUARANTORS", kiosk.ReasonFees}, {"DEBT", kiosk.ReasonFees},
	{"WTHDRAWN", kiosk.ReasonNotForLoan}, {"NOT_FOR_LOAN_FORCING", kiosk.ReasonNotForLoan}, {"NOT_FOR_LOAN", kiosk.ReasonNotForLoan},
	{"RESTRICTED", kiosk.ReasonNotForLoan}, {"ITEMNOTSAMEBRANCH", kiosk.ReasonNotForLoan}, {"AGE_RESTRICTION", kiosk.ReasonNotForLoan},
	{"UNKNOWN_BARCODE", kiosk.ReasonUnknownItem}, {"ITEM_NOT_FOUND", kiosk.ReasonUnknownItem}, {"PATRON_NOT_FOUND", kiosk.ReasonUnknownCard},
	{"ISSUED_TO_ANOTHER", kiosk.ReasonOnLoanOther}, {"RESERVE_WAITING", kiosk.ReasonOnHold}, {"RESERVED", kiosk.ReasonOnHold},
	{"RECALLED", kiosk.ReasonOnHold}, {"on_reserve", kiosk.ReasonOnHold}, {"recalled", kiosk.ReasonOnHold},
	{"TOO_MANY", kiosk.ReasonTooMany}, {"RENTALCHARGE", kiosk.ReasonFeeRequired},
	{"NO_MORE_RENEWALS", kiosk.ReasonNoRenewal}, {"too_many", kiosk.ReasonNoRenewal}, {"too_soon", kiosk.ReasonNoRenewal},
	{"too_unseen", kiosk.ReasonNoRenewal}, {"too_late", kiosk.ReasonNoRenewal}, {"auto_", kiosk.ReasonNoRenewal},
	{"overdue", kiosk.ReasonOverdue}, {"restriction", kiosk.ReasonCardBlocked}, {"no_checkout", kiosk.ReasonNotOnLoan},
	{"item_denied_renewal", kiosk.ReasonNoRenewal}, {"item_issued_to_other_patron", kiosk.ReasonOnLoanOther},
}

// reasonOf finds the reason in a list of codes.
func reasonOf(text string) kiosk.Reason {
	for _, r := range reasons {
		if strings.Contains(text, r.code) {
			return r.reason
		}
	}
	return kiosk.ReasonAskStaff
}

// refused is a no for codes.
func refused(codes string) error {
	return &kiosk.Error{Code: kiosk.CodeRefused, Reason: reasonOf(codes), Text: codes}
}

// refusal makes a no of an answer: 403 and 409 are one, what else comes is not
// understood.
func refusal(f *failure) error {
	switch f.status {
	case http.StatusForbidden:
		return refused(f.text)
	case http.StatusConflict:
		r := kiosk.ReasonUnknownItem
		if strings.HasPrefix(f.text, "Patron") {
			r = kiosk.ReasonUnknownCard
		}
		return &kiosk.Error{Code: kiosk.CodeRefused, Reason: r, Text: f.text}
	}
	return invalid(f)
}

// codes are what is in the way, without what Koha tells of other patrons: the
// codes are in capitals.
func codes(a availability) string {
	var list []string
	for _, m := range []map[string]any{a.Blockers, a.Confirms} {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if k == strings.ToUpper(k) {
				list = append(list, k)
			}
		}
	}
	return strings.Join(list, " ")
}

// only tells whether nothing else is to be confirmed.
func only(m map[string]any, code string) bool {
	for k := range m {
		if k == strings.ToUpper(k) && k != code {
			return false
		}
	}
	return m[code] != nil
}
