package sip2_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

var framing = []finding{
	{name: "01 CR, CRLF, or a late LF", test: func(t *testing.T) {
		for _, end := range []string{"\r", "\r\n", "\r" + then + "\n"} {
			f := by(nil)
			s := speak(t, func(q string) string { return strings.ReplaceAll(f(q), "\r", end) }, nil)
			for range 3 {
				a, err := s.lend()
				if err != nil || a.Title != "The one" {
					t.Errorf("ended by %q: %+v, %v", end, a, err)
				}
			}
			if n := s.connections(); n != 1 {
				t.Errorf("ended by %q, 3 questions take %d connections; want 1", end, n)
			}
		}
	}},
	{name: "02 one question a write, and one at a time", test: func(t *testing.T) {
		f := by(nil)
		s := speak(t, func(q string) string { time.Sleep(time.Second); return f(q) }, nil)
		s.want("Probe()", s.Probe(t.Context()), "")
		var wg sync.WaitGroup
		for range 2 { // tapped tells of a question that comes too early
			wg.Go(func() {
				if _, err := s.lend(); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(500 * time.Millisecond)
		}
		wg.Wait()
	}},
	{name: "03 every field is closed", test: func(t *testing.T) {
		for _, mode := range []string{"auto", "off"} {
			s := speak(t, by(nil), func(c *sip2.Config) {
				c.Checksum, c.User, c.Password, c.Location, c.TerminalPassword = mode, "kiosk1", "secret", "DESK", "t"
			})
			s.ask()
			for _, q := range s.asked {
				body, _, _ := strings.Cut(strings.TrimSuffix(q, "\r"), "AY")
				if strings.Contains(q, "|") && !strings.HasSuffix(body, "|") {
					t.Errorf("%q does not close its last field", q)
				}
			}
			if n := len(s.asked); n < 15 {
				t.Errorf("%d questions", n)
			}
		}
		for _, a := range []string{
			"121NNY" + date + "AOx|AAC1|ABB1|AJThe one|AH20261207    235900\r",   // the last one is open
			"121NNY" + date + "|AOx||AAC1|ABB1|AJThe one|AH20261207    235900\r", // fsip2
		} {
			got, err := speak(t, by(map[string]string{"11": a}), nil).lend()
			if err != nil || got.Title != "The one" || got.Due.IsZero() {
				t.Errorf("%q is read as %+v, %v", a, got, err)
			}
		}
	}},
	{name: "04 fields in any order, and repeated", test: func(t *testing.T) {
		s := speak(t, by(map[string]string{
			"11": "121NNY" + date + "AFSecond floor|AH20261207    235900|AJThe one|AFThank you|ABB1|AAC1|AOx|\r",
			"63": strings.Replace(known, "AUB9|", "AUB9|AUB1|AUB9|", 1),
			"17": out,
		}), nil)
		if a, err := s.lend(); err != nil || a.Text != "Second floor Thank you" || a.Title != "The one" || a.Due.IsZero() {
			t.Errorf("%+v, %v", a, err)
		}
		if st, err := s.Look(t.Context(), "B1", "C1"); err != nil || st.Mine != kiosk.Yes {
			t.Errorf("Look() = %+v, %v; want the second of the list", st, err)
		}
	}},
	{name: "05 a fixed part that is off", test: func(t *testing.T) {
		s := speak(t, by(map[string]string{"93": "94100\r", "17": out, "99": "98YYYYYN 10 10" + date + "2.00AOx|\r",
			"63": "64              001" + date + strings.Repeat(" ", 24) + "AOx|AAC1|AEOlive|BLY|\r"}), func(c *sip2.Config) { c.User = "k" })
		if p, err := s.Identify(t.Context(), "C1", ""); err != nil || p.FamilyName != "Olive" {
			t.Errorf("after 94100, and with counts of blanks: %+v, %v", p, err)
		}
		if st, err := s.Look(t.Context(), "B1", "C1"); err != nil || st.Mine != kiosk.Unknown {
			t.Errorf("Look() with counts of blanks = %+v, %v; want unknown whose", st, err)
		}
		for _, fixed := range []string{"0NUN" + date, "YNNY" + date, " NNY" + date, date + "|", "|", "", "2", "é"} {
			s := speak(t, by(map[string]string{"11": "12" + fixed + "AOx|AAC1|ABB1|AJ|AH|\r"}), nil)
			if a, err := s.lend(); err == nil {
				t.Errorf("a 12 with %q is taken for a yes: %+v", fixed, a)
			}
		}
	}},
	{name: "06 a delimiter is missing", test: func(t *testing.T) {
		s := speak(t, by(map[string]string{
			"99": strings.Replace(hello, "|\r", strings.Repeat(" ", 160)+"\r", 1),
			"63": "64              001" + date + "000100000000000000000000AOx|AAC1|AEOlive|BLYBV7.00|ASHASH(0x55d0c0ffee00)|\r",
		}), nil)
		if p, err := s.Identify(t.Context(), "C1", ""); err != nil || p.Blocked != "" {
			t.Errorf("Identify() = %+v, %v", p, err)
		}
		s = speak(t, by(map[string]string{"11": strings.Replace(lent, "The one", "Pay 5 | 6|7 of it", 1)}), nil)
		if a, err := s.lend(); err != nil || a.Due.IsZero() {
			t.Errorf("a title with delimiters: %+v, %v", a, err)
		}
	}},
	{name: "07 a delimiter as an entity, and ends that are stripped", test: func(t *testing.T) {
		s := speak(t, by(map[string]string{"11": strings.Replace(lent, "The one", "Yes &#124; no", 1)}), nil)
		if a, err := s.lend(); err != nil || a.Title != "Yes | no" {
			t.Errorf("%+v, %v", a, err)
		}
		s = speak(t, by(nil), func(c *sip2.Config) { c.Checksum, c.User, c.Password = "off", "kiosk1", "secret!" })
		s.Identify(t.Context(), "C1", "12né")
		for _, id := range []string{"93", "63"} {
			q := s.questions(id)[0]
			stripped := strings.TrimRightFunc(q, func(r rune) bool { return r > 'z' || !strings.ContainsRune(alnum, r) })
			if len(stripped) < len(q)-2 { // CR and delimiter
				t.Errorf("%q: its end would be stripped", q)
			}
		}
	}},
}

const alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

var sums = []finding{
	{name: "08 a checksum comes or not", test: func(t *testing.T) {
		s := speak(t, by(nil), nil) // new Evergreen: never
		if _, err := s.lend(); err != nil {
			t.Error(err)
		}
		bare := by(nil)
		fsip2 := summed(func(q string) string { return bare(q) })
		s = speak(t, func(q string) string {
			switch q[:2] {
			case "35":
				return "36Y" + date + "AOx|AAC1|\r"
			case "17":
				return numbered(shelved, "0")
			}
			return fsip2(q)
		}, nil)
		for range 3 {
			_, err := s.Look(t.Context(), "B1", "C1")
			s.want("an 18 of number 0", err, "")
			s.want("a 36 without a checksum", s.EndSession(t.Context(), "C1"), "")
		}
		if s.connections() != 1 {
			t.Errorf("%d connections", s.connections())
		}
		s = speak(t, by(map[string]string{"17": strings.Replace(shelved, "\r", "AY0\r", 1)}), checksum("off"))
		st, err := s.Look(t.Context(), "B1", "")
		if err != nil || st.Title != "The one" {
			t.Errorf("a naked AY0: %+v, %v", st, err)
		}
		s = speak(t, func(q string) string {
			if q[:2] == "11" {
				return lent // has lost it
			}
			return summed(by(nil))(q)
		}, nil)
		_, err = s.lend()
		s.want("a 12 without a checksum, of a server that sends them", err, kiosk.CodeUnsure)
	}},
	{name: "09 a checksum is wrong, or over other bytes", test: func(t *testing.T) {
		text := strings.TrimSuffix(strings.Replace(lent, "The one", "L'été, où", 1), "\r")
		over := map[string]func(text string) string{
			"bytes":       func(text string) string { return sumOf([]byte(text)) },
			"code points": func(text string) string { return sumOf([]rune(text)) },
			"nothing":     func(string) string { return "0000" },
		}
		for what, sum := range over {
			for _, mode := range []string{"auto", "strict"} {
				s := speak(t, func(q string) string {
					if q[:2] == "11" {
						m := text + "AY" + seq(q) + "AZ"
						return m + sum(m) + "\r"
					}
					return by(nil)(q)
				}, checksum(mode))
				want := kiosk.Code("")
				if mode == "strict" && what != "bytes" {
					want = kiosk.CodeUnsure
				}
				for range 3 {
					a, err := s.lend()
					s.want(mode+", a sum over "+what, err, want)
					if err == nil && a.Title != "L'été, où" {
						t.Errorf("title %q", a.Title)
					}
				}
				if warned := strings.Count(s.log.String(), "checksum"); mode == "auto" && (warned == 1) == (what == "bytes") {
					t.Errorf("a sum over %s is warned of %d times:\n%s", what, warned, &s.log)
				}
			}
		}
		latin := strings.Replace(lent, "The one", "L'\xe9t\xe9", 1)
		s := speak(t, summed(by(map[string]string{"11": latin})), func(c *sip2.Config) { c.Checksum, c.Charset = "strict", sip2.Latin1 })
		a, err := s.lend()
		if err != nil || a.Title != "L'été" {
			t.Errorf("Latin-1, strict: %+v, %v", a, err)
		}
	}},
	{name: "10 the number is always 0", test: func(t *testing.T) {
		s := speak(t, func(q string) string { return numbered(by(nil)(q), "0") }, nil)
		var numbers strings.Builder
		for range 12 {
			if _, err := s.lend(); err != nil {
				t.Error(err)
			}
		}
		for _, q := range s.asked {
			numbers.WriteString(seq(q))
		}
		if !strings.HasPrefix(numbers.String(), "01234567890") {
			t.Errorf("the numbers are %s", &numbers)
		}
		for what, other := range map[string]string{
			"item": strings.Replace(lent, "ABB1", "ABB2", 1), "card": strings.Replace(lent, "AAC1", "AAC2", 1),
			"none": strings.Replace(lent, "AAC1|ABB1|", "", 1),
		} {
			s := speak(t, func(q string) string {
				if q[:2] == "11" {
					return numbered(strings.Replace(other, "The one", "Another", 1), "0") + numbered(lent, seq(q))
				}
				return summed(by(nil))(q)
			}, nil)
			if a, err := s.lend(); err != nil || a.Title != "The one" {
				t.Errorf("after one of number 0 with another %s: %+v, %v", what, a, err)
			}
		}
		s = speak(t, func(q string) string {
			if q[:2] == "11" {
				return numbered(lent, "7")
			}
			return summed(by(nil))(q)
		}, nil)
		_, err := s.lend()
		s.want("only an answer of another number", err, kiosk.CodeUnsure)
	}},
	{name: "11 a refused login is the end", test: func(t *testing.T) {
		for _, no := range []string{"940\r", "94000\r", "940\rNone", "94\r", "94N\r"} {
			s := speak(t, by(map[string]string{"93": no}), func(c *sip2.Config) { c.User, c.Password = "kiosk1", "wrong" })
			at := func(d time.Duration, dials int) {
				t.Helper()
				time.Sleep(d)
				for range 4 {
					_, err := s.lend()
					if s.want("Tell()", err, kiosk.CodeOffline); !errors.Is(err, sip2.ErrLogin) {
						t.Errorf("%q: %v; want ErrLogin", no, err)
					}
				}
				if s.connections() != dials || len(s.questions("93")) != dials {
					t.Errorf("%q: %d connections, and %q; want %d with a 93 each", no, s.connections(), s.questions("93"), dials)
				}
			}
			at(0, 1)
			at(1100*time.Millisecond, 2)
			at(1100*time.Millisecond, 2)
			at(1100*time.Millisecond, 3)
			at(time.Minute, 4)
			if len(s.asked) != 4 {
				t.Errorf("%q: asked %q; want nothing after the login", no, s.asked)
			}
			s.says = by(map[string]string{"11": lent + hangUp})
			time.Sleep(time.Minute)
			_, err := s.lend()
			s.want("after the password is put right", err, "")
			s.says = by(map[string]string{"93": no})
			at(0, 6)
			at(1100*time.Millisecond, 7)
		}
		before, busy := 0, new(atomic.Int64)
		s := speak(t, func(string) string {
			time.Sleep(time.Duration(busy.Add(1)) * 50 * time.Millisecond)
			return "940\r"
		}, func(c *sip2.Config) { c.User, c.Connections = "kiosk1", 4 })
		for range 2 { // those at once count as one, and end
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() { s.lend() })
			}
			wg.Wait()
			n := s.connections() - before
			if n != 4 {
				t.Errorf("%d logins for 4 who ask at once; want 4", n)
			}
			before += n
			busy.Store(0)
			time.Sleep(1100 * time.Millisecond)
		}
	}},
	{name: "12 a repetition is asked for once, and late", test: func(t *testing.T) {
		bad := func(a string) string { return strings.TrimSuffix(a, "\r") + "AY1AZ0000\r" }
		tests := []struct {
			name      string
			first     string // to the login
			answer    string // to the checkout
			again     string // to 97
			profile   string
			code      kiosk.Code
			repeats97 int
		}{
			{"repeated", "941\r", bad(lent), numbered(lent, "0"), "", "", 1},
			{"bad again", "941\r", bad(lent), bad(lent), "", kiosk.CodeUnsure, 1},
			{"96", "941\r", bad(lent), "96AZFEF6\r", "", kiosk.CodeUnsure, 1},
			{"nothing", "941\r", bad(lent), "", "", kiosk.CodeUnsure, 1},
			{"somebody else's", "941\r", bad(lent), numbered(strings.Replace(lent, "ABB1", "ABB2", 1), "0"), "", kiosk.CodeUnsure, 1},
			{"Koha repeats nothing", "941\r", bad(lent), lent, "koha", kiosk.CodeUnsure, 0},
			{"nothing has been told here", bad("941\r"), lent, "941\r", "", kiosk.CodeOffline, 0},
		}
		for _, tt := range tests {
			s := speak(t, by(map[string]string{"93": tt.first, "11": tt.answer, "97": tt.again}), func(c *sip2.Config) {
				c.User, c.Checksum, c.Profile = "k", "strict", tt.profile
			})
			_, err := s.lend()
			s.want(tt.name, err, tt.code)
			if got := s.questions("97"); len(got) != tt.repeats97 || len(got) > 0 && got[0] != "97AZFEF5\r" {
				t.Errorf("%s: %q", tt.name, got)
			}
			if n := len(s.questions("11")); n > 1 {
				t.Errorf("%s: told %d times", tt.name, n)
			}
		}
	}},
	{name: "13 silence may be a matter of checksums", test: func(t *testing.T) {
		for _, user := range []string{"", "kiosk1"} {
			s := speak(t, func(q string) string {
				if !strings.Contains(q, "AZ") {
					return "" // fsip2
				}
				return by(nil)(q)
			}, func(c *sip2.Config) { c.User, c.Checksum = user, "off" })
			_, err := s.lend()
			s.want("no checksum", err, kiosk.CodeOffline)
			if err == nil || !strings.Contains(err.Error(), "checksums") {
				t.Errorf("%v; want it to say what may be wrong", err)
			}
			s.Checksum = "auto"
			_, err = s.lend()
			s.want("with a checksum", err, "")
		}
	}},
	{name: "14 a retry would be executed again", test: func(t *testing.T) {
		late := make(chan bool)
		slow := true
		s := speak(t, func(q string) string {
			if q[:2] == "11" && slow {
				slow = false
				<-late
			}
			return by(nil)(q)
		}, nil)
		_, err := s.lend()
		s.want("silence", err, kiosk.CodeUnsure)
		close(late)
		if n := len(s.questions("11")); n != 1 {
			t.Errorf("told %d times", n)
		}
		if st, err := s.Look(t.Context(), "B1", ""); err != nil || !st.Known || s.connections() != 2 {
			t.Errorf("then Look() = %+v, %v on connection %d; want it on a new one", st, err, s.connections())
		}
		if q := s.questions("11")[0]; q[2] != 'N' {
			t.Errorf("%q: a renewal would be allowed", q)
		}
	}},
}

var lines = []finding{
	{name: "15 the end of a connection says nothing", test: func(t *testing.T) {
		for _, end := range []string{hangUp, "1" + hangUp, strings.TrimSuffix(lent, "\r") + hangUp} {
			s := speak(t, by(map[string]string{"11": end}), nil)
			_, err := s.lend()
			s.want("ended with "+end, err, kiosk.CodeUnsure)
			_, err = s.Look(t.Context(), "B1", "")
			s.want("the next question", err, "")
		}
		s := speak(t, by(map[string]string{"17": shelved + hangUp}), nil) // closed while idle
		for range 3 {
			_, err := s.Look(t.Context(), "B1", "")
			s.want("Look()", err, "")
			_, err = s.lend()
			s.want("Tell() on a connection that was closed while idle", err, "")
		}
		s = speak(t, by(map[string]string{"17": hangUp}), nil)
		_, err := s.Look(t.Context(), "B1", "")
		s.want("a look that is not answered", err, kiosk.CodeOffline)
	}},
	{name: "16 what is said first", test: func(t *testing.T) {
		for user, first := range map[string]string{"": "9900802.00AY0AZFCA1\r", "k": "9300CNk|CO|AY0AZ"} {
			s := speak(t, by(nil), func(c *sip2.Config) { c.User = user })
			if _, err := s.lend(); err != nil || !strings.HasPrefix(s.asked[0], first) || !strings.HasPrefix(s.questions("99")[0], "9900802.00") {
				t.Errorf("user %q: %q, %v", user, s.asked, err)
			}
		}
		for _, a := range []string{hangUp, "login: ", "password: \r\n"} {
			s := speak(t, by(map[string]string{"99": a}), nil)
			_, err := s.lend()
			s.want("answered by "+a, err, kiosk.CodeOffline)
		}
	}},
	{name: "17 servers die of what they do not know", test: func(t *testing.T) {
		s := speak(t, by(nil), func(c *sip2.Config) { c.User, c.Location = "kiosk1", "DESK" })
		s.ask() // what goes is checked at the end of each server
		if n := len(s.questions("19")) + len(s.questions("01")) + len(s.questions("25")); n > 0 || len(s.asked) < 14 {
			t.Errorf("%d of what closes connections among %q", n, s.asked)
		}
	}},
	{name: "18 None in front of an answer, and what BX denies", test: func(t *testing.T) {
		s := speak(t, func(q string) string {
			a := summed(by(nil))(q)
			if q[:2] == "11" {
				a = "None" + a
			}
			return a
		}, nil)
		if a, err := s.lend(); err != nil || a.Title != "The one" {
			t.Errorf("%+v, %v", a, err)
		}
		for what, a := range map[string]string{
			"no checksum": "None" + lent, "a bad one": "None" + strings.TrimSuffix(lent, "\r") + "AY1AZ0000\r",
			"another number": "None" + numbered(lent, "7"), "number 0": "None" + numbered(lent, "0"),
			"another item": "None" + numbered(strings.Replace(lent, "ABB1", "ABB2", 1), "1"),
			"alone":        "None", "far": strings.Repeat("None", 20) + numbered(lent, "1"),
		} {
			s := speak(t, by(map[string]string{"11": a}), nil) // 99 has number 0, 11 has 1
			_, err := s.lend()
			s.want(what, err, kiosk.CodeUnsure)
			_, err = s.Look(t.Context(), "B1", "")
			s.want("on a new connection", err, "")
		}
		for bx, want := range map[string]string{"": "63", "BX|": "63", "BXYYYYYYYYYYYYYYYY|": "63", "BXYYYYYYYNNNNNNNNN|": "23"} {
			s := speak(t, by(map[string]string{"99": strings.Replace(hello, "BXYYYYYYYYYYYYYYYY|", bx, 1),
				"23": "24              001" + date + "AOx|AAC1|AEOlive|BLY|\r"}), nil)
			_, err := s.Identify(t.Context(), "C1", "")
			s.want(bx, err, "")
			s.want(bx, s.EndSession(t.Context(), "C1"), "")
			if len(s.questions(want)) != 1 || len(s.questions("35")) != map[string]int{"63": 1}[want] {
				t.Errorf("%q: asked %q", bx, s.asked)
			}
		}
		s = speak(t, by(map[string]string{"99": strings.Replace(hello, "BXYYYYYYYYYYY", "BXYYYYYYYYYYN", 1), "63": strings.Replace(known, "AUB9", "AUB1", 1)}), nil)
		st, err := s.Look(t.Context(), "B1", "C1")
		if want := (kiosk.Standing{Known: true, Status: kiosk.StatusOther, Mine: kiosk.Yes, Holds: -1}); err != nil || st != want || len(s.questions("17")) > 0 {
			t.Errorf("without 17: Look() = %+v, %v; want %+v, by 63 alone", st, err, want)
		}
	}},
	{name: "19 the flags of 98 are not to be believed", test: func(t *testing.T) {
		s := speak(t, by(map[string]string{"99": strings.Replace(hello, "98YYYYYN", "98YNNNNN", 1)}), nil)
		for _, k := range []kiosk.Kind{kiosk.Checkout, kiosk.Renew, kiosk.Checkin} {
			_, err := s.Tell(t.Context(), kiosk.Entry{ID: "e", Kind: k, Item: "B1", Patron: "C1", At: time.Now(), State: kiosk.Asked})
			s.want(string(k), err, "")
		}
		s = speak(t, by(map[string]string{"99": strings.Replace(hello, "98Y", "98N", 1)}), nil)
		s.want("not on-line, which is no habit", s.Probe(t.Context()), kiosk.CodeOffline)
	}},
}

// TestCardThatIsNone: a card that was merged or re-issued has no loans, and
// that says nothing of who has the book.
func TestCardThatIsNone(t *testing.T) {
	for bl, want := range map[string]kiosk.Tri{"BLN|": kiosk.Unknown, "BLY|": kiosk.No, "": kiosk.No} {
		s := speak(t, by(map[string]string{"17": out, "63": "64YYYY          001" + date + strings.Repeat("0000", 6) + "AOx|AAC1|AE|" + bl + "\r"}), nil)
		if st, err := s.Look(t.Context(), "B1", "C1"); err != nil || st.Mine != want {
			t.Errorf("with %q: Look() = %+v, %v; want Mine %d", bl, st, err, want)
		}
	}
}

// TestTornIsLogged: a server that leaves one message without its checksum is
// never understood; the log has the bytes to make a profile of.
func TestTornIsLogged(t *testing.T) {
	s := speak(t, func(q string) string {
		m, err := sip2.Parse([]byte(q), sip2.UTF8)
		if err != nil {
			return ""
		}
		if m.ID == "17" {
			return shelved
		}
		a, err := sip2.Parse([]byte(by(nil)(q)), sip2.UTF8)
		if err != nil {
			return ""
		}
		a.Seq = m.Seq
		raw, err := a.Encode(sip2.UTF8, true)
		if err != nil {
			return ""
		}
		return string(raw)
	}, nil)
	if _, err := s.Look(t.Context(), "B1", ""); err == nil {
		t.Error("Look() takes an 18 without the checksum that a 98 had")
	}
	if !strings.Contains(s.log.String(), "answer 18 without the checksum") || !strings.Contains(s.log.String(), "18030201") {
		t.Errorf("the log says %s", &s.log)
	}
}
