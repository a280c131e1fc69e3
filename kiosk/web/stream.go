package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// message is one server-sent event. Its lines may end as they like; the
// stream knows only LF.
type message struct {
	id    uint64 // 0: none
	event string // empty: the default
	data  string
}

func (m message) encode() []byte {
	var b bytes.Buffer
	b.Grow(len(m.data) + len(m.data)/16 + 128) // with as many lines as a page has
	if m.event != "" {
		b.WriteString("event: " + m.event + "\n")
	}
	if m.id != 0 {
		b.WriteString("id: " + strconv.FormatUint(m.id, 10) + "\n")
	}
	data := m.data
	if strings.Contains(data, "\r") {
		data = strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")
	}
	for line := range strings.SplitSeq(data, "\n") {
		b.WriteString("data: ")
		b.WriteString(line)
		b.WriteByte('\n')
	}
	b.WriteString("\n")
	return b.Bytes()
}

// follow sends each screen as show makes it, the newest first, and beat in
// between, until the browser or the server has had enough.
func (s *site) follow(w http.ResponseWriter, r *http.Request, beat []byte, show func(kiosk.Screen) ([]byte, error)) {
	select {
	case s.open <- struct{}{}:
		defer func() { <-s.open }()
	default:
		http.Error(w, "too many streams", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out := http.NewResponseController(w)
	send := func(b []byte) bool {
		// A server without deadlines (a test's recorder) waits as it likes.
		if err := out.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return false
		}
		_, err := w.Write(b)
		return err == nil && out.Flush() == nil
	}
	sc := s.Desk.Screen()
	for {
		b, err := show(sc)
		if err != nil {
			s.Log.Error("web: screen", "view", sc.View, "err", err)
			return
		}
		if !send(b) {
			return
		}
		if sc, err = s.next(r.Context(), sc.Seq, func() bool { return send(beat) }); err != nil {
			return
		}
	}
}

// next waits for a newer screen, with a beat whenever there was none for a while.
func (s *site) next(ctx context.Context, seq uint64, beat func() bool) (kiosk.Screen, error) {
	for {
		wait, cancel := context.WithTimeout(ctx, s.Beat)
		sc, err := s.Desk.Next(wait, seq)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return sc, err
		}
		if !beat() {
			return kiosk.Screen{}, context.Canceled
		}
	}
}

// stream sends the page's inside. The beat tells the version of the assets,
// so that a page older than the daemon loads itself again.
func (s *site) stream(w http.ResponseWriter, r *http.Request) {
	c := s.choice(r)
	beat := message{event: "beat", data: s.edition()}.encode()
	var sent parts
	s.follow(w, r, beat, func(sc kiosk.Screen) ([]byte, error) {
		var b strings.Builder
		if err := s.pages.ExecuteTemplate(&b, "screen", s.view(sc, c)); err != nil {
			return nil, err
		}
		return append(message{event: "version", data: s.edition()}.encode(), message{id: sc.Seq, data: sent.spare(b.String())}.encode()...), nil
	})
}
