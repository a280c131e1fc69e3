package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"time"

	bcp47 "golang.org/x/text/language"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Desk is what the screen shows and where touches go. Its methods are called
// by several goroutines at once and never wait for a browser.
type Desk interface {
	// Screen is the newest.
	Screen() kiosk.Screen
	// Next waits until there is a screen with a Seq greater than seq, and
	// gives the newest. When ctx ends first it returns ctx's error.
	Next(ctx context.Context, seq uint64) (kiosk.Screen, error)
	// Send passes a touch on.
	Send(ctx context.Context, ev kiosk.Event) error
}

// Config is what the touch screen stands on.
type Config struct {
	Desk      Desk
	Name      string           // the kiosk's, for staff
	Library   string           // as the patron knows it; empty shows none
	Languages []string         // offered, the first is the default; none means English
	Location  *time.Location   // of due dates; nil means time.Local
	Clock     func() time.Time // the desk's; nil means time.Now
	Log       *slog.Logger     // nil means slog.Default
	Beat      time.Duration    // between signs of life on a silent stream; 0 means 4 s
	Streams   int              // most browsers at once; 0 means 32
	Pad       func() bool      // whether books can be put on a pad; nil means not
	Pace      time.Duration    // from one thing to the next, for who chooses by a switch; 0 means 1.5 s
	Manner    Manner           // unless another is chosen; zero means standard
	PIN       bool             // a card needs one: the rehearsal has that step
	Digits    bool             // PINs have nothing else: their pad has no way to letters
	Memory    Memory           // keeps a patron's manner with the card; nil: nothing is kept
	Child     bool             // everybody is spoken to as a child, as in a primary school
	Class     []Pupil          // who may borrow by touching an animal or a photo, at most MaxClass
	Sound     Sound            // zero is silent
	Find      bool             // the catalogue can be searched from the welcome view
	Plan      Plan             // of the library, for what was found; nil: there is none
	Gallery   bool             // serve /gallery, every view from fixtures
	Sight     *Sight           // knows whether the machine's own display paints; nil: nobody asks
	Hosts     []string         // names that the server goes by, beside localhost, the machine's own and any literal address

	// Receipts make what the screen shows of receipts; nil: there is no code to
	// scan.
	Receipts Receipts

	// Staff are the pages for staff, below /staff; nil: they only say how to set
	// a password.
	Staff *Staff

	// Pages are further pages by path ("/sim"), each with all below it. They
	// get the same protection; a page that needs another policy sets its own
	// Content-Security-Policy header.
	Pages map[string]http.Handler
}

// patience is the longest wait for the desk to take a touch, for a browser to
// take what is written to it, and for the rest of a form.
const patience = 5 * time.Second

// site is the handler behind New.
type site struct {
	Config
	langs   []*language
	matcher bcp47.Matcher // of langs
	pages   *template.Template
	open    chan struct{} // one place for each stream
	door    *door         // to the pages for staff
	names   hosts         // that the server goes by
	pairing *pairing      // of a phone
	files   collectedFiles
	brought brought // after a wait

	mu     sync.Mutex
	seq    uint64    // of the screen shown last
	seen   time.Time // when it was first shown; by Clock
	patron recalled  // whose manner was looked up last
}

// New makes the handler. A stream ends with its request: give the server a
// BaseContext that ends with the daemon.
func New(c Config) (http.Handler, error) {
	screen, _, err := NewWithPhones(c)
	return screen, err
}

// NewWithPhones makes the handler, and that for the library's network, which
// is to be served over TLS: it has only what phones need for inventories. It
// is nil without Staff.Phones.
func NewWithPhones(c Config) (screen, phones http.Handler, err error) {
	if c.Desk == nil {
		return nil, nil, errors.New("web: no desk")
	}
	c.Location = cmp.Or(c.Location, time.Local)
	c.Log = cmp.Or(c.Log, slog.Default())
	c.Beat = cmp.Or(c.Beat, 4*time.Second)
	c.Streams = cmp.Or(c.Streams, 32)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	langs, err := languages(c.Languages)
	if err != nil {
		return nil, nil, err
	}
	pages, err := templates()
	if err != nil {
		return nil, nil, fmt.Errorf("web: %w", err)
	}
	s := &site{Config: c, langs: langs, matcher: matcher(langs), pages: pages, open: make(chan struct{}, c.Streams),
		names: namesOf(hostname(), c.Hosts), pairing: newPairing(c.Clock)}
	screen = s.handler()
	if s.Staff.Phones != nil {
		phones = s.phoneHandler()
	}
	return screen, phones, nil
}

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /stream", s.stream)
	mux.HandleFunc("POST /touch/{what}", s.touch)
	mux.HandleFunc("POST /language", s.chooseLanguage)
	mux.HandleFunc("POST /mode", s.chooseManner)
	mux.HandleFunc("POST /forget", s.forget)
	mux.HandleFunc("GET /plan", s.picture)
	mux.HandleFunc("GET /class/{id}", s.classPhoto)
	mux.HandleFunc("GET /rehearsal/{step}", s.rehearsal)
	mux.HandleFunc("GET /rehearsal/{step}/still", s.still)
	mux.HandleFunc("GET /story", s.story)
	mux.HandleFunc("GET /static/{version}/", s.asset)
	mux.HandleFunc("GET /api/v1/screen", s.apiScreen)
	mux.HandleFunc("GET /api/v1/events", s.apiEvents)
	mux.HandleFunc("GET /api/v1/openapi.json", s.openAPI)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /healthz/display", s.display)
	mux.HandleFunc("POST /beat", s.beat)
	mux.HandleFunc("GET /readyz", s.ready)
	s.staffRoutes(mux)
	if s.Gallery {
		s.galleryRoutes(mux)
	}
	for path, h := range s.Pages {
		mux.Handle(path, h)
		mux.Handle(path+"/", h)
	}
	return guarded(mux, s.names)
}

// Guard protects pages as this package's own are: they are asked for by a name
// of this machine, or one of own, and from no other site, and take nothing from
// elsewhere.
func Guard(next http.Handler, own []string) http.Handler {
	return guarded(next, namesOf(hostname(), own))
}

func guarded(next http.Handler, names hosts) http.Handler {
	return guard(names.only(http.NewCrossOriginProtection().Handler(next)))
}

// policy lets a page use what this server gives and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// answerTime is the longest that an answer takes, with its sending: who reads no
// more of it holds nothing here. It is more than inventoryTime, so that what then
// fails can be said; what may take longer has more. A stream has a deadline for
// each message.
const answerTime = 3 * time.Minute

// guard sets the headers that hold for everything; nothing a patron sees is
// kept by the browser.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime)) //nolint:errcheck // a test's recorder has none
		next.ServeHTTP(w, r)
	})
}

// age is how long ago sc was made; a fixture, which has no number, is of now. The desk's clock may run apart from
// Clock, where it has none it can trust; then the time since this screen was
// first shown counts.
func (s *site) age(sc kiosk.Screen) time.Duration {
	if sc.Seq == 0 {
		return 0
	}
	now := s.Clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if sc.Seq == 0 { // of a gallery, not of a desk
		return 0
	}
	if sc.Seq != s.seq {
		s.seq, s.seen = sc.Seq, now
	}
	return max(now.Sub(sc.Now), now.Sub(s.seen), 0)
}
