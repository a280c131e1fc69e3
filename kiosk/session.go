package kiosk

import (
	"fmt"
	"slices"
	"time"
)

// maxLines bounds what lies on one screen; a class set has 40.
const maxLines = 200

// maxPINs is how many wrong PINs are taken before the card is sent away.
const maxPINs = 3

// Session is the state of the desk: nobody, somebody whose card is being
// looked up, a patron who borrows, somebody who returns. It is a value; Step
// makes the next one.
type Session struct {
	rules    Rules
	view     View
	mode     Mode
	id       ID
	visit    ID   // of whoever is at the desk, from the card on
	card     Card // being identified, or the patron's
	pins     int  // wrong ones so far
	patron   Patron
	loans    int      // what the patron had when the session began
	untold   int      // of those, what the ILS did not know of
	want     View     // that the card leads to; empty: the books
	account  *Account // of the patron, once it was told
	covered  bool     // the account is hidden
	coverAt  time.Time
	finding  *Finding            // of the find view, and while it asks for a card; never changed
	holds    map[Barcode]Holding // that the patron has asked for, by the copy; never changed
	lines    []Line
	notice   Notice
	online   bool
	closing  bool      // ends as soon as nothing works any more
	endsAt   time.Time // zero: the view does not end by itself
	nextCard bool      // another card ended this session: queue begins with it
	queue    []Event   // scans that belong to the session after this one
	left     []laid    // tags on the pad that belong to nobody: they lay there before
	count    int       // what the patron has counted on the pad; 0: not yet
	slip     Slip      // how the receipt stands
	address  string    // to which it is mailed
	speaks   string    // the language of the screen when it was last told
	care     Care      // what staff should know; Kind is the screen's
	tries    tries     // that failed in a row
}

// NewSession is a desk with nobody at it, whose upstream has not been reached yet.
func NewSession(r Rules) Session {
	return Session{rules: r.filled(), view: ViewWelcome, mode: Borrowing}
}

// Step takes one event. It is pure: the same session, event, time and IDs
// give the same result, and s itself is not changed. newID must never give
// the same ID twice.
func (s Session) Step(ev Event, now time.Time, newID func() ID) (Session, []Effect) {
	before := s
	if s.lines != nil {
		s.lines = append(make([]Line, 0, len(s.lines)+1), s.lines...) // an event may bring one more
	}
	for i := range s.lines {
		s.lines[i].tags = slices.Clone(s.lines[i].tags)
	}
	s.queue, s.left = slices.Clone(s.queue), slices.Clone(s.left)
	st := step{Session: &s, now: now, newID: newID}
	st.event(ev)
	st.settle()
	st.mind(&before)
	return s, st.effects
}

// step is one Step under way.
type step struct {
	*Session
	now     time.Time
	newID   func() ID
	effects []Effect
}

func (s *step) do(e Effect) { s.effects = append(s.effects, e) }

func (s *step) event(ev Event) {
	switch ev := ev.(type) {
	case CardRead, ItemPlaced, EitherRead, ISBNRead, Unreadable:
		s.scan(ev)
	case TagPlaced, TagUnread, TagRemoved:
		s.tag(ev)
	case Counted:
		s.counted(ev.Items)
	case Attached:
		s.attached(ev)
	case Kept:
		s.kept(ev)
	case Mended:
		s.mended(ev)
	case PINEntered:
		s.pinEntered(ev.PIN)
	case StartReturn:
		s.startReturn()
	case ShowAccount:
		s.showAccount()
	case AccountFetched:
		s.accountFetched(ev)
	case StartBorrow:
		s.startBorrow()
	case StartFind:
		s.startFind()
	case Search:
		s.search(ev)
	case TitlesFound:
		s.titlesFound(ev)
	case OpenTitle:
		s.openTitle(ev.Item)
	case PlaceHold:
		s.placeHold(ev.Item)
	case HoldAnswered:
		s.holdAnswered(ev)
	case RenewAll:
		s.renewAll()
	case RenewLine:
		s.renewLine(ev.Line)
	case DropLine:
		s.dropLine(ev.Line)
	case Finish:
		s.speaks = ev.Language
		s.finish()
	case ReceiptsSet:
		s.rules.Receipts = ev.Receipts
	case AskReceipt:
		s.askReceipt(ev)
	case Delivered:
		s.delivered(ev)
	case Cancel:
		s.cancel()
	case Touched:
		s.touch()
	case CallHelp, DropHelp, PressHelp, ComeHelp, EndCare:
		s.help(ev)
	case Found:
		s.found(ev)
	case Identified:
		s.identified(ev)
	case Stored:
		s.stored(ev)
	case NotStored:
		s.notStored(ev)
	case Answered:
		s.answered(ev)
	case LinkChanged:
		if s.online = ev.Up; ev.Up {
			s.mendLeft()
		}
	case Tick:
		s.tick()
	default:
		panic(fmt.Sprintf("kiosk: unknown event %T", ev))
	}
}

// settle ends a session that is over once nothing works any more, and then
// lets the scans that waited for the next one in.
func (s *step) settle() {
	s.endIfOver()
	for len(s.queue) > 0 && !s.waits() {
		ev, rest := s.queue[0], s.queue[1:]
		s.queue = nil
		s.scan(ev) // which may put ev back to wait for yet another end
		s.queue = append(s.queue, rest...)
		s.endIfOver()
	}
}

// endIfOver ends a session that was finished, replaced or left alone.
func (s *step) endIfOver() {
	over := s.closing || s.attended() && !s.now.Before(s.endsAt)
	if over && !s.busy() {
		s.end()
	}
}

// busy tells whether the session waits for an answer; each comes to an end.
func (s *Session) busy() bool {
	return s.asksHold() || index(s.lines, (*Line).working) >= 0
}

func (s *Session) line(id ID) *Line {
	i := index(s.lines, func(l *Line) bool { return l.ID == id })
	if i < 0 {
		return nil
	}
	return &s.lines[i]
}

func (s *Session) lineOf(item Barcode) *Line {
	i := index(s.lines, func(l *Line) bool { return l.Item == item })
	if i < 0 {
		return nil
	}
	return &s.lines[i]
}

func (s *Session) drop(id ID) {
	s.dropAll(func(l *Line) bool { return l.ID == id })
}

func (s *Session) dropAll(fits func(*Line) bool) {
	for i := index(s.lines, fits); i >= 0; i = index(s.lines, fits) {
		s.lines = slices.Delete(s.lines, i, i+1)
	}
}

// forget drops the lines of codes that were no item: they are no news any more.
func (s *step) forget(why ...Reason) {
	s.dropAll(func(l *Line) bool { return l.State == LineRefused && l.entry == nil && slices.Contains(why, l.Reason) })
}

func (s *step) tell(r Reason, code string) {
	s.notice = Notice{Reason: r, Code: code, Until: s.now.Add(s.rules.Notice)}
}

// touch is a sign of life: the view's end moves away.
func (s *step) touch() {
	switch s.view {
	case ViewItems, ViewPIN, ViewAccount, ViewFind:
		s.endsAt = s.now.Add(s.rules.Idle)
		s.covered, s.coverAt = false, s.now.Add(s.rules.Cover)
	case ViewCard:
		s.endsAt = s.now.Add(s.rules.AwaitCard)
	case ViewReceipt:
		s.endsAt = s.now.Add(s.rules.Receipt)
	case ViewWelcome:
		s.endsAt = time.Time{}
		if len(s.lines) > 0 {
			s.endsAt = s.now.Add(s.rules.AwaitCard)
		}
	case ViewIdentifying:
		s.endsAt = time.Time{}
	}
}

func (s *step) show(v View) {
	s.view = v
	s.touch()
}

// tick lets time pass. A session that is attended ends in endIfOver.
func (s *step) tick() {
	s.keepMore()
	if s.notice.Reason != "" && !s.now.Before(s.notice.Until) {
		s.notice = Notice{}
	}
	if at := s.covers(); !at.IsZero() && !s.now.Before(at) {
		s.covered = true
	}
	if !s.attended() && !s.endsAt.IsZero() && !s.now.Before(s.endsAt) {
		s.reset()
	}
}

// finish is the patron's own word that this was all.
func (s *step) finish() {
	switch s.view {
	case ViewItems, ViewAccount:
		s.closing = true
	case ViewFind:
		if s.closing = s.attended(); !s.closing {
			s.reset()
		}
	case ViewReceipt, ViewWelcome, ViewCard:
		s.reset()
	}
}

func (s *step) cancel() {
	if (s.view == ViewPIN || s.view == ViewCard) && s.backToFind() {
		return
	}
	switch s.view {
	case ViewPIN, ViewCard, ViewReceipt, ViewWelcome:
		s.reset()
	}
}

// end closes the session; nothing works any more.
func (s *step) end() {
	if !s.nextCard && index(s.lines, func(l *Line) bool { return l.succeeded() || l.stage == lifted }) >= 0 {
		s.closing, s.finding = false, nil
		s.forget(ReasonUnreadable, ReasonCheckDigit, ReasonForeign)
		s.unlist()
		s.show(ViewReceipt)
		s.offer()
		return
	}
	s.reset()
}

// reset goes back to welcome; nothing of the last patron stays.
func (s *step) reset() {
	s.abandon()
	*s.Session = Session{rules: s.rules, online: s.online, queue: s.queue, left: s.left, care: s.care, tries: s.tries, view: ViewWelcome, mode: Borrowing}
}

// Screen is what the session shows. Seq, Faults and Now are the desk's. It has
// the session's own lines, which no step changes, and nobody else may.
func (s Session) Screen() Screen {
	sc := Screen{
		View: s.view, Mode: s.mode, Visit: s.visit, Lines: slices.Clip(s.lines), Notice: s.notice,
		Busy: s.busy(), Closing: s.closing, EndsAt: s.endsAt, Online: s.online,
		Tray: s.tray(), WakeAt: s.wakeAt(), Slip: s.slip, Care: s.cares(),
	}
	if s.attended() || s.view == ViewReceipt {
		sc.Patron, sc.Card, sc.Language = s.rules.Name.show(s.patron), s.patron.Card, s.patron.Language
		sc.Child = s.patron.Category != "" && slices.Contains(s.rules.Children, s.patron.Category)
	}
	if s.attended() || s.view == ViewPIN || s.view == ViewFind {
		sc.WarnAt = s.endsAt.Add(-s.rules.Warn)
	}
	if s.view == ViewAccount {
		sc.Account, sc.Covered = s.account, s.covered
	}
	if s.view == ViewFind {
		sc.Find = s.finding
	}
	if s.view == ViewCard {
		sc.Want = s.want
	}
	if sc.Covered {
		sc.Account, sc.Patron, sc.Lines = nil, "", nil
	}
	return sc
}
