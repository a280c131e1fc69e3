package inventory

import (
	"image"
	"strings"
	"testing"
)

// frame is the segment that gives a JPEG's size (ITU-T T.81, B.2.2).
func frame(mark, parts byte, side int) []byte {
	b := []byte{0xFF, mark, 0, 8 + 3*parts, 8, byte(side >> 8), byte(side), byte(side >> 8), byte(side), parts}
	for i := range parts {
		b = append(b, i+1, 0x11, 0)
	}
	return b
}

// TestTooManyPixels: how large a picture may be goes by how much memory its
// kind takes, wherever it says which it is.
func TestTooManyPixels(t *testing.T) {
	jfif, adobe := []byte("\xFF\xE0\x00\x07JFIF\x00"), []byte("\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00\x00")
	hidden := frame(0xC2, 3, 4800)
	for name, tt := range map[string]struct {
		parts [][]byte
		many  bool
	}{
		"as cameras make it":          {[][]byte{jfif, frame(0xC0, 3, 5000)}, false},
		"larger":                      {[][]byte{jfif, frame(0xC0, 3, 5100)}, true},
		"extended":                    {[][]byte{jfif, frame(0xC1, 3, 5000)}, false},
		"progressive":                 {[][]byte{jfif, frame(0xC2, 3, 2100)}, true},
		"smaller progressive":         {[][]byte{jfif, frame(0xC2, 3, 2000)}, false},
		"progressive behind a fill":   {[][]byte{jfif, {0xFF, 0xFF}, frame(0xC2, 3, 2100)}, true},
		"progressive behind rubbish":  {[][]byte{jfif, {1, 2, 3}, frame(0xC2, 3, 2100)}, true},
		"progressive behind a mark":   {[][]byte{jfif, {0xFF, 0xD0, 0, byte(len(hidden) + 2)}, hidden, frame(0xC0, 3, 100)}, true},
		"for print":                   {[][]byte{frame(0xC0, 4, 4000)}, true},
		"in RGB":                      {[][]byte{adobe, frame(0xC0, 3, 4000)}, true},
		"in RGB, said after the size": {[][]byte{jfif, frame(0xC0, 3, 4000), adobe}, true},
	} {
		b := []byte{0xFF, 0xD8}
		for _, p := range tt.parts {
			b = append(b, p...)
		}
		b = append(b, 0xFF, 0xDA, 0, 2) // a scan that is damaged
		err := Unpack(b, maxPixels, func(image.Image) error { return nil })
		if want := map[bool]string{true: "too many", false: "damaged"}[tt.many]; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", name, err, want)
		}
	}
}

// TestOneAtATime: no picture is unpacked while another is being drawn.
func TestOneAtATime(t *testing.T) {
	err := Unpack(picture(t, 30, 20), 600, func(image.Image) error {
		if unpacking.TryLock() {
			unpacking.Unlock()
			t.Error("another one may be unpacked")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := Unpack(picture(t, 30, 21), 600, nil); err == nil {
		t.Error("more pixels than asked for are unpacked")
	}
}
