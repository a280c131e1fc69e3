package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// TestExceptionShow: both sides' facts of one exception, and the ways out. An
// ILS that does not answer keeps nobody from reading ours.
func TestExceptionShow(t *testing.T) {
	s := newSite(t)
	s.ctl(0, "import", "items", s.write("items.csv", items))
	due := time.Now().AddDate(0, 0, 21)
	e := kiosktest.As(kiosktest.Checkout(1, 31, 1), kiosk.Offline, due)
	s.record(e)
	o := kiosktest.After(e, kiosk.Exception)
	o.Reason, o.Text = kiosk.ReasonOnLoanOther, "Item checked out to another patron."
	s.conclude(o)
	ours := []string{"the kiosk recorded", "a loan", string(e.Item), string(e.Patron), due.Format(time.DateOnly), o.Text,
		"exceptions resolve " + string(e.ID) + " -how retry", "-how override", "-how dismiss"}
	contains(t, s.ctl(0, "exceptions"), "kioskctl exceptions show")
	contains(t, s.ctl(0, "exceptions", "show", string(e.ID)), append(ours, "can't be asked: this kiosk has no upstream")...)
	s.ctl(1, "exceptions", "show", "nosuch")

	ils, addr := library(t, upstreamtest.Rules{}, sip2.ServerConfig{})
	s.upstream(addr, "")
	show := func(want string) {
		t.Helper()
		contains(t, s.ctl(0, "exceptions", "show", string(e.ID)), append(ours, want)...)
	}
	show("it knows no such item")
	ils.AddPatron(kiosk.Patron{Card: e.Patron}, "")
	ils.AddPatron(kiosk.Patron{Card: "other"}, "")
	ils.AddItems(kiosk.Item{Barcode: e.Item})
	show("not on loan: available")
	theirs := time.Now().AddDate(0, 0, 9)
	if err := ils.AddLoan(kiosk.Loan{Item: e.Item, Patron: "other", At: time.Now(), Due: theirs}); err != nil {
		t.Fatal(err)
	}
	if err := ils.AddHold(e.Item, e.Patron); err != nil {
		t.Fatal(err)
	}
	show("on loan to another card, due " + theirs.Format(time.DateOnly))
	show("1 patron waits for it")
	var v struct {
		Entry    kiosk.ID
		Advice   kiosk.Advice
		Promised time.Time
		Now      *itemNow
	}
	if err := json.Unmarshal([]byte(s.ctl(0, "-json", "exceptions", "show", string(e.ID))), &v); err != nil || v.Entry != e.ID || v.Promised.IsZero() ||
		v.Advice != kiosk.AdviceIfYours || v.Now == nil || v.Now.Whose != "another's" || v.Now.Holds == nil || *v.Now.Holds != 1 {
		t.Errorf("for scripts: %+v, %v", v, err)
	}
	s.upstream("127.0.0.1:1", "")
	show("can't be asked: offline")
}
