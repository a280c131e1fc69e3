package web

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Staff is what the pages for staff stand on.
type Staff struct {
	// Password tells whether the password that all of the staff share is right;
	// nil: there is none. It may take a second of computing.
	Password func(string) bool
	// Accounts are staff's own; nil: there are none. Without a password and an
	// account the pages only say how to set one.
	Accounts Accounts
	// Badges come from the kiosk's scanner to the door on its own display; nil:
	// there is no scanner.
	Badges *Badges
	// Audit keeps what staff does; nil: it is only logged.
	Audit Audit
	// Now tells how the kiosk is; nil: nobody can.
	Now func(context.Context) (Now, error)
	// Figures counts by hour what happened from one day on and before another,
	// both 00:00 in the library's zone; nil: nobody does.
	Figures func(ctx context.Context, since, until time.Time) ([]kiosk.Count, error)
	// Board is what staff puts up for patrons; nil: there is none.
	Board Boards
	// Brand is how the library wants the kiosk to look; nil: as it comes.
	Brand Brands
	// Directory looks up patrons and items; nil: nobody can.
	Directory Directory
	// Station prepares materials; nil: there is no pad.
	Station Station
	// Exceptions are what staff must settle; nil: there is no upstream.
	Exceptions Exceptions
	// Strange is what the library's system has said and nobody has words for;
	// nil: there is no such system.
	Strange Strange
	// Rescues tell what became of a damaged ledger; nil: nobody knows.
	Rescues Rescues
	// Inventories are those of the shelves; nil: there are none.
	Inventories Inventories
	// Phones are let in for inventories; nil: the kiosk is not on the library's
	// network.
	Phones Phones
	// Clock is for sessions; nil means time.Now.
	Clock func() time.Time

	receipts bool // there is a preview of them
}

// Accounts are those of the staff.
type Accounts interface {
	// Enter finds whose badge and PIN or password these are; false: nobody's.
	// It takes as long for a badge that is nobody's.
	Enter(ctx context.Context, badge kiosk.Card, secret string) (kiosk.Member, bool, error)
	// Member finds who signs in with a badge; kiosk.ErrUnknown if nobody does.
	Member(ctx context.Context, badge kiosk.Card) (kiosk.Member, error)
	Members(ctx context.Context) ([]kiosk.Member, error)
}

// Audit is the log of what staff does. It only grows.
type Audit interface {
	// Note returns when the act is on disk. A zero At is now.
	Note(ctx context.Context, a kiosk.Act) error
	// Acts gives the newest first.
	Acts(ctx context.Context, f kiosk.ActFilter) ([]kiosk.Act, error)
}

// Station is where staff prepares materials. Its methods are called by several
// goroutines at once.
type Station interface {
	// Hold takes pad and scanner from the desk, or keeps them; who does not
	// call it for 20 s has given them back. ErrDeskBusy while a patron is there.
	Hold() error
	Release()
	View() StationView
	// Next waits for a view with a Seq greater than seq.
	Next(ctx context.Context, seq uint64) (StationView, error)
	// Tell passes on what staff does: what, and what it is about.
	Tell(ctx context.Context, what, value string) error
}

// staffLink is one of the pages for staff, as the list of them has it.
type staffLink struct {
	Here string // its name
	Path string
	Word string // the key of its title
	need kiosk.Role
	// there tells whether this kiosk has it; nil: always
	there func(*Staff) bool
}

// staffLinks lists the pages in the order in which they are offered; who signs
// in comes to the first one.
var staffLinks = []staffLink{
	{"now", "/staff/now", "staff.now.title", kiosk.Helper, func(s *Staff) bool { return s.Now != nil }},
	{"today", "/staff/today", "staff.today.title", kiosk.Helper, func(s *Staff) bool { return s.Figures != nil }},
	{"tags", "/staff/tags", "staff.tags.title", kiosk.Helper, nil},
	{"inventory", "/staff/inventory", "staff.inv.title", kiosk.Helper, func(s *Staff) bool { return s.Inventories != nil }},
	{"phones", "/staff/phones", "staff.phones.title", kiosk.Librarian, func(s *Staff) bool { return s.Phones != nil && s.Inventories != nil }},
	{"look", "/staff/look", "staff.look.title", kiosk.Librarian, func(s *Staff) bool { return s.Directory != nil }},
	{"exceptions", "/staff/exceptions", "staff.ex.title", kiosk.Librarian, nil},
	{"board", "/staff/board", "staff.board.title", kiosk.Librarian, func(s *Staff) bool { return s.Board != nil }},
	{"brand", "/staff/brand", "staff.brand.title", kiosk.Manager, func(s *Staff) bool { return s.Brand != nil }},
	{"receipts", "/staff/receipts", "staff.receipts.title", kiosk.Manager, func(s *Staff) bool { return s.receipts }},
	{"log", "/staff/log", "staff.log.title", kiosk.Manager, func(s *Staff) bool { return s.Audit != nil }},
}

// staffPage is what the pages for staff show.
type staffPage struct {
	*language
	Version string
	Name    string // the kiosk's
	Back    string // the page itself
	Speaks  string // the name of the language
	Langs   []*language
	Who     kiosk.Member
	Nav     []staffLink
	Failed  string    // why it did not work
	From    staffLink // the page on which it did not; empty: none of the list
	Done    string    // what has just been done

	Door       doorView
	Now        *nowView
	Today      *todayView
	Board      *boardPage
	Brand      *brandPage
	Look       *lookView
	Station    *stationView
	Count      int // of exceptions
	Exceptions []exceptionView
	Strange    []strangeView
	Until      string // when the newest of them was said
	Rescue     *rescueView
	Log        logView
	Shelf      shelfView
	Outgoing   *outgoingView
	File       *fileView
	Receipts   *receiptsView
	Phones     *phonesView
}

func (s *site) staffPage(r *http.Request, who kiosk.Member) staffPage {
	l := s.staffLanguage(r)
	p := staffPage{language: l, Version: version, Name: cmp.Or(s.Name, s.Library), Back: r.URL.Path, Speaks: l.Name, Langs: s.langs, Who: who}
	for _, link := range staffLinks {
		if who.Role.May(link.need) && (link.there == nil || link.there(s.Staff)) {
			p.Nav = append(p.Nav, link)
		}
	}
	return p
}

// Signed is who is signed in, for showing.
func (p staffPage) Signed() string {
	return cmp.Or(clean(p.Who.Name), p.T("staff.shared"))
}

// staffRoutes adds the pages for staff.
func (s *site) staffRoutes(mux *http.ServeMux) {
	if s.Staff == nil {
		s.Staff = &Staff{}
	}
	s.door = newDoor(s.Staff)
	if s.Receipts != nil {
		s.Staff.receipts = true
		mux.HandleFunc("GET /staff/receipts", s.staffed(kiosk.Manager, s.receiptsPage))
		mux.HandleFunc("POST /staff/receipts/{what}", s.staffed(kiosk.Manager, s.receiptsPut))
	}
	mux.HandleFunc("GET /staff", s.staffDoor)
	mux.HandleFunc("GET /staff/badge", s.badgeStream)
	mux.HandleFunc("POST /staff/sign-in", s.signIn)
	mux.HandleFunc("POST /staff/sign-out", s.signOut)
	mux.HandleFunc("POST /staff/language", s.chooseStaffLanguage)
	mux.HandleFunc("GET /staff/now", s.staffed(kiosk.Helper, s.nowPage))
	mux.HandleFunc("GET /staff/now/stream", s.nowStream)
	mux.HandleFunc("GET /staff/today", s.staffed(kiosk.Helper, s.todayPage))
	mux.HandleFunc("GET /staff/figures.csv", s.staffed(kiosk.Helper, s.todayCSV))
	mux.HandleFunc("GET /staff/board", s.staffed(kiosk.Librarian, s.boardShow))
	mux.HandleFunc("POST /staff/board/{what}", s.staffed(kiosk.Librarian, s.boardPut))
	mux.HandleFunc("GET /staff/look", s.staffed(kiosk.Librarian, s.lookPage))
	mux.HandleFunc("POST /staff/look/lend", s.staffed(kiosk.Librarian, s.lend))
	mux.HandleFunc("POST /staff/look/back", s.staffed(kiosk.Librarian, s.takeBack))
	mux.HandleFunc("GET /brand.css", s.brandCSS)
	mux.HandleFunc("GET /brand/logo.png", s.logo)
	mux.HandleFunc("GET /staff/brand", s.staffed(kiosk.Manager, s.brandShow))
	mux.HandleFunc("POST /staff/brand/{what}", s.staffed(kiosk.Manager, s.brandPut))
	mux.HandleFunc("GET /staff/exceptions", s.staffed(kiosk.Librarian, s.exceptionsPage))
	mux.HandleFunc("POST /staff/exceptions/{id}", s.staffed(kiosk.Librarian, s.resolve))
	mux.HandleFunc("POST /staff/help/{what}", s.staffed(kiosk.Helper, s.helpAct))
	mux.HandleFunc("GET /staff/rescue", s.staffed(kiosk.Librarian, s.rescuePage))
	mux.HandleFunc("POST /staff/rescue/seen", s.staffed(kiosk.Librarian, s.readRescue))
	mux.HandleFunc("POST /staff/strange/read", s.staffed(kiosk.Librarian, s.readStrange))
	mux.HandleFunc("GET /staff/tags", s.staffed(kiosk.Helper, s.stationPage))
	mux.HandleFunc("GET /staff/tags/stream", s.stationStream)
	mux.HandleFunc("POST /staff/tags/{what}", s.staffed(kiosk.Helper, s.stationTouch))
	mux.HandleFunc("GET /staff/inventory", s.staffed(kiosk.Helper, s.shelved(s.inventoriesPage)))
	mux.HandleFunc("POST /staff/inventory", s.staffed(kiosk.Librarian, s.shelved(s.beginInventory)))
	mux.HandleFunc("GET /staff/inventory/picks", s.staffed(kiosk.Helper, s.shelved(s.picksPage)))
	mux.HandleFunc("GET /staff/inventory/picks.pdf", s.staffed(kiosk.Helper, s.shelved(s.picksPDF)))
	mux.HandleFunc("GET /staff/inventory/{id}/report.pdf", s.staffed(kiosk.Helper, s.shelved(s.inventoryPDF)))
	mux.HandleFunc("GET /staff/inventory/{id}", s.staffed(kiosk.Helper, s.shelved(s.inventoryPage)))
	mux.HandleFunc("GET /staff/inventory/{id}/stream", s.inventoryStream)
	mux.HandleFunc("GET /staff/inventory/{id}/report", s.staffed(kiosk.Helper, s.shelved(s.inventoryReport)))
	mux.HandleFunc("GET /staff/inventory/{id}/report.csv", s.staffed(kiosk.Helper, s.shelved(s.inventoryCSV)))
	mux.HandleFunc("GET /staff/inventory/{id}/photo/{photo}", s.staffed(kiosk.Helper, s.shelved(s.photo)))
	mux.HandleFunc("POST /staff/inventory/{id}/photo", s.staffed(kiosk.Helper, s.shelved(s.inventoryPhoto)))
	mux.HandleFunc("GET /staff/inventory/{id}/file", s.staffed(kiosk.Helper, s.shelved(s.filePage)))
	mux.HandleFunc("POST /staff/inventory/{id}/file", s.staffed(kiosk.Helper, s.shelved(s.takeFile)))
	mux.HandleFunc("POST /staff/inventory/{id}/load", s.staffed(kiosk.Helper, s.shelvedFor(loadTime, s.loadFile)))
	mux.HandleFunc("POST /staff/inventory/{id}/unload", s.staffed(kiosk.Helper, s.shelvedFor(loadTime, s.unloadFile)))
	mux.HandleFunc("GET /staff/inventory/{id}/seen.txt", s.staffed(kiosk.Librarian, s.shelved(s.seenFile)))
	mux.HandleFunc("GET /staff/inventory/{id}/tell", s.staffed(kiosk.Librarian, s.shelved(s.outgoingPage)))
	mux.HandleFunc("GET /staff/inventory/{id}/tell/stream", s.outgoingStream)
	mux.HandleFunc("POST /staff/inventory/{id}/tell/{what}", s.staffed(kiosk.Librarian, s.shelved(s.outgoingTouch)))
	mux.HandleFunc("POST /staff/inventory/{id}/{what}", s.staffed(kiosk.Helper, s.shelved(s.inventoryTouch)))
	if s.Staff.Phones != nil {
		mux.HandleFunc("GET /staff/phones", s.staffed(kiosk.Librarian, s.phonesPage))
		mux.HandleFunc("GET /staff/phones/stream", s.phonesStream)
		mux.HandleFunc("POST /staff/phones/{what}", s.staffed(kiosk.Librarian, s.phonesTouch))
	}
	mux.HandleFunc("GET /staff/log", s.staffed(kiosk.Manager, s.logPage))
	mux.HandleFunc("GET /staff/log.csv", s.staffed(kiosk.Manager, s.logCSV))
}

// staffHandler answers to somebody of the staff.
type staffHandler func(w http.ResponseWriter, r *http.Request, who kiosk.Member)

// staffed lets a handler answer to staff of a role. Others are sent to the door
// when they ask for a page, and refused when they want something done.
func (s *site) staffed(need kiosk.Role, h staffHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, ok := s.door.in(r, true)
		switch {
		case ok && who.Role.May(need):
			h(w, r, who)
		case ok:
			s.notYours(w, r, who)
		case r.Method == http.MethodGet:
			http.Redirect(w, r, "/staff", http.StatusSeeOther)
		default:
			s.refuse(w, r, http.StatusForbidden, s.staffLanguage(r).T("staff.wrong.signin"))
		}
	}
}

// act is something that somebody of the staff does, of now.
func (s *site) act(r *http.Request, who kiosk.Member, what, about, why string) kiosk.Act {
	from := r.RemoteAddr
	if host, _, err := net.SplitHostPort(from); err == nil {
		from = host
	}
	s.Log.Info("staff: "+what, "badge", who.Badge, "about", about, "from", from)
	return kiosk.Act{Badge: who.Badge, Name: who.Name, What: what, About: oneLine(about), Note: oneLine(why), From: from}
}

// note keeps what staff does, before it is done: what can't be noted is
// refused, with an answer.
func (s *site) note(w http.ResponseWriter, r *http.Request, who kiosk.Member, what, about, why string) bool {
	a := s.act(r, who, what, about, why)
	if s.Staff.Audit == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(r.Context(), settleTime)
	defer cancel()
	if err := s.Staff.Audit.Note(ctx, a); err != nil {
		s.Log.Error("web: the audit log takes nothing", "what", what, "err", err)
		s.refuse(w, r, http.StatusInternalServerError, s.asked(r).T("staff.ex.failed"))
		return false
	}
	return true
}

// oneLine makes of what somebody typed a line that a log takes.
func oneLine(text string) string {
	rs := []rune(clean(strings.ToValidUTF8(text, "")))
	return string(rs[:min(len(rs), maxNote)])
}

// staffLanguageCookie holds the language that staff has chosen on this
// machine: patrons' choices are not theirs.
const staffLanguageCookie = "carrel-staff-language"

// staffLanguage is what the pages for staff speak.
func (s *site) staffLanguage(r *http.Request) *language {
	if c, err := r.Cookie(staffLanguageCookie); err == nil {
		if l := s.match(c.Value); l != nil {
			return l
		}
	}
	return s.speak(s.chosen(r), "")
}

// chooseStaffLanguage keeps a choice in this browser for a year.
func (s *site) chooseStaffLanguage(w http.ResponseWriter, r *http.Request) {
	if !takeForm(w, r) {
		return
	}
	if l := s.match(r.PostForm.Get("lang")); l != nil {
		http.SetCookie(w, &http.Cookie{Name: staffLanguageCookie, Value: l.Tag, Path: "/staff", HttpOnly: true,
			SameSite: http.SameSiteStrictMode, MaxAge: 365 * 24 * 3600})
	}
	back := "/staff"
	for _, link := range staffLinks {
		if r.PostForm.Get("back") == link.Path {
			back = link.Path
		}
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}
