package walfile

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// disk is a file that counts its writes, and may refuse them.
type disk struct {
	bytes  []byte
	writes int
	full   bool
}

const errFull = 13 // SQLITE_FULL

func (d *disk) write(b []byte, at int64) int32 {
	if d.full {
		return errFull
	}
	d.writes++
	d.bytes = over(d.bytes, b, at)
	return 0
}

// over is a file after b was written at a place.
func over(file, b []byte, at int64) []byte {
	if end := int(at) + len(b); end > len(file) {
		file = append(file, make([]byte, end-len(file))...)
	}
	copy(file[at:], b)
	return file
}

// TestTail: whatever is written in whatever order and sizes, after a flush the
// file is as if each had gone there at once; what follows upon each other went
// in one write.
func TestTail(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var d disk
		var l tail
		var want []byte
		var at int64
		for range r.IntN(60) {
			if r.IntN(8) == 0 {
				at = int64(r.IntN(300_000))
			}
			b := make([]byte, []int{24, 2048, r.IntN(5000), room - 1, room, room + 1}[min(r.IntN(40), 5)])
			for i := 0; i < len(b); i += 97 {
				b[i] = byte(r.Uint32())
			}
			if rc := l.write(b, at, d.write); rc != 0 {
				t.Fatal(rc)
			}
			want = over(want, b, at)
			at += int64(len(b))
			if len(l.bytes) > room {
				t.Fatalf("%d bytes wait; want at most %d", len(l.bytes), room)
			}
			if r.IntN(20) == 0 {
				l.flush(d.write)
			}
		}
		l.flush(d.write)
		if !bytes.Equal(d.bytes, want) {
			t.Fatal("the file is not what was written")
		}
	}
}

func TestTailGathers(t *testing.T) {
	var d disk
	var l tail
	for n := range 14 {
		l.write(make([]byte, 1000), int64(n)*1000, d.write)
	}
	if d.writes != 0 {
		t.Errorf("%d writes before the flush; want none", d.writes)
	}
	l.flush(d.write)
	l.flush(d.write)
	if d.writes != 1 || len(d.bytes) != 14_000 {
		t.Errorf("%d writes of %d bytes; want one of 14000", d.writes, len(d.bytes))
	}
}

// TestTailRefused: what the disk refuses is told, to the flush or to the write
// that needs one, and not tried again behind SQLite's back.
func TestTailRefused(t *testing.T) {
	for _, next := range []func(l *tail, d *disk) int32{
		func(l *tail, d *disk) int32 { return l.flush(d.write) },
		func(l *tail, d *disk) int32 { return l.write([]byte("b"), 77, d.write) },
		func(l *tail, d *disk) int32 { return l.write(make([]byte, room), 1, d.write) },
	} {
		d := disk{full: true}
		var l tail
		if rc := l.write([]byte("a"), 0, d.write); rc != 0 {
			t.Fatalf("the first write: %d", rc)
		}
		if rc := next(&l, &d); rc != errFull {
			t.Errorf("the disk is full and the code %d; want %d", rc, errFull)
		}
		d.full = false
		if rc := l.flush(d.write); rc != 0 || d.writes != 0 {
			t.Errorf("after that a flush gives %d and %d writes; want nothing left", rc, d.writes)
		}
	}
}
