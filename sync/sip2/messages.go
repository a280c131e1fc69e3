package sip2

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The steps of a trial that lend nothing: which messages a server takes, and
// how they are written.

// update sends the item's properties as they are.
func (p *prober) update(ctx context.Context) {
	const name = "item status update"
	at, err := p.ask(ctx, p.u.base("17", p.u.now()).With("AB", string(p.Item)).With("AC", p.u.TerminalPassword), "18")
	if err != nil {
		p.say(name, Failed, "%v", err)
		return
	}
	a, err := p.try(ctx, p.u.base("19", p.u.now()).With("AB", string(p.Item)).With("AC", p.u.TerminalPassword).With("CH", at.Value("CH")))
	switch {
	case err != nil:
		p.p.StatusUpdate = Unanswered
		p.say(name, Different, "not answered, or the line is dropped: %v", err)
	case a.ID == "20" && a.Part(0, 1) == "1":
		p.p.StatusUpdate = Honoured
		p.say(name, OK, "taken")
	default:
		p.p.StatusUpdate = Refused
		p.say(name, Different, "not taken")
	}
}

// resend asks for the last answer once more. Some servers then give one of
// another connection.
func (p *prober) resend(ctx context.Context) {
	const name = "resend"
	if _, err := p.look(ctx); err != nil {
		p.say(name, Failed, "%v", err)
		return
	}
	a, err := p.try(ctx, Message{ID: "97"})
	switch {
	case err != nil:
		p.p.Resend = Unanswered
		p.say(name, Different, "not answered, or the line is dropped: %v", err)
	case a.ID == "18" && strings.EqualFold(strings.TrimSpace(a.Value("AB")), string(p.Item)):
		p.p.Resend = Honoured
		p.say(name, OK, "the last answer comes again")
	case a.ID == "96":
		p.p.Resend = Refused
		p.say(name, Different, "answered by another request for resend")
	default:
		p.p.Resend = Refused
		p.say(name, Different, "another answer than the last one comes: it must not be asked")
	}
	p.hangUp() // whatever comes late
}

// charsetOf tells how an answer is written. Letters of code page 850 lie at 80
// to A5, those of Latin-1 from C0 on.
func charsetOf(b []byte) string {
	wide := func(r rune) bool { return r >= 0x80 }
	switch {
	case len(b) == 0:
		return ""
	case !strings.ContainsFunc(string(b), wide):
		return "ascii"
	case utf8.Valid(b):
		return "utf-8"
	case slices.ContainsFunc(b, func(c byte) bool { return 0x80 <= c && c <= 0xA5 }):
		return "cp850"
	}
	return "latin-1"
}

// wider is the charset of two answers. One of 8 bits wins: UTF-8 is known
// beside it.
func wider(a, b string) string {
	order := []string{"", "ascii", "utf-8", "latin-1", "cp850"}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// text compares the charset of the answers with the one that is configured,
// and asks for an item whose barcode holds a letter beyond ASCII, which there
// is not.
func (p *prober) text(ctx context.Context) {
	const barcode = "TRIAL-É"
	p.deaf = true
	a, err := p.try(ctx, p.u.base("17", p.u.now()).With("AB", barcode).With("AC", p.u.TerminalPassword))
	var odd []string
	switch echo := a.Value("AB"); {
	case err != nil:
		odd = append(odd, fmt.Sprintf("a letter beyond ASCII is not answered, or drops the line: %v", err))
	case a.ID != "18":
		odd = append(odd, "a letter beyond ASCII is not taken")
	case echo != "" && echo != barcode:
		odd = append(odd, fmt.Sprintf("%s comes back as %s", barcode, echo))
	}
	set := cmp.Or(string(p.u.Charset), "utf-8")
	seen := "answers are in " + set + ", as configured"
	switch got := p.p.Charset; got {
	case "ascii", "":
		seen = "answers held nothing beyond ASCII: an item with an accent in its title tells more"
	case set:
	case "utf-8":
		odd = append(odd, fmt.Sprintf("answers are in UTF-8, and charset is set to %s", set))
	default:
		odd = append(odd, fmt.Sprintf("answers are in 8 bits, by the look of it %s, and charset is set to %s", got, set))
	}
	if len(odd) > 0 {
		p.say("text", Different, "%s", strings.Join(odd, "; "))
		return
	}
	p.say("text", OK, "%s; a letter beyond ASCII comes back as it went", seen)
}

// sizes are the lengths of requests that are tried, in bytes: a kiosk's own
// have 100 to 600.
var sizes = []int{150, 300, 600, 1200, 2500, 5000, 10000}

// long asks for the item with the same barcode told again and again: other
// fields might mean something, and unknown ones end some servers.
func (p *prober) long(ctx context.Context) {
	const name = "long request"
	var asked, came, why string
	for _, size := range sizes {
		m := p.u.base("17", p.u.now()).With("AB", string(p.Item)).With("AC", p.u.TerminalPassword)
		m.Seq = '0' // to be counted
		length := 0
		for {
			raw, err := m.Encode(p.u.Charset, true)
			if length = len(raw); err != nil || length >= size {
				break
			}
			m = m.With("AB", string(p.Item))
		}
		a, err := p.try(ctx, m)
		if err != nil || a.ID != "18" || !strings.EqualFold(strings.TrimSpace(a.Value("AB")), string(p.Item)) {
			why = fmt.Sprintf("one of %d bytes is not answered as it should be", length)
			break
		}
		p.p.Longest, asked, came = length, p.asked, p.came
	}
	switch {
	case why == "":
		p.say(name, OK, "one of %d bytes is taken; longer ones were not tried", p.p.Longest)
	case p.p.Longest == 0:
		p.say(name, Failed, "%s; by a field told twice, or by its length", why)
	default:
		p.asked, p.came = asked, came
		v := OK
		if p.p.Longest < 600 {
			v = Different
		}
		p.say(name, v, "one of %d bytes is taken; %s", p.p.Longest, why)
	}
}
