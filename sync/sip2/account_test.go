package sip2_test

import (
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// TestAccountInTitles: some servers list titles in place of barcodes, and leave
// the counts blank; one answers no question about an item.
func TestAccountInTitles(t *testing.T) {
	s := &script{}
	u := open(t, s.serve(t, func(_ int, q string) string {
		switch q[:2] {
		case "99":
			return hello
		case "63":
			a := "64" + strings.Repeat(" ", 14) + "001" + date + strings.Repeat(" ", 24) + "AOx|AAC1|AEOlive|BLY|BV0.00|"
			switch summary := q[2+3+18 : 2+3+18+10]; {
			case summary[0] == 'Y':
				return a + "ASHatchet, by Gary Paulsen|AS |\r"
			case summary[2] == 'Y':
				return a + "AUWar and peace|AU30001|\r"
			}
			return a + "\r"
		}
		return "96AZFEF6\r"
	}), plain)
	a, err := u.Account(ctx(t), "C1")
	if err != nil || len(a.Loans) != 2 || len(a.Holds) != 1 || a.Owed != "" {
		t.Fatalf("Account() = %+v, %v; want two loans, one hold, nothing owed", a, err)
	}
	if l := a.Loans[0]; l.Title != "War and peace" || l.Item != "" || l.Renewals != -1 {
		t.Errorf("the first loan is %+v; want a title without a number", l)
	}
	if l := a.Loans[1]; l.Item != "30001" || !l.Due.IsZero() {
		t.Errorf("the second loan is %+v; want its number alone", l)
	}
}

func TestAccountAway(t *testing.T) {
	proxy := serve(t, upstreamtest.New(upstreamtest.Rules{}), sip2.ServerConfig{})
	u := open(t, proxy.Addr(), nil)
	proxy.Away(true)
	if _, err := u.Account(ctx(t), "C1"); kiosk.CodeOf(err) != kiosk.CodeOffline {
		t.Errorf("with the ILS away: %v; want offline", err)
	}
}

// TestEmailOfAPatron: BE is where the receipt may go, without blanks; it is
// empty where the server tells none.
func TestEmailOfAPatron(t *testing.T) {
	for field, want := range map[string]string{"BE okay@example.org |": "okay@example.org", "BEşen-żółć@example.org|": "şen-żółć@example.org", "BE|": "", "": ""} {
		a := "64" + strings.Repeat(" ", 14) + "001" + date + strings.Repeat("0000", 6) + "AOx|AAC1|AEOlive|BLY|" + field + "\r"
		s := speak(t, by(map[string]string{"63": a}), nil)
		p, err := s.Identify(ctx(t), "C1", "")
		if err != nil || p.Email != want {
			t.Errorf("%q: e-mail %q, %v; want %q", field, p.Email, err, want)
		}
	}
}

// TestMessageOfTheLibrary: what Koha puts behind its greeting is the library's
// note to the patron, what is in the way is not; what else servers say there is
// no message. A ready hold that waits elsewhere says where.
func TestMessageOfTheLibrary(t *testing.T) {
	for text, want := range map[string]string{
		"Greetings from Koha. ": "", "Greetings from Koha.  -- Patron owes 1.50": "", "Greetings from Koha. PATRON EXPIRED": "",
		"Greetings from Koha. Your parcel is here. -- Patron owes 1.50": "Your parcel is here.",
		"All privileges restored.":                                      "", "Welcome to Centerville.  -- Patron blocked by fines": "",
	} {
		at := map[string]string{"B1": "08", "B2": "08", "B3": "03"}
		s := speak(t, func(q string) string {
			switch {
			case strings.HasPrefix(q, "99"):
				return hello
			case strings.HasPrefix(q, "17"):
				item := q[strings.Index(q, "|AB")+3:][:2]
				return "18" + at[item] + "0001" + date + "AB" + item + "|AJHolm|AP" + map[string]string{"B1": "NORTH", "B2": "CPL", "B3": "WEST"}[item] + "|\r"
			case strings.HasPrefix(q, "63"):
				a := "64" + strings.Repeat(" ", 14) + "001" + date + "0003" + strings.Repeat("0000", 5) + "AOx|AAC1|AEOlive|BLY|AF" + text + "|"
				if q[2+3+18] == 'Y' {
					a += "ASB1|ASB2|ASB3|"
				}
				return a + "\r"
			}
			return by(nil)(q)
		}, nil)
		a, err := s.Account(ctx(t), "C1")
		if err != nil || a.Message != want {
			t.Errorf("%q: message %q, %v; want %q", text, a.Message, err, want)
		}
		var places []string
		for _, h := range a.Holds {
			places = append(places, h.At)
		}
		if got := strings.Join(places, ","); got != "NORTH,," {
			t.Errorf("the holds wait at %q; want the one elsewhere alone", got)
		}
	}
}
