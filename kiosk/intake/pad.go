package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// PadConfig is what a pad is read for.
type PadConfig struct {
	Intake *Intake  // which item numbers are the library's
	Owners []string // ISILs whose tags are taken; none: all
	// AFI is the pair of values by which gates tell lent from not lent; the
	// zero pair: they do not look at it. EAS says that they look at the bit.
	AFI tagdata.Security
	EAS bool
	// Emit takes what happens; it must not wait for long.
	Emit func(kiosk.Event)
	// Badge is asked of what is laid down first, unless it is nil: true says that
	// it is a badge that somebody waited for, and nobody else's business. number
	// is what is written on a card, empty on all else.
	Badge func(tag kiosk.TagID, number string) bool
	// Idle is the pause between two rounds when nothing happens; 0 means 40 ms.
	Idle time.Duration
	// Settle is how long after the beginning everything that lies there lay
	// there before; 0 means 1 s.
	Settle time.Duration
}

// Pad reads a pad for ever and writes the security of what lies on it. It is
// the one who talks to the device: rounds of inventory, the reading of what is
// new, and the writing of tags take turns.
type Pad struct {
	PadConfig
	jobs  chan *job
	stale atomic.Bool
}

var _ kiosk.Securer = (*Pad)(nil)

// NewPad makes a Pad; Run reads.
func NewPad(c PadConfig) *Pad {
	c.Idle, c.Settle = cmp.Or(c.Idle, 40*time.Millisecond), cmp.Or(c.Settle, time.Second)
	return &Pad{PadConfig: c, jobs: make(chan *job, 256)}
}

// job is a wish to have something done with the device.
type job struct {
	do   func(drivers.Pad) error
	ctx  context.Context
	done chan error // holds one
}

// jobTime is the longest that anybody waits for the pad.
const jobTime = 5 * time.Second

// Do has something done with the device between two rounds, as programming a
// tag. It waits its turn; without a working pad it is ErrNoPad.
func (p *Pad) Do(ctx context.Context, do func(drivers.Pad) error) error {
	ctx, cancel := context.WithTimeout(ctx, jobTime)
	defer cancel()
	j := &job{do: do, ctx: ctx, done: make(chan error, 1)}
	select {
	case p.jobs <- j:
	case <-ctx.Done():
		return errLate
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		return errLate
	}
}

// Afresh forgets what lies on the pad: all of it is told as gone, and what
// lies there in the next round is read and told as new. It is for when somebody
// else may have written tags meanwhile.
func (p *Pad) Afresh() { p.stale.Store(true) }

// ErrNoPad says that no pad is working.
var ErrNoPad = errors.New("no RFID pad is working")

// errLate is ErrNoPad of a pad that has not come to a job in time.
var errLate = fmt.Errorf("%w: it was busy or silent for %v", ErrNoPad, jobTime)

// Secure implements kiosk.Securer. A pad that is away may come back: it counts
// as if the tag had been lifted.
func (p *Pad) Secure(ctx context.Context, tag kiosk.TagID, want kiosk.Security) error {
	if p.AFI == (tagdata.Security{}) && !p.EAS {
		return nil // gates that ask the library's system
	}
	uid, err := drivers.ParseUID(string(tag))
	if err != nil {
		return err
	}
	err = p.Do(ctx, func(dev drivers.Pad) error { return p.secure(dev, uid, want) })
	if errors.Is(err, ErrNoPad) || errors.Is(err, drivers.ErrNoTag) || errors.Is(err, drivers.ErrAir) {
		return fmt.Errorf("%w: %w", kiosk.ErrLifted, err)
	}
	return err
}

// Run reads until ctx ends (nil) or the device fails. It closes the device.
func (p *Pad) Run(ctx context.Context, dev drivers.Pad) (err error) {
	defer func() { err = errors.Join(err, dev.Close()) }()
	r := reader{Pad: p, dev: dev, since: time.Now()}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		if err := r.work(); err != nil {
			return err
		}
		if err := r.round(); err != nil {
			return err
		}
		timer.Reset(r.pause())
		select {
		case <-ctx.Done():
		case <-timer.C:
		case j := <-p.jobs:
			if err := r.one(j); err != nil {
				return err
			}
		}
	}
	return nil
}

// reader is a Pad while its device works.
type reader struct {
	*Pad
	dev   drivers.Pad
	tray  tray
	since time.Time     // when the device began to work; zero where nothing counts as from before
	news  time.Time     // when something was last going on
	took  time.Duration // the last inventory
	full  bool
}

// restless is how long after something has happened rounds follow each other
// without a pause.
const restless = 2 * time.Second

func (r *reader) pause() time.Duration {
	switch {
	case len(r.tray.unread()) > 0:
		return 0
	case time.Since(r.news) < restless || len(r.tray.tags) == 0 || r.tray.missing():
		return r.Idle
	}
	return 4 * r.Idle // a still stack: a round of many tags is long
}

// broken tells whether an error is the device's and not a tag's.
func broken(err error) bool {
	return errors.Is(err, drivers.ErrSilent) || errors.Is(err, drivers.ErrGone)
}

// Jobs may hold up a round for so long, for what was lifted must show; and for
// so many times what a round takes, else that of a high stack would cost the
// patron more than the release of its books.
const (
	roundEvery = 400 * time.Millisecond
	jobsToOne  = 4
)

// work does what waits to be done.
func (r *reader) work() error {
	for begin := time.Now(); time.Since(begin) < max(roundEvery, jobsToOne*r.took); {
		select {
		case j := <-r.jobs:
			if err := r.one(j); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

func (r *reader) one(j *job) error {
	if j.ctx.Err() != nil {
		return nil // nobody waits any more
	}
	err := j.do(r.dev)
	r.news = time.Now()
	if broken(err) {
		j.done <- fmt.Errorf("%w: %w", ErrNoPad, err)
		return err
	}
	j.done <- err
	return nil
}

// padFull stands for a tag where the reader can't list them all.
const padFull = kiosk.TagID("full")

// round is one inventory, and the reading of what is new.
func (r *reader) round() error {
	if r.stale.Swap(false) {
		for _, l := range r.tray.all() {
			if l.told && !l.mute {
				r.Emit(kiosk.TagRemoved{Tag: id(l.uid)})
			}
		}
		r.tray, r.since = tray{}, time.Time{}
	}
	begin := time.Now()
	seen, err := r.dev.Inventory()
	if r.took = time.Since(begin); broken(err) {
		return err
	}
	if full := errors.Is(err, drivers.ErrFull); full != r.full {
		if r.full = full; full {
			r.Emit(kiosk.TagUnread{Tag: padFull, Reason: kiosk.ReasonPadFull})
		} else {
			r.Emit(kiosk.TagRemoved{Tag: padFull})
		}
	}
	now := time.Now()
	for _, l := range r.tray.round(seen, now) {
		r.news = now
		if l.told && !l.mute {
			r.Emit(kiosk.TagRemoved{Tag: id(l.uid)})
		}
	}
	for _, l := range r.tray.unread() {
		if err := r.read(l); broken(err) {
			return err
		}
		if len(r.jobs) > 0 && l.tries > 0 {
			break // a tag that is hard to read must not hold up the others' release
		}
	}
	return nil
}

func id(u drivers.UID) kiosk.TagID { return kiosk.TagID(u.String()) }

const (
	firstBlocks = 9   // the basic block of ISO 28560-3 and the owner behind it: 34 bytes
	maxData     = 320 // bytes; the largest tags of libraries have 80 blocks of 4
	maxTries    = 3   // reads that show damage, before it is believed
	unreadAfter = 2 * time.Second
)

// read finds out what a tag is, and tells.
func (r *reader) read(l *lying) error {
	m, err := r.memory(l)
	if err != nil {
		l.tries++
		if !broken(err) && time.Since(l.first) > unreadAfter {
			r.giveUp(l)
		}
		return err
	}
	l.heard(time.Now())
	c := tagdata.Decode(m, tagdata.Options{Text: func(s string) bool { return r.Intake.Item(s) }})
	if c.Model == tagdata.Damaged && l.tries+1 < maxTries {
		l.tries++
		return nil
	}
	number := ""
	if c.Usage == tagdata.PatronCard {
		number = c.Item
	}
	ev := r.event(id(l.uid), c)
	if r.badge(l, number) {
		ev = nil
	}
	r.tell(l, ev)
	return nil
}

// badge tells whether a tag is a badge, laid down for somebody who waits.
func (r *reader) badge(l *lying, number string) bool {
	return r.Badge != nil && l.first.Sub(r.since) >= r.Settle && r.Badge(id(l.uid), number)
}

// giveUp ends the reading of a tag that answers and can't be read: if it lies
// there it gets a line, if it is heard now and then it is a neighbour's. A
// badge may keep its memory to itself, and has its own number all the same.
func (r *reader) giveUp(l *lying) {
	switch {
	case l.hits*2 < l.rounds:
		l.hidden = true
	case r.badge(l, ""):
		r.tell(l, nil)
	default:
		r.tell(l, kiosk.TagUnread{Tag: id(l.uid), Reason: kiosk.ReasonTagDamaged})
	}
}

// tell emits what a tag is, once; nil is nobody's business.
func (r *reader) tell(l *lying, ev kiosk.Event) {
	l.told, l.mute, r.news = true, ev == nil, time.Now()
	old := l.first.Sub(r.since) < r.Settle
	switch ev := ev.(type) {
	case kiosk.TagPlaced:
		ev.Old = old
		r.Emit(ev)
	case kiosk.TagUnread:
		ev.Old = old
		r.Emit(ev)
	}
}

// memory reads as much of a tag as says what it is: nine blocks first.
func (r *reader) memory(l *lying) (tagdata.Memory, error) {
	m := tagdata.Memory{DSFID: l.dsfid}
	for want := firstBlocks; ; {
		have := 0
		if m.BlockSize > 0 {
			have = len(m.Data) / m.BlockSize
		}
		b, err := r.blocks(l.uid, have, want-have)
		if err != nil {
			return m, err
		}
		m.BlockSize, m.Data = b.Size, append(m.Data, b.Data...)
		m.Whole = b.N() < want-have
		c := tagdata.Decode(m, tagdata.Options{})
		if c.Need <= len(m.Data) || m.Whole || len(m.Data) >= maxData || b.N() == 0 {
			return m, nil
		}
		want = (min(c.Need, maxData) + b.Size - 1) / b.Size
	}
}

// blocks reads n blocks; where a reader refuses to read past the end of a
// small tag, fewer.
func (r *reader) blocks(uid drivers.UID, first, n int) (drivers.Blocks, error) {
	b, err := r.dev.Read(uid, first, n)
	for err != nil && n > 4 && tagRefuses(err) {
		n = (n - 1) / 4 * 4
		b, err = r.dev.Read(uid, first, n)
	}
	return b, err
}

// tagRefuses tells whether the tag has answered, with a no.
func tagRefuses(err error) bool {
	return errors.Is(err, drivers.ErrNoBlock) || errors.Is(err, drivers.ErrLocked) || errors.Is(err, drivers.ErrUnsupported)
}

// event is what a tag's contents mean at the desk; nil: nothing.
func (p *Pad) event(tag kiosk.TagID, c tagdata.Contents) kiosk.Event {
	strange := func(why kiosk.Reason) kiosk.Event {
		return kiosk.TagUnread{Tag: tag, Code: Printable(cmp.Or(c.Item, c.Hint, c.Owner)), Reason: why}
	}
	switch {
	case c.Model == tagdata.Blank:
		return strange(kiosk.ReasonTagBlank)
	case c.Model == tagdata.Damaged:
		return strange(kiosk.ReasonTagDamaged)
	case c.Usage == tagdata.PatronCard:
		return nil
	case c.Item == "", !ownedBy(p.Owners, c.Owner), !p.Intake.Item(c.Item):
		return strange(kiosk.ReasonTagForeign)
	}
	ev := kiosk.TagPlaced{Tag: tag, Item: kiosk.Barcode(c.Item), Part: max(1, c.Part), Parts: max(1, c.Parts)}
	return ev
}

// ownedBy tells whether an owner is one whose items are lent here. A tag that
// tells none is.
func ownedBy(owners []string, owner string) bool {
	return owner == "" || len(owners) == 0 || slices.Contains(owners, owner)
}
