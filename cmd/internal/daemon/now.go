package daemon

import (
	"context"

	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// now is how the kiosk is, as the pages for staff show it.
func (d *Daemon) now(ctx context.Context) (web.Now, error) {
	s, err := d.Status(ctx)
	if err != nil {
		return web.Now{}, err
	}
	n := web.Now{Since: s.Since, Outbox: s.Outbox, Oldest: s.Oldest, Exceptions: s.Exception, Work: s.Work, Entries: s.Entries,
		Items: s.Items, Patrons: s.Patrons, Loans: s.Loans, Clock: d.clock.State(), DiskFree: s.DiskFree}
	for _, v := range s.Devices {
		n.Devices = append(n.Devices, web.NowDevice{Name: v.Name, Driver: v.Driver, Working: v.Working, Since: v.Since, Err: v.Error})
	}
	n.Door = d.panels.ajar()
	strange, err := d.strange.Strange(ctx)
	if err != nil {
		return web.Now{}, err
	}
	n.Strange = len(strange)
	if d.upstream != nil {
		n.Upstream = web.NowUpstream{Driver: s.Upstream.Driver, Up: s.Upstream.Up, Since: s.Upstream.Since, Err: s.Upstream.Error}
	}
	for _, l := range s.Refresh {
		row := web.NowList{Name: l.List, Since: l.Since}
		if l.Stuck {
			row.Err = l.Error
		}
		n.Lists = append(n.Lists, row)
	}
	if a := s.Rescue; a != nil && !a.Seen {
		n.Rescue = &web.NowRescue{At: a.At, Entries: a.Entries, Lost: len(a.Lost)}
	}
	return n, nil
}
