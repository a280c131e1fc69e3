package sip2_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// TestHabits: what has already happened is told as the server takes it.
func TestHabits(t *testing.T) {
	zone := time.FixedZone("", 3600)
	e := kiosk.Entry{ID: "e", Kind: kiosk.Checkout, Item: "B1", Patron: "C1", State: kiosk.Offline,
		At: time.Date(2026, 11, 20, 9, 30, 0, 0, zone), Due: time.Date(2026, 12, 11, 23, 59, 59, 0, zone)}
	const (
		promise  = "11NY20261120    09300020261211    235959"
		loanDate = "11NY20261120    09300020261120    093000"
		question = "11NN20261120    093000                  "
	)
	here := sip2.Profile{Name: "probed", NoBlock: sip2.Honoured, Due: sip2.DueLoanDate}
	tests := []struct {
		profile string
		probed  *sip2.Profile // of this address
		want    string
		name    string
	}{
		{"", nil, promise, "generic"},
		{"auto", nil, promise, "generic"},
		{"generic", &here, promise, "generic"},
		{"folio", &here, question, "folio"},
		{"koha", nil, loanDate, "koha"},
		{"", &here, loanDate, "probed"},
		{"auto", &here, loanDate, "probed"},
		{"auto", &sip2.Profile{Name: "probed", NoBlock: sip2.Honoured, Due: sip2.DueIgnored}, promise, "probed"},
		{"auto", &sip2.Profile{Name: "probed", NoBlock: sip2.Ignored, Due: sip2.DueIgnored}, question, "probed"},
		{"auto", &sip2.Profile{Name: "probed", NoBlock: sip2.Refused}, question, "probed"},
		{"auto", &sip2.Profile{Name: "probed", NoBlock: sip2.Unanswered}, question, "probed"},
		{"auto", &sip2.Profile{Name: "probed", NoBlock: sip2.Ignored, Address: "elsewhere:6001"}, promise, "generic"},
	}
	for _, tt := range tests {
		s := &script{}
		u := open(t, s.serve(t, func(_ int, q string) string {
			if strings.HasPrefix(q, "99") {
				return hello
			}
			return lent
		}), func(c *sip2.Config) {
			c.User, c.Checksum, c.Zone, c.Profile = "", "off", zone, tt.profile
			if tt.probed != nil {
				p := *tt.probed
				if p.Address == "" {
					p.Address = c.Address
				}
				c.Probed = &p
			}
		})
		if _, err := u.Tell(ctx(t), e); err != nil {
			t.Errorf("profile %q: %v", tt.profile, err)
		}
		got := s.asked[len(s.asked)-1]
		if !strings.HasPrefix(got, tt.want) || u.Habits().Name != tt.name {
			t.Errorf("profile %q with %+v is %s, and sends %q; want %s, %q", tt.profile, tt.probed, u.Habits().Name, got, tt.name, tt.want)
		}
	}
}

const stored = `{"name":"probed","no_block":"honoured","due":"kept","tested":"2026-11-23T08:00:00Z","address":"ils.example.org:6001"}`

func TestParseProfile(t *testing.T) {
	p, err := sip2.ParseProfile([]byte(stored))
	if err != nil || p.NoBlock != sip2.Honoured || p.Due != sip2.DueKept || p.Address != "ils.example.org:6001" || p.Cancel != sip2.HabitUnknown {
		t.Errorf("ParseProfile() = %+v, %v", p, err)
	}
	if _, err := sip2.ParseProfile([]byte(strings.Replace(stored, `"due"`, `"of a later version":[1],"due"`, 1))); err != nil {
		t.Errorf("a key that is not known: %v", err)
	}
	for _, bad := range []string{
		"", "{}", "null", "[]", "koha", stored[:40], stored + "x", stored + stored, strings.Repeat(" ", 20_000) + stored,
		strings.Replace(stored, "probed", "koha", 1), strings.Replace(stored, "honoured", "sometimes", 1),
		strings.Replace(stored, "kept", "lost", 1), strings.Replace(stored, "2026-11-23T08:00:00Z", "yesterday", 1),
		strings.Replace(stored, `"tested":"2026-11-23T08:00:00Z",`, "", 1), strings.Replace(stored, ":6001", "", 1),
		strings.Replace(stored, `"due"`, `"longest":-1,"due"`, 1), strings.Replace(stored, `"due"`, `"charset":"marc-8","due"`, 1),
	} {
		if p, err := sip2.ParseProfile([]byte(bad)); err == nil || p != (sip2.Profile{}) {
			t.Errorf("ParseProfile(%.80q) = %+v, %v; want an error and nothing", bad, p, err)
		}
	}
}

func FuzzParseProfile(f *testing.F) {
	f.Add([]byte(stored))
	f.Add([]byte(`{"name":"probed","tested":"0001-01-01T00:00:01+23:59","address":"[::1]:1","longest":65536,"charset":"cp850","cancel":"unanswered"}`))
	f.Add([]byte(`{"name":"probed","NAME":7}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := sip2.ParseProfile(b)
		if err != nil {
			if p != (sip2.Profile{}) {
				t.Fatalf("with %v it gives %+v", err, p)
			}
			return
		}
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		again, err := sip2.ParseProfile(raw)
		if err != nil || !again.Tested.Equal(p.Tested) {
			t.Fatalf("%s, written from %+v, is read as %+v, %v", raw, p, again, err)
		}
		again.Tested = p.Tested
		if again != p {
			t.Fatalf("%+v is read back as %+v", p, again)
		}
	})
}
