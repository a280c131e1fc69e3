package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// rowsOf reads a code a line; one that ends with a ? has a time that can't be
// read.
func rowsOf(file io.Reader) iter.Seq2[inventory.FileRow, error] {
	return func(yield func(inventory.FileRow, error) bool) {
		b, err := io.ReadAll(file)
		if err != nil {
			yield(inventory.FileRow{}, err)
			return
		}
		for i, line := range strings.Fields(string(b)) {
			row := inventory.FileRow{Row: i + 1, Code: line, At: noon}
			if code, odd := strings.CutSuffix(line, "?"); odd {
				row = inventory.FileRow{Row: i + 1, Code: code, Why: "no time"}
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// TestFilePages uploads a collector's file, looks at what it comes to, takes it
// and takes it back.
func TestFilePages(t *testing.T) {
	v, _ := newShelves(t)
	v.Config.File = rowsOf
	if _, _, err := v.Begin(t.Context(), "Upstairs", kiosk.ShelfRange{}); err != nil {
		t.Fatal(err)
	}
	now := noon
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Clock = func() time.Time { return now }
		c.Staff = &Staff{Password: func(p string) bool { return p == right }, Inventories: v}
	})
	_, c := enter(t, h, right)
	send := func(name string, file []byte) *httptest.ResponseRecorder {
		t.Helper()
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		if name != "" {
			f, _ := m.CreateFormFile("file", name)
			f.Write(file)
		}
		m.Close()
		r := httptest.NewRequest("POST", "http://localhost/staff/inventory/v1/file", &b)
		r.Header.Set("Content-Type", m.FormDataContentType())
		r.Header.Set("Sec-Fetch-Dest", "document")
		r.AddCookie(c)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	const at = "/staff/inventory/v1/file"
	post := func(what, value string) *httptest.ResponseRecorder {
		return do(h, "POST", "/staff/inventory/v1/"+what, url.Values{"value": {value}}, c)
	}
	token := func(w *httptest.ResponseRecorder) string {
		t.Helper()
		to, err := url.Parse(w.Header().Get("Location"))
		if w.Code != http.StatusSeeOther || err != nil || to.Path != at {
			t.Fatalf("= %d %s, %s", w.Code, to, w.Body)
		}
		return to.Query().Get("look")
	}
	seen := func() int {
		t.Helper()
		now, err := v.View(t.Context(), "v1")
		if err != nil {
			t.Fatal(err)
		}
		return now.Seen
	}
	shows(t, h, c, at, `enctype="multipart/form-data"`, "one barcode a line")
	shows(t, h, c, "/staff/inventory/v1", `href="`+at+`"`)
	look := token(send(`C:\scans\<a>.txt`, []byte("B01 B02 B02 B03? rubbish B99")))
	shows(t, h, c, at+"?look="+look, "&lt;a&gt;.txt", "<dd>3</dd>", "Take its scans: 5", "Scanned from", "This is no item of this library", "Its time can’t be read", `value="`+look+`"`)
	if n := seen(); n != 0 {
		t.Errorf("%d were taken before they were looked at", n)
	}
	if w := post("load", look); w.Header().Get("Location") != at+"?did=load&n=5" {
		t.Errorf("load = %d %s %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	shows(t, h, c, at+"?did=load&n=5", "Taken: 5", "Files that were taken", "&lt;a&gt;.txt", "Take back")
	if w := post("load", look); !strings.HasSuffix(w.Header().Get("Location"), "?look=") || seen() != 3 {
		t.Errorf("twice = %d %s, %d seen", w.Code, w.Header().Get("Location"), seen())
	}
	shows(t, h, c, at+"?look=", "The file is not here any more")
	loads, err := v.Loads(t.Context(), "v1")
	if err != nil || len(loads) != 1 || loads[0].Scans != 5 {
		t.Fatalf("Loads() = %+v, %v", loads, err)
	}
	line := fmt.Sprint(loads[0].Line)
	for value, code := range map[string]int{"x": 400, "-1": 400, "999": 409, line: 303} {
		if w := post("unload", value); w.Code != code {
			t.Errorf("unload %s = %d %s; want %d", value, w.Code, w.Body, code)
		}
	}
	if n := seen(); n != 0 {
		t.Errorf("%d are seen after all was taken back", n)
	}
	shows(t, h, c, at+"?look="+token(send("b.txt", []byte("% %"))), "Nothing in this file can be taken")
	if w := send("", nil); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `role="alert"`) {
		t.Errorf("no file = %d %s", w.Code, w.Body)
	}
	for _, n := range []int{maxCollected + 1, maxCollected + 100<<10} {
		if w := send("large", make([]byte, n)); w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "4 MB") {
			t.Errorf("%d bytes = %d %s", n, w.Code, w.Body)
		}
	}
	old := token(send("old.txt", []byte("B01")))
	now = now.Add(collectedFor + time.Second)
	shows(t, h, c, at+"?look="+old, "The file is not here any more")
	first := token(send("1.txt", []byte("B01")))
	for range mostCollected {
		old = token(send("2.txt", []byte("B02")))
	}
	shows(t, h, c, at+"?look="+first, "The file is not here any more")
	if err := v.Pause(t.Context(), "v1"); err != nil {
		t.Fatal(err)
	}
	shows(t, h, c, at+"?look="+old, "is paused. Go on with it first.")
	if w := post("load", old); w.Code != http.StatusConflict || seen() != 0 {
		t.Errorf("while it pauses = %d %s", w.Code, w.Body)
	}
}

// TestFileClickedTwice: of two clicks on the button one takes the file, to its end
// even where the browser has left for the answer to the other; a file that was not
// taken to its end waits again.
func TestFileClickedTwice(t *testing.T) {
	v, _ := newShelves(t)
	var busy atomic.Bool
	begun, goOn := make(chan struct{}, 1), make(chan error)
	v.Config.File = func(file io.Reader) iter.Seq2[inventory.FileRow, error] {
		return func(yield func(inventory.FileRow, error) bool) {
			if busy.Swap(true) {
				yield(inventory.FileRow{}, errors.New("it is taken twice"))
				return
			}
			defer busy.Store(false)
			begun <- struct{}{}
			if err := <-goOn; err != nil {
				yield(inventory.FileRow{}, err)
				return
			}
			rowsOf(file)(yield)
		}
	}
	if _, _, err := v.Begin(t.Context(), "", kiosk.ShelfRange{}); err != nil {
		t.Fatal(err)
	}
	s := &site{Config: Config{Clock: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler), Staff: &Staff{Inventories: v}}}
	s.langs, _ = languages(nil)
	s.matcher = matcher(s.langs)
	var err error
	if s.pages, err = templates(); err != nil {
		t.Fatal(err)
	}
	load := func(ctx context.Context) string {
		r := request("POST", "/staff/inventory/v1/load", url.Values{"value": {"t"}}, nil).WithContext(ctx)
		r.SetPathValue("id", "v1")
		w := httptest.NewRecorder()
		s.loadFile(w, r, kiosk.Member{Role: kiosk.Helper})
		return w.Header().Get("Location")
	}
	look := func() string {
		r := request("GET", "/staff/inventory/v1/file?look=t", nil, nil)
		r.SetPathValue("id", "v1")
		w := httptest.NewRecorder()
		s.filePage(w, r, kiosk.Member{Role: kiosk.Helper})
		return w.Body.String()
	}
	s.files.keep(collected{token: "t", id: "v1", name: "f", at: noon, data: []byte("B01 B02")})
	for _, tt := range []struct {
		err  error
		want string
	}{{io.ErrUnexpectedEOF, "?did=cut&n=0"}, {nil, "?did=load&n=2"}} {
		ctx, leave := context.WithCancel(t.Context())
		first := make(chan string)
		go func() { first <- load(ctx) }()
		<-begun
		if to := load(t.Context()); !strings.HasSuffix(to, "?look=t") {
			t.Errorf("the second click leads to %s", to)
		}
		if page := look(); !strings.Contains(page, "is being taken already") {
			t.Errorf("it shows %s", page)
		}
		leave()
		goOn <- tt.err
		if to := <-first; !strings.HasSuffix(to, tt.want) {
			t.Errorf("the first click leads to %s; want %s", to, tt.want)
		}
	}
	if loads, err := v.Loads(t.Context(), "v1"); err != nil || len(loads) != 1 || loads[0].Scans != 2 {
		t.Errorf("Loads() = %+v, %v", loads, err)
	}
	close(goOn)
	if to := load(t.Context()); !strings.HasSuffix(to, "?look=") {
		t.Errorf("a file that was taken leads to %s", to)
	}
}

// halfBack takes a part of a file back.
type halfBack struct{ shelves }

func (halfBack) Unload(context.Context, kiosk.ID, string, int64) (int, error) {
	return 2, errors.New("the disk is full")
}

// TestFileHalfBack: where a part of a file was taken back, nobody says that
// nothing has changed.
func TestFileHalfBack(t *testing.T) {
	v, _ := newShelves(t)
	if _, _, err := v.Begin(t.Context(), "", kiosk.ShelfRange{}); err != nil {
		t.Fatal(err)
	}
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Staff = &Staff{Password: func(p string) bool { return p == right }, Inventories: halfBack{v}}
	})
	_, c := enter(t, h, right)
	w := do(h, "POST", "/staff/inventory/v1/unload", url.Values{"value": {"1"}}, c)
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !strings.HasSuffix(to, "?did=uncut&n=2") {
		t.Fatalf("unload = %d %s %s", w.Code, to, w.Body)
	}
	shows(t, h, c, to, "Taken back: 2. Take it back again")
	en, _ := all(t)
	if text := en.Texts["staff.inv.wrong.disk"]; strings.Contains(text, "Nothing") {
		t.Errorf("what fails in the middle says %s", text)
	}
}

// countedLooks counts how often a file was looked through.
type countedLooks struct {
	shelves
	n *int
}

func (v countedLooks) Look(ctx context.Context, id kiosk.ID, file io.Reader) (inventory.Looked, error) {
	*v.n++
	return v.shelves.Look(ctx, id, file)
}

// TestLookOnce: who has waited for a long file to be looked through is shown what
// it came to, and not made to wait for it a second time.
func TestLookOnce(t *testing.T) {
	v, _ := newShelves(t)
	v.Config.File = rowsOf
	if _, _, err := v.Begin(t.Context(), "", kiosk.ShelfRange{}); err != nil {
		t.Fatal(err)
	}
	n := 0
	s := &site{Config: Config{Clock: func() time.Time { return noon }, Location: time.UTC, Log: slog.New(slog.DiscardHandler), Staff: &Staff{Inventories: countedLooks{v, &n}}}}
	s.langs, _ = languages(nil)
	s.matcher = matcher(s.langs)
	var err error
	if s.pages, err = templates(); err != nil {
		t.Fatal(err)
	}
	show := func(path string) string {
		r := request("GET", path, nil, nil)
		r.SetPathValue("id", "v1")
		w := httptest.NewRecorder()
		s.filePage(w, r, kiosk.Member{Role: kiosk.Helper})
		return w.Body.String()
	}
	s.files.keep(collected{token: "t", id: "v1", name: "f", at: noon, data: bytes.Repeat([]byte("B01\n"), 10_000)})
	const path = "/staff/inventory/v1/file?look=t"
	for i, tt := range []struct {
		path, want string
		looks      int
	}{{path, "url=/staff/inventory/v1/file?look=t&amp;waited=", 1}, {path + "&waited=", "Take its scans: 10,000", 1},
		{path + "&waited=", "url=", 2}} { // loaded anew later: with a word about how far it is
		if page := show(tt.path); !strings.Contains(page, tt.want) || n != tt.looks {
			t.Errorf("%d: %d looks, it shows %s", i, n, page)
		}
	}
	s.brought.take("", noon.Add(broughtFor+time.Second))
	if len(s.brought.list) > 0 {
		t.Error("it is kept for who does not come")
	}
}

// TestFileOfMany: a long file shows how far it is, and is one inventory's.
func TestFileOfMany(t *testing.T) {
	v, _ := newShelves(t)
	v.Config.File = rowsOf
	if _, _, err := v.Begin(t.Context(), "", kiosk.ShelfRange{}); err != nil {
		t.Fatal(err)
	}
	var s site
	s.files.keep(collected{token: "t", id: "v1", name: "f", at: noon, data: bytes.Repeat([]byte("B01\n"), 10_000)})
	ctx := inventory.WithProgress(t.Context(), func(what inventory.Reading, n int) {
		if what != inventory.ReadingFile || n%1000 != 0 {
			t.Errorf("told %s %d", what, n)
		}
	})
	c, ok := s.files.get("t", "v1", noon)
	if look, err := v.Look(ctx, "v1", bytes.NewReader(c.data)); !ok || err != nil || look.Inside != 1 || look.Scans != 10_000 {
		t.Errorf("Look() = %+v, %v", look, err)
	}
	if _, ok := s.files.get("t", "v2", noon); ok {
		t.Error("a file of one inventory is taken for another")
	}
}

// TestWrongHasWords: each page has words for all that can be asked wrongly, with
// the names that it is about.
func TestWrongHasWords(t *testing.T) {
	en, _ := all(t)
	own := []string{"gone", "disk"}
	for what, names := range inventory.Wrongs {
		text, ok := en.Texts["staff.inv.wrong."+what]
		for _, p := range placeholders(text) {
			if !slices.Contains(strings.Fields(names), strings.Trim(p, "{}")) {
				t.Errorf("staff.inv.wrong.%s speaks of %s; it has %s", what, p, names)
			}
		}
		if !ok {
			t.Errorf("staff.inv.wrong.%s is missing", what)
		}
		own = append(own, what)
	}
	for k := range en.Texts {
		if what, ok := strings.CutPrefix(k, "staff.inv.wrong."); ok && !slices.Contains(own, what) {
			t.Errorf("%s is of nothing", k)
		}
	}
}

// TestWrongInTheirLanguage: who reads German reads what is wrong in German.
func TestWrongInTheirLanguage(t *testing.T) {
	v, _ := newShelves(t)
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Languages = []string{"en", "de"}
		c.Staff = &Staff{Password: func(p string) bool { return p == right }, Inventories: v}
	})
	_, c := enter(t, h, right)
	ask := func(method, path string, form url.Values, dest string) *httptest.ResponseRecorder {
		r := request(method, path, form, c)
		r.AddCookie(&http.Cookie{Name: staffLanguageCookie, Value: "de"})
		r.Header.Set("Sec-Fetch-Dest", dest)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	ask("POST", "/staff/inventory", url.Values{"name": {"Oben"}}, "document")
	for _, tt := range []struct {
		method, path string
		form         url.Values
		dest, want   string
		page         bool
	}{
		{"POST", "/staff/inventory", url.Values{"from": {"600"}, "to": {"500"}, "scheme": {"ddc"}}, "document", "Der Bereich ist verkehrt herum: 600 steht hinter 500.", true},
		{"POST", "/staff/inventory", url.Values{"place": {"NOWHERE\x1f"}}, "document", "Kein Buch gehört der Bibliothek NOWHERE.", true},
		{"POST", "/staff/inventory/v1/undo", url.Values{"value": {"7"}}, "empty", "Diesen Scan gibt es nicht", false},
		{"POST", "/staff/inventory/v1/undo", url.Values{"value": {"7"}}, "document", "Diesen Scan gibt es nicht", true},
		{"POST", "/staff/inventory/v1/return", url.Values{"value": {"B01"}}, "document", "B01 wurde in dieser Inventur nicht gescannt.", true},
		{"GET", "/staff/inventory/v9", nil, "document", "Diese Inventur gibt es hier nicht.", true},
		{"GET", "/staff/inventory?left=x&right=B01", nil, "document", "x ist keine Nummer eines Mediums", true},
		{"GET", "/staff/inventory?left=B01&right=B99", nil, "document", "B99 steht nicht im Katalog.", true},
	} {
		w := ask(tt.method, tt.path, tt.form, tt.dest)
		if b := w.Body.String(); !strings.Contains(b, tt.want) || strings.Contains(b, "<nav") != tt.page {
			t.Errorf("%s %s %v = %d %s; want %s", tt.method, tt.path, tt.form, w.Code, b, tt.want)
		}
	}
}
