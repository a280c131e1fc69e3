package sip2_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
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

// TestProfiles: what the known profiles change in what is sent, all of it.
func TestProfiles(t *testing.T) {
	const (
		at, due = "20261120    093000", "20261211    235959"
		blank   = "                  "
	)
	when := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	entry := func(k kiosk.Kind, s kiosk.State, due time.Time) kiosk.Entry {
		return kiosk.Entry{ID: "e", Kind: k, Item: "B1", Patron: "C1", At: when, Due: due, State: s}
	}
	promised := time.Date(2026, 12, 11, 23, 59, 59, 0, time.UTC)
	tests := []struct {
		e                               kiosk.Entry
		generic, koha, evergreen, folio string // after "now" is cut out
		now                             int    // where it stands; 0: nowhere
	}{
		{entry(kiosk.Checkout, kiosk.Asked, promised), "11NN" + blank, "11NN" + blank, "11NN" + blank, "11NN" + blank, 4},
		{entry(kiosk.Checkout, kiosk.Offline, promised), "11NY" + at + due, "11NY" + at + at, "11NN" + at + blank, "11NN" + at + blank, 0},
		{entry(kiosk.Checkout, kiosk.Unsure, promised), "11NY" + at + due, "11NY" + at + at, "11NN" + at + blank, "11NN" + at + blank, 0},
		{entry(kiosk.Checkout, kiosk.Offline, time.Time{}), "11NN" + at + blank, "11NN" + at + blank, "11NN" + at + blank, "11NN" + at + blank, 0},
		{entry(kiosk.Renew, kiosk.Offline, promised), "29NY" + at + due, "29NY" + at + at, "29NN" + at + blank, "29NN" + at + blank, 0},
		{entry(kiosk.Checkin, kiosk.Offline, time.Time{}), "09Y" + at, "09Y" + at, "09N" + at, "09N" + at, 3},
		{entry(kiosk.Checkin, kiosk.Asked, time.Time{}), "09N", "09N", "09N", "09N", 3},
	}
	for _, tt := range tests {
		for profile, want := range map[string]string{"generic": tt.generic, "koha": tt.koha, "evergreen": tt.evergreen, "folio": tt.folio} {
			synctest.Test(t, func(t *testing.T) {
				s := speak(t, by(nil), func(c *sip2.Config) { c.Profile = profile })
				if _, err := s.Tell(t.Context(), tt.e); err != nil {
					t.Error(err)
				}
				got := s.asked[len(s.asked)-1]
				if n := tt.now; n > 0 {
					got = got[:n] + got[n+18:]
				}
				if !strings.HasPrefix(got, want) {
					t.Errorf("%s: %s, %s is sent as %q; want %q", profile, tt.e.Kind, tt.e.State, got, want)
				}
			})
		}
	}
}

// TestProfileResend: 97 goes only to servers that may honour it.
func TestProfileResend(t *testing.T) {
	for profile, want := range map[string]int{"generic": 1, "koha": 0, "evergreen": 1, "folio": 1} {
		synctest.Test(t, func(t *testing.T) {
			s := speak(t, by(map[string]string{"11": strings.TrimSuffix(lent, "\r") + "AZ0000\r", "97": lent}), func(c *sip2.Config) {
				c.Profile, c.Checksum = profile, "strict"
			})
			_, err := s.lend()
			if got := len(s.questions("97")); got != want || (err == nil) != (want == 1) {
				t.Errorf("%s: 97 is sent %d times, %v; want %d", profile, got, err, want)
			}
		})
	}
}

// TestFolio is a day with a server that has the ways of fsip2 and edge-sip2,
// all at once.
func TestFolio(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := by(map[string]string{
			"93": "94100\r",
			"99": "98YYYNNN03000320261123    0800002.00|AOdiku|BXYYYYYYYYYNYYYNYN|\r",
			"63": info("", "AEOlive|BLY|CQY|BG555 1234|"),
			"17": "18030201" + date + "|ABB1|AJThe one|\r",
			"11": "121NUU" + date + "|AOdiku|AAC1|ABB1|AJThe one|AH20261214    235959|\r",
			"29": "300NUU" + date + "|AOdiku|AAC1|ABB1|AJThe one|AFnot renewable|\r",
			"09": "101YNN" + date + "|AOdiku|ABB1|AQ|AJThe one|CK|CH|CS|CV|CT|\r",
		})
		s := speak(t, func(q string) string {
			switch q[:2] {
			case "17":
				return numbered(f(q), "0")
			case "35":
				return f(q)
			}
			return summed(f)(q)
		}, func(c *sip2.Config) { c.User, c.Location, c.Profile = "kiosk1", "DESK", "folio" })
		for range 11 { // through all the numbers
			p, err := s.Identify(t.Context(), "C1", "1")
			if err != nil || !p.PINChecked || p.Blocked != "" {
				t.Errorf("Identify() = %+v, %v", p, err)
			}
			if a, err := s.lend(); err != nil || a.Due.IsZero() || a.Title != "The one" {
				t.Errorf("a loan: %+v, %v", a, err)
			}
			if a, err := s.takeBack(); err != nil || a.Alert {
				t.Errorf("a return: %+v, %v", a, err)
			}
			st, err := s.Look(t.Context(), "B1", "")
			if err != nil || st.Status != kiosk.StatusAvailable {
				t.Errorf("Look() = %+v, %v", st, err)
			}
			_, err = s.Tell(t.Context(), kiosk.Entry{ID: "e", Kind: kiosk.Renew, Item: "B1", Patron: "C1", State: kiosk.Asked})
			s.want("a renewal", err, kiosk.CodeRefused)
			s.want("the end", s.EndSession(t.Context(), "C1"), "")
		}
		if s.connections() != 1 || len(s.questions("93")) != 1 || s.log.Len() > 0 {
			t.Errorf("%d connections, %d logins, logged: %s", s.connections(), len(s.questions("93")), &s.log)
		}
	})
}

// TestProbedCharset: letters are read as the trial has found them, unless the
// library says otherwise.
func TestProbedCharset(t *testing.T) {
	for _, tt := range []struct {
		configured sip2.Charset
		probed     string
		title      string // of \x82, \xe9 or what else stands for é
		want       string
	}{
		{"", "cp850", "\x82t\x82", "été"}, {"", "latin-1", "\xe9t\xe9", "été"}, {"", "ascii", "\xe9t\xe9", "été"}, {"", "utf-8", "été", "été"},
		{"", "cp850", "été", "été"}, {"latin-1", "cp850", "\xe9t\xe9", "été"}, {"utf-8", "cp850", "\xe9t\xe9", "été"}, {"", "", "\xe9t\xe9", "été"},
	} {
		s := &script{}
		u := open(t, s.serve(t, func(_ int, q string) string {
			if strings.HasPrefix(q, "99") {
				return hello
			}
			return strings.Replace(lent, "The one", tt.title, 1)
		}), func(c *sip2.Config) {
			c.User, c.Charset = "", tt.configured
			c.Probed = &sip2.Profile{Name: "probed", Address: c.Address, Charset: tt.probed}
		})
		if a, err := u.Tell(ctx(t), checkout("B1", "C1")); err != nil || a.Title != tt.want {
			t.Errorf("configured %q, found out %q: %q is read as %q, %v", tt.configured, tt.probed, tt.title, a.Title, err)
		}
	}
}
