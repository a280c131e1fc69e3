package daemon

import (
	"context"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// displayFault is the source of the fault that the browser has hung.
const displayFault = "display"

// watchDisplay tells staff of a browser that paints no more; the watchdog
// beside it (deploy/browser) starts it again. One that never came since the
// start is nobody's: a kiosk may be without a display.
func (d *Daemon) watchDisplay(ctx context.Context) error {
	t := time.NewTicker(15 * time.Second)
	defer t.Stop()
	for hung := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		since := d.sight.Lost()
		switch now := !since.IsZero(); {
		case now && !hung:
			d.Log.Error("the browser on the display has hung", "since", since)
			d.desk.Fault(kiosk.Fault{Source: displayFault, Text: "the browser on the kiosk's display shows nothing new; it is started again by its unit (carrel-browser)"})
			hung = true
		case !now && hung:
			d.Log.Info("the browser on the display is back")
			d.desk.Mend(displayFault)
			hung = false
		}
	}
}

// watchNotes shows what is wrong with the configuration.
func (d *Daemon) watchNotes(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case text := <-d.Notes:
			if text == "" {
				d.desk.Mend("configuration")
			} else {
				d.desk.Fault(kiosk.Fault{Source: "configuration", Text: text})
			}
		}
	}
}
