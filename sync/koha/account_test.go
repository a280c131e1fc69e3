package koha

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// sipAccount is what SIP2 tells of an account: no place, no number of renewals.
type sipAccount struct{ kiosk.Upstream }

func (sipAccount) Account(context.Context, kiosk.Card) (kiosk.Account, error) {
	return kiosk.Account{Owed: "1.50 USD",
		Loans: []kiosk.Borrowed{{Item: "B1", Renewals: -1}, {Item: "B2", Renewals: -1}, {Item: "B3", Renewals: -1}, {Title: "no number", Renewals: -1}},
		Holds: []kiosk.Hold{{Item: "B4", Ready: true}, {Item: "B5"}, {Item: "B6"}, {Title: "no number"}}}, nil
}

// answers are Koha's, by path, shaped as those recorded from 23.05.
var answers = map[string]string{
	"/api/v1/patrons":                     `[{"patron_id": 66, "cardnumber": "C1", "opac_notes": " Your parcel is here. "}]`,
	"/api/v1/patrons/66/holds":            `[{"biblio_id": 16, "item_id": "4", "status": "W", "priority": 0, "pickup_library_id": "CPL"}, {"biblio_id": 17, "item_id": null, "status": null, "priority": 3, "pickup_library_id": "CPL"}, {"biblio_id": 18, "item_id": 6, "status": "T", "priority": 0, "pickup_library_id": "CPL"}]`,
	"/api/v1/libraries/CPL":               `{"library_id": "CPL", "name": "Centerville"}`,
	"/api/v1/checkouts":                   `[{"checkout_id": 11, "item_id": 1}, {"checkout_id": 12, "item_id": 2}, {"checkout_id": 13, "item_id": 3}]`,
	"/api/v1/checkouts/11/allows_renewal": `{"allows_renewal": true, "current_renewals": 1, "error": null, "max_renewals": 3, "unseen_renewals": 0}`,
	"/api/v1/checkouts/12/allows_renewal": `{"allows_renewal": false, "current_renewals": 2, "error": "too_many", "max_renewals": 2}`,
}

func kohaSays(t *testing.T, says func(path string) (string, int)) *Upstream {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/items" {
			b := r.URL.Query().Get("external_id")
			fmt.Fprintf(w, `[{"item_id": %s, "external_id": %q, "biblio_id": 1%d}]`, b[1:], b, b[1]-'0'+2)
			return
		}
		body, status := says(r.URL.Path)
		w.WriteHeader(status)
		io.WriteString(w, body) //nolint:errcheck // the client is gone
	}))
	t.Cleanup(srv.Close)
	u, err := New(Config{URL: srv.URL, User: "u", Password: "p", Happened: sipAccount{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

// told is an account in short.
func told(a kiosk.Account) string {
	var s []string
	for _, l := range a.Loans {
		s = append(s, fmt.Sprint(l.Renewals))
	}
	for _, h := range a.Holds {
		s = append(s, fmt.Sprintf("%d%s", h.Place, h.At))
	}
	return strings.Join(s, " ") + " " + a.Message
}

// TestAccount: what REST knows comes to what SIP2 tells; what it does not know,
// or may not tell, stays unknown and costs nothing else.
func TestAccount(t *testing.T) {
	full := "2 0 -1 -1 0Centerville 3 0 0 Your parcel is here."
	for name, tt := range map[string]struct{ without, want string }{
		"all":            {"-", full},
		"no holds":       {"/holds", "2 0 -1 -1 0 0 0 0 Your parcel is here."},
		"no libraries":   {"/libraries", "2 0 -1 -1 0 3 0 0 Your parcel is here."},
		"no checkouts":   {"/checkouts", "-1 -1 -1 -1 0Centerville 3 0 0 Your parcel is here."},
		"not the patron": {"/patrons", "-1 -1 -1 -1 0 0 0 0 "},
	} {
		u := kohaSays(t, func(path string) (string, int) {
			body, ok := answers[path]
			if !ok || strings.Contains(path, tt.without) {
				return `{"error":"Authorization failure. Missing required permission(s)."}`, http.StatusForbidden
			}
			if !json.Valid([]byte(body)) {
				t.Errorf("%s is no JSON", path)
			}
			return body, http.StatusOK
		})
		a, err := u.Account(t.Context(), "C1")
		if err != nil || a.Owed != "1.50 USD" || told(a) != tt.want {
			t.Errorf("%s: %q, %v; want %q", name, told(a), err, tt.want)
		}
	}
}

// TestAccountInTime: a Koha that does not answer over REST leaves what SIP2
// has told, within the deadline.
func TestAccountInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, err := New(Config{URL: "http://koha.example", User: "u", Password: "p", Happened: sipAccount{}})
		if err != nil {
			t.Fatal(err)
		}
		u.client.http.Transport = silent{}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		a, err := u.Account(ctx, "C1")
		if err != nil || len(a.Loans) != 4 || ctx.Err() != nil {
			t.Errorf("%d loans, %v, %v; want those of SIP2, in time", len(a.Loans), err, ctx.Err())
		}
	})
}

// silent answers nothing.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}
