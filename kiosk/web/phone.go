package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	bcp47 "golang.org/x/text/language"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// Phones are what the pages for phones on the library's network stand on.
type Phones interface {
	// Addresses are where phones reach this kiosk, as https://kiosk1.lan:8443,
	// the best one first.
	Addresses() []string
	// Root is the certificate (DER) that phones have to trust, and its
	// fingerprint as they show it.
	Root() (der []byte, fingerprint string)
	// Code is a text as the dark dots of a QR code, in rows, without a margin.
	Code(text string) ([][]bool, error)
	// Phones are those that were let in.
	Phones() kiosk.Phones
	// ChangePhones makes of them what next says, one change at a time; an error
	// of next is given back and changes nothing.
	ChangePhones(ctx context.Context, by kiosk.Act, next func(kiosk.Phones) (kiosk.Phones, error)) error
}

// phonePolicy is policy for the phones' pages: they run a decoder of barcodes,
// which is WebAssembly, in a worker, show what they photograph, and can be
// installed.
var phonePolicy = strings.NewReplacer("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "img-src 'self'", "img-src 'self' blob:").
	Replace(policy) + "; worker-src 'self'; manifest-src 'self'"

// phoneHandler is all that is reached from the library's network.
func (s *site) phoneHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/phone/", http.StatusSeeOther))
	mux.HandleFunc("GET /phone/{$}", s.phonePage)
	mux.HandleFunc("GET /phone/sw.js", s.phoneWorker)
	mux.HandleFunc("GET /phone/manifest.webmanifest", s.phoneManifest)
	mux.HandleFunc("GET /phone/ca.crt", s.phoneRoot)
	mux.HandleFunc("GET /static/{version}/", s.asset)
	mux.HandleFunc("GET /phone/state", s.phoneState)
	mux.HandleFunc("POST /phone/language", s.phoneSpeak)
	mux.HandleFunc("POST /phone/pair", s.pairPhone)
	mux.HandleFunc("POST /phone/sign-in", s.phoneSignIn)
	mux.HandleFunc("POST /phone/sign-out", s.phoneSignOut)
	mux.HandleFunc("GET /phone/inventory/{id}", s.phoned(s.phoneInventory))
	mux.HandleFunc("POST /phone/inventory/{id}/hand", s.phoned(s.phoneHand))
	mux.HandleFunc("POST /phone/inventory/{id}/undo", s.phoned(s.phoneUndo))
	mux.HandleFunc("POST /phone/inventory/{id}/photo", s.phoned(s.phonePhoto))
	return guard(s.names.only(http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", phonePolicy)
		w.Header().Set("Permissions-Policy", "camera=(self)")
		mux.ServeHTTP(w, r)
	}))))
}

// phoneHandlerFunc lets somebody of the staff do something on a phone that was let
// in. walker is as whom they walk: it stays the same when they sign in again.
type phoneHandlerFunc func(w http.ResponseWriter, r *http.Request, who kiosk.Member, walker string)

// phoned tells others what they lack: "pair" or "sign-in".
func (s *site) phoned(h phoneHandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, ok := s.phoneOf(r)
		if !ok {
			http.Error(w, "pair", http.StatusUnauthorized)
			return
		}
		who, ok := s.door.in(r, true)
		if !ok || !who.Role.May(kiosk.Helper) {
			http.Error(w, "sign-in", http.StatusUnauthorized)
			return
		}
		if s.Staff.Inventories == nil {
			http.NotFound(w, r)
			return
		}
		h(w, r, who, cmp.Or(clean(who.Name), "staff")+" "+p.Key[:4])
	}
}

// phoneLanguageCookie holds the language that was chosen on a phone.
const phoneLanguageCookie = "carrel-phone-language"

// phoneLanguage is what a phone is spoken to in: what was chosen there, its
// own language, or the library's.
func (s *site) phoneLanguage(r *http.Request) *language {
	if c, err := r.Cookie(phoneLanguageCookie); err == nil {
		if l := s.match(c.Value); l != nil {
			return l
		}
	}
	wants, _, err := bcp47.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err == nil {
		for _, want := range wants[:min(len(wants), 8)] {
			if l := s.match(want.String()); l != nil {
				return l
			}
		}
	}
	return s.langs[0]
}

// phoneSpeak keeps a choice of language.
func (s *site) phoneSpeak(w http.ResponseWriter, r *http.Request) {
	if !takeForm(w, r) {
		return
	}
	if l := s.match(r.PostForm.Get("lang")); l != nil {
		http.SetCookie(w, &http.Cookie{Name: phoneLanguageCookie, Value: l.Tag, Path: "/phone", HttpOnly: true, Secure: true, SameSite: http.SameSiteStrictMode,
			MaxAge: int(phoneYear / time.Second)})
	}
	http.Redirect(w, r, "/phone/", http.StatusSeeOther)
}

// phonePageView is the page: the same for everybody, so that it can be kept.
type phonePageView struct {
	*language
	Version, Name string
	Langs         []*language
	Speaks        string
	Words         string // JSON
	Conditions    []string
}

func (s *site) phonePage(w http.ResponseWriter, r *http.Request) {
	l := s.phoneLanguage(r)
	words := map[string]string{}
	for k, t := range l.Texts {
		if strings.HasPrefix(k, "phone.") {
			words[k] = t
		}
	}
	words["staff.inv.nocode"] = l.T("staff.inv.nocode") // said of what is too long to be kept, too
	j, err := json.Marshal(words)
	if err != nil {
		http.Error(w, "the words can't be read", http.StatusInternalServerError)
		return
	}
	s.show(w, http.StatusOK, "phone", phonePageView{language: l, Version: version, Name: cmp.Or(s.Name, s.Library), Langs: s.langs, Speaks: l.Name,
		Words: string(j), Conditions: walkView{}.Conditions()})
}

// phoneFiles are those that a phone keeps to work without a network, beside
// what it has shown.
var phoneFiles = []string{"icon.svg", "tokens.css", "staff.css", "phone.css", "tunes.js", "phone-store.js", "phone-camera.js", "phone-reader.js", "phone.js",
	"vendor/zxing_reader.js", "vendor/zxing_reader.wasm", "fonts/fonts.css", "fonts/noto-sans-latin-wght-normal.woff2"}

// phoneWorker is the service worker; with each version of the program it is
// another one.
func (s *site) phoneWorker(w http.ResponseWriter, r *http.Request) {
	code, err := fs.ReadFile(assets, "static/phone-sw.js")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	files := []string{"/phone/", "/phone/manifest.webmanifest"}
	for _, f := range phoneFiles {
		files = append(files, "/static/"+version+"/"+f)
	}
	list, err := json.Marshal(files)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	fmt.Fprintf(w, "const version = %q, files = %s;\n%s", version, list, code)
}

// phoneManifest makes the page one that can be installed (W3C Web Application
// Manifest).
func (s *site) phoneManifest(w http.ResponseWriter, r *http.Request) {
	l := s.phoneLanguage(r)
	w.Header().Set("Content-Type", "application/manifest+json")
	json.NewEncoder(w).Encode(map[string]any{ //nolint:errcheck // the browser is gone
		"id": "/phone/", "start_url": "/phone/", "scope": "/phone/", "display": "standalone", "lang": l.Tag, "dir": l.Dir,
		"name": l.T("staff.inv.title") + " · " + cmp.Or(s.Name, s.Library), "short_name": l.T("phone.short"),
		"background_color": string(kiosk.BrandPaper), "theme_color": string(kiosk.HouseOwn),
		"icons": []map[string]string{{"src": "/static/" + version + "/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}},
	})
}

// phoneRoot gives the certificate to trust.
func (s *site) phoneRoot(w http.ResponseWriter, _ *http.Request) {
	der, _ := s.Staff.Phones.Root()
	w.Header().Set("Content-Type", "application/x-x509-ca-cert")
	w.Header().Set("Content-Disposition", `attachment; filename="carrel-kiosk.crt"`)
	w.Write(der) //nolint:errcheck // the browser is gone
}

// answerJSON answers with JSON.
func answerJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the browser is gone
}

// phoneWalk is an inventory as a phone lists it.
type phoneWalk struct {
	ID    kiosk.ID `json:"id"`
	Name  string   `json:"name"`
	Stage string   `json:"stage"` // in words
	Open  bool     `json:"open"`  // it takes scans
}

// phoneState tells a phone what it lacks, or what there is to do.
func (s *site) phoneState(w http.ResponseWriter, r *http.Request) {
	state := struct {
		Version     string      `json:"version"`
		Paired      bool        `json:"paired"`
		Signed      string      `json:"signed"` // as whom; empty: nobody
		Badges      bool        `json:"badges"` // staff has accounts
		Inventories []phoneWalk `json:"inventories"`
	}{Version: version, Inventories: []phoneWalk{}}
	l := s.phoneLanguage(r)
	if _, state.Paired = s.phoneOf(r); !state.Paired {
		answerJSON(w, http.StatusOK, state)
		return
	}
	state.Badges = s.doorView(r.Context()).Badges
	who, ok := s.door.in(r, true)
	if !ok || s.Staff.Inventories == nil {
		answerJSON(w, http.StatusOK, state)
		return
	}
	state.Signed = cmp.Or(clean(who.Name), l.T("staff.shared"))
	list, err := s.Staff.Inventories.List(r.Context())
	if err != nil {
		s.failInventory(w, r, err)
		return
	}
	for _, v := range list {
		if v.Stage != kiosk.Ended {
			state.Inventories = append(state.Inventories, phoneWalk{v.ID, v.Name, l.T("staff.inv.stage." + string(v.Stage)), v.Stage != kiosk.Paused})
		}
	}
	answerJSON(w, http.StatusOK, state)
}

// phoneSignIn lets staff in on a phone that was let in.
func (s *site) phoneSignIn(w http.ResponseWriter, r *http.Request) {
	if !takeForm(w, r) {
		return
	}
	if _, ok := s.phoneOf(r); !ok {
		http.Error(w, "pair", http.StatusUnauthorized)
		return
	}
	l, badge := s.phoneLanguage(r), kiosk.Card(strings.TrimSpace(r.PostForm.Get("badge")))
	a := s.door.try(r.Context(), badge, r.PostForm.Get("password"))
	switch {
	case a.token != "":
		if !s.note(w, r, a.who, "sign-in", "", "") {
			return
		}
		c := s.door.cookie(r, a.token)
		c.Path = "/phone"
		http.SetCookie(w, c)
		w.WriteHeader(http.StatusNoContent)
	case a.err != nil:
		s.Log.Error("web: staff's accounts can't be read", "err", a.err)
		http.Error(w, l.T("staff.ex.failed"), http.StatusInternalServerError)
	case a.early:
		http.Error(w, l.T("staff.door.wait", "time", a.next.In(s.Location).Format(time.TimeOnly)), http.StatusTooManyRequests)
	default:
		if s.note(w, r, s.known(r.Context(), badge), "sign-in.failed", "", "") {
			http.Error(w, l.T("staff.door.wrong"), http.StatusForbidden)
		}
	}
}

func (s *site) phoneSignOut(w http.ResponseWriter, r *http.Request) {
	if who, ok := s.door.in(r, false); ok && s.note(w, r, who, "sign-out", "", "") {
		s.door.out(r)
	}
	c := s.door.cookie(r, "")
	c.Path = "/phone"
	http.SetCookie(w, c)
	w.WriteHeader(http.StatusNoContent)
}

// phoneInventory gives a phone what it takes along.
func (s *site) phoneInventory(w http.ResponseWriter, r *http.Request, _ kiosk.Member, _ string) {
	id, l := kiosk.ID(r.PathValue("id")), s.phoneLanguage(r)
	v, err := s.Staff.Inventories.View(r.Context(), id)
	if err != nil {
		s.failInventory(w, r, err)
		return
	}
	books, all, err := s.Staff.Inventories.Carry(r.Context(), id)
	if err != nil {
		s.failInventory(w, r, err)
		return
	}
	out := struct {
		phoneWalk
		Seen     int             `json:"seen"`
		Expected int             `json:"expected"`
		All      bool            `json:"all"` // Books are all of the range
		Books    []kiosk.Barcode `json:"books"`
		Wanted   []kiosk.Barcode `json:"wanted"`
	}{phoneWalk{id, v.Inventory.Name, l.T("staff.inv.stage." + string(v.Inventory.Stage)), v.Inventory.Stage != kiosk.Paused && v.Inventory.Stage != kiosk.Ended},
		v.Seen, v.Expected, all, make([]kiosk.Barcode, len(books)), []kiosk.Barcode{}}
	for i, b := range books {
		if out.Books[i] = b.Item; b.Wanted {
			out.Wanted = append(out.Wanted, b.Item)
		}
	}
	answerJSON(w, http.StatusOK, out)
}

// Bounds of what a phone hands over at once.
const (
	mostHanded = 200
	maxHanded  = 256 << 10           // bytes
	oldest     = 90 * 24 * time.Hour // of what is handed over
	longestID  = 64
)

// handedScan is what a phone hands over.
type handedScan struct {
	ID   string        `json:"id"`
	Kind string        `json:"kind"` // scan, note, start
	Text string        `json:"text"`
	Item kiosk.Barcode `json:"item"`
	Age  float64       `json:"age"` // ms ago, by the phone's clock, which needs not be right
}

// handedBy reads what a phone hands over; now is the moment of the request. One
// that is no act or too long does not hold up the others: odd says so of it,
// and the phone forgets it.
func handedBy(r io.Reader, now time.Time) (list []inventory.Handed, odd []inventory.Said, err error) {
	var in struct {
		Acts []handedScan `json:"acts"`
	}
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return nil, nil, fmt.Errorf("what is handed over can't be read: %w", err)
	}
	if len(in.Acts) > mostHanded {
		return nil, nil, fmt.Errorf("at most %d are handed over at once", mostHanded)
	}
	kinds := map[string]kiosk.ShelfKind{"scan": kiosk.ShelfScan, "note": kiosk.ShelfNote, "start": kiosk.ShelfStart}
	for _, a := range in.Acts {
		if a.ID == "" || len(a.ID) > longestID {
			return nil, nil, errors.New("something that is handed over has no ID, or one that is too long")
		}
		id, kind, text := kiosk.ID(a.ID), kinds[a.Kind], strings.TrimSpace(a.Text)
		if kind == "" || len(text) > kiosk.MaxCode || len(a.Item) > kiosk.MaxCode {
			odd = append(odd, inventory.Said{Read: id, Why: "no act, or too long", Tone: shelf.Take})
			continue
		}
		age := time.Duration(min(max(a.Age, 0), float64(oldest/time.Millisecond))) * time.Millisecond
		list = append(list, inventory.Handed{ID: id, Kind: kind, At: now.Add(-age), Text: text, Item: a.Item})
	}
	return list, odd, nil
}

// phoneSaid is what is said of a scan, in words.
type phoneSaid struct {
	ID    kiosk.ID      `json:"id"`
	Line  int64         `json:"line,omitempty"`
	Tone  string        `json:"tone"`
	Head  string        `json:"head"`
	Lines []string      `json:"lines"`
	Item  kiosk.Barcode `json:"item,omitempty"`
	Call  string        `json:"call,omitempty"`
	Title string        `json:"title,omitempty"`
}

// phoneHand takes what a phone hands over, and says of each scan what it
// means. What is in said is on disk; refused tells why the rest is not.
func (s *site) phoneHand(w http.ResponseWriter, r *http.Request, _ kiosk.Member, walker string) {
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		http.Error(w, "it can't be read", http.StatusInternalServerError)
		return
	}
	list, odd, err := handedBy(http.MaxBytesReader(w, r.Body, maxHanded), s.Clock())
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		http.Error(w, "it did not come to its end", http.StatusRequestTimeout)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.NewResponseController(w).SetReadDeadline(time.Time{}) //nolint:errcheck // the body is here
	id := kiosk.ID(r.PathValue("id"))
	said, err := s.Staff.Inventories.HandOver(r.Context(), id, walker, list)
	out := struct {
		Said     []phoneSaid `json:"said"`
		Refused  string      `json:"refused,omitempty"`
		Seen     int         `json:"seen"`
		Expected int         `json:"expected"`
	}{Said: []phoneSaid{}}
	code := http.StatusOK
	switch {
	case kiosk.CodeOf(err) == kiosk.CodeInvalid && !errors.Is(err, kiosk.ErrUnknown):
		out.Refused, code = s.phoneLanguage(r).wrong(err), http.StatusConflict
	case err != nil:
		s.failInventory(w, r, err)
		return
	}
	words := walkView{language: s.phoneLanguage(r)}
	for _, x := range append(said, odd...) {
		out.Said = append(out.Said, words.phone(x))
	}
	if v, err := s.Staff.Inventories.View(r.Context(), id); err == nil {
		out.Seen, out.Expected = v.Seen, v.Expected
	}
	answerJSON(w, code, out)
}

// phone is what is said of a scan, as a phone shows it.
func (v walkView) phone(x inventory.Said) phoneSaid {
	p := phoneSaid{ID: x.Read, Line: x.Line, Tone: string(x.Tone), Head: v.Verdict(x), Lines: []string{}, Item: x.Book.Item, Call: x.Book.CallNumber, Title: clean(x.Book.Title)}
	add := func(text string) {
		if text != "" {
			p.Lines = append(p.Lines, text)
		}
	}
	if x.State != "" && x.State != "in place" && x.Location == "" {
		if to := v.Where(x.Place); to != "" {
			add(v.T("staff.inv.belongs") + ": " + to)
		}
	}
	if x.Location != "" {
		add(v.T("staff.inv.belongs") + ": " + x.Location)
	}
	for _, why := range x.Wanted {
		add(why)
	}
	for _, w := range v.Rest(x) {
		add(w)
	}
	for _, b := range x.Left {
		add(v.T("staff.inv.left", "book", cmp.Or(b.CallNumber, string(b.Item))))
	}
	if x.Code != "" {
		add(x.Code)
	}
	return p
}

// phoneUndo takes back a scan that was handed over.
func (s *site) phoneUndo(w http.ResponseWriter, r *http.Request, _ kiosk.Member, walker string) {
	if !takeForm(w, r) {
		return
	}
	err := s.touchInventory(r, kiosk.ID(r.PathValue("id")), "undo", r.PostForm.Get("value"), walker)
	switch {
	case errors.Is(err, errNoTouch):
		http.Error(w, "no such scan", http.StatusBadRequest)
	case err != nil:
		s.failInventory(w, r, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
