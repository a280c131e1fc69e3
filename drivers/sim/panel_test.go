package sim_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim"
)

// TestPanel: what is signalled is on the page, and what is done there is told.
func TestPanel(t *testing.T) {
	b, base := site(t)
	if _, err := sim.OpenPanel(sim.Config{Bench: t.Name()}); err == nil {
		t.Error("a bench without a panel opens one")
	}
	b.HasPanel()
	p, err := sim.OpenPanel(sim.Config{Bench: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.OpenPanel(sim.Config{Bench: t.Name()}); err == nil {
		t.Error("it opens twice")
	}
	ctx, cancel := context.WithCancel(t.Context())
	signals, told, ended := make(chan drivers.Signal), make(chan drivers.Contact, 10), make(chan error, 1)
	go func() { ended <- p.Run(ctx, signals, func(c drivers.Contact) { told <- c }) }()
	signals <- drivers.Signal{Light: drivers.LightHelp, Tone: drivers.ToneRefused}
	signals <- drivers.Signal{Light: drivers.LightHelp} // the first one has been shown now
	r, err := http.Get(base + "/sim/state")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if !strings.Contains(string(body), `"panel":{"light":"help","tone":"refused","tones":1,"door":true}`) {
		t.Errorf("state: %s", body)
	}
	for _, f := range []url.Values{{"what": {"door"}, "on": {"false"}}, {"what": {"help"}}} {
		if r, err := http.PostForm(base+"/sim/panel", f); err != nil || r.StatusCode != http.StatusNoContent {
			t.Errorf("%v: %v, %v", f, r, err)
		}
	}
	var got []drivers.Contact
	for len(got) < 4 {
		select {
		case c := <-told:
			got = append(got, c)
		case <-time.After(10 * time.Second):
			t.Fatalf("told only %v", got)
		}
	}
	want := []drivers.Contact{{Name: "door", Closed: true}, {Name: "door"}, {Name: "help", Closed: true}, {Name: "help"}}
	if !slices.Equal(got, want) {
		t.Errorf("told %v; want %v", got, want)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v", err)
	}
	if err := b.Press(); err == nil {
		t.Error("a button that nobody reads is pressed")
	}
}
