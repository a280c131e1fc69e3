package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Times and bounds of sessions.
const (
	staffIdle     = 15 * time.Minute // without a sign of life
	staffLongest  = 12 * time.Hour   // whatever is done
	staffSessions = 16               // most at once; the oldest ends first
	freeTries     = 3                // wrong ones of a badge before the next must wait
	freeGuesses   = 20               // wrong ones of all badges together
	longestWait   = 5 * time.Minute  // after a wrong one
	forgiven      = time.Hour        // without a wrong one
	badgesTried   = 256              // whose wrong tries are remembered
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
	accounts Accounts
	checking chan struct{} // holds the one try that is being checked

	mu       sync.Mutex
	sessions map[[32]byte]*stay // by the digest of the token
	tries    map[kiosk.Card]*guesses
	all      guesses
}

// stay is a session.
type stay struct {
	who         kiosk.Member
	begun, seen time.Time
}

func (s *stay) over(now time.Time) bool {
	return now.Sub(s.seen) > staffIdle || now.Sub(s.begun) > staffLongest
}

// guesses are wrong tries in a row.
type guesses struct {
	wrong int
	last  time.Time
	next  time.Time // no try before
}

// fail counts a wrong try. Each beyond the free ones costs a wait that grows.
func (g *guesses) fail(now time.Time, free int) {
	if now.Sub(g.last) > forgiven {
		g.wrong = 0
	}
	g.last = now
	if g.wrong++; g.wrong >= free {
		g.next = now.Add(min(time.Second<<min(g.wrong-free+1, 16), longestWait))
	}
}

func newDoor(s *Staff) *door {
	d := &door{clock: time.Now, password: s.Password, accounts: s.Accounts, checking: make(chan struct{}, 1),
		sessions: map[[32]byte]*stay{}, tries: map[kiosk.Card]*guesses{}}
	if s.Clock != nil {
		d.clock = s.Clock
	}
	return d
}

// attempt is what became of a try to sign in.
type attempt struct {
	who   kiosk.Member
	token string    // empty: it did not work
	next  time.Time // when the next try counts; zero: at once
	err   error     // it could not be looked at
	early bool      // it was not looked at
}

// try checks a badge and its PIN or password; no badge stands for the password
// that all share. One is checked at a time, and after some wrong ones each
// costs a wait that grows, wherever it comes from: who guesses gets no faster
// by asking from many places, or for many badges.
func (d *door) try(ctx context.Context, badge kiosk.Card, secret string) attempt {
	ctx, cancel := context.WithTimeout(ctx, slowestCheck)
	defer cancel()
	select {
	case d.checking <- struct{}{}:
		defer func() { <-d.checking }()
	case <-ctx.Done():
		return attempt{early: true, next: d.clock().Add(slowestCheck)}
	}
	if next := d.next(badge); d.clock().Before(next) {
		return attempt{early: true, next: next}
	}
	who, ok, err := d.check(ctx, badge, secret)
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock()
	switch {
	case err != nil:
		return attempt{err: err}
	case !ok:
		g := d.guessesOf(badge, now)
		g.fail(now, freeTries)
		d.all.fail(now, freeGuesses)
		return attempt{next: g.next}
	}
	delete(d.tries, badge)
	token := rand.Text()
	d.tidy(now)
	d.sessions[sha256.Sum256([]byte(token))] = &stay{who: who, begun: now, seen: now}
	return attempt{who: who, token: token}
}

// next is when a try of a badge counts.
func (d *door) next(badge kiosk.Card) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := d.all.next
	if g := d.tries[badge]; g != nil && g.next.After(next) {
		next = g.next
	}
	return next
}

// guessesOf finds the wrong tries of a badge. Of very many the oldest are
// forgotten; by then those of all together have made guessing slow.
func (d *door) guessesOf(badge kiosk.Card, now time.Time) *guesses {
	if g := d.tries[badge]; g != nil {
		return g
	}
	for len(d.tries) >= badgesTried {
		var oldest kiosk.Card
		at := now
		for b, g := range d.tries {
			if !g.last.After(at) {
				oldest, at = b, g.last
			}
		}
		delete(d.tries, oldest)
	}
	g := &guesses{}
	d.tries[badge] = g
	return g
}

// check finds whose badge and secret these are.
func (d *door) check(ctx context.Context, badge kiosk.Card, secret string) (kiosk.Member, bool, error) {
	switch {
	case len(secret) > maxPassword || len(badge) > kiosk.MaxCode:
		return kiosk.Member{}, false, nil
	case badge == "":
		return kiosk.Member{Role: kiosk.Manager}, d.password != nil && d.password(secret), nil
	case d.accounts == nil:
		return kiosk.Member{}, false, nil
	}
	return d.accounts.Enter(ctx, badge, secret)
}

// tidy forgets sessions that have ended, and the oldest where there are too
// many.
func (d *door) tidy(now time.Time) {
	for k, s := range d.sessions {
		if s.over(now) {
			delete(d.sessions, k)
		}
	}
	for len(d.sessions) >= staffSessions {
		var oldest [32]byte
		for k, s := range d.sessions {
			if was, ok := d.sessions[oldest]; !ok || s.seen.Before(was.seen) {
				oldest = k
			}
		}
		delete(d.sessions, oldest)
	}
}

// in tells whose a request is. alive renews the session: what a page does by
// itself does not. It ends with the account, and when that gets another PIN.
func (d *door) in(r *http.Request, alive bool) (kiosk.Member, bool) {
	c, err := r.Cookie(staffCookie)
	if err != nil {
		return kiosk.Member{}, false
	}
	key := sha256.Sum256([]byte(c.Value))
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock()
	s := d.sessions[key]
	if s == nil || s.over(now) || !d.still(r.Context(), s) {
		delete(d.sessions, key)
		return kiosk.Member{}, false
	}
	if alive {
		s.seen = now
	}
	return s.who, true
}

// still tells whether somebody may still be in, and takes over another name or
// role.
func (d *door) still(ctx context.Context, s *stay) bool {
	if s.who.Badge == "" {
		return d.password != nil
	}
	m, err := d.accounts.Member(ctx, s.who.Badge)
	if err != nil || m.Hash != s.who.Hash {
		return false
	}
	s.who = m
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

// doorView is what the door shows.
type doorView struct {
	Shared bool // all share a password
	Badges bool // there are accounts
	Reads  bool // the kiosk's scanner reads badges for it
	Badge  string
}

func (s *site) doorView(ctx context.Context) (v doorView) {
	v.Shared = s.door.password != nil
	if s.door.accounts != nil {
		ms, err := s.door.accounts.Members(ctx)
		if err != nil {
			s.Log.Error("web: staff's accounts can't be read", "err", err)
		}
		v.Badges = len(ms) > 0
	}
	return v
}

func (s *site) doorPage(r *http.Request) staffPage {
	p := s.staffPage(r, kiosk.Member{})
	p.Door = s.doorView(r.Context())
	p.Door.Reads = p.Door.Badges && s.readsBadges(r)
	return p
}

// staffDoor asks for badge and password, or leads on.
func (s *site) staffDoor(w http.ResponseWriter, r *http.Request) {
	if who, ok := s.door.in(r, true); ok {
		http.Redirect(w, r, s.staffPage(r, who).Nav[0].Path, http.StatusSeeOther)
		return
	}
	s.showStaff(w, http.StatusOK, "staff-door", s.doorPage(r))
}

func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	if !takeForm(w, r) {
		return
	}
	p := s.doorPage(r)
	if !p.Door.Shared && !p.Door.Badges {
		s.showStaff(w, http.StatusForbidden, "staff-door", p)
		return
	}
	badge := kiosk.Card(strings.TrimSpace(r.PostForm.Get("badge")))
	a := s.door.try(r.Context(), badge, r.PostForm.Get("password"))
	if a.token != "" {
		if !s.note(w, r, a.who, "sign-in", "", "") {
			return
		}
		http.SetCookie(w, s.door.cookie(r, a.token))
		http.Redirect(w, r, s.staffPage(r, a.who).Nav[0].Path, http.StatusSeeOther)
		return
	}
	code := http.StatusForbidden
	switch {
	case a.err != nil:
		s.Log.Error("web: staff's accounts can't be read", "err", a.err)
		p.Failed, code = p.T("staff.ex.failed"), http.StatusInternalServerError
	case a.early:
		p.Failed, code = p.T("staff.door.wait", "time", a.next.In(s.Location).Format(time.TimeOnly)), http.StatusTooManyRequests
	default:
		p.Failed = p.T("staff.door.wrong")
		if !s.note(w, r, s.known(r.Context(), badge), "sign-in.failed", "", "") {
			return
		}
	}
	p.Door.Badge = oneLine(string(badge))
	s.showStaff(w, code, "staff-door", p)
}

// known is whose badge it is. What else was typed in its place is not kept: it
// may be a password.
func (s *site) known(ctx context.Context, badge kiosk.Card) kiosk.Member {
	if badge == "" || s.door.accounts == nil {
		return kiosk.Member{}
	}
	m, err := s.door.accounts.Member(ctx, badge)
	if err != nil {
		return kiosk.Member{}
	}
	return m
}

func (s *site) signOut(w http.ResponseWriter, r *http.Request) {
	if who, ok := s.door.in(r, false); ok {
		if !s.note(w, r, who, "sign-out", "", "") {
			return
		}
		s.door.out(r)
		if s.Staff.Station != nil {
			s.Staff.Station.Release()
		}
	}
	http.SetCookie(w, s.door.cookie(r, ""))
	http.Redirect(w, r, "/staff", http.StatusSeeOther)
}
