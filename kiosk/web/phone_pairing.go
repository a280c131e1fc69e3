package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Bounds of pairing.
const (
	pairTime    = 10 * time.Minute // a code counts
	pairTries   = 5                // wrong ones void it
	pairLength  = 8                // characters of 32: 40 bits
	phoneCookie = "carrel-phone"
	phoneYear   = 400 * 24 * time.Hour // longest that browsers keep a cookie
)

// pairing lets one phone in by a code that staff has asked for: phones that
// nobody let in can't even try a password, which would slow down staff at the
// kiosk.
type pairing struct {
	clock func() time.Time

	mu      sync.Mutex
	code    string
	by      kiosk.Member
	until   time.Time
	wrong   int
	changed chan struct{}
}

func newPairing(clock func() time.Time) *pairing {
	return &pairing{clock: clock, changed: make(chan struct{})}
}

// begin makes a code; the one before counts no more.
func (p *pairing) begin(by kiosk.Member) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.code, p.by, p.until, p.wrong = rand.Text()[:pairLength], by, p.clock().Add(pairTime), 0
	p.tell()
	return p.code
}

// tell wakes who waits for a change.
func (p *pairing) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// now is the code that counts, until when; empty if none does.
func (p *pairing) now() (string, time.Time, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.clock().After(p.until) {
		p.code = ""
	}
	return p.code, p.until, p.changed
}

// pairRefusal is why a code does not count.
type pairRefusal string

const (
	taken   pairRefusal = ""
	expired pairRefusal = "phone.pair.expired"
	wrong   pairRefusal = "phone.pair.wrong"
)

// take uses a code up, and tells who asked for it.
func (p *pairing) take(code string) (kiosk.Member, pairRefusal) {
	code = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, code))
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.code == "" || p.clock().After(p.until) {
		return kiosk.Member{}, expired
	}
	if subtle.ConstantTimeCompare([]byte(code), []byte(p.code)) != 1 {
		if p.wrong++; p.wrong >= pairTries {
			p.code = ""
			p.tell()
		}
		return kiosk.Member{}, wrong
	}
	p.code = ""
	p.tell()
	return p.by, taken
}

// spelled is a code as it is read out and typed.
func spelled(code string) string {
	if len(code) != pairLength {
		return code
	}
	return code[:pairLength/2] + "-" + code[pairLength/2:]
}

// phoneKey is what is kept of a token.
func phoneKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// phoneOf is the phone that asks, if it was let in.
func (s *site) phoneOf(r *http.Request) (kiosk.Phone, bool) {
	c, err := r.Cookie(phoneCookie)
	if err != nil {
		return kiosk.Phone{}, false
	}
	return s.Staff.Phones.Phones().Of(phoneKey(c.Value))
}

// pairPhone lets a phone in.
func (s *site) pairPhone(w http.ResponseWriter, r *http.Request) {
	if !takeForm(w, r) {
		return
	}
	l := s.phoneLanguage(r)
	by, no := s.pairing.take(r.PostForm.Get("code"))
	if no != taken {
		http.Error(w, l.T(string(no)), http.StatusForbidden)
		return
	}
	token := rand.Text() + rand.Text()
	p := kiosk.Phone{Key: phoneKey(token), Name: s.phoneName(r), Paired: s.Clock(), By: by.Name}
	err := s.changePhones(r.Context(), s.act(r, by, "phone.pair", p.Name, ""), func(all kiosk.Phones) (kiosk.Phones, error) {
		all.List = append(all.List[:len(all.List):len(all.List)], p)
		return all, nil
	})
	if err != nil {
		s.Log.Error("web: phones", "err", err)
		http.Error(w, err.Error(), http.StatusInsufficientStorage)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: phoneCookie, Value: token, Path: "/phone", HttpOnly: true, Secure: true, SameSite: http.SameSiteStrictMode,
		MaxAge: int(phoneYear / time.Second)})
	w.WriteHeader(http.StatusNoContent)
}

// phoneName is a phone as staff may tell it from others: what it was called,
// or what its browser says it is.
func (s *site) phoneName(r *http.Request) string {
	if name := joined(r.PostForm.Get("name")); kiosk.Printable(name, 1, kiosk.MaxName) {
		return name
	}
	agent := r.UserAgent()
	for _, kind := range []string{"iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux"} {
		if strings.Contains(agent, kind) {
			return kind
		}
	}
	return "?"
}

// changePhones changes the list of phones, in the time that staff waits.
func (s *site) changePhones(ctx context.Context, by kiosk.Act, next func(kiosk.Phones) (kiosk.Phones, error)) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	return s.Staff.Phones.ChangePhones(ctx, by, next)
}
