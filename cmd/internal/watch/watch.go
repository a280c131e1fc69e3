// Package watch follows the screen of a kiosk over its API, for measurements
// and tests of the whole program.
package watch

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Screen is what the API says of the screen (/api/v1/screen).
type Screen struct {
	View   string `json:"view"`
	Patron string `json:"patron"`
	Lines  []Line `json:"lines"`
	Notice string `json:"notice"` // a message that belongs to no line, in words
	Faults []any  `json:"faults"`
	Online bool   `json:"online"`

	At time.Time `json:"-"` // when it arrived
}

// Line is one item.
type Line struct {
	Barcode kiosk.Barcode `json:"barcode"`
	Title   string        `json:"title"`
	State   string        `json:"state"`
	Due     time.Time     `json:"due,omitzero"`
	Text    string        `json:"text"`
	Reason  kiosk.Reason  `json:"reason"`
}

// Line finds an item's line; false if it has none.
func (s Screen) Line(b kiosk.Barcode) (Line, bool) {
	for _, l := range s.Lines {
		if l.Barcode == b {
			return l, true
		}
	}
	return Line{}, false
}

// State is that of an item's line, or "".
func (s Screen) State(b kiosk.Barcode) string {
	l, _ := s.Line(b)
	return l.State
}

// Stream is an open event stream (/api/v1/events).
type Stream struct {
	// Seen is called with each screen, before Until looks at it; may be nil.
	Seen func(Screen)

	body io.ReadCloser
	next chan Screen
	once sync.Once
	last Screen
	err  error // why next was closed
}

// Open follows the kiosk at an address "host:port". seen may be nil.
func Open(ctx context.Context, addr string, seen func(Screen)) (*Stream, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+addr+"/api/v1/events", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s: %s", req.URL, resp.Status)
	}
	s := &Stream{Seen: seen, body: resp.Body, next: make(chan Screen, 256)}
	go s.read()
	return s, nil
}

func (s *Stream) read() {
	defer close(s.next)
	r := bufio.NewReaderSize(s.body, 1<<16)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			s.err = err
			return
		}
		data, ok := strings.CutPrefix(line, "data:")
		if !ok {
			continue
		}
		sc := Screen{At: time.Now()}
		if s.err = json.Unmarshal([]byte(data), &sc); s.err != nil {
			return
		}
		if s.Seen != nil {
			s.Seen(sc)
		}
		s.next <- sc
	}
}

// Close ends the stream.
func (s *Stream) Close() { s.once.Do(func() { s.body.Close() }) }

// Until waits until the screen fits, at most d; the one seen last counts too.
// The error tells the last one.
func (s *Stream) Until(d time.Duration, fits func(Screen) bool) (Screen, error) {
	limit := time.NewTimer(d)
	defer limit.Stop()
	for !fits(s.last) {
		select {
		case sc, ok := <-s.next:
			if !ok {
				return s.last, fmt.Errorf("the event stream ended: %v", s.err)
			}
			s.last = sc
		case <-limit.C:
			return s.last, fmt.Errorf("no such screen within %v; the last was %+v", d, s.last)
		}
	}
	return s.last, nil
}
