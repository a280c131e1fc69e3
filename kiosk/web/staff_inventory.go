package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// Inventories are those of the shelves. Their methods are called by several
// goroutines at once.
type Inventories interface {
	List(ctx context.Context) ([]kiosk.Inventory, error)
	Places(ctx context.Context) ([]kiosk.Place, error)
	Begin(ctx context.Context, name string, r kiosk.ShelfRange) (kiosk.Inventory, []kiosk.Inventory, error)
	View(ctx context.Context, id kiosk.ID) (inventory.View, error)
	// Next waits for a view with a Seq greater than seq.
	Next(ctx context.Context, id kiosk.ID, seq uint64) (inventory.View, error)
	Scan(ctx context.Context, id kiosk.ID, who string, reads ...inventory.Read) ([]inventory.Said, error)
	HandOver(ctx context.Context, id kiosk.ID, who string, list []inventory.Handed) ([]inventory.Said, error)
	Carry(ctx context.Context, id kiosk.ID) (list []inventory.Carried, all bool, err error)
	TakePhoto(ctx context.Context, id kiosk.ID, p kiosk.ShelfPhoto, picture inventory.Picture) error
	DropPhoto(ctx context.Context, id, photo kiosk.ID) error
	Photo(ctx context.Context, id, photo kiosk.ID) ([]byte, error)
	Start(ctx context.Context, id kiosk.ID, who string, loose int) error
	Undo(ctx context.Context, id kiosk.ID, who string, line int64) (int64, error)
	Note(ctx context.Context, id kiosk.ID, who string, item kiosk.Barcode, text string) error
	Pause(ctx context.Context, id kiosk.ID) error
	Resume(ctx context.Context, id kiosk.ID) error
	Search(ctx context.Context, id kiosk.ID) error
	End(ctx context.Context, id kiosk.ID, whole bool) (inventory.Report, error)
	Report(ctx context.Context, id kiosk.ID, whole bool) (inventory.Report, error)
	Picks(ctx context.Context, r kiosk.ShelfRange, why string) ([]inventory.Pick, error)
	Weeds(ctx context.Context, r kiosk.ShelfRange) ([]inventory.Pick, error)
	Schemes() []string
	Return(ctx context.Context, id kiosk.ID, who string, item kiosk.Barcode) error
	Changes(ctx context.Context, id kiosk.ID) ([]inventory.Change, error)
	Outgoing(ctx context.Context, id kiosk.ID, most int) (inventory.Outgoing, error)
	Plan(ctx context.Context, id kiosk.ID, who string, what inventory.What) (int, error)
	TakeBack(ctx context.Context, id kiosk.ID, who string, what inventory.What) (int, error)
	Seen(ctx context.Context, id kiosk.ID, all bool) ([]kiosk.Barcode, error)
	Send(ctx context.Context, id kiosk.ID, who string) (int, error)
	Neighbours(ctx context.Context, left, right string) (inventory.Pair, error)
	Look(ctx context.Context, id kiosk.ID, file io.Reader) (inventory.Looked, error)
	Load(ctx context.Context, id kiosk.ID, who, name string, file io.Reader) (inventory.Taken, error)
	Loads(ctx context.Context, id kiosk.ID) ([]inventory.Load, error)
	Unload(ctx context.Context, id kiosk.ID, who string, line int64) (n int, err error)
	// Hold has the kiosk's own scanner and pad scan for an inventory, or goes
	// on with it; who does not call it for 20 s has given them back.
	Hold(id kiosk.ID) error
	// Elsewhere says of scanner and pad that go on with it that they do so
	// elsewhere.
	Elsewhere(ctx context.Context, id kiosk.ID) error
}

// shelfView is what the pages of the inventories show.
type shelfView struct {
	*language
	zone    *time.Location
	now     time.Time
	List    []kiosk.Inventory
	Places  []kiosk.Place
	Known   []string         // schemes of call numbers
	Form    kiosk.ShelfRange // what was asked for and refused
	Name    string           // the same
	Pair    *inventory.Pair
	Left    string // the book on the left that waits for its neighbour
	Now     *walkView
	Report  *inventory.Report
	Picks   []inventory.Pick
	Weeds   bool               // Picks are those that may go
	Changes []inventory.Change // for the library's system
}

// walkView is an inventory under way, with words.
type walkView struct {
	inventory.View
	*language
	Held bool       // the kiosk's own scanner scans for it
	Busy bool       // it can't: a patron or somebody else has it
	Tone shelf.Tone // the most urgent of what is new
	Mine string     // who looks at it
}

// inventoryTime is the longest wait for a page of an inventory: a large one is
// read anew after a restart.
const inventoryTime = 8 * settleTime

// Newest is what was said last; nil: nothing was.
func (v walkView) Newest() *inventory.Said {
	if len(v.Said) == 0 {
		return nil
	}
	return &v.Said[0]
}

// HeldWord tells a touch that it is about the kiosk's own scanner, too.
func (v walkView) HeldWord() string {
	if v.Held {
		return "held"
	}
	return ""
}

// Colour is that of the stage.
func (v walkView) Colour() string {
	switch v.Tone {
	case shelf.Good, shelf.Sought:
		return "good"
	case shelf.Elsewhere:
		return "ask"
	case shelf.Take:
		return "bad"
	}
	return "calm"
}

// Head is what to do with the book that was scanned last, in a few words.
func (v walkView) Head() string {
	n := v.Newest()
	switch {
	case v.Inventory.Stage == kiosk.Paused:
		return v.T("staff.inv.stage.paused")
	case v.Inventory.Stage == kiosk.Ended:
		return v.T("staff.inv.stage.ended")
	case n == nil:
		return v.T("staff.inv.first")
	}
	return v.Verdict(*n)
}

// When is a moment in the library's zone.
func (v shelfView) When(t time.Time) string { return v.moment(t, v.now, v.zone) }

// pickable is one of a list that a form offers.
type pickable struct {
	Value, Text string
	Chosen      bool
}

// Choices are the parts of the library that can be gone through.
func (v shelfView) Choices() []pickable {
	list := []pickable{{"\x1f", v.T("staff.inv.everywhere"), v.Form.Library == ""}}
	for i, p := range v.Places {
		if i == 0 || p.Library != v.Places[i-1].Library {
			list = append(list, pickable{p.Library + "\x1f", p.Library, p.Library == v.Form.Library && v.Form.Location == ""})
		}
		list = append(list, pickable{p.Library + "\x1f" + p.Location, p.Library + " / " + p.Location + " (" + v.Number(p.Items) + ")",
			p.Library == v.Form.Library && p.Location == v.Form.Location && p.Location != ""})
	}
	return list
}

// Schemes are those of call numbers.
func (v shelfView) Schemes() []pickable {
	list := []pickable{{"", v.T("staff.inv.scheme.usual"), v.Form.Scheme == ""}}
	for _, name := range v.Known {
		list = append(list, pickable{name, name, name == v.Form.Scheme})
	}
	return list
}

// Returnable tells whether a book of a row may be returned from here.
func (v shelfView) Returnable(x inventory.Row) bool {
	return slices.Contains(x.Found, shelf.OnLoan) && !slices.ContainsFunc(v.Changes, func(c inventory.Change) bool { return c.Book.Item == x.Item })
}

// Returned says of a book that was met although it is on loan how far its
// return is; empty: none is planned.
func (v shelfView) Returned(x inventory.Row) string {
	i := slices.IndexFunc(v.Changes, func(c inventory.Change) bool { return c.Book.Item == x.Item })
	switch {
	case i < 0 || !slices.Contains(x.Found, shelf.OnLoan):
		return ""
	case v.Changes[i].Sent:
		return v.T("staff.inv.sent")
	}
	return v.T("staff.inv.planned")
}

// Stage is a stage's word.
func (v shelfView) Stage(s kiosk.InventoryStage) string { return v.T("staff.inv.stage." + string(s)) }

// Keys are the marks of the picture with their words and counts, for a key
// that needs no colours.
func (v walkView) Keys() (list []struct {
	Mark, Word string
	N          int
}) {
	for m := shelf.MarkPlaced; m <= shelf.MarkMissing; m++ {
		list = append(list, struct {
			Mark, Word string
			N          int
		}{m.String(), v.T("staff.inv.mark." + m.String()), v.Marks.Of(m)})
	}
	return list
}

// Piece is a piece of the whole range: its most telling mark.
func (v walkView) Piece(b shelf.Bucket) string {
	for _, m := range []shelf.Mark{shelf.MarkTake, shelf.MarkAway, shelf.MarkMissing, shelf.MarkPlaced, shelf.MarkUnseen} {
		if b.Of(m) > 0 {
			return m.String()
		}
	}
	return shelf.MarkOut.String()
}

// Percent is how much of the range was met.
func (v walkView) Percent() int {
	if v.Expected == 0 {
		return 0
	}
	return min(100, v.Seen*100/v.Expected)
}

// Digit is the key of a choice, the first is 1.
func (v walkView) Digit(i int) int { return i + 1 }

// Conditions can be noted by a touch.
func (v walkView) Conditions() []string { return []string{"damaged", "cover", "label"} }

// walker is who scans in this browser: two browsers of one person are two
// walks.
func walker(r *http.Request, who kiosk.Member) string {
	name := clean(who.Name)
	if name == "" {
		name = "staff"
	}
	if c, err := r.Cookie(staffCookie); err == nil {
		d := sha256.Sum256([]byte(c.Value))
		name += " " + hex.EncodeToString(d[:2])
	}
	return name
}

// shelved lets a handler answer where there are inventories.
func (s *site) shelved(h staffHandler) staffHandler { return s.shelvedFor(inventoryTime, h) }

// shelvedFor is shelved of what may take so long, and of what is to be said of it
// then.
func (s *site) shelvedFor(longest time.Duration, h staffHandler) staffHandler {
	return func(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
		if s.Staff.Inventories == nil {
			http.NotFound(w, r)
			return
		}
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(max(answerTime, longest+patience))) //nolint:errcheck // a test's recorder has none
		ctx, cancel := context.WithTimeout(r.Context(), longest)
		defer cancel()
		h(w, r.WithContext(ctx), who)
	}
}

// inventoriesPage lists them, and begins one.
func (s *site) inventoriesPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	s.showInventories(w, r, who, http.StatusOK, shelfView{}, "")
}

func (s *site) showInventories(w http.ResponseWriter, r *http.Request, who kiosk.Member, code int, v shelfView, failed string) {
	p := s.staffPage(r, who)
	p.Failed = failed
	var err1, err2 error
	v.language, v.zone, v.now, v.Known = p.language, s.Location, s.Clock(), s.Staff.Inventories.Schemes()
	v.List, err1 = s.Staff.Inventories.List(r.Context())
	v.Places, err2 = s.Staff.Inventories.Places(r.Context())
	if err := errors.Join(err1, err2); err != nil {
		s.failInventory(w, r, err)
		return
	}
	if q := r.URL.Query(); q.Get("left") != "" && q.Get("right") != "" {
		pair, err := s.Staff.Inventories.Neighbours(r.Context(), q.Get("left"), q.Get("right"))
		if err != nil {
			p.Failed, v.Left = p.wrong(err), q.Get("left")
		} else {
			v.Pair, v.Left = &pair, string(pair.Right.Item)
		}
	}
	p.Shelf = v
	s.showStaff(w, code, "staff-inventories", p)
}

// beginInventory begins one and leads to it.
func (s *site) beginInventory(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if !takeForm(w, r) {
		return
	}
	f := r.PostForm
	g := kiosk.ShelfRange{From: strings.TrimSpace(f.Get("from")), To: strings.TrimSpace(f.Get("to")), Scheme: f.Get("scheme")}
	g.Library, g.Location, _ = strings.Cut(f.Get("place"), "\x1f")
	if !s.note(w, r, who, "inventory.begin", strings.Join([]string{g.Library, g.Location, g.From, g.To}, " / "), "") {
		return
	}
	x, r := s.watched(w, r, who)
	v, overlap, err := s.Staff.Inventories.Begin(r.Context(), f.Get("name"), g)
	switch {
	case err != nil && x.failed(err):
	case kiosk.CodeOf(err) == kiosk.CodeInvalid:
		s.showInventories(w, r, who, http.StatusUnprocessableEntity, shelfView{Form: g, Name: f.Get("name")}, s.staffLanguage(r).wrong(err))
	case err != nil:
		s.failInventory(w, r, err)
	default:
		to := "/staff/inventory/" + string(v.ID)
		if len(overlap) > 0 {
			to += "?overlap=" + strconv.Itoa(len(overlap))
		}
		if !x.to(to) {
			http.Redirect(w, r, to, http.StatusSeeOther)
		}
	}
}

// inventoryPage shows one under way.
func (s *site) inventoryPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	id := kiosk.ID(r.PathValue("id"))
	x, r := s.watched(w, r, who)
	v, err := s.Staff.Inventories.View(r.Context(), id)
	if x.over(err, r.URL.RequestURI()) {
		return
	}
	p := x.page
	p.Shelf = shelfView{language: p.language, zone: s.Location, now: s.Clock(), Now: &walkView{View: v, language: p.language, Held: r.URL.Query().Has("held"), Mine: walker(r, who)}}
	if r.URL.Query().Has("overlap") {
		p.Failed = p.T("staff.inv.overlap", "names", strings.Join(s.overlapping(r.Context(), v.Inventory), ", "))
	}
	s.showStaff(w, http.StatusOK, "staff-inventory", p)
}

// overlapping names the other inventories that go on.
func (s *site) overlapping(ctx context.Context, v kiosk.Inventory) (names []string) {
	list, err := s.Staff.Inventories.List(ctx)
	if err != nil {
		return nil
	}
	for _, o := range list {
		if o.ID != v.ID && o.Stage != kiosk.Ended && (o.Range.Library == v.Range.Library || o.Range.Library == "" || v.Range.Library == "") {
			names = append(names, o.Name)
		}
	}
	return names
}

// inventoryStream sends one under way as it is. held: the kiosk's scanner and
// pad scan for it while this page is open.
func (s *site) inventoryStream(w http.ResponseWriter, r *http.Request) {
	l, id, there := s.staffLanguage(r), kiosk.ID(r.PathValue("id")), s.Staff.Inventories != nil
	held := r.URL.Query().Has("held")
	v := walkView{language: l, Held: held}
	if there {
		var err error
		if v.View, err = s.Staff.Inventories.View(r.Context(), id); err != nil {
			s.failInventory(w, r, err)
			return
		}
	}
	s.staffStream(w, r, kiosk.Helper, there, func(who kiosk.Member) (string, error) {
		if held {
			v.Busy = s.Staff.Inventories.Hold(id) != nil
		}
		v.Mine = walker(r, who)
		var b strings.Builder
		err := s.pages.ExecuteTemplate(&b, "walk", &v)
		return b.String(), err
	}, func(ctx context.Context) {
		next, err := s.Staff.Inventories.Next(ctx, id, v.Seq)
		if err != nil {
			return // its beat
		}
		if next.Heard != v.Heard {
			v.Tone = worst(next.Said, next.Heard-v.Heard)
			s.door.in(r, true)
		}
		v.View = next
	})
}

// worst is the most urgent tone of the newest that was said.
func worst(said []inventory.Said, newest int) (t shelf.Tone) {
	order := []shelf.Tone{shelf.Twice, shelf.Good, shelf.Sought, shelf.Elsewhere, shelf.Take}
	for _, x := range said[:min(len(said), newest)] {
		if slices.Index(order, x.Tone) > slices.Index(order, t) {
			t = x.Tone
		}
	}
	return t
}

// inventoryTouch does what staff does on the page.
func (s *site) inventoryTouch(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if !takeForm(w, r) {
		return
	}
	id, what, value := kiosk.ID(r.PathValue("id")), r.PathValue("what"), strings.TrimSpace(r.PostForm.Get("value"))
	if need := map[string]kiosk.Role{"search": kiosk.Librarian, "end": kiosk.Librarian, "return": kiosk.Librarian, "unphoto": kiosk.Librarian}[what]; need != "" && !who.Role.May(need) {
		s.notYours(w, r, who)
		return
	}
	switch what {
	case "pause", "resume", "search", "end", "return", "unphoto":
		if !s.note(w, r, who, "inventory."+what, string(id), value) {
			return
		}
	}
	err := s.touchInventory(r, id, what, value, walker(r, who))
	switch {
	case err != nil:
		s.failTouch(w, r, err)
	case what == "end", what == "return", what == "unphoto":
		http.Redirect(w, r, "/staff/inventory/"+string(id)+"/report", http.StatusSeeOther)
	case document(r):
		http.Redirect(w, r, "/staff/inventory/"+string(id), http.StatusSeeOther) // a form without script
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

var errNoTouch = errors.New("no such touch")

func (s *site) touchInventory(r *http.Request, id kiosk.ID, what, value, who string) error {
	v, ctx := s.Staff.Inventories, r.Context()
	switch what {
	case "scan":
		_, err := v.Scan(ctx, id, who, inventory.Read{Text: value})
		return err
	case "elsewhere":
		if value == "held" {
			if err := v.Elsewhere(ctx, id); err != nil {
				return err
			}
		}
		return v.Start(ctx, id, who, 0)
	case "return":
		return v.Return(ctx, id, who, kiosk.Barcode(value))
	case "undo":
		line, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return errNoTouch
		}
		_, err = v.Undo(ctx, id, who, line)
		return err
	case "unphoto":
		return v.DropPhoto(ctx, id, kiosk.ID(value))
	case "note":
		item, text, ok := strings.Cut(value, " ")
		if !ok {
			return errNoTouch
		}
		return v.Note(ctx, id, who, kiosk.Barcode(item), text)
	case "pause":
		return v.Pause(ctx, id)
	case "resume":
		return v.Resume(ctx, id)
	case "search":
		return v.Search(ctx, id)
	case "end":
		_, err := v.End(ctx, id, r.PostForm.Get("whole") != "")
		return err
	}
	return errNoTouch
}

// inventoryReport shows what one has found.
func (s *site) inventoryReport(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	x, r := s.watched(w, r, who)
	rep, err := s.Staff.Inventories.Report(r.Context(), kiosk.ID(r.PathValue("id")), r.URL.Query().Has("whole"))
	var changes []inventory.Change
	if err == nil {
		changes, err = s.Staff.Inventories.Changes(r.Context(), rep.Inventory.ID)
	}
	if x.over(err, again(r)) {
		return
	}
	p := x.page
	p.Shelf = shelfView{language: p.language, zone: s.Location, now: s.Clock(), Report: &rep, Changes: changes}
	s.showStaff(w, http.StatusOK, "staff-inventory-report", p)
}

// inventoryCSV gives it as a file.
func (s *site) inventoryCSV(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	rep, err := s.Staff.Inventories.Report(r.Context(), kiosk.ID(r.PathValue("id")), r.URL.Query().Has("whole"))
	if err != nil {
		s.failInventory(w, r, err)
		return
	}
	s.csvFile(w, "inventory")
	if err := rep.WriteCSV(w); err != nil {
		s.Log.Warn("web: inventory as CSV", "err", err) // the browser is gone
	}
}
