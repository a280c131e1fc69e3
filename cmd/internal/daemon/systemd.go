package daemon

import (
	"context"
	"log/slog"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// supervised tells systemd that the kiosk is ready, and then that it still
// works, three times as often as systemd wants to hear it: as long as the desk
// takes events. A desk that hangs is so started again. Without systemd, or in
// a unit without a watchdog, there is nothing to tell (sd_notify(3)).
func (d *Daemon) supervised(ctx context.Context, screen string) error {
	d.started()
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

// Supervised does what a kiosk does that is not set up yet, and tells systemd
// that it is there; ready is to be called once it is.
func Supervised(ctx context.Context, log *slog.Logger, do func(ready func()) error) error {
	d := &Daemon{Options: Options{Log: log}}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return do(func() {
		d.notify(systemd.SdNotifyReady + "\nSTATUS=This kiosk is not set up yet: its screen leads on")
		d.beat(ctx)
	})
}

// startTime is the longest that a start may take, as in kioskd.service.
const startTime = time.Minute

// starting keeps the watchdog quiet while the parts are opened, which it watches
// too when the same process goes on from the set-up page or from another
// configuration: a slow card takes its time. Its end is started.
func (d *Daemon) starting(ctx context.Context) {
	ctx, d.started = context.WithTimeout(ctx, startTime)
	d.beat(ctx)
}

// beat tells the watchdog, if there is one, that all is well, until ctx ends.
func (d *Daemon) beat(ctx context.Context) {
	every, err := systemd.SdWatchdogEnabled(false)
	if err != nil || every <= 0 {
		return
	}
	d.notify(systemd.SdNotifyWatchdog)
	go func() {
		beat := time.NewTicker(every / 3)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
				d.notify(systemd.SdNotifyWatchdog)
			}
		}
	}()
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
