package station

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// writer writes one tag.
type writer struct {
	dev   drivers.Pad
	mem   drivers.BlockWriter
	uid   drivers.UID
	block int // bytes
	count int // blocks written
	unset []string
	until time.Time // no block is written after that
}

func newWriter(dev drivers.Pad, f Found) (*writer, error) {
	uid, err := drivers.ParseUID(string(f.UID))
	if err != nil {
		return nil, err
	}
	mem, ok := dev.(drivers.BlockWriter)
	if !ok {
		return nil, fmt.Errorf("this pad can't write tags: %w", drivers.ErrUnsupported)
	}
	return &writer{dev: dev, mem: mem, uid: uid, block: f.Block, until: time.Now().Add(opTime)}, nil
}

// put writes what was judged, reads it back, and sets the security.
func (s *Station) put(dev drivers.Pad, r Result, w Wish) (Result, error) {
	before := *r.Before
	image, err := tagdata.Encode(r.target, r.model, len(before.Memory), before.Block)
	if err != nil {
		r.Verdict, r.Says = NoFit, err.Error()
		return r, nil
	}
	wr, err := newWriter(dev, before)
	if err != nil {
		return r, err
	}
	err = wr.all(before, image, marks{s.stock(), dsfidOf(r.model), s.EAS, s.AFI != (tagdata.Security{})})
	r.Blocks, r.Unset = wr.count, wr.unset
	if err != nil {
		return r.fail(err)
	}
	after, err := s.readTag(dev, drivers.Tag{UID: wr.uid})
	if err != nil {
		return r.fail(err)
	}
	r.After = &after
	if bad := s.wrong(after, r); bad != "" {
		r.Verdict, r.Says = Failed, bad
		return r, nil
	}
	if r.Verdict = Right; wr.count > 0 {
		r.Verdict = Written
	}
	if w.Lock {
		l, err := s.lock(dev, after)
		if err != nil || !l.Verdict.Done() {
			r.Verdict, r.Says = l.Verdict, l.Says
		}
		r.After = l.After
		return r, err
	}
	return r, nil
}

// fail turns an error about the tag into a verdict.
func (r Result) fail(err error) (Result, error) {
	switch {
	case broken(err) || errors.Is(err, drivers.ErrUnsupported):
		return r, err
	case away(err) || errors.Is(err, ErrSlow):
		r.Verdict, r.Says = Lifted, "the tag was lifted before it was finished: put it back"
	case errors.Is(err, drivers.ErrLocked):
		r.Verdict, r.Says = Locked, "the tag is locked: "+err.Error()
	default:
		r.Verdict, r.Says = Failed, err.Error()
	}
	return r, nil
}

// wrong tells why a tag that was written is not what was wished.
func (s *Station) wrong(f Found, r Result) string {
	c := f.Contents
	switch {
	case len(c.Damage) > 0:
		return c.Damage[0].Text
	case c.Item != string(r.Item) || c.Owner != r.target.Owner || max(c.Part, 1) != max(r.Part, 1) || max(c.Parts, 1) != max(r.Parts, 1):
		return fmt.Sprintf("read back, the tag says %q of %q, part %d of %d", c.Item, c.Owner, c.Part, c.Parts)
	case c.Model != r.model:
		return fmt.Sprintf("read back, the tag has the model %s", c.Model)
	}
	return ""
}

// marks are what stands beside a tag's memory.
type marks struct {
	afi, dsfid byte
	eas        bool // is to be on; false: it is left as it is
	gates      bool // look at the AFI: a reader that can't write it won't do
}

// all writes memory, AFI, DSFID and EAS, each only where it differs.
func (w *writer) all(before Found, image []byte, m marks) error {
	if err := w.memory(before, image); err != nil {
		return err
	}
	if err := w.afi(before.AFI, m.afi, m.gates); err != nil {
		return fmt.Errorf("AFI: %w", err)
	}
	if err := w.dsfid(before.DSFID, m.dsfid); err != nil {
		return fmt.Errorf("DSFID: %w", err)
	}
	if m.eas {
		if err := w.eas(before.EAS, true); err != nil {
			return fmt.Errorf("EAS: %w", err)
		}
	}
	return nil
}

// memory makes the tag's memory image, in Plan's order. Block 0 ends it, and
// is not written before the others were read back.
func (w *writer) memory(before Found, image []byte) error {
	now := []byte(before.Memory)
	if len(image) != len(now) {
		return fmt.Errorf("the tag has %d bytes and not %d", len(now), len(image))
	}
	for _, p := range tagdata.Plan(now, image, w.block) {
		if p.Block < len(before.Locked) && before.Locked[p.Block] {
			return fmt.Errorf("block %d: %w", p.Block, drivers.ErrLocked)
		}
	}
	var err error
	for range tries {
		if now, err = w.pass(now, image); err != nil {
			break
		}
		if len(tagdata.Plan(now, image, w.block)) == 0 {
			return nil
		}
	}
	if err == nil {
		err = drivers.ErrNotWritten
	}
	if !away(err) && !broken(err) && !errors.Is(err, ErrSlow) {
		w.giveBack(before.Memory)
	}
	return err
}

// pass writes what differs: all but block 0, and that where all else is right.
// It gives the memory as read back.
//
// A write that is torn leaves some bytes old and some new, which in a model
// without a check sum is another number. So the first byte goes to zero alone,
// before anything else, and comes back alone, after everything else: no model
// begins with a zero.
func (w *writer) pass(now, image []byte) ([]byte, error) {
	plan := tagdata.Plan(now, image, w.block)
	if len(plan) == 0 {
		return now, nil
	}
	last := plan[len(plan)-1]
	if now[0] != 0 {
		plan = slices.Insert(plan, 0, headless(now[:w.block]))
	}
	for _, p := range plan[:len(plan)-1] {
		if err := w.one(p); err != nil {
			return nil, err
		}
	}
	if len(plan) > 1 {
		now, err := w.read(len(image))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(tagdata.Plan(now, image, w.block), func(p tagdata.Write) bool { return p.Block != last.Block }) {
			return now, nil
		}
	}
	for _, p := range []tagdata.Write{headless(last.Data), last} {
		if err := w.one(p); err != nil {
			return nil, err
		}
	}
	return w.read(len(image))
}

// headless is a block 0 without its first byte.
func headless(block []byte) tagdata.Write {
	b := slices.Clone(block)
	b[0] = 0
	return tagdata.Write{Data: b}
}

// one writes one block. An answer may be lost although the tag has written:
// to write it again does no harm.
func (w *writer) one(p tagdata.Write) (err error) {
	for range tries {
		if time.Now().After(w.until) {
			return ErrSlow
		}
		w.count++
		err = w.mem.Write(w.uid, p.Block, drivers.Blocks{Size: w.block, Data: p.Data})
		if err == nil || broken(err) || refuses(err) {
			break
		}
	}
	if err != nil {
		err = fmt.Errorf("block %d: %w", p.Block, err)
	}
	return err
}

func (w *writer) read(n int) ([]byte, error) {
	f := Found{}
	if err := f.readMemory(w.dev, w.uid, n/w.block); err != nil {
		return nil, err
	}
	if len(f.Memory) != n {
		return nil, fmt.Errorf("the tag gives %d bytes instead of %d: %w", len(f.Memory), n, drivers.ErrAir)
	}
	return f.Memory, nil
}

// giveBack puts a tag that refuses to be written back to what it was, so that
// a refusal does not cost its old number.
func (w *writer) giveBack(old []byte) {
	for range tries {
		now, err := w.read(len(old))
		if err != nil || bytes.Equal(now, old) {
			return
		}
		if _, err := w.pass(now, old); err != nil {
			return
		}
	}
}

func (w *writer) afi(was *Byte, afi byte, must bool) error {
	d, ok := w.dev.(drivers.AFIWriter)
	switch {
	case was != nil && byte(*was) == afi:
		return nil
	case !ok && must:
		return fmt.Errorf("this pad: %w", drivers.ErrUnsupported)
	case !ok:
		w.unset = append(w.unset, "AFI")
		return nil
	}
	return w.set(func() error { return d.WriteAFI(w.uid, afi) }, func() (bool, error) {
		got, err := d.AFI(w.uid)
		return got == afi, err
	})
}

func (w *writer) eas(was *bool, on bool) error {
	d, ok := w.dev.(drivers.EASWriter)
	switch {
	case was != nil && *was == on:
		return nil
	case !ok:
		return fmt.Errorf("this pad: %w", drivers.ErrUnsupported)
	}
	return w.set(func() error { return d.WriteEAS(w.uid, on) }, func() (bool, error) {
		got, err := d.EAS(w.uid)
		return got == on, err
	})
}

// dsfid writes the hint at the model. Readers that can't leave it: it is a
// hint.
func (w *writer) dsfid(was *Byte, dsfid byte) error {
	d, ok := w.dev.(drivers.DSFIDWriter)
	switch {
	case was != nil && byte(*was) == dsfid:
		return nil
	case !ok:
		w.unset = append(w.unset, "DSFID")
		return nil
	}
	err := w.set(func() error { return d.WriteDSFID(w.uid, dsfid) }, func() (bool, error) {
		i, ok := w.dev.(drivers.Informer)
		if !ok {
			return true, nil // nobody can tell
		}
		info, err := i.Info(w.uid)
		if errors.Is(err, drivers.ErrUnsupported) {
			return true, nil
		}
		return info.DSFID == dsfid, err
	})
	if err != nil && !broken(err) && !away(err) {
		w.unset = append(w.unset, "DSFID")
		return nil
	}
	return err
}

// set writes and reads back, a few times. What the tag has counts.
func (w *writer) set(write func() error, is func() (bool, error)) error {
	var err error
	for range tries {
		wrote := write()
		if broken(wrote) {
			return wrote
		}
		w.count++
		same, read := retry(is)
		switch {
		case read == nil && same:
			return nil
		case broken(read):
			return read
		case wrote != nil:
			err = wrote
		case read != nil:
			err = read
		default:
			err = drivers.ErrNotWritten
		}
	}
	return err
}

// restore writes a tag as it was found once.
func (s *Station) restore(dev drivers.Pad, now, was Found) (Result, error) {
	r := Result{UID: now.UID, Item: kiosk.Barcode(was.Contents.Item), Tags: 1, Before: &now, Part: was.Contents.Part, Parts: was.Contents.Parts}
	w, err := newWriter(dev, now)
	if err != nil {
		return r, err
	}
	err = w.memory(now, was.Memory)
	if err == nil && was.AFI != nil {
		err = w.afi(now.AFI, byte(*was.AFI), false)
	}
	if err == nil && was.DSFID != nil {
		err = w.dsfid(now.DSFID, byte(*was.DSFID))
	}
	if err == nil && was.EAS != nil {
		err = w.eas(now.EAS, *was.EAS)
	}
	r.Blocks, r.Unset = w.count, w.unset
	if err != nil {
		return r.fail(err)
	}
	after, err := s.readTag(dev, drivers.Tag{UID: w.uid})
	if err != nil {
		return r.fail(err)
	}
	r.After, r.Verdict = &after, Written
	return r, nil
}

// lock locks the blocks of the item and of what a check sum ties to it.
func (s *Station) lock(dev drivers.Pad, f Found) (Result, error) {
	r := Result{UID: f.UID, Item: kiosk.Barcode(f.Contents.Item), Tags: 1, Before: &f, Part: f.Contents.Part, Parts: f.Contents.Parts}
	from, to := lockable(f)
	if to == from {
		r.Verdict, r.Says = Failed, "only a sound tag of ISO 28560 is locked"
		return r, nil
	}
	uid, err := drivers.ParseUID(string(f.UID))
	if err != nil {
		return r, err
	}
	l, ok := dev.(drivers.BlockLocker)
	if !ok {
		return r, fmt.Errorf("this pad can't lock tags: %w", drivers.ErrUnsupported)
	}
	locked := func(b int) bool { return b < len(f.Locked) && f.Locked[b] }
	for b := from; b < to; b++ {
		if locked(b) {
			continue
		}
		if _, err := retry(func() (bool, error) { return true, l.Lock(uid, b) }); err != nil && !errors.Is(err, drivers.ErrLocked) {
			return r.fail(fmt.Errorf("lock of block %d: %w", b, err))
		}
		r.Blocks++
	}
	after, err := s.readTag(dev, drivers.Tag{UID: uid})
	if err != nil {
		return r.fail(err)
	}
	r.After, r.Verdict = &after, Right
	if r.Blocks > 0 {
		r.Verdict = Written
	}
	for b := from; b < to; b++ {
		if after.Locked != nil && !after.Locked[b] {
			r.Verdict, r.Says = Failed, fmt.Sprintf("block %d is not locked", b)
		}
	}
	return r, nil
}

// lockable are the blocks to lock: in ISO 28560-3 the fixed fields, in 28560-2
// those of the item, which has blocks of its own.
func lockable(f Found) (from, to int) {
	c := f.Contents
	if c.Item == "" || len(c.Damage) > 0 || f.Block == 0 {
		return 0, 0
	}
	end := 0
	for _, e := range c.Elements {
		if c.Model == tagdata.ISO3 && e.ID == "basic" || c.Model == tagdata.ISO2 && e.Name == tagdata.NameItem {
			end = max(end, e.At+e.Size)
		}
	}
	return 0, (end + f.Block - 1) / f.Block
}
