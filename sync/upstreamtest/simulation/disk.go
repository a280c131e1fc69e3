package simulation

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

var (
	errDead = errors.New("the kiosk is dead")
	errFull = errors.New("disk full")
)

// disk is what of a kiosk survives.
type disk struct {
	*station
	mem    kiosktest.Memory
	lot    lot
	full   atomic.Bool
	lives  map[kiosk.ID]*life   // by the disk's own goroutine at a time
	work   map[kiosk.TagID]word // the work list, as heeded, under world.mu
	writer chan struct{}        // holds a token while somebody writes
}

// life is what became of an entry, by true time.
type life struct {
	recorded time.Time
	last     time.Time // its newest state
	reason   kiosk.Reason
}

// store is the disk as one machine sees it. After the machine's end nothing
// takes effect any more.
type store struct {
	*kiosktest.Memory
	d *disk
	m *machine
}

// write has do take effect after a while, as one synced transaction.
func (s *store) write(ctx context.Context, what string, do func() error) error {
	d, m := s.d, s.m
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case d.writer <- struct{}{}:
	case <-m.died:
		return errDead
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-d.writer }()
	if m.dead.Load() {
		return errDead
	}
	took := d.lot.between(time.Millisecond, 30*time.Millisecond)
	stall, fate := d.lot.chance(d.plan.weather.stalls), d.lot.Float64()/max(d.plan.weather.crashes, 1e-9)
	kept := d.lot.chance(0.5)
	if d.peace.Load() {
		stall, fate = false, 1
	}
	if stall {
		took = d.lot.between(time.Second, 5*time.Second)
		d.count("stalled fsync")
	}
	if fate < 0.33 {
		time.Sleep(d.lot.hardly()) // not at the moment when the write before was heard of
		m.die("crash before a write", what)
		return errDead
	}
	if fate < 0.66 {
		took /= 2
	}
	t := time.NewTimer(took)
	defer t.Stop()
	select {
	case <-t.C:
	case <-m.died: // the power is cut in the middle of it
		if kept && !d.full.Load() {
			d.note(d.name+" disk", "%s: kept, unheard: %v", what, do())
		}
		return errDead
	}
	if fate < 0.66 {
		m.die("crash in a write", what)
		return errDead
	}
	if d.full.Load() {
		d.note(d.name+" disk", "%s: full", what)
		return fmt.Errorf("sqlite: %s: %w", what, errFull)
	}
	err := do()
	d.note(d.name+" disk", "%s: %v", what, err)
	if fate < 1 {
		m.die("crash after a write", what)
		return errDead
	}
	return err
}

// Record is kiosk.Ledger's.
func (s *store) Record(ctx context.Context, e kiosk.Entry) error {
	ctx, given := context.WithoutCancel(ctx), ctx
	what := fmt.Sprintf("record %s %s %s %s %s at %s due %s", e.ID, e.Kind, e.Item, e.Patron, e.State, stamp(e.At), stamp(e.Due))
	err := s.write(given, what, func() error {
		err := s.Memory.Record(ctx, e)
		if now := time.Now(); err == nil {
			s.d.lives[e.ID] = &life{recorded: now, last: now}
			s.d.heed()
		}
		return err
	})
	if err == nil && e.State == kiosk.Offline {
		s.m.worker.Wake()
	}
	return err
}

// Conclude is kiosk.Ledger's.
func (s *store) Conclude(ctx context.Context, o kiosk.Outcome) error {
	ctx, given := context.WithoutCancel(ctx), ctx
	what := fmt.Sprintf("conclude %s %s %s %q due %s", o.Entry, o.State, o.Reason, o.Text, stamp(o.Due))
	err := s.write(given, what, func() error {
		err := s.Memory.Conclude(ctx, o)
		if l := s.d.lives[o.Entry]; err == nil && l != nil {
			l.last, l.reason = time.Now(), o.Reason
			s.d.heed()
		}
		return err
	})
	if err == nil && o.State.Queued() {
		s.m.worker.Wake()
	}
	return err
}

// Postpone is kiosk.Outbox's.
func (s *store) Postpone(ctx context.Context, id kiosk.ID, at time.Time) error {
	return s.write(ctx, fmt.Sprintf("postpone %s to %s", id, stamp(at)), func() error {
		return s.Memory.Postpone(context.WithoutCancel(ctx), id, at)
	})
}

// Interrupted is kiosk.Outbox's.
func (s *store) Interrupted(ctx context.Context, now time.Time) (n int, err error) {
	err = s.write(ctx, "interrupted", func() error {
		n, err = s.Memory.Interrupted(ctx, now)
		s.d.heed()
		return err
	})
	return n, err
}

// Attach is kiosk.Ledger's.
func (s *store) Attach(ctx context.Context, id kiosk.ID, tag kiosk.TagID, at time.Time) error {
	return s.write(ctx, fmt.Sprintf("attach %s to %s", tag, id), func() error {
		defer s.d.heed()
		return s.Memory.Attach(context.WithoutCancel(ctx), id, tag, at)
	})
}

// Done is kiosk.Ledger's.
func (s *store) Done(ctx context.Context, k kiosk.Work, at time.Time) error {
	return s.write(ctx, fmt.Sprintf("%s is %s by %s", k.Tag, k.Want, k.Entry), func() error {
		defer s.d.heed()
		return s.Memory.Done(context.WithoutCancel(ctx), k, at)
	})
}

// Date is kiosk.Dater's.
func (s *store) Date(ctx context.Context, boot string, now time.Time, list []kiosk.Dating) error {
	return s.write(ctx, fmt.Sprintf("put %d dates right", len(list)), func() error {
		return s.Memory.Date(context.WithoutCancel(ctx), boot, now, list)
	})
}

// Queue is kiosk.Outbox's.
func (s *store) Queue(ctx context.Context, limit int) ([]kiosk.Queued, error) {
	if s.m.dead.Load() {
		return nil, errDead
	}
	return s.Memory.Queue(ctx, limit)
}

// Probe tells the desk whether there is room.
func (s *store) Probe(ctx context.Context) error {
	return s.write(ctx, "probe", func() error { return nil })
}

// stamp is a time in a trace.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("0102T150405.000")
}
