package sip2

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Upstream is a library's system that speaks SIP2, over as many connections
// as questions are asked at once.
type Upstream struct {
	Config
	pool  *pool
	heard atomic.Pointer[kiosk.Reading]

	takesHolds atomic.Bool // as the server last said
}

var (
	_ kiosk.Upstream = (*Upstream)(nil)
	_ kiosk.Undoer   = (*Upstream)(nil)
)

// NewUpstream makes an Upstream; nothing is connected yet.
func NewUpstream(c Config) (*Upstream, error) {
	c.Connections = cmp.Or(c.Connections, 4)
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("sip2: %w", err)
	}
	c.Zone = cmp.Or(c.Zone, time.Local)
	if told := Charset(c.Habits().Charset); c.Charset == "" && told.table() != nil {
		c.Charset = told
	}
	c.quirks = new(quirks)
	u := &Upstream{Config: c}
	u.pool = newPool(&u.Config)
	return u, nil
}

// Lines is how many questions can be under way at once, if the server takes
// as many connections.
func (u *Upstream) Lines() int { return u.Connections }

// HeedsNoBlock tells whether the server is known to lend by no-block what it
// would else refuse.
func (u *Upstream) HeedsNoBlock() bool { return u.Habits().NoBlock == Honoured }

// Close closes the connections; one with a question under way, when that is
// over.
func (u *Upstream) Close() error {
	u.pool.close()
	return nil
}

func (u *Upstream) with(ctx context.Context, do func(*line) error) error { return u.pool.with(ctx, do) }

// Probe implements kiosk.Upstream.
func (u *Upstream) Probe(ctx context.Context) error {
	return u.with(ctx, func(l *line) error {
		err := asOffline(l.askStatus(ctx))
		if err == nil {
			u.takesHolds.Store(l.status.Value("BX") == "" || l.supports(holdMessage))
		}
		if told := l.told; err == nil && !told.Time.IsZero() {
			u.heard.Store(&told)
		}
		return err
	})
}

func (u *Upstream) now() string { return formatDate(u.clock(), u.Zone) }

// base begins a request with the fields that every one has.
func (u *Upstream) base(id, fixed string) Message {
	return Message{ID: id, Fixed: fixed}.With("AO", u.Institution)
}

// Identify implements kiosk.Upstream, by 63, or by 23 where the server does
// not take that.
func (u *Upstream) Identify(ctx context.Context, card kiosk.Card, pin string) (p kiosk.Patron, err error) {
	if card == "" {
		return p, &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonUnknownCard}
	}
	err = u.with(ctx, func(l *line) error {
		m, want := u.base("63", "001"+u.now()+strings.Repeat(" ", 10)), "64"
		if !l.supports(7) {
			m, want = u.base("23", "001"+u.now()), "24"
		}
		m = m.With("AA", string(card)).With("AC", u.TerminalPassword)
		if pin != "" {
			m = m.With("AD", pin)
		}
		a, err := l.ask(ctx, m, want)
		if err != nil {
			return asOffline(err)
		}
		p, err = u.patron(a, card, pin)
		return err
	})
	return p, err
}

// patron reads a 64 or 24. A patron is valid with BL Y, or without BL if there
// is a name; a PIN is right with CQ Y only, for some servers check none.
func (u *Upstream) patron(a Message, card kiosk.Card, pin string) (kiosk.Patron, error) {
	text, name := a.Text("AF"), a.Text("AE")
	bl, told := a.Get("BL")
	if valid := strings.HasPrefix(bl, "Y") || !told && name != ""; !valid {
		return kiosk.Patron{}, &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonUnknownCard, Text: text}
	}
	p := kiosk.Patron{Card: card, FamilyName: name, Seen: u.clock(),
		Category: a.Value("PC"), Email: strings.TrimSpace(a.Value("BE")), Language: languages[a.Part(14, 3)]}
	if pin != "" {
		if !strings.HasPrefix(a.Value("CQ"), "Y") {
			return p, &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonWrongPIN, Text: text}
		}
		p.PINChecked = true
	}
	if pa := a.Value("PA"); len(pa) >= 8 { // expiry: good to the end of that day
		if t, err := time.ParseInLocation("20060102", pa[:8], u.Zone); err == nil {
			p.Expires = t.AddDate(0, 0, 1)
		}
	}
	if p.Blocked = blockOf(a.Part(0, 14), text); p.Blocked != "" {
		p.BlockText = text
		if p.Blocked == kiosk.ReasonCardBlocked && !p.Expires.IsZero() && !u.clock().Before(p.Expires) {
			p.Blocked = kiosk.ReasonCardExpired
		}
	}
	return p, nil
}

// languages are the protocol's codes as BCP 47 tags; 000 and what is not here
// is unknown. 001 is no wish: servers send it for everybody. Ukrainian and
// Vietnamese have no code: such a wish comes from the patron list only, see
// kiosk.Patron.Over.
var languages = map[string]string{
	"002": "fr", "003": "de", "004": "it", "005": "nl", "006": "sv", "007": "fi", "008": "es", "009": "da", "010": "pt",
	"011": "fr-CA", "012": "no", "013": "he", "014": "ja", "015": "ru", "016": "ar", "017": "pl", "018": "el", "019": "zh",
	"020": "ko", "021": "es-US", "022": "ta", "023": "ms", "024": "en-GB", "025": "is", "027": "zh-TW",
}

// languageCode is the code for a tag or for the base of it; 001 where the
// protocol has none.
func languageCode(tag string) string {
	base, _, _ := strings.Cut(tag, "-")
	for _, t := range []string{tag, base} {
		for code, l := range languages {
			if l == t {
				return code
			}
		}
	}
	return "001"
}

// Tell implements kiosk.Upstream.
func (u *Upstream) Tell(ctx context.Context, e kiosk.Entry) (a kiosk.Answer, err error) {
	m, want, err := u.request(e)
	if err != nil {
		return a, err
	}
	err = u.with(ctx, func(l *line) error {
		if want == "20" { // with the properties that the item has
			at, err := l.ask(ctx, u.base("17", u.now()).With("AB", string(e.Item)).With("AC", u.TerminalPassword), "18")
			if err != nil {
				return err
			}
			m = m.With("CH", at.Value("CH"))
		}
		answer, err := l.ask(ctx, m, want)
		if err != nil {
			return err
		}
		a, err = u.told(e.Kind, answer)
		return err
	})
	if no, ok := errors.AsType[*kiosk.Error](err); ok && no.Code == kiosk.CodeRefused && no.Reason == kiosk.ReasonAskStaff && happened(e) && e.Kind.Lends() {
		u.explain(ctx, no, e.Patron)
	}
	return a, err
}

// happened tells whether an entry is told after the fact. The desk was not
// asked then, and may have known of the patron what was so days ago.
func happened(e kiosk.Entry) bool { return e.State == kiosk.Offline || e.State == kiosk.Unsure }

// explain finds out of a no in words that nothing is known of, whether it is
// for the patron: of that the protocol has flags.
func (u *Upstream) explain(ctx context.Context, no *kiosk.Error, card kiosk.Card) {
	p, err := u.Identify(ctx, card, "")
	why := p.Blocked
	if e, ok := errors.AsType[*kiosk.Error](err); ok && e.Code == kiosk.CodeRefused {
		why, p.BlockText = e.Reason, e.Text
	}
	if why == "" {
		return
	}
	no.Reason = why
	if !strings.Contains(no.Text, p.BlockText) {
		no.Text = strings.Trim(no.Text+"; "+p.BlockText, "; ")
	}
}

// Undoes implements kiosk.Undoer: cancelling was tried there, and is honoured.
func (u *Upstream) Undoes() bool { return u.Habits().Cancel == Honoured }

// Undo implements kiosk.Undoer: a checkin that cancels (BI).
func (u *Upstream) Undo(ctx context.Context, e kiosk.Entry) error {
	if e.Kind != kiosk.Checkout || e.Item == "" || !u.Undoes() {
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: fmt.Sprintf("a %s can't be cancelled", e.Kind)}
	}
	m := u.checkin(e, u.now(), "N", "Y")
	return u.with(ctx, func(l *line) error {
		answer, err := l.ask(ctx, m, "10")
		if err == nil {
			_, err = u.told(kiosk.Checkin, answer)
		}
		return err
	})
}

// checkin writes a 09.
func (u *Upstream) checkin(e kiosk.Entry, at, noBlock, cancel string) Message {
	return Message{ID: "09", Fixed: noBlock + u.now() + at}.With("AP", "").With("AO", u.Institution).
		With("AB", string(e.Item)).With("AC", u.TerminalPassword).With("BI", cancel)
}

// request writes an entry as 11, 09 or 29, or 19. What already happened goes with its
// own time, with no block and the due date that was promised; or as the
// server's habits have it.
func (u *Upstream) request(e kiosk.Entry) (m Message, want string, err error) {
	happened := happened(e)
	noBlock, at, due := "N", u.now(), blankDate
	if happened {
		at = formatDate(e.At, u.Zone)
	}
	told, loanDate := u.Habits().happened()
	if happened && told && (!e.Due.IsZero() || !e.Kind.Lends()) {
		noBlock, due = "Y", formatDate(e.Due, u.Zone)
		if loanDate {
			due = at
		}
	}
	if e.Patron == "" && e.Kind.Lends() || e.Item == "" {
		return m, "", &kiosk.Error{Code: kiosk.CodeInvalid, Text: "an entry without card or item"}
	}
	switch e.Kind {
	case kiosk.Checkout:
		m = u.base("11", "N"+noBlock+at+due).With("AA", string(e.Patron)).With("AB", string(e.Item)).
			With("AC", u.TerminalPassword).With("BO", "N").With("BI", "N")
		return m, "12", nil
	case kiosk.Renew:
		m = u.base("29", "N"+noBlock+at+due).With("AA", string(e.Patron)).With("AB", string(e.Item)).
			With("AC", u.TerminalPassword).With("BO", "N")
		return m, "30", nil
	case kiosk.Checkin:
		return u.checkin(e, at, noBlock, "N"), "10", nil
	case kiosk.Seen:
		return u.seen(e, at, noBlock)
	}
	return m, "", &kiosk.Error{Code: kiosk.CodeInvalid, Text: fmt.Sprintf("an entry of kind %q", e.Kind)}
}

// seen writes that an item stood on the shelf, as the library wants it told.
func (u *Upstream) seen(e kiosk.Entry, at, noBlock string) (m Message, want string, err error) {
	switch u.Config.Seen {
	case "update":
		if h := u.Habits().StatusUpdate; h == Unanswered || h == Refused { // and a line would be lost for each
			return m, "", &kiosk.Error{Code: kiosk.CodeInvalid, Reason: kiosk.ReasonAskStaff,
				Text: fmt.Sprintf("this ILS takes no item status update (it is %s): set seen to checkin, under [upstream]", h)}
		}
		return u.base("19", at).With("AB", string(e.Item)).With("AC", u.TerminalPassword), "20", nil
	case "checkin":
		return u.checkin(e, at, noBlock, "N"), "10", nil
	}
	return m, "", &kiosk.Error{Code: kiosk.CodeInvalid, Reason: kiosk.ReasonAskStaff,
		Text: "what was seen on the shelf is not told to the ILS: set seen, to update or checkin, under [upstream]"}
}

// told reads a 12, 30, 10 or 20.
func (u *Upstream) told(k kiosk.Kind, m Message) (kiosk.Answer, error) {
	text := m.Text("AF")
	a := kiosk.Answer{Title: m.Text("AJ"), Text: text}
	if m.ID == "20" {
		if m.Part(0, 1) != "1" {
			return a, &kiosk.Error{Code: kiosk.CodeRefused, Text: text, Reason: reasonOf(text)}
		}
		a.Time = parseDate(m.Part(1, 18), u.Zone)
		return a, nil
	}
	date := 4
	if ok := m.Part(0, 1); ok != "1" && !(!k.Lends() && ok == "Y") {
		return a, u.refusal(k, m, text)
	}
	a.Time = parseDate(m.Part(date, 18), u.Zone)
	if !k.Lends() {
		a.Alert = alert(m)
		a.Route = routeOf(m)
		return a, nil
	}
	a.Renewed = k == kiosk.Checkout && m.Part(1, 1) == "Y"
	if ah := m.Value("AH"); ah != "" {
		if a.Due = parseDue(ah, u.Zone); a.Due.IsZero() {
			a.DueText = ah
		}
	}
	return a, nil
}

// refusal is a no. A checkin that names a patron or says that the item was
// not out was handled all the same; the reason tells that.
func (u *Upstream) refusal(k kiosk.Kind, m Message, text string) error {
	e := &kiosk.Error{Code: kiosk.CodeRefused, Text: text, Reason: reasonOf(text)}
	if !k.Lends() { // also what was not out may have to go somewhere
		e.Text = strings.Trim(text+"; "+routeOf(m).String(), "; ")
	}
	if bl, ok := m.Get("BL"); ok && strings.HasPrefix(bl, "N") {
		e.Reason = kiosk.ReasonUnknownCard
	}
	if fee(m) && e.Reason == kiosk.ReasonAskStaff {
		e.Reason = kiosk.ReasonFeeRequired
	}
	switch r := routeOf(m); {
	case k.Lends():
	case r.For == kiosk.ForHold || r.For == kiosk.ForHoldElsewhere:
		e.Reason = kiosk.ReasonOnHold // not loaned, but somebody waits for it
	case text == "" && !alert(m):
		e.Reason = kiosk.ReasonNotOnLoan // SIPServer says so by silence
	}
	return e
}

// fee tells whether a fee is asked for; some servers send one of 0.00.
func fee(m Message) bool { return strings.Trim(m.Value("BV"), "0., ") != "" }

// purposes are the alert types CV (3M's check-in extensions).
var purposes = map[string]kiosk.Purpose{"": "", "00": "", "01": kiosk.ForHold, "02": kiosk.ForHoldElsewhere,
	"03": kiosk.ForOtherLibrary, "04": kiosk.ForTransfer}

// routeOf reads where a returned item goes: CV, CT and CL. Koha may send type
// 00, and a place, with all that is well. CY and DA, for whom it is held, are
// left where they are: some servers put address and telephone there.
func routeOf(m Message) kiosk.Route {
	r := kiosk.Route{For: kiosk.ForStaff, Bin: m.Text("CL")}
	if why, ok := purposes[strings.TrimSpace(m.Value("CV"))]; ok {
		r.For = why
	}
	if r.For != "" {
		r.To = m.Text("CT")
	}
	return r
}

// alert tells whether staff must look at what was returned: the flag, or a
// type that is one.
func alert(m Message) bool { return m.Part(3, 1) == "Y" || routeOf(m).For != "" }

// statuses are the circulation statuses of an 18 (SIP2 2.12, "circulation
// status").
var statuses = map[string]kiosk.ItemStatus{
	"03": kiosk.StatusAvailable, "04": kiosk.StatusOnLoan, "05": kiosk.StatusOnLoan, "07": kiosk.StatusOnLoan,
	"08": kiosk.StatusOnHold, "09": kiosk.StatusAvailable, "10": kiosk.StatusInTransit, "11": kiosk.StatusOnLoan,
	"12": kiosk.StatusLost, "13": kiosk.StatusMissing,
}

// Look implements kiosk.Upstream: 17, and if the item may be out, 63 with the
// list of what the card has. Of a server that does not take 17 the item counts
// as known, in a state that is not.
func (u *Upstream) Look(ctx context.Context, b kiosk.Barcode, card kiosk.Card) (st kiosk.Standing, err error) {
	err = u.with(ctx, func(l *line) error {
		st = kiosk.Standing{Known: true, Status: kiosk.StatusOther, Holds: -1}
		if l.supports(10) {
			a, err := l.ask(ctx, u.base("17", u.now()).With("AB", string(b)).With("AC", u.TerminalPassword), "18")
			if err != nil {
				return asOffline(err)
			}
			st = u.standing(a)
		}
		if !st.Known || card == "" {
			return nil
		}
		switch st.Status {
		case kiosk.StatusAvailable, kiosk.StatusOnHold, kiosk.StatusInTransit:
			st.Mine = kiosk.No
			return nil
		}
		st.Mine, err = u.mine(ctx, l, b, card)
		return asOffline(err)
	})
	return st, err
}

func (u *Upstream) standing(a Message) kiosk.Standing {
	st := kiosk.Standing{Title: a.Text("AJ"), Holds: -1}
	code := a.Part(0, 2)
	_, counted := a.Get("CF") // fsip2 tells neither status nor title of what it has
	st.Known = code != "01" || st.Title != "" || counted
	st.Status = cmp.Or(statuses[code], kiosk.StatusOther)
	st.Due = parseDue(a.Value("AH"), u.Zone)
	if n, err := strconv.Atoi(strings.TrimSpace(a.Value("CF"))); err == nil && n >= 0 {
		st.Holds = n
	}
	return st
}

// mine finds out whether a card has an item. The list may hold titles in
// place of barcodes, or be cut: then only a match counts.
func (u *Upstream) mine(ctx context.Context, l *line, b kiosk.Barcode, card kiosk.Card) (kiosk.Tri, error) {
	if !l.supports(7) {
		return kiosk.Unknown, nil
	}
	m := u.base("63", "001"+u.now()+"  Y       ").With("AA", string(card)).With("AC", u.TerminalPassword)
	a, err := l.ask(ctx, m, "64")
	if err != nil {
		return kiosk.Unknown, err
	}
	list := a.All("AU")
	for _, au := range list {
		if strings.EqualFold(strings.TrimSpace(au), string(b)) {
			return kiosk.Yes, nil
		}
	}
	charged, err := strconv.Atoi(strings.TrimSpace(a.Part(14+3+18+8, 4)))
	switch {
	case err != nil:
		return kiosk.Unknown, nil
	case charged == 0 && strings.HasPrefix(a.Value("BL"), "N"):
		return kiosk.Unknown, nil // a card that was merged or re-issued: of its loans this says nothing
	case charged == 0:
		return kiosk.No, nil
	case charged != len(list) || !barcodes(list):
		return kiosk.Unknown, nil
	}
	return kiosk.No, nil
}

// barcodes tells whether every entry of a list looks like a barcode and not
// like a title.
func barcodes(list []string) bool {
	for _, s := range list {
		if s == "" || len(s) > kiosk.MaxCode || strings.ContainsAny(s, " ") || !strings.ContainsAny(s, "0123456789") {
			return false
		}
	}
	return true
}

// EndSession tells the server that the patron has gone (35). The kiosk does not:
// see the package's comment.
func (u *Upstream) EndSession(ctx context.Context, card kiosk.Card) error {
	return u.with(ctx, func(l *line) error {
		if !l.supports(8) {
			return nil
		}
		_, err := l.ask(ctx, u.base("35", u.now()).With("AA", string(card)).With("AC", u.TerminalPassword), "36")
		return asOffline(err)
	})
}
