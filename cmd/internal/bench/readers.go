package bench

import (
	"context"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/pn5180"
	"github.com/carrel-kiosk/carrel/drivers/pn5180/pn5180sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// readers are the far ends that Pad measures.
var readers = []reader{
	{"no protocol", func(_ context.Context, f *field.Field) (drivers.Pad, error) { return field.NewReader(f), nil }},
	{"pn5180", func(_ context.Context, f *field.Field) (drivers.Pad, error) {
		return pn5180.Open(pn5180sim.New(f, pn5180sim.Options{}), pn5180.Config{Busy: pn5180sim.Busy, Select: pn5180sim.Select, Reset: pn5180sim.Reset, Tries: 2})
	}},
}
