package drivertest

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// playback is the device on a tape.
type playback struct {
	t        testing.TB
	tape     Tape
	patience time.Duration
	closed   bool
}

// Playback is a line to the device on the tape. A driver that sends other
// bytes than the tape has fails the test, and so does one that reads after it
// has closed the line, or leaves a part of the tape unplayed.
func Playback(t testing.TB, tape Tape) drivers.Link {
	p := &playback{t: t, patience: time.Second}
	for _, s := range tape {
		s.Data = bytes.Clone(s.Data)
		p.tape = append(p.tape, s)
	}
	t.Cleanup(func() {
		if len(p.tape) > 0 && p.tape[0].Kind != Unplug {
			t.Errorf("%d steps of the tape were not played, from %v", len(p.tape), p.tape[0])
		}
	})
	return p
}

func (p *playback) Patience(d time.Duration) error { p.patience = d; return nil }

func (p *playback) Read(b []byte) (int, error) {
	if p.closed {
		p.t.Error("read after Close")
		return 0, drivers.ErrGone
	}
	left := p.patience
	for len(p.tape) > 0 {
		s := &p.tape[0]
		switch s.Kind {
		case Unplug:
			return 0, drivers.ErrGone
		case Device:
			n := copy(b, s.Data)
			p.spend(n)
			return n, nil
		case Quiet:
			if s.Wait > left {
				time.Sleep(left)
				s.Wait -= left
				return 0, drivers.ErrSilent
			}
			time.Sleep(s.Wait)
			left -= s.Wait
			p.tape = p.tape[1:]
			continue
		}
		break // the device waits for the host
	}
	time.Sleep(left)
	return 0, drivers.ErrSilent
}

// spend takes n bytes off the first step.
func (p *playback) spend(n int) {
	if p.tape[0].Data = p.tape[0].Data[n:]; len(p.tape[0].Data) == 0 {
		p.tape = p.tape[1:]
	}
}

func (p *playback) Write(b []byte) (int, error) {
	if p.closed {
		p.t.Error("write after Close")
		return 0, drivers.ErrGone
	}
	for done := 0; done < len(b); {
		for len(p.tape) > 0 && p.tape[0].Kind == Quiet {
			p.tape = p.tape[1:] // the host did not wait it out
		}
		if len(p.tape) > 0 && p.tape[0].Kind == Unplug {
			return done, drivers.ErrGone
		}
		rest := b[done:]
		if len(p.tape) == 0 || p.tape[0].Kind != Host {
			p.t.Errorf("the driver sends % X; the tape has nothing of that", rest)
			return done, drivers.ErrGone
		}
		want := p.tape[0].Data
		n := min(len(want), len(rest))
		if !bytes.Equal(want[:n], rest[:n]) {
			p.t.Errorf("the driver sends % X; the tape has % X", rest, want)
			return done, drivers.ErrGone
		}
		p.spend(n)
		done += n
	}
	return len(b), nil
}

func (p *playback) Close() error { p.closed = true; return nil }

// record writes down what goes over a line.
type record struct {
	drivers.Link
	w    io.Writer
	last time.Time
	err  error // of writing; told by Close
}

// Record makes a Link that writes all that goes over l to w, as a Tape.
func Record(l drivers.Link, w io.Writer) drivers.Link {
	return &record{Link: l, w: w, last: time.Now()}
}

func (r *record) Read(p []byte) (int, error) {
	n, err := r.Link.Read(p)
	if n > 0 {
		r.note(Step{Kind: Device, Data: p[:n]})
	}
	if errors.Is(err, drivers.ErrGone) {
		r.put(Step{Kind: Unplug})
	}
	return n, err
}

func (r *record) Write(p []byte) (int, error) {
	n, err := r.Link.Write(p)
	if n > 0 {
		r.note(Step{Kind: Host, Data: p[:n]})
	}
	return n, err
}

// note writes a step, and the silence before it, to the millisecond.
func (r *record) note(s Step) {
	now := time.Now()
	if quiet := now.Sub(r.last).Truncate(time.Millisecond); quiet > 0 && s.Kind == Device {
		r.put(Step{Kind: Quiet, Wait: quiet})
	}
	r.last = now
	r.put(s)
}

func (r *record) put(s Step) {
	if r.err == nil {
		_, r.err = io.WriteString(r.w, s.String())
	}
}

func (r *record) Close() error {
	if err := r.Link.Close(); err != nil {
		return err
	}
	return r.err
}
