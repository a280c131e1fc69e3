package inventory

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// picture is a JPEG that is red at its upper left and blue elsewhere.
func picture(t testing.TB, w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{B: 255, A: 255}
			if x < w/2 && y < h/2 {
				c = color.RGBA{R: 255, A: 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// turned is a JPEG with what a phone writes into it.
func turned(b []byte, order binary.AppendByteOrder, how uint16) []byte {
	mark := "MM"
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		mark = "II"
	}
	exif := append([]byte("Exif\x00\x00"), mark...)
	exif = order.AppendUint32(order.AppendUint16(exif, 42), 8)
	exif = order.AppendUint16(exif, 2)
	exif = append(exif, bytes.Repeat([]byte{0}, 12)...) // another entry
	exif = order.AppendUint32(order.AppendUint16(order.AppendUint16(exif, 0x0112), 3), 1)
	exif = append(order.AppendUint16(exif, how), 0, 0)
	exif = append(exif, "GPS: at the kiosk"...)
	out := binary.BigEndian.AppendUint16([]byte{0xFF, 0xD8, 0xFF, 0xE1}, uint16(len(exif)+2))
	return append(append(out, exif...), b[2:]...)
}

func TestShrink(t *testing.T) {
	small, err := Shrink(picture(t, 3000, 2000))
	if err != nil {
		t.Fatal(err)
	}
	if c, kind, err := image.DecodeConfig(bytes.NewReader(small)); err != nil || kind != "jpeg" || c.Width != 1024 || c.Height != 682 {
		t.Errorf("it is a %s of %d × %d, %v; want a JPEG of 1024 × 682", kind, c.Width, c.Height, err)
	}
	// Where the red corner is, by EXIF's orientation.
	corners := map[uint16]image.Point{1: {0, 0}, 2: {1, 0}, 3: {1, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 1}, 8: {0, 1}, 9: {0, 0}}
	for how, want := range corners {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			b, err := Shrink(turned(picture(t, 80, 40), order, how))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte("Exif")) || bytes.Contains(b, []byte("GPS")) {
				t.Error("what the phone wrote into it is left")
			}
			img, err := jpeg.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			w, h := img.Bounds().Dx(), img.Bounds().Dy()
			if wide := how < 5 || how > 8; wide != (w == 80) {
				t.Errorf("orientation %d: it is %d × %d", how, w, h)
			}
			red := func(p image.Point) bool { r, _, b, _ := img.At(w/4+p.X*w/2, h/4+p.Y*h/2).RGBA(); return r > b }
			for _, p := range []image.Point{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
				if red(p) != (p == want) {
					t.Errorf("orientation %d: red at %v is %v", how, p, red(p))
				}
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 2, 2000))); err != nil {
		t.Fatal(err)
	}
	if _, err := Shrink(b.Bytes()); err != nil {
		t.Error(err)
	}
}

// bomb is a PNG that says it is larger than any memory.
func bomb(w, h uint32) []byte {
	b := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), w)
	b = append(binary.BigEndian.AppendUint32(b, h), 16, 6, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

func TestBadPictures(t *testing.T) {
	good := picture(t, 800, 600)
	for name, b := range map[string][]byte{"nothing": nil, "text": []byte("<svg onload=alert(1)>"), "a GIF": []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
		"cut off": good[:len(good)/2], "a bomb": bomb(60000, 60000), "too many pixels": bomb(4000, 4000), "empty": bomb(0, 5), "too large": make([]byte, MaxPicture+1)} {
		if _, err := Shrink(b); kiosk.CodeOf(err) != kiosk.CodeInvalid {
			t.Errorf("Shrink of %s: %v; want it refused", name, err)
		}
	}
}

func TestPhotos(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	small, err := Shrink(picture(t, 100, 50))
	if err != nil {
		t.Fatal(err)
	}
	w.scan(id, "ann", "B00", "B01")
	if err := w.Note(t.Context(), id, "ann", "B01", "cover"); err != nil {
		t.Fatal(err)
	}
	take := func(photo, item string) error {
		return w.TakePhoto(t.Context(), id, kiosk.ShelfPhoto{ID: kiosk.ID(photo), Item: kiosk.Barcode(item), Who: "ann"}, small)
	}
	for _, x := range [][2]string{{"p1", "B01"}, {"p2", "B00"}, {"p3", "B01"}, {"p1", "B00"}, {"p4", "B00"}} {
		if err := take(x[0], x[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := take("p5", ""); kiosk.CodeOf(err) != kiosk.CodeInvalid || !errors.Is(err, ErrNoPhoto) {
		t.Errorf("a photo of no book: %v", err)
	}
	before := w.live[id].seq
	if err := w.DropPhoto(t.Context(), id, "p4"); err != nil {
		t.Fatal(err)
	}
	if l := w.live[id]; l.seq == before {
		t.Error("nobody is told that a photo was dropped")
	}
	w.open()
	r, err := w.End(t.Context(), id, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Notes) != 2 || r.Notes[0].Title != "Book 0" || len(r.Notes[0].Photos) != 1 || r.Notes[1].Note != "cover" || len(r.Notes[1].Photos) != 2 || r.Notes[1].Photos[1] != "p3" {
		t.Errorf("the report has %+v", r.Notes)
	}
	b, err := w.Photo(t.Context(), id, "p1")
	if _, kind, err2 := image.DecodeConfig(bytes.NewReader(b)); err != nil || err2 != nil || kind != "jpeg" {
		t.Errorf("Photo() = %s %v %v", kind, err, err2)
	}
	if _, err := w.Photo(t.Context(), id, "p4"); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("a dropped one: %v", err)
	}
	if err := take("p1", "B01"); err != nil {
		t.Errorf("handed over again: %v", err)
	}
	if err := take("p9", "B01"); err == nil || !strings.Contains(err.Error(), "has ended") || errors.Is(err, ErrNoPhoto) {
		t.Errorf("too late: %v", err)
	}
	if err := w.DropPhoto(t.Context(), id, "p1"); err == nil {
		t.Error("a report that is kept loses a photo")
	}
}

// FuzzShrink: no picture breaks it, and what it makes is small.
func FuzzShrink(f *testing.F) {
	good := picture(f, 40, 20)
	f.Add(good)
	f.Add(turned(good, binary.LittleEndian, 6))
	f.Add(turned(good, binary.BigEndian, 3)[:40])
	f.Add(bomb(30, 30))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := orientation(b); n < 1 || n > 8 {
			t.Errorf("orientation %d", n)
		}
		if c, _, err := image.DecodeConfig(bytes.NewReader(b)); err != nil || c.Width > 500 || c.Height > 500 {
			return // only slow
		}
		if small, err := Shrink(b); err == nil {
			if _, err := jpeg.DecodeConfig(bytes.NewReader(small)); err != nil {
				t.Errorf("it makes what can't be read: %v", err)
			}
		}
	})
}
