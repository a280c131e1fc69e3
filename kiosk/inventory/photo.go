package inventory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"slices"

	"golang.org/x/image/draw"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Bounds of photos.
const (
	MaxPicture = 8 << 20 // bytes, as it comes
	photoSide  = 1024    // pixels of the longer side that is kept
	photoGrade = 78      // of the JPEG
	maxPhotos  = 300     // of an inventory: some 40 MB
)

// Picture is a small JPEG that Shrink has made.
type Picture []byte

// Shrink makes of a picture from outside, JPEG or PNG, a small JPEG of the
// same. It is drawn anew, the right way up: nothing that a phone has written
// into it, as where it was taken, is left.
func Shrink(picture []byte) (Picture, error) {
	if len(picture) > MaxPicture {
		return nil, wrong("large", "the picture has %d MB; at most %d are taken", "n", len(picture)>>20, "most", MaxPicture>>20)
	}
	var b bytes.Buffer
	err := Unpack(picture, maxPixels, func(src image.Image) error {
		return jpeg.Encode(&b, turn(scale(src), orientation(picture)), &jpeg.Options{Quality: photoGrade})
	})
	return b.Bytes(), err
}

// scale draws a picture as large as it is kept, on white.
func scale(src image.Image) *image.RGBA {
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	if longer := max(w, h); longer > photoSide {
		w, h = max(1, w*photoSide/longer), max(1, h*photoSide/longer)
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(dst, dst.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(dst, dst.Rect, src, src.Bounds(), draw.Over, nil)
	return dst
}

// turn puts a picture the right way up; how is EXIF's orientation, 1 to 8.
func turn(src *image.RGBA, how int) *image.RGBA {
	if how <= 1 || how > 8 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	if how >= 5 {
		dst = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			to := [...]image.Point{2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y}, 5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x}}[how]
			dst.SetRGBA(to.X, to.Y, src.RGBAAt(x, y))
		}
	}
	return dst
}

// orientation reads how a JPEG is to be turned (EXIF 2.32, tag 0x0112); 1 if
// it doesn't say.
func orientation(b []byte) int {
	for mark, data := range segments(b) {
		if exif, ok := bytes.CutPrefix(data, []byte("Exif\x00\x00")); ok && mark == 0xE1 {
			return orientationOf(exif)
		}
	}
	return 1
}

// orientationOf reads it from the first directory of a TIFF structure.
func orientationOf(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if b[0] == 'I' {
		order = binary.LittleEndian
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for n := int(order.Uint16(b[at:])); n > 0 && len(entries) >= 12; n-- {
		if order.Uint16(entries) == 0x0112 {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// ErrNoPhoto says that this one photo is not taken: scans, and other photos
// after some were dropped, are.
var ErrNoPhoto = errors.New("not this photo")

func notKept(w *Wrong) error {
	w.err.Err = ErrNoPhoto
	return w
}

// TakePhoto keeps a photo of a book. The same ID again changes nothing.
// ErrNoPhoto if it is of no book or there are too many.
func (s *Service) TakePhoto(ctx context.Context, id kiosk.ID, p kiosk.ShelfPhoto, picture Picture) error {
	if p.ID == "" || p.Item == "" {
		return notKept(wrong("nobook", "a photo needs a book: scan it first"))
	}
	l, err := s.open(ctx, id)
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	have, err := s.Store.Photos(ctx, id)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(have, func(x kiosk.ShelfPhoto) bool { return x.ID == p.ID }) {
		return nil
	}
	if err := l.takes(); err != nil {
		return err
	}
	if len(have) >= maxPhotos {
		return notKept(wrong("photos", "this inventory has %d photos already: drop some in its report", "n", len(have)))
	}
	if now := s.Now(); p.At.IsZero() || p.At.After(now) {
		p.At = now
	}
	if err := s.Store.KeepPhoto(ctx, id, p, picture); err != nil {
		return err
	}
	l.tell()
	return nil
}

// DropPhoto forgets a photo of an inventory that goes on.
func (s *Service) DropPhoto(ctx context.Context, id, photo kiosk.ID) error {
	l, err := s.open(ctx, id)
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	if l.v.Stage == kiosk.Ended {
		return l.takes()
	}
	if err := s.Store.DropPhoto(ctx, id, photo); err != nil {
		return err
	}
	l.tell()
	return nil
}

// Photo gives the picture of a photo, a JPEG.
func (s *Service) Photo(ctx context.Context, id, photo kiosk.ID) ([]byte, error) {
	return s.Store.Photo(ctx, id, photo)
}

// illustrate adds the photos to the notes of a report; what has a photo and no
// note gets a row, too.
func (s *Service) illustrate(ctx context.Context, l *live, r *Report) error {
	photos, err := s.Store.Photos(ctx, l.v.ID)
	if err != nil {
		return err
	}
	for _, p := range photos {
		i := slices.IndexFunc(r.Notes, func(x Row) bool { return x.Item == p.Item })
		if i < 0 {
			i, r.Notes = len(r.Notes), append(r.Notes, Row{Book: Book{Item: p.Item}, Passes: l.s.Passes(p.Item)})
		}
		r.Notes[i].Photos = append(r.Notes[i].Photos, p.ID)
	}
	return nil
}
