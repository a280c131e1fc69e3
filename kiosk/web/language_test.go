package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	bcp47 "golang.org/x/text/language"
	xmessage "golang.org/x/text/message"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// all are the languages there are files for; English is the measure.
func all(t testing.TB) (en *language, ls []*language) {
	ls, err := languages(available())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ls {
		if l.Tag == "en" {
			return l, ls
		}
	}
	t.Fatal("no English")
	return nil, nil
}

var forms = []string{"zero", "one", "two", "few", "many", "other"}

// stem takes the plural form off a key.
func stem(key string) (string, bool) {
	i := strings.LastIndexByte(key, '.')
	if i > 0 && slices.Contains(forms, key[i+1:]) {
		return key[:i], true
	}
	return key, false
}

func stems(l *language) map[string]bool {
	m := map[string]bool{}
	for k := range l.Texts {
		s, _ := stem(k)
		m[s] = true
	}
	return m
}

func placeholders(text string) []string {
	found := regexp.MustCompile(`\{[^}]*\}`).FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestLanguagesAreComplete(t *testing.T) {
	en, ls := all(t)
	for _, tag := range []string{"ar", "de", "en", "es", "fr", "uk", "vi", "zh-Hans"} { // promised
		if !slices.Contains(available(), tag) {
			t.Errorf("no words in %s", tag)
		}
	}
	want := stems(en)
	for _, l := range ls {
		have := stems(l)
		for k := range want {
			if !have[k] {
				t.Errorf("%s: %s is missing", l.Tag, k)
			}
		}
		for k := range have {
			if !want[k] {
				t.Errorf("%s: %s is not in en", l.Tag, k)
			}
		}
		for k, text := range l.Texts {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: %s is empty", l.Tag, k)
			}
			measure, spare := en.Texts[k], ""
			if s, plural := stem(k); plural {
				measure = en.Texts[s+".other"]
				if i := strings.LastIndexByte(k, '.'); single(l, k[i+1:]) {
					spare = "{n}" // "two" may say "both"
				}
			}
			a, b := placeholders(text), placeholders(measure)
			if spare != "" && !slices.Contains(a, spare) {
				b = slices.DeleteFunc(b, func(p string) bool { return p == spare })
			}
			if measure != "" && !slices.Equal(a, b) {
				t.Errorf("%s: %s has %v; en has %v", l.Tag, k, a, b)
			}
		}
	}
}

// counts stand for all whole numbers: every form that a language has for them
// comes up among these.
func counts() (ns []int) {
	for n := range 1000 {
		ns = append(ns, n)
	}
	return append(ns, 1000, 1001, 10_000, 100_000, 1_000_000, 1_000_001)
}

// single tells whether a plural form is that of one number only.
func single(l *language, form string) bool {
	found := 0
	for _, n := range counts() {
		if l.form(n) == form {
			found++
		}
	}
	return found == 1
}

// TestLanguagesHaveTheirPlurals wants exactly the forms that whole numbers
// need: the kiosk counts no fractions.
func TestLanguagesHaveTheirPlurals(t *testing.T) {
	_, ls := all(t)
	for _, l := range ls {
		need := map[string]bool{}
		for _, n := range counts() {
			need[l.form(n)] = true
		}
		counted := map[string]bool{}
		for k := range l.Texts {
			if s, plural := stem(k); plural {
				counted[s] = true
			}
		}
		for s := range counted {
			for _, f := range forms {
				if _, ok := l.Texts[s+"."+f]; ok != need[f] {
					t.Errorf("%s: %s.%s is there: %t; want %t", l.Tag, s, f, ok, need[f])
				}
			}
		}
	}
}

// constants reads those of a type of package kiosk from their source, so that a
// new one without words is found.
func constants(t testing.TB, file, of string) (rs []string) {
	f, err := parser.ParseFile(token.NewFileSet(), "../"+file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == of {
				s, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				rs = append(rs, s)
			}
		}
		return true
	})
	if len(rs) < 10 {
		t.Fatalf("found only %d of %s", len(rs), of)
	}
	return rs
}

func TestEveryReasonHasWords(t *testing.T) {
	en, _ := all(t)
	for _, r := range constants(t, "reason.go", "Reason") {
		for _, part := range []string{"title", "step", "child"} {
			if en.Texts["reason."+r+"."+part] == "" {
				t.Errorf("reason.%s.%s is missing", r, part)
			}
		}
	}
}

// TestEveryAdviceHasWords, which the template puts together from its name.
func TestEveryAdviceHasWords(t *testing.T) {
	en, _ := all(t)
	advices := map[string]bool{}
	for _, a := range constants(t, "advice.go", "Advice") {
		advices["late."+a] = true
		if en.Texts["late."+a] == "" {
			t.Errorf("late.%s is missing", a)
		}
	}
	for k := range en.Texts {
		if strings.HasPrefix(k, "late.") && !advices[k] {
			t.Errorf("%s is of no advice", k)
		}
	}
}

// TestTextsAreUsed compares the keys that templates and code ask for with
// those there are.
func TestTextsAreUsed(t *testing.T) {
	en, _ := all(t)
	asked := map[string]bool{}
	key := regexp.MustCompile(`(?:\.[TN]\(? ?|pairRefusal = )"([a-z.-]+)"|\bsay\('([a-z.-]+)'`)
	scan := func(tree fs.FS, pattern string) {
		files, _ := fs.Glob(tree, pattern)
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := fs.ReadFile(tree, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range key.FindAllStringSubmatch(string(b), -1) {
				asked[m[1]+m[2]] = true
			}
		}
	}
	scan(assets, "templates/*.html")
	scan(assets, "static/phone.js")
	scan(os.DirFS("."), "*.go")
	put := []string{"next.", "receipt.paper.", "route.", "story.", "animal.", "staff.act.", "staff.stage.", "staff.verdict.", "staff.ex.kind.", "staff.ex.done.", "staff.inv.stage.", "staff.inv.reading.", "staff.inv.state.", "staff.inv.found.", "staff.inv.mark.", "staff.inv.note.", "staff.inv.tell.what.", "staff.inv.tell.how.", "staff.inv.tell.step.", "staff.inv.tell.done.", "staff.inv.wrong.", "staff.inv.file.odd.", "staff.receipts.print.", "staff.receipts.name.", "late."} // together from a name
	for _, k := range put {
		delete(asked, k)
	}
	delete(asked, "staff.now.list.")
	delete(asked, "state.") // put together from a line's state
	have := stems(en)
	for k := range asked {
		if !have[k] {
			t.Errorf("%s is asked for and missing", k)
		}
	}
	for k := range have {
		built := strings.HasPrefix(k, "reason.") || strings.HasPrefix(k, "state.") || strings.HasPrefix(k, "date") ||
			slices.ContainsFunc(put, func(p string) bool { return strings.HasPrefix(k, p) })
		if !asked[k] && !built {
			t.Errorf("%s is never asked for", k)
		}
	}
}

func TestDates(t *testing.T) {
	tests := []struct {
		tag  string
		at   time.Time
		want string
	}{
		{"en", noon.AddDate(0, 0, 21), "Mon 14 December"},
		{"es", noon.AddDate(0, 0, 21), "lun 14 de diciembre"},
		{"en", noon.AddDate(0, 0, 41), "Sun 3 January 2027"},
		{"es", noon.AddDate(0, 0, 41), "dom 3 de enero de 2027"},
		{"fr", noon.AddDate(0, 0, 21), "lun. 14 décembre"},
		{"de", noon.AddDate(0, 0, 41), "So, 3. Januar 2027"},
		{"ar", noon.AddDate(0, 0, 21), "الاثنين، 14 ديسمبر"},
		{"zh-Hans", noon.AddDate(0, 0, 21), "12月14日 周一"},
		{"zh-Hans", noon.AddDate(0, 0, 41), "2027年1月3日 周日"},
		{"vi", noon.AddDate(0, 0, 41), "Chủ Nhật, 3 tháng 1, 2027"},
		{"uk", noon.AddDate(0, 0, 41), "нд, 3 січня 2027 р."},
	}
	for _, tt := range tests {
		ls, err := languages([]string{tt.tag})
		if err != nil {
			t.Fatal(err)
		}
		if got := ls[0].Date(tt.at, noon); got != tt.want {
			t.Errorf("%s: %v is %q; want %q", tt.tag, tt.at, got, tt.want)
		}
	}
}

// TestCounts: the form and the digits of a count.
func TestCounts(t *testing.T) {
	for _, tt := range []struct {
		tag  string
		n    int
		want string
	}{
		{"en", 1, "On the pad: 1 item"},
		{"en", 1234, "On the pad: 1,234 items"},
		{"de", 1234, "Auf der Ablage: 1.234 Stück"},
		{"fr", 0, "Sur le plateau\u00a0: 0 document"},
		{"uk", 21, "На підставці: 21 річ"},
		{"uk", 3, "На підставці: 3 речі"},
		{"uk", 11, "На підставці: 11 речей"},
		{"ar", 2, "على اللوح: مادتان"},
		{"ar", 5, "على اللوح: 5 مواد"},
		{"ar", 12, "على اللوح: 12 مادة"},
		{"zh-Hans", 2, "感应板上：2 件"},
		{"vi", 7, "Trên khay: 7 món"},
	} {
		ls, err := languages([]string{tt.tag})
		if err != nil {
			t.Fatal(err)
		}
		if got := ls[0].N("tray.items", tt.n); got != tt.want {
			t.Errorf("%s: %d is %q; want %q", tt.tag, tt.n, got, tt.want)
		}
	}
}

func TestMatch(t *testing.T) {
	ls, err := languages(available())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{langs: ls, matcher: matcher(ls)}
	for tag, want := range map[string]string{
		"en": "en", "en-GB": "en", "EN": "en", "es-MX": "es", "es-US": "es", "fr-CA": "fr", "de-AT": "de", "ar-EG": "ar", "ar-Arab": "ar",
		"zh": "zh-Hans", "zh-CN": "zh-Hans", "zh-Hans": "zh-Hans", "zh-Hans-CN": "zh-Hans", "zh_CN": "zh-Hans", "zh-SG": "zh-Hans",
		"zh-TW": "zh-Hans", // better than another language
		"vi-VN": "vi", "uk-UA": "uk", "ru": "", "ca": "", "tlh": "", "": "", "-": "", "x-y": "", "mul": "",
	} {
		got := ""
		if l := s.match(tag); l != nil {
			got = l.Tag
		}
		if got != want {
			t.Errorf("%q is answered in %q; want %q", tag, got, want)
		}
	}
}

func TestText(t *testing.T) {
	l := &language{tag: bcp47.English, print: xmessage.NewPrinter(bcp47.English), Texts: map[string]string{"hello": "Hi {name}!", "n.one": "{n} book", "n.other": "{n} books"}}
	for got, want := range map[string]string{
		l.T("hello", "name", "Ada"):    "Hi Ada!",
		l.T("hello", "name", "{name}"): "Hi {name}!",
		l.T("hello", "name", "مريم"):   "Hi \u2068مريم\u2069!",
		l.T("nothing"):                 "nothing",
		l.N("n", 1):                    "1 book",
		l.N("n", 0):                    "0 books",
	} {
		if got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
}

func TestParseLanguageRefuses(t *testing.T) {
	good := `{"name":"X","dir":"ltr","days":["a","b","c","d","e","f","g"],"months":["1","2","3","4","5","6","7","8","9","10","11","12"],"texts":{}}`
	if _, err := parseLanguage("de", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"an unknown key": strings.Replace(good, `"name"`, `"nome"`, 1),
		"six days":       strings.Replace(good, `"a",`, ``, 1),
		"no direction":   strings.Replace(good, `ltr`, `up`, 1),
		"no JSON":        good[:20],
	} {
		if _, err := parseLanguage("de", []byte(bad)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := parseLanguage("not a tag", []byte(good)); err == nil {
		t.Error("a name that is no tag is taken")
	}
	if _, err := New(Config{Desk: newDesk(kiosk.Screen{}), Languages: []string{"en", "tlh"}}); err == nil || !strings.Contains(err.Error(), strings.Join(available(), ", ")) {
		t.Errorf("New with a language nobody wrote: %v; want an error that lists those there are", err)
	}
}

func FuzzParseLanguage(f *testing.F) {
	files, _ := fs.Glob(langFS, "lang/*.json")
	for _, name := range files {
		b, _ := langFS.ReadFile(name)
		f.Add("en", b)
	}
	f.Fuzz(func(t *testing.T, tag string, b []byte) {
		l, err := parseLanguage(tag, b)
		if err != nil {
			return
		}
		for k := range maps.Clone(l.Texts) {
			l.T(k, "name", string(b[:min(len(b), 100)])) // a whole file for each text takes a second
		}
		l.Date(noon, noon)
		l.N("x", len(b))
	})
}

// TestCountsInWords: what is counted is grouped as the language does it, wherever it is said.
func TestCountsInWords(t *testing.T) {
	_, ls := all(t)
	grouped := map[string]string{"en": "1,200", "de": "1.200"}
	for _, l := range ls {
		lang, want := l.Tag, grouped[l.Tag]
		v := view{language: l}
		v.Account, v.Find = &kiosk.Account{Holds: []kiosk.Hold{{Place: 1200}}}, &kiosk.Finding{Hold: kiosk.Holding{State: kiosk.HoldPlaced, Placed: kiosk.Placed{Place: 1200}}}
		for what, said := range map[string]string{"the account": v.Holds()[0].Said(), "a hold": v.HoldSaid(),
			"a picture": l.wrong(&inventory.Wrong{What: "pixels", Args: []string{"width", "1200", "height", "7"}})} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %s says %q; want %s", lang, what, said, want)
			}
		}
		if said := l.wrong(&inventory.Wrong{What: "misfit", Args: []string{"number", "1200", "scheme", "Dewey"}}); !strings.Contains(said, "1200") {
			t.Errorf("%s: a call number is written %q", lang, said)
		}
	}
}
