package hidscan

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
)

// typedBy decodes boot reports to text, with Enter as \n.
func typedBy(k *keyboard, list ...[]byte) string {
	var b strings.Builder
	for _, p := range list {
		if boot, ok := k.boot(p); ok {
			k.report(boot, func(r rune) {
				if r == '\r' {
					r = '\n'
				}
				b.WriteRune(r)
			})
		}
	}
	return b.String()
}

// strike gives the reports of one key pressed and let go.
func strike(mods, usage byte) [][]byte {
	return [][]byte{{mods, 0, usage, 0, 0, 0, 0, 0}, make([]byte, 8)}
}

func TestKeyboardVectors(t *testing.T) {
	var file struct {
		US    map[string][2]string `json:"us_layout"`
		Cases []struct {
			Name    string
			Reports []string
			Text    string
		}
	}
	drivertest.PublishedJSON(t, "keyboard.json", &file)
	if len(file.US) < 90 || len(file.Cases) < 10 {
		t.Fatalf("%d keys and %d cases; want all", len(file.US), len(file.Cases))
	}
	for want, key := range file.US {
		raw, err := hex.DecodeString(key[0] + key[1])
		if err != nil {
			t.Fatal(err)
		}
		if got := typedBy(&keyboard{layout: layouts["us"]}, strike(raw[0], raw[1])...); got != want {
			t.Errorf("us: key %s with modifiers %s = %q; want %q", key[1], key[0], got, want)
		}
	}
	for _, c := range file.Cases {
		for _, id := range []string{"", "01"} {
			var list [][]byte
			for _, s := range c.Reports {
				raw, err := hex.DecodeString(id + s)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, raw)
			}
			if got := typedBy(&keyboard{layout: layouts["us"]}, list...); got != c.Text {
				t.Errorf("%s (report ID %q): %q; want %q", c.Name, id, got, c.Text)
			}
		}
	}
}

// Keys by their place on a US keyboard; what they type elsewhere is as
// printed on the keyboards of those countries.
func TestLayouts(t *testing.T) {
	const shift, altGr = 0x02, 0x40
	for _, x := range []struct {
		layout      string
		mods, usage byte
		want        string
	}{
		{"de", 0, 0x1C, "z"}, {"de", 0, 0x1D, "y"}, {"de", shift, 0x1C, "Z"}, {"de", shift, 0x1D, "Y"},
		{"de", 0, 0x27, "0"}, {"de", 0, 0x1E, "1"}, {"de", 0, 0x38, "-"}, {"de", shift, 0x38, "_"},
		{"de", shift, 0x24, "/"}, {"de", shift, 0x27, "="}, {"de", 0, 0x30, "+"}, {"de", shift, 0x30, "*"},
		{"de", 0, 0x2D, "ß"}, {"de", shift, 0x2D, "?"}, {"de", altGr, 0x2D, `\`}, {"de", 0, 0x33, "ö"},
		{"de", shift, 0x34, "Ä"}, {"de", 0, 0x2F, "ü"}, {"de", shift, 0x36, ";"}, {"de", shift, 0x37, ":"},
		{"de", altGr, 0x24, "{"}, {"de", altGr, 0x25, "["}, {"de", altGr, 0x26, "]"}, {"de", altGr, 0x27, "}"},
		{"de", altGr, 0x14, "@"}, {"de", altGr, 0x64, "|"}, {"de", altGr, 0x30, "~"}, {"de", 0x05, 0x24, "{"},
		{"de", 0, 0x31, "#"}, {"de", shift, 0x32, "'"}, {"de", shift, 0x64, ">"}, {"de", altGr, 0x08, "€"},
		{"de", altGr, 0x04, "\uFFFD"}, {"de", shift, 0x22, "%"}, {"de", shift, 0x21, "$"},

		{"fr", shift, 0x1E, "1"}, {"fr", shift, 0x27, "0"}, {"fr", 0, 0x1E, "&"}, {"fr", 0, 0x23, "-"},
		{"fr", 0, 0x25, "_"}, {"fr", 0, 0x14, "a"}, {"fr", 0, 0x04, "q"}, {"fr", shift, 0x1A, "Z"},
		{"fr", 0, 0x1D, "w"}, {"fr", 0, 0x33, "m"}, {"fr", 0, 0x10, ","}, {"fr", shift, 0x10, "?"},
		{"fr", shift, 0x36, "."}, {"fr", shift, 0x37, "/"}, {"fr", 0, 0x30, "$"}, {"fr", shift, 0x34, "%"},
		{"fr", 0, 0x31, "*"}, {"fr", shift, 0x2E, "+"}, {"fr", altGr, 0x22, "["}, {"fr", altGr, 0x2D, "]"},
		{"fr", altGr, 0x25, `\`}, {"fr", altGr, 0x27, "@"}, {"fr", altGr, 0x20, "#"}, {"fr", altGr, 0x26, "^"},
		{"fr", 0, 0x21, "'"}, {"fr", 0, 0x22, "("}, {"fr", 0, 0x2D, ")"}, {"fr", 0, 0x37, ":"},

		{"uk", shift, 0x1F, `"`}, {"uk", shift, 0x34, "@"}, {"uk", 0, 0x32, "#"}, {"uk", shift, 0x20, "£"},
		{"uk", 0, 0x64, `\`}, {"us", shift, 0x64, "|"}, {"us", altGr, 0x14, "\uFFFD"},

		{"us", 0, 0x3A, "\uFFFD"}, {"us", 0, 0x4F, "\uFFFD"}, {"us", 0x08, 0x04, "\uFFFD"}, // F1, arrow, GUI+a
		{"us", 0x01, 0x30, "\x1D"}, {"us", 0x10, 0x10, "\n"}, {"us", 0x01, 0x1E, "\uFFFD"}, // Ctrl+], Ctrl+M, Ctrl+1
		{"fr", 0x01, 0x14, "\x01"}, {"us", 0, 0x56, "-"}, {"us", 0, 0x63, "."}, {"us", 0, 0x53, ""},
	} {
		if got := typedBy(&keyboard{layout: layouts[x.layout]}, strike(x.mods, x.usage)...); got != x.want {
			t.Errorf("%s: usage %02X with modifiers %02X = %q; want %q", x.layout, x.usage, x.mods, got, x.want)
		}
	}
}

func TestKeySequences(t *testing.T) {
	space, caps, a := strike(0, 0x2C), strike(0, 0x39), strike(0, 0x04)
	join := func(parts ...[][]byte) (all [][]byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	alt := func(digits ...byte) [][]byte {
		list := [][]byte{{leftAlt, 0, 0, 0, 0, 0, 0, 0}}
		for _, d := range digits {
			u := 0x59 + (d-'0'+9)%10
			list = append(list, []byte{leftAlt, 0, u, 0, 0, 0, 0, 0}, []byte{leftAlt, 0, 0, 0, 0, 0, 0, 0})
		}
		return append(list, make([]byte, 8))
	}
	for _, x := range []struct {
		what, layout string
		reports      [][]byte
		want         string
	}{
		{"dead key, space", "de", join(strike(0, 0x35), space), "^"},
		{"dead key, letter", "fr", join(strike(0, 0x2F), strike(0, 0x08)), "ê"},
		{"dead key, digit", "de", join(strike(0, 0x35), strike(0, 0x22)), "^5"},
		{"dead key, Enter", "de", join(strike(2, 0x2E), strike(0, 0x28)), "`\n"},
		{"dead key twice", "de", join(strike(0, 0x35), strike(0, 0x35), a), "^^a"},
		{"Caps Lock", "us", join(caps, a, strike(2, 0x04), strike(0, 0x1E), caps, a), "Aa1a"},
		{"Caps Lock on umlauts", "de", join(caps, strike(0, 0x33), strike(0, 0x2D)), "Öß"},
		{"Caps Lock on the French digit row", "fr", join(caps, strike(0, 0x1E), strike(2, 0x1E)), "1&"},
		{"ALT 065", "fr", alt('0', '6', '5'), "A"},
		{"ALT 65 65", "us", join(alt('6', '5'), alt('6', '6')), "AB"},
		{"ALT 29 is GS", "us", alt('2', '9'), "\x1D"},
		{"ALT 0228 is Windows-1252", "us", alt('0', '2', '2', '8'), "ä"},
		{"ALT 132 is code page 437", "us", alt('1', '3', '2'), "ä"},
		{"ALT 300", "us", alt('3', '0', '0'), "\uFFFD"},
		{"ALT alone", "us", alt(), ""},
		{"ALT with nine digits", "us", alt('0', '0', '0', '0', '0', '0', '0', '6', '5'), "\uFFFD\x06"},
		{"reports of other lengths", "us", [][]byte{{}, {3, 1}, {0, 0, 4, 0, 0, 0, 0, 0}, {1, 0, 0, 5, 0, 0, 0, 0, 0}, make([]byte, 64)}, "a"},
		{"another report ID", "us", [][]byte{{1, 0, 0, 4, 0, 0, 0, 0, 0}, {2, 0, 0, 5, 0, 0, 0, 0, 0}, {1, 0, 0, 6, 0, 0, 0, 0, 0}}, "ac"},
		{"one key twice in a report", "us", [][]byte{{0, 0, 4, 4, 0, 0, 0, 0}}, "a"},
		{"six keys in a report", "us", [][]byte{{2, 0, 4, 5, 6, 7, 8, 9}}, "ABCDEF"},
		{"modifiers in a rollover report", "us", [][]byte{{0, 0, 4, 0, 0, 0, 0, 0}, {2, 0, 1, 1, 1, 1, 1, 1}, {0, 0, 4, 5, 0, 0, 0, 0}}, "ab"},
	} {
		if got := typedBy(&keyboard{layout: layouts[x.layout]}, x.reports...); got != x.want {
			t.Errorf("%s: %q; want %q", x.what, got, x.want)
		}
	}
}

// press finds the keys that type r on a layout, nil if none do alone.
func press(l *layout, r rune) [][]byte {
	if r == 0 {
		return nil
	}
	if r == ' ' {
		return strike(0, usageSpace)
	}
	for u := byte(0x04); u <= 0x64; u++ {
		for _, mods := range []byte{0, 0x20, rightAlt} {
			if l.char(u, mods == 0x20, mods == rightAlt, false) == r {
				return strike(mods, u)
			}
		}
	}
	return nil
}

// Every layout must be able to type what is printed on labels.
func TestEveryLayoutTypesASCII(t *testing.T) {
	for name, l := range layouts {
		for r := ' '; r < 0x7F; r++ {
			keys := press(l, r)
			if keys == nil { // only a dead key types it
				for mark, s := range spacing {
					if s == r {
						keys = append(press(l, mark), strike(0, usageSpace)...)
					}
				}
			}
			if got := typedBy(&keyboard{layout: l}, keys...); got != string(r) {
				t.Errorf("%s: %q = %q", name, r, got)
			}
		}
	}
}

func FuzzKeyboard(f *testing.F) {
	f.Add([]byte{0, 0, 0x20, 0, 0, 0, 0, 0}, byte(8), "us")
	f.Add(bytes.Repeat([]byte{2, 0, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, 0, 0, 0, 0}, 60), byte(8), "de")
	f.Add([]byte{1, 4, 0, 0x62, 0x5E, 0x5D, 0, 0, 0, 1, 0, 0, 0x28, 0, 0, 0, 0, 0}, byte(9), "fr")
	f.Fuzz(func(t *testing.T, raw []byte, size byte, name string) {
		c := options(t, func(c *Config) { c.Mode, c.Unended = "keyboard", "deliver" })
		if _, ok := layouts[name]; ok {
			c.Layout = name
		}
		w := newWedge(c)
		check := func(s drivers.Scan) {
			if len(s.Text) > drivers.MaxText || s.Text == "" || strings.ContainsAny(s.Text, "\r\n\t") {
				t.Errorf("a scan of %d bytes: %q", len(s.Text), s.Text)
			}
			if !s.Long && !utf8.ValidString(s.Text) {
				t.Errorf("%q is no UTF-8", s.Text)
			}
		}
		for size := max(1, int(size)); len(raw) > 0; {
			n := min(size, len(raw))
			w.report(raw[:n], 0, check)
			raw = raw[n:]
		}
		if len(w.line.text) > longest {
			t.Errorf("%d bytes kept; want at most %d", len(w.line.text), longest)
		}
		w.silence(unended, check)
		if w.pending() {
			t.Error("something is left after a silence")
		}
	})
}

// What a layout can type comes out as it went in.
func FuzzTyped(f *testing.F) {
	f.Add("33191000105864", "us")
	f.Add("LIB-0042 {[|]}", "de")
	f.Add("éà12", "fr")
	f.Fuzz(func(t *testing.T, text, name string) {
		l, ok := layouts[name]
		if !ok {
			return
		}
		var want strings.Builder
		var keys [][]byte
		for _, r := range text {
			if _, dead := spacing[r]; dead {
				continue
			}
			if k := press(l, r); k != nil {
				keys = append(keys, k...)
				want.WriteRune(r)
			}
		}
		if got := typedBy(&keyboard{layout: l}, keys...); got != want.String() {
			t.Errorf("%s: %q; want %q", name, got, want.String())
		}
	})
}
