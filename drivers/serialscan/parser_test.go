package serialscan

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
)

func parse(c Config, portions ...[]byte) (scans []drivers.Scan) {
	p := newParser(c, func(sc drivers.Scan) { scans = append(scans, sc) })
	for _, b := range portions {
		p.feed(b, time.Time{})
	}
	return scans
}

var auto = Config{Suffix: "auto"}

// everywhere cuts a line into two at each place, and into single bytes: the
// codes must be the same.
func everywhere(t *testing.T, c Config, line []byte, want []drivers.Scan) {
	t.Helper()
	for i := range line {
		if got := parse(c, line[:i], line[i:]); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q cut at %d: %+v; want %+v", line, i, got, want)
		}
	}
	var single [][]byte
	for i := range line {
		single = append(single, line[i:i+1])
	}
	if got := parse(c, single...); !reflect.DeepEqual(got, want) {
		t.Fatalf("%q byte by byte: %+v; want %+v", line, got, want)
	}
}

func TestParser(t *testing.T) {
	long := strings.Repeat("7", drivers.MaxText)
	text := func(list ...string) (scans []drivers.Scan) {
		for _, s := range list {
			scans = append(scans, drivers.Scan{Text: s})
		}
		return scans
	}
	with := func(suffix, prefix string) Config { return Config{Suffix: suffix, Prefix: prefix} }
	for _, tt := range []struct {
		config Config
		line   string
		want   []drivers.Scan
	}{
		{auto, "1\r2\n3\r\n4\t5\x036", text("1", "2", "3", "4", "5")},
		{auto, "\x021\x03\x022\x03\r\n", text("1", "2")},
		{auto, "\r\n\r\n\t", nil},
		{auto, "]F01\r]E09\r]\r]x01\r", []drivers.Scan{{AIM: "]F0", Text: "1"}, {AIM: "]E0", Text: "9"}, {Text: "]"}, {Text: "]x01"}}},
		{auto, "]C101\x1d17\r", []drivers.Scan{{AIM: "]C1", Text: "01\x1d17"}}}, // GS1
		{auto, "]F0\r", nil}, // an identifier of nothing
		// Noise between codes, before STX, and within a code.
		{auto, "\x00\xff\x001\r\x00\xff2\r\xff", text("1", "2")},
		{auto, "~~\x021\r", text("1")},
		{auto, "12\x0034\r56\r", text("12\x0034", "56")},
		{auto, "12\xff\r", text("12\xff")},
		// Too long: cut, marked, and the rest gone.
		{auto, long + "\r", text(long)},
		{auto, "]F0" + long + "\r", []drivers.Scan{{AIM: "]F0", Text: long}}},
		{auto, "]F0" + long + "7\r", []drivers.Scan{{AIM: "]F0", Text: long, Long: true}}},
		{auto, long + "7\r1\r", []drivers.Scan{{Text: long, Long: true}, {Text: "1"}}},
		{auto, strings.Repeat(long, 40) + "\r1\r", []drivers.Scan{{Text: long, Long: true}, {Text: "1"}}},
		{auto, strings.Repeat(long, 2) + "\x021\r", text("1")},
		// The suffixes one by one.
		{with("cr", ""), "1\n\r2\t\r", text("1\n", "2\t")},
		{with("lf", ""), "1\r\n2\n", text("1\r", "2")},
		{with("crlf", ""), "1\r\n2\t\r\n", text("1", "2\t")},
		{with("tab", ""), "1\r\t2\t", text("1\r", "2")},
		{with("none", ""), "1\r2\n3\t", nil},
		// Prefixes.
		{with("auto", "\x1b~"), "\x1b~1\r2\r\x1b~\r", text("1", "2")},
		{with("auto", "Q"), "Q]A0LIB\rQQ1\r", []drivers.Scan{{AIM: "]A0", Text: "LIB"}, {Text: "Q1"}}},
		{with("auto", "\x02A"), "\x02A1\x03x\x022\r", text("1", "x\x022")},
		{with("auto", "12345"), "12345" + long + "\r", text(long)},
	} {
		if got := parse(tt.config, []byte(tt.line)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%+v: %.40q gives %+v; want %+v", tt.config, tt.line, got, tt.want)
			continue
		}
		if len(tt.line) < 1000 {
			everywhere(t, tt.config, []byte(tt.line), tt.want)
		}
	}
}

// TestVectors: the codes of real labels, cut everywhere, glued to each other,
// and after noise.
func TestVectors(t *testing.T) {
	var v struct {
		Codabar14 struct{ OK, Bad []string }
		Strip     []struct{ Raw string }
	}
	drivertest.PublishedJSON(t, "barcodes.json", &v)
	codes := append(v.Codabar14.OK, v.Codabar14.Bad...)
	for _, s := range v.Strip {
		codes = append(codes, s.Raw)
	}
	if len(codes) < 15 {
		t.Fatalf("found %d codes", len(codes))
	}
	var all []byte
	var want []drivers.Scan
	for _, c := range codes {
		aim, text := drivers.CutAIM(strings.TrimRight(c, "\r\n"))
		sc := drivers.Scan{AIM: aim, Text: text}
		line := []byte("\x00\xff" + c + "\r")
		everywhere(t, auto, line, []drivers.Scan{sc})
		all, want = append(all, line...), append(want, sc)
	}
	everywhere(t, auto, all, want)
}

// TestParityErrors: a code that was damaged on the line behind its first byte
// is never taken for another one.
func TestParityErrors(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	whole := 0
	for range 20_000 {
		line := []byte("LIB0042\r")
		for i := range line {
			if i > 0 && r.IntN(20) == 0 {
				line[i] = 0
			}
		}
		for _, sc := range parse(auto, line) {
			if sc.Text == "LIB0042" {
				whole++
			} else if !strings.Contains(sc.Text, "\x00") {
				t.Fatalf("%q is taken for %q", line, sc.Text)
			}
		}
	}
	if whole < 10_000 {
		t.Errorf("%d of 20000 codes came through; want about 13000", whole)
	}
}

func FuzzParser(f *testing.F) {
	f.Add([]byte("]F031234000010064\r\n"), 3, "auto", "")
	f.Add([]byte("\x02X\x03\x00\xff"), 1, "none", "X")
	f.Fuzz(func(t *testing.T, line []byte, cut int, suffix, prefix string) {
		c := Config{Suffix: suffix, Prefix: prefix}
		if _, ok := suffixes[suffix]; !ok || len(prefix) > maxPrefix {
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

// FuzzRoundTrip: what a scanner makes of a code, the parser makes a code of.
func FuzzRoundTrip(f *testing.F) {
	f.Add("31234000010064", "]F0", "\x1b~", "\x00\xff")
	f.Add("010\x1d17", "]C1", "", "")
	f.Fuzz(func(t *testing.T, code, aim, prefix, before string) {
		if a, rest := drivers.CutAIM(aim + code); a != aim || rest != code || code == "" || len(code) > drivers.MaxText || len(prefix) > maxPrefix {
			return
		}
		if strings.ContainsAny(prefix+aim+code, "\r\n\t\x02\x03") || noise((prefix + aim + code)[0]) || slices.ContainsFunc([]byte(before), func(c byte) bool { return !noise(c) }) {
			return
		}
		want := []drivers.Scan{{AIM: aim, Text: code}}
		if got := parse(Config{Suffix: "auto", Prefix: prefix}, []byte(before+prefix+aim+code+"\r\n")); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v; want %+v", got, want)
		}
	})
}
