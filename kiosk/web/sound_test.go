package web

import (
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestParseHours(t *testing.T) {
	for text, want := range map[string]Hours{"20:00-08:00": {1200, 480}, "12:30 - 13:15": {750, 795}} {
		if h, err := ParseHours(text); err != nil || h != want {
			t.Errorf("ParseHours(%q) = %v, %v; want %v", text, h, err, want)
		}
	}
	for _, bad := range []string{"", "20:00", "8-9", "24:00-08:00", "20:00-08:60", "late"} {
		if h, err := ParseHours(bad); err == nil {
			t.Errorf("ParseHours(%q) = %v", bad, h)
		}
	}
}

func FuzzParseHours(f *testing.F) {
	f.Add("20:00-08:00")
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := ParseHours(text); err == nil && (h.From < 0 || h.From >= 1440 || h.To < 0 || h.To >= 1440) {
			t.Errorf("ParseHours(%q) = %v", text, h)
		}
	})
}

// TestVolume: as loud as the library wants it, silent in its quiet hours, in
// its own zone, and in the calm manner.
func TestVolume(t *testing.T) {
	night, noonish := Hours{1200, 480}, Hours{720, 780}
	zone := time.FixedZone("EST", -5*3600) // noon is 7:00 there
	for _, tt := range []struct {
		sound Sound
		mode  string
		zone  *time.Location
		want  string
	}{
		{Sound{}, "standard", time.UTC, "0"},
		{Sound{Volume: .5}, "standard", time.UTC, "0.5"},
		{Sound{Volume: .5}, "calm", time.UTC, "0"},
		{Sound{Volume: 1, Quiet: []Hours{night}}, "standard", time.UTC, "1"},
		{Sound{Volume: 1, Quiet: []Hours{night}}, "standard", zone, "0"},
		{Sound{Volume: 1, Quiet: []Hours{night, noonish}}, "standard", time.UTC, "0"},
	} {
		h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Sound, c.Location = tt.sound, tt.zone })
		if body := get(h, "/?mode="+tt.mode).Body.String(); !strings.Contains(body, `data-volume="`+tt.want+`"`) {
			t.Errorf("%+v, %s in %v: not %s", tt.sound, tt.mode, tt.zone, tt.want)
		}
	}
}

// TestTones: what each line sounds like; again when it is scanned again.
func TestTones(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Visit: "v1", Lines: append(sample(), stack()[2]),
		Notice: kiosk.Notice{Reason: kiosk.ReasonUnreadable, Until: time.UnixMilli(7)}})
	want := `data-tones="accepted:l.1 accepted:n.1 accepted:r.1 accepted:h.1 accepted:y.1 refused:x.1 refused:o.1 back:b.1 refused:notice.unreadable.7"`
	if body := get(h, "/").Body.String(); !strings.Contains(body, want) {
		t.Errorf("the tones are not %s", want)
	}
}

// TestVoice: it speaks where the library wants that, in its quiet hours too,
// and where it has no tones.
func TestVoice(t *testing.T) {
	for _, tt := range []struct {
		sound Sound
		want  string // in the page; empty: no voice
	}{
		{Sound{Volume: .5}, ""},
		{Sound{Volume: .5, Speaks: true}, `data-voice="0.5"`},
		{Sound{Speaks: true, Quiet: []Hours{{0, 1439}}}, `data-voice="1"`},
	} {
		h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Sound = tt.sound })
		body := get(h, "/").Body.String()
		if said := strings.Contains(body, "data-voice"); said != (tt.want != "") || !strings.Contains(body, tt.want) {
			t.Errorf("%+v: spoken %v; want %q", tt.sound, said, tt.want)
		}
	}
}
