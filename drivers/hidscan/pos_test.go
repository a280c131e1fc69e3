package hidscan

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
)

func TestPOSVectors(t *testing.T) {
	var file struct {
		Captured struct{ Reports []string }
		Made     []struct {
			Hex, Text, AIM string
			More           bool
		} `json:"made_here"`
	}
	drivertest.PublishedJSON(t, "hid-pos.json", &file)
	if len(file.Captured.Reports) != 7 || len(file.Made) != 8 {
		t.Fatalf("%d captured and %d made reports; want 7 and 8", len(file.Captured.Reports), len(file.Made))
	}
	same(t, "answers to commands", play(t, options(t, nil), reports(t, ms, file.Captured.Reports...)...))

	var all []string
	var want []drivers.Scan
	var text string
	for _, m := range file.Made {
		all = append(all, m.Hex)
		if text += m.Text; !m.More && text != "" {
			want = append(want, drivers.Scan{Text: text, AIM: m.AIM})
			text = ""
		}
	}
	same(t, "made reports", play(t, options(t, nil), reports(t, ms, all...)...), want...)

	// The captured reports are codes in all but their identifier.
	all = file.Captured.Reports[:6]
	for i, s := range all {
		all[i] = strings.Replace(s, "5D5830", "5D5131", 1)
	}
	got := play(t, options(t, nil), reports(t, ms, all...)...)
	if len(got) != 1 || !strings.HasPrefix(got[0].Text, "Product Name: Voyager 1602g\r\nBoot") || !got[0].Long || got[0].AIM != "]Q1" {
		t.Errorf("six joined parts: %+v", got)
	}
}

// pos makes a report of 64 bytes: head, data, zeros, and what goes at offsets.
func pos(head, data string, at map[int]byte) []byte {
	p := make([]byte, posSize)
	copy(p, head+data)
	for i, b := range at {
		p[i] = b
	}
	return p
}

func TestPOS(t *testing.T) {
	const item = "33191000105864"
	more := map[int]byte{63: 1}
	for _, x := range []struct {
		what    string
		form    string
		reports [][]byte
		want    []drivers.Scan
	}{
		{"honeywell", "auto", [][]byte{pos("\x02\x0E]F0", item, nil)}, []drivers.Scan{{Text: item, AIM: "]F0"}}},
		{"CR LF cut", "auto", [][]byte{pos("\x02\x10]F0", item+"\r\n", nil)}, []drivers.Scan{{Text: item, AIM: "]F0"}}},
		{"GS stays", "auto", [][]byte{pos("\x02\x06]C1", "10A\x1D21", nil)}, []drivers.Scan{{Text: "10A\x1D21", AIM: "]C1"}}},
		{"identifier only once", "auto", [][]byte{pos("\x02\x05]Q1", "]C1AB", nil)}, []drivers.Scan{{Text: "]C1AB", AIM: "]Q1"}}},
		{"no identifier, symbology", "auto", [][]byte{pos("\x02\x0E\x00\x00\x00", item, map[int]byte{61: 0x61})}, []drivers.Scan{{Text: item, AIM: "]F0"}}},
		{"symbology does not beat the identifier", "auto", [][]byte{pos("\x02\x02]A0", "12", map[int]byte{61: 0x61})}, []drivers.Scan{{Text: "12", AIM: "]A0"}}},
		{"plain with symbology", "auto", [][]byte{pos("\x02\x0E", item, map[int]byte{62: 0x64})}, []drivers.Scan{{Text: item, AIM: "]E0"}}},
		{"plain, symbology not known", "auto", [][]byte{pos("\x02\x0E", item, map[int]byte{62: 0x05})}, []drivers.Scan{{Text: item}}},
		{"plain fixed, code begins as an identifier", "plain", [][]byte{pos("\x02\x05", "]F012", map[int]byte{62: 0x61})}, []drivers.Scan{{Text: "12", AIM: "]F0"}}},
		{"plain fixed, ] in third place", "plain", [][]byte{pos("\x02\x05", "\x1D]F01", nil)}, []drivers.Scan{{Text: "\x1D]F01"}}},
		{"zebra fixed", "zebra", [][]byte{pos("\x02\x02\x01]E0", "12", nil)}, []drivers.Scan{{Text: "12", AIM: "]E0"}}},
		{"microscan", "auto", [][]byte{pos("\x01\x05", "]F012", nil)}, []drivers.Scan{{Text: "12", AIM: "]F0"}}},
		{"microscan full", "auto", [][]byte{pos("\x01\x3E", strings.Repeat("1", 62), nil)}, []drivers.Scan{{Text: strings.Repeat("1", 62)}}},
		{"microscan fixed does not read ID 2", "microscan", [][]byte{pos("\x02\x02", "12", nil), pos("\x01\x02", "34", nil)}, []drivers.Scan{{Text: "34"}}},
		{"two parts, plain, the second looks like honeywell", "auto", [][]byte{pos("\x02\x02", "12", more), pos("\x02\x04", "]F03", nil)}, []drivers.Scan{{Text: "12]F03"}}},
		{"two parts, plain, symbology in both", "plain", [][]byte{pos("\x02\x04", "]Q1A", map[int]byte{62: 0x73, 63: 1}), pos("\x02\x02", "BC", map[int]byte{62: 0x73})}, []drivers.Scan{{Text: "ABC", AIM: "]Q1"}}},
		{"empty last part", "auto", [][]byte{pos("\x02\x02]Q1", "12", more), pos("\x02\x00]Q1", "", nil)}, []drivers.Scan{{Text: "12", AIM: "]Q1"}}},
		{"suffix in a middle part stays", "auto", [][]byte{pos("\x02\x02]Q1", "1\r", more), pos("\x02\x02]Q1", "2\r", nil)}, []drivers.Scan{{Text: "1\r2", AIM: "]Q1"}}},
		{"identifier changes in the middle", "auto", [][]byte{pos("\x02\x02]Q1", "12", more), pos("\x02\x02]F0", "34", nil)}, []drivers.Scan{{Text: "34", AIM: "]F0"}}},
		{"answer after half a code", "auto", [][]byte{pos("\x02\x02]Q1", "12", more), pos("\x02\x02]Z6", "A\x06", nil), pos("\x02\x02]F0", "34", nil)}, []drivers.Scan{{Text: "34", AIM: "]F0"}}},
		{"all answers", "auto", [][]byte{pos("\x02\x02]Z0", "12", nil), pos("\x02\x02]Z6", "12", nil), pos("\x02\x02]X0", "12", nil)}, nil},
		{"other symbology is no answer", "auto", [][]byte{pos("\x02\x02]X3", "12", nil)}, []drivers.Scan{{Text: "12", AIM: "]X3"}}},
		{"length that can't be", "auto", [][]byte{pos("\x02\x39]F0", "12", nil), pos("\x02\xFF]F0", "12", nil), pos("\x02\x39", "12", nil), pos("\x01\x3F", "1", nil)}, nil},
		{"length that can't be ends half a code", "auto", [][]byte{pos("\x02\x02]Q1", "12", more), pos("\x02\x39]Q1", "", nil), pos("\x02\x02]Q1", "34", nil)}, []drivers.Scan{{Text: "34", AIM: "]Q1"}}},
		{"short reports", "auto", [][]byte{{}, {2}, {2, 0}, {2, 3, ']'}, {1, 1}, {2, 2, ']', 'F', '0', '1', '2'}}, []drivers.Scan{{Text: "12", AIM: "]F0"}}},
		{"other report IDs", "auto", [][]byte{pos("\x03\x02]F0", "12", nil), pos("\x00\x02]F0", "12", nil), make([]byte, 65)}, nil},
		{"empty", "auto", [][]byte{pos("\x02\x00]C0", "", nil), make([]byte, 64), pos("\x02\x02]F0", "\r\n", nil)}, nil},
		{"over-long", "auto", append(repeat(10, pos("\x02\x38]Q1", strings.Repeat("9", 56), more)), pos("\x02\x02]Q1", "12", nil), pos("\x02\x02]F0", "34", nil)),
			[]drivers.Scan{{Text: strings.Repeat("9", drivers.MaxText), AIM: "]Q1", Long: true}, {Text: "34", AIM: "]F0"}}},
	} {
		var steps []step
		for _, p := range x.reports {
			steps = append(steps, step{after: ms, report: p}, step{})
		}
		same(t, x.what, play(t, options(t, func(c *Config) { c.Form = x.form }), steps...), x.want...)
	}
}

func repeat(n int, p []byte) (list [][]byte) {
	for range n {
		list = append(list, p)
	}
	return list
}

func TestHalfCodeIsDropped(t *testing.T) {
	half := pos("\x02\x02]Q1", "12", map[int]byte{63: 1})
	rest := pos("\x02\x02]Q1", "34", nil)
	for _, x := range []struct {
		after time.Duration
		want  string
	}{{400 * ms, "1234"}, {600 * ms, "34"}} {
		got := play(t, options(t, nil), step{report: half}, step{after: x.after, report: rest})
		same(t, x.after.String(), got, drivers.Scan{Text: x.want, AIM: "]Q1"})
	}
	same(t, "no second half", play(t, options(t, nil), step{report: half}))
}

func FuzzPOS(f *testing.F) {
	for _, s := range []string{"020E5D4630333331", "0238", "013E", "02FF5D5131"} {
		raw, _ := hex.DecodeString(s)
		f.Add(raw, byte(64), "auto")
	}
	f.Add(bytes.Repeat(pos("\x02\x38]Q1", "9", map[int]byte{63: 1}), 8), byte(64), "plain")
	f.Fuzz(func(t *testing.T, raw []byte, size byte, form string) {
		d := newPOS(Config{Form: form})
		check := func(s drivers.Scan) {
			if len(s.Text) > drivers.MaxText || s.Text == "" || strings.HasPrefix(s.AIM, "]Z") {
				t.Errorf("a scan of %d bytes, %q: %q", len(s.Text), s.AIM, s.Text)
			}
			if s.AIM != "" {
				if aim, rest := drivers.CutAIM(s.AIM); aim != s.AIM || rest != "" {
					t.Errorf("AIM identifier %q", s.AIM)
				}
			}
		}
		for size := max(1, int(size)); len(raw) > 0; {
			n := min(size, len(raw))
			d.report(raw[:n], 0, check)
			raw = raw[n:]
		}
		if len(d.line.text) > longest {
			t.Errorf("%d bytes kept; want at most %d", len(d.line.text), longest)
		}
		d.silence(unended, check)
		if d.open {
			t.Error("half a code is left after a silence")
		}
	})
}

// What a scanner of any form sends in parts comes out as it went in.
func FuzzPOSParts(f *testing.F) {
	f.Add("33191000105864", "]F0", "honeywell")
	f.Add(strings.Repeat("A", 200), "]Q1", "zebra")
	f.Add("12", "", "plain")
	f.Fuzz(func(t *testing.T, text, aim, name string) {
		form, ok := forms[name]
		if got, rest := drivers.CutAIM(aim); !ok || form.more == 0 || got != aim || rest != "" || (aim == "") != (form.aim == 0) ||
			answer(aim) || text == "" || len(text) > drivers.MaxText || strings.TrimRight(text, "\r\n\t") != text {
			return
		}
		if inText, _ := drivers.CutAIM(text); form.aim == 0 && inText != "" {
			return
		}
		d := newPOS(Config{Form: name})
		var got []drivers.Scan
		for rest := text; ; {
			n := min(len(rest), form.end-form.data)
			p := make([]byte, posSize)
			p[0], p[1] = idPOS, byte(n)
			copy(p[max(2, form.aim):], aim)
			copy(p[form.data:], rest[:n])
			if rest = rest[n:]; rest != "" {
				p[form.more] = 1
			}
			d.report(p, 0, func(s drivers.Scan) { got = append(got, s) })
			if rest == "" {
				break
			}
		}
		same(t, name, got, drivers.Scan{Text: text, AIM: aim})
	})
}
