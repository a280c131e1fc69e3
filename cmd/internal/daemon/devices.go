package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/all"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// devices keeps the configured devices open and knows how they are.
type devices struct {
	*Daemon
	mu     sync.Mutex
	states map[string]drivers.State
	leave  time.Duration // how long the end of the program waits for drivers
}

// leaveTime is how long drivers have to close their devices: less than the desk
// has for what is in hand.
const leaveTime = 3 * time.Second

func newDevices(d *Daemon) *devices {
	return &devices{Daemon: d, states: map[string]drivers.State{}, leave: leaveTime}
}

// run keeps every device until ctx ends. A device that is missing is a fault
// on the screen and no error. A driver that does not come back at the end is not
// waited for.
func (ds *devices) run(ctx context.Context) error {
	var g errgroup.Group
	for _, dev := range ds.Config.Devices {
		g.Go(func() error {
			drivers.Keep(ctx,
				func(ctx context.Context) (any, error) { return open(ctx, dev) },
				func(ctx context.Context, device any) error { return ds.use(ctx, dev.Name, device) },
				func(s drivers.State) { ds.report(dev, s) })
			return nil
		})
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(ds.leave):
		ds.Log.Error("a driver has not come back; it is left as it is")
		return nil
	}
}

// use reads a device for what it can do, until it fails or ctx ends.
func (ds *devices) use(ctx context.Context, name string, device any) error {
	switch d := device.(type) {
	case drivers.Scanner:
		return d.Scans(ctx, func(sc drivers.Scan) { ds.scanned(ctx, name, sc) })
	case drivers.Pad:
		return ds.pads.run(ctx, name, d)
	case drivers.Wand:
		return ds.staff.wand(ctx, name, d)
	case drivers.Panel:
		return ds.panels.run(ctx, name, d)
	case drivers.Printer:
		return ds.receipts.run(ctx, name, d)
	}
	return fmt.Errorf("it neither scans nor reads tags nor prints")
}

// open opens a device and what it hangs on.
func open(ctx context.Context, dev config.Device) (any, error) {
	var under any
	var err error
	switch needs := dev.Driver.Needs; {
	case needs == drivers.NeedsReports:
		under, err = link.OpenReports(ctx, dev.Link, dev.Options)
	case needs == drivers.NeedsBus, needs == drivers.NeedsEither && dev.Link.OnBus():
		under, err = link.OpenBus(ctx, dev.Link)
	case needs != drivers.NeedsNothing:
		under, err = link.Open(ctx, dev.Link)
	}
	if err != nil {
		return nil, err
	}
	return dev.Driver.Open(under, dev.Options)
}

// sendTime is the longest a scan waits for the desk, which takes events at
// once unless the machine itself stands still.
const sendTime = 5 * time.Second

func (ds *devices) scanned(ctx context.Context, name string, sc drivers.Scan) {
	ev, warning := ds.Config.Intake.Event(sc)
	if ds.staff.scannedBadge(ctx, sc.Text, ev) {
		return
	}
	if warning != "" {
		ds.Log.Warn("scan", "device", name, "warning", warning)
	}
	if bad, ok := ev.(kiosk.Unreadable); ok {
		ds.Log.Info("scan not understood", "device", name, "reason", bad.Reason, "code", bad.Code, "aim", sc.AIM)
	}
	if ds.staff.scanned(ctx, name, sc.Text, ev) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if either, ok := ev.(kiosk.EitherRead); ok {
		ev = ds.whose(ctx, either)
	}
	if err := ds.desk.Send(ctx, ev); err != nil {
		ds.Log.Error("a scan was lost: the desk does not take it", "device", name, "err", err)
	}
	runtime.Gosched() // the desk first: the next read blocks this processor with the desk waiting for it
}

// whose looks whether a number of either kind is a copy's. Where that can't be
// told it is nobody's: as a card it would end the session of whoever is there.
func (ds *devices) whose(ctx context.Context, either kiosk.EitherRead) kiosk.Event {
	_, err := ds.store.Item(ctx, kiosk.Barcode(either.Code))
	if err != nil && !errors.Is(err, kiosk.ErrUnknown) {
		ds.Log.Error("the catalogue can't be read", "err", err)
		return kiosk.Unreadable{Code: either.Code, Reason: kiosk.ReasonUnreadable}
	}
	either.Copy = err == nil
	return either
}

// report shows a missing device as a fault; it is logged once until it works
// again or is missing for another reason.
func (ds *devices) report(dev config.Device, s drivers.State) {
	ds.mu.Lock()
	before, seen := ds.states[dev.Name]
	if seen && before.Working == s.Working {
		s.Since = before.Since
	}
	ds.states[dev.Name] = s
	ds.mu.Unlock()
	if s.Working {
		ds.Log.Info("device works", "device", dev.Name, "driver", dev.Driver.Name)
		ds.desk.Mend(dev.Name)
		return
	}
	if !seen || before.Working || before.Err.Error() != s.Err.Error() {
		ds.Log.Warn("device is missing", "device", dev.Name, "driver", dev.Driver.Name, "err", s.Err)
	}
	ds.desk.Fault(kiosk.Fault{Source: dev.Name, Text: s.Err.Error()})
}

// scan tells whether one of the devices is a scanner.
func (ds *devices) scan() bool {
	return slices.ContainsFunc(ds.Config.Devices, func(dev config.Device) bool { return dev.Driver.IsScanner() })
}

// noPad tells why no pad works.
func (ds *devices) noPad() error {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	var why []string
	for _, dev := range ds.Config.Devices {
		if !dev.Driver.IsPad() {
			continue
		}
		text := "is being opened"
		if err := ds.states[dev.Name].Err; err != nil {
			text = err.Error()
		}
		why = append(why, dev.Name+": "+text)
	}
	return noPad(why)
}

func (ds *devices) status() []control.Device {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	list := []control.Device{}
	for _, dev := range ds.Config.Devices {
		s := ds.states[dev.Name]
		d := control.Device{Name: dev.Name, Driver: dev.Driver.Name, Path: dev.Link.Where(), Working: s.Working, Since: s.Since}
		if s.Err != nil {
			d.Error, d.Hung = s.Err.Error(), errors.Is(s.Err, drivers.ErrHung)
		}
		list = append(list, d)
	}
	return list
}

// Try opens a device once and closes it, to see whether that can be done.
func Try(ctx context.Context, dev config.Device) error {
	device, err := open(ctx, dev)
	if err != nil {
		return err
	}
	s, ok := device.(drivers.Scanner)
	if !ok {
		return device.(io.Closer).Close()
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Scans(ended, func(drivers.Scan) {}); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// listenEvery is how often a pad is asked what lies on it.
const listenEvery = 300 * time.Millisecond

// Listen opens a device and tells what it reads, until ctx ends or it fails:
// each code, and each tag once.
func Listen(ctx context.Context, dev config.Device, works func(), read func(string)) error {
	device, err := open(ctx, dev)
	if err != nil {
		return err
	}
	works()
	switch d := device.(type) {
	case drivers.Scanner:
		return d.Scans(ctx, func(sc drivers.Scan) { read(sc.Text) })
	case drivers.Pad:
		defer d.Close()
		return listenPad(ctx, d, read)
	}
	<-ctx.Done()
	if c, ok := device.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func listenPad(ctx context.Context, p drivers.Pad, read func(string)) error {
	there := map[drivers.UID]bool{}
	t := time.NewTicker(listenEvery)
	defer t.Stop()
	for {
		tags, err := p.Inventory()
		if err != nil && !errors.Is(err, drivers.ErrFull) {
			return err
		}
		now := map[drivers.UID]bool{}
		for _, tag := range tags {
			if now[tag.UID] = true; !there[tag.UID] {
				read(tag.UID.String())
			}
		}
		there = now
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// PrintVersion writes what was built.
func PrintVersion(w io.Writer, name string) {
	var names []string
	for _, d := range all.Drivers() {
		if d.Needs == drivers.NeedsReports && !link.HIDSupported() {
			names = append(names, d.Name+" (not in this build: needs cgo)")
			continue
		}
		names = append(names, d.Name)
	}
	cli.PrintVersion(w, name, cgo, names)
}
