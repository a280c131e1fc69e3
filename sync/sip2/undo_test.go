package sip2_test

import (
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// TestUndo: a loan is cancelled by the protocol's own words (09 with BI Y),
// where a probe has found that the server heeds them, and nowhere else.
func TestUndo(t *testing.T) {
	for name, cancel := range map[string]sip2.Habit{"honoured": sip2.Honoured, "ignored": sip2.Ignored, "not known": sip2.HabitUnknown} {
		t.Run(name, func(t *testing.T) {
			ils := upstreamtest.Sample(time.Now())
			p := serve(t, ils, sip2.ServerConfig{})
			u := open(t, p.Addr(), func(c *sip2.Config) {
				c.Probed = &sip2.Profile{Name: "probed", Address: p.Addr(), Tested: time.Now(), Cancel: cancel}
			})
			e := checkout("B1", "C1")
			if _, err := u.Tell(ctx(t), e); err != nil {
				t.Fatal(err)
			}
			honoured := cancel == sip2.Honoured
			if u.Undoes() != honoured {
				t.Errorf("Undoes() = %v", u.Undoes())
			}
			err := u.Undo(ctx(t), e)
			if want := map[bool]kiosk.Code{false: kiosk.CodeInvalid}[honoured]; kiosk.CodeOf(err) != want {
				t.Errorf("Undo() = %v; want %q", err, want)
			}
			last := ils.History()[len(ils.History())-1]
			if undone := last.Cancel && last.Did == upstreamtest.DidCheckin && last.Item == "B1"; undone != honoured {
				t.Errorf("the ILS did %+v last", last)
			}
			if !honoured {
				return
			}
			if st, err := u.Look(ctx(t), "B1", "C1"); err != nil || st.Status != kiosk.StatusAvailable {
				t.Errorf("Look() after it = %+v, %v; want it in the house", st, err)
			}
			if err := u.Undo(ctx(t), e); kiosk.CodeOf(err) != kiosk.CodeRefused {
				t.Errorf("Undo() of what is not on loan = %v; want a refusal", err)
			}
		})
	}
	u := open(t, "127.0.0.1:9", nil)
	if err := u.Undo(ctx(t), kiosk.Entry{Kind: kiosk.Checkin, Item: "B1"}); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("Undo() of a return = %v; want CodeInvalid", err)
	}
}
