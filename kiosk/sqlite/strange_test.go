package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// TestStrange: what the ILS said in refusing and nobody knows is told with how
// often and when; what is known, what was granted and what is older is not.
func TestStrange(t *testing.T) {
	f := newFile(t)
	day := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	for n, o := range []kiosk.Outcome{
		{At: day.Add(-time.Hour), State: kiosk.Denied, Reason: kiosk.ReasonAskStaff, Text: "an older one"},
		{At: day, State: kiosk.Denied, Reason: kiosk.ReasonAskStaff, Text: "Moon is in the wrong house"},
		{At: day.Add(time.Minute), State: kiosk.Denied, Reason: kiosk.ReasonOnHold, Text: "Item is on hold"},
		{At: day.Add(2 * time.Minute), State: kiosk.Denied, Reason: kiosk.ReasonAskStaff},
		{At: day.Add(3 * time.Minute), State: kiosk.Granted, Text: "Enjoy"},
		{At: day.Add(4 * time.Minute), State: kiosk.Denied, Reason: kiosk.ReasonAskStaff, Text: "No"},
		{At: day.Add(5 * time.Minute), State: kiosk.Denied, Reason: kiosk.ReasonAskStaff, Text: "Moon is in the wrong house"},
	} {
		e := kiosktest.As(kiosktest.Checkout(n+1, n+1, 1), kiosk.Asked, time.Time{})
		e.At = o.At
		if err := f.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		o.Entry = e.ID
		if o.State == kiosk.Granted {
			o.Due = o.At.AddDate(0, 0, 14)
		}
		if err := f.Conclude(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		after time.Time
		want  string
	}{
		{day.Add(-time.Minute), "[{Moon is in the wrong house 2 09:05} {No 1 09:04}]"},
		{day, "[{Moon is in the wrong house 1 09:05} {No 1 09:04}]"},
		{day.Add(time.Hour), "[]"},
	} {
		list, err := f.Strange(t.Context(), tt.after)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range list {
			got = append(got, fmt.Sprintf("{%s %d %s}", s.Text, s.N, s.Last.UTC().Format("15:04")))
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("after %v: %v; want %s", tt.after, got, tt.want)
		}
	}
}
