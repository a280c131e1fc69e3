package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// Bounds of the files of handheld collectors.
const (
	maxCollected  = 4 << 20          // bytes: a quarter of a million scans
	longestFile   = 60               // letters of its name
	mostCollected = 2                // files that wait to be looked through
	collectedFor  = 15 * time.Minute // how long they do
	loadTime      = 10 * time.Minute // longest time in which one is taken
)

// collected is a file that staff looks through before it is taken.
type collected struct {
	token string
	id    kiosk.ID // of the inventory
	name  string
	data  []byte
	at    time.Time
	busy  bool // somebody takes it
}

// collectedFiles are those that wait, the oldest first.
type collectedFiles struct {
	mu   sync.Mutex
	list []collected
}

// keep keeps a file, and forgets others for it.
func (f *collectedFiles) keep(c collected) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh(c.at)
	f.list = append(f.list[max(0, len(f.list)+1-mostCollected):], c)
}

// fresh forgets what has waited for too long.
func (f *collectedFiles) fresh(now time.Time) {
	f.list = slices.DeleteFunc(f.list, func(c collected) bool { return now.Sub(c.at) > collectedFor })
}

// get finds one.
func (f *collectedFiles) get(token string, id kiosk.ID, now time.Time) (collected, bool) {
	return f.find(token, id, now, false)
}

// claim is get of who takes it; busy: somebody else does already.
func (f *collectedFiles) claim(token string, id kiosk.ID, now time.Time) (collected, bool) {
	return f.find(token, id, now, true)
}

func (f *collectedFiles) find(token string, id kiosk.ID, now time.Time, claim bool) (c collected, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh(now)
	i := slices.IndexFunc(f.list, func(c collected) bool { return c.token == token && c.id == id })
	if i < 0 {
		return c, false
	}
	c = f.list[i]
	f.list[i].busy = c.busy || claim
	return c, true
}

// release has one wait again, of which not all was taken.
func (f *collectedFiles) release(token string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.list {
		if f.list[i].token == token {
			f.list[i].busy = false
		}
	}
}

// drop forgets one.
func (f *collectedFiles) drop(token string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = slices.DeleteFunc(f.list, func(c collected) bool { return c.token == token })
}

// fileView is what the page about a collector's files shows.
type fileView struct {
	shelfView
	inventory.Looked
	Inventory kiosk.Inventory
	Token     string // of a file that waits; empty: none does
	File      string
	Loads     []inventory.Load
}

// mostOdd is how many odd rows the page names.
const mostOdd = 50

// Named are the odd rows that are named.
func (v fileView) Named() []inventory.Odd { return v.Odd[:min(len(v.Odd), mostOdd)] }

// Takes tells whether there is something to take.
func (v fileView) Takes() bool { return v.Scans+v.Shelves > 0 }

// Why is what is odd about a row.
func (v fileView) Why(o inventory.Odd) string {
	if o.Kind == inventory.OddCode {
		return v.T("staff.inv.nocode")
	}
	return v.T("staff.inv.file.odd." + string(o.Kind))
}

// filePage shows the files that were taken, and one that is to be.
func (s *site) filePage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	id, q := kiosk.ID(r.PathValue("id")), r.URL.Query()
	x, r := s.watched(w, r, who)
	v, err := s.fileView(r, id)
	var bad *inventory.Wrong
	if c, ok := s.files.get(q.Get("look"), id, s.Clock()); ok && c.busy {
		x.page.Done = x.page.T("staff.inv.file.busy")
	} else if ok && err == nil {
		v.Token, v.File = c.token, c.name
		v.Looked, err = once(x, r, func(r *http.Request) (inventory.Looked, error) {
			return s.Staff.Inventories.Look(r.Context(), id, bytes.NewReader(c.data))
		})
		if errors.As(err, &bad) {
			x.page.Failed, v.Token, err = x.page.wrong(err), "", nil
		}
	} else if q.Has("look") {
		x.page.Failed = x.page.T("staff.inv.file.gone")
	}
	if x.over(err, again(r)) {
		return
	}
	x.page.fileDid(q)
	v.language, v.zone, v.now = x.page.language, s.Location, s.Clock()
	x.page.File = v
	s.showStaff(w, http.StatusOK, "staff-inventory-file", x.page)
}

// fileDid says what has just been done.
func (p *staffPage) fileDid(q url.Values) {
	n, err := strconv.Atoi(q.Get("n"))
	if err != nil {
		return
	}
	switch q.Get("did") {
	case "load":
		p.Done = p.T("staff.inv.file.done", "n", p.Number(n))
	case "cut":
		p.Failed = p.T("staff.inv.file.cut", "n", p.Number(n))
	case "uncut":
		p.Failed = p.T("staff.inv.file.uncut", "n", p.Number(n))
	case "unload":
		p.Done = p.T("staff.inv.tell.done.takeback", "n", p.Number(n))
	}
}

func (s *site) fileView(r *http.Request, id kiosk.ID) (*fileView, error) {
	now, err := s.Staff.Inventories.View(r.Context(), id)
	if err != nil {
		return nil, err
	}
	loads, err := s.Staff.Inventories.Loads(r.Context(), id)
	return &fileView{Inventory: now.Inventory, Loads: loads}, err
}

// fileAt is the address of the page.
func fileAt(id kiosk.ID, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return "/staff/inventory/" + string(id) + "/file?" + q.Encode()
}

// takeFile takes a file to be looked through: nothing of it is taken yet.
func (s *site) takeFile(w http.ResponseWriter, r *http.Request, _ kiosk.Member) {
	id, l := kiosk.ID(r.PathValue("id")), s.staffLanguage(r)
	name, data, err := upload(w, r)
	_, large := errors.AsType[*http.MaxBytesError](err)
	switch {
	case large || len(data) > maxCollected:
		s.refuse(w, r, http.StatusRequestEntityTooLarge, l.T("staff.inv.file.large", "n", l.Number(maxCollected>>20)))
		return
	case err != nil || len(data) == 0:
		s.refuse(w, r, http.StatusBadRequest, l.T("staff.inv.file.none"))
		return
	}
	if _, err := s.Staff.Inventories.View(r.Context(), id); err != nil {
		s.failInventory(w, r, err)
		return
	}
	c := collected{token: rand.Text(), id: id, name: name, data: data, at: s.Clock()}
	s.files.keep(c)
	http.Redirect(w, r, fileAt(id, "look", c.token), http.StatusSeeOther)
}

// upload reads the file of a form, with its name.
func upload(w http.ResponseWriter, r *http.Request) (name string, data []byte, err error) {
	if err := bounded(w, r, maxCollected); err != nil {
		return "", nil, err
	}
	if err := r.ParseMultipartForm(maxCollected); err != nil {
		return "", nil, err
	}
	defer r.MultipartForm.RemoveAll() //nolint:errcheck // of temporary files
	f, head, err := r.FormFile("file")
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	data, err = io.ReadAll(f)
	name = clean(path.Base(strings.ReplaceAll(head.Filename, `\`, "/")))
	return string([]rune(name)[:min(len([]rune(name)), longestFile)]), data, err
}

// loadFile takes what was looked through. It goes on to its end where the browser
// leaves: a second click on the button is no reason to take half of a file.
func (s *site) loadFile(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if !takeForm(w, r) {
		return
	}
	id, token := kiosk.ID(r.PathValue("id")), r.PostForm.Get("value")
	c, ok := s.files.claim(token, id, s.Clock())
	if !ok || c.busy {
		http.Redirect(w, r, fileAt(id, "look", c.token), http.StatusSeeOther)
		return
	}
	defer s.files.release(token)
	if !s.note(w, r, who, "inventory.load", string(id), c.name) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), loadTime)
	defer cancel()
	x, r := s.watched(w, r.WithContext(ctx), who)
	taken, err := s.Staff.Inventories.Load(r.Context(), id, walker(r, who)+": "+c.name, c.name, bytes.NewReader(c.data))
	did := "load"
	switch _, wrong := errors.AsType[*inventory.Wrong](err); {
	case wrong && taken.Rows == 0:
		x.over(err, "")
		return
	case err != nil:
		s.Log.Error("web: a collector's file was not taken to its end", "inventory", id, "rows", taken.Rows, "err", err)
		did = "cut"
	default:
		s.files.drop(token)
	}
	to := fileAt(id, "did", did, "n", strconv.Itoa(taken.Scans))
	if !x.to(to) {
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

// unloadFile takes all of a file back.
func (s *site) unloadFile(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if !takeForm(w, r) {
		return
	}
	id := kiosk.ID(r.PathValue("id"))
	line, err := strconv.ParseInt(r.PostForm.Get("value"), 10, 64)
	if err != nil || line <= 0 {
		s.failTouch(w, r, errNoTouch)
		return
	}
	if !s.note(w, r, who, "inventory.unload", string(id), r.PostForm.Get("value")) {
		return
	}
	x, r := s.watched(w, r, who)
	n, err := s.Staff.Inventories.Unload(r.Context(), id, walker(r, who), line)
	did := "unload"
	if err != nil && n > 0 {
		s.Log.Error("web: a collector's file was not taken back to its end", "inventory", id, "scans", n, "err", err)
		did, err = "uncut", nil
	}
	if to := fileAt(id, "did", did, "n", strconv.Itoa(n)); !x.over(err, to) {
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}
