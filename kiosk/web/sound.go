package web

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Sound is how loud the tones are, and when there are none.
type Sound struct {
	Volume float64 // 0 to 1
	Quiet  []Hours // none then
	Speaks bool    // what is on the screen is said aloud to who moves about by keys or by a switch
}

// Voice is how loud the screen speaks, 0 to 1; a desk without tones may. It
// speaks in quiet hours too: only to who asks for it, and has no other way.
func (s Sound) Voice() float64 {
	if !s.Speaks {
		return 0
	}
	return cmp.Or(s.Volume, 1)
}

// Hours are a part of each day, as minutes since midnight in the library's
// zone; one that ends before it begins goes on past midnight.
type Hours struct{ From, To int }

// ParseHours reads "20:00-08:00".
func ParseHours(text string) (Hours, error) {
	from, to, ok := strings.Cut(text, "-")
	a, err := time.Parse("15:04", strings.TrimSpace(from))
	b, err2 := time.Parse("15:04", strings.TrimSpace(to))
	if !ok || err != nil || err2 != nil {
		return Hours{}, fmt.Errorf("%q: must be as \"20:00-08:00\"", text)
	}
	return Hours{a.Hour()*60 + a.Minute(), b.Hour()*60 + b.Minute()}, nil
}

// holds tells whether t, in the library's zone, lies in them.
func (h Hours) holds(t time.Time) bool {
	m := t.Hour()*60 + t.Minute()
	if h.From <= h.To {
		return h.From <= m && m < h.To
	}
	return m >= h.From || m < h.To
}

// Volume is how loud a tone is now, 0 to 1; a calm screen has none.
func (v view) Volume() string {
	loud := v.sound.Volume
	for _, h := range v.sound.Quiet {
		if h.holds(v.now.In(v.zone)) {
			loud = 0
		}
	}
	if v.Calm() {
		loud = 0
	}
	return strconv.FormatFloat(loud, 'g', 3, 64)
}

// Tones are what of the screen is told by a tone, each once: what the page did
// not have before sounds.
func (v view) Tones() string {
	var ts []string
	for _, l := range v.Lines {
		if name := l.tone(); name != "" {
			ts = append(ts, fmt.Sprintf("%s:%s.%d", name, l.ID, l.Times))
		}
	}
	if r := v.Screen.Notice.Reason; r != "" && r != kiosk.ReasonTagMended {
		ts = append(ts, fmt.Sprintf("refused:notice.%s.%d", r, v.Screen.Notice.Until.UnixMilli()))
	}
	return strings.Join(ts, " ")
}

// tone names what a line sounds like, "" where it is silent.
func (l line) tone() string {
	switch {
	case l.Urgent():
		return "back"
	case l.State == kiosk.LineLent, l.State == kiosk.LineRenewed, l.State == kiosk.LineReturned:
		return "accepted"
	case l.State == kiosk.LineRefused, l.State == kiosk.LineAction && !l.Waits():
		return "refused"
	}
	return ""
}
