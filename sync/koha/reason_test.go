package koha

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// TestReasonOf: the codes that Koha was heard to refuse with have a reason; a
// new one goes to staff. Each row leads into the catalogue.
func TestReasonOf(t *testing.T) {
	for codes, want := range map[string]kiosk.Reason{
		"Checkout not authorized (USERBLOCKEDNOENDDATE DEBARRED)": kiosk.ReasonCardBlocked, // recorded
		"Checkout not authorized (WTHDRAWN)":                      kiosk.ReasonNotForLoan,  // recorded
		"Renewal not authorized (too_many)":                       kiosk.ReasonNoRenewal,   // recorded
		"NOT_FOR_LOAN":                                            kiosk.ReasonNotForLoan, "ISSUED_TO_ANOTHER": kiosk.ReasonOnLoanOther, "RESERVE_WAITING": kiosk.ReasonOnHold,
		"RESERVED": kiosk.ReasonOnHold, "RESTRICTED": kiosk.ReasonNotForLoan, "DEBT": kiosk.ReasonFees, "EXPIRED": kiosk.ReasonCardExpired,
		"CARD_LOST": kiosk.ReasonCardLost, "TOO_MANY": kiosk.ReasonTooMany, "RENTALCHARGE": kiosk.ReasonFeeRequired,
		"CODE_OF_NEXT_YEAR": kiosk.ReasonAskStaff, "": kiosk.ReasonAskStaff,
	} {
		if got := reasonOf(codes); got != want {
			t.Errorf("reasonOf(%q) = %s; want %s", codes, got, want)
		}
	}
	for _, r := range reasons {
		if kiosk.RefusalOf(r.reason).Reason != r.reason {
			t.Errorf("%s leads to %s, which is not in the catalogue", r.code, r.reason)
		}
	}
}

// TestEmailOfAPatron: where the receipt may go; Koha has null for none.
func TestEmailOfAPatron(t *testing.T) {
	for body, want := range map[string]string{`"email": " okay@example.org "`: "okay@example.org", `"email": null`: "", `"email": ""`: "", `"firstname": "Olive"`: ""} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `[{"patron_id": 7, "cardnumber": "C1", `+body+`}]`) //nolint:errcheck // the client is gone
		}))
		u, err := New(Config{URL: srv.URL, User: "kiosk1", Password: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		if p, err := u.Identify(t.Context(), "C1", ""); err != nil || p.Email != want {
			t.Errorf("%s: e-mail %q, %v; want %q", body, p.Email, err, want)
		}
		u.Close()
		srv.Close()
	}
}
