package inventory

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	_ "image/jpeg" // browsers make both
	_ "image/png"
	"iter"
	"sync"
)

// Bounds of pictures that are unpacked, in pixels. A picture is small where it
// says so; how much memory it takes is known before it is unpacked.
const (
	maxPixels      = 24 << 20 // of a JPEG as cameras make it, which takes 1 to 3 bytes each
	maxConverted   = 12 << 20 // of a JPEG for print or in RGB, and of a PNG, which take up to 8
	maxProgressive = 4 << 20  // of a progressive JPEG: up to 24, its coefficients are kept
)

// unpacking is held while a picture is: one at a time, they are large.
var unpacking sync.Mutex

// Unpack reads a picture from outside, a JPEG or PNG of at most so many
// pixels, and has use draw it smaller; nothing may be kept of what use gets.
// The error is invalid where the picture is none, too large or damaged.
func Unpack(picture []byte, pixels int, use func(image.Image) error) error {
	unpacking.Lock()
	defer unpacking.Unlock()
	c, kind, err := image.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return wrong("nopicture", "this is no picture that can be read: it must be a JPEG or a PNG")
	}
	if most := min(pixels, mostPixels(picture, kind, c.ColorModel)); c.Width <= 0 || c.Height <= 0 || c.Width > most/c.Height {
		return wrong("pixels", "the picture has %d × %d pixels, which are too many; take a smaller one", "width", c.Width, "height", c.Height)
	}
	src, _, err := image.Decode(bytes.NewReader(picture))
	if err != nil {
		return wrong("damaged", "the picture is damaged: take it again")
	}
	return use(src)
}

// mostPixels is how many pixels of a picture there is memory for.
func mostPixels(picture []byte, kind string, model color.Model) int {
	plain := model == color.YCbCrModel || model == color.GrayModel
	switch {
	case kind == "png":
		return maxConverted
	case kind != "jpeg":
		return 0
	case progressive(picture):
		return maxProgressive
	case !plain || bytes.Contains(picture, []byte("Adobe")): // that segment may say RGB after the size
		return maxConverted
	}
	return maxPixels
}

// progressive tells whether a JPEG is, or can't be followed to where it would
// say so.
func progressive(b []byte) bool {
	for mark := range segments(b) {
		if mark == 0xC0 || mark == 0xC1 { // SOF0, SOF1
			return false
		}
	}
	return true
}

// segments are those of a JPEG up to its first scan, by their markers (ITU-T
// T.81, B.1.1.4 and table B.1). They end early where they can't be followed.
func segments(b []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		b, ok := bytes.CutPrefix(b, []byte{0xFF, 0xD8}) // SOI
		for ok && len(b) >= 4 && b[0] == 0xFF {
			mark := b[1]
			if mark == 0xFF { // fill
				b = b[1:]
				continue
			}
			n := int(binary.BigEndian.Uint16(b[2:]))
			if alone := mark < 0xC0 || mark >= 0xD0 && mark <= 0xD9; alone || mark == 0xDA || n < 2 || len(b) < 2+n {
				return
			}
			if !yield(mark, b[4:2+n]) {
				return
			}
			b = b[2+n:]
		}
	}
}
