package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// look is how often Refresh tells how it goes.
const look = 200 * time.Millisecond

// Refresh implements control.Daemon. It goes on when ctx ends.
func (d *Daemon) Refresh(ctx context.Context, whole bool, tell func(control.Line)) error {
	if d.refresh == nil {
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: "upstream " + d.Config.Upstream.Driver + " has no lists to give: see kioskctl import"}
	}
	d.refresh.Refresh(whole)
	t := time.NewTicker(look)
	defer t.Stop()
	for {
		asked := false
		for _, s := range d.refresh.Status() {
			asked = asked || s.Asked
			if s.Asked && !s.Begun.IsZero() {
				tell(control.Line{Progress: &control.Progress{List: string(s.List), Rows: s.Rows}})
			}
		}
		if !asked {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
	var errs []error
	for _, s := range d.refresh.Status() {
		if s.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.List, s.Err))
		}
	}
	tell(control.Line{Lists: d.refreshed()})
	return errors.Join(errs...)
}

// refreshed tells how fresh the lists are; nil without any.
func (d *Daemon) refreshed() (lists []control.Refresh) {
	if d.refresh == nil {
		return nil
	}
	for _, s := range d.refresh.Status() {
		r := control.Refresh{List: string(s.List), Whole: s.Whole, Since: s.Since, Next: s.Next, Running: !s.Begun.IsZero(), Rows: s.Rows,
			New: s.Change.New, Changed: s.Change.Changed, Same: s.Change.Same, Ended: s.Ended, Stuck: s.Stuck}
		if s.Err != nil {
			r.Error = s.Err.Error()
		}
		lists = append(lists, r)
	}
	return lists
}
