package web

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var views = []kiosk.View{kiosk.ViewWelcome, kiosk.ViewIdentifying, kiosk.ViewPIN, kiosk.ViewItems, kiosk.ViewReceipt}

// seen is the text of a page, as a patron reads it.
func seen(body string) string {
	body = regexp.MustCompile(`(?s)<head>.*?</head>|<svg.*?</svg>`).ReplaceAllString(body, " ")
	body = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")
	return strings.Join(strings.Fields(html.UnescapeString(body)), " ")
}

// TestEveryViewRenders shows every view in both modes, in every language,
// with every reason: whole pages, no key in place of a text.
func TestEveryViewRenders(t *testing.T) {
	en, ls := all(t)
	key := regexp.MustCompile(`\b(?:reason|state|items|receipt|welcome|held|line|pin|count|tray|fault|fatal|lost)\.[a-z-]+`)
	for _, l := range ls {
		h, d := newSite(t, kiosk.Screen{}, func(c *Config) { c.Languages = []string{l.Tag} })
		for _, v := range views {
			for _, mode := range []kiosk.Mode{kiosk.Borrowing, kiosk.Returning} {
				for _, r := range append(constants(t, "reason.go", "Reason"), "", "a-reason-of-tomorrow") {
					ls := sample()
					ls[6].Reason = kiosk.Reason(r)
					d.show(kiosk.Screen{View: v, Mode: mode, Patron: "Zoë", Lines: ls, Notice: kiosk.Notice{Reason: kiosk.Reason(r), Code: "%C1"},
						Now: noon, EndsAt: noon.Add(time.Minute), WarnAt: noon, Faults: []kiosk.Fault{{Source: "scanner"}}})
					w := get(h, "/")
					text := seen(w.Body.String())
					if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "</html>") || text == "" {
						t.Fatalf("%s %s %s: %d, %q", l.Tag, v, mode, w.Code, text)
					}
					if k := key.FindString(text); k != "" {
						t.Errorf("%s %s %s %s: the key %s is shown", l.Tag, v, mode, r, k)
					}
				}
			}
		}
	}
	_ = en
}

func show(t *testing.T, sc kiosk.Screen, lang string) string {
	t.Helper()
	h, _ := newSite(t, sc)
	return seen(get(h, "/?lang="+lang).Body.String())
}

func TestWhatIsShown(t *testing.T) {
	items := func(f func(*kiosk.Screen)) kiosk.Screen {
		sc := kiosk.Screen{View: kiosk.ViewItems, Mode: kiosk.Borrowing, Patron: "Zoë", Online: true, Lines: sample(),
			EndsAt: noon.Add(time.Minute), WarnAt: noon.Add(40 * time.Second)}
		if f != nil {
			f(&sc)
		}
		return sc
	}
	tests := []struct {
		name   string
		screen kiosk.Screen
		lang   string
		want   []string
		not    []string
	}{
		{"welcome", kiosk.Screen{View: kiosk.ViewWelcome}, "en", []string{"Maple Street Library", "Welcome", "Borrow Scan your card", "Return"}, []string{"Offline", "Hello"}},
		{"welcome in Spanish", kiosk.Screen{View: kiosk.ViewWelcome}, "es", []string{"Bienvenidos", "Devolver"}, []string{"Welcome"}},
		{"a book before the card", kiosk.Screen{View: kiosk.ViewWelcome, Lines: sample()[8:]}, "en",
			[]string{"Now your card", "Return these instead", "Item 309", "waiting for you"}, []string{"What would you like"}},
		{"a book while the card is looked up", kiosk.Screen{View: kiosk.ViewIdentifying, Lines: sample()[8:]}, "en",
			[]string{"looking up your card", "Still working on 1 book"}, []string{"Now your card"}},
		{"a card alone", kiosk.Screen{View: kiosk.ViewIdentifying}, "en", []string{"looking up your card"}, []string{"working on"}},
		{"a notice", kiosk.Screen{View: kiosk.ViewWelcome, Notice: kiosk.Notice{Reason: kiosk.ReasonForeign, Code: "%C0105H"}}, "en",
			[]string{"another system", "library’s own label", "%C0105H"}, nil},
		{"PIN", kiosk.Screen{View: kiosk.ViewPIN, Notice: kiosk.Notice{Reason: kiosk.ReasonWrongPIN}}, "en",
			[]string{"Your PIN", "That PIN did not match. Please try again.", "1 2 3 4 5 6 7 8 9 0", "Cancel"}, nil},
		{"items", items(nil), "en", []string{"Hello, Zoë", "Matilda Due Mon 14 December Lent", "Pippi Due Mon 14 December Renewed",
			"Atlas This one stays in the library. You are welcome to read it here.", "Dune You already have this one. Would you like to keep it longer? Renew No, thanks",
			"Emil Yours. Staff can tell you the due date.", "5 books for you", "Still working on 1 book", "3 books need a look", "Finish"},
			[]string{"ILS SAYS NO", "Offline"}},
		{"items in Spanish", items(nil), "es", []string{"Hola, Zoë", "Matilda Hasta el lun 14 de diciembre", "5 libros para ti"}, []string{"Due"}},
		{"nothing yet", items(func(sc *kiosk.Screen) { sc.Lines = nil }), "en", []string{"Your first book, please", "0 books for you"}, nil},
		{"returning", items(func(sc *kiosk.Screen) { sc.Mode, sc.Patron, sc.Lines = kiosk.Returning, "", sample()[3:5] }), "en",
			[]string{"Returning", "2 books returned", "Heidi Thank you! Please put it on the returns cart. Cart", "Krabat It is back. Please hand this one to staff. Staff"}, []string{"Hello"}},
		{"closing", items(func(sc *kiosk.Screen) { sc.Closing = true }), "en", []string{"One moment"}, []string{"Finish", "Renew No"}},
		{"offline", items(func(sc *kiosk.Screen) { sc.Online = false }), "en", []string{"Offline – your loans are safe"}, nil},
		{"a fault", items(func(sc *kiosk.Screen) { sc.Faults = []kiosk.Fault{{Source: "scanner", Text: "ENODEV"}} }), "en",
			[]string{"needs repair", "scanner"}, []string{"ENODEV"}},
		{"upstream is no fault to a patron", items(func(sc *kiosk.Screen) { sc.Faults = []kiosk.Fault{{Source: "upstream"}} }), "en", nil, []string{"needs repair"}},
		{"broken under a patron", items(func(sc *kiosk.Screen) { sc.Faults = []kiosk.Fault{{Source: "ledger", Fatal: true}} }), "en",
			[]string{"Please ask staff", "ledger", "Matilda"}, nil},
		{"broken", kiosk.Screen{View: kiosk.ViewWelcome, Faults: []kiosk.Fault{{Source: "ledger", Fatal: true}}}, "en",
			[]string{"Please ask staff", "ledger"}, []string{"Welcome", "Borrow"}},
		{"receipt", kiosk.Screen{View: kiosk.ViewReceipt, Patron: "Zoë", Lines: sample(), EndsAt: noon.Add(15 * time.Second)}, "en",
			[]string{"Thank you, Zoë", "5 books are yours", "Matilda Due Mon 14 December", "1 scan did not work", "Done", "Closes by itself 15"},
			[]string{"Renew No", "Momo", "Dune"}},
		{"a stack", items(func(sc *kiosk.Screen) {
			sc.Lines, sc.Tray = stack(), kiosk.Tray{Tags: 14, Items: 12, Missing: 1, Lifted: 2, Left: 3}
		}), "en", []string{"On the pad: 12 items", "3 items lie here from before. Lift them and put them back to borrow them.", "Finish First put 2 items back"},
			[]string{"How many"}},
		{"a set that is not complete", items(func(sc *kiosk.Screen) { sc.Tray = kiosk.Tray{Tags: 1, Items: 1, Missing: 1} }), "en",
			[]string{"On the pad: 1 item", "Finish 1 set is not complete"}, []string{"from before", "How many"}},
		{"a stack that is being lent", items(func(sc *kiosk.Screen) { sc.Tray, sc.Busy = kiosk.Tray{Tags: 1, Items: 1}, true }), "en",
			[]string{"Finish Still working"}, []string{"How many"}},
		{"a count that is wanted", items(func(sc *kiosk.Screen) { sc.Tray = kiosk.Tray{Tags: 2, Items: 2, Counted: 3} }), "en",
			[]string{"How many items did you put down? OK", "Finish Please count first"}, nil},
		{"a stack that is settled", items(func(sc *kiosk.Screen) { sc.Tray = kiosk.Tray{Tags: 2, Items: 2, Settled: true} }), "en",
			[]string{"On the pad: 2 items"}, []string{"How many", "count first", "Still working on 2", "not complete"}},
		{"left there, and returning", items(func(sc *kiosk.Screen) { sc.Mode, sc.Tray = kiosk.Returning, kiosk.Tray{Left: 1} }), "en",
			[]string{"1 item lies here from before. Lift it and put it back to return it."}, []string{"On the pad: 0"}},
		{"receipt of a stack", kiosk.Screen{View: kiosk.ViewReceipt, Lines: stack(), Tray: kiosk.Tray{Lifted: 1, Tags: 3, Items: 2, Left: 1}}, "en",
			[]string{"2 books are yours", "2 books need a look", "4 scans did not work", "Matilda Please put this one back on the pad. Just for a moment. It is not quite done. Due Mon 14 December",
				"2 of 3 parts are here."}, []string{"On the pad", "How many", "from before"}},
		{"what tags say", items(func(sc *kiosk.Screen) { sc.Lines = stack() }), "en",
			[]string{"Laptop bag 2 of 3 parts are here. Please put all of its parts on the pad.", "Matilda Please put this one back on the pad.",
				"Tag DE-Sab 0815 This one is not from our library.", "Something on the pad We can’t read the tag in this one.",
				"Momo Two tags say that they are this one.", "The pad That is too much at once."}, []string{"Unknown item", "Tag 301"}},
		{"one part of a set", items(func(sc *kiosk.Screen) { sc.Lines = stack()[1:2]; sc.Lines[0].Have = 1 }), "en",
			[]string{"1 of 3 parts is here."}, nil},
		{"a set in Spanish", items(func(sc *kiosk.Screen) { sc.Lines = stack() }), "es", []string{"Laptop bag 2 de 3 partes están aquí."}, nil},
		{"a notice of a title", kiosk.Screen{View: kiosk.ViewItems, Notice: kiosk.Notice{Reason: kiosk.ReasonTagMended, Code: "Momo\x00"}}, "en",
			[]string{"Momo : This one is done now. Thank you for putting it back."}, nil},
		{"which everybody can read", kiosk.Screen{View: kiosk.ViewWelcome, Notice: kiosk.Notice{Reason: kiosk.ReasonTagMended, Code: "Momo"}}, "en",
			[]string{"This one is done now. Thank you for putting it back."}, []string{"Momo"}},
		{"receipt of one", kiosk.Screen{View: kiosk.ViewReceipt, Mode: kiosk.Returning, Lines: sample()[3:4]}, "en",
			[]string{"Thank you 1 book is back", "Heidi"}, []string{"Closes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := show(t, tt.screen, tt.lang)
			for _, s := range tt.want {
				if !strings.Contains(got, s) {
					t.Errorf("%q is not in\n%s", s, got)
				}
			}
			for _, s := range tt.not {
				if strings.Contains(got, s) {
					t.Errorf("%q is in\n%s", s, got)
				}
			}
		})
	}
}

// TestPadOrScanner: what to do with a book depends on what is there.
func TestPadOrScanner(t *testing.T) {
	for _, mode := range []kiosk.Mode{kiosk.Borrowing, kiosk.Returning} {
		there := false
		h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Mode: mode, Patron: "Zoë", Now: noon}, func(c *Config) { c.Pad = func() bool { return there } })
		for _, there = range []bool{false, true} {
			text := seen(get(h, "/").Body.String())
			if got := strings.Contains(text, "on the pad"); got != there {
				t.Errorf("%s, pad there %v: %q", mode, there, text)
			}
		}
	}
}

func TestClean(t *testing.T) {
	l := []kiosk.Line{{ID: "a", Title: " a\x00\x1b[1m\u202eb\r\nc\ufffd ", State: kiosk.LineWaiting}, {ID: "b", Title: "\u2067\t", Item: "301", State: kiosk.LineWaiting}}
	got := show(t, kiosk.Screen{View: kiosk.ViewItems, Lines: l}, "en")
	for _, want := range []string{" a[1mbc One moment", " Item 301 One moment"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}

func TestNewestFirst(t *testing.T) {
	got := show(t, kiosk.Screen{View: kiosk.ViewItems, Lines: sample()}, "en")
	if strings.Index(got, "Dune") > strings.Index(got, "Momo") {
		t.Errorf("the newest book is not first:\n%s", got)
	}
}

// TestPutBackFirst: what must be put back is before all else, then the set
// that is not complete; and Finish stands out only when nothing is missing.
func TestPutBackFirst(t *testing.T) {
	ls := append(stack(), kiosk.Line{ID: "z", Title: "Zorro", State: kiosk.LineLent})
	for _, v := range []kiosk.View{kiosk.ViewItems, kiosk.ViewReceipt} {
		got := show(t, kiosk.Screen{View: v, Lines: ls}, "en")
		back, set, other := strings.Index(got, "Matilda"), strings.Index(got, "Laptop bag"), strings.Index(got, "Zorro")
		if back < 0 || back > set || set > other {
			t.Errorf("%s: put back at %d, the set at %d, another at %d of\n%s", v, back, set, other, got)
		}
	}
	for _, tt := range []struct {
		tray  kiosk.Tray
		class string
	}{
		{kiosk.Tray{Tags: 2, Items: 2, Settled: true}, "primary"},
		{kiosk.Tray{}, "primary"}, // by label alone
		{kiosk.Tray{Tags: 2, Items: 2}, "plain"},
		{kiosk.Tray{Lifted: 1}, "plain"},
		{kiosk.Tray{Missing: 1}, "plain"},
	} {
		h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Lines: ls, Tray: tt.tray, Busy: true})
		if !strings.Contains(get(h, "/").Body.String(), `<button class="button `+tt.class+` big" id="finish"`) {
			t.Errorf("%+v: Finish is not %s", tt.tray, tt.class)
		}
	}
}

func TestTheCardIsNeverShown(t *testing.T) {
	for _, v := range views {
		h, _ := newSite(t, kiosk.Screen{View: v, Card: "29999000000017", Patron: "Zoë", Lines: sample()})
		for _, path := range []string{"/", "/api/v1/screen"} {
			if strings.Contains(get(h, path).Body.String(), "29999000000017") {
				t.Errorf("%s tells the card at %s", v, path)
			}
		}
	}
}

func attr(t *testing.T, body, name string) string {
	t.Helper()
	m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no %s in\n%s", name, body)
	}
	return m[1]
}

// TestCountdownAfterReload: what the page counts from is the time left now,
// not when the screen was made, by whichever clock the desk has.
func TestCountdownAfterReload(t *testing.T) {
	for name, desk := range map[string]time.Time{"the same clock": noon, "a desk ahead of it": noon.AddDate(1, 0, 0)} {
		now := noon
		h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Now: desk, EndsAt: desk.Add(time.Minute), WarnAt: desk.Add(40 * time.Second)},
			func(c *Config) { c.Clock = func() time.Time { return now } })
		body := get(h, "/").Body.String()
		if left, warn := attr(t, body, "data-left"), attr(t, body, "data-warn"); left != "60000" || warn != "40000" {
			t.Errorf("%s: at first %s left, warns in %s; want 60000, 40000", name, left, warn)
		}
		now = now.Add(45 * time.Second)
		body = get(h, "/").Body.String()
		if left, warn := attr(t, body, "data-left"), attr(t, body, "data-warn"); left != "15000" || warn != "0" {
			t.Errorf("%s: after 45 s %s left, warns in %s; want 15000, 0", name, left, warn)
		}
		if strings.Contains(body, `id="countdown" role="alert" hidden`) {
			t.Errorf("%s: the countdown is hidden", name)
		}
	}
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome})
	if got := attr(t, get(h, "/").Body.String(), "data-left"); got != "-1" {
		t.Errorf("a view that does not end has %s left; want -1", got)
	}
}

func TestLanguageOfAScreen(t *testing.T) {
	for _, tt := range []struct{ patron, query, cookie, want string }{
		{"", "", "", "en"},
		{"es-MX", "", "", "es"},
		{"de", "", "", "en"},
		{"es", "en", "", "en"},
		{"", "", "es", "es"},
		{"es", "", "en", "en"},
		{"", "es", "en", "es"},
		{"", "x\"><script>", "\x00", "en"},
	} {
		h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Language: tt.patron})
		r := httptest.NewRequest("GET", "/", nil)
		q := r.URL.Query()
		q.Set("lang", tt.query)
		r.URL.RawQuery = q.Encode()
		if tt.cookie != "" {
			r.AddCookie(&http.Cookie{Name: languageCookie, Value: tt.cookie})
		}
		w := serve(h, r)
		if got := attr(t, w.Body.String(), "lang"); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

func TestChooseLanguage(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome})
	w := post(h, "/language", "lang=es")
	if c := w.Result().Cookies(); w.Code != http.StatusSeeOther || len(c) != 1 || c[0].Value != "es" || c[0].MaxAge < 0 {
		t.Fatalf("es: %d, %v", w.Code, c)
	}
	for _, form := range []string{"", "lang=", "lang=tlh"} {
		w = post(h, "/language", form)
		if c := w.Result().Cookies(); len(c) != 1 || c[0].Value != "" || c[0].MaxAge >= 0 {
			t.Errorf("%q: %v; want the cookie gone", form, c)
		}
	}
}

// FuzzTitle: whatever a title holds, the page has the same tags.
func FuzzTitle(f *testing.F) {
	for _, s := range []string{"Momo", `<script>alert(1)</script>`, `"><img src=x onerror=y>`, "\u202e\x00\r\n", "{{.Patron}}", "&lt;", "الف ليلة", "-->", "</bdi></li>"} {
		f.Add(s)
	}
	h, d := newSite(f, kiosk.Screen{})
	page := func(s string) string {
		d.show(kiosk.Screen{Now: noon, View: kiosk.ViewItems, Patron: s, Lines: []kiosk.Line{{ID: "a", Title: s, State: kiosk.LineRefused, Reason: kiosk.ReasonUnreadable}},
			Notice: kiosk.Notice{Reason: kiosk.ReasonUnreadable, Code: s}, Faults: []kiosk.Fault{{Source: s}}})
		return get(h, "/").Body.String()
	}
	tag, quoted := regexp.MustCompile(`<[^>]*>`), regexp.MustCompile(`"[^"]*"`)
	tags := func(s string) string {
		names := tag.FindAllString(quoted.ReplaceAllString(s, `""`), -1)
		return strings.Join(names, "\n")
	}
	plain := tags(page("Momo"))
	f.Fuzz(func(t *testing.T, s string) {
		if clean(s) == "" {
			return // an empty text leaves its place out
		}
		if got := tags(page(s)); got != plain {
			t.Errorf("%q changes the page's tags", s)
		}
	})
}

// TestDueOfEach: each line has its own due date, whatever was due before it.
func TestDueOfEach(t *testing.T) {
	sc := kiosk.Screen{View: kiosk.ViewItems}
	for i, days := range []int{21, 7, 7, 21} {
		sc.Lines = append(sc.Lines, kiosk.Line{ID: kiosk.ID(rune('a' + i)), State: kiosk.LineLent, Due: noon.AddDate(0, 0, days)})
	}
	h, _ := newSite(t, sc)
	var got struct{ Lines []struct{ Text string } }
	if err := json.Unmarshal(get(h, "/api/v1/screen").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"14 December", "30 November", "30 November", "14 December"} {
		if text := got.Lines[i].Text; !strings.Contains(text, want) {
			t.Errorf("line %d: %q; want %s", i, text, want)
		}
	}
}

// TestNews: what the page can't find out by itself, and nothing of titles where
// each line stands in the page.
func TestNews(t *testing.T) {
	borrowing := func(tray kiosk.Tray) kiosk.Screen {
		return kiosk.Screen{View: kiosk.ViewItems, Mode: kiosk.Borrowing, Lines: sample()[:1], Tray: tray}
	}
	account := func(a kiosk.Account) kiosk.Screen { return kiosk.Screen{View: kiosk.ViewAccount, Account: &a} }
	covered := account(kiosk.Account{Owed: "2.50 USD"})
	covered.Covered = true
	for _, tt := range []struct {
		name, mode string
		screen     kiosk.Screen
		want       string
	}{
		{"lines", "standard", borrowing(kiosk.Tray{}), ""},
		{"one at a time", "pre-reader", borrowing(kiosk.Tray{}), "Momo: One moment …"},
		{"a question", "standard", borrowing(kiosk.Tray{Tags: 1, Items: 1}), "How many items did you put down?"},
		{"no account yet", "standard", kiosk.Screen{View: kiosk.ViewAccount}, ""},
		{"an empty account", "standard", account(kiosk.Account{}), "You have nothing on loan."},
		{"an account", "standard", account(kiosk.Account{Owed: "2.50 USD", Message: "Hello", Loans: []kiosk.Borrowed{{Title: "Momo"}}, Blocked: kiosk.ReasonFees}),
			"Here is what you have at home.\nTo pay: 2.50 USD\nPlease pay at the staff desk.\nFrom the library\nHello\nThere are fees to settle first. Please talk to staff, then try again."},
		{"a covered account", "standard", covered, ""},
	} {
		h, _ := newSite(t, tt.screen)
		if body := html.UnescapeString(get(h, "/?mode="+tt.mode).Body.String()); !strings.Contains(body, `data-news="`+tt.want+`"`) {
			t.Errorf("%s: %s; want %q", tt.name, regexp.MustCompile(`data-news="[^"]*"`).FindString(body), tt.want)
		}
	}
}
