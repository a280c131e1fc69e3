package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

var day = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// world is a library with 60 books on its stacks, 500 to 559, and some others.
type world struct {
	*Service
	t     *testing.T
	path  string
	store *sqlite.Store
	now   time.Time
	ids   int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "ledger.db"), now: day}
	w.open()
	var items []kiosk.Item
	for i := range 60 {
		items = append(items, book(i))
	}
	special := func(number string, change func(*kiosk.Item)) {
		i := book(0)
		i.Barcode, i.CallNumber = kiosk.Barcode(number), "550.5 X"
		change(&i)
		items = append(items, i)
	}
	special("BRANCH", func(i *kiosk.Item) { i.Library = "BRANCH" })
	special("DISPLAY", func(i *kiosk.Item) { i.Location = "Display" })
	special("FICTION", func(i *kiosk.Item) { i.CallNumber = "FIC ADA" })
	special("ODD", func(i *kiosk.Item) { i.CallNumber = "?" })
	items[7].Status, items[8].Status = kiosk.StatusLost, kiosk.StatusWithdrawn
	if _, err := w.store.PutItems(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.PutLoans(t.Context(), []kiosk.Loan{{Item: number(9), Patron: "P", At: day}}); err != nil {
		t.Fatal(err)
	}
	return w
}

func number(i int) kiosk.Barcode { return kiosk.Barcode(fmt.Sprintf("B%02d", i)) }

func book(i int) kiosk.Item {
	return kiosk.Item{Barcode: number(i), Title: fmt.Sprint("Book ", i), CallNumber: fmt.Sprintf("%d A", 500+i), Scheme: "ddc", Library: "MAIN",
		Location: "Stacks", Status: kiosk.StatusAvailable}
}

// open opens the ledger, as after a restart.
func (w *world) open() {
	w.t.Helper()
	if w.store != nil {
		if err := w.store.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
	var err error
	if w.store, err = sqlite.Open(w.t.Context(), w.path); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.store.Close() })
	order, err := shelf.NewOrder(shelf.Rules{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Service = New(Config{Store: w.store, Order: order, Read: readCode, Now: func() time.Time { w.now = w.now.Add(time.Second); return w.now },
		NewID: func() kiosk.ID { w.ids++; return kiosk.ID(fmt.Sprint("v", w.ids)) }})
}

func readCode(text string) Code {
	if label, ok := strings.CutPrefix(text, "SHELF:"); ok {
		return Code{Shelf: label}
	}
	if text == "" || strings.ContainsAny(text, " %") {
		return Code{Why: "no item's number"}
	}
	number, either := strings.CutSuffix(text, "?")
	return Code{Item: kiosk.Barcode(number), Card: either}
}

func (w *world) begin(r kiosk.ShelfRange) kiosk.ID {
	w.t.Helper()
	v, _, err := w.Begin(w.t.Context(), "", r)
	if err != nil {
		w.t.Fatal(err)
	}
	return v.ID
}

var stacks = kiosk.ShelfRange{Library: "MAIN", Location: "Stacks", Scheme: "ddc", From: "500", To: "599"}

func (w *world) scan(id kiosk.ID, who string, texts ...string) []Said {
	w.t.Helper()
	var reads []Read
	for _, text := range texts {
		reads = append(reads, Read{Text: text})
	}
	said, err := w.Scan(w.t.Context(), id, who, reads...)
	if err != nil {
		w.t.Fatal(err)
	}
	return said
}

func numbers(list ...int) (texts []string) {
	for _, i := range list {
		texts = append(texts, string(number(i)))
	}
	return texts
}

func upTo(from, to int) (list []int) {
	for ; from <= to; from++ {
		list = append(list, from)
	}
	return list
}

// short is what was said in a few words.
func short(said []Said) string {
	var words []string
	for _, x := range said {
		w := string(x.Book.Item)
		if w == "" {
			w = x.Code
		}
		if x.Shelf != "" {
			w += " shelf"
		}
		if x.State != "" && x.State != shelf.InPlace {
			w += " " + string(x.State)
		}
		if x.Place.After != nil || x.Place.Before != nil {
			w += " " + x.Place.After.number() + "|" + x.Place.Before.number()
		}
		for _, f := range x.Found {
			w += " " + string(f)
		}
		if x.Why != "" {
			w += " !"
		}
		words = append(words, w)
	}
	return strings.Join(words, "; ")
}

func rowsOf(rows []Row) string {
	var words []string
	for _, x := range rows {
		words = append(words, string(x.Item))
	}
	return strings.Join(words, " ")
}

func TestSaid(t *testing.T) {
	w := newWorld(t)
	if err := w.Want(t.Context(), "hold", []kiosk.Wanted{{Item: number(4)}}); err != nil {
		t.Fatal(err)
	}
	id := w.begin(stacks)
	for _, tt := range []struct{ text, want string }{
		{"SHELF:12 A", "SHELF:12 A shelf"},
		{"B00", "B00"}, {"B01", "B01"}, {"B40", "B40 ahead 539 A|541 A"}, {"B02", "B02"}, {"B03", "B03"},
		{"B04", "B04 wanted"}, {"B20", "B20"}, {"B06", "B06"}, {"B07", "B07 lost"}, {"B08", "B08 withdrawn"}, {"B09", "B09 on loan"},
		{"B03", "B03 again double"}, {"X1", "X1 foreign unknown"}, {"%C01", "%C01 !"},
		{"BRANCH", "BRANCH foreign 550 A|551 A wrong library"}, {"DISPLAY", "DISPLAY foreign 550 A|551 A wrong location"},
		{"FICTION", "FICTION foreign |500 A outside range"}, {"ODD", "ODD foreign outside range no order"},
		{"B10", "B10"}, {"B10", "B10 again"},
	} {
		if got := short(w.scan(id, "ann", tt.text)); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.text, got, tt.want)
		}
	}
	r, err := w.Report(t.Context(), id, false)
	if err != nil {
		t.Fatal(err)
	}
	if rowsOf(r.Moves) != "B40 B20" || rowsOf(r.Missing) != "B05" || rowsOf(r.Surprises) != "B03 B04 B07 B08 B09 X1 BRANCH DISPLAY FICTION ODD" {
		t.Errorf("moves %s; missing %s; surprises %s", rowsOf(r.Moves), rowsOf(r.Missing), rowsOf(r.Surprises))
	}
	if way := r.Moves[1].Way; way == nil || *way != (Way{From: 5, To: 20, Of: 60}) {
		t.Errorf("B20 goes %+v", way)
	}
	if r.Moves[0].From.Shelf != "12 A" || r.Moves[1].To.After.number() != "519 A" || r.Moves[0].Title != "Book 40" {
		t.Errorf("moves %+v", r.Moves)
	}
}

// TestRestart: whatever the moment, a restart changes nothing of what is known.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	report := func() string {
		r, err := w.Report(t.Context(), id, false)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(r.Seen, r.Scans, r.InPlace, rowsOf(r.Moves), "/", rowsOf(r.Missing), "/", rowsOf(r.Surprises), r.Passes)
	}
	for _, batch := range [][]int{upTo(0, 10), {30}, upTo(12, 20), {25, 21}, upTo(22, 29)} {
		w.scan(id, "ann", numbers(batch...)...)
		w.scan(id, "bob", numbers(50+batch[0]%5)...)
		before := report()
		w.open()
		if after := report(); after != before {
			t.Errorf("after a restart %s; before %s", after, before)
		}
	}
	v, err := w.View(t.Context(), id)
	if err != nil || len(v.Said) != shown || v.Said[0].Book.Item != "B52" && v.Said[0].Book.Item != "B53" {
		t.Errorf("View shows %s, %v", short(v.Said), err)
	}
}

func TestUndo(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	said := w.scan(id, "ann", numbers(0, 1, 40, 2)...)
	w.scan(id, "bob", "B50")
	if n, err := w.Undo(t.Context(), id, "ann", said[2].Line); err != nil || n != said[2].Line {
		t.Fatalf("Undo() = %d, %v", n, err)
	}
	if n, err := w.Undo(t.Context(), id, "ann", 0); err != nil || n != said[3].Line { // the newest of ann's, not of bob's
		t.Fatalf("Undo() = %d, %v; want %d", n, err, said[3].Line)
	}
	for range 2 {
		r, err := w.Report(t.Context(), id, false)
		if err != nil || r.Seen != 3 || len(r.Moves) != 0 {
			t.Errorf("%d seen, moves %v, %v; want 3 and none", r.Seen, r.Moves, err)
		}
		w.open()
	}
	for _, n := range []int64{said[2].Line, 99, -1} {
		if _, err := w.Undo(t.Context(), id, "ann", n); kiosk.CodeOf(err) != kiosk.CodeInvalid {
			t.Errorf("Undo(%d): %v; want invalid", n, err)
		}
	}
	if got := short(w.scan(id, "ann", "B40")); got != "B40 ahead 539 A|541 A" {
		t.Errorf("scanned again: %s", got)
	}
}

func TestStages(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	refused := func(what string, err error) {
		t.Helper()
		if kiosk.CodeOf(err) != kiosk.CodeInvalid {
			t.Errorf("%s: %v; want invalid", what, err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w.scan(id, "ann", numbers(0, 1, 3, 4)...)
	must(w.Pause(t.Context(), id))
	w.open() // days go by
	_, err := w.Scan(t.Context(), id, "ann", Read{Text: "B05"})
	refused("a scan while it pauses", err)
	refused("pausing twice", w.Pause(t.Context(), id))
	must(w.Resume(t.Context(), id))
	refused("resuming twice", w.Resume(t.Context(), id))
	w.scan(id, "ann", numbers(5, 6)...)
	r, err := w.Report(t.Context(), id, false)
	must(err)
	if rowsOf(r.Missing) != "B02" || len(r.Walked) != 2 {
		t.Errorf("missing %s, walked %+v; who goes on after a pause may do so anywhere", rowsOf(r.Missing), r.Walked)
	}
	must(w.Search(t.Context(), id))
	refused("searching twice", w.Search(t.Context(), id))
	for i, said := range w.scan(id, "ann", "B02", "B03", "B02") { // found in the second search
		if want := []shelf.Tone{shelf.Sought, shelf.Twice, shelf.Twice}[i]; said.Tone != want || said.Sought != (i == 0) || i == 0 && said.State != shelf.InPlace {
			t.Errorf("scan %d: %s, %s, sought %v; want %s", i, said.State, said.Tone, said.Sought, want)
		}
	}
	must(w.Pause(t.Context(), id))
	must(w.Resume(t.Context(), id))
	if v, err := w.View(t.Context(), id); err != nil || v.Inventory.Stage != kiosk.Searching {
		t.Errorf("after a pause it is %s, %v; want searching", v.Inventory.Stage, err)
	}
	r, err = w.End(t.Context(), id, false)
	must(err)
	if len(r.Missing) != 0 || len(r.Moves) != 0 || r.Seen != 7 {
		t.Errorf("missing %s, out of order %s, %d seen", rowsOf(r.Missing), rowsOf(r.Moves), r.Seen)
	}
	_, err = w.End(t.Context(), id, false)
	refused("ending twice", err)
	_, err = w.Scan(t.Context(), id, "ann", Read{Text: "B07"})
	refused("a scan after the end", err)
	// What was found stays as it was.
	must2 := func(_ kiosk.Change, err error) { must(err) }
	must2(w.store.PutItems(t.Context(), []kiosk.Item{{Barcode: "NEW", CallNumber: "503.5 A", Scheme: "ddc", Library: "MAIN", Location: "Stacks"}}))
	w.open()
	kept, err := w.Report(t.Context(), id, false)
	must(err)
	if kept.Expected != r.Expected || kept.Inventory.Stage != kiosk.Ended || !kept.At.Equal(r.At) {
		t.Errorf("the report is now %+v; it was %+v", kept, r)
	}
}

func TestRanges(t *testing.T) {
	w := newWorld(t)
	first := w.begin(stacks)
	for _, tt := range []struct {
		name    string
		r       kiosk.ShelfRange
		overlap int
		why     string
	}{
		{"the same", stacks, 1, ""},
		{"a part of it", kiosk.ShelfRange{Library: "MAIN", Scheme: "ddc", From: "510", To: "519"}, 2, ""},
		{"another part", kiosk.ShelfRange{Library: "MAIN", Location: "Stacks", Scheme: "ddc", To: "FIC Z"}, 0, ""},
		{"another library", kiosk.ShelfRange{Library: "BRANCH"}, 0, ""},
		{"reversed", kiosk.ShelfRange{Library: "MAIN", Scheme: "ddc", From: "599", To: "500"}, 0, "reversed"},
		{"no scheme fits", kiosk.ShelfRange{Library: "MAIN", Scheme: "ddc", From: "?!"}, 0, "does not fit ddc"},
		{"empty", kiosk.ShelfRange{Library: "MAIN", Scheme: "ddc", From: "700", To: "799"}, 0, "MAIN / Stacks (62)"},
		{"no such library", kiosk.ShelfRange{Library: "NONE"}, 0, "there are: BRANCH, MAIN"},
	} {
		_, overlap, err := w.Begin(t.Context(), tt.name, tt.r)
		if (err == nil) != (tt.why == "") || err != nil && (!strings.Contains(err.Error(), tt.why) || kiosk.CodeOf(err) != kiosk.CodeInvalid) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.why)
		}
		if len(overlap) != tt.overlap {
			t.Errorf("%s overlaps %+v; want %d", tt.name, overlap, tt.overlap)
		}
	}
	if _, err := w.End(t.Context(), first, false); err != nil {
		t.Fatal(err)
	}
	if _, overlap, err := w.Begin(t.Context(), "", stacks); err != nil || len(overlap) != 2 {
		t.Errorf("what has ended overlaps nothing: %+v, %v", overlap, err)
	}
	if _, err := w.View(t.Context(), "none"); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("View of none: %v; want ErrUnknown", err)
	}
}

// TestOutMeanwhile: what was out while an inventory ran is not missing, also
// if it was lent after the begin and came back before the end.
func TestOutMeanwhile(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	lend := func(items ...kiosk.Barcode) {
		var list []kiosk.Loan
		for _, b := range items {
			list = append(list, kiosk.Loan{Item: b, Patron: "P", At: day})
		}
		l, err := w.store.ListLoans(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Put(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		if _, err := l.End(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	lend(number(9), number(3))
	w.scan(id, "ann", numbers(0, 1, 2, 4, 6, 10)...)
	if r, err := w.Report(t.Context(), id, false); err != nil || rowsOf(r.Missing) != "B05" {
		t.Errorf("missing %s, %v; want B05: B03 was lent, B07 to B09 were out before", rowsOf(r.Missing), err)
	}
	lend() // all comes back
	w.open()
	if r, err := w.Report(t.Context(), id, false); err != nil || rowsOf(r.Missing) != "B05" {
		t.Errorf("missing %s, %v; want B05 still", rowsOf(r.Missing), err)
	}
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	read := func(who string, r Read) string {
		t.Helper()
		said, err := w.Scan(t.Context(), id, who, r)
		if err != nil {
			t.Fatal(err)
		}
		return short(said)
	}
	for _, tt := range []struct {
		name string
		r    Read
		want string
	}{
		{"a tag", Read{Text: "B00", ByTag: true, Tag: "T0", Security: kiosk.Secured}, "B00"},
		{"the same once more", Read{Text: "B00", ByTag: true, Tag: "T0"}, ""},
		{"not secured", Read{Text: "B01", ByTag: true, Tag: "T1", Security: kiosk.Released}, "B01 not secured"},
		{"another tag with a number that was met", Read{Text: "B01", ByTag: true, Tag: "T9"}, "B01 again double"},
		{"parts of a set", Read{Text: "B02", ByTag: true, Tag: "T2", Part: 1}, "B02"},
		{"its second part", Read{Text: "B02", ByTag: true, Tag: "T3", Part: 2}, "B02 again"},
		{"label and tag", Read{Text: "B03", Tag: "T4", TagItem: "B03"}, "B03"},
		{"label and tag disagree", Read{Text: "B04", Tag: "T5", TagItem: "B05"}, "B04 tag differs"},
		{"that tag on its own book", Read{Text: "B05", ByTag: true, Tag: "T5"}, "B05"},
	} {
		if got := read("wand", tt.r); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
	if got := read("bob", Read{Text: "B00", ByTag: true, Tag: "T0"}); got != "B00 again" {
		t.Errorf("on another walk: %s", got)
	}
	if r, _ := w.Report(t.Context(), id, false); r.Passes != [3]int{5, 1, 0} {
		t.Errorf("passes %v", r.Passes)
	}
}

// TestSameCode: one code 500 times is one book.
func TestSameCode(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	w.scan(id, "ann", "B00", "B01")
	for _, x := range w.scan(id, "ann", slices.Repeat([]string{"B02"}, 500)...)[1:] {
		if x.State != shelf.Again || len(x.Found) > 0 {
			t.Fatalf("said %+v", x)
		}
	}
	w.scan(id, "ann", "B03")
	r, err := w.Report(t.Context(), id, false)
	if err != nil || r.Seen != 4 || len(r.Moves)+len(r.Missing)+len(r.Surprises) != 0 || r.Scans != 503 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestNewBook: what comes into the catalogue meanwhile is taken in.
func TestNewBook(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	w.scan(id, "ann", "B00")
	if _, err := w.store.PutItems(t.Context(), []kiosk.Item{{Barcode: "NEW", CallNumber: "500.5 A", Scheme: "ddc", Library: "MAIN", Location: "Stacks"}}); err != nil {
		t.Fatal(err)
	}
	w.scan(id, "ann", "NEW", "B01")
	if r, err := w.Report(t.Context(), id, false); err != nil || r.Seen != 3 || len(r.Surprises) != 0 {
		t.Errorf("%d seen, surprises %s, %v", r.Seen, rowsOf(r.Surprises), err)
	}
}

func TestNeighbours(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		left, right string
		ordered     bool
		why         string
	}{
		{"B01", "B02", true, ""}, {"B02", "B01", false, ""}, {"B01", "B01", true, ""},
		{"B01", "X", false, "X is not in the catalogue"}, {"B01", "DISPLAY", false, "MAIN / Stacks is not MAIN / Display"},
		{"B01", "ODD", true, "does not fit"},
	} {
		p, err := w.Neighbours(t.Context(), tt.left, tt.right)
		if err != nil || p.Ordered != tt.ordered || !strings.Contains(p.Why, tt.why) || (tt.why == "") != (p.Why == "") {
			t.Errorf("Neighbours(%s, %s) = %+v, %v; want %v %q", tt.left, tt.right, p, err, tt.ordered, tt.why)
		}
	}
	if _, err := w.Neighbours(t.Context(), "B01", "SHELF:1"); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("a label: %v; want invalid", err)
	}
}

func TestPicks(t *testing.T) {
	w := newWorld(t)
	for why, items := range map[string][]kiosk.Wanted{
		"hold":    {{Item: number(30), Note: "for the branch"}, {Item: number(9)}, {Item: "DISPLAY"}},
		"weeding": {{Item: number(2)}, {Item: number(30)}, {Item: "GONE"}},
	} {
		if err := w.Want(t.Context(), why, items); err != nil {
			t.Fatal(err)
		}
	}
	show := func(r kiosk.ShelfRange, why string) string {
		picks, err := w.Picks(t.Context(), r, why)
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, p := range picks {
			words = append(words, fmt.Sprintf("%s for %v %s out %v unknown %v", p.Item, p.For, p.Note, p.Out, p.Unknown))
		}
		return strings.Join(words, "\n")
	}
	if got, want := show(stacks, ""), "B02 for [weeding]  out false unknown false\nB09 for [hold]  out true unknown false\nB30 for [hold weeding] for the branch out false unknown false"; got != want {
		t.Errorf("Picks:\n%s; want\n%s", got, want)
	}
	if got := show(kiosk.ShelfRange{}, "weeding"); !strings.HasPrefix(got, "GONE for [weeding]  out false unknown true\nB02") {
		t.Errorf("Picks of weeding:\n%s", got)
	}
}

func TestCSV(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	w.scan(id, "=ann", append(numbers(0, 1, 3, 20, 4, 7), "DISPLAY")...)
	if err := w.Note(t.Context(), id, "ann", "B03", "cover, torn"); err != nil {
		t.Fatal(err)
	}
	r, err := w.Report(t.Context(), id, false)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	want := "problem,barcode,title,call_number,found_after,found_before,shelf,belongs_after,belongs_before,seen_at,seen_by,passes,note,location\r\n" +
		"missing,B02,Book 2,502 A,,,,501 A,503 A,,,,,\r\n" +
		"missing,B05,Book 5,505 A,,,,504 A,506 A,,,,,\r\n" +
		"missing,B06,Book 6,506 A,,,,505 A,510 A,,,,,\r\n" +
		"out of order,B20,Book 20,520 A,503 A,504 A,,519 A,521 A,2026-11-02T09:00:05Z,'=ann,1,,\r\n" +
		"lost,B07,Book 7,507 A,,,,,,2026-11-02T09:00:07Z,'=ann,1,,\r\n" +
		"wrong location,DISPLAY,Book 0,550.5 X,507 A,,,550 A,551 A,2026-11-02T09:00:08Z,'=ann,,,MAIN / Display\r\n" +
		"condition,B03,Book 3,503 A,,,,,,,,1,\"cover, torn\",\r\n"
	if b.String() != want {
		t.Errorf("CSV:\n%s; want\n%s", b.String(), want)
	}
	seen, err := w.Seen(t.Context(), id, false)
	if err != nil || !slices.Equal(seen, []kiosk.Barcode{"B00", "B01", "B03", "B04", "B20"}) {
		t.Errorf("Seen() = %v, %v", seen, err)
	}
}

// TestNext: who waits hears of a scan.
func TestNext(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	v, err := w.View(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan View)
	go func() {
		v, err := w.Next(t.Context(), id, v.Seq)
		if err != nil {
			t.Error(err)
		}
		got <- v
	}()
	w.scan(id, "ann", "B00")
	if v := <-got; v.Seen != 1 || v.Expected != 57 || v.Marks.Of(shelf.MarkPlaced) != 1 || v.Marks.Of(shelf.MarkOut) != 3 || len(v.Said) != 1 {
		t.Errorf("Next() = %+v", v)
	}
}

// TestWeed says of a book that it may go, and why: by its year, by how many
// there are, by its last loan. A list that does not tell the year leaves it.
func TestWeed(t *testing.T) {
	w := newWorld(t)
	w.Weed = shelf.Weeding{Years: 20, Copies: 2}
	old := book(10)
	old.Year, old.ISBN = 1998, "9780306406157"
	other := book(11)
	other.ISBN, other.Year = old.ISBN, 2024
	for _, list := range [][]kiosk.Item{{old, other}, {old}} {
		if _, err := w.store.PutItems(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		old.Year = 0
	}
	id := w.begin(stacks)
	said := w.scan(id, "ann", numbers(10, 11, 12)...)
	want := Weeded{Year: 1998, Copies: 2}
	if x := said[0]; !slices.Contains(x.Found, shelf.Weed) || x.Weed == nil || *x.Weed != want || x.Weed.Words() != "published 1998, copies: 2" {
		t.Errorf("of the old one is said %q, %+v; want that it may go", x.Found, x.Weed)
	}
	if said[1].Weed != nil || said[2].Weed != nil || said[1].Weed.Words() != "" {
		t.Errorf("others may go: %+v, %+v", said[1].Weed, said[2].Weed)
	}
	r, err := w.Report(t.Context(), id, false)
	if err != nil || len(r.Surprises) != 1 || r.Surprises[0].Weed == nil || *r.Surprises[0].Weed != want {
		t.Fatalf("the report has %+v, %v; want the old one", r.Surprises, err)
	}
	var b strings.Builder
	if err := r.WriteCSV(&b); err != nil || !strings.Contains(b.String(), `"weed (published 1998, copies: 2)"`) {
		t.Errorf("the CSV is %q, %v", b.String(), err)
	}
}

// TestWeeds lists what may go before anybody has walked: in shelf order, without
// what is on loan, wanted or given up.
func TestWeeds(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	var bad *Wrong
	if _, err := w.Weeds(ctx, stacks); !errors.As(err, &bad) || bad.What != "norule" {
		t.Errorf("without a rule: %v", err)
	}
	w.Weed = shelf.Weeding{Years: 20}
	var items []kiosk.Item
	for _, i := range []int{30, 7, 8, 9, 10, 12, 20} {
		it := book(i)
		it.Year = 1998
		switch i {
		case 7:
			it.Status = kiosk.StatusLost
		case 8:
			it.Status = kiosk.StatusWithdrawn
		case 20:
			it.Year = 2020
		}
		items = append(items, it)
	}
	if _, err := w.store.PutItems(ctx, items); err != nil {
		t.Fatal(err)
	}
	if err := w.Want(ctx, "hold", []kiosk.Wanted{{Item: number(12)}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		r    kiosk.ShelfRange
		want string
	}{
		{kiosk.ShelfRange{}, "B10 B30"}, {stacks, "B10 B30"}, {kiosk.ShelfRange{Scheme: "ddc", From: "520"}, "B30"}, {kiosk.ShelfRange{Library: "BRANCH"}, ""},
	} {
		picks, err := w.Weeds(ctx, tt.r)
		var got []string
		for _, p := range picks {
			got = append(got, string(p.Item))
			if p.Weed == nil || p.Weed.Year != 1998 || p.Location != "MAIN / Stacks" || p.Out || p.Unknown {
				t.Errorf("%+v", p)
			}
		}
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("Weeds(%+v) = %v, %v; want %s", tt.r, got, err, tt.want)
		}
	}
	if _, err := w.Weeds(ctx, kiosk.ShelfRange{Scheme: "ddc", From: "600", To: "500"}); !errors.As(err, &bad) || bad.What != "reversed" {
		t.Errorf("reversed: %v", err)
	}
}

// TestPlacesNeedNoWords: what there is instead is named without a word of any
// language, for it stands within a sentence of all of them.
func TestPlacesNeedNoWords(t *testing.T) {
	for n, want := range map[int]string{0: "", 2: "A, A", 12: strings.Repeat("A, ", 11) + "A", 13: strings.Repeat("A, ", 12) + "…"} {
		if got := list(slices.Repeat([]string{"A"}, n)); got != want {
			t.Errorf("list of %d = %q; want %q", n, got, want)
		}
	}
	err := (&Service{Config: Config{Store: noItems{}}}).empty(t.Context(), kiosk.ShelfRange{Library: "MAIN"})
	if w, ok := errors.AsType[*Wrong](err); !ok || w.What != "noitems" || len(w.Args) > 0 {
		t.Errorf("of an empty catalogue: %v", err)
	}
}

// noItems is a catalogue without items.
type noItems struct{ catalogue }

type catalogue interface{ kiosk.Inventories }

func (noItems) Places(context.Context) ([]kiosk.Place, error) { return nil, nil }

// TestCardOnAShelf: a number that may be a patron's is a book's if there is one,
// and else is not kept.
func TestCardOnAShelf(t *testing.T) {
	w := newWorld(t)
	id := w.begin(kiosk.ShelfRange{})
	said, err := w.Scan(t.Context(), id, "ann", Read{Text: string(number(1)) + "?"}, Read{Text: "4711?"}, Read{Text: "4711"})
	if err != nil || len(said) != 3 {
		t.Fatalf("Scan() = %+v, %v", said, err)
	}
	if said[0].Why != "" || said[0].Book.Item != number(1) || said[1].Why == "" || said[1].Line != 0 || said[2].Line == 0 {
		t.Errorf("a book, a number of either kind and one of a book are %+v", said)
	}
}
