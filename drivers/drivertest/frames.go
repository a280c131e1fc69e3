package drivertest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/carrel-kiosk/carrel/drivers/link"
)

// TestFrames holds a codec against a file of published frames: each good one is
// decoded whole and written as it was, and each bad one is refused. decode is as
// in link.Frames.
func TestFrames[F any](t *testing.T, name string, decode func([]byte) (F, int, error), encode func(F) []byte) {
	t.Helper()
	good, bad := 0, 0
	for _, p := range PublishedFrames(t, name) {
		f, n, err := decode(p.Data)
		if (err == nil) != p.Good || p.Good && n != len(p.Data) {
			t.Errorf("decode(%X) = %v, %d; want ok: %v", p.Data, err, n, p.Good)
		}
		if err == nil && !bytes.Equal(encode(f), p.Data) {
			t.Errorf("%X is written as %X", p.Data, encode(f))
		}
		if p.Good {
			good++
		} else {
			bad++
		}
	}
	if good == 0 {
		t.Error("no good frames")
	}
	t.Logf("%d good frames, %d bad ones", good, bad)
}

// Decoded takes all frames off a stream that comes in parts. decode is as in
// link.Frames.
func Decoded[F any](decode func([]byte) (F, int, error), parts ...[]byte) (list []F) {
	var have []byte
	for _, part := range parts {
		have = append(have, part...)
		for {
			f, n, err := decode(have)
			have = have[n:]
			if errors.Is(err, link.ErrPart) {
				break
			}
			if err == nil {
				list = append(list, f)
			}
		}
	}
	return list
}
