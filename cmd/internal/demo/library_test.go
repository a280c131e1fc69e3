package demo

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	_ "time/tzdata" // the zones of a machine that has none
	"unicode"
	"unicode/utf8"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/intake"
)

// noon is a school day on which the clock of New York has just gone back.
func noon(t *testing.T) time.Time {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 11, 2, 12, 0, 0, 0, zone)
}

func sample(t *testing.T) Library {
	t.Helper()
	l, err := Load(noon(t))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLibraryIsLargeEnough(t *testing.T) {
	l := sample(t)
	titles, isbns, kinds := map[string]int{}, map[string]bool{}, map[string]int{}
	for _, i := range l.Items {
		kinds[i.Location]++
		if i.Type != "equipment" {
			titles[i.Title]++
		}
		if i.ISBN != "" {
			isbns[i.ISBN] = true
		}
	}
	if len(titles) < 320 || len(isbns) < 300 || len(l.Items) < 340 {
		t.Errorf("%d titles, %d ISBNs, %d copies; want 320, 300, 340", len(titles), len(isbns), len(l.Items))
	}
	for _, want := range []string{"Picture Books", "Fiction", "Young Adult", "Graphic Novels", "Nonfiction", "World Languages", "Reference", "Equipment"} {
		if kinds[want] < 3 {
			t.Errorf("%d copies in %s; want at least 3", kinds[want], want)
		}
	}
	if titles["Number the Stars"] != 5 {
		t.Errorf("the classroom set has %d copies; want 5", titles["Number the Stars"])
	}
	if len(l.Patrons) < 70 || len(l.PINs) < 20 || len(l.Loans) < 30 {
		t.Errorf("%d patrons, %d PINs, %d loans; want 70, 20, 30", len(l.Patrons), len(l.PINs), len(l.Loans))
	}
}

func TestNumbersAreRightAndUnique(t *testing.T) {
	l := sample(t)
	item, card := regexp.MustCompile(`^3[0-9]{13}$`), regexp.MustCompile(`^2[0-9]{13}$`)
	seen := map[string]bool{}
	check := func(code string, form *regexp.Regexp) {
		if seen[code] || !form.MatchString(code) || !intake.Mod10(code) {
			t.Errorf("%s: twice, malformed, or its check digit is wrong", code)
		}
		seen[code] = true
	}
	for _, i := range l.Items {
		check(string(i.Barcode), item)
		if got, ok := intake.ISBN(i.ISBN); i.ISBN != "" && (!ok || got != i.ISBN) {
			t.Errorf("%q: ISBN %s is not one", i.Title, i.ISBN)
		}
	}
	for _, p := range l.Patrons {
		check(string(p.Card), card)
	}
}

// An ISBN stands for one title, and all copies of a title have the same.
func TestISBNsBelongToOneTitle(t *testing.T) {
	byISBN, byTitle := map[string]string{}, map[string]string{}
	for _, i := range sample(t).Items {
		if was, ok := byISBN[i.ISBN]; i.ISBN != "" && ok && was != i.Title {
			t.Errorf("ISBN %s: %q and %q", i.ISBN, was, i.Title)
		}
		if was, ok := byTitle[i.Title]; ok && was != i.ISBN {
			t.Errorf("%q has the ISBNs %q and %q", i.Title, was, i.ISBN)
		}
		byISBN[i.ISBN], byTitle[i.Title] = i.Title, i.ISBN
	}
}

func TestTextCanBeShown(t *testing.T) {
	l := sample(t)
	scripts := map[string]bool{}
	check := func(text string) {
		if !utf8.ValidString(text) || strings.TrimSpace(text) != text || strings.Contains(text, "|") {
			t.Errorf("%q: not UTF-8, blank at an end, or with a bar", text)
		}
		for _, r := range text {
			if !unicode.IsGraphic(r) {
				t.Errorf("%q holds the character %U", text, r)
			}
			for name, s := range map[string]*unicode.RangeTable{"Han": unicode.Han, "Arabic": unicode.Arabic, "Cyrillic": unicode.Cyrillic, "Latin": unicode.Latin} {
				if unicode.Is(s, r) {
					scripts[name] = true
				}
			}
		}
	}
	longest := 0
	for _, i := range l.Items {
		check(i.Title)
		check(i.Author)
		check(i.CallNumber)
		longest = max(longest, utf8.RuneCountInString(i.Title))
		if i.Title == "" || i.CallNumber == "" || i.Location == "" || i.Type == "" || i.Library != Institution {
			t.Errorf("item %s lacks something: %+v", i.Barcode, i)
		}
		if !slices.Contains([]string{"ddc", "local"}, i.Scheme) {
			t.Errorf("item %s: scheme %q", i.Barcode, i.Scheme)
		}
	}
	for _, p := range l.Patrons {
		check(p.FirstName)
		check(p.FamilyName)
		check(p.BlockText)
		if p.FirstName == "" || p.FamilyName == "" || p.Category == "" {
			t.Errorf("patron %s lacks something: %+v", p.Card, p)
		}
	}
	if len(scripts) != 4 || longest < 100 {
		t.Errorf("scripts %v, longest title %d; want four scripts and a title of 100 characters", scripts, longest)
	}
}

func TestLoansAndHoldsAreOfKnownThings(t *testing.T) {
	l := sample(t)
	items, cards := index(l)
	out := map[kiosk.Barcode]bool{}
	for _, o := range l.Loans {
		i, known := items[o.Item]
		if _, ok := cards[o.Patron]; !known || !ok || out[o.Item] {
			t.Errorf("loan of %s to %s: unknown, or lent twice", o.Item, o.Patron)
		}
		if i.Status != kiosk.StatusOnLoan || i.Reference {
			t.Errorf("%q is lent and %s, reference %v", i.Title, i.Status, i.Reference)
		}
		if !o.At.Before(noon(t)) || !o.At.Before(o.Due) {
			t.Errorf("loan of %q: lent %v, due %v", i.Title, o.At, o.Due)
		}
		if o.Due.Hour() != 23 || o.Due.Minute() != 59 || o.Due.Second() != 59 {
			t.Errorf("loan of %q is due %v; want the last second of a day", i.Title, o.Due)
		}
		out[o.Item] = true
	}
	shelf := 0
	for _, h := range l.Holds {
		i, known := items[h.Item]
		if _, ok := cards[h.Patron]; !known || !ok {
			t.Errorf("hold of %s for %s: unknown", h.Item, h.Patron)
		}
		if i.Status == kiosk.StatusOnHold {
			shelf++
		}
	}
	if shelf == 0 || shelf == len(l.Holds) {
		t.Errorf("%d of %d holds are on the shelf; want some, and some on loan", shelf, len(l.Holds))
	}
	for number := range l.Notes {
		if items[kiosk.Barcode(number)].Barcode == "" && cards[kiosk.Card(number)].Card == "" {
			t.Errorf("a note belongs to nothing: %s", number)
		}
	}
}

func index(l Library) (map[kiosk.Barcode]kiosk.Item, map[kiosk.Card]kiosk.Patron) {
	items, cards := map[kiosk.Barcode]kiosk.Item{}, map[kiosk.Card]kiosk.Patron{}
	for _, i := range l.Items {
		items[i.Barcode] = i
	}
	for _, p := range l.Patrons {
		cards[p.Card] = p
	}
	return items, cards
}

// Each of these is something a person wants to see the desk meet.
func TestEverySpecialCaseIsThere(t *testing.T) {
	l, now := sample(t), noon(t)
	has := map[string]bool{}
	for _, p := range l.Patrons {
		has["blocked: "+string(p.Blocked)] = true
		has["expired"] = has["expired"] || !p.Expires.IsZero() && p.Expires.Before(now)
		has["expires soon"] = has["expires soon"] || p.Expires.After(now)
		owes := l.Owed[p.Card]
		has["owes a little"] = has["owes a little"] || owes > 0 && owes <= MaxOwed && p.Blocked == ""
		has["owes too much"] = has["owes too much"] || owes > MaxOwed && p.Blocked == kiosk.ReasonFees
	}
	loans := map[kiosk.Card]int{}
	for _, o := range l.Loans {
		loans[o.Patron]++
		has["at the limit"] = has["at the limit"] || loans[o.Patron] == MaxLoans
		has["overdue"] = has["overdue"] || o.Due.Before(now)
		if loans[o.Patron] > MaxLoans {
			t.Errorf("%s has %d loans; the limit is %d", o.Patron, loans[o.Patron], MaxLoans)
		}
	}
	for _, i := range l.Items {
		has[string(i.Status)] = true
		has["reference"] = has["reference"] || i.Reference
	}
	for _, want := range []string{
		"blocked: ", "blocked: card-blocked", "blocked: card-lost", "blocked: fees", "expired", "expires soon",
		"owes a little", "owes too much", "at the limit", "overdue", "reference",
		"available", "on loan", "on hold shelf", "in transit", "lost", "missing", "withdrawn",
	} {
		if !has[want] {
			t.Errorf("nobody and nothing is %q", want)
		}
	}
}

// People are invented, so nobody may find a well-known name among them.
func TestNobodyIsFamous(t *testing.T) {
	famous := []string{
		"Harry Potter", "Hermione Granger", "Taylor Swift", "Barack Obama", "Donald Trump", "Joe Biden", "Greta Thunberg",
		"Malala Yousafzai", "Elon Musk", "Lionel Messi", "Serena Williams", "Albert Einstein", "Marie Curie", "Rosa Parks",
		"Володимир Зеленський", "习 近平", "Angela Merkel", "Emmanuel Macron", "Frida Kahlo", "Nelson Mandela",
	}
	l := sample(t)
	authors := map[string]bool{}
	for _, i := range l.Items {
		authors[i.Author] = true
	}
	for _, p := range l.Patrons {
		if slices.Contains(famous, p.FirstName+" "+p.FamilyName) || authors[p.FamilyName+", "+p.FirstName] {
			t.Errorf("%s %s is the name of somebody well known", p.FirstName, p.FamilyName)
		}
	}
}

// The sample is the same on every day: who is overdue today is overdue in ten
// years, and nobody outgrows their grade.
func TestLibraryNeverAges(t *testing.T) {
	first := sample(t)
	for _, later := range []time.Time{noon(t).AddDate(0, 4, 0), noon(t).AddDate(10, 0, 0)} {
		l, err := Load(later)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range l.Loans {
			if got, want := o.Due.Before(later), first.Loans[i].Due.Before(noon(t)); got != want {
				t.Errorf("on %v loan %d is overdue: %v; want %v", later, i, got, want)
			}
		}
		school := later.Year()
		if later.Month() < time.September {
			school--
		}
		for _, p := range l.Patrons {
			if p.Born.IsZero() {
				continue
			}
			september := time.Date(school, 9, 1, 0, 0, 0, 0, later.Location())
			if p.Born.After(september.AddDate(-5, 0, 0)) || p.Born.Before(september.AddDate(-18, 0, 0)) {
				t.Errorf("on %v %s was born %v: not of school age", later, p.FirstName, p.Born)
			}
		}
	}
}

func TestBornFollowsTheSchoolYear(t *testing.T) {
	for _, c := range []struct{ grade, birthday, now, want string }{
		{"0", "03-14", "2026-11-02", "2021-03-14"},
		{"0", "10-02", "2026-11-02", "2020-10-02"},
		{"0", "03-14", "2027-06-01", "2021-03-14"},
		{"12", "08-31", "2026-09-01", "2009-08-31"},
	} {
		now, _ := time.Parse(time.DateOnly, c.now)
		got, err := born(c.grade, c.birthday, now)
		if err != nil || got.Format(time.DateOnly) != c.want {
			t.Errorf("born(%s, %s) on %s = %v, %v; want %s", c.grade, c.birthday, c.now, got, err, c.want)
		}
	}
}

// with is the sample library with one of its lists in other words.
func with(t *testing.T, name, text string) fs.FS {
	lists := fstest.MapFS{}
	names, err := fs.Glob(files, "*.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		data, err := fs.ReadFile(files, n)
		if err != nil {
			t.Fatal(err)
		}
		lists[n] = &fstest.MapFile{Data: data}
	}
	lists[name] = &fstest.MapFile{Data: []byte(text)}
	return lists
}

func TestBadListsAreErrors(t *testing.T) {
	const people = "card,family_name,first_name,category,grade,birthday,language,expires,blocked,block_text,pin,owes,note\n"
	for _, c := range []struct{ what, name, text string }{
		{"an empty list", "books.csv", ""},
		{"a short line", "equipment.csv", "barcode,title,call_number\n1,2\n"},
		{"a grade that is none", "people.csv", people + "2,F,G,c,first,01-02,,,,,,,\n"},
		{"a birthday that is none", "people.csv", people + "2,F,G,c,1,13-40,,,,,,,\n"},
		{"an end that is no number", "people.csv", people + "2,F,G,c,,,,soon,,,,,\n"},
		{"a debt that is no number", "people.csv", people + "2,F,G,c,,,,,,,,1.50,\n"},
		{"a loan without a due date", "loans.csv", "item,patron,lent,due\n3,2,1,\n"},
		{"a loan of an unknown day", "loans.csv", "item,patron,lent,due\n3,2,x,1\n"},
	} {
		if _, err := load(with(t, c.name, c.text), noon(t)); err == nil || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s: %v; want an error that names %s", c.what, err, c.name)
		}
	}
}

// FuzzLoad reads one list alone: the others are empty but for their heads.
func FuzzLoad(f *testing.F) {
	heads := map[string]string{}
	for _, n := range []string{"books.csv", "equipment.csv", "people.csv", "loans.csv", "holds.csv"} {
		data, err := fs.ReadFile(files, n)
		if err != nil {
			f.Fatal(err)
		}
		heads[n] = "a,b\n"
		f.Add(n, string(data[:min(len(data), 1500)]))
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		lists := fstest.MapFS{name: &fstest.MapFile{Data: []byte(text)}}
		for n, head := range heads {
			if n != name {
				lists[n] = &fstest.MapFile{Data: []byte(head)}
			}
		}
		l, err := load(lists, time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC))
		if err != nil && l.Items != nil {
			t.Fatalf("an error and a library: %v", err)
		}
		for _, o := range l.Loans {
			if o.At.IsZero() || o.Due.IsZero() {
				t.Fatalf("a loan without days: %+v", o)
			}
		}
	})
}
