package link_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

// toFullStop decodes frames that end in a full stop.
func toFullStop(b []byte) (string, int, error) {
	n := bytes.IndexByte(b, '.') + 1
	if n == 0 {
		return "", 0, link.ErrPart
	}
	return string(b[:n]), n, nil
}

// held is a line that is read by a process that stands still for as long as
// the first read waits, and longer.
type held struct {
	drivers.Link
	patience time.Duration
	stood    bool
}

func (h *held) Patience(d time.Duration) error { h.patience = d; return h.Link.Patience(d) }

func (h *held) Read(p []byte) (int, error) {
	if !h.stood {
		h.stood = true
		time.Sleep(h.patience + time.Minute)
		return 0, drivers.ErrSilent
	}
	return h.Link.Read(p)
}

// TestStoodStill: what has come is read, also by a process that stood still
// until after the end of its wait.
func TestStoodStill(t *testing.T) {
	for name, first := range map[string]func(*link.Frames[string]) (string, error){
		"before the read": func(r *link.Frames[string]) (string, error) { return r.Next(time.Now().Add(-time.Minute)) },
		"in the read": func(r *link.Frames[string]) (string, error) {
			r.Link = &held{Link: r.Link}
			return r.Next(time.Now().Add(time.Second))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host, device := drivertest.NewCable()
				defer host.Close()
				r := &link.Frames[string]{Link: host, Decode: toFullStop}
				device.Write([]byte("here."))
				if f, err := first(r); f != "here." || err != nil {
					t.Errorf("Next() = %q, %v; want what had come", f, err)
				}
			})
		})
	}
}

// TestNextEnds: a device that says nothing, or too much, is heard until the end.
func TestNextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, device := drivertest.NewCable()
		defer host.Close()
		r := &link.Frames[string]{Link: host, Decode: toFullStop}
		begin := time.Now()
		if f, err := r.Next(begin.Add(time.Second)); !errors.Is(err, drivers.ErrSilent) || time.Since(begin) > 1100*time.Millisecond {
			t.Errorf("Next() = %q, %v after %v; want ErrSilent after a second", f, err, time.Since(begin))
		}
		end := time.Now()
		for n := range 100 {
			device.Write([]byte("more."))
			if _, err := r.Next(end); errors.Is(err, drivers.ErrSilent) {
				return
			} else if err != nil || n > 10 {
				t.Fatalf("%d frames are read after the end: %v", n, err)
			}
		}
	})
}
