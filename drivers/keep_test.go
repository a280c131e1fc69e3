package drivers_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// TestKeep: a device that is missing, then broken, then there, then unplugged
// after a minute, then there for good.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		begin := time.Now()
		var tries []time.Duration
		var states []string
		open := func(context.Context) (int, error) {
			tries = append(tries, time.Since(begin))
			if n := len(tries); n <= 8 {
				return 0, errors.New("missing")
			} else if n == 9 {
				panic("broken")
			}
			return len(tries), nil
		}
		use := func(ctx context.Context, n int) error {
			if n == 10 {
				time.Sleep(time.Minute)
				return drivers.ErrGone
			}
			<-ctx.Done()
			return nil
		}
		drivers.Keep(ctx, open, use, func(s drivers.State) {
			states = append(states, fmt.Sprint(s.Working, s.Err, s.Since.Sub(begin)))
		})
		if want := []time.Duration{0, ms(250), ms(750), ms(1750), ms(3750), ms(7750), ms(15750), ms(30750), ms(45750), ms(60750), ms(121000)}; !slices.Equal(tries, want) {
			t.Errorf("tried at %v; want %v", tries, want)
		}
		want := []string{"false missing 0s", "false driver panicked: broken 0s", "true <nil> 1m0.75s", "false device is gone 2m0.75s", "true <nil> 2m1s"}
		if !slices.Equal(states, want) {
			t.Errorf("states %q; want %q", states, want)
		}
	})
}

// TestKeepFlapping: a device that opens and fails at once is not tried ever
// again at once.
func TestKeepFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		tries := 0
		drivers.Keep(ctx, func(context.Context) (int, error) { tries++; return 0, nil },
			func(context.Context, int) error { return nil }, func(drivers.State) {})
		if tries < 200 || tries > 260 {
			t.Errorf("tried %d times in an hour; want one try in 15 s", tries)
		}
	})
}

// TestKeepPanicWhileUsed: the error has the place in the source, for the log.
func TestKeepPanicWhileUsed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	use := func(context.Context, int) error { panic("lost the thread") }
	var got error
	drivers.Keep(ctx, func(context.Context) (int, error) { return 0, nil }, use, func(s drivers.State) {
		if !s.Working {
			got = s.Err
			cancel()
		}
	})
	p, ok := errors.AsType[*drivers.Panic](got)
	if !ok || p.Value != "lost the thread" || !strings.Contains(string(p.Stack), "TestKeepPanicWhileUsed") {
		t.Errorf("error = %v; want a *Panic that tells where", got)
	}
}

// TestKeepEnds: the end of the context ends a pause at once, and is no fault.
func TestKeepEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), ms(100))
		defer cancel()
		begin, reports := time.Now(), 0
		drivers.Keep(ctx, func(context.Context) (int, error) { return 0, errors.New("missing") }, nothing, func(drivers.State) { reports++ })
		if time.Since(begin) != ms(100) || reports != 1 {
			t.Errorf("ended after %v with %d reports; want 100ms, 1", time.Since(begin), reports)
		}
		ctx, cancel = context.WithTimeout(t.Context(), ms(100))
		defer cancel()
		var last drivers.State
		drivers.Keep(ctx, func(context.Context) (int, error) { return 0, nil },
			func(ctx context.Context, _ int) error { <-ctx.Done(); return nil }, func(s drivers.State) { last = s })
		if !last.Working {
			t.Errorf("the end of the daemon is reported as %v", last.Err)
		}
	})
}

func nothing(context.Context, int) error { return nil }
