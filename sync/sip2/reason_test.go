package sip2_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// TestExplained: a no in words of the library's own, to what has happened
// already, may be for the patron: the flags say so, and staff are told what to
// do about it. Who stands there was asked for before.
func TestExplained(t *testing.T) {
	no := strings.Replace(lent, "121", "120", 1)
	in := func(words string) string { return strings.Replace(no, "|\r", "|AF"+words+"|\r", 1) }
	for _, tt := range []struct {
		name, said, patron string
		state              kiosk.State
		reason             kiosk.Reason
		text               string
		asks               int // for the patron
	}{
		{"barred", in("Come to the office"), info("Y", "AEOlive|BLY|AFBarred by Ms M|"), kiosk.Offline, kiosk.ReasonCardBlocked, "Come to the office; Barred by Ms M", 1},
		{"may have been told", in("Come to the office"), info("Y   Y", "AEOlive|BLY|"), kiosk.Unsure, kiosk.ReasonCardLost, "Come to the office", 1},
		{"the same words", in("Barred by Ms M"), info("Y         Y", "AEOlive|BLY|AFBarred by Ms M|"), kiosk.Offline, kiosk.ReasonFees, "Barred by Ms M", 1},
		{"no words", no, info("Y", "AEOlive|BLY|AFBarred by Ms M|"), kiosk.Offline, kiosk.ReasonCardBlocked, "Barred by Ms M", 1},
		{"a card of nobody", in("Nein"), info("YYYY", "AE|BLN|AFUnknown here|"), kiosk.Offline, kiosk.ReasonUnknownCard, "Nein; Unknown here", 1},
		{"not the patron's", in("Nein"), info("", "AEOlive|BLY|AFHello|"), kiosk.Offline, kiosk.ReasonAskStaff, "Nein", 1},
		{"silence", in("Nein"), "", kiosk.Offline, kiosk.ReasonAskStaff, "Nein", 1},
		{"known words", in("Too many loans"), info("Y", "AEOlive|BLY|"), kiosk.Offline, kiosk.ReasonTooMany, "Too many loans", 0},
		{"somebody stands there", in("Nein"), info("Y", "AEOlive|BLY|"), kiosk.Asked, kiosk.ReasonAskStaff, "Nein", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := speak(t, by(map[string]string{"11": tt.said, "63": tt.patron}), nil)
				e := checkout("B1", "C1")
				e.State, e.Due = tt.state, time.Now().AddDate(0, 0, 14)
				_, err := s.Tell(t.Context(), e)
				s.want("Tell()", err, kiosk.CodeRefused)
				if e, ok := errors.AsType[*kiosk.Error](err); !ok || e.Reason != tt.reason || e.Text != tt.text {
					t.Errorf("refused: %+v; want %s, %q", e, tt.reason, tt.text)
				}
				if n := len(s.questions("63")); n != tt.asks {
					t.Errorf("the patron was asked for %d times; want %d", n, tt.asks)
				}
				if n := len(s.questions("11")); n != 1 {
					t.Errorf("told %d times", n)
				}
			})
		})
	}
}
