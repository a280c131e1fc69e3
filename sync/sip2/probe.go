package sip2

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Trial is what a server is tried with: a card and an item that are nobody's.
type Trial struct {
	Card kiosk.Card
	PIN  string // empty: it is not tried
	Item kiosk.Barcode

	Wait time.Duration // longest wait for one answer; 0 means 8 s
	Seen func(Step)    // called with each step as it is done, if it is set
}

// Step is one thing that was tried.
type Step struct {
	Name    string  `json:"step"`
	Verdict Verdict `json:"verdict"`
	Asked   string  `json:"asked,omitempty"` // the message, without its checksum; secrets are starred
	Came    string  `json:"came,omitempty"`  // the answer, or its beginning; empty: none came
	Words   string  `json:"words"`           // what it means
}

// Verdict is what a step came to.
type Verdict string

// The verdicts.
const (
	OK        Verdict = "ok"
	Different Verdict = "different" // from the protocol, or from what a kiosk would wish
	Failed    Verdict = "failed"    // it went wrong, or can't be told
)

// Report is all that was tried, in order.
type Report []Step

var (
	// ErrTrial says that card or item can't be used for a trial, or are
	// somebody's. Nothing has been changed.
	ErrTrial = errors.New("sip2: not a card and an item for a trial")
	// ErrLeft says that the trial's item is, or may be, still out to the
	// trial's card.
	ErrLeft = errors.New("sip2: the item of the trial is not back: return it at the desk")
)

const (
	trialWait = 8 * time.Second
	endTime   = 40 * time.Second // for the last return, whatever came before
	redials   = 3
	redial    = time.Second // between them
)

// Conform tries out what a server does, on a connection of its own: it lends
// the item to the card a few times and returns it, and has a close look at
// the answers. Nothing is changed before card and item have been looked at,
// and they must be free: a card without loans and holds, an item that is
// available and that nobody waits for.
//
// What the server does otherwise is a step of the report, and a line that it
// drops is opened again. The error says why the trial did not come to its end,
// and then the profile is empty; or that it did, and is ErrLeft.
func Conform(ctx context.Context, c Config, t Trial) (Report, Profile, error) {
	u, err := NewUpstream(c)
	if err != nil {
		return nil, Profile{}, err
	}
	defer u.Close()
	t.Wait = cmp.Or(t.Wait, trialWait)
	p := &prober{Trial: t, u: u, p: Profile{Name: probed, Address: c.Address}}
	defer p.hangUp()
	err = p.run(ctx)
	var left error
	if p.lent {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		left = p.end(end)
	}
	if err != nil {
		return p.report, Profile{}, errors.Join(err, left)
	}
	p.p.Tested = time.Now().UTC().Truncate(time.Second)
	return p.report, p.p, left
}

// prober is a trial under way.
type prober struct {
	Trial
	u      *Upstream // asks nothing itself
	line   *line     // nil: to be opened
	gone   error     // why it could not be opened any more
	tape   tape
	asked  string // the last question, as it is shown
	came   string // its answer
	deaf   bool   // the charset of answers is of no interest
	lent   bool   // a checkout has been sent
	plain  loan   // what came of an ordinary one
	report Report
	p      Profile
}

func (p *prober) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{p.login, p.status, p.patron, p.item, p.lending} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context){p.update, p.resend, p.text, p.long} {
		step(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case p.gone != nil:
			return p.gone
		}
	}
	return nil
}

// say adds a step to the report, with the last question and its answer.
func (p *prober) say(name string, v Verdict, format string, args ...any) {
	s := Step{Name: name, Verdict: v, Asked: p.asked, Came: p.came, Words: fmt.Sprintf(format, args...)}
	p.report = append(p.report, s)
	if p.Seen != nil {
		p.Seen(s)
	}
}

// tape keeps the last answer.
type tape struct{ last []byte }

func (t *tape) Write(b []byte) (int, error) {
	if room := MaxMessage - len(t.last); room > 0 {
		t.last = append(t.last, b[:min(room, len(b))]...)
	}
	return len(b), nil
}

// shown is a message as a report shows it.
func (p *prober) shown(b []byte) string {
	const most = 300
	s := p.u.Charset.decode(bytes.Trim(b, "\r\n"))
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

// question is a request as a report shows it, passwords and PIN starred.
func (p *prober) question(m Message) string {
	m.Fields = slices.Clone(m.Fields)
	for i, f := range m.Fields {
		if f.Value != "" && (f.ID == "AC" || f.ID == "AD") {
			m.Fields[i].Value = "***"
		}
	}
	raw, err := m.Encode(p.u.Charset, false)
	if err != nil {
		return m.ID
	}
	return p.shown(raw)
}

// heard shows the answer to the last question, and notes how it is written.
func (p *prober) heard() {
	p.came = p.shown(p.tape.last)
	if !p.deaf {
		p.p.Charset = wider(p.p.Charset, charsetOf(p.tape.last))
	}
}

// open gives a line that is logged in. A server may need a moment to come
// back from what it was asked.
func (p *prober) open(ctx context.Context) (*line, error) {
	if p.line != nil {
		return p.line, nil
	}
	if p.gone != nil {
		return nil, p.gone
	}
	for n := 1; ; n++ {
		l, err := dial(ctx, &p.u.Config)
		if err == nil {
			l.in = bufio.NewReaderSize(io.TeeReader(l.in, &p.tape), 4096)
			p.line = l
			return l, nil
		}
		if n == redials || errors.Is(err, ErrLogin) || ctx.Err() != nil {
			p.gone = err
			return nil, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(redial):
		}
	}
}

func (p *prober) hangUp() {
	if p.line != nil {
		p.line.conn.Close()
		p.line = nil
	}
}

// ask puts a question as a kiosk does.
func (p *prober) ask(ctx context.Context, m Message, want string) (Message, error) {
	p.asked, p.came = p.question(m), ""
	l, err := p.open(ctx)
	if err != nil {
		return Message{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.Wait)
	defer cancel()
	p.tape.last = nil
	a, err := l.ask(ctx, m, want)
	p.heard()
	if err != nil {
		p.hangUp()
	}
	return a, err
}

// try puts a question of which any answer will do, 96 as well.
func (p *prober) try(ctx context.Context, m Message) (Message, error) {
	p.asked, p.came = p.question(m), ""
	l, err := p.open(ctx)
	if err != nil {
		return Message{}, err
	}
	sum := l.Checksum != "off"
	if sum && m.ID != "97" {
		l.seq = '0' + (l.seq-'0'+1)%10
		m.Seq = l.seq
	}
	raw, err := m.Encode(l.Charset, sum)
	if err != nil {
		return Message{}, err
	}
	a, err := p.exchange(ctx, raw)
	p.heard()
	if err != nil {
		p.hangUp()
	}
	return a, err
}

func (p *prober) exchange(ctx context.Context, raw []byte) (Message, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Wait)
	defer cancel()
	conn := p.line.conn
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(p.Wait)); err != nil {
		return Message{}, err
	}
	p.tape.last = nil
	if _, err := conn.Write(raw); err != nil {
		return Message{}, err
	}
	text, err := p.line.read()
	if err == nil {
		err = ctx.Err() // the deadline may be in the past: the line is of no more use
	}
	if err != nil {
		return Message{}, err
	}
	return Parse(text, p.u.Charset)
}

// loan is what came of a checkout.
type loan struct {
	heard   bool // it was answered
	took    bool // with a yes
	renewed bool
	told    time.Time // due by the answer; zero: none, or none that can be read
	due     time.Time // due by the item, or else as told
	text    string    // due, as it is written in the answer
	words   string    // for the screen
}

// lend checks the item out, and looks when it is due.
func (p *prober) lend(ctx context.Context, noBlock, cancel bool, at, due time.Time) loan {
	m := p.u.base("11", "N"+yes(noBlock, "Y", "N")+formatDate(at, p.u.Zone)+formatDate(due, p.u.Zone)).
		With("AA", string(p.Card)).With("AB", string(p.Item)).With("AC", p.u.TerminalPassword).
		With("BO", "N").With("BI", yes(cancel, "Y", "N"))
	p.lent = true
	a, err := p.ask(ctx, m, "12")
	if err != nil {
		return loan{words: err.Error()}
	}
	l := loan{heard: true, took: a.Part(0, 1) == "1", renewed: a.Part(1, 1) == "Y", text: a.Value("AH"),
		words: strings.Join(a.All("AF"), " ")}
	if !l.took {
		return l
	}
	l.told = parseDue(l.text, p.u.Zone)
	l.due = l.told
	asked, came := p.asked, p.came
	if st, err := p.look(ctx); err == nil && !st.Due.IsZero() {
		l.due = st.Due
	}
	p.asked, p.came = asked, came
	return l
}

func (p *prober) look(ctx context.Context) (kiosk.Standing, error) {
	a, err := p.ask(ctx, p.u.base("17", p.u.now()).With("AB", string(p.Item)).With("AC", p.u.TerminalPassword), "18")
	if err != nil {
		return kiosk.Standing{}, err
	}
	return p.u.standing(a), nil
}

// back returns the item, and looks whether it is out no more. What the desk
// said is in words.
func (p *prober) back(ctx context.Context, cancel bool) (words string, err error) {
	now := p.u.now()
	m := Message{ID: "09", Fixed: "N" + now + now}.With("AP", "").With("AO", p.u.Institution).
		With("AB", string(p.Item)).With("AC", p.u.TerminalPassword).With("BI", yes(cancel, "Y", "N"))
	a, err := p.ask(ctx, m, "10")
	words = strings.Join(a.All("AF"), " ")
	asked, came := p.asked, p.came
	defer func() { p.asked, p.came = asked, came }()
	st, lookErr := p.look(ctx)
	switch {
	case lookErr != nil:
		return words, cmp.Or(err, lookErr)
	case st.Status == kiosk.StatusOnLoan:
		return words, cmp.Or(err, fmt.Errorf("the item is still out after its return: %s", cmp.Or(words, "no words")))
	}
	return words, nil
}
