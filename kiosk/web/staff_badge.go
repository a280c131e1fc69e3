package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// badgeWait is how long a page at the door waits for a badge before it must ask
// again, which it does sooner: one that hangs takes no scans for longer.
const badgeWait = 15 * time.Second

// Badges brings a badge that the kiosk's scanner has read to the page at the
// door to the pages for staff, on the kiosk's own display. The page fills it
// in; nobody is signed in by a badge alone. The newest page alone is waited
// for. The zero value is ready, for several goroutines.
type Badges struct {
	mu   sync.Mutex
	page chan kiosk.Card // of the page that waits, holds one; nil: none does
}

// wait is a page's from now on, until leave. It is closed when another page
// waits.
func (b *Badges) wait() (read <-chan kiosk.Card, leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.page != nil {
		close(b.page)
	}
	page := make(chan kiosk.Card, 1)
	b.page = page
	return page, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.page == page {
			b.page = nil
		}
	}
}

// Wanted tells whether a page waits for a badge.
func (b *Badges) Wanted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.page != nil
}

// Give gives a badge to the page that waits; false: none does any more. It
// never waits: of badges faster than the page the first one counts.
func (b *Badges) Give(badge kiosk.Card) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.page == nil {
		return false
	}
	select {
	case b.page <- badge:
	default:
	}
	return true
}

// badgeStream tells the page at the door which badges are read, until it goes,
// another one waits, or the time is up. To all but the kiosk's own display the
// answer is the same, whatever is scanned.
func (s *site) badgeStream(w http.ResponseWriter, r *http.Request) {
	if !s.readsBadges(r) {
		http.Error(w, "badges are read for the kiosk's own display alone", http.StatusForbidden)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), badgeWait)
	defer cancel()
	out := http.NewResponseController(w)
	if err := out.SetWriteDeadline(time.Now().Add(badgeWait + patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return
	}
	read, leave := s.Staff.Badges.wait()
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	for out.Flush() == nil {
		select {
		case <-ctx.Done():
			return
		case badge, ok := <-read:
			if !ok {
				return
			}
			if _, err := w.Write(message{data: string(badge)}.encode()); err != nil {
				return
			}
		}
	}
}

// readsBadges tells whether the kiosk's scanner reads badges for who asks: a
// page of this server on this machine.
func (s *site) readsBadges(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return s.Staff.Badges != nil && s.door.accounts != nil && (site == "" || site == "same-origin" || site == "none") && here(r)
}

// here tells whether somebody asks from this machine itself, and not by way of
// a proxy on it.
func here(r *http.Request) bool {
	for _, by := range []string{"Forwarded", "X-Forwarded-For", "Via"} {
		if r.Header.Get(by) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	at, e2 := netip.ParseAddr(host)
	return err == nil && e2 == nil && at.Unmap().IsLoopback()
}
