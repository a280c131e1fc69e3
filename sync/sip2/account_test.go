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
