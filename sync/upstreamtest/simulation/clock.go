package simulation

import (
	"context"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// The part of the daemon that keeps the clock (its timekeeper), over again:
// the daemon can't be imported here.

// begin tells the clock of the ledger, and gives the newest time in it that is
// dated for good.
func (m *machine) begin(ctx context.Context) (good time.Time, err error) {
	newest, err := m.store.Newest(ctx)
	if err != nil || newest.IsZero() {
		return good, err
	}
	if err := m.store.Date(ctx, m.clock.Boot, newest, nil); err != nil {
		return good, err
	}
	open, err := m.store.Undated(ctx, m.clock.Boot)
	if err != nil {
		return good, err
	}
	if good = newest; len(open) > 0 {
		good = time.Time{}
	}
	for _, u := range open {
		for _, t := range []time.Time{u.After, u.Before} {
			if t.After(good) {
				good = t
			}
		}
	}
	m.clock.Begin(newest, good)
	return good, nil
}

// keepTime keeps the clock until the machine ends.
func (m *machine) keepTime() {
	for pause(m.ctx, 15*time.Second) == nil {
		m.keep(m.ctx)
	}
}

// keep hears the ILS's time and puts right what can be.
func (m *machine) keep(ctx context.Context) {
	select {
	case m.keeper <- struct{}{}:
		defer func() { <-m.keeper }()
	case <-ctx.Done():
		return
	}
	if r, ok := m.up.Time(); ok {
		m.clock.Heard(r)
	}
	start, ok := m.clock.Truth()
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	open, err := m.store.Undated(ctx, m.clock.Boot)
	if err != nil || len(open) == 0 {
		return
	}
	if m.store.Date(ctx, m.clock.Boot, m.clock.Now(), kiosk.Dates(open, start, m.clock.Zone)) != nil {
		return // the next time
	}
	if newest, err := m.store.Newest(ctx); err == nil {
		m.clock.Dated(newest)
	}
}
