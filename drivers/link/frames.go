package link

import (
	"errors"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// ErrPart is what a decoder says of a frame that has begun and not ended.
var ErrPart = errors.New("part of a frame")

// Frames reads the frames of a protocol from a Link.
type Frames[F any] struct {
	drivers.Link
	// Decode takes the first frame of b and tells how many bytes to drop: the
	// frame, or what is none. They are at least 1 unless it says ErrPart.
	Decode func(b []byte) (f F, n int, err error)

	got    []byte
	looked time.Time // the end whose glance was taken
}

// glance is how long is waited for what has come already.
const glance = time.Millisecond

// Next reads a frame, until end: then ErrSilent. A process that stood still
// until then has heard nothing, and yet the device may have spoken: once for
// each end what has come is read after it.
func (r *Frames[F]) Next(end time.Time) (f F, err error) {
	for {
		f, n, err := r.Decode(r.got)
		r.got = r.got[n:]
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, ErrPart) {
			continue
		}
		left := time.Until(end)
		if left <= 0 && r.looked.Equal(end) {
			return f, drivers.ErrSilent
		}
		if left <= 0 {
			left, r.looked = glance, end
		}
		if err := r.Patience(left); err != nil {
			return f, err
		}
		var buf [512]byte
		k, err := r.Read(buf[:])
		if errors.Is(err, drivers.ErrSilent) && !time.Now().Before(end) {
			continue
		}
		if err != nil {
			return f, err
		}
		r.got = append(r.got, buf[:k]...)
	}
}

// Forget drops what was read of a frame that has not ended.
func (r *Frames[F]) Forget() { r.got = nil }
