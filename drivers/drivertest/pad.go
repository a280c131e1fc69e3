package drivertest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// TestPad tests what package drivers promises of every Pad, and of what it
// can do besides. open opens the driver over a simulated reader on the field.
func TestPad(t *testing.T, open func(t *testing.T, f *field.Field) drivers.Pad) {
	for _, test := range []struct {
		name string
		run  func(*padTest)
	}{
		{"empty", testNoTags}, {"inventory", testInventory}, {"collisions", testCollisions}, {"read", testRead},
		{"absent", testAbsent}, {"flicker", testFlicker}, {"write", testWrite}, {"locked", testLocked},
		{"afi", testAFI}, {"eas", testEAS}, {"dsfid", testDSFID}, {"info", testInfo}, {"radio", testRadio},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := field.New(1)
			p := &padTest{T: t, f: f, Pad: open(t, f)}
			t.Cleanup(func() {
				if err := p.Pad.Close(); err != nil {
					t.Errorf("Close() = %v", err)
				}
			})
			test.run(p)
		})
	}
}

type padTest struct {
	*testing.T
	drivers.Pad
	f *field.Field
}

// NewUID is the nth UID of a series of NXP's ICODE SLIX, by a maker's code
// and a serial number that are spread.
func NewUID(n int) (u drivers.UID) {
	binary.BigEndian.PutUint64(u[:], 0xE004015000000000|uint64(uint32(n)*2654435761))
	return u
}

// tag puts a tag into the field whose bytes are all different from their
// neighbours'.
func (p *padTest) tag(n, blocks, size int) *field.Tag {
	t := field.NewTag(NewUID(n), blocks, size)
	for i := range t.Memory {
		t.Memory[i] = byte(i*7 + n + i>>8)
	}
	t.DSFID, t.AFI = 0x3E, 0x07
	p.f.Place(t, field.Coupling{})
	return t
}

// memory is what a tag in the field holds now.
func (p *padTest) memory(t *field.Tag) []byte {
	p.Helper()
	now, ok := p.f.Tag(t.UID)
	if !ok {
		p.Fatalf("tag %v is not in the field", t.UID)
	}
	return now.Memory
}

// list is an inventory, in the order of the UIDs.
func (p *padTest) list() []drivers.UID {
	p.Helper()
	tags, err := p.Inventory()
	if err != nil {
		p.Fatalf("Inventory() = %v", err)
	}
	var uids []drivers.UID
	for _, t := range tags {
		uids = append(uids, t.UID)
	}
	sortUIDs(uids)
	return uids
}

func sortUIDs(u []drivers.UID) {
	slices.SortFunc(u, func(a, b drivers.UID) int { return bytes.Compare(a[:], b[:]) })
}

// alive fails on an error that means that the reader is at fault.
func (p *padTest) alive(what string, err error) {
	p.Helper()
	if errors.Is(err, drivers.ErrSilent) || errors.Is(err, drivers.ErrGone) {
		p.Fatalf("%s = %v; the reader is well, it is the tag", what, err)
	}
}

func testNoTags(p *padTest) {
	for range 3 {
		if got := p.list(); len(got) != 0 {
			p.Errorf("Inventory() of an empty field = %v", got)
		}
	}
}

func testInventory(p *padTest) {
	var want []drivers.UID
	for n := range 20 {
		want = append(want, p.tag(n, 28, 4).UID)
		if n == 0 || n == 4 || n == 19 {
			sortUIDs(want)
			for range 2 { // also what was listed before
				if got := p.list(); !slices.Equal(got, want) {
					p.Fatalf("Inventory() with %d tags = %d tags %v; want %v", n+1, len(got), got, want)
				}
			}
		}
	}
	p.f.Remove(want[3])
	want = slices.Delete(want, 3, 4)
	if got := p.list(); !slices.Equal(got, want) {
		p.Errorf("Inventory() after one was taken away = %v; want %v", got, want)
	}
}

// testCollisions: UIDs that differ in their highest bits alone.
func testCollisions(p *padTest) {
	var want []drivers.UID
	for n := range 3 {
		u := drivers.UID{0xE0, 0x04, 0x01, byte(n), 0x11, 0x22, 0x33, 0x44}
		p.f.Place(field.NewTag(u, 28, 4), field.Coupling{})
		want = append(want, u)
	}
	if got := p.list(); !slices.Equal(got, want) {
		p.Errorf("Inventory() = %v; want %v", got, want)
	}
}

func testRead(p *padTest) {
	p.tag(99, 28, 4) // another one, which must not be read
	for _, shape := range [][2]int{{4, 4}, {8, 4}, {28, 4}, {80, 4}, {32, 8}} {
		t := p.tag(shape[0], shape[0], shape[1])
		p.list()
		for _, r := range [][2]int{{0, 1}, {0, 4}, {1, 3}, {0, 9}, {3, 5}, {shape[0] - 1, 1}, {shape[0] - 2, 6}} {
			first, n := r[0], r[1]
			got, err := p.Read(t.UID, first, n)
			if err != nil {
				p.Fatalf("Read() of %d blocks from %d, of %d of %d bytes: %v", n, first, shape[0], shape[1], err)
			}
			end := min(first+n, shape[0])
			if want := t.Memory[first*t.Size : end*t.Size]; got.Size != t.Size || !bytes.Equal(got.Data, want) {
				p.Fatalf("Read() of %d blocks from %d, of %d of %d bytes = %d %x; want %x", n, first, shape[0], shape[1], got.Size, got.Data, want)
			}
		}
		_, err := p.Read(t.UID, shape[0], 1)
		if err == nil {
			p.Errorf("Read() behind the end of %d blocks gives some", shape[0])
		}
		p.alive("Read() behind the end", err)
		p.f.Remove(t.UID)
	}
}

func testAbsent(p *padTest) {
	there := p.tag(1, 28, 4)
	before := p.memory(there)[0]
	away := NewUID(2)
	p.list()
	try := func(what string, err error) {
		if err == nil {
			p.Errorf("%s to a tag that is not there succeeds", what)
		}
		p.alive(what, err)
	}
	_, err := p.Read(away, 0, 4)
	try("Read()", err)
	if w, ok := p.Pad.(drivers.BlockWriter); ok {
		try("Write()", w.Write(away, 0, drivers.Blocks{Size: 4, Data: []byte("none")}))
	}
	if w, ok := p.Pad.(drivers.AFIWriter); ok {
		try("WriteAFI()", w.WriteAFI(away, 0xC2))
	}
	if w, ok := p.Pad.(drivers.EASWriter); ok {
		try("WriteEAS()", w.WriteEAS(away, true))
		_, err := w.EAS(away)
		try("EAS()", err)
	}
	if t, _ := p.f.Tag(there.UID); t.AFI != 0x07 || t.EAS || t.Memory[0] != before {
		p.Errorf("the other tag was changed: %+v", t)
	}
}

// testFlicker: tags at the edge are found some time, and errors are theirs.
func testFlicker(p *padTest) {
	seen := map[drivers.UID]bool{}
	for n := range 6 {
		p.f.Place(p.tag(n, 28, 4), field.Coupling{Miss: 0.3, Damage: 0.1})
	}
	for range 30 {
		tags, err := p.Inventory()
		p.alive("Inventory()", err)
		for _, t := range tags {
			seen[t.UID] = true
			b, err := p.Read(t.UID, 0, 4)
			p.alive("Read()", err)
			if tag, ok := p.f.Tag(t.UID); !ok || err == nil && !bytes.Equal(b.Data, tag.Memory[:16]) {
				p.Fatalf("Read(%v) = %x, of a tag that has %x", t.UID, b.Data, tag.Memory[:16])
			}
		}
	}
	if len(seen) != 6 {
		p.Errorf("found %d of 6 tags in 30 rounds", len(seen))
	}
}

func testWrite(p *padTest) {
	w, ok := p.Pad.(drivers.BlockWriter)
	if !ok {
		p.Skip("this pad does not write memory")
	}
	for _, shape := range [][2]int{{8, 4}, {28, 4}, {32, 8}} {
		t, other := p.tag(shape[0], shape[0], shape[1]), p.tag(77, 28, 4)
		untouched := p.memory(other)
		p.list()
		want := p.memory(t)
		for _, r := range [][2]int{{1, 3}, {0, 1}, {shape[0] - 1, 1}, {0, 8}} {
			fresh := fmt.Appendf(nil, "%0*d", r[1]*t.Size, r[0]*1000+r[1]+1234567)
			fresh = fresh[len(fresh)-r[1]*t.Size:]
			fresh[0] = byte(r[1])
			copy(want[r[0]*t.Size:], fresh)
			if err := w.Write(t.UID, r[0], drivers.Blocks{Size: t.Size, Data: fresh}); err != nil {
				p.Fatalf("Write() of %d blocks from %d: %v", r[1], r[0], err)
			}
			if now, _ := p.f.Tag(t.UID); !bytes.Equal(now.Memory, want) {
				p.Fatalf("after Write() of %d blocks from %d the tag has\n%x; want\n%x", r[1], r[0], now.Memory, want)
			}
		}
		if now, _ := p.f.Tag(other.UID); !bytes.Equal(now.Memory, untouched) {
			p.Error("Write() changed another tag")
		}
		p.f.Clear()
	}
}

func testLocked(p *padTest) {
	w, ok := p.Pad.(drivers.BlockWriter)
	if !ok {
		p.Skip("this pad does not write memory")
	}
	t := p.tag(1, 28, 4)
	p.list()
	lock := func(block int) {
		if l, ok := p.Pad.(drivers.BlockLocker); ok {
			if err := l.Lock(t.UID, block); err != nil {
				p.Fatalf("Lock() = %v", err)
			}
			return
		}
		p.f.Change(t, func(t *field.Tag) { t.Locked[block] = true })
	}
	lock(2)
	before := p.memory(t)
	err := w.Write(t.UID, 2, drivers.Blocks{Size: 4, Data: []byte("new!")})
	p.alive("Write() of a locked block", err)
	if now, _ := p.f.Tag(t.UID); err == nil || !bytes.Equal(now.Memory, before) || !now.Locked[2] || now.Locked[1] || now.Locked[3] {
		p.Errorf("Write() of a locked block = %v, locks %v", err, now.Locked)
	}
	if r, ok := p.Pad.(drivers.LockReader); ok {
		got, err := r.Locked(t.UID, 1, 3)
		if want := []bool{false, true, false}; err != nil || !slices.Equal(got, want) {
			p.Errorf("Locked() = %v, %v; want %v", got, err, want)
		}
	}
}

func testAFI(p *padTest) {
	w, ok := p.Pad.(drivers.AFIWriter)
	if !ok {
		p.Skip("this pad does not write the AFI")
	}
	t, other := p.tag(1, 28, 4), p.tag(2, 28, 4)
	p.list()
	for _, afi := range []byte{0xC2, 0x07, 0x00} {
		if err := w.WriteAFI(t.UID, afi); err != nil {
			p.Fatalf("WriteAFI(%02X) = %v", afi, err)
		}
		got, err := w.AFI(t.UID)
		if now, _ := p.f.Tag(t.UID); err != nil || got != afi || now.AFI != afi {
			p.Errorf("AFI() = %02X, %v, the tag has %02X; want %02X", got, err, now.AFI, afi)
		}
	}
	if now, _ := p.f.Tag(other.UID); now.AFI != 0x07 {
		p.Errorf("the other tag's AFI became %02X", now.AFI)
	}
	p.f.Change(t, func(t *field.Tag) { t.AFILocked = true })
	err := w.WriteAFI(t.UID, 0xC2)
	if p.alive("WriteAFI() of a locked AFI", err); err == nil {
		p.Error("WriteAFI() of a locked AFI succeeds")
	}
}

func testEAS(p *padTest) {
	w, ok := p.Pad.(drivers.EASWriter)
	if !ok {
		p.Skip("this pad does not set EAS")
	}
	t, other := p.tag(1, 28, 4), p.tag(2, 28, 4)
	p.list()
	for _, on := range []bool{true, false, true, true} {
		if err := w.WriteEAS(t.UID, on); err != nil {
			p.Fatalf("WriteEAS(%v) = %v", on, err)
		}
		got, err := w.EAS(t.UID)
		if now, _ := p.f.Tag(t.UID); err != nil || got != on || now.EAS != on {
			p.Errorf("EAS() = %v, %v, the tag has %v; want %v", got, err, now.EAS, on)
		}
	}
	if on, err := w.EAS(other.UID); on || err != nil {
		p.Errorf("EAS() of the other tag = %v, %v; want false", on, err)
	}
}

func testDSFID(p *padTest) {
	w, ok := p.Pad.(drivers.DSFIDWriter)
	if !ok {
		p.Skip("this pad does not write the DSFID")
	}
	t, other := p.tag(1, 28, 4), p.tag(2, 28, 4)
	p.list()
	if err := w.WriteDSFID(t.UID, 0x06); err != nil {
		p.Fatalf("WriteDSFID() = %v", err)
	}
	now, _ := p.f.Tag(t.UID)
	if not, _ := p.f.Tag(other.UID); now.DSFID != 0x06 || not.DSFID != 0x3E {
		p.Errorf("DSFID %02X, the other tag's %02X; want 06, 3E", now.DSFID, not.DSFID)
	}
}

func testInfo(p *padTest) {
	r, ok := p.Pad.(drivers.Informer)
	if !ok {
		p.Skip("this pad does not tell system information")
	}
	for _, shape := range [][2]int{{8, 4}, {28, 4}, {80, 4}, {32, 8}} {
		t := p.tag(shape[0], shape[0], shape[1])
		p.list()
		got, err := r.Info(t.UID)
		if want := (drivers.Info{DSFID: 0x3E, AFI: 0x07, IC: 1, Blocks: shape[0], Size: shape[1]}); err != nil || got != want {
			p.Errorf("Info() = %+v, %v; want %+v", got, err, want)
		}
		p.f.Clear()
	}
}

func testRadio(p *padTest) {
	r, ok := p.Pad.(drivers.Radio)
	if !ok {
		p.Skip("this pad does not turn its field off")
	}
	t := p.tag(1, 28, 4)
	for _, on := range []bool{true, false, true} {
		if err := r.Radio(on); err != nil {
			p.Fatalf("Radio(%v) = %v", on, err)
		}
		if !on {
			continue // what an inventory does then is the reader's affair
		}
		if got := p.list(); len(got) != 1 || got[0] != t.UID {
			p.Errorf("Inventory() after Radio(%v) = %v", on, got)
		}
	}
}
