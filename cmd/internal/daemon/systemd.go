package daemon

import (
	"context"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// supervised tells systemd that the kiosk is ready, and then that it still
// works, three times as often as systemd wants to hear it: as long as the desk
// takes events. A desk that hangs is so started again. Without systemd, or in
// a unit without a watchdog, there is nothing to tell (sd_notify(3)).
func (d *Daemon) supervised(ctx context.Context, screen string) error {
	d.notify(systemd.SdNotifyReady + "\nSTATUS=The screen is at " + screen)
	defer d.leaving()
	every, err := systemd.SdWatchdogEnabled(false)
	if err != nil {
		d.Log.Warn("systemd's watchdog can't be fed", "err", err)
	}
	if err != nil || every <= 0 {
		<-ctx.Done()
		return nil
	}
	beat := time.NewTicker(every / 3)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
		if err := d.alive(ctx, every); err == nil {
			d.notify(systemd.SdNotifyWatchdog)
		} else if ctx.Err() == nil {
			d.Log.Error("the desk takes no events", "err", err)
		}
	}
}

func (d *Daemon) alive(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return d.desk.Alive(ctx)
}

// leaving says whether this is the end, or the same process goes on with a new
// configuration: systemd stops what it was told is stopping.
func (d *Daemon) leaving() {
	select {
	case <-d.Leave:
		d.notify(systemd.SdNotifyReloading)
	default:
		d.notify(systemd.SdNotifyStopping)
	}
}

func (d *Daemon) notify(state string) {
	if _, err := systemd.SdNotify(false, state); err != nil {
		d.Log.Warn("systemd can't be told", "err", err)
	}
}
