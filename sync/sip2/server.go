package sip2

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Backend is the library behind a server. Its methods are called by several
// goroutines at once. A no is a *kiosk.Error of class refused with the words
// for the screen in Text.
type Backend interface {
	Login(user, password string) bool
	// Patron finds a patron and what he has. ReasonUnknownCard, or
	// ReasonWrongPIN with the patron filled in; pin "" is not checked.
	Patron(c kiosk.Card, pin string) (p kiosk.Patron, loans []kiosk.Loan, err error)
	// Item finds an item and who has it; kiosk.ErrUnknown.
	Item(b kiosk.Barcode) (i kiosk.Item, s kiosk.Standing, holder kiosk.Card, err error)
	// Do carries out what an entry says; noBlock: it has happened already.
	Do(e kiosk.Entry, noBlock bool) (kiosk.Answer, error)
}

// Canceller is a Backend that can undo: a checkout cancels a return, and a
// checkin a loan (BI). To others it is a transaction like any.
type Canceller interface {
	Cancel(e kiosk.Entry) (kiosk.Answer, error)
}

// Holder is a Backend that takes reservations: how many wait before, and where it
// will be fetched. Without it, 15 is not supported.
type Holder interface {
	PlaceHold(c kiosk.Card, b kiosk.Barcode, pickup string) (kiosk.Placed, error)
}

// Waiter is a Backend that tells what a patron waits for, and what is owed, in
// hundredths of the currency.
type Waiter interface {
	Waits(c kiosk.Card) (ready, waiting []kiosk.Barcode, owed int64)
}

// ServerConfig is how a server speaks. Its zero value is good.
type ServerConfig struct {
	Institution string         // AO of answers
	Zone        *time.Location // of dates; nil means time.Local
	Charset     Charset
	CRLF        bool          // answers end with CR LF, as Koha's do
	Open        bool          // no login is needed
	Idle        time.Duration // a silent connection is closed; 0 means 10 min

	NoCancel       bool // a transaction that cancels another is taken as any, as by Koha and Evergreen
	NoStatusUpdate bool // 19 ends the connection, as with SIP2Mediator
	NoResend       bool // 97 is answered 96, as by Koha
	Longest        int  // a longer request, in bytes, ends the connection; 0: MaxMessage

	Log *slog.Logger // nil means slog.Default
	// Record is called with each message as it comes and goes, if it is set.
	Record func(in bool, text string)
}

// Serve answers on ln until ctx ends.
func Serve(ctx context.Context, ln net.Listener, b Backend, c ServerConfig) error {
	c.Zone = cmp.Or(c.Zone, time.Local)
	c.Idle = cmp.Or(c.Idle, 10*time.Minute)
	c.Log = cmp.Or(c.Log, slog.Default())
	var wg sync.WaitGroup
	defer wg.Wait()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		wg.Go(func() {
			defer conn.Close()
			end := context.AfterFunc(ctx, func() { conn.Close() })
			defer end()
			s := &session{ServerConfig: c, backend: b, conn: conn, in: c.Open}
			s.run()
		})
	}
}

// session is one client.
type session struct {
	ServerConfig
	backend Backend
	conn    net.Conn
	in      bool   // logged in
	last    []byte // the last answer, without its trailer, for 97
}

func (s *session) run() {
	r := bufio.NewReaderSize(s.conn, MaxMessage+8)
	for {
		if err := s.conn.SetDeadline(time.Now().Add(s.Idle)); err != nil {
			return
		}
		raw, err := r.ReadSlice('\r')
		if err != nil {
			return // gone, silent too long, or a message without end
		}
		text := strings.Trim(string(raw), "\r\n")
		switch {
		case text == "":
			continue
		case s.Longest > 0 && len(raw) > s.Longest:
			return
		}
		if s.Record != nil {
			s.Record(true, text)
		}
		m, err := Parse([]byte(text), s.Charset)
		if err != nil {
			s.Log.Warn("sip2 server", "err", err)
			if s.send(Message{ID: "96"}, Message{}) != nil {
				return
			}
			continue
		}
		if m.Sum == SumBad {
			if s.send(Message{ID: "96"}, m) != nil {
				return
			}
			continue
		}
		a, ok := s.answer(m)
		if !ok || s.send(a, m) != nil || a.ID == "94" && a.Fixed == "0" {
			return
		}
	}
}

// send answers with checksum and sequence number if the question had them; a
// 96 never has a number.
func (s *session) send(a, m Message) error {
	if a.ID != "96" {
		a.Seq = m.Seq
	}
	raw, err := a.Encode(s.Charset, m.Sum != SumNone)
	if err != nil {
		s.Log.Error("sip2 server", "err", err)
		return err
	}
	if a.ID != "96" {
		s.last = raw
	}
	if s.Record != nil {
		s.Record(false, strings.TrimRight(string(raw), "\r"))
	}
	if s.CRLF {
		raw = append(raw, '\n')
	}
	_, err = s.conn.Write(raw)
	return err
}

// answer answers one message; false ends the connection.
func (s *session) answer(m Message) (Message, bool) {
	if m.ID == "93" {
		s.in = s.backend.Login(m.Value("CN"), m.Value("CO"))
		return Message{ID: "94", Fixed: yes(s.in, "1", "0")}, true
	}
	if !s.in {
		return Message{}, false // as real servers do
	}
	switch m.ID {
	case "99":
		return s.status(), true
	case "97":
		if s.last == nil || s.NoResend {
			return Message{ID: "96"}, true
		}
		last, err := Parse(s.last, s.Charset)
		return last, err == nil
	case "23", "63":
		return s.patron(m), true
	case "17":
		return s.item(m), true
	case "11":
		return s.checkout(m, kiosk.Checkout), true
	case "29":
		return s.checkout(m, kiosk.Renew), true
	case "09":
		return s.checkin(m), true
	case "19":
		return s.update(m), !s.NoStatusUpdate
	case "15":
		if h, ok := s.backend.(Holder); ok {
			return s.hold(m, h), true
		}
	case "35":
		return s.echo("36", "Y"+s.now(), m), true
	}
	s.Log.Warn("sip2 server: message not supported", "id", m.ID)
	return Message{ID: "96"}, true
}

func yes(b bool, y, n string) string {
	if b {
		return y
	}
	return n
}

func (s *session) now() string { return formatDate(time.Now(), s.Zone) }

func (s *session) status() Message {
	return Message{ID: "98", Fixed: "YYYYNY" + "100" + "003" + s.now() + "2.00"}.
		With("AO", s.Institution).With("BX", "YYYNY"+yes(s.NoResend, "N", "Y")+"YYYNY"+yes(s.NoStatusUpdate, "N", "Y")+"N"+yes(s.takesHolds(), "Y", "N")+"YN")
}

func (s *session) echo(id, fixed string, m Message) Message {
	return Message{ID: id, Fixed: fixed}.With("AO", m.Value("AO")).With("AA", m.Value("AA"))
}

func (s *session) patron(m Message) Message {
	pin := m.Value("AD")
	p, loans, err := s.backend.Patron(kiosk.Card(m.Value("AA")), pin)
	no, _ := errors.AsType[*kiosk.Error](err)
	known := err == nil || no != nil && no.Reason == kiosk.ReasonWrongPIN
	flags := strings.Repeat(" ", 14)
	if !known || p.Blocked != "" {
		flags = "YYYY" + strings.Repeat(" ", 10)
	}
	for i, r := range flagReasons {
		if r != "" && r == p.Blocked {
			flags = flags[:i] + "Y" + flags[i+1:]
			break
		}
	}
	var ready, waiting []kiosk.Barcode
	var owed int64
	if w, ok := s.backend.(Waiter); ok && known {
		ready, waiting, owed = w.Waits(kiosk.Card(m.Value("AA")))
	}
	id, fixed := "24", flags+languageCode(p.Language)+s.now()
	if m.ID == "63" {
		id, fixed = "64", fixed+fmt.Sprintf("%04d%04d%04d%04d%04d%04d", min(len(ready), 9999), 0, min(len(loans), 9999), 0, 0, min(len(waiting), 9999))
	}
	a := s.echo(id, fixed, m).With("AE", strings.TrimSpace(p.FirstName+" "+p.FamilyName)).With("BL", yes(known, "Y", "N"))
	if p.Email != "" {
		a = a.With("BE", p.Email)
	}
	if pin != "" { // an empty one is not checked
		a = a.With("CQ", yes(known && err == nil, "Y", "N"))
	}
	if m.ID == "63" {
		a = summary(m, a, loans, ready, waiting)
	}
	if owed > 0 {
		a = a.With("BH", "USD").With("BV", fmt.Sprintf("%d.%02d", owed/100, owed%100))
	}
	if !p.Expires.IsZero() {
		a = a.With("PA", p.Expires.Add(-time.Second).In(s.Zone).Format("20060102"))
	}
	for _, text := range []string{p.BlockText, screenText(no)} {
		if text != "" {
			a = a.With("AF", text)
		}
	}
	return a
}

// summary adds the list that a 63 asks for.
func summary(m, a Message, loans []kiosk.Loan, ready, waiting []kiosk.Barcode) Message {
	asks := func(which list) bool { return m.Part(21+which.place, 1) == "Y" }
	if asks(chargedList) {
		for _, l := range loans {
			a = a.With(chargedList.field, string(l.Item))
		}
	}
	for which, items := range map[list][]kiosk.Barcode{heldList: ready, waitingList: waiting} {
		for _, b := range items {
			if asks(which) {
				a = a.With(which.field, string(b))
			}
		}
	}
	return a
}

func screenText(e *kiosk.Error) string {
	if e == nil {
		return ""
	}
	return e.Text
}

func (s *session) item(m Message) Message {
	i, st, _, err := s.backend.Item(kiosk.Barcode(m.Value("AB")))
	code := "01"
	for c, status := range statuses {
		if status == st.Status && (code == "01" || c < code) {
			code = c
		}
	}
	a := Message{ID: "18", Fixed: yes(err == nil, code, "01") + "02" + "01" + s.now()}.With("AB", m.Value("AB")).With("AJ", i.Title)
	if !st.Due.IsZero() {
		a = a.With("AH", formatDate(st.Due, s.Zone))
	}
	if st.Holds > 0 {
		a = a.With("CF", fmt.Sprint(st.Holds))
	}
	return a
}

func (s *session) update(m Message) Message {
	i, _, _, err := s.backend.Item(kiosk.Barcode(m.Value("AB")))
	return Message{ID: "20", Fixed: yes(err == nil, "1", "0") + s.now()}.With("AB", m.Value("AB")).
		With("AJ", i.Title).With("CH", m.Value("CH"))
}

// do carries out what a transaction says, or undoes its opposite.
func (s *session) do(m Message, e kiosk.Entry, noBlock bool) (kiosk.Answer, error) {
	if c, ok := s.backend.(Canceller); ok && !s.NoCancel && m.Value("BI") == "Y" {
		return c.Cancel(e)
	}
	return s.backend.Do(e, noBlock)
}

// entry reads what a transaction says.
func (s *session) entry(m Message, k kiosk.Kind, at, due string) kiosk.Entry {
	return kiosk.Entry{Kind: k, Item: kiosk.Barcode(m.Value("AB")), Patron: kiosk.Card(m.Value("AA")),
		At: parseDate(at, s.Zone), Due: parseDate(due, s.Zone)}
}

func (s *session) checkout(m Message, k kiosk.Kind) Message {
	e := s.entry(m, k, m.Part(2, 18), m.Part(20, 18))
	a, err := s.do(m, e, m.Part(1, 1) == "Y")
	id := yes(k == kiosk.Renew, "30", "12")
	fixed := "1" + yes(a.Renewed || k == kiosk.Renew, "Y", "N") + "N" + yes(k == kiosk.Checkout, "Y", "N")
	if err != nil {
		fixed = "0NUN"
	}
	i, _, _, _ := s.backend.Item(e.Item)
	r := s.echo(id, fixed+s.now(), m).With("AB", string(e.Item)).With("AJ", cmp.Or(a.Title, i.Title))
	if a.Due.IsZero() {
		r = r.With("AH", a.DueText)
	} else {
		r = r.With("AH", formatDate(a.Due, s.Zone))
	}
	return spoken(r, a, err)
}

func (s *session) checkin(m Message) Message {
	e := s.entry(m, kiosk.Checkin, m.Part(19, 18), "")
	i, _, holder, _ := s.backend.Item(e.Item)
	a, err := s.do(m, e, m.Part(0, 1) == "Y")
	fixed := "1YN" + yes(a.Alert, "Y", "N")
	if err != nil {
		fixed = "0NNY"
	}
	r := Message{ID: "10", Fixed: fixed + s.now()}.With("AO", m.Value("AO")).With("AB", string(e.Item)).
		With("AQ", i.Library).With("AJ", cmp.Or(a.Title, i.Title))
	if holder != "" {
		r = r.With("AA", string(holder))
	}
	for cv, why := range purposes {
		if why != "" && why == a.Route.For {
			r = r.With("CV", cv)
		}
	}
	for _, f := range []Field{{"CT", a.Route.To}, {"CL", a.Route.Bin}} {
		if f.Value != "" {
			r = r.With(f.ID, f.Value)
		}
	}
	return spoken(r, a, err)
}

// spoken adds the words for the screen.
func spoken(r Message, a kiosk.Answer, err error) Message {
	if a.Text != "" {
		r = r.With("AF", a.Text)
	}
	if no, ok := errors.AsType[*kiosk.Error](err); ok && no.Text != "" {
		r = r.With("AF", no.Text)
	}
	return r
}
