package shelf

import (
	"encoding/csv"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func order(t testing.TB, r Rules) *Order {
	t.Helper()
	o, err := NewOrder(r)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestKnownSequences(t *testing.T) {
	o := order(t, Rules{})
	for _, tt := range sequences {
		t.Run(tt.name, func(t *testing.T) {
			last, lastKey := "", Key("")
			for s := range strings.SplitSeq(strings.TrimSpace(tt.list), "\n") {
				key, err := o.Key(tt.scheme, s)
				if err != nil {
					t.Error(err)
				}
				if key <= lastKey {
					t.Errorf("%q stands at %q, not after %q at %q", s, key, last, lastKey)
				}
				last, lastKey = s, key
			}
		})
	}
}

func TestSamePlace(t *testing.T) {
	o := order(t, Rules{})
	for _, tt := range []struct{ scheme, a, b string }{
		{"ddc", "813/.54 ROW", "813.54 Row"},
		{"ddc", "813.5'4", "813.54"},
		{"ddc", "FIC  Rowling", "[Fic.] ROWLING"},
		{"ddc", "E Hände", "E HANDE"},
		{"ddc", "E O'Brien", "E O’BRIEN"},
		{"ddc", "973 v.2", "973 Vol. 2"},
		{"", "E ROW", "easy/Row"},
		{"lcc", "M5 .L3 K2", "M5.L3.K2"},
		{"lcc", "M5 L3 K2", "M 5 .L3K2"},
		{"lcc", "QA 76 .73 .J38", "QA76.73.J38"},
		{"nlm", "W 1 J0656", "W1 J0656"},
		{"udc", "622+669", "622 + 669"},
		{"udc", "[339]:633", "339:633"},
	} {
		a, err1 := o.Key(tt.scheme, tt.a)
		b, err2 := o.Key(tt.scheme, tt.b)
		if err := errors.Join(err1, err2); err != nil || a != b {
			t.Errorf("%q is at %q and %q at %q, %v; want the same", tt.a, a, tt.b, b, err)
		}
	}
}

func TestMisfits(t *testing.T) {
	o := order(t, Rules{})
	last, err := o.Key("local", "zzz")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ scheme, number, why string }{
		{"ddc", "DVD 10 STA", `shelf: "DVD 10 STA" does not fit ddc: it begins with DVD, which is no prefix`},
		{"ddc", "1984 ORW", "three digits before the point"},
		{"ddc", "--", "there is no number"},
		{"lcc", "780 B1", "does not begin with the letters of a class"},
		{"lcc", "W 1", "there is no class W"},
		{"lcc", "ABCD 1", "ABCD is no class"},
		{"lcc", "ML", "after the class ML there is no number"},
		{"nlm", "X 1", "there is no class X"},
		{"udc", "FIC ROW", "it begins with a letter"},
		{"udc", "622(430", "is not closed"},
		{"udc", "622)430", "closed that is not open"},
		{"udc", "622;430", `';' means nothing in UDC`},
		{"udc", "(GOE)", "there is no number"},
		{"sudocs", "A 13.28", "there is no such scheme"},
		{"local", "***", "no letter and no digit"},
		{"ddc", "", "shelf: there is no call number"},
		{"", "  ", "shelf: there is no call number"},
	} {
		key, err := o.Key(tt.scheme, tt.number)
		if m := new(Misfit); !errors.As(err, &m) || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("Key(%q, %q) says %v; want %q", tt.scheme, tt.number, err, tt.why)
		}
		if key <= last {
			t.Errorf("%q fits nothing and stands at %q, before what fits", tt.number, key)
		}
	}
	nine, _ := o.Key("ddc", "DVD 9 STA")
	if ten, _ := o.Key("ddc", "DVD 10 STA"); nine >= ten {
		t.Error("what fits nothing is not in natural order")
	}
}

func TestLocalSchemes(t *testing.T) {
	o := order(t, Rules{
		Order: []string{"genre", "ddc"},
		Schemes: map[string]Local{
			"genre": {Prefixes: []string{"ANIMAL", "FANTASY|FAN", "HORROR"}, Parts: []Part{PartText, PartNumber}},
			"tech":  {Parts: []Part{PartDecimal, PartCutter}},
			"local": {As: "ddc"},
		},
	})
	last := Key("")
	for _, tt := range []struct{ scheme, number string }{
		{"genre", "Animal"}, {"genre", "Animal WAR 2"}, {"genre", "Animal WAR 10"}, {"genre", "FAN ROW"},
		{"genre", "Fantasy ROW 1"}, {"genre", "Fantasy ROW 1 b"}, {"genre", "Horror"},
		{"local", "E MAR"}, {"ddc", "E ROW"}, {"local", "599 A"},
		{"lcc", "A 1"},
		{"tech", "7"}, {"tech", "7,15 M15"}, {"tech", "7.15 M2"}, {"tech", "7.2"}, {"tech", "12"},
	} {
		key, err := o.Key(tt.scheme, tt.number)
		if err != nil || key <= last {
			t.Errorf("Key(%q, %q) = %q, %v; want it after %q", tt.scheme, tt.number, key, err, last)
		}
		last = key
	}
	for number, why := range map[string]string{
		"Poetry X":  "none of its prefixes",
		"FAN 12":    `"12" is no text`,
		"FAN ROW x": `"x" is no number`,
	} {
		if key, err := o.Key("genre", number); err == nil || !strings.Contains(err.Error(), why) || key <= last {
			t.Errorf("Key(genre, %q) = %q, %v; want %q", number, key, err, why)
		}
	}
}

func TestRulesAreChecked(t *testing.T) {
	for _, tt := range []struct {
		rules Rules
		why   string
	}{
		{Rules{Order: []string{"ddc", "lcc|ddc"}}, `order: "DDC" is there twice`},
		{Rules{Order: []string{"dcc"}}, `order: there is no scheme "dcc"`},
		{Rules{Unnamed: "dewey"}, `unnamed: there is no scheme "dewey"`},
		{Rules{Prefixes: map[string][]string{"ddc": {"E", "B|E"}}}, `prefixes of ddc: "E" is there twice`},
		{Rules{Prefixes: map[string][]string{"ddc": {"EASY READER"}}}, "is not one word of letters"},
		{Rules{Prefixes: map[string][]string{"dewey": {"E"}}}, `no scheme "dewey" to have them`},
		{Rules{Schemes: map[string]Local{"ddc": {}}}, "a name of its own"},
		{Rules{Schemes: map[string]Local{"x": {Parts: []Part{"word"}}}}, `"word" is no kind of part`},
		{Rules{Schemes: map[string]Local{"x": {As: "y"}}}, `no scheme "y" to be read as`},
		{Rules{Schemes: map[string]Local{"x": {As: "x"}}}, `no scheme "x" to be read as`},
	} {
		if _, err := NewOrder(tt.rules); err == nil || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("NewOrder(%+v) says %v; want %q", tt.rules, err, tt.why)
		}
	}
}

func TestInOrder(t *testing.T) {
	o := order(t, Rules{})
	a, b := kiosk.Item{CallNumber: "599.8", Scheme: "ddc"}, kiosk.Item{CallNumber: "599.15", Scheme: "ddc"}
	for _, tt := range []struct {
		left, right kiosk.Item
		want        bool
	}{{a, b, false}, {b, a, true}, {a, a, true}} {
		if got, err := o.InOrder(tt.left, tt.right); got != tt.want || err != nil {
			t.Errorf("InOrder(%s, %s) = %t, %v; want %t", tt.left.CallNumber, tt.right.CallNumber, got, err, tt.want)
		}
	}
	if ok, err := o.InOrder(a, kiosk.Item{}); !ok || err == nil {
		t.Errorf("InOrder with a book without a call number = %t, %v; want true and why", ok, err)
	}
}

// TestKeysFollowNumbers makes pairs of which the order is known.
func TestKeysFollowNumbers(t *testing.T) {
	o := order(t, Rules{})
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a, b := r.IntN(1000), r.IntN(1000)
		x, y := r.IntN(1e6), r.IntN(1e6)
		v, w := r.IntN(1<<r.IntN(40)), r.IntN(1<<r.IntN(40))
		for _, tt := range []struct {
			scheme, left, right string
			before              bool
		}{
			{"ddc", pad3(a), pad3(b), a < b},
			{"ddc", "5." + itoa(x), "5." + itoa(y), itoa(x) < itoa(y)},
			{"lcc", "QA" + itoa(a), "QA" + itoa(b), a < b},
			{"lcc", "QA1 .B" + itoa(x), "QA1 .B" + itoa(y), itoa(x) < itoa(y)},
			{"udc", itoa(x), itoa(y), itoa(x) < itoa(y)},
			{"ddc", "5 v." + itoa(v), "5 v." + itoa(w), v < w},
			{"local", itoa(v), itoa(w), v < w},
		} {
			l, err1 := o.Key(tt.scheme, tt.left)
			r, err2 := o.Key(tt.scheme, tt.right)
			if err := errors.Join(err1, err2); err != nil || (l < r) != tt.before {
				t.Fatalf("%s: %q before %q: %t, %v; want %t", tt.scheme, tt.left, tt.right, l < r, err, tt.before)
			}
		}
	}
}

func pad3(n int) string { return "000"[len(itoa(n)):] + itoa(n) }

// TestConcerto sorts all call numbers of the test data.
func TestConcerto(t *testing.T) {
	o := order(t, Rules{})
	known := map[string]string{"lcc": "lcc", "dewey": "ddc", "generic": "local"}
	at := map[Key]string{}
	rows := concerto(t)
	for _, row := range rows {
		scheme, ok := known[row["call_number_scheme"]]
		key, err := o.Key(scheme, row["call_number"])
		if !ok || err != nil {
			t.Errorf("%s: scheme %q: %v", row["barcode"], row["call_number_scheme"], err)
		}
		if other, ok := at[key]; ok && other != row["call_number"] {
			t.Errorf("%q and %q are at the same place %q", other, row["call_number"], key)
		}
		at[key] = row["call_number"]
	}
	if len(rows) < 4000 {
		t.Errorf("there are %d items; want more", len(rows))
	}
}

func concerto(t testing.TB) (rows []map[string]string) {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared")
	if _, err := os.Stat(dir); err != nil {
		if strings.Contains(os.Getenv("CARREL_REQUIRE"), "shared") {
			t.Fatal("the test data beside the checkout is missing")
		}
		t.Skip("needs the test data in ../shared, which is not here")
	}
	f, err := os.Open(filepath.Join(dir, "testdata", "concerto", "items.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// fuzz checks what holds for every call number of a scheme.
func fuzz(f *testing.F, scheme string, o *Order) {
	for _, tt := range sequences {
		for s := range strings.SplitSeq(strings.TrimSpace(tt.list), "\n") {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		key, err := o.Key(scheme, s)
		again, _ := o.Key(scheme, " "+s+" ")
		switch {
		case key == "" || !utf8.ValidString(string(key)) || strings.ContainsRune(string(key), 0):
			t.Errorf("Key(%q) = %q: SQLite can't keep it", s, key)
		case (err != nil) != (key[0] == '~'):
			t.Errorf("Key(%q) = %q, %v: what fits and what does not stand together", s, key, err)
		case again != key:
			t.Errorf("Key(%q) = %q; with spaces around it %q", s, key, again)
		}
	})
}

func FuzzDDC(f *testing.F)     { fuzz(f, "ddc", order(f, Rules{})) }
func FuzzLCC(f *testing.F)     { fuzz(f, "lcc", order(f, Rules{})) }
func FuzzNLM(f *testing.F)     { fuzz(f, "nlm", order(f, Rules{})) }
func FuzzUDC(f *testing.F)     { fuzz(f, "udc", order(f, Rules{})) }
func FuzzNatural(f *testing.F) { fuzz(f, "local", order(f, Rules{})) }
func FuzzParts(f *testing.F) {
	fuzz(f, "own", order(f, Rules{Schemes: map[string]Local{
		"own": {Prefixes: []string{"A", "B|C", ""}, Parts: []Part{PartText, PartNumber, PartDecimal, PartCutter}},
	}}))
}
