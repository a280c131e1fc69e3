// Package station prepares materials: it writes an item's number on a tag,
// reads it back, sets the security, locks it, converts tags of older models,
// and finishes what was left half written.
//
// What may be done with a tag is decided by pure functions (judge.go) from
// what was read of all tags on the pad; what goes on at a station where one
// book follows another is a value that takes events and gives wishes
// (batch.go). Only Station touches a pad, and only Bench waits.
//
// The order of writing is tagdata.Plan's: block 0 says first that the tag is
// unfinished, comes last, and not before everything else was read back. What
// counts is what the tag has, never what it said: answers get lost, and tags
// lose power while they write. Facts: ISO/IEC 15693-3, sections 10.3 and 10.4;
// the models' in package tagdata.
package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// Pad is a pad that has something done between its own business.
type Pad interface {
	// Do runs do with the device. It may return before do ends, with an error.
	Do(ctx context.Context, do func(drivers.Pad) error) error
}

// Titles finds what an item is called. A kiosk.Mirror does.
type Titles interface {
	Item(ctx context.Context, b kiosk.Barcode) (kiosk.Item, error)
}

// Settings are the library's conventions for its tags.
type Settings struct {
	Model  tagdata.Model     // of new tags; empty means ISO 28560-3
	Owners []string          // ISILs of this library, the first is written; none: no owner is written, and nobody's tag is another's
	AFI    tagdata.Security  // what gates look at; the zero pair: they don't
	EAS    bool              // gates look at the EAS bit
	Item   func(string) bool // which texts can be an item number; nil: all
}

// Station works on a pad.
type Station struct {
	Settings
	pad    Pad
	titles Titles // may be nil
}

var _ Ops = (*Station)(nil)

// New makes a station; titles may be nil.
func New(s Settings, pad Pad, titles Titles) *Station {
	if s.Model == "" {
		s.Model = tagdata.ISO3
	}
	if s.Item == nil {
		s.Item = func(string) bool { return true }
	}
	return &Station{s, pad, titles}
}

// opTime is how long one operation goes on; no block is written after it. It
// is less than the wait for a pad, so that nothing is written that nobody
// hears of.
const opTime = 4 * time.Second

// ErrSlow says that an operation was ended because it took too long.
var ErrSlow = errors.New("the tag takes too long")

// on runs do with the pad and gives what it found. do may still run when on
// has given up, so its result comes by a channel.
func on[T any](ctx context.Context, pad Pad, do func(drivers.Pad) (T, error)) (T, error) {
	got := make(chan T, 1)
	err := pad.Do(ctx, func(dev drivers.Pad) error {
		v, err := do(dev)
		got <- v
		return err
	})
	select {
	case v := <-got:
		return v, err
	default:
		var none T
		return none, err
	}
}

// List gives the tags on the pad.
func (s *Station) List(ctx context.Context) ([]kiosk.TagID, error) {
	tags, err := on(ctx, s.pad, inventory)
	var ids []kiosk.TagID
	for _, t := range tags {
		ids = append(ids, kiosk.TagID(t.UID.String()))
	}
	return ids, err
}

// Look reads all tags on the pad completely.
func (s *Station) Look(ctx context.Context) ([]Found, error) {
	return on(ctx, s.pad, s.look)
}

// Put makes a tag on the pad what is wished, or tells why it did not. Only
// what is broken is an error.
func (s *Station) Put(ctx context.Context, w Wish) (Result, error) {
	r, err := on(ctx, s.pad, func(dev drivers.Pad) (Result, error) {
		found, err := s.look(dev)
		if err != nil {
			return Result{}, err
		}
		r := s.judge(found, w)
		if r.Verdict != goOn {
			return r, nil
		}
		return s.put(dev, r, w)
	})
	s.name(ctx, &r)
	return r, err
}

// Restore writes a tag as it was found once: memory, AFI, DSFID and EAS.
func (s *Station) Restore(ctx context.Context, f Found) (Result, error) {
	r, err := on(ctx, s.pad, func(dev drivers.Pad) (Result, error) {
		found, err := s.look(dev)
		if err != nil {
			return Result{}, err
		}
		i := slices.IndexFunc(found, func(g Found) bool { return g.UID == f.UID })
		if i < 0 {
			return Result{Verdict: NoTag, UID: f.UID}, nil
		}
		return s.restore(dev, found[i], f)
	})
	s.name(ctx, &r)
	return r, err
}

// Lock makes the item, and what is checked together with it, unwritable for
// ever. The tag must be sound.
func (s *Station) Lock(ctx context.Context, uid kiosk.TagID) (Result, error) {
	return on(ctx, s.pad, func(dev drivers.Pad) (Result, error) {
		found, err := s.look(dev)
		if err != nil {
			return Result{}, err
		}
		i := slices.IndexFunc(found, func(g Found) bool { return g.UID == uid })
		if i < 0 {
			return Result{Verdict: NoTag, UID: uid}, nil
		}
		return s.lock(dev, found[i])
	})
}

// Check tells what is not right about a tag of this library, in staff's words;
// item is empty where any is right.
func (s *Station) Check(f Found, item kiosk.Barcode) []string {
	var bad []string
	c := f.Contents
	say := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	for _, d := range c.Damage {
		say("%s", d.Text)
	}
	switch {
	case c.Item == "" && c.Model == tagdata.Blank:
		say("the tag is blank")
	case c.Item == "":
		say("the tag has no item number that can be believed")
	case item != "" && c.Item != string(item):
		say("the tag says %s, and not %s", c.Item, item)
	case c.Model != tagdata.ISO2 && c.Model != tagdata.ISO3:
		say("the tag has the older model %s", c.Model)
	case !s.Item(c.Item):
		say("%s is no item number of this library", c.Item)
	case !s.ours(c.Owner):
		say("the tag belongs to %s", c.Owner)
	}
	if afi := s.stock(); f.AFI != nil && byte(*f.AFI) != afi && byte(*f.AFI) != s.AFI.OnLoan && c.Item != "" {
		say("the AFI is %02X and should be %02X", byte(*f.AFI), afi)
	}
	if f.DSFID != nil && byte(*f.DSFID) != dsfidOf(c.Model) && c.Item != "" {
		say("the DSFID is %02X and should be %02X", byte(*f.DSFID), dsfidOf(c.Model))
	}
	return bad
}

func (s *Station) name(ctx context.Context, r *Result) {
	if s.titles == nil || r.Item == "" {
		return
	}
	if i, err := s.titles.Item(ctx, r.Item); err == nil {
		r.Title = i.Title
	} else {
		r.Unknown = errors.Is(err, kiosk.ErrUnknown)
	}
}

// ours tells whether an owner is this library; who tells none is.
func (s *Station) ours(owner string) bool {
	return owner == "" || len(s.Owners) == 0 || slices.Contains(s.Owners, owner)
}

// owner is what is written on tags.
func (s *Station) owner() string {
	if len(s.Owners) == 0 {
		return ""
	}
	return s.Owners[0]
}

// stock is the AFI of what is not lent. Where gates do not look at it, ISO
// 28560-1 has one value for all items.
func (s *Station) stock() byte {
	if s.AFI == (tagdata.Security{}) {
		return tagdata.AFIOnLoan
	}
	return s.AFI.Stock
}

func dsfidOf(m tagdata.Model) byte {
	switch m {
	case tagdata.ISO3:
		return tagdata.DSFIDISO3
	case tagdata.ISO2:
		return tagdata.DSFIDISO2
	}
	return tagdata.DSFIDNone
}
