package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/sync/koha"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// TestRefresh: the whole way from the command to a Koha and back, and how
// status tells of it.
func TestRefresh(t *testing.T) {
	ils := upstreamtest.New(upstreamtest.Rules{})
	ils.AddUser("kiosk1", "secret")
	var barcodes []kiosk.Barcode
	for n := range 120 {
		i := kiosktest.Item(n)
		barcodes = append(barcodes, i.Barcode)
		ils.AddItems(i)
	}
	p := kiosktest.Patron(1)
	ils.AddPatron(p, "")
	if err := ils.AddLoan(kiosk.Loan{Item: barcodes[0], Patron: p.Card, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	inner := (&koha.Server{Backend: ils, Cards: func() []kiosk.Card { return []kiosk.Card{p.Card} }, Barcodes: func() []kiosk.Barcode { return barcodes }}).Handler()
	var denied atomic.Bool // what a user without the permission is answered
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if denied.Load() && r.URL.Path == "/api/v1/patrons" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"error":"Authorization failure. Missing required permission(s).","required_permissions":{"borrowers":"edit_borrowers"}}`)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()

	s := newSite(t)
	s.ctl(1, "refresh") // no daemon
	conf, err := os.ReadFile(s.conf)
	if err != nil {
		t.Fatal(err)
	}
	s.write("pw", "secret")
	s.write("kiosk.toml", string(conf)+fmt.Sprintf("[upstream]\ndriver = \"koha\"\nurl = %q\nuser = \"kiosk1\"\npassword_file = \"pw\"\n", server.URL))
	s.start()
	contains(t, s.ctl(0, "status"), "never yet; by itself never (kioskctl refresh)")
	contains(t, s.ctl(0, "refresh"), "items: 120 rows read: 120 new", "patrons: 1 row read", "loans: 1 row read: 1 new")
	contains(t, s.ctl(0, "status"), "120 items, 1 patron, 1 loan", "as of 20")
	if _, err := ils.Do(kiosk.Entry{Kind: kiosk.Checkin, Item: barcodes[0], At: time.Now(), State: kiosk.Asked}, false); err != nil {
		t.Fatal(err)
	}
	contains(t, s.ctl(0, "refresh", "-full"), "loans: 0 rows read: 0 new, 0 changed, 0 the same; 1 loan is over")

	denied.Store(true)
	s.ctl(1, "refresh")
	var st control.Status
	if err := json.Unmarshal([]byte(s.ctl(0, "-json", "status")), &st); err != nil {
		t.Fatal(err)
	}
	if len(st.Refresh) != 3 || st.Refresh[1].Error == "" || st.Refresh[1].Stuck || st.Refresh[0].Error != "" || st.Loans != 0 {
		t.Errorf("status after a refusal: %+v", st.Refresh)
	}
}
