package daemon

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// written is about when this program was: no clock before it is right.
var written = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// newClock makes the kiosk's clock out of the machine's.
func newClock(zone *time.Location) *kiosk.Clock {
	c := kiosk.ClockConfig{Synced: synced, Written: written, Zone: zone}
	if id, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		if _, ok := uptime(); ok {
			c.Boot, c.Up = strings.TrimSpace(string(id)), func() time.Duration { d, _ := uptime(); return d }
		}
	}
	if c.Boot == "" {
		c.Boot = string(newID()) // the time since the start of this process is all that is known
	}
	return kiosk.NewClock(c)
}

// uptime is how long the machine has been running, also while it slept.
func uptime() (time.Duration, bool) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}

// synced tells whether time servers keep the machine's clock, as the kernel
// has it: from the first good answer of one on, until none has come for hours,
// or somebody sets the clock (adjtimex(2), STA_UNSYNC).
func synced() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}
