package bench

import (
	"context"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// readers are the far ends that Pad measures.
var readers = []reader{
	{"no protocol", func(_ context.Context, f *field.Field) (drivers.Pad, error) { return field.NewReader(f), nil }},
}
