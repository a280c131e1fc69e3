package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/intake"
)

// pads are the kiosk's RFID pads: one nearly always.
type pads struct {
	*Daemon
	mu    sync.Mutex
	open  []*intake.Pad
	where map[kiosk.TagID]*intake.Pad // on which one a tag was seen last
}

var _ kiosk.Securer = (*pads)(nil)

func newPads(d *Daemon) *pads { return &pads{Daemon: d, where: map[kiosk.TagID]*intake.Pad{}} }

// run reads a pad until it fails or ctx ends.
func (ps *pads) run(ctx context.Context, name string, dev drivers.Pad) error {
	if n, ok := dev.(drivers.Named); ok {
		ps.Log.Info("pad", "device", name, "is", n.Identity())
	}
	t := ps.Config.Tags
	var pad *intake.Pad
	pad = intake.NewPad(intake.PadConfig{Intake: ps.Config.Intake, Owners: t.Owners, AFI: t.AFI, EAS: t.EAS,
		Badge: func(tag kiosk.TagID, number string) bool {
			return ps.staff.takesBadge(ctx, kiosk.Card(number), kiosk.Card(tag))
		},
		Emit: func(ev kiosk.Event) { ps.emit(ctx, name, pad, ev) }})
	ps.mu.Lock()
	ps.open = append(ps.open, pad)
	ps.mu.Unlock()
	defer ps.forget(pad)
	return pad.Run(ctx, dev)
}

// afresh has everything that lies there read and told anew.
func (ps *pads) afresh() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, p := range ps.open {
		p.Afresh()
	}
}

// gates tells whether the gates look at what is written on tags.
func (ps *pads) gates() bool {
	t := ps.Config.Tags
	return t.AFI != (tagdata.Security{}) || t.EAS
}

// ready tells whether a pad works.
func (ps *pads) ready() bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.open) > 0
}

func (ps *pads) forget(pad *intake.Pad) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for i, p := range ps.open {
		if p == pad {
			ps.open = append(ps.open[:i:i], ps.open[i+1:]...)
			break
		}
	}
	for tag, p := range ps.where {
		if p == pad {
			delete(ps.where, tag)
		}
	}
}

// emit passes on what happens on a pad.
func (ps *pads) emit(ctx context.Context, name string, pad *intake.Pad, ev kiosk.Event) {
	ps.mu.Lock()
	switch ev := ev.(type) {
	case kiosk.TagPlaced:
		ps.where[ev.Tag] = pad
	case kiosk.TagRemoved:
		delete(ps.where, ev.Tag)
	}
	ps.mu.Unlock()
	ps.staff.tag(ctx, name, ev)
	if ps.staff.takesTag(ev) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if err := ps.desk.Send(ctx, ev); err != nil {
		ps.Log.Error("a tag was lost: the desk does not take it", "event", ev, "err", err)
	}
}

// Secure implements kiosk.Securer, by the pad on which the tag lies.
func (ps *pads) Secure(ctx context.Context, tag kiosk.TagID, want kiosk.Security) error {
	ps.mu.Lock()
	pad := ps.where[tag]
	ps.mu.Unlock()
	if pad == nil {
		return kiosk.ErrLifted
	}
	return pad.Secure(ctx, tag, want)
}

// Do has something done with the first pad that works.
func (ps *pads) Do(ctx context.Context, do func(drivers.Pad) error) error {
	ps.mu.Lock()
	var pad *intake.Pad
	if len(ps.open) > 0 {
		pad = ps.open[0]
	}
	ps.mu.Unlock()
	if pad == nil {
		return ps.devices.noPad()
	}
	err := pad.Do(ctx, do)
	if errors.Is(err, intake.ErrNoPad) {
		err = fmt.Errorf("%w; %s", err, seeDoctor)
	}
	return err
}

const seeDoctor = "kioskctl doctor says how to mend it"

// noPad is ErrNoPad with why each of the pads does not work, and what to do.
func noPad(why []string) error {
	if len(why) == 0 {
		return fmt.Errorf("%w: none is configured; kioskctl drivers lists those that can be", intake.ErrNoPad)
	}
	return fmt.Errorf("%w: %s; %s", intake.ErrNoPad, strings.Join(why, "; "), seeDoctor)
}
