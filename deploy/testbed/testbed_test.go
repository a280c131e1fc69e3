package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/deploy/testbed/nbd"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// ledgerDisk is a disk with a ledger of one loan on it.
func ledgerDisk(t *testing.T) (b *bench, image []byte, lent string) {
	t.Helper()
	b = &bench{dir: t.TempDir()}
	folder := t.TempDir()
	s, err := sqlite.Open(t.Context(), filepath.Join(folder, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	e := kiosktest.Checkout(1, 1, 1)
	if err := s.Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if err := s.Conclude(t.Context(), kiosk.Outcome{Entry: e.ID, State: kiosk.Granted, At: e.At, Due: e.At}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(b.dir, "image")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, diskSize)); err != nil {
		t.Fatal(err)
	}
	// The ledger is open still: what a cut leaves is its file and its log.
	if _, err := tool(t.Context(), "mke2fs", "-q", "-F", "-t", "ext4", "-d", folder, file); err != nil {
		t.Skip("e2fsprogs is missing: apt-get install e2fsprogs: ", err)
	}
	if image, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	return b, image, string(e.Item)
}

// TestExamine: a loan that is on the disk is found; one that is not, and a
// disk that is spoiled, are told.
func TestExamine(t *testing.T) {
	b, image, lent := ledgerDisk(t)
	v, err := b.examine(t.Context(), image, []string{lent})
	if err != nil || !v.good() {
		t.Errorf("a good disk: %v, %v", v, err)
	}
	v, err = b.examine(t.Context(), image, []string{lent, "30000000000099"})
	if err != nil || len(v.lost) != 1 || v.lost[0] != "30000000000099" {
		t.Errorf("a loan that is not there: %v, %v; want it lost", v, err)
	}
	log := bytes.Index(image, []byte{0x37, 0x7F, 0x06, 0x82}) // the WAL's magic number
	if log < 0 {
		t.Fatal("the disk has no log")
	}
	clear(image[log : log+4096])
	v, err = b.examine(t.Context(), image, []string{lent})
	if err != nil || v.good() {
		t.Errorf("a disk without the log's beginning: %v, %v; want the loan lost", v, err)
	}
	v, err = b.examine(t.Context(), make([]byte, diskSize), []string{lent})
	if err == nil && v.good() {
		t.Error("an empty disk is good")
	}
}

// TestControls: what the overlay replaces is still there, so that the controls
// can be built.
func TestControls(t *testing.T) {
	text, err := os.ReadFile("../../" + gathersIn)
	if err != nil || !strings.Contains(string(text), gathers) {
		t.Errorf("%s lacks %q (%v): see rootWithout", gathersIn, gathers, err)
	}
}

// TestPoints: moments are those after a loan was called lent.
func TestPoints(t *testing.T) {
	o := &outlet{disk: nbd.NewDisk(make([]byte, nbd.Sector)), random: rand.New(rand.NewPCG(1, 1))}
	if got := o.points(5); len(got) != 0 {
		t.Errorf("points() without a loan = %v", got)
	}
	o.disk.Flush()
	o.disk.Mark("a")
	o.disk.Flush()
	o.disk.Mark("b")
	o.disk.Flush()
	seen := map[int]bool{}
	for _, at := range o.points(200) {
		seen[at] = true
		if at < 2 || at > 5 || len(o.disk.Marks(at)) == 0 {
			t.Errorf("point %d: before anything was promised, or after the end", at)
		}
	}
	if !seen[2] || !seen[4] {
		t.Errorf("points %v; want those just after a promise among them", seen)
	}
}

func TestTag(t *testing.T) {
	one, err := tag(item(1))
	if err != nil {
		t.Fatal(err)
	}
	two, err := tag(item(2))
	if err != nil || one.UID == two.UID {
		t.Errorf("two books have tag %v (%v)", two.UID, err)
	}
	c := tagdata.Decode(tagdata.Memory{BlockSize: one.Size, Data: one.Memory, DSFID: one.DSFID, Whole: true}, tagdata.Options{})
	if c.Item != item(1) || one.AFI != tagdata.AFIInStock {
		t.Errorf("the tag says %+v", c)
	}
}

func TestScreen(t *testing.T) {
	s := screen{Lines: []line{{Barcode: "3", State: "lent"}}, Faults: []fault{{Source: "device pad"}}}
	if s.state("3") != "lent" || s.state("4") != "" || !s.faulty("pad") || s.faulty("pos") {
		t.Errorf("%+v is read wrongly", s)
	}
}
