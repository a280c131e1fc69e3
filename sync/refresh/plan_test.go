package refresh

import (
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestDue(t *testing.T) {
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, time.UTC) }
	never := time.Time{}
	for name, c := range map[string]struct {
		list              kiosk.List
		whole, since, now time.Time
		at                time.Time
		wholly            bool
	}{
		"never":               {kiosk.ItemList, never, never, at(2, 9, 0), at(2, 9, 0), true},
		"an hour later":       {kiosk.ItemList, at(2, 9, 0), at(2, 9, 0), at(2, 9, 30), at(2, 10, 0), false},
		"late":                {kiosk.PatronList, at(2, 9, 0), at(2, 9, 0), at(2, 14, 0), at(2, 10, 0), false},
		"before the night":    {kiosk.ItemList, at(2, 9, 0), at(3, 1, 40), at(3, 1, 50), at(3, 2, 40), false},
		"the night":           {kiosk.ItemList, at(2, 9, 0), at(3, 2, 40), at(3, 2, 50), at(3, 3, 0), true},
		"asleep at night":     {kiosk.ItemList, at(2, 9, 0), at(2, 16, 0), at(3, 8, 0), at(3, 3, 0), true},
		"read in the night":   {kiosk.ItemList, at(3, 3, 0), at(3, 3, 0), at(3, 3, 10), at(3, 4, 0), false},
		"read in the evening": {kiosk.ItemList, at(2, 23, 0), at(3, 2, 30), at(3, 3, 0), at(3, 3, 30), false},
		"loans":               {kiosk.OpenLoans, at(2, 9, 0), at(2, 9, 0), at(2, 9, 30), at(2, 10, 0), true},
		"a wrong clock":       {kiosk.ItemList, at(9, 9, 0), at(9, 9, 0), at(2, 9, 0), at(2, 9, 0), true},
	} {
		got, whole := due(c.list, kiosk.Freshness{Whole: c.whole, Since: c.since}, time.Hour, 3*time.Hour, c.now)
		if !got.Equal(c.at) || whole != c.wholly {
			t.Errorf("%s: due() = %v, %v; want %v, %v", name, got, whole, c.at, c.wholly)
		}
	}
}
