package daemon

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// panels are lights, buzzer and contacts around the screen. The help button
// is the one on the screen: it calls, and pressed again, by whoever has come,
// takes it back.
type panels struct {
	*Daemon
	send func(context.Context, kiosk.Event) error // to the desk

	mu     sync.Mutex
	screen kiosk.Screen
	open   map[string]bool
	feeds  map[chan drivers.Signal]bool
	tone   drivers.Tone // not sounded yet
}

func newPanels(d *Daemon) *panels {
	send := func(ctx context.Context, ev kiosk.Event) error { return d.desk.Send(ctx, ev) }
	return &panels{Daemon: d, send: send, open: map[string]bool{}, feeds: map[chan drivers.Signal]bool{}}
}

// watch follows the screen, faults and all, until ctx ends.
func (p *panels) watch(ctx context.Context) error {
	for seq := uint64(0); ; {
		sc, err := p.desk.Next(ctx, seq)
		if err != nil {
			return nil // the end
		}
		seq = sc.Seq
		p.see(sc)
	}
}

// see takes a screen of the desk. It does not wait.
func (p *panels) see(sc kiosk.Screen) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := toneOf(p.screen, sc); t != drivers.ToneNone {
		p.tone = t
	}
	if calls := sc.Care.Calls(); calls != p.screen.Care.Calls() {
		p.Log.Info("help", "called", calls)
	}
	p.screen = sc
	p.tell()
}

// tell shows what is now; a panel that is slow gets the newest.
func (p *panels) tell() {
	s := drivers.Signal{Light: lightOf(p.screen), Tone: p.tone}
	p.tone = drivers.ToneNone
	for feed := range p.feeds {
		select {
		case old := <-feed:
			if s.Tone == drivers.ToneNone {
				s.Tone = old.Tone
			}
		default:
		}
		feed <- s
	}
}

// lightOf is what the light says of a screen.
// Whoever is on the way needs no light to find the kiosk.
func lightOf(sc kiosk.Screen) drivers.Light {
	trouble := func(f kiosk.Fault) bool { return f.Source != "upstream" }
	switch {
	case sc.Care.Calls() && !sc.Care.Comes():
		return drivers.LightHelp
	case sc.Care.Calls(), sc.Care.IsStuck(), slices.ContainsFunc(sc.Faults, trouble):
		return drivers.LightAttention
	}
	return drivers.LightReady
}

// toneOf is what has happened from one screen to the next: refused before
// taken, where both have.
func toneOf(before, now kiosk.Screen) drivers.Tone {
	if now.Notice.Reason != "" && now.Notice != before.Notice {
		return drivers.ToneRefused
	}
	was := map[kiosk.ID]kiosk.LineState{}
	for _, l := range before.Lines {
		was[l.ID] = l.State
	}
	tone := drivers.ToneNone
	for _, l := range now.Lines {
		switch {
		case was[l.ID] == l.State:
		case l.State == kiosk.LineRefused, l.State == kiosk.LineAction && l.Reason != kiosk.ReasonWaitsForCard:
			return drivers.ToneRefused
		case l.State == kiosk.LineLent, l.State == kiosk.LineReturned, l.State == kiosk.LineRenewed:
			tone = drivers.ToneTaken
		}
	}
	return tone
}

// run shows everything on a panel until it fails or ctx ends.
func (p *panels) run(ctx context.Context, name string, dev drivers.Panel) error {
	feed := make(chan drivers.Signal, 1)
	p.mu.Lock()
	p.feeds[feed] = true
	p.tell()
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.feeds, feed)
		delete(p.open, name)
	}()
	return dev.Run(ctx, feed, func(c drivers.Contact) { p.contact(ctx, name, c) })
}

// pressTime is how long a press of the button waits for the desk.
const pressTime = 5 * time.Second

func (p *panels) contact(ctx context.Context, name string, c drivers.Contact) {
	switch {
	case c.Name == drivers.ContactDoor:
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.open[name] != !c.Closed {
			p.Log.Info("door", "device", name, "open", !c.Closed)
		}
		p.open[name] = !c.Closed
	case c.Name == drivers.ContactHelp && c.Closed:
		p.Log.Info("help button", "device", name)
		short, cancel := context.WithTimeout(ctx, pressTime)
		defer cancel()
		if err := p.send(short, kiosk.PressHelp{}); err != nil && ctx.Err() == nil {
			p.Log.Error("help button", "err", err)
		}
	}
}

// ajar tells whether a door is open.
func (p *panels) ajar() (door bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, open := range p.open {
		door = door || open
	}
	return door
}
