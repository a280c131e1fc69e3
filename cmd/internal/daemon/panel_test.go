package daemon

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestLightOf(t *testing.T) {
	since := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	fault := kiosk.Screen{Faults: []kiosk.Fault{{Source: "pad"}}}
	away := kiosk.Screen{Faults: []kiosk.Fault{{Source: "upstream"}}}
	for _, tt := range []struct {
		sc   kiosk.Screen
		care kiosk.Care
		want drivers.Light
	}{
		{kiosk.Screen{}, kiosk.Care{}, drivers.LightReady}, {away, kiosk.Care{}, drivers.LightReady}, {fault, kiosk.Care{}, drivers.LightAttention},
		{fault, kiosk.Care{Help: since}, drivers.LightHelp}, {kiosk.Screen{}, kiosk.Care{Help: since}, drivers.LightHelp},
		{kiosk.Screen{}, kiosk.Care{Help: since, Seen: since}, drivers.LightAttention}, {kiosk.Screen{}, kiosk.Care{Stuck: since}, drivers.LightAttention},
	} {
		tt.sc.Care = tt.care
		if got := lightOf(tt.sc); got != tt.want {
			t.Errorf("lightOf(%v, %v) = %q; want %q", tt.sc.Faults, tt.care, got, tt.want)
		}
	}
}

func TestToneOf(t *testing.T) {
	sc := func(notice kiosk.Reason, states ...kiosk.LineState) kiosk.Screen {
		s := kiosk.Screen{Notice: kiosk.Notice{Reason: notice}}
		for i, st := range states {
			s.Lines = append(s.Lines, kiosk.Line{ID: kiosk.ID(rune('a' + i)), State: st})
		}
		return s
	}
	held := sc("", kiosk.LineAction)
	held.Lines[0].Reason = kiosk.ReasonWaitsForCard
	for name, tt := range map[string]struct {
		before, now kiosk.Screen
		want        drivers.Tone
	}{
		"nothing":  {sc(""), sc(""), drivers.ToneNone},
		"waiting":  {sc(""), sc("", kiosk.LineWaiting), drivers.ToneNone},
		"lent":     {sc("", kiosk.LineWaiting), sc("", kiosk.LineLent), drivers.ToneTaken},
		"still":    {sc("", kiosk.LineLent), sc("", kiosk.LineLent), drivers.ToneNone},
		"refused":  {sc("", kiosk.LineWaiting), sc("", kiosk.LineRefused), drivers.ToneRefused},
		"both":     {sc("", kiosk.LineWaiting, kiosk.LineWaiting), sc("", kiosk.LineRefused, kiosk.LineLent), drivers.ToneRefused},
		"notice":   {sc(""), sc(kiosk.ReasonUnknownCard), drivers.ToneRefused},
		"the same": {sc(kiosk.ReasonUnknownCard), sc(kiosk.ReasonUnknownCard), drivers.ToneNone},
		"held":     {sc(""), held, drivers.ToneNone},
		"gone":     {sc("", kiosk.LineRefused), sc(""), drivers.ToneNone},
	} {
		if got := toneOf(tt.before, tt.now); got != tt.want {
			t.Errorf("%s: %q; want %q", name, got, tt.want)
		}
	}
}

// fakePanel takes signals when it is told to, and has a button.
type fakePanel struct {
	take, press chan struct{}
	got         chan drivers.Signal
	contact     drivers.Contact
}

func (p *fakePanel) Run(ctx context.Context, signals <-chan drivers.Signal, yield func(drivers.Contact)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.take:
			p.got <- <-signals
		case <-p.press:
			yield(p.contact)
			p.press <- struct{}{}
		}
	}
}

// TestPanels: a slow panel gets the newest light and loses no tone; the button
// asks for help and takes it back.
func TestPanels(t *testing.T) {
	ps := newPanels(&Daemon{Options: Options{Log: slog.New(slog.DiscardHandler)}})
	session := kiosk.NewSession(kiosk.Rules{})
	ps.send = func(_ context.Context, ev kiosk.Event) error {
		session, _ = session.Step(ev, time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), newID)
		sc := session.Screen()
		sc.Faults = []kiosk.Fault{{Source: "pad"}}
		ps.see(sc)
		return nil
	}
	dev := &fakePanel{make(chan struct{}), make(chan struct{}), make(chan drivers.Signal), drivers.Contact{Name: drivers.ContactHelp, Closed: true}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ps.run(ctx, "panel", dev) }()
	next := func() drivers.Signal {
		t.Helper()
		dev.take <- struct{}{}
		select {
		case s := <-dev.got:
			return s
		case <-time.After(10 * time.Second):
			t.Fatal("no signal")
			return drivers.Signal{}
		}
	}
	if s := next(); s.Light != drivers.LightReady {
		t.Errorf("at first %+v", s)
	}
	ps.see(kiosk.Screen{Notice: kiosk.Notice{Reason: kiosk.ReasonUnknownCard}})
	ps.see(kiosk.Screen{Faults: []kiosk.Fault{{Source: "pad"}}})
	if s := next(); s != (drivers.Signal{Light: drivers.LightAttention, Tone: drivers.ToneRefused}) {
		t.Errorf("after two screens %+v", s)
	}
	press := func() { dev.press <- struct{}{}; <-dev.press }
	press()
	if !session.Screen().Care.Calls() || next().Light != drivers.LightHelp {
		t.Error("the button does not ask for help")
	}
	press()
	if session.Screen().Care.Calls() || next().Light != drivers.LightAttention {
		t.Error("the button does not take it back")
	}
	dev.contact = drivers.Contact{Name: drivers.ContactDoor}
	press()
	if !ps.ajar() {
		t.Error("an open door is not told")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if ps.ajar() {
		t.Error("a panel that is gone has an open door")
	}
}
