package daemon

import (
	"context"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/koha"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// TestUpstreamKeepsAbilities: what a library's system can do beside answering
// is asked of it by those methods, and the one that the daemon hands on must
// have them all: without, nothing fails, and a loan is not taken back, say.
func TestUpstreamKeepsAbilities(t *testing.T) {
	besides := map[string]string{"Check": "of its settings", "Habits": "of its settings", "EndSession": "nobody asks it",
		"Items": "see Lists", "Loans": "see Lists", "Patrons": "see Lists"}
	whole := reflect.TypeFor[telling]()
	for _, up := range []reflect.Type{reflect.TypeFor[*sip2.Upstream](), reflect.TypeFor[*koha.Upstream]()} {
		for m := range up.Methods() {
			if has, ok := whole.MethodByName(m.Name); besides[m.Name] == "" && (!ok || has.Type.NumIn() != m.Type.NumIn() || has.Type.NumOut() != m.Type.NumOut()) {
				t.Errorf("%v has %s, and what the daemon hands on has not", up, m.Name)
			}
		}
	}
}

// TestUpstreamUndoes: what was found out of the server holds for what the
// daemon hands on.
func TestUpstreamUndoes(t *testing.T) {
	probed := &sip2.Profile{Name: "probed", Address: "ils:6001", NoBlock: sip2.Honoured, Cancel: sip2.Honoured, Tested: time.Now()}
	for name, tt := range map[string]struct {
		habits  *sip2.Profile
		koha    bool
		undoes  bool
		noBlock bool
	}{
		"nothing is known":             {},
		"it does":                      {habits: probed, undoes: true, noBlock: true},
		"what has happened goes by it": {habits: probed, koha: true, undoes: true, noBlock: true},
		"nothing is known of either":   {koha: true},
	} {
		c := &config.Config{Location: time.UTC}
		c.Kiosk.Data = t.TempDir()
		c.Upstream.SIP2 = &sip2.Config{Address: "ils:6001", Zone: time.UTC}
		if tt.koha {
			c.Upstream.Koha = &koha.Config{URL: "http://koha.example", User: "u", Password: "p", Zone: time.UTC}
		}
		if tt.habits != nil {
			if _, err := StoreProfile(c, *tt.habits); err != nil {
				t.Fatal(err)
			}
		}
		up, err := OpenUpstream(c, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if up.Undoes() != tt.undoes || up.HeedsNoBlock() != tt.noBlock {
			t.Errorf("%s: Undoes() = %v, HeedsNoBlock() = %v", name, up.Undoes(), up.HeedsNoBlock())
		}
		if !tt.undoes {
			err := up.Undo(context.Background(), kiosk.Entry{Kind: kiosk.Checkout, Item: "B1", Patron: "C1"})
			if kiosk.CodeOf(err) != kiosk.CodeInvalid {
				t.Errorf("%s: Undo() = %v; want invalid", name, err)
			}
		}
		if err := up.Close(); err != nil {
			t.Error(err)
		}
	}
}
