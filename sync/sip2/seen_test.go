package sip2_test

import (
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// TestSeen: that a book stands on the shelf is told as the library wants it.
// No loan is made or ended by it where there is none.
func TestSeen(t *testing.T) {
	for _, c := range []struct {
		name, seen string
		server     sip2.ServerConfig
		habit      sip2.Habit // with update, as it was found out
		item       kiosk.Barcode
		code       kiosk.Code
		why        kiosk.Reason
	}{
		{"update", "update", sip2.ServerConfig{}, "", "B1", "", ""},
		{"update of what there is not", "update", sip2.ServerConfig{}, "", "NONE", kiosk.CodeRefused, kiosk.ReasonAskStaff},
		{"update that the server does not know", "update", sip2.ServerConfig{NoStatusUpdate: true}, "", "B1", kiosk.CodeUnsure, ""},
		{"update that ends the line, as is known", "update", sip2.ServerConfig{NoStatusUpdate: true}, sip2.Unanswered, "B1", kiosk.CodeInvalid, kiosk.ReasonAskStaff},
		{"update that is refused, as is known", "update", sip2.ServerConfig{}, sip2.Refused, "B1", kiosk.CodeInvalid, kiosk.ReasonAskStaff},
		{"update that is heeded, as is known", "update", sip2.ServerConfig{}, sip2.Honoured, "B1", "", ""},
		{"checkin", "checkin", sip2.ServerConfig{}, "", "B1", kiosk.CodeRefused, kiosk.ReasonNotOnLoan},
		{"not at all", "", sip2.ServerConfig{}, "", "B1", kiosk.CodeInvalid, kiosk.ReasonAskStaff},
	} {
		t.Run(c.name, func(t *testing.T) {
			ils := upstreamtest.Sample(time.Now())
			addr := serve(t, ils, c.server).Addr()
			u := open(t, addr, func(x *sip2.Config) {
				x.Seen, x.Probed = c.seen, &sip2.Profile{Name: "probed", Address: addr, StatusUpdate: c.habit}
			})
			_, err := u.Tell(ctx(t), kiosk.Entry{ID: "e", Kind: kiosk.Seen, Item: c.item, At: time.Now(), State: kiosk.Offline})
			e, _ := err.(*kiosk.Error)
			if kiosk.CodeOf(err) != c.code || e != nil && e.Reason != c.why {
				t.Errorf("Tell() = %v; want %q, %q", err, c.code, c.why)
			}
		})
	}
	if _, err := sip2.NewUpstream(sip2.Config{Address: "localhost:6001", Seen: "loudly"}); err == nil {
		t.Error("seen = \"loudly\" is taken")
	}
}
