package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// setting is what staff has set: in the ledger's file by its name, with all
// that it was before, and at hand.
type setting[T interface{ Valid() error }] struct {
	*Daemon
	name string
	show func(T) // has every screen show it
	up   atomic.Pointer[T]
	mu   sync.Mutex // held while change changes it
}

// load reads what was set when the program ended.
func (s *setting[T]) load(ctx context.Context) error {
	v, err := s.read(ctx, 0)
	if err != nil && !errors.Is(err, kiosk.ErrUnknown) {
		return err
	}
	s.take(v)
	return nil
}

func (s *setting[T]) take(v T) {
	s.up.Store(&v)
	s.show(v)
}

func (s *setting[T]) read(ctx context.Context, back int) (v T, err error) {
	raw, err := s.store.Setting(ctx, s.name, back)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("%s: %w", s.name, err)
	}
	return v, v.Valid()
}

// now is what is set; the zero value if nothing ever was.
func (s *setting[T]) now() (v T) {
	if up := s.up.Load(); up != nil {
		return *up
	}
	return v
}

func (s *setting[T]) put(ctx context.Context, v T, by kiosk.Act) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	by.At = s.clock.Now()
	if err := s.store.PutSetting(ctx, s.name, raw, by); err != nil {
		return err
	}
	s.take(v)
	return nil
}

// change makes of what is set what comes next, one change at a time: those of
// the pages and of the shell know of each other.
func (s *setting[T]) change(ctx context.Context, by kiosk.Act, next func(T) (T, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := next(s.now())
	if err == nil {
		err = v.Valid()
	}
	if err != nil {
		return err
	}
	return s.put(ctx, v, by)
}

// before is what was set before; before the first time it was the zero value.
func (s *setting[T]) before(ctx context.Context) (T, error) {
	v, err := s.read(ctx, 1)
	if errors.Is(err, kiosk.ErrUnknown) {
		_, err = s.read(ctx, 0)
	}
	return v, err
}
