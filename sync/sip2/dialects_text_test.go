package sip2_test

import (
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

var texts = []finding{
	{name: "20 any charset, and control characters", test: func(t *testing.T) {
		for _, tt := range []struct {
			charset    sip2.Charset
			sent, want string
		}{
			{"", "L'\u00e9t\u00e9", "L'été"},
			{sip2.CP850, "L'\u00e9t\u00e9", "L'été"}, // UTF-8 after all
			{sip2.CP850, "L'\x82t\x82", "L'été"},
			{sip2.Latin1, "L'\xe9t\xe9", "L'été"},
			{"", "L'\xe9t\xe9", "L'été"}, // Latin-1 after all
			{"", "The\tone\x00\x1b[1m\x7f", "The one  [1m"},
			{"", "L'ete\u0301", "L'ete\u0301"}, // Evergreen's NFD
			{sip2.Latin1, "\x85 one \x9f", "one"},
		} {
			s := speak(t, by(map[string]string{"11": strings.Replace(lent, "The one", tt.sent, 1)}), func(c *sip2.Config) { c.Charset = tt.charset })
			if a, err := s.lend(); err != nil || a.Title != tt.want {
				t.Errorf("%q as %q is read as %q, %v; want %q", tt.sent, tt.charset, a.Title, err, tt.want)
			}
		}
		for charset, want := range map[sip2.Charset]string{"": "ADp\u00e9|", sip2.Latin1: "ADp\xe9|", sip2.CP850: "ADp\x82|"} {
			s := speak(t, by(nil), func(c *sip2.Config) { c.Charset = charset })
			s.Identify(t.Context(), "C1", "pé")
			if q := s.questions("63"); len(q) != 1 || !strings.Contains(q[0], want) {
				t.Errorf("as %q the PIN is sent in %q; want %q", charset, q, want)
			}
		}
	}},
	{name: "21 screen messages decide nothing", test: func(t *testing.T) {
		s := speak(t, by(map[string]string{"11": strings.Replace(lent, "AH", "AFInvalid Patron|AFItem cannot be issued: X|AH", 1)}), nil)
		if a, err := s.lend(); err != nil || a.Text != "Invalid Patron Item cannot be issued: X" {
			t.Errorf("a yes with other words: %+v, %v", a, err)
		}
		for text, want := range map[string]kiosk.Reason{
			"Item already checked out to you: renewing item.": kiosk.ReasonAskStaff,
			"Item is on hold for another patron.":             kiosk.ReasonOnHold,
			"Alles in Ordnung":                                kiosk.ReasonAskStaff,
			"Patron blocked":                                  kiosk.ReasonCardBlocked,
		} {
			s := speak(t, by(map[string]string{"11": "120NUN" + date + "AOx|AAC1|ABB1|AJ|AH|AF" + text + "|\r"}), nil)
			_, err := s.lend()
			if s.want(text, err, kiosk.CodeRefused); reason(err) != want {
				t.Errorf("%q: %v; want %s", text, err, want)
			}
		}
	}},
	{name: "22 a due date in any form", test: func(t *testing.T) {
		for ah, want := range map[string]string{
			"20261207    075725": "2026-12-07 07:57:25", "20261207   Z075725": "2026-12-07 07:57:25", "20261207    235900": "2026-12-07 23:59:00",
			"2026-12-14 23:59:59": "2026-12-14 23:59:59", "2026-12-14": "2026-12-14 23:59:59", "20261214": "2026-12-14 23:59:59",
			"": "", "14/12/2026": "", "7. Dezember": "",
		} {
			s := speak(t, by(map[string]string{"11": strings.Replace(lent, "20261207    235900", ah, 1)}), nil)
			a, err := s.lend()
			got, text := "", ""
			if !a.Due.IsZero() {
				got = a.Due.Format(time.DateTime)
			} else {
				text = ah
			}
			if err != nil || got != want || a.DueText != text {
				t.Errorf("due %q is read as %q, %q, %v; want %q", ah, got, a.DueText, err, want)
			}
		}
		s := speak(t, by(map[string]string{"11": strings.Replace(lent, "AH20261207    235900|", "", 1), "29": "300NUN" + lent[6:]}), nil)
		if a, err := s.lend(); err != nil || !a.Due.IsZero() || a.DueText != "" {
			t.Errorf("without AH: %+v, %v", a, err)
		}
		a, err := s.Tell(t.Context(), kiosk.Entry{ID: "e", Kind: kiosk.Renew, Item: "B1", Patron: "C1", At: time.Now(), State: kiosk.Asked})
		if s.want("a refused renewal with a due date", err, kiosk.CodeRefused); !a.Due.IsZero() {
			t.Errorf("its due date is taken: %v", a.Due)
		}
	}},
	{name: "23 four blanks for local time", test: func(t *testing.T) {
		zone := time.FixedZone("", -5*3600)
		s := speak(t, by(nil), func(c *sip2.Config) { c.Zone = zone })
		s.ask()
		now := time.Now().In(zone).Format("20060102    150405")
		for id, from := range map[string]int{"63": 5, "17": 2, "11": 4, "29": 4, "09": 3, "35": 2} {
			for _, q := range s.questions(id) {
				if got := q[from : from+18]; got != now {
					t.Errorf("%q has the date %q; want %q", q, got, now)
				}
			}
		}
		for _, d := range []string{"20261123   Z080000", strings.Repeat(" ", 18), strings.Repeat("0", 18)} {
			s := speak(t, func(q string) string { return strings.ReplaceAll(by(nil)(q), date, d) }, nil)
			a, err := s.lend()
			if s.want(d, err, ""); a.Time.IsZero() != !strings.Contains(d, "Z") {
				t.Errorf("an answer of %q is of %v", d, a.Time)
			}
		}
	}},
}

// info is a 64 with those flags and fields.
func info(flags, fields string) string {
	return "64" + flags + strings.Repeat(" ", 14-len(flags)) + "001" + date + strings.Repeat("0", 24) + "AOx|AAC1|" + fields + "\r"
}

var semantics = []finding{
	{name: "24 who is a patron", test: func(t *testing.T) {
		for _, tt := range []struct {
			name, pin, answer string
			want              kiosk.Reason // of a refusal; "": none
		}{
			{"valid", "", info("", "AEOlive|BLY|"), ""},
			{"valid, right PIN", "1", info("", "AEOlive|BLY|CQY|"), ""},
			{"Koha, unknown", "", info("YYYY", "AE|BLN|"), kiosk.ReasonUnknownCard},
			{"fsip2, unknown", "", info("YYYYYYYYYYYYYY", "AE|BLN|"), kiosk.ReasonUnknownCard},
			{"BL N wins over a name", "", info("", "AEOlive|BLN|"), kiosk.ReasonUnknownCard},
			{"invenio, no BL", "", info("", "AEOlive|"), ""},
			{"invenio, no BL, no name", "", info("", "AE |"), kiosk.ReasonUnknownCard},
			{"empty BL", "", info("", "AEOlive|BL|"), kiosk.ReasonUnknownCard},
			{"wrong PIN", "1", info("", "AEOlive|BLY|CQN|"), kiosk.ReasonWrongPIN},
			{"PIN not looked at", "1", info("", "AEOlive|BLY|"), kiosk.ReasonWrongPIN},
			{"empty CQ", "1", info("", "AEOlive|BLY|CQ|"), kiosk.ReasonWrongPIN},
			{"CQ N though none was sent", "", info("", "AEOlive|BLY|CQN|"), ""},
		} {
			s := speak(t, by(map[string]string{"63": tt.answer}), nil)
			p, err := s.Identify(t.Context(), "C1", tt.pin)
			if reason(err) != tt.want || err == nil && p.PINChecked != (tt.pin != "") {
				t.Errorf("%s: %+v, %v; want %q", tt.name, p, err, tt.want)
			}
		}
	}},
	{name: "25 only the first flag keeps from borrowing", test: func(t *testing.T) {
		for flags, want := range map[string]kiosk.Reason{
			"": "", "Y": kiosk.ReasonCardBlocked, "YYYY": kiosk.ReasonCardBlocked, "  Y": "", " YYY": "", "    YYYYYYYYYY": "",
			"YYYYY": kiosk.ReasonCardLost, "Y         Y": kiosk.ReasonFees,
		} {
			s := speak(t, by(map[string]string{"63": info(flags, "AEOlive|BLY|")}), nil)
			if p, err := s.Identify(t.Context(), "C1", ""); err != nil || p.Blocked != want {
				t.Errorf("%q: %+v, %v; want blocked %q", flags, p, err, want)
			}
		}
	}},
	{name: "26 one list is asked for, and may hold titles", test: func(t *testing.T) {
		counts := func(charged, fields string) string {
			return "64              001" + date + "00020000" + charged + "000000000000AOx|AAC1|AEOlive|BLY|" + fields + "\r"
		}
		for _, tt := range []struct {
			name, answer string
			want         kiosk.Tri
		}{
			{"named", counts("0002", "AUB9|AUb1 |"), kiosk.Yes},
			{"not named", counts("0002", "AUB9|AUB8|"), kiosk.No},
			{"named twice, counted once", counts("0001", "AUB9|AUB9|"), kiosk.Unknown},
			{"titles", counts("0002", "AUThe one|AUAnother 1|"), kiosk.Unknown},
			{"counted only", counts("0002", ""), kiosk.Unknown},
			{"nothing", counts("0000", ""), kiosk.No},
			{"holds, and no loan", counts("0000", "ASB1|CDB1|"), kiosk.No}, // RERO: all in AS
			{"holds, when loans were asked for", counts("0001", "ASB1|CDB1|"), kiosk.Unknown},
		} {
			s := speak(t, by(map[string]string{"17": out, "63": tt.answer}), nil)
			st, err := s.Look(t.Context(), "B1", "C1")
			if err != nil || st.Mine != tt.want {
				t.Errorf("%s: %+v, %v; want %d", tt.name, st, err, tt.want)
			}
			q := s.questions("63")
			if len(q) != 1 || q[0][23:33] != "  Y       " {
				t.Errorf("asked %q; want one Y, for loans", q)
			}
			s.Identify(t.Context(), "C1", "")
			if q := s.questions("63"); q[1][23:33] != strings.Repeat(" ", 10) {
				t.Errorf("to know the patron it asks %q; want no list", q[1])
			}
		}
	}},
	{name: "27 a renewal in place of a loan, and fees", test: func(t *testing.T) {
		for _, tt := range []struct {
			name, answer string
			reason       kiosk.Reason
			renewed      bool
		}{
			{"a loan", lent, "", false},
			{"a renewal", strings.Replace(lent, "121N", "121Y", 1), "", true},
			{"Evergreen's fee", "120NUN" + date + "AOx|AAC1|ABB1|AJ|AH|BT06|BHUSD|BV5.00|AFFee required|\r", kiosk.ReasonFeeRequired, false},
			{"in other words", "120NUN" + date + "AOx|AAC1|ABB1|AJ|AH|BT06|BHEUR|BV5,00|AFBitte zahlen|\r", kiosk.ReasonFeeRequired, false},
			{"without words", "120NUN" + date + "AOx|AAC1|ABB1|AJ|AH|BV5.00|\r", kiosk.ReasonFeeRequired, false},
			{"a fee of nothing", "120NUN" + date + "AOx|AAC1|ABB1|AJ|AH|BV0.00|AFAsk us|\r", kiosk.ReasonAskStaff, false},
			{"Koha's, on success", strings.Replace(lent, "AH", "BT06|BV1.00|AH", 1), "", false},
		} {
			s := speak(t, by(map[string]string{"11": tt.answer}), nil)
			a, err := s.lend()
			if reason(err) != tt.reason || a.Renewed != tt.renewed {
				t.Errorf("%s: %+v, %v", tt.name, a, err)
			}
			if q := s.questions("11"); len(q) != 1 || !strings.Contains(q[0], "|BON|") {
				t.Errorf("%s: asked %q; want no agreement to a fee", tt.name, q)
			}
		}
	}},
	{name: "28 the yes decides, not what is said of security", test: func(t *testing.T) {
		for _, flags := range []string{"NNY", "NYN", "NUU", "NUN", "NNN", "NYY", "   "} {
			s := speak(t, by(map[string]string{"11": "121" + flags + lent[6:]}), nil)
			_, err := s.lend()
			s.want("1"+flags, err, "")
			s = speak(t, by(map[string]string{"11": "120" + flags + lent[6:]}), nil)
			_, err = s.lend()
			s.want("0"+flags, err, kiosk.CodeRefused)
		}
	}},
	{name: "29 a no to a return may be a yes, and alerts", test: func(t *testing.T) {
		no := func(alert, fields string) string { return "100NN" + alert + date + "AOx|ABB1|AQ|" + fields + "\r" }
		for _, tt := range []struct {
			name, answer string
			want         kiosk.Reason
		}{
			{"SIPServer, not on loan", no("N", ""), kiosk.ReasonNotOnLoan},
			{"Koha, not on loan", no("Y", "AFItem not checked out|"), kiosk.ReasonNotOnLoan},
			{"an alert without words", no("Y", ""), kiosk.ReasonAskStaff},
			{"held", no("Y", "AFItem not checked out|CV01|CY29|DAOlive|CTB|"), kiosk.ReasonOnHold},
			{"held elsewhere, no words", no("N", "CV02|"), kiosk.ReasonOnHold},
			{"Koha, another library's", no("Y", "AFItem not checked out|CV04|CTB|"), kiosk.ReasonNotOnLoan},
			{"a data error", no("N", "CV98|"), kiosk.ReasonAskStaff},
			{"lost", no("Y", "AFItem lost, return not allowed|CV98|"), kiosk.ReasonAskStaff},
		} {
			s := speak(t, by(map[string]string{"09": tt.answer}), nil)
			_, err := s.takeBack()
			if s.want(tt.name, err, kiosk.CodeRefused); reason(err) != tt.want {
				t.Errorf("%s: %v; want %s", tt.name, err, tt.want)
			}
		}
		for _, tt := range []struct {
			alert, fields, words string
			want                 bool
		}{
			{"N", "", "", false}, {"Y", "", "staff must look", true}, {"N", "CK|CH|CS|CV|CT|", "", false}, {"N", "CV00|CTMAIN|CRfic|CS839|", "", false},
			{"N", "CV01|CY29|DAOlive|", "hold", true}, {"Y", "CV02|CTNORTH|CY29|", "hold elsewhere, to NORTH", true}, {"N", "CV03|", "interlibrary loan", true},
			{"N", "CV04|CTNORTH|CL7|AFSend it|", "Send it; transfer, to NORTH, bin 7", true}, {"N", "CV98|", "staff must look", true}, {"N", "CL3|", "bin 3", false},
		} {
			s := speak(t, by(map[string]string{"09": "101YN" + tt.alert + date + "AOx|ABB1|AQ|" + tt.fields + "\r"}), nil)
			a, err := s.takeBack()
			if err != nil || a.Alert != tt.want || a.Words() != tt.words {
				t.Errorf("%s %s: %+v, %v; want alert %v, %q", tt.alert, tt.fields, a, err, tt.want, tt.words)
			}
		}
	}},
	{name: "30 a field means what its message says", test: func(t *testing.T) {
		s := speak(t, by(map[string]string{
			"63": info("", "AEOlive|BLY|AQNORTH|BG555 1234|AHsoon|CF7|AJTitle|"),
			"17": "18030201" + date + "ABB1|AJThe one|APNORTH|AQMAIN|BGNORTH|AEOlive|\r",
		}), nil)
		p, err := s.Identify(t.Context(), "C1", "")
		if err != nil || p.FamilyName != "Olive" || p.Library != "" || p.Category != "" || !p.Expires.IsZero() {
			t.Errorf("Identify() = %+v, %v", p, err)
		}
		st, err := s.Look(t.Context(), "B1", "")
		if want := (kiosk.Standing{Known: true, Title: "The one", Status: kiosk.StatusAvailable, Holds: -1}); err != nil || st != want {
			t.Errorf("Look() = %+v, %v; want %+v", st, err, want)
		}
	}},
	{name: "31 institution and locations", test: func(t *testing.T) {
		s := speak(t, by(nil), func(c *sip2.Config) { c.User, c.Location = "kiosk1", "DESK" }) // answers are of AO x
		_, err := s.takeBack()
		s.want("an answer of another institution", err, "")
		if q := s.questions("09")[0]; !strings.Contains(q, "AP|AOCPL|") {
			t.Errorf("%q: the branch would be overridden", q)
		}
		if q := s.questions("93")[0]; !strings.Contains(q, "|CPDESK|") {
			t.Errorf("%q does not say where it is", q)
		}
		s = speak(t, by(nil), func(c *sip2.Config) { c.User = "kiosk1" })
		s.want("Probe", s.Probe(t.Context()), "")
		if q := s.questions("93")[0]; strings.Contains(q, "CP") {
			t.Errorf("%q has a location, and none is set", q)
		}
	}},
	{name: "32 nothing is cancelled, and looks are few", test: func(t *testing.T) {
		s := speak(t, by(nil), nil)
		s.ask()
		for _, q := range s.asked {
			if strings.Contains(q, "|BIY|") {
				t.Errorf("%q cancels, which most servers take for an ordinary transaction", q)
			}
		}
		if n := len(s.questions("17")); n != 1 {
			t.Errorf("17 is asked %d times, once each look: Koha may note that the item was seen", n)
		}
	}},
}
