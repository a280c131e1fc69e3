package serialscan

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

func parse(c Config, portions ...[]byte) (scans []drivers.Scan) {
	p := newParser(c, func(sc drivers.Scan) { scans = append(scans, sc) })
	for _, b := range portions {
		p.feed(b, time.Time{})
	}
	return scans
}

var auto = Config{Suffix: "auto"}

// TestSplits: however a line is cut into reads, the codes are the same.
func TestSplits(t *testing.T) {
	line := []byte("\x00\xff\r]F031234000010064\r\n\x02LIB0042\t" + strings.Repeat("7", 300) + "\r]E09780306406157\n")
	whole := parse(auto, line)
	if len(whole) != 4 || whole[1].Text != "LIB0042" || !whole[2].Long || whole[3].AIM != "]E0" {
		t.Fatalf("parse = %+v", whole)
	}
	for i := range line {
		if got := parse(auto, line[:i], line[i:]); !reflect.DeepEqual(got, whole) {
			t.Fatalf("cut at %d: %+v; want %+v", i, got, whole)
		}
	}
	var bytes [][]byte
	for i := range line {
		bytes = append(bytes, line[i:i+1])
	}
	if got := parse(auto, bytes...); !reflect.DeepEqual(got, whole) {
		t.Fatalf("byte by byte: %+v; want %+v", got, whole)
	}
}

func FuzzParser(f *testing.F) {
	f.Add([]byte("]F031234000010064\r\n"), 3, "auto", "")
	f.Add([]byte("\x02X\x03\x00\xff"), 1, "none", "X")
	f.Fuzz(func(t *testing.T, line []byte, cut int, suffix, prefix string) {
		c := Config{Suffix: suffix, Prefix: prefix}
		if _, ok := suffixes[suffix]; !ok || len(prefix) > 16 {
			c = auto
		}
		cut = max(0, min(cut, len(line)))
		whole := parse(c, line)
		if got := parse(c, line[:cut], line[cut:]); !reflect.DeepEqual(got, whole) {
			t.Errorf("cut at %d: %+v; want %+v", cut, got, whole)
		}
		for _, sc := range whole {
			if sc.Text == "" || len(sc.Text) > drivers.MaxText || strings.ContainsAny(sc.Text, string(suffixes[c.Suffix])) {
				t.Errorf("scan %+v", sc)
			}
		}
	})
}
