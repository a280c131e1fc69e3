package web

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// view is a Screen with words: what the templates show.
type view struct {
	kiosk.Screen
	*language
	Langs   []*language
	Manner  Manner
	Library string
	Logo    string // its address; empty: Carrel's mark
	Pad     bool   // a pad works
	Board   boardView
	Lines   []line // in the order they came
	Finds   bool   // the catalogue can be searched
	plan    Plan   // nil: there is none
	class   []Pupil
	child   bool // the library's words are those for children
	digits  bool // PINs have nothing else
	sound   Sound
	now     time.Time
	zone    *time.Location
	due     dated // in words last

	receipts Receipts // nil: there is no code to scan
}

func (s *site) view(sc kiosk.Screen, c choice) view {
	v := view{Screen: sc, language: s.speak(c.lang, sc.Language), Langs: s.langs, Manner: s.manner(sc, c), Library: s.library(), Logo: s.logoAddress(), Finds: s.Find, plan: s.Plan, class: s.Class, child: s.Child, digits: s.Digits, sound: s.Sound,
		now: sc.Now.Add(s.age(sc)), zone: s.Location, receipts: s.Receipts}
	v.Pad = s.Pad != nil && s.Pad()
	v.Board = s.boardView(v.language)
	v.Patron = clean(v.Patron)
	v.Lines = make([]line, len(sc.Lines))
	for i := range sc.Lines {
		v.Lines[i] = line{Line: &sc.Lines[i], v: &v}
	}
	return v
}

// Keys are the digits of the PIN pad above its last row.
func (v view) Keys() []string { return strings.Split("123456789", "") }

// Show names the template of the view. A broken desk asks everybody who has
// nothing on the screen yet to go to staff; who has, keeps seeing it.
func (v view) Show() string {
	if fatal(v.Screen) && v.View != kiosk.ViewItems && v.View != kiosk.ViewReceipt && v.View != kiosk.ViewAccount && v.View != kiosk.ViewFind {
		return "fatal"
	}
	if v.View == kiosk.ViewWelcome && len(v.Lines) > 0 {
		return "held" // books wait for a card
	}
	return string(v.View)
}

func fatal(sc kiosk.Screen) bool {
	return slices.ContainsFunc(sc.Faults, func(f kiosk.Fault) bool { return f.Fatal })
}

// Broken tells whether a fault is fatal.
func (v view) Broken() bool { return fatal(v.Screen) }

// Banner lists the sources of faults that a patron may run into. That
// upstream is away has its own, quieter place.
func (v view) Banner() string {
	var names []string
	for _, f := range v.Faults {
		if f.Source != "upstream" {
			names = append(names, clean(f.Source))
		}
	}
	return strings.Join(names, ", ")
}

// Offline tells whether the patron must know that the library's system is
// away: while something is being lent or returned.
func (v view) Offline() bool {
	return !v.Online && (v.View == kiosk.ViewItems || v.View == kiosk.ViewReceipt || v.View == kiosk.ViewAccount)
}

// Returning tells whether books are being brought back.
func (v view) Returning() bool { return v.Mode == kiosk.Returning }

// Newest gives the lines with the newest first; but before them what must be
// put back, and what is not complete.
func (v view) Newest() []line {
	ls := slices.Clone(v.Lines)
	slices.Reverse(ls)
	return byRank(ls)
}

// in gives the lines in one of the states.
func (v view) in(states ...kiosk.LineState) (ls []line) {
	for _, l := range v.Lines {
		if slices.Contains(states, l.State) {
			ls = append(ls, l)
		}
	}
	return ls
}

// Done lists what was lent, renewed or returned.
func (v view) Done() []line { return v.in(kiosk.LineLent, kiosk.LineRenewed, kiosk.LineReturned) }

// Pile is the newest of Done, as many as have room: the newest on top.
func (v view) Pile() []line {
	done := v.Done()
	done = done[max(len(done)-9, 0):]
	slices.Reverse(done)
	return done
}

// Waiting lists what is being worked on.
func (v view) Waiting() []line { return v.in(kiosk.LineWaiting) }

// Trouble lists what the patron should look at.
func (v view) Trouble() []line { return v.in(kiosk.LineRefused, kiosk.LineAction) }

// Refused lists what came to nothing: the receipt says so.
func (v view) Refused() []line { return v.in(kiosk.LineRefused) }

// Unfinished lists what the patron has still to do something about at the
// end. What was on loan already and was not renewed is no trouble any more.
func (v view) Unfinished() []line {
	return slices.DeleteFunc(byRank(v.in(kiosk.LineAction)), line.Offers)
}

// Summary counts what was done, in words.
func (v view) Summary() string {
	if v.Returning() {
		return v.N("count.returned", len(v.Done()))
	}
	return v.N("count.lent", len(v.Done()))
}

// Left and Warn are the milliseconds until the view ends by itself and until
// the countdown shows, counted from when this is sent; -1 means never.
func (v view) Left() int64 { return v.until(v.EndsAt) }

// Warn: see Left.
func (v view) Warn() int64 { return v.until(v.WarnAt) }

func (v view) until(t time.Time) int64 {
	if t.IsZero() {
		return -1
	}
	return max(t.Sub(v.now).Milliseconds(), 0)
}

// Seconds is Left as a count for people.
func (v view) Seconds() int64 { return (max(v.Left(), 0) + 999) / 1000 }

// Warning tells whether the countdown shows now; the page goes on from there.
func (v view) Warning() bool { return v.Warn() == 0 }

// Lead says what to do with books.
func (v view) Lead() string {
	switch {
	case v.Returning() && v.Pad:
		return v.T("items.return.lead.pad")
	case v.Returning():
		return v.T("items.return.lead")
	case v.Pad:
		return v.T("items.borrow.lead.pad")
	}
	return v.T("items.borrow.lead")
}

// News is what a screen reader says when it changes, each line by itself: a
// question, the account that has come, and the most important line where not all
// of them stand in the page. Where they do, the page says of each what became of
// it (say.js).
func (v view) News() string {
	switch {
	case v.View == kiosk.ViewAccount && v.Account != nil && !v.Covered:
		return v.accountNews()
	case len(v.Lines) == 0 || v.View != kiosk.ViewItems && v.View != kiosk.ViewWelcome:
		return ""
	case v.Asks():
		return v.T("tray.count.ask")
	case v.View == kiosk.ViewItems && !v.Drawn():
		return ""
	}
	l := v.Newest()[0]
	return l.Title() + ": " + l.Text()
}

// Notice is the notice with words.
func (v view) Notice() notice { return notice{v: v, Notice: v.Screen.Notice} }

type notice struct {
	kiosk.Notice
	v view
}

// Title says what happened, Step what to do.
func (n notice) Title() string { return n.v.Because(n.Reason) }

// Step: see Title.
func (n notice) Step() string { return n.v.Then(n.Reason) }

// named tells whether a notice carries the title of something, and no code.
func (n notice) named() bool {
	return n.Reason == kiosk.ReasonPutBack || n.Reason == kiosk.ReasonTagMended || n.Reason == kiosk.ReasonTagStuck
}

// Code is what was scanned, for showing.
func (n notice) Code() string {
	if n.named() {
		return ""
	}
	return clean(n.Notice.Code)
}

// Name is the title of what the notice is about, or "". The welcome view, which
// everybody sees, names no book.
func (n notice) Name() string {
	if !n.named() || n.v.View == kiosk.ViewWelcome {
		return ""
	}
	return clean(n.Notice.Code)
}

// Text is all of it, "" where there is nothing to tell.
func (n notice) Text() string {
	if n.Reason == "" {
		return ""
	}
	text := n.Title() + " " + n.Step()
	if name := n.Name(); name != "" {
		text = name + ": " + text
	}
	return text
}

// line is a Line with words. The Line is the screen's own, and not to be changed:
// it is large, and each method would copy it.
type line struct {
	*kiosk.Line
	v *view
}

// Title names the item as well as is known.
func (l line) Title() string {
	switch t := clean(l.Line.Title); {
	case t != "":
		return t
	case l.Item != "":
		return l.v.T("line.item", "barcode", clean(string(l.Item)))
	case l.ISBN != "":
		return l.v.T("line.isbn", "isbn", clean(l.ISBN))
	}
	return l.strange()
}

// strange names what a tag was found in that names no copy of ours: all there
// is to go by is what it says.
func (l line) strange() string {
	says := clean(l.Line.Text)
	switch l.Reason {
	case kiosk.ReasonPadFull:
		return l.v.T("line.pad")
	case kiosk.ReasonTagTwice:
		for _, o := range l.v.Lines {
			if o.Item != "" && string(o.Item) == l.Line.Text {
				return o.Title()
			}
		}
	case kiosk.ReasonTagDamaged, kiosk.ReasonTagForeign, kiosk.ReasonTagBlank:
	default:
		return l.v.T("line.unknown")
	}
	if says == "" {
		return l.v.T("line.tag.mute")
	}
	return l.v.T("line.tag", "text", says)
}

// Label is the state in a word or two.
func (l line) Label() string {
	switch {
	case l.Waits():
		return l.v.T("state.held")
	case l.Overdue():
		return l.v.T("account.overdue.label")
	case l.Line.Listed && l.Offers():
		return l.v.T("account.loans")
	}
	if l.State == kiosk.LineReturned {
		return l.place()
	}
	if l.State == kiosk.LineRefused && l.v.Calm() {
		return l.v.T("state.refused.calm")
	}
	return l.v.T("state." + string(l.State))
}

// Head is the line's one message: when it is due, or why not.
func (l line) Head() string {
	switch l.State {
	case kiosk.LineLent, kiosk.LineRenewed:
		if !l.DueDateShown() {
			return l.v.T("line.no-due")
		}
		return l.DueText()
	case kiosk.LineReturned:
		return l.Way()
	case kiosk.LineWaiting:
		return l.v.T("line.waiting")
	}
	if l.Line.Listed && l.Offers() {
		return l.listed()
	}
	if l.Reason == kiosk.ReasonPartsMissing && l.Parts > 1 {
		return l.v.N("line.parts", l.Have, "parts", l.v.Number(l.Parts))
	}
	return l.v.Because(l.Reason)
}

// Step is what to do next, or "".
func (l line) Step() string {
	if l.Reason == "" || l.State != kiosk.LineRefused && l.State != kiosk.LineAction {
		return ""
	}
	if l.Line.Listed && l.Offers() {
		return l.renewals()
	}
	return l.v.Then(l.Reason)
}

// Text is head and step as one.
func (l line) Text() string {
	if s := l.Step(); s != "" {
		return l.Head() + " " + s
	}
	return l.Head()
}

// dated is a due date and its words.
type dated struct {
	at    time.Time
	words string
}

// DueText is the due date in words, in the library's zone. What is lent in one
// visit is mostly due at one time.
func (l line) DueText() string {
	if v := l.v; v.due.words == "" || !v.due.at.Equal(l.Due) {
		v.due = dated{l.Due, v.T("line.due", "date", v.Date(l.Due.In(v.zone), v.now.In(v.zone)))}
	}
	return l.v.due.words
}

// DueDate is the due date for machines.
func (l line) DueDate() string { return l.Due.In(l.v.zone).Format(time.DateOnly) }

// DueDateShown tells whether Head is a due date.
func (l line) DueDateShown() bool {
	return !l.Due.IsZero() && (l.State == kiosk.LineLent || l.State == kiosk.LineRenewed)
}

// V is the view the line stands in.
func (l line) V() *view { return l.v }

// Acts tells whether what the line offers can be touched: not on the receipt,
// nor while the session closes.
func (l line) Acts() bool { return l.v.View != kiosk.ViewReceipt && !l.v.Closing }

// Drop says what its button takes off the list.
func (l line) Drop() string { return l.v.T("line.drop") + ": " + l.Title() }

// Offers tells whether the patron has it already and may renew it.
func (l line) Offers() bool {
	return l.State == kiosk.LineAction && l.Reason == kiosk.ReasonOnLoanYou
}

// Waits tells whether it was put down before a card.
func (l line) Waits() bool {
	return l.State == kiosk.LineAction && l.Reason == kiosk.ReasonWaitsForCard
}

// Icon names the picture of the state; it differs in shape, not only in colour.
func (l line) Icon() string {
	switch {
	case l.State == kiosk.LineReturned:
		return l.wayIcon()
	case l.Urgent():
		return "down"
	case l.Offers():
		return "renew"
	case l.Waits():
		return "card"
	}
	return map[kiosk.LineState]string{kiosk.LineWaiting: "clock", kiosk.LineLent: "check",
		kiosk.LineRenewed: "renew", kiosk.LineRefused: "cross", kiosk.LineAction: "hand"}[l.State]
}

// Cover gives every title one of eight bindings, always the same.
func (l line) Cover() uint32 { return binding(l.Title()) }

// Initial is the letter on the binding.
func (l line) Initial() string { return initial(l.Line.Title) }

// clean takes out what no screen can show: control characters, and those that
// only turn the direction of what follows.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s))
}
