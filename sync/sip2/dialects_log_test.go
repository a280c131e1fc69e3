package sip2_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// patrons is what must not be logged, in fields and out of them.
var patrons = []string{"29000000123456", "4711", "Olive", "Okay", "Hill", "olive@", "555 1234", "19800101", "owes"}

const about = "AA29000000123456|AEOlive Okay|AD4711|BD7 Hill Street|BEolive@example.org|BF555 1234|PB19800101|U1Okay, O.|CY29000000123456|DAOlive|AFOlive Okay owes 3.00|AGOlive|"

// TestUnknownWays: what is not known is logged once, with the bytes, and
// without the patron; so are the errors.
func TestUnknownWays(t *testing.T) {
	for name, tt := range map[string]struct {
		answers map[string]string
		logged  []string // each in one line, and there are no others
	}{
		"as the standard says": {nil, nil},
		"an alert type": {map[string]string{"09": "101YNN" + date + "AOx|ABB1|AQ|CV42|\r"},
			[]string{`what="alert type \"42\"" message="101YNN` + date + `AOx|ABB1|AQ|CV42|"`}},
		"a circulation status": {map[string]string{"17": "18550201" + date + "ABB1|AJThe one|\r"}, []string{`circulation status \"55\"`}},
		"a security marker":    {map[string]string{"17": "18030701" + date + "ABB1|AJThe one|\r"}, []string{`security marker \"07\"`}},
		"a due date":           {map[string]string{"11": strings.Replace(lent, "20261207    235900", "7. Dez", 1)}, []string{"|AH7. Dez|"}},
		"a patron": {map[string]string{"63": "64              001" + date + strings.Repeat("0", 24) + "AOx|BLY|CQY|" + about + "\r"},
			[]string{"AE***|AD***|BD***|BE***|BF***|PB***|U1***|CY***|DA***|AF***|AG***|"}},
		"a short fixed part": {map[string]string{"63": "64" + about + "BLY|CQY|\r"}, []string{"fixed part of 64", "field U1"}},
		"an unknown message": {map[string]string{"63": "71" + about + "\r"}, []string{`begins with \"71\"`}},
		"another message":    {map[string]string{"63": "26              001" + date + about + "\r" + known}, []string{"answer 26 to another question than 63"}},
		"a bad checksum":     {map[string]string{"63": strings.TrimSuffix(known, "\r") + "AZ0000\r"}, []string{"AZ0000"}},
		"rubbish":            {map[string]string{"63": "\xff\x00Olive|Okay " + about + "\r"}, []string{`\\xff`}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := speak(t, by(tt.answers), nil)
				var told []error
				for range 3 {
					_, err := s.Identify(t.Context(), "29000000123456", "4711")
					_, err2 := s.lend()
					_, err3 := s.takeBack()
					_, err4 := s.Look(t.Context(), "B1", "29000000123456")
					told = append(told, err, err2, err3, err4)
				}
				log := s.log.String()
				for _, want := range tt.logged {
					if n := strings.Count(log, want); n != 1 {
						t.Errorf("%s is logged %d times; want once", want, n)
					}
				}
				if n := strings.Count(log, "\n"); n > len(tt.logged) && name != "a patron" || n == 0 && len(tt.logged) > 0 {
					t.Errorf("%d lines are logged", n)
				}
				secret := func(text string) bool {
					return slices.ContainsFunc(patrons, func(p string) bool { return strings.Contains(text, p) })
				}
				if secret(log) {
					t.Errorf("a patron is in the log:\n%s", log)
				}
				for _, err := range told {
					if err != nil && secret(err.Error()) {
						t.Errorf("a patron is in the error %v", err)
					}
				}
			})
		})
	}
}

// TestManyUnknownWays: a server that invents new ones is soon logged no more.
func TestManyUnknownWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := speak(t, func(q string) string {
			if q[:2] == "99" {
				return hello
			}
			n++
			return fmt.Sprintf("18%02d%02d01%sABB1|AJThe one|%c%cx|%c%cy|\r", n%100, n/7%100, date, 'A'+n%26, '0'+n/26%10, 'P'+n%10, 'A'+n%26)
		}, nil)
		for range 1000 {
			if _, err := s.Look(t.Context(), "B1", ""); err != nil {
				t.Fatal(err)
			}
		}
		if lines := strings.Count(s.log.String(), "\n"); lines != 51 || s.log.Len() > 30_000 {
			t.Errorf("%d lines, %d bytes; want 50, and one that there will be no more", lines, s.log.Len())
		}
	})
}

// TestSecretsInErrors: what can't be sent is not shown.
func TestSecretsInErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := speak(t, by(nil), func(c *sip2.Config) { c.Charset = sip2.Latin1 })
		for _, card := range []kiosk.Card{"2900|", "2900\r", "2900книга"} {
			_, err := s.Identify(t.Context(), card, "")
			_, err2 := s.Identify(t.Context(), "C1", string(card))
			for _, err := range []error{err, err2} {
				if s.want(string(card), err, kiosk.CodeInvalid); err == nil || strings.Contains(err.Error(), "2900") {
					t.Errorf("%q: %v", card, err)
				}
			}
		}
	})
}
