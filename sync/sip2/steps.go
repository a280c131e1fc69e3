package sip2

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func (p *prober) login(ctx context.Context) error {
	p.asked, p.came = "93", ""
	_, err := p.open(ctx)
	switch {
	case err != nil:
		p.say("login", Failed, "%v", err)
		return err
	case p.u.User == "":
		p.asked = ""
		p.say("login", OK, "none is configured, and none is needed")
	default:
		p.came = "94"
		p.say("login", OK, "taken, of user %s", p.u.User)
	}
	return nil
}

// messages are what BX tells of, of what a kiosk sends.
var messages = []struct {
	pos  int
	name string
}{{1, "checkout"}, {2, "checkin"}, {7, "patron information"}, {10, "item information"}, {14, "renew"}}

// drift is how far the server's clock may be from ours: due dates are told
// beside each other.
const drift = 5 * time.Minute

func (p *prober) status(ctx context.Context) error {
	a, err := p.ask(ctx, Message{ID: "99", Fixed: "00802.00"}, "98")
	if err != nil {
		p.say("status", Failed, "%v", err)
		return err
	}
	var odd []string
	for i, name := range []string{"that it is on-line", "checkins", "checkouts"} {
		if a.Part(i, 1) == "N" {
			odd = append(odd, "denies "+name)
		}
	}
	switch bx := a.Value("BX"); {
	case bx == "":
		odd = append(odd, "does not say which messages it takes")
	default:
		for _, m := range messages {
			if m.pos < len(bx) && bx[m.pos] == 'N' {
				odd = append(odd, "says that it does not take "+m.name)
			}
		}
	}
	if p.u.Checksum != "off" {
		odd = append(odd, map[Sum][]string{SumNone: {"sends no checksums"}, SumLoose: {"counts checksums over letters and not over bytes"},
			SumBad: {"sends wrong checksums"}}[a.Sum]...)
	}
	if t := parseDate(a.Part(12, 18), p.u.Zone); !t.IsZero() && time.Since(t).Abs() > drift {
		odd = append(odd, fmt.Sprintf("has a clock that differs by %v from this one", time.Since(t).Abs().Round(time.Second)))
	}
	offline := yes(a.Part(5, 1) == "Y", "it says", "it does not say")
	if len(odd) > 0 {
		p.say("status", Different, "the server %s; %s that it takes what happened while it was away", strings.Join(odd, ", "), offline)
		return nil
	}
	p.say("status", OK, "on-line; %s that it takes what happened while it was away", offline)
	return nil
}

// unfit ends a trial that must not begin.
func (p *prober) unfit(name, format string, args ...any) error {
	p.say(name, Failed, format, args...)
	return fmt.Errorf("%w: %s", ErrTrial, fmt.Sprintf(format, args...))
}

// patron looks at the card. One that has loans or holds is somebody's.
func (p *prober) patron(ctx context.Context) error {
	m, want := p.u.base("63", "001"+p.u.now()+"  Y       "), "64"
	if !p.line.supports(7) {
		m, want = p.u.base("23", "001"+p.u.now()), "24"
	}
	m = m.With("AA", string(p.Card)).With("AC", p.u.TerminalPassword)
	if p.PIN != "" {
		m = m.With("AD", p.PIN)
	}
	a, err := p.ask(ctx, m, want)
	if err != nil {
		p.say("patron", Failed, "%v", err)
		return err
	}
	who, err := p.u.patron(a, p.Card, p.PIN)
	no, _ := errors.AsType[*kiosk.Error](err)
	wrongPIN := no != nil && no.Reason == kiosk.ReasonWrongPIN
	if err != nil || len(a.All("AU")) > 0 || count(a, 2) > 0 || count(a, 0) > 0 {
		p.came = a.ID // what it says is somebody's
	}
	loans, holds := a.All("AU"), count(a, 0)
	n := max(count(a, 2), len(loans))
	switch {
	case err != nil && !wrongPIN:
		return p.unfit("patron", "the server does not know card %s: %v", p.Card, err)
	case who.Blocked != "":
		return p.unfit("patron", "card %s may not borrow: %s %s", p.Card, who.Blocked, who.BlockText)
	case n == 1 && len(loans) == 1 && strings.EqualFold(strings.TrimSpace(loans[0]), string(p.Item)):
		return p.unfit("patron", "card %s has item %s out, perhaps of an earlier trial: return it at the desk first", p.Card, p.Item)
	case n > 0:
		return p.unfit("patron", "card %s has loans (%d): it looks like somebody's, and a trial needs a card of its own", p.Card, n)
	case holds > 0:
		return p.unfit("patron", "card %s waits for items (%d): it looks like somebody's, and a trial needs a card of its own", p.Card, holds)
	case wrongPIN:
		_, checked := a.Get("CQ")
		p.say("patron", Different, "known, without loans; %s", yes(checked, "the PIN is wrong", "the PIN is not checked"))
	case want == "24":
		p.say("patron", Different, "known; without patron information (63) its loans can't be seen")
	case p.PIN != "":
		p.say("patron", OK, "known, without loans; the PIN is right")
	default:
		p.say("patron", OK, "known, without loans; no PIN was tried")
	}
	return nil
}

// count is one of the six counts of a 64, -1 for none.
func count(m Message, n int) int {
	c, err := strconv.Atoi(strings.TrimSpace(m.Part(14+3+18+4*n, 4)))
	if m.ID != "64" || err != nil {
		return -1
	}
	return c
}

// item looks at the item: it must be on its shelf, and nobody may wait for it.
func (p *prober) item(ctx context.Context) error {
	st, err := p.look(ctx)
	switch {
	case err != nil:
		return p.unfit("item", "without item information (17) it can't be seen whether somebody has it: %v", err)
	case !st.Known:
		return p.unfit("item", "the server does not know item %s", p.Item)
	case st.Status == kiosk.StatusOnLoan:
		return p.unfit("item", "item %s is out, and not to this card: it is somebody's loan", p.Item)
	case st.Holds > 0 || st.Status == kiosk.StatusOnHold:
		return p.unfit("item", "somebody waits for item %s: a return would call them", p.Item)
	case st.Status != kiosk.StatusAvailable:
		return p.unfit("item", "item %s is not available but %s", p.Item, st.Status)
	}
	p.say("item", OK, "%q is available", st.Title)
	return nil
}

// lending lends and returns in every way. It ends early when the item can't be
// lent or returned.
func (p *prober) lending(ctx context.Context) error {
	for _, step := range []func(context.Context) error{p.checkout, p.lists, p.again, p.noBlock, p.cancelCheckout} {
		if err := step(ctx); err != nil {
			return err
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case p.gone != nil:
			return p.gone
		}
	}
	return nil
}

func (p *prober) checkout(ctx context.Context) error {
	l := p.lend(ctx, false, false, time.Now(), time.Time{})
	switch {
	case !l.heard:
		p.say("checkout", Failed, "no answer: %s", l.words)
		return fmt.Errorf("sip2: checkout: %s", l.words)
	case !l.took:
		return p.unfit("checkout", "the server does not lend it: %s", cmp.Or(l.words, "without words"))
	case l.due.IsZero():
		p.say("checkout", Different, "lent; the due date is told as %q, which can't be read", l.text)
	case l.told.IsZero():
		p.say("checkout", Different, "lent; the due date %s is told by item information only", p.day(l.due))
	default:
		p.say("checkout", OK, "lent until %s", p.day(l.due))
	}
	p.plain = l
	return nil
}

func (p *prober) day(t time.Time) string {
	if t.IsZero() {
		return "that is not told"
	}
	return t.In(p.u.Zone).Format(time.DateOnly)
}

// lists looks whether the card's list shows the loan: by that a kiosk knows
// what became of a question that was not answered.
func (p *prober) lists(ctx context.Context) error {
	st, err := p.look(ctx)
	if err == nil && st.Status != kiosk.StatusOnLoan {
		p.say("lists", Different, "item information does not show that it is out, but says %s", st.Status)
		return nil
	}
	var mine kiosk.Tri
	if l, openErr := p.open(ctx); err == nil && openErr == nil {
		c, cancel := context.WithTimeout(ctx, p.Wait)
		defer cancel()
		p.tape.last = nil
		if mine, err = p.u.mine(c, l, p.Item, p.Card); err != nil {
			p.hangUp()
		}
		p.asked, p.came = "63, summary of what is charged", p.shown(p.tape.last)
	}
	switch {
	case err != nil:
		p.say("lists", Failed, "%v", err)
	case mine == kiosk.Yes:
		p.say("lists", OK, "item and card both show the loan")
	default:
		p.say("lists", Different, "the card's list does not name the item: after a cut line it can't be told whose loan it is")
	}
	return nil
}

// again asks for what the card has already, and returns it. A return that is
// undone then is known by the due date of the renewal, if that was another.
func (p *prober) again(ctx context.Context) error {
	l := p.lend(ctx, false, false, time.Now(), time.Time{})
	switch {
	case !l.heard:
		p.p.Renews = Unanswered
		p.say("second checkout", Failed, "no answer: %s", l.words)
	case !l.took:
		p.p.Renews = Refused
		p.say("second checkout", OK, "refused: %s", cmp.Or(l.words, "without words"))
	case l.renewed:
		p.p.Renews = Honoured
		p.say("second checkout", OK, "renewed until %s: a question must not be asked twice", p.day(l.due))
	default:
		p.p.Renews = Ignored
		p.say("second checkout", Different, "lent once more, until %s, and not called a renewal", p.day(l.due))
	}
	if err := p.giveBack(ctx, "checkin"); err != nil {
		return err
	}
	if l.took && !p.same(l.due, p.plain.due) {
		return p.cancelReturn(ctx, l.due)
	}
	return nil
}

func (p *prober) giveBack(ctx context.Context, name string) error {
	words, err := p.back(ctx, false)
	if err != nil {
		p.say(name, Failed, "%v", err)
		return fmt.Errorf("sip2: %s: %w", name, err)
	}
	p.say(name, OK, "returned%s", yes(words == "", "", ": "+words))
	return nil
}

func (p *prober) same(a, b time.Time) bool {
	return !a.IsZero() && !b.IsZero() && p.number(a) == p.number(b)
}

// number counts calendar days.
func (p *prober) number(t time.Time) int {
	y, m, d := t.In(p.u.Zone).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// cancelReturn undoes a return. If the loan is then due when it was before,
// and not when a new loan would be, it was undone indeed. Afterwards the item
// is returned.
func (p *prober) cancelReturn(ctx context.Context, before time.Time) error {
	l := p.lend(ctx, false, true, time.Now(), time.Time{})
	const name = "cancelled return"
	switch {
	case !l.heard:
		p.p.Cancel = Unanswered
		p.say(name, Different, "no answer: %s", l.words)
	case !l.took:
		p.p.Cancel = Refused
		p.say(name, Different, "refused: %s", cmp.Or(l.words, "without words"))
		return nil
	case p.same(l.due, before):
		p.p.Cancel = Honoured
		p.say(name, OK, "undone: the loan is due %s, as it was", p.day(l.due))
	case p.same(l.due, p.plain.due):
		p.p.Cancel = Ignored
		p.say(name, Different, "taken for a new loan, due %s and not %s", p.day(l.due), p.day(before))
	default:
		p.say(name, Failed, "it can't be told: the loan is due %s, was due %s, and a new one would be %s",
			p.day(l.due), p.day(before), p.day(p.plain.due))
	}
	return p.giveBack(ctx, "checkin")
}

const (
	beyond  = 11 // days by which the promise is later than an ordinary loan
	earlier = 9  // days since the loan, or less where it would be overdue by now
	shifts  = 3  // days by which closed days may move a due date
)

// noBlock tells of a loan of some days ago, with a due date that the server
// would not give.
func (p *prober) noBlock(ctx context.Context) error {
	const name = "no block"
	now := time.Now().In(p.u.Zone)
	days := p.number(p.plain.due) - p.number(now)
	if p.plain.due.IsZero() || days < 1 {
		p.asked, p.came = "", ""
		p.say(name, Failed, "the item is lent for less than a day, or without a due date: what becomes of a promised one can't be told")
		return nil
	}
	ago := max(0, min(earlier, days-2))
	y, m, d := now.Date()
	promise := time.Date(y, m, d+days+beyond, 23, 59, 59, 0, p.u.Zone)
	l := p.lend(ctx, true, false, now.AddDate(0, 0, -ago), promise)
	switch {
	case !l.heard:
		p.p.NoBlock = Unanswered
		p.say(name, Different, "no answer: %s", l.words)
		return nil
	case !l.took:
		p.p.NoBlock = Refused
		p.say(name, Different, "refused, though the same loan was taken before: %s", cmp.Or(l.words, "without words"))
		return nil
	}
	p.p.NoBlock, p.p.Due = judgeDue(p.number(l.due)-p.number(now), days, ago)
	due := p.day(l.due)
	switch {
	case l.due.IsZero():
		p.p.NoBlock, p.p.Due = HabitUnknown, DueUnknown
		p.say(name, Failed, "taken; the due date is told neither by the answer nor by the item")
	case p.p.Due == DueKept:
		p.say(name, OK, "taken, and the promised due date %s is kept", due)
	case p.p.Due == DueLoanDate:
		p.say(name, Different, "the promised due date %s is taken for the date of the loan: due %s; the date of the loan will be sent in its place", p.day(promise), due)
	case p.p.NoBlock == Honoured:
		p.say(name, Different, "taken, but due %s, counted from the date of the loan, and not %s as promised", due, p.day(promise))
	case p.p.NoBlock == Ignored:
		p.say(name, Different, "taken like a question: due %s, counted from today, and not %s as promised", due, p.day(promise))
	default:
		p.say(name, Failed, "taken; due %s, and it can't be told why: promised was %s, and a new loan is due %s", due, p.day(promise), p.day(p.plain.due))
	}
	if p.p.Cancel != HabitUnknown || p.same(l.due, p.plain.due) || l.due.IsZero() {
		return nil
	}
	if err := p.giveBack(ctx, "checkin"); err != nil {
		return err
	}
	return p.cancelReturn(ctx, l.due)
}

// judgeDue tells from what day a server has counted, all in days from today:
// due is what it says, days what an ordinary loan has, and the loan was told
// to be so long ago.
func judgeDue(due, days, ago int) (Habit, DueHabit) {
	promised := days + beyond
	if due == promised {
		return Honoured, DueKept
	}
	type guess struct {
		off int
		n   Habit
		d   DueHabit
	}
	guesses := []guess{{due - (promised + days), Honoured, DueLoanDate}, {due - days, Ignored, DueIgnored}}
	if ago > 0 {
		guesses = append(guesses, guess{due - (days - ago), Honoured, DueIgnored})
	}
	for i := range guesses {
		guesses[i].off = max(guesses[i].off, -guesses[i].off)
	}
	slices.SortFunc(guesses, func(a, b guess) int { return cmp.Compare(a.off, b.off) })
	if best := guesses[0]; best.off <= shifts && best.off != guesses[1].off {
		return best.n, best.d
	}
	return HabitUnknown, DueUnknown
}

// cancelCheckout undoes a loan: what a kiosk does when a tag can't be
// released.
func (p *prober) cancelCheckout(ctx context.Context) error {
	const name = "cancelled checkout"
	if st, err := p.look(ctx); err == nil && st.Status != kiosk.StatusOnLoan {
		if l := p.lend(ctx, false, false, time.Now(), time.Time{}); !l.took {
			p.say(name, Failed, "not tried: the item is not lent again: %s", l.words)
			return nil
		}
	}
	words, err := p.back(ctx, true)
	if err == nil {
		p.say(name, OK, "the item is back%s; %s", yes(words == "", "", ": "+words),
			yes(p.p.Cancel == Honoured, "undone, or returned", "returned, if not undone"))
		return nil
	}
	p.say(name, Different, "the loan stands: %v", err)
	if p.p.Cancel == HabitUnknown || p.p.Cancel == Honoured {
		p.p.Cancel = Refused
	}
	return p.giveBack(ctx, "checkin")
}

// end sees to it that the item is back, whatever became of the trial.
func (p *prober) end(ctx context.Context) error {
	p.hangUp()
	p.gone = nil
	a, err := p.ask(ctx, p.u.base("17", p.u.now()).With("AB", string(p.Item)).With("AC", p.u.TerminalPassword), "18")
	if err == nil && p.u.standing(a).Status != kiosk.StatusOnLoan {
		p.say("end", OK, "the item is back")
		return nil
	}
	if err == nil {
		// It was free when the trial began, and the trial has lent it: unless
		// the card's list says clearly that somebody else has it by now.
		mine := kiosk.Unknown
		if l, openErr := p.open(ctx); openErr == nil {
			if mine, err = p.u.mine(ctx, l, p.Item, p.Card); err != nil {
				p.hangUp()
			}
		}
		if mine == kiosk.No {
			p.say("end", Failed, "the item is out, and not to this card: somebody has borrowed it meanwhile")
			return nil
		}
		words, backErr := p.back(ctx, false)
		if backErr == nil {
			p.say("end", OK, "the item was still out, and is back now%s", yes(words == "", "", ": "+words))
			return nil
		}
		err = backErr
	}
	p.say("end", Failed, "item %s may still be out to card %s: %v. Return it at the desk", p.Item, p.Card, err)
	return fmt.Errorf("%w: %w", ErrLeft, err)
}
