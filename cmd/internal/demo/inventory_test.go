package demo

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/drivers/sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// TestInventoryOnPad carries books past a pad that reads continuously: eight
// are in its field at once, each is read in many rounds and taken once.
func TestInventoryOnPad(t *testing.T) {
	bench := sim.New(t.Name())
	bench.Field = field.New(1)
	data := t.TempDir()
	conf, err := config.Parse("kiosk.toml", fmt.Appendf(nil, `
[kiosk]
name = "cart"
data = %q
[[device]]
name = "scanner"
driver = "sim"
bench = %q
[[device]]
name = "pad"
driver = "simpad"
bench = %q
[upstream]
driver = "none"
[barcodes]
item = ["B[0-9]+"]
`, data, t.Name(), t.Name()))
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), filepath.Join(data, daemon.LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	const n = 32
	var items []kiosk.Item
	var tags []*field.Tag
	for i := range n {
		it := kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprintf("B%02d", i)), CallNumber: fmt.Sprintf("%d A", 500+i), Scheme: "ddc", Status: kiosk.StatusAvailable}
		items = append(items, it)
		tag, err := Tagged(it, 1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, tag...)
	}
	tags[5].AFI = tagdata.AFIOnLoan // somebody took it past the gate
	_, e1 := store.PutItems(t.Context(), items)
	if e2 := store.Close(); e1 != nil || e2 != nil {
		t.Fatal(e1, e2)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan bool, 1), make(chan error, 1)
	go func() {
		ended <- daemon.Run(ctx, daemon.Options{Config: conf, Listener: ln, Log: slog.New(slog.DiscardHandler), Ready: func() { ready <- true }})
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	<-ready
	c, err := control.Dial(data)
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := c.Inventories().Begin(t.Context(), "", kiosk.ShelfRange{})
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan inventory.Said, 100)
	walk, end := context.WithCancel(t.Context())
	walked := make(chan error, 1)
	go func() { walked <- c.Walk(walk, v.ID, func(x inventory.Said) { said <- x }) }()
	heard := func() inventory.Said {
		t.Helper()
		select {
		case x := <-said:
			return x
		case err := <-walked:
			t.Fatalf("the walk ended: %v", err)
		case <-time.After(20 * time.Second):
			t.Fatal("nothing is said")
		}
		return inventory.Said{}
	}
	for i, tag := range tags {
		bench.Field.Place(tag, field.Coupling{})
		if i >= 8 {
			bench.Field.Remove(tags[i-8].UID)
		}
		var want []shelf.Finding
		if i == 5 {
			want = []shelf.Finding{shelf.Unsecured}
		}
		if x := heard(); x.Book.Item != items[i].Barcode || x.State != shelf.InPlace || !slices.Equal(x.Found, want) || x.Line == 0 {
			t.Fatalf("of book %d is said %+v", i, x)
		}
	}
	// One that lies there alone, while the label of another is scanned.
	for _, tag := range tags[n-8 : n-1] {
		bench.Field.Remove(tag.UID)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		if err := bench.Scan("B03"); err != nil {
			t.Fatal(err)
		}
		x := heard()
		if slices.Contains(x.Found, shelf.TagDiffers) {
			break
		}
		if time.Now().After(deadline) { // the others have not left yet
			t.Fatalf("said %+v; want that tag and label differ", x)
		}
	}
	end()
	<-walked
	r, err := c.Inventories().Report(t.Context(), v.ID, true)
	if err != nil || r.Seen != n || len(r.Missing)+len(r.Moves) != 0 || r.Passes != [3]int{n - 1, 1, 0} {
		t.Errorf("%d seen, %d missing, %d to move, passes %v, %v", r.Seen, len(r.Missing), len(r.Moves), r.Passes, err)
	}
}
