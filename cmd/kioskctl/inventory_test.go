package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// shelves gives the site a library of 40 books on two locations.
func (s *site) shelves() {
	s.Helper()
	text := "barcode,title,call_number,call_number_scheme,library,location,status\n"
	for i := range 40 {
		place, status := "Stacks", "available"
		if i >= 30 {
			place = "Display"
		}
		if i == 5 {
			status = "lost"
		}
		text += fmt.Sprintf("%s,Book %d,%d A,ddc,MAIN,%s,%s\n", shelfBook(i), i, 500+i, place, status)
	}
	s.ctl(cli.OK, "import", "items", s.write("items.csv", text))
}

func shelfBook(i int) string { return fmt.Sprintf("3%013d", i) }

func shelfBooks(list ...int) string {
	var b strings.Builder
	for _, i := range list {
		fmt.Fprintf(&b, "%s\r\n", shelfBook(i))
	}
	return b.String()
}

func (s *site) has(out string, want ...string) {
	s.Helper()
	for _, w := range want {
		if !strings.Contains(out, w) {
			s.Errorf("it does not say %q:\n%s", w, out)
		}
	}
}

// TestInventory goes through one, without a daemon and beside one.
func TestInventory(t *testing.T) {
	for _, running := range []bool{false, true} {
		t.Run(fmt.Sprint("daemon ", running), func(t *testing.T) {
			s := newSite(t)
			s.shelves()
			if running {
				s.start()
			}
			s.has(s.ctl(cli.OK, "inventory"), "no inventory yet")
			s.has(s.ctl(cli.OK, "inventory", "start", "-library", "MAIN", "-location", "Stacks", "-name", "upstairs"), "upstairs, MAIN / Stacks")
			s.ctl(cli.Failed, "inventory", "start", "-library", "MAIN", "-from", "600", "-to", "500", "-scheme", "ddc")
			s.ctl(cli.Failed, "inventory", "start", "-library", "NONE")
			out, errs := s.both(cli.OK, "inventory", "want", s.write("holds.txt", "barcode\n"+shelfBooks(3)+"\x01\n"), "-for", "hold")
			s.has(out, "1 item is wanted for hold")
			s.has(errs, "line 3: ")

			out = s.ctl(cli.OK, "inventory", "scan", "last", shelfBook(0), shelfBook(1), shelfBook(20), shelfBook(2), shelfBook(3), "SHELF-7", shelfBook(5), shelfBook(31), "rubbish", "39999999999999")
			s.has(out, shelfBook(0)+"  500 A  Book 0", "\a"+shelfBook(20)+"  520 A; ahead: belongs between 519 A and 521 A", "WANTED for hold", "shelf 7", "\a"+shelfBook(5)+"  505 A; LOST",
				"WRONG LOCATION; belongs to MAIN / Display", "\a\"rubbish\": it is no item number of this library", "39999999999999  no call number; UNKNOWN")
			out, errs = s.both(cli.OK, "inventory", "load", "upstairs", s.write("collector.txt", "\ufeffbarcode,time\r\n"+shelfBook(6)+",2026-11-02 09:00:00\r\n\r\nxyz,\r\n\x01,\r\n"+shelfBook(8)+",late\r\n"))
			s.has(out, "2 scans taken, of 4 rows; 0 are to be looked at")
			s.has(errs, "line 4: xyz: ", "line 5: ", "line 6: "+shelfBook(8)+`: "late" is no time`)
			if running {
				s.has(s.wrong(cli.Failed, "inventory", "load", "nosuch", s.write("other.txt", shelfBooks(1))), "invalid: no inventory")
			}
			s.has(s.ctl(cli.OK, "inventory", "load", "upstairs", s.write("same.txt", strings.Repeat(shelfBook(8)+"\n", 500))), "500 scans taken, of 500 rows", "undo -file takes all back")
			s.has(s.ctl(cli.OK, "inventory", "load", "upstairs", s.write("wrong.txt", shelfBooks(25, 26))), "2 scans taken")
			s.has(s.ctl(cli.OK, "inventory", "undo", "upstairs", "-file"), "2 scans: taken back")

			s.ctl(cli.OK, "inventory", "pause", "last")
			s.ctl(cli.Failed, "inventory", "scan", "last", shelfBook(9))
			s.has(s.ctl(cli.OK, "inventory", "list"), "paused", "upstairs")
			s.ctl(cli.OK, "inventory", "resume", "last")
			s.ctl(cli.OK, "inventory", "scan", "last", shelfBook(29))
			s.has(s.ctl(cli.OK, "inventory", "undo", "last"), "taken back")
			s.ctl(cli.OK, "inventory", "note", "last", shelfBook(2), "cover")

			s.has(s.ctl(cli.OK, "inventory", "search", "last"), "507 A", "look between 506 A and 508 A")
			s.has(s.ctl(cli.OK, "inventory", "scan", "last", shelfBook(4), shelfBook(7)), "\a\a"+shelfBook(4), "FOUND: it was looked for")
			out = s.ctl(cli.OK, "inventory", "report", "last")
			s.has(out, "10 met of 29", "TO MOVE", "stands between 501 A and 502 A", "SURPRISES", "wanted for hold", "CONDITIONS", "cover")
			if strings.Contains(out, "MISSING") {
				t.Errorf("nothing is missing any more:\n%s", out)
			}
			s.has(s.ctl(cli.OK, "inventory", "report", "last", "-csv", "-"), "problem,barcode,title", "out of order,"+shelfBook(20))
			file := filepath.Join(s.dir, "koha.txt")
			s.ctl(cli.OK, "inventory", "report", "last", "-koha", file)
			raw, err := os.ReadFile(file)
			if want := shelfBooks(0, 1, 2, 4, 6, 7, 8, 20); err != nil || string(raw) != want {
				t.Errorf("Koha's file is %q, %v; want %q", raw, err, want)
			}
			s.ctl(cli.Failed, "inventory", "report", "last", "-koha", file) // it is there

			s.ctl(cli.OK, "import", "patrons", s.write("patrons.csv", "barcode,family_name\n21234000000017,Lin\n"))
			s.ctl(cli.OK, "import", "loans", s.write("loans.csv", "patron_barcode,item_barcode,out_at,due_at\n21234000000017,"+shelfBook(10)+",2026-11-02 10:15,2026-11-23\n"))
			s.has(s.ctl(cli.OK, "inventory", "scan", "last", shelfBook(10)), "ON LOAN")
			s.has(s.ctl(cli.OK, "inventory", "return", "last", "-all"), shelfBook(10), "planned", "1 change is planned")
			s.ctl(cli.Failed, "inventory", "return", "last", shelfBook(0)) // not on loan
			s.has(s.ctl(cli.OK, "inventory", "send", "last"), "1 change is in the outbox")
			s.has(s.ctl(cli.OK, "inventory", "changes", "last"), "sent")
			s.has(s.ctl(cli.OK, "outbox"), "checkin", shelfBook(10))
			s.ctl(cli.Failed, "inventory", "tell", "last", shelfBook(0)) // the library's system is not told

			s.ctl(cli.OK, "inventory", "finish", "last", "-whole")
			var r inventory.Report
			if err := json.Unmarshal([]byte(s.ctl(cli.OK, "-json", "inventory", "report", "last")), &r); err != nil || len(r.Missing) != 19 || r.Inventory.Stage != kiosk.Ended {
				t.Errorf("the report: %v, %d missing, %s; want 19, ended", err, len(r.Missing), r.Inventory.Stage)
			}
			s.ctl(cli.Failed, "inventory", "scan", "last", shelfBook(9))
			s.ctl(cli.Failed, "inventory", "report", "nosuch")

			s.has(s.ctl(cli.OK, "inventory", "picks"), "MAIN / Stacks", "503 A", "hold")
			s.ctl(cli.Failed, "inventory", "picks", "-weed") // by which rule?
			s.has(s.ctl(cli.OK, "inventory", "pair", shelfBook(1), shelfBook(2)), "501 A | 502 A  in order")
			s.has(s.ctl(cli.OK, "inventory", "pair", shelfBook(2), shelfBook(1)), "\anot in order")
			if !running {
				s.ctl(cli.Failed, "inventory", "walk", "last")
			}
		})
	}
}

// TestPairTyped goes along a shelf with a scanner that types: each book is
// compared with the one before.
func TestPairTyped(t *testing.T) {
	s := newSite(t)
	s.shelves()
	was := stdin
	defer func() { stdin = was }()
	stdin = strings.NewReader("misread\n" + shelfBooks(1, 2, 0) + "rubbish\n" + shelfBooks(3) + "s\n" + shelfBooks(9, 8))
	out := s.ctl(cli.OK, "inventory", "pair")
	want := []string{"\a\"misread\" is no item's number", "501 A | 502 A  in order", "502 A | 500 A  \anot in order", "\a\"rubbish\" is no item's number", "500 A | 503 A  in order", "509 A | 508 A  \anot in order"}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != len(want) {
		t.Fatalf("said\n%s", out)
	}
	for i, w := range want {
		if !strings.HasPrefix(lines[i], w) {
			t.Errorf("line %d is %q; want %q", i, lines[i], w)
		}
	}
}

// whenRead does something when it is read, and is at its end.
type whenRead func()

func (r whenRead) Read([]byte) (int, error) { r(); return 0, io.EOF }

// TestPairTypedFails: what is typed wrongly beside a daemon is told to scripts
// too; a daemon that goes away ends it.
func TestPairTypedFails(t *testing.T) {
	s := newSite(t)
	s.shelves()
	stop := s.start()
	was, wasErr := stdin, os.Stderr
	defer func() { stdin, os.Stderr = was, wasErr }()
	var err error
	if os.Stderr, err = os.Create(filepath.Join(s.dir, "stderr")); err != nil {
		t.Fatal(err)
	}
	stdin = io.MultiReader(strings.NewReader("misread\n"+shelfBooks(1, 2)+"rubbish\n"), whenRead(stop), strings.NewReader(shelfBooks(3, 4)))
	s.ctl(cli.Failed, "inventory", "pair", "misread")
	if out := s.ctl(cli.Failed, "-json", "inventory", "pair"); strings.Count(out, "\n") != 1 || !strings.Contains(out, `"in_order":true`) {
		t.Errorf("said\n%s\nwant one answer", out)
	}
	told, err := os.ReadFile(os.Stderr.Name())
	if err != nil {
		t.Fatal(err)
	}
	s.has(string(told), `"misread" is no item's number`, `"rubbish" is no item's number`)
}

// TestGauge: how far it is stands on the terminal until something else is said.
func TestGauge(t *testing.T) {
	var line, out strings.Builder
	json := false
	p := &printer{out: &out, json: &json, gauge: &gauge{out: &line}}
	p.gauge.show("%s: %d", "reading", 10)
	p.gauge.show("too soon")
	p.say("done")
	p.gauge.clear()
	if line.String() != "\rreading: 10 \x1b[K\r\x1b[K" || out.String() != "done\n" {
		t.Errorf("the terminal has %q and %q", line.String(), out.String())
	}
	(&gauge{}).show("nobody looks")
}

// TestGaugeOverlap: a warning does not stand behind how far it is.
func TestGaugeOverlap(t *testing.T) {
	s := newSite(t)
	s.shelves()
	s.ctl(cli.OK, "inventory", "start", "-library", "MAIN", "-name", "first")
	f, err := os.Create(filepath.Join(s.dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer func(was *os.File) { os.Stderr = was }(os.Stderr)
	os.Stderr = f
	json := false
	p := &printer{out: io.Discard, json: &json, gauge: &gauge{out: f}}
	p.gauge.show("reading")
	if err := (&inventoryStart{shelfRange: shelfRange{Library: "MAIN"}}).Run(&grammar{Config: s.conf}, p); err != nil {
		t.Fatal(err)
	}
	told, err := os.ReadFile(f.Name())
	if want := "\rreading \x1b[K\r\x1b[K\"first\", which is"; err != nil || !strings.HasPrefix(string(told), want) {
		t.Errorf("the terminal has %q, %v; want %q", told, err, want)
	}
}

// TestInventoryTyped is a scanner that types into a terminal.
func TestInventoryTyped(t *testing.T) {
	s := newSite(t)
	s.shelves()
	s.ctl(cli.OK, "inventory", "start", "-library", "MAIN", "-from", "500", "-to", "509", "-scheme", "ddc")
	was := stdin
	defer func() { stdin = was }()
	stdin = strings.NewReader(shelfBooks(0, 9) + "u\n\n" + shelfBooks(1) + "s\n" + shelfBooks(4))
	out := s.ctl(cli.OK, "-json", "inventory", "scan", "MAIN, 500–509")
	if n := strings.Count(out, `"state":"in place"`); n != 4 {
		t.Errorf("%d in place; want 4:\n%s", n, out)
	}
	s.has(s.ctl(cli.OK, "inventory", "report", "last"), "3 met of 9", "walked from 500 A to 501 A", "walked from 504 A to 504 A")
}
