package sim_test

import (
	"context"
	"errors"
	"testing"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/sim"
)

func open(bench string) (drivers.Scanner, error) {
	a, err := sim.Driver.Open(nil, &sim.Config{Bench: bench})
	if err != nil {
		return nil, err
	}
	return a.(drivers.Scanner), nil
}

func TestScanner(t *testing.T) {
	drivertest.TestScanner(t, func(t *testing.T) drivertest.Rig {
		b := sim.New(t.Name())
		return drivertest.Rig{
			Open: func(context.Context) (drivers.Scanner, error) { return open(t.Name()) },
			Scan: b.Scan,
			Plug: b.Plug,
		}
	})
}

// TestNobodyReads: the hand is told why nothing happens.
func TestNobodyReads(t *testing.T) {
	b := sim.New(t.Name())
	if err := b.Scan("1"); !errors.Is(err, sim.ErrUnread) {
		t.Errorf("Scan() before Open = %v; want ErrUnread", err)
	}
	if _, err := open(t.Name()); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Name()); err == nil {
		t.Error("the scanner is open twice")
	}
	var err error
	for n := 0; n < 1000 && err == nil; n++ { // its program has stopped reading
		err = b.Scan("1")
	}
	if !errors.Is(err, sim.ErrUnread) {
		t.Errorf("Scan() into a full scanner = %v; want ErrUnread", err)
	}
	b.Plug(false)
	if err := b.Scan("1"); !errors.Is(err, sim.ErrUnplugged) {
		t.Errorf("Scan() unplugged = %v; want ErrUnplugged", err)
	}
	if _, err := open("nosuch"); err == nil {
		t.Error("Open() finds a bench that nobody made")
	}
}

func TestTurn(t *testing.T) {
	b := sim.New(t.Name())
	on := map[string]bool{}
	broken := errors.New("broken")
	for _, s := range []sim.Switch{{Name: "slow", Group: "answers"}, {Name: "late", Group: "answers"}, {Name: "cut"}} {
		s.Set = func(is bool) error { on[s.Name] = is; return nil }
		b.Switches = append(b.Switches, s)
	}
	b.Switches = append(b.Switches, sim.Switch{Name: "bad", Set: func(bool) error { return broken }})
	for _, name := range []string{"cut", "slow", "late"} {
		if err := b.Turn(name, true); err != nil {
			t.Fatal(err)
		}
	}
	if on["slow"] || !on["late"] || !on["cut"] {
		t.Errorf("on: %v; want late alone of its group, and cut", on)
	}
	if err := b.Turn("late", false); err != nil || on["late"] {
		t.Errorf("Turn(late, false) = %v, on %v", err, on["late"])
	}
	if err := b.Turn("bad", true); !errors.Is(err, broken) {
		t.Errorf("Turn() of a broken switch = %v", err)
	}
	if err := b.Turn("none", true); err == nil {
		t.Error("Turn() of no switch succeeds")
	}
}
