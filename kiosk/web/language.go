package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	bcp47 "golang.org/x/text/language"
	xmessage "golang.org/x/text/message"
	"golang.org/x/text/number"
	"golang.org/x/text/unicode/bidi"
)

//go:embed lang/*.json
var langFS embed.FS

// Languages lists the tags of all languages that the screen has words in.
func Languages() (tags []string) {
	files, _ := fs.Glob(langFS, "lang/*.json") // the pattern is right
	for _, f := range files {
		tags = append(tags, strings.TrimSuffix(path.Base(f), ".json"))
	}
	return tags
}

// language is one file of lang: all the words of the screen. A text that
// counts has one key for each plural form its language uses, by the names of
// Unicode CLDR: "lent.one", "lent.few", "lent.other".
type language struct {
	Name   string            `json:"name"`   // in itself
	Dir    string            `json:"dir"`    // "ltr" or "rtl"
	Days   []string          `json:"days"`   // short, Sunday first
	Months []string          `json:"months"` // as they stand in a date
	Texts  map[string]string `json:"texts"`

	Tag string `json:"-"` // BCP 47, the file's name
	tag bcp47.Tag

	print *xmessage.Printer // with the digits 0 to 9
}

// languages loads what the configuration names, in its order.
func languages(tags []string) ([]*language, error) {
	if len(tags) == 0 {
		tags = []string{"en"}
	}
	var ls []*language
	for _, t := range tags {
		b, err := langFS.ReadFile("lang/" + t + ".json")
		if err != nil {
			return nil, fmt.Errorf("web: languages: %q: must be one of %s", t, strings.Join(available(), ", "))
		}
		l, err := parseLanguage(t, b)
		if err != nil {
			return nil, fmt.Errorf("web: languages: %w", err)
		}
		ls = append(ls, l)
	}
	return ls, nil
}

// available lists the languages there are files for.
func available() (tags []string) {
	files, _ := fs.Glob(langFS, "lang/*.json") // the pattern is well-formed
	for _, f := range files {
		tags = append(tags, strings.TrimSuffix(path.Base(f), ".json"))
	}
	return tags
}

func parseLanguage(tag string, b []byte) (*language, error) {
	l := &language{Tag: tag}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(l); err != nil {
		return nil, fmt.Errorf("%s: %w", tag, err)
	}
	var err error
	if l.tag, err = bcp47.Parse(tag); err != nil {
		return nil, fmt.Errorf("%s: not a BCP 47 tag: %w", tag, err)
	}
	digits, err := l.tag.SetTypeForKey("nu", "latn")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tag, err)
	}
	l.print = xmessage.NewPrinter(digits)
	if len(l.Days) != 7 || len(l.Months) != 12 {
		return nil, fmt.Errorf("%s: %d days and %d months; must be 7 and 12", tag, len(l.Days), len(l.Months))
	}
	if l.Dir != "ltr" && l.Dir != "rtl" {
		return nil, fmt.Errorf("%s: dir %q: must be ltr or rtl", tag, l.Dir)
	}
	return l, nil
}

// T gives the text of key with its {placeholders} filled in from pairs of
// name and value. A key without a text gives itself: the tests find it.
func (l *language) T(key string, pairs ...string) string {
	t, ok := l.Texts[key]
	if !ok {
		return key
	}
	for i := 1; i < len(pairs); i += 2 {
		pairs[i] = isolate(pairs[i], l.Dir == "rtl")
	}
	return fill(t, pairs)
}

// fill puts values into a text as they are. It runs for each line of each
// screen; a strings.Replacer for it took longer than the rest of the screen.
func fill(text string, pairs []string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 16*len(pairs)/2)
	for {
		before, rest, open := strings.Cut(text, "{")
		b.WriteString(before)
		if !open {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := valueOf(name, pairs)
		if !closed || !known { // no place for a value
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(value)
		text = after
	}
}

// valueOf finds the value of a name among pairs of both.
func valueOf(name string, pairs []string) (string, bool) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == name {
			return pairs[i+1], true
		}
	}
	return "", false
}

// N gives the text of key in the plural form of n, which is its {n}; pairs as
// for T.
func (l *language) N(key string, n int, pairs ...string) string {
	form := key + "." + l.form(n)
	if _, ok := l.Texts[form]; !ok {
		form = key + ".other"
	}
	return l.T(form, append(pairs, "n", l.Number(n))...)
}

// Number gives a count in digits, grouped as the language does it. The digits
// are 0 to 9 in every language, Arabic too: half of its countries write them,
// and so do the cards, the labels and the keys of the PIN.
func (l *language) Number(n int) string { return l.print.Sprint(number.Decimal(n)) }

// form names the CLDR plural form of a count.
func (l *language) form(n int) string {
	names := map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two",
		plural.Few: "few", plural.Many: "many", plural.Other: "other"}
	return names[plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0)]
}

// Date gives a day in words, with the year where it is not now's. Its parts
// are of the language itself: isolated from each other they would hide from a
// sentence around them which way the date runs.
func (l *language) Date(t, now time.Time) string {
	key := "date"
	if t.Year() != now.Year() {
		key = "date.year"
	}
	return fill(l.Texts[key], []string{"weekday", l.Days[t.Weekday()], "day", strconv.Itoa(t.Day()),
		"month", l.Months[t.Month()-1], "year", strconv.Itoa(t.Year())})
}

// isolate keeps a foreign text that has its own direction from turning the
// sentence around it (Unicode TR9, FSI and PDI), and a sentence that runs from
// right to left from turning it: of "505 A" the letter came first.
func isolate(s string, right bool) string {
	for _, r := range s {
		switch p, _ := bidi.LookupRune(r); p.Class() {
		case bidi.EN, bidi.AN:
		case bidi.R, bidi.AL, bidi.LRO, bidi.RLO, bidi.LRE, bidi.RLE, bidi.PDF, bidi.LRI, bidi.RLI, bidi.FSI, bidi.PDI:
			return "\u2068" + s + "\u2069"
		default:
			if right {
				return "\u2068" + s + "\u2069"
			}
		}
	}
	return s
}

// match finds the language offered for a tag: itself, or one of the same base
// ("es" for "es-MX", "zh-Hans" for "zh-CN"); nil where there is none.
func (s *site) match(tag string) *language {
	want, err := bcp47.Parse(tag)
	if err != nil || tag == "" {
		return nil
	}
	_, i, _ := s.matcher.Match(want)
	l := s.langs[i]
	base, _ := want.Base()
	if own, _ := l.tag.Base(); own != base {
		return nil // another language, though many may read it
	}
	return l
}

// matcher knows which of the languages is nearest to another.
func matcher(ls []*language) bcp47.Matcher {
	var tags []bcp47.Tag
	for _, l := range ls {
		tags = append(tags, l.tag)
	}
	return bcp47.NewMatcher(tags)
}

// languageCookie holds what was chosen on this screen; the page drops it when
// the session ends.
const languageCookie = "carrel-language"

// chosen is the language that was asked for: in the address, or by touch.
func (s *site) chosen(r *http.Request) *language {
	if l := s.match(r.URL.Query().Get("lang")); l != nil {
		return l
	}
	if c, err := r.Cookie(languageCookie); err == nil {
		return s.match(c.Value)
	}
	return nil
}

// speak picks the language of a screen: what was chosen, the patron's, or the
// library's.
func (s *site) speak(chosen *language, patron string) *language {
	if chosen != nil {
		return chosen
	}
	if l := s.match(patron); l != nil {
		return l
	}
	return s.langs[0]
}

// chooseLanguage keeps a choice in this browser; none that is offered takes
// it back. The page loads again.
func (s *site) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	if !takeForm(w, r) {
		return
	}
	tag := ""
	if l := s.match(r.PostForm.Get("lang")); l != nil {
		tag = l.Tag
	}
	http.SetCookie(w, kept(languageCookie, tag))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
