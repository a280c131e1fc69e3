package daemon

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/feig"
	"github.com/carrel-kiosk/carrel/drivers/serialscan"
	"github.com/carrel-kiosk/carrel/drivers/sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/kiosk/intake"
)

// TestNoPad: who has no pad hears why, and what to do.
func TestNoPad(t *testing.T) {
	scanner, pad := config.Device{Name: "scanner", Driver: serialscan.Driver}, config.Device{Name: "pad", Driver: feig.Driver}
	missing := drivers.State{Err: drivers.ErrGone, Since: time.Now()}
	for _, tt := range []struct {
		devices []config.Device
		states  map[string]drivers.State
		says    []string
	}{
		{nil, nil, []string{"none is configured", "kioskctl drivers"}},
		{[]config.Device{scanner}, map[string]drivers.State{"scanner": missing}, []string{"none is configured"}},
		{[]config.Device{scanner, pad}, map[string]drivers.State{"pad": missing}, []string{"pad: device is gone", "kioskctl doctor"}},
		{[]config.Device{pad}, nil, []string{"pad: is being opened"}},
	} {
		d := &Daemon{Options: Options{Config: &config.Config{Devices: tt.devices}}}
		d.pads, d.devices = newPads(d), &devices{Daemon: d, states: tt.states}
		says(t, d.pads.Do(t.Context(), nil), tt.says...)
	}
}

// TestNoPadAlone: the same without a daemon.
func TestNoPadAlone(t *testing.T) {
	c := &config.Config{Devices: []config.Device{{Name: "scanner", Driver: serialscan.Driver}}}
	_, err := OpenPad(t.Context(), c)
	says(t, err, "none is configured")
	b := sim.New(t.Name())
	b.Field = field.New(1)
	b.PlugPad(false)
	c.Devices = append(c.Devices, config.Device{Name: "pad", Driver: sim.PadDriver, Options: &sim.Config{Bench: t.Name()}})
	_, err = OpenPad(t.Context(), c)
	says(t, err, "pad: simpad: the pad is unplugged", "kioskctl doctor")
}

// TestPadGoes: the one whose work finds out hears it too.
func TestPadGoes(t *testing.T) {
	d := &Daemon{Options: Options{Config: &config.Config{}}}
	d.pads = newPads(d)
	pad := intake.NewPad(intake.PadConfig{})
	d.pads.open = append(d.pads.open, pad)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- pad.Run(ctx, quiet{}) }()
	says(t, d.pads.Do(ctx, func(drivers.Pad) error { return drivers.ErrSilent }), "device is silent", "kioskctl doctor")
	cancel()
	<-ended
}

// quiet is a pad on which nothing lies.
type quiet struct{ drivers.Pad }

func (quiet) Inventory() ([]drivers.Tag, error) { return nil, nil }
func (quiet) Close() error                      { return nil }

func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	if !errors.Is(err, intake.ErrNoPad) {
		t.Fatalf("error = %v; want %v", err, intake.ErrNoPad)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error = %v; want %q in it", err, p)
		}
	}
}
