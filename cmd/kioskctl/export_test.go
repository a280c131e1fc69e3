package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

func TestOutboxExport(t *testing.T) {
	s := newSite(t)
	list := "barcode,title\n"
	for _, n := range []int{31, 32, 34, 35} {
		list += string(kiosktest.Barcode(n)) + ",Title\n"
	}
	s.ctl(0, "import", "items", s.write("items.csv", list))
	told := kiosktest.As(kiosktest.Checkout(1, 31, 1), kiosk.Offline, kiosktest.Morning.AddDate(0, 0, 14))
	doubt := kiosktest.As(kiosktest.Checkout(2, 32, 1), kiosk.Offline, kiosktest.Morning.AddDate(0, 0, 14))
	told.Title = "=HYPERLINK()"
	back := kiosktest.As(kiosktest.Checkin(3, 32), kiosk.Offline, time.Time{}) // of what may have been heard of
	clock := kiosktest.As(kiosktest.Checkout(6, 31, 1), kiosk.Offline, time.Time{})
	clock.Item, clock.Patron, clock.Doubt = kiosktest.Barcode(35), kiosktest.Card(9), true // made in 1970, say
	s.record(told, doubt, back, clock)
	unlisted := kiosktest.As(kiosktest.Checkout(4, 33, 3), kiosk.Offline, kiosktest.Morning.AddDate(0, 0, 14))
	behind := kiosktest.As(kiosktest.Checkout(5, 34, 3), kiosk.Offline, kiosktest.Morning.AddDate(0, 0, 14))
	s.record(unlisted, behind)
	s.conclude(kiosk.Outcome{Entry: doubt.ID, State: kiosk.Unsure, At: time.Now()})
	koc := filepath.Join(s.dir, "out.koc")
	contains(t, s.ctl(0, "outbox", "export", koc), "1 entry is in", "left out: checkout of \""+string(clock.Item), "clock was wrong", "told twice", "3 more stay", "1 has a card or an item")
	raw, err := os.ReadFile(koc)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(raw), "Version=1.0\t", "\tissue\t"+string(told.Patron)+"\t"+string(told.Item)+"\n")
	s.ctl(1, "outbox", "export", koc) // it is there
	contains(t, s.ctl(0, "outbox", "export", "-all", filepath.Join(s.dir, "all.koc")), "3 entries are in", "2 more stay")
	table := filepath.Join(s.dir, "out.csv")
	s.ctl(0, "outbox", "export", "-format", "csv", table)
	raw, err = os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(s.dir)
	contains(t, s.ctl(0, "outbox", "export", "-format", "csv"), " in outbox-")
	if named, err := filepath.Glob("outbox-*.csv"); len(named) != 1 || err != nil {
		t.Errorf("without a name the table is in %q, %v", named, err)
	}
	contains(t, string(raw), "at,kind,card", "checkout,"+string(told.Patron), "'=HYPERLINK()", string(clock.ID)+",in doubt\n", string(told.ID)+",\n")
	if strings.Contains(string(raw), "\r") {
		t.Errorf("the table's lines end in CR LF: %q", raw)
	}
	contains(t, s.ctl(0, "outbox"), "6 entries wait")

	settled := filepath.Join(s.dir, "settled.koc")
	contains(t, s.ctl(0, "outbox", "export", "-settle", settled), "1 entry is off the outbox")
	contains(t, s.ctl(0, "outbox"), "5 entries wait", "unsure")
	contains(t, s.ctl(0, "loans", "-item", string(told.Item)), "settled")
	s.start()
	s.ctl(1, "outbox", "export", "-settle", filepath.Join(s.dir, "x.koc")) // the daemon runs
}
