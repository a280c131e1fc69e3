package bench

import (
	"context"
	"net"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/feig"
	"github.com/carrel-kiosk/carrel/drivers/feig/feigsim"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/drivers/pn5180"
	"github.com/carrel-kiosk/carrel/drivers/pn5180/pn5180sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// readers are the far ends that Pad measures.
var readers = []reader{
	{"no protocol", func(_ context.Context, f *field.Field) (drivers.Pad, error) { return field.NewReader(f), nil }},
	{"feig", func(ctx context.Context, f *field.Field) (drivers.Pad, error) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		go func() {
			defer ln.Close()
			if c, err := ln.Accept(); err == nil {
				feigsim.Serve(c, f, feigsim.Options{}) //nolint:errcheck // it ends with the connection
				c.Close()
			}
		}()
		l, err := link.Open(ctx, link.Config{Path: "tcp://" + ln.Addr().String()})
		if err != nil {
			return nil, err
		}
		return feig.Open(l, feig.Config{})
	}},
	{"pn5180", func(_ context.Context, f *field.Field) (drivers.Pad, error) {
		return pn5180.Open(pn5180sim.New(f, pn5180sim.Options{}), pn5180.Config{Busy: pn5180sim.Busy, Select: pn5180sim.Select, Reset: pn5180sim.Reset, Tries: 2})
	}},
}
