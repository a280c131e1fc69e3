package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var errStuck = errors.New("the tag is locked")

// chip is the tag in a book, and what the gate finds on it. It is guarded by
// world.mu.
type chip struct {
	id       kiosk.TagID
	item     kiosk.Barcode
	released bool
	pad      *station // on which it lies; nil: on none
	word     word     // the newest
	known    bool     // it was released while the ILS had it out to the patron of the loan, or soon after that
}

// word is what a tag is to be, and by whose word.
type word struct {
	by    string // a station's name, or staff
	entry kiosk.ID
	want  kiosk.Security
	at    time.Time
}

// tag gives a book a chip, as the library has it.
func (w *world) tag(b *book, n int) {
	c := &chip{id: kiosk.TagID(fmt.Sprintf("E00401%010X", n)), item: b.Barcode, released: b.place == patron}
	c.word = word{by: "staff", want: kiosk.Secured}
	if c.released {
		c.word.want = kiosk.Released
	}
	w.chips[c.id], b.chip = c, c
}

// atGate is staff's own pad, which never fails.
func (w *world) atGate(b *book, want kiosk.Security) {
	if b.chip == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	b.chip.released, b.chip.word = want == kiosk.Released, word{by: "staff", want: want}
	w.note("staff", "%s is %s", b.chip.id, want)
}

// putOn lays a book on the pad of a kiosk.
func (s *station) putOn(b *book) {
	s.world.mu.Lock()
	b.chip.pad = s
	s.world.mu.Unlock()
	s.note(s.name+" pad", "%s of %s is put down", b.chip.id, b.Barcode)
	if m := s.at.Load(); m != nil {
		m.reads(b.chip, false)
	}
}

// liftOff takes a book off the pad on which it lies, if it does.
func (w *world) liftOff(b *book) {
	if b == nil || b.chip == nil {
		return
	}
	w.mu.Lock()
	s := b.chip.pad
	b.chip.pad = nil
	w.mu.Unlock()
	if s == nil {
		return
	}
	w.note(s.name+" pad", "%s of %s is lifted", b.chip.id, b.Barcode)
	if m := s.at.Load(); m != nil {
		m.misses(b.chip)
	}
}

// lies tells whether a tag lies on the station's pad.
func (s *station) lies(c *chip) bool {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	return c.pad == s
}

// readPad tells the desk what lies on the pad when the machine starts.
func (m *machine) readPad() {
	l := m.net.draw("read pad")
	for _, b := range m.books {
		if b.chip != nil && pause(m.ctx, l.between(time.Millisecond, 20*time.Millisecond)) == nil && m.lies(b.chip) {
			m.reads(b.chip, true)
		}
	}
}

// reads has the pad tell of a tag, once.
func (m *machine) reads(c *chip, old bool) {
	m.mu.Lock()
	knew := m.read[c.id]
	m.read[c.id] = true
	m.mu.Unlock()
	if !knew {
		m.send(kiosk.TagPlaced{Tag: c.id, Item: c.item, Part: 1, Parts: 1, Old: old})
	}
}

func (m *machine) misses(c *chip) {
	m.mu.Lock()
	knew := m.read[c.id]
	delete(m.read, c.id)
	m.mu.Unlock()
	if knew {
		m.send(kiosk.TagRemoved{Tag: c.id})
	}
}

// Secure is kiosk.Securer's. The machine may end before the tag is written, in
// the middle of it, and after it; the tag may be taken away meanwhile, be out of
// earshot, or refuse.
func (m *machine) Secure(_ context.Context, tag kiosk.TagID, want kiosk.Security) error {
	c, l := m.chips[tag], m.net.draw("secure "+string(tag)+" "+string(want))
	took, wait, kept := l.between(10*time.Millisecond, 200*time.Millisecond), l.hardly(), l.chance(0.5)
	unheard, stuck, fate := l.chance(m.plan.weather.pads), l.chance(m.plan.weather.pads/8), l.Float64()/max(3*m.plan.weather.crashes, 1e-9)
	if m.peace.Load() {
		unheard, stuck, fate = false, false, 1
	}
	if m.dead.Load() {
		return errDead
	}
	if fate < 0.33 {
		time.Sleep(wait)
		m.die("crash before a tag is written", string(tag))
		return errDead
	}
	lay, loan := m.lies(c), m.loanOf(c, want)
	t := time.NewTimer(took)
	defer t.Stop()
	select {
	case <-t.C:
	case <-m.died:
		if lay && kept {
			m.write(c, want, loan, "the power was cut")
		}
		return errDead
	}
	switch lies := m.lies(c); {
	case fate < 0.66:
		if lies && kept {
			m.write(c, want, loan, "the kiosk crashes")
		}
		m.die("crash while a tag is written", string(tag))
		return errDead
	case !lay:
		m.count("tag not there")
		return kiosk.ErrLifted
	case !lies:
		m.count("tag lifted while it is written")
		if kept {
			m.write(c, want, loan, "lifted")
		}
		return kiosk.ErrLifted
	case stuck:
		m.count("tag stuck")
		return errStuck
	case unheard:
		m.count("tag unheard")
		if kept {
			m.write(c, want, loan, "not read back")
		}
		return kiosk.ErrLifted
	}
	m.write(c, want, loan, "read back")
	if fate < 1 {
		m.die("crash after a tag is written", string(tag))
		return errDead
	}
	return nil
}

// loanOf sees to it that no tag is released but for a loan that is on disk and was
// promised.
func (m *machine) loanOf(c *chip, want kiosk.Security) kiosk.Loan {
	loan, err := m.disk.mem.Loan(context.Background(), c.item)
	if want == kiosk.Released && (err != nil || loan.Due.IsZero()) {
		m.fail("%s releases %s of %s, and by its ledger the loan is %+v, %v", m.name, c.id, c.item, loan, err)
	}
	return loan
}

// unasked is how soon after a loan a kiosk that is cut off may release its tag
// late.
const unasked = 3*time.Minute + 10*time.Second

// write changes a tag.
func (m *machine) write(c *chip, want kiosk.Security, loan kiosk.Loan, how string) {
	m.world.mu.Lock()
	_, _, who, _ := m.ils.Item(c.item)
	c.released, c.known = want == kiosk.Released, who == loan.Patron || time.Since(m.disk.work[c.id].at) <= unasked
	m.world.mu.Unlock()
	m.count("tag " + string(want))
	m.note(m.name+" pad", "%s of %s is %s: %s", c.id, c.item, want, how)
}

// heed takes note of what has come to the work list: the newest word on a tag.
// It is called by who writes.
func (d *disk) heed() {
	list, err := d.mem.WorkList(context.Background(), 1<<20)
	if err != nil {
		panic(err) // nothing can fail in memory
	}
	now := make(map[kiosk.TagID]word, len(list))
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	for _, k := range list {
		n := word{d.name, k.Entry, k.Want, d.work[k.Tag].at}
		if d.work[k.Tag] != n {
			n.at = time.Now()
			d.chips[k.Tag].word = n
			d.note(d.name+" disk", "%s is to be %s by %s", k.Tag, k.Want, k.Entry)
		}
		now[k.Tag] = n
	}
	d.work = now
}

// tagged: what is shown as lent has been released, and what is shown as returned is
// secured, if its tag lies there and was read.
func (m *machine) tagged(l *kiosk.Line) {
	if l.State != kiosk.LineLent && l.State != kiosk.LineReturned {
		return
	}
	for _, c := range m.chips {
		if c.item != l.Item || !m.read[c.id] {
			continue
		}
		m.world.mu.Lock()
		released, lies := c.released, c.pad == m.station
		m.world.mu.Unlock()
		if lies && released != (l.State == kiosk.LineLent) {
			m.fail("%s shows %s as %s (entry %s), and its tag is released: %v", m.name, l.Item, l.State, l.ID, released)
		}
	}
}
