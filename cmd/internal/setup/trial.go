package setup

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/drivers/link"
)

// found is a device that is plugged in, with the drivers that may fit it.
type found struct {
	Kind    string         `json:"kind"` // serial, printer, hid
	Where   string         `json:"where"`
	Product string         `json:"product"`
	Drivers []string       `json:"drivers"`
	Keys    map[string]any `json:"keys"` // of its entry in the configuration, beside name and driver
}

// serialDrivers are those of devices on a serial port, the likeliest first.
var serialDrivers = []string{"serialscan", "feig", "rfid3m", "twn4", "escpos"}

// plugged lists what there is. Nothing is opened.
func plugged() (list []found, err error) {
	ports, err := link.Ports()
	if err != nil {
		return nil, err
	}
	for _, p := range ports {
		list = append(list, found{"serial", p.Path, p.Product, serialDrivers, map[string]any{"path": p.Path}})
	}
	for _, p := range link.Printers() {
		list = append(list, found{"printer", p, "", []string{"escpos"}, map[string]any{"path": p}})
	}
	devices, err := link.HIDDevices()
	if err != nil {
		return list, err
	}
	for _, h := range devices {
		keys := map[string]any{"vid": h.VID, "pid": h.PID, "mode": "keyboard"}
		if h.UsagePage == 0x8c {
			keys["mode"] = "pos"
		}
		if h.Serial != "" {
			keys["serial"] = h.Serial
		}
		list = append(list, found{"hid", fmt.Sprintf("%04x:%04x", h.VID, h.PID), h.Product, []string{"hidscan"}, keys})
	}
	return list, nil
}

// Reads are what a device that is tried has said.
type Reads struct {
	Working bool     `json:"working"`
	Error   string   `json:"error,omitempty"`
	Reads   []string `json:"reads"` // the newest first
}

// mostReads are kept.
const mostReads = 20

// trial is the one device that is open to be tried.
type trial struct {
	mu    sync.Mutex
	n     int // of the trial, so that what an older one says is nobody's
	state Reads
	stop  func()
}

// begin opens a device in the place of the one before, until ctx ends.
func (t *trial) begin(ctx context.Context, dev config.Device) {
	t.end()
	ctx, cancel := context.WithCancel(ctx)
	gone := make(chan struct{})
	t.mu.Lock()
	t.n++
	n := t.n
	t.state = Reads{Reads: []string{}}
	t.stop = func() {
		cancel()
		select {
		case <-gone:
		case <-time.After(5 * time.Second): // it hangs: the page must not
		}
	}
	t.mu.Unlock()
	tell := func(change func(*Reads)) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.n == n {
			change(&t.state)
		}
	}
	go func() {
		defer close(gone)
		err := daemon.Listen(ctx, dev, func() { tell(func(r *Reads) { r.Working = true }) }, func(text string) {
			tell(func(r *Reads) { r.Reads = append([]string{text}, r.Reads[:min(len(r.Reads), mostReads-1)]...) })
		})
		if err != nil && ctx.Err() == nil {
			tell(func(r *Reads) { r.Working, r.Error = false, err.Error() })
		}
	}()
}

// end closes the device that is tried.
func (t *trial) end() {
	t.mu.Lock()
	stop := t.stop
	t.stop = nil
	t.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (t *trial) reads() Reads {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.state
	r.Reads = append([]string{}, r.Reads...)
	return r
}
