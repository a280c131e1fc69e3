package main

import (
	"os"
	"testing"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
)

// TestInventoryTell plans to tell the library's system what stands on the
// shelf, looks at it, takes all back, and has told what was found.
func TestInventoryTell(t *testing.T) {
	s := newSite(t)
	raw, err := os.ReadFile(s.conf)
	if err != nil {
		t.Fatal(err)
	}
	s.write("kiosk.toml", string(raw)+"[upstream]\ndriver = \"sip2\"\naddress = \"127.0.0.1:1\"\nseen = \"checkin\"\n")
	s.shelves()
	s.ctl(cli.OK, "inventory", "start", "-library", "MAIN", "-location", "Stacks")
	s.ctl(cli.OK, "inventory", "scan", "last", shelfBook(0), shelfBook(1), shelfBook(5), shelfBook(2))
	s.has(s.ctl(cli.OK, "inventory", "tell", "last", "-all"), "seen", "planned", shelfBook(0), "500 A", "3 changes are planned")
	s.has(s.ctl(cli.OK, "inventory", "undo", "last", "-planned"), "3 changes are taken back")
	s.has(s.ctl(cli.OK, "inventory", "tell", "last", "-lost"), shelfBook(5), "1 change is planned")
	s.ctl(cli.Failed, "inventory", "tell", "last", shelfBook(9)) // not met
	s.has(s.ctl(cli.OK, "inventory", "send", "last"), "1 change is in the outbox")
	s.has(s.ctl(cli.OK, "outbox"), "seen", shelfBook(5), "1 entry waits")
	s.ctl(cli.Failed, "inventory", "undo", "last", "-line", "9") // it is on its way
}
