package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	keepEvery = 15 * time.Second // the clock is looked at, with nothing else to do
	keepTime  = 5 * time.Second  // longest wait for the ledger
)

// timekeeper tells the clock what the ILS has said of the time, and puts
// entries right as soon as the truth is known. It does so after each probe,
// before anything is told to the ILS, and every few seconds.
//
// What can be put right are the entries of this run of the machine, also those
// of an earlier process. When an earlier run began is not known: its entries
// that were in doubt stay so, and staff sees them.
type timekeeper struct {
	*kiosk.Clock
	ledger interface {
		kiosk.Dater
		Newest(ctx context.Context) (time.Time, error)
	}
	ils kiosk.TimeTeller // nil: there is none
	log *slog.Logger

	mu   sync.Mutex
	said kiosk.ClockState
}

// begin tells the clock of the ledger, and gives the newest time in it that is
// dated for good.
func (k *timekeeper) begin(ctx context.Context) (good time.Time, err error) {
	newest, err := k.ledger.Newest(ctx)
	if err != nil || newest.IsZero() {
		return good, err
	}
	// Those of other runs count as dated from now on.
	if err := k.ledger.Date(ctx, k.Boot, newest, nil); err != nil {
		return good, err
	}
	open, err := k.ledger.Undated(ctx, k.Boot)
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
	k.Begin(newest, good)
	return good, nil
}

// run keeps the clock until ctx ends.
func (k *timekeeper) run(ctx context.Context) error {
	t := time.NewTicker(keepEvery)
	defer t.Stop()
	for {
		k.keep(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}

// keep hears the ILS's time and puts right what can be.
func (k *timekeeper) keep(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ils != nil {
		if r, ok := k.ils.Time(); ok {
			k.Heard(r)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	n, err := k.date(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		k.log.Error("dates can't be put right", "err", err)
	case n > 0:
		k.log.Info("the time is known; dates were put right", "entries", n)
	}
	k.tell()
}

// date puts right what is undated, if the truth is known.
func (k *timekeeper) date(ctx context.Context) (changed int, err error) {
	start, ok := k.Truth()
	if !ok {
		return 0, nil
	}
	open, err := k.ledger.Undated(ctx, k.Boot)
	if err != nil || len(open) == 0 {
		return 0, err
	}
	dates := kiosk.Dates(open, start, k.Zone)
	if err := k.ledger.Date(ctx, k.Boot, k.Now(), dates); err != nil {
		return 0, err
	}
	for _, d := range dates {
		if !d.At.IsZero() {
			changed++
		}
	}
	newest, err := k.ledger.Newest(ctx)
	if err != nil {
		return changed, fmt.Errorf("newest entry: %w", err)
	}
	k.Dated(newest)
	return changed, nil
}

// tell logs when the clock begins or ceases to be in doubt.
func (k *timekeeper) tell() {
	s := k.State()
	if (s.Doubt == "") != (k.said.Doubt == "") {
		if s.Doubt != "" {
			k.log.Warn("the clock is not to be trusted", "why", s.Doubt, "goes by", s.Source)
		} else {
			k.log.Info("the clock is to be trusted", "goes by", s.Source)
		}
	}
	if s.Warning != "" && k.said.Warning == "" {
		k.log.Warn("clocks differ", "what", s.Warning)
	}
	k.said = s
}
