package sip2_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// A finding is one way of real servers, by its number in the list of dialects
// that this package was written from. It has a test, or a reason why not.
type finding struct {
	name   string
	test   func(t *testing.T) // in a bubble, see [synctest]
	reason string
}

// TestDialects lets the client speak with servers of each way.
func TestDialects(t *testing.T) {
	all := slices.Concat(framing, sums, lines, texts, semantics)
	if len(all) != 32 {
		t.Errorf("%d findings; want 32", len(all))
	}
	for i, f := range all {
		if !strings.HasPrefix(f.name, fmt.Sprintf("%02d ", i+1)) {
			t.Errorf("finding %d is called %q", i+1, f.name)
		}
		t.Run(f.name, func(t *testing.T) {
			if (f.test == nil) == (f.reason == "") {
				t.Fatal("it has neither test nor reason, or both")
			}
			if f.test == nil {
				t.Skip(f.reason)
			}
			synctest.Test(t, f.test)
		})
	}
}

// says gives a server's bytes in answer to a question. "" is silence; then
// parts them into two packets, and hangUp closes the connection.
type says func(q string) string

const (
	then   = "\x01"
	hangUp = "\x02"
)

// by answers by the question's id; login and status as usual, if not said.
func by(answers map[string]string) says {
	return func(q string) string {
		if a, ok := answers[q[:2]]; ok {
			return a
		}
		return map[string]string{"93": "941\r", "99": hello, "11": lent, "17": shelved, "09": returned, "29": "30" + lent[2:],
			"63": known, "35": "36Y" + date + "AOx|AAC1|\r"}[q[:2]]
	}
}

const (
	shelved  = "18030201" + date + "ABB1|AJThe one|\r"
	out      = "18040201" + date + "ABB1|AJThe one|\r"
	returned = "101YNN" + date + "AOx|ABB1|AQMAIN|AJThe one|\r"
	known    = "64              001" + date + "000000000001000000000000AOx|AAC1|AEOlive Okay|BLY|AUB9|\r"
)

// server is a library's system in memory, with a client.
type server struct {
	*testing.T
	*sip2.Upstream
	says says

	mu    sync.Mutex
	asked []string // what was written, each time
	dials int
	log   bytes.Buffer
}

// speak starts a server, and a client of one connection.
func speak(t *testing.T, says says, change func(*sip2.Config)) *server {
	s := &server{T: t, says: says}
	c := sip2.Config{Address: "ils:6001", Connections: 1, Dial: s.dial, Institution: "CPL", Zone: time.UTC,
		Log: slog.New(slog.NewTextHandler(&s.log, nil))}
	if change != nil {
		change(&c)
	}
	u, err := sip2.NewUpstream(c)
	if err != nil {
		t.Fatal(err)
	}
	s.Upstream = u
	t.Cleanup(func() {
		u.Close()
		s.checkWire()
	})
	return s
}

func checksum(mode string) func(*sip2.Config) { return func(c *sip2.Config) { c.Checksum = mode } }

func (s *server) dial(context.Context, string) (net.Conn, error) {
	near, far := net.Pipe()
	s.mu.Lock()
	s.dials++
	s.mu.Unlock()
	c := &tapped{Conn: near, s: s}
	go s.serve(far, c)
	return c, nil
}

// tapped notes each write of the client.
type tapped struct {
	net.Conn
	s    *server
	busy bool // a question is not answered yet
}

func (c *tapped) Write(b []byte) (int, error) {
	c.s.mu.Lock()
	if c.busy && !bytes.HasPrefix(b, []byte("97")) {
		c.s.Errorf("%q is asked before the last question is answered", b)
	}
	c.s.asked, c.busy = append(c.s.asked, string(b)), true
	c.s.mu.Unlock()
	return c.Conn.Write(b)
}

func (s *server) serve(c net.Conn, from *tapped) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		q, err := r.ReadString('\r')
		if err != nil {
			return
		}
		a, end := strings.CutSuffix(s.says(q), hangUp)
		s.mu.Lock()
		from.busy = false
		s.mu.Unlock()
		for part := range strings.SplitSeq(a, then) {
			if _, err := c.Write([]byte(part)); err != nil {
				return
			}
		}
		if end {
			return
		}
	}
}

// questions are those of that id, in order.
func (s *server) questions(id string) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.asked {
		if strings.HasPrefix(q, id) {
			list = append(list, q)
		}
	}
	return list
}

func (s *server) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

func (s *server) lend() (kiosk.Answer, error) {
	return s.Tell(s.Context(), checkout("B1", "C1"))
}

func (s *server) takeBack() (kiosk.Answer, error) {
	return s.Tell(s.Context(), kiosk.Entry{ID: "e", Kind: kiosk.Checkin, Item: "B1", At: time.Now(), State: kiosk.Asked})
}

// ask puts every question that there is; what is answered is of no interest.
func (s *server) ask() {
	s.Probe(s.Context())
	s.Identify(s.Context(), "C1", "1234")
	s.Look(s.Context(), "B1", "C1")
	for _, k := range []kiosk.Kind{kiosk.Checkout, kiosk.Renew, kiosk.Checkin} {
		for _, state := range []kiosk.State{kiosk.Asked, kiosk.Offline, kiosk.Unsure} {
			s.Tell(s.Context(), kiosk.Entry{ID: "e", Kind: k, Item: "B1", Patron: "C1", At: time.Now(), Due: time.Now().AddDate(0, 0, 14), State: state})
		}
	}
	s.EndSession(s.Context(), "C1")
}

// want fails unless err is of that class, "" for none.
func (s *server) want(what string, err error, code kiosk.Code) {
	s.Helper()
	if kiosk.CodeOf(err) != code {
		s.Errorf("%s: %v; want %q", what, err, code)
	}
}

func reason(err error) kiosk.Reason {
	if e, ok := errors.AsType[*kiosk.Error](err); ok {
		return e.Reason
	}
	return ""
}

// standard are the fields of version 2.00; of what more there is some servers
// die.
var standard = strings.Fields("AA AB AC AD AL AO AP BI BK BO BP BQ BS BV BW BY CG CH CN CO CP")

var question = regexp.MustCompile(`^(93|99|63|23|11|09|29|17|35|15|97)[^|\r\n]*?(([A-Z][A-Z0-9])[^|\r\n]*\|)*(AY[0-9])?(AZ[0-9A-F]{4})?\r$`)

// checkWire holds for whatever was asked: one question a write, ended by CR
// alone, each field closed and known to all.
func (s *server) checkWire() {
	for _, q := range s.asked {
		if !question.MatchString(q) {
			s.Errorf("%q is sent", q)
		}
		segs := strings.Split(q, "|")
		for i, seg := range segs[:len(segs)-1] {
			if i > 0 && !slices.Contains(standard, seg[:2]) {
				s.Errorf("%q has a field that is not in 2.00", q)
			}
		}
	}
}

// sumOf is a checksum over what add counts.
func sumOf[T byte | rune](text []T) string {
	var sum int
	for _, c := range text {
		sum += int(c)
	}
	return fmt.Sprintf("%04X", -sum&0xFFFF)
}

// seq is the number of a question.
func seq(q string) string {
	if i := strings.LastIndex(q, "|AY"); i > 0 {
		return q[i+3 : i+4]
	}
	return q[strings.Index(q, "AY")+2:][:1]
}

// numbered ends an answer with a number and a checksum.
func numbered(answer, n string) string {
	text := strings.TrimSuffix(answer, "\r") + "AY" + n + "AZ"
	return text + sumOf([]byte(text)) + "\r"
}

// summed answers with the number of the question and a checksum.
func summed(f says) says {
	return func(q string) string {
		if a := f(q); a != "" && strings.Contains(q, "AZ") && q[:2] != "97" {
			return numbered(a, seq(q))
		} else {
			return a
		}
	}
}
