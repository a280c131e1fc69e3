package daemon

import (
	"context"
	"slices"
	"sync"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// panels are lights, buzzer and contacts around the screen. The help button
// asks for help, and pressed again, by whoever has come, takes it back.
type panels struct {
	*Daemon

	mu     sync.Mutex
	screen kiosk.Screen
	help   bool // somebody asks for it
	open   map[string]bool
	feeds  map[chan drivers.Signal]bool
	tone   drivers.Tone // not sounded yet
}

func newPanels(d *Daemon) *panels {
	return &panels{Daemon: d, open: map[string]bool{}, feeds: map[chan drivers.Signal]bool{}}
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
	p.screen = sc
	p.tell()
}

// tell shows what is now; a panel that is slow gets the newest.
func (p *panels) tell() {
	s := drivers.Signal{Light: lightOf(p.screen, p.help), Tone: p.tone}
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
func lightOf(sc kiosk.Screen, help bool) drivers.Light {
	trouble := func(f kiosk.Fault) bool { return f.Source != "upstream" }
	switch {
	case help:
		return drivers.LightHelp
	case slices.ContainsFunc(sc.Faults, trouble):
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
	return dev.Run(ctx, feed, func(c drivers.Contact) { p.contact(name, c) })
}

func (p *panels) contact(name string, c drivers.Contact) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case c.Name == drivers.ContactDoor:
		if p.open[name] != !c.Closed {
			p.Log.Info("door", "device", name, "open", !c.Closed)
		}
		p.open[name] = !c.Closed
	case c.Name == drivers.ContactHelp && c.Closed:
		p.help = !p.help
		p.Log.Info("help button", "device", name, "asked", p.help)
		p.tell()
	}
}

// asks tells whether somebody asks for help, and whether a door is open.
func (p *panels) asks() (help, door bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, open := range p.open {
		door = door || open
	}
	return p.help, door
}
