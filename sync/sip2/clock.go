package sip2

import (
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var _ kiosk.TimeTeller = (*Upstream)(nil)

// statusDate is where a 98 has the server's date and time.
const statusDate = 12

// Time implements kiosk.TimeTeller: what the last probe has heard in a 98.
func (u *Upstream) Time() (kiosk.Reading, bool) {
	r := u.heard.Load()
	if r == nil {
		return kiosk.Reading{}, false
	}
	return *r, true
}

// clock is the time for dates.
func (c *Config) clock() time.Time {
	if c.Clock != nil {
		return c.Clock.Now()
	}
	return time.Now()
}

// reading takes the server's time out of a 98 that was asked for at sent and
// came at got. Seconds are cut off. In the hour that comes twice there is none,
// nor is there one in 18 zeros or blanks.
func reading(m Message, zone *time.Location, sent, got time.Time) (kiosk.Reading, bool) {
	first, last := momentsOf(m.Part(statusDate, len(dateForm)), zone)
	if first.IsZero() || !first.Equal(last) {
		return kiosk.Reading{}, false
	}
	way := got.Sub(sent) / 2
	return kiosk.Reading{Time: first.Add(time.Second / 2), At: sent.Add(way), Within: way + time.Second/2}, true
}
