package intake

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk"
)

func mustNew(t testing.TB, c Config) *Intake {
	t.Helper()
	in, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestEvent(t *testing.T) {
	library := Config{Check: "mod10"}
	// A school: cards bear the number of the pupil's file, labels are a library's.
	school := Config{Patron: []string{`[0-9]{4,14}`}, Check: "mod10", PatronCheck: "none"}
	labels := Config{Check: "none", ItemCheck: "mod10"}
	concerto := Config{Patron: []string{`99999[0-9]{6}`}, Item: []string{`CONC[0-9]+`, `[0-9]{5,14}`}}
	card := func(c kiosk.Card) kiosk.Event { return kiosk.CardRead{Card: c} }
	item := func(b kiosk.Barcode) kiosk.Event { return kiosk.ItemPlaced{Item: b} }
	bad := func(r kiosk.Reason, code string) kiosk.Event { return kiosk.Unreadable{Reason: r, Code: code} }
	isbn := kiosk.ISBNRead{ISBN: "9780306406157"}
	tests := []struct {
		name   string
		config Config
		scan   drivers.Scan
		want   kiosk.Event
	}{
		{"item", library, drivers.Scan{Text: "31234000010064"}, item("31234000010064")},
		{"card", library, drivers.Scan{Text: "21234000056788"}, card("21234000056788")},
		{"wrong check digit", library, drivers.Scan{Text: "31234000010065"}, bad(kiosk.ReasonCheckDigit, "31234000010065")},
		{"two digits swapped", library, drivers.Scan{Text: "31234000010046"}, bad(kiosk.ReasonCheckDigit, "31234000010046")},
		{"blanks around", library, drivers.Scan{Text: " 31234000010064\r\n"}, item("31234000010064")},
		{"Codabar start and stop", library, drivers.Scan{Text: "A31234000010064B"}, item("31234000010064")},
		{"older start and stop", library, drivers.Scan{Text: "t31234000010064e"}, item("31234000010064")},
		{"only a start is no start", library, drivers.Scan{Text: "A31234000010064"}, bad(kiosk.ReasonUnreadable, "A31234000010064")},
		{"Code 39 asterisks", concerto, drivers.Scan{Text: "*CONC40001*"}, item("CONC40001")},
		{"another library's item", concerto, drivers.Scan{Text: "CONC4000036"}, item("CONC4000036")},
		{"and card, which might be an item's", concerto, drivers.Scan{Text: "99999355250"}, kiosk.EitherRead{Code: "99999355250"}},
		{"a number of either", Config{Patron: []string{"[0-9]{5}"}, Item: []string{"[0-9]{5}"}}, drivers.Scan{Text: "12345"}, kiosk.EitherRead{Code: "12345"}},
		{"a pattern holds for the whole code", concerto, drivers.Scan{Text: "xCONC4000036"}, bad(kiosk.ReasonUnreadable, "xCONC4000036")},
		{"ISBN", library, drivers.Scan{Text: "9780306406157"}, isbn},
		{"ISBN although the pattern fits", concerto, drivers.Scan{Text: "9780306406157"}, isbn},
		{"ISBN by AIM", concerto, drivers.Scan{Text: "9780306406157", AIM: "]E0"}, isbn},
		{"a library's label that looks like an ISBN", concerto, drivers.Scan{Text: "9780306406157", AIM: "]F0"}, item("9780306406157")},
		{"ISBN with price", library, drivers.Scan{Text: "978030640615751299"}, isbn},
		{"ISBN, blank, price", library, drivers.Scan{Text: "9780306406157 51299"}, isbn},
		{"a price alone is no item", concerto, drivers.Scan{Text: "51299", AIM: "]E2"}, bad(kiosk.ReasonUnreadable, "51299")},
		{"nor the number of an issue", Config{Item: []string{"[0-9]+"}}, drivers.Scan{Text: "07", AIM: "]E1"}, bad(kiosk.ReasonUnreadable, "07")},
		{"the same digits on a library's label", concerto, drivers.Scan{Text: "51299", AIM: "]A0"}, item("51299")},
		{"ISBN with a wrong check digit", library, drivers.Scan{Text: "9780306406158"}, bad(kiosk.ReasonUnreadable, "9780306406158")},
		{"Destiny's checkout", library, drivers.Scan{Text: "%C123H"}, bad(kiosk.ReasonForeign, "%C123H")},
		{"Destiny's although a pattern fits", Config{Item: []string{".+"}}, drivers.Scan{Text: "%C127L"}, bad(kiosk.ReasonForeign, "%C127L")},
		{"emoji", library, drivers.Scan{Text: "3123400001😀"}, bad(kiosk.ReasonUnreadable, "3123400001😀")},
		{"control characters", library, drivers.Scan{Text: "31234\x1b[2J0010064"}, bad(kiosk.ReasonUnreadable, "31234\uFFFD[2J0010064")},
		{"not UTF-8", library, drivers.Scan{Text: "3123\xff"}, bad(kiosk.ReasonUnreadable, "3123\uFFFD")},
		{"a field separator of SIP2", Config{Item: []string{".+"}}, drivers.Scan{Text: "3|AAx"}, bad(kiosk.ReasonUnreadable, "3|AAx")},
		{"a right-to-left override", Config{Item: []string{".+"}}, drivers.Scan{Text: "3\u202e1"}, bad(kiosk.ReasonUnreadable, "3\uFFFD1")},
		{"empty", library, drivers.Scan{}, bad(kiosk.ReasonUnreadable, "")},
		{"blanks", library, drivers.Scan{Text: "  "}, bad(kiosk.ReasonUnreadable, "")},
		{"10 kB", library, drivers.Scan{Text: strings.Repeat("3", 10_000), Long: true},
			bad(kiosk.ReasonUnreadable, strings.Repeat("3", 40)+"…")},
		{"longer than any label", Config{Item: []string{"[0-9]+"}}, drivers.Scan{Text: strings.Repeat("3", 65)},
			bad(kiosk.ReasonUnreadable, strings.Repeat("3", 40)+"…")},
		{"mod 43", Config{Item: []string{"[A-Z0-9]+"}, Check: "mod43"}, drivers.Scan{Text: "LIB0042D"}, item("LIB0042D")},
		{"mod 43 wrong", Config{Item: []string{"[A-Z0-9]+"}, Check: "mod43"}, drivers.Scan{Text: "LIB0042E"},
			bad(kiosk.ReasonCheckDigit, "LIB0042E")},
		{"a card without a check digit", school, drivers.Scan{Text: "40512"}, card("40512")},
		{"an item with a wrong one", labels, drivers.Scan{Text: "31234000010065"}, bad(kiosk.ReasonCheckDigit, "31234000010065")},
		{"and a card with any", labels, drivers.Scan{Text: "21234000056789"}, card("21234000056789")},
		{"the check digit tells a label from a card", Config{Patron: []string{`[0-9]{14}`}, Item: []string{`[0-9]{14}`}, PatronCheck: "mod43", ItemCheck: "mod10"},
			drivers.Scan{Text: "31234000010064"}, item("31234000010064")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, warning := mustNew(t, tt.config).Event(tt.scan)
			if got != tt.want || warning != "" {
				t.Errorf("Event(%q) = %#v, %q; want %#v", tt.scan.Text, got, warning, tt.want)
			}
		})
	}
}

func TestWarnOnly(t *testing.T) {
	in := mustNew(t, Config{Check: "mod10", Warn: true})
	got, warning := in.Event(drivers.Scan{Text: "35555000012349"}) // printed by a school, check digit wrong
	if got != (kiosk.ItemPlaced{Item: "35555000012349"}) || warning == "" {
		t.Errorf("Event = %#v, %q; want the item with a warning", got, warning)
	}
}

func TestBadConfig(t *testing.T) {
	for _, c := range []Config{{Check: "mod11"}, {PatronCheck: "mod11"}, {ItemCheck: "x"}, {Item: []string{"("}}, {Patron: []string{".*"}}} {
		if _, err := New(c); err == nil {
			t.Errorf("New(%+v) is accepted", c)
		}
	}
}

// TestVectors compares with check digits that were computed independently.
func TestVectors(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(shared(t), "testdata/devices/barcodes.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Codabar struct{ OK, Bad []string }              `json:"codabar14"`
		Mod43   []struct{ Data, Check string }          `json:"code39mod43"`
		EAN     []struct{ D12, Check string }           `json:"ean13"`
		Strip   []struct{ Raw, Text, Symbology string } `json:"strip"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Codabar.OK) == 0 || len(v.Codabar.Bad) == 0 || len(v.Mod43) == 0 || len(v.EAN) == 0 || len(v.Strip) == 0 {
		t.Fatalf("a list of vectors is empty: %+v", v)
	}
	for _, c := range v.Codabar.OK {
		if !Mod10(c) {
			t.Errorf("Mod10(%s) = false", c)
		}
	}
	for _, c := range v.Codabar.Bad {
		if Mod10(c) {
			t.Errorf("Mod10(%s) = true", c)
		}
	}
	for _, c := range v.Mod43 {
		if !Mod43(c.Data+c.Check) || Mod43(c.Data+"*") {
			t.Errorf("Mod43 of %s with check %s is wrong", c.Data, c.Check)
		}
	}
	for _, c := range v.EAN {
		_, ok := ISBN(c.D12 + c.Check)
		if want := strings.HasPrefix(c.D12, "978"); ok != want {
			t.Errorf("ISBN(%s%s) = %v; want %v", c.D12, c.Check, ok, want)
		}
	}
	in := mustNew(t, Config{Item: []string{`3[0-9]{13}`, `LIB[0-9]+`}})
	for _, c := range v.Strip {
		aim, rest := drivers.CutAIM(c.Raw)
		got, _ := in.Event(drivers.Scan{Text: rest, AIM: aim})
		want := kiosk.Event(kiosk.ItemPlaced{Item: kiosk.Barcode(c.Text)})
		if strings.HasPrefix(c.Text, "978") {
			want = kiosk.ISBNRead{ISBN: c.Text}
		}
		if got != want {
			t.Errorf("Event(%q) = %#v; want %#v", c.Raw, got, want)
		}
	}
}

// shared finds the test data beside the checkout.
func shared(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared")
	if _, err := os.Stat(dir); err != nil {
		if strings.Contains(os.Getenv("CARREL_REQUIRE"), "shared") {
			t.Fatal("the test data beside the checkout is missing")
		}
		t.Skip("needs the test data in ../shared, which is not here")
	}
	return dir
}

func FuzzEvent(f *testing.F) {
	for _, s := range []string{"31234000010064", "%C123H", "9780306406157 51299", "A31234000010064B", "*X*", "\x1b3", "é|"} {
		f.Add(s, "", false)
		f.Add(s, "]E0", true)
	}
	in, err := New(Config{Patron: []string{"[^3].*"}, Item: []string{".+"}, Warn: true, Check: "mod10"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, aim string, long bool) {
		if a, _ := drivers.CutAIM(aim); a != aim {
			aim = ""
		}
		ev, _ := in.Event(drivers.Scan{Text: text, AIM: aim, Long: long})
		var code string
		switch ev := ev.(type) {
		case kiosk.CardRead:
			code = string(ev.Card)
		case kiosk.ItemPlaced:
			code = string(ev.Item)
		case kiosk.EitherRead:
			code = ev.Code
		case kiosk.ISBNRead:
			code = ev.ISBN
		case kiosk.Unreadable:
			if ev.Reason == "" || len([]rune(ev.Code)) > 41 {
				t.Errorf("%#v", ev)
			}
			code = "x" + ev.Code
		}
		if code == "" || len(code) > 200 {
			t.Errorf("Event(%q) gives the code %q", text, code)
		}
		for _, r := range code {
			if !unicode.IsPrint(r) && r != '\uFFFD' {
				t.Errorf("Event(%q) lets %q through", text, r)
			}
		}
	})
}
