package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

// Staff is what the pages for staff stand on.
type Staff struct {
	// Password tells whether a password is right; nil: none is set, and the
	// pages say how to set one. It may take a second of computing.
	Password func(string) bool
	// Station prepares materials; nil: there is no pad.
	Station Station
	// Exceptions are what staff must settle; nil: there is no upstream.
	Exceptions Exceptions
	// Clock is for sessions; nil means time.Now.
	Clock func() time.Time
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

// Times and bounds of sessions.
const (
	staffIdle     = 15 * time.Minute
	staffSessions = 16               // most at once; the oldest ends first
	freeTries     = 3                // wrong passwords before one must wait
	longestWait   = time.Minute      // after a wrong password
	staffCookie   = "carrel-staff"   //
	maxPassword   = 256              // bytes
	stationBeat   = 4 * time.Second  // between two signs of life of an open page
	tellTime      = 2 * time.Second  // longest wait for the station to take something
	slowestCheck  = 10 * time.Second // longest wait for another try to end
)

// door lets staff in.
type door struct {
	clock    func() time.Time
	password func(string) bool
	checking chan struct{} // holds the one try that is being checked

	mu       sync.Mutex
	sessions map[[32]byte]time.Time // by the digest of the token: last sign of life
	wrong    int                    // tries in a row
	next     time.Time              // no try before
}

func newDoor(s *Staff) *door {
	d := &door{clock: time.Now, checking: make(chan struct{}, 1), sessions: map[[32]byte]time.Time{}}
	if s != nil {
		d.password = s.Password
		if s.Clock != nil {
			d.clock = s.Clock
		}
	}
	return d
}

// attempt is what became of a try to sign in.
type attempt string

const (
	signedIn      attempt = ""
	wrongPassword attempt = "wrong"
	tooManyTries  attempt = "wait"
)

// try checks a password. One is checked at a time, and after some wrong ones
// each costs a wait that grows, for everybody: who guesses gets no faster by
// asking from many places.
func (d *door) try(ctx context.Context, password string) (token string, a attempt) {
	ctx, cancel := context.WithTimeout(ctx, slowestCheck)
	defer cancel()
	select {
	case d.checking <- struct{}{}:
		defer func() { <-d.checking }()
	case <-ctx.Done():
		return "", tooManyTries
	}
	d.mu.Lock()
	early := d.clock().Before(d.next)
	d.mu.Unlock()
	if early {
		return "", tooManyTries
	}
	ok := len(password) <= maxPassword && d.password(password)
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock()
	if !ok {
		if d.wrong++; d.wrong >= freeTries {
			d.next = now.Add(min(time.Second<<min(d.wrong-freeTries+1, 10), longestWait))
		}
		return "", wrongPassword
	}
	d.wrong, d.next = 0, time.Time{}
	token = rand.Text()
	d.tidy(now)
	d.sessions[sha256.Sum256([]byte(token))] = now
	return token, signedIn
}

// tidy forgets sessions that have ended, and the oldest where there are too
// many.
func (d *door) tidy(now time.Time) {
	for k, at := range d.sessions {
		if now.Sub(at) > staffIdle {
			delete(d.sessions, k)
		}
	}
	for len(d.sessions) >= staffSessions {
		var oldest [32]byte
		for k, at := range d.sessions {
			if was, ok := d.sessions[oldest]; !ok || at.Before(was) {
				oldest = k
			}
		}
		delete(d.sessions, oldest)
	}
}

// in tells whether a request is staff's. alive renews the session: what a page
// does by itself does not.
func (d *door) in(r *http.Request, alive bool) bool {
	c, err := r.Cookie(staffCookie)
	if err != nil {
		return false
	}
	key := sha256.Sum256([]byte(c.Value))
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock()
	at, ok := d.sessions[key]
	if !ok || now.Sub(at) > staffIdle {
		delete(d.sessions, key)
		return false
	}
	if alive {
		d.sessions[key] = now
	}
	return true
}

// out ends a session.
func (d *door) out(r *http.Request) {
	if c, err := r.Cookie(staffCookie); err == nil {
		d.mu.Lock()
		delete(d.sessions, sha256.Sum256([]byte(c.Value)))
		d.mu.Unlock()
	}
}

// cookie makes the session's; an empty token takes it back.
func (d *door) cookie(r *http.Request, token string) *http.Cookie {
	c := &http.Cookie{Name: staffCookie, Value: token, Path: "/staff", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

// staffPage is what the pages for staff show.
type staffPage struct {
	*language
	Version string
	Name    string // the kiosk's
	Set     bool   // a password is set
	Failed  string // why signing in did not work
	Station *stationView

	Done       string // what has just been done
	Count      int    // of exceptions
	Exceptions []exceptionView
}

func (s *site) staffPage(r *http.Request) staffPage {
	return staffPage{language: s.speak(s.chosen(r), ""), Version: version, Name: cmp.Or(s.Name, s.Library), Set: s.door.password != nil}
}

// staffRoutes adds the pages for staff.
func (s *site) staffRoutes(mux *http.ServeMux) {
	s.door = newDoor(s.Staff)
	mux.HandleFunc("GET /staff", s.staffDoor)
	mux.HandleFunc("POST /staff/sign-in", s.signIn)
	mux.HandleFunc("POST /staff/sign-out", s.signOut)
	mux.HandleFunc("GET /staff/exceptions", s.exceptionsPage)
	mux.HandleFunc("POST /staff/exceptions/{id}", s.resolve)
	mux.HandleFunc("GET /staff/tags", s.stationPage)
	mux.HandleFunc("GET /staff/tags/stream", s.stationStream)
	mux.HandleFunc("POST /staff/tags/{what}", s.stationTouch)
}

// staffDoor asks for the password, or leads on.
func (s *site) staffDoor(w http.ResponseWriter, r *http.Request) {
	if s.door.password != nil && s.door.in(r, true) {
		http.Redirect(w, r, "/staff/tags", http.StatusSeeOther)
		return
	}
	s.showStaff(w, http.StatusOK, "staff-door", s.staffPage(r))
}

func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	if s.door.password == nil {
		http.Error(w, "no staff password is set", http.StatusForbidden)
		return
	}
	if !takeForm(w, r) {
		return
	}
	token, failed := s.door.try(r.Context(), r.PostForm.Get("password"))
	if failed != signedIn {
		s.Log.Warn("staff: a sign-in failed", "why", failed, "from", r.RemoteAddr)
		p, code := s.staffPage(r), http.StatusForbidden
		if p.Failed = p.T("staff.door.wrong"); failed == tooManyTries {
			p.Failed, code = p.T("staff.door.wait"), http.StatusTooManyRequests
		}
		s.showStaff(w, code, "staff-door", p)
		return
	}
	s.Log.Info("staff: signed in", "from", r.RemoteAddr)
	http.SetCookie(w, s.door.cookie(r, token))
	http.Redirect(w, r, "/staff/tags", http.StatusSeeOther)
}

func (s *site) signOut(w http.ResponseWriter, r *http.Request) {
	if s.door.password != nil && s.door.in(r, false) {
		s.door.out(r)
		if s.Staff.Station != nil {
			s.Staff.Station.Release()
		}
	}
	http.SetCookie(w, s.door.cookie(r, ""))
	http.Redirect(w, r, "/staff", http.StatusSeeOther)
}
