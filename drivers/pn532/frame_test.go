package pn532

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

// TestFrames: published frames, and computed ones.
func TestFrames(t *testing.T) {
	n := 0
	for _, p := range drivertest.PublishedFrames(t, "pn532-frames.txt") {
		line := p.Data
		f, used, err := decode(line)
		if (err == nil) != p.Good {
			t.Errorf("decode(%X) = %v; want ok: %v", line, err, p.Good)
		}
		if err == nil && (!bytes.Equal(f.encode(), line) || len(line)-used > 1) {
			t.Errorf("%X is written as %X, %d bytes are used", line, f.encode(), used)
		}
		n++
	}
	if n < 10 {
		t.Errorf("found %d frames", n)
	}
}

// TestSplit: every frame cut at every place, with rubbish before and the next
// one behind.
func TestSplit(t *testing.T) {
	long := frame{fromChip, append([]byte{0x4B, 0x00, 0xFF, 0x01, 0xFF}, make([]byte, 255)...)}
	want := []frame{{from: ack}, {fromChip, []byte{0x4B, 0x00, 0xFF, 0x00}}, {syntax, []byte{}}, {from: nak}, long, {fromChip, []byte{0x15}}}
	b := []byte{0x00, 0xAA, 0xFF, 0x00, 0x00, 0xFF, 0x02, 0x01}
	for _, f := range want {
		b = append(b, f.encode()...)
	}
	same := func(x, y frame) bool { return x.from == y.from && bytes.Equal(x.data, y.data) }
	for cut := range b {
		if got := drivertest.Decoded(decode, b[:cut], b[cut:]); !slices.EqualFunc(got, want, same) {
			t.Fatalf("cut at %d: %d frames: %+v", cut, len(got), got)
		}
	}
}

// TestDamage: no byte of a frame can be another one.
func TestDamage(t *testing.T) {
	whole := frame{fromChip, []byte{0x4B, 1, 1, 0, 4, 8, 4, 0xDE, 0xAD, 0xBE, 0xEF}}
	for i := range whole.encode() {
		for _, bit := range []byte{0x01, 0x10, 0x80} {
			b := whole.encode()
			b[i] ^= bit
			if f, _, err := decode(b); err == nil && !bytes.Equal(f.data, whole.data) && f.from == fromChip {
				t.Errorf("%X is taken for %X", b, f.data)
			}
		}
	}
}

func TestTooLong(t *testing.T) {
	if _, _, err := decode([]byte{0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02}); !errors.Is(err, errDamaged) {
		t.Errorf("a frame of 65535 bytes: %v; want errDamaged at once", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(frame{fromChip, []byte{0x4B, 1, 1, 0, 4, 8, 4, 1, 2, 3, 4}}.encode())
	f.Add(frame{fromHost, make([]byte, 260)}.encode())
	f.Add([]byte{0x00, 0xFF, 0xFF, 0xFF, 0x00, 0x01, 0xFF, 0x7F, 0x81})
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, n, err := decode(b)
		if n > len(b) || err != nil && !errors.Is(err, link.ErrPart) && n == 0 {
			t.Fatalf("decode(%x) takes %d bytes with %v", b, n, err)
		}
		if err != nil {
			return
		}
		again, _, err := decode(fr.encode())
		if err != nil || again.from != fr.from || !bytes.Equal(again.data, fr.data) {
			t.Errorf("%+v comes back as %+v, %v", fr, again, err)
		}
	})
}

func FuzzList(f *testing.F) {
	f.Add([]byte{1, 1, 0, 4, 8, 4, 0xDE, 0xAD, 0xBE, 0xEF})
	f.Add([]byte{2, 1, 3, 0x44, 0x20, 7, 4, 1, 2, 3, 4, 5, 6, 5, 0x75, 0x77, 0x81, 2, 2, 0, 4, 8, 4, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		uids, err := list(b)
		if err != nil {
			return
		}
		if len(uids) != int(b[0]) {
			t.Errorf("list(%x) = %x", b, uids)
		}
		for _, uid := range uids {
			if !bytes.Contains(b, uid) {
				t.Errorf("list(%x) makes up %x", b, uid)
			}
		}
	})
}
