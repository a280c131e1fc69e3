package intake

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// WandConfig is what a wand is read for.
type WandConfig struct {
	Intake *Intake  // which item numbers are the library's
	Owners []string // those whose tags are taken: ISILs, or the numbers of Chinese universities; none: all
	// Wanted tells whether anybody listens. A wand hears all that is near, so
	// it is silent where nobody walks along shelves.
	Wanted func() bool
	// Emit takes what was heard; it must not wait for long.
	Emit func(Heard)
}

// Heard is a tag that a wand has heard.
type Heard struct {
	Tag      kiosk.TagID
	Item     kiosk.Barcode // empty: it names none of the library's; Why says why
	Part     int           // of a set; 0: none is told
	Security kiosk.Security
	Why      kiosk.Reason
	Code     string // what may be its number, where Item is empty
}

// Wand reads a wand for ever.
type Wand struct{ WandConfig }

// NewWand makes a Wand; Run reads.
func NewWand(c WandConfig) *Wand { return &Wand{c} }

const (
	wandLook  = 200 * time.Millisecond // how often it is asked whether anybody listens
	wandRest  = 5 * time.Second        // how often a wand that rests is asked whether it is there
	wandAgain = time.Second            // a tag of the library's that stays in reach is told so often at most
	wandReads = 20                     // of tags' memories between two rounds: one may take a third of a second
)

// Run reads until ctx ends (nil) or the device fails. It closes the device.
func (w *Wand) Run(ctx context.Context, dev drivers.Wand) error {
	defer dev.Close()
	h := hearer{Wand: w, dev: dev}
	for ctx.Err() == nil {
		if !w.Wanted() {
			if err := h.rest(ctx); err != nil {
				return err
			}
			continue
		}
		if h.near == nil {
			h.near = map[string]*near{}
		}
		if err := h.round(ctx); err != nil {
			return err
		}
	}
	return nil
}

// hearer is a Wand while its device works.
type hearer struct {
	*Wand
	dev    drivers.Wand
	rested time.Time
	reads  int              // of tags' memories, since it has listened
	near   map[string]*near // by EPC, since somebody listens; nil while nobody does
}

// near is a tag that was heard.
type near struct {
	heard Heard
	mute  bool // nobody's business
	known bool
	told  time.Time
}

// rest waits until somebody may listen.
func (h *hearer) rest(ctx context.Context) error {
	if h.near != nil || time.Since(h.rested) > wandRest {
		h.near, h.rested = nil, time.Now()
		if err := h.dev.Rest(); err != nil {
			return err
		}
	}
	timer := time.NewTimer(wandLook)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return nil
}

// round listens once, and tells. Of a tag that is new the memory may have to be
// read; those for which there is no time are heard again.
func (h *hearer) round(ctx context.Context) error {
	list, err := h.dev.Hear()
	if err != nil {
		return err
	}
	now := time.Now()
	h.reads = 0
	for _, t := range list {
		if ctx.Err() != nil {
			return nil
		}
		n := h.near[string(t.EPC)]
		if n == nil {
			n = &near{}
			h.near[string(t.EPC)] = n
		}
		if !n.known {
			if n.known, err = h.learn(t, n); broken(err) {
				return err
			}
		}
		if n.known && !n.mute && now.Sub(n.told) >= wandAgain && (n.heard.Item != "" || n.told.IsZero()) {
			n.told = now
			h.Emit(n.heard)
		}
	}
	return nil
}

// errLater: there is no time for it in this round.
var errLater = errors.New("enough was read for one round")

// read reads words of a tag's memory, if there is time for it.
func (h *hearer) read(t drivers.UHFTag, bank drivers.Bank, first, words int) ([]byte, error) {
	if h.reads >= wandReads {
		return nil, errLater
	}
	h.reads++
	return h.dev.ReadBank(t.EPC, bank, first, words)
}

// learn finds out what a tag is. An error that is not the device's is the
// tag's: it is tried again when it is heard again. Until then nobody knows
// whose it is.
func (h *hearer) learn(t drivers.UHFTag, n *near) (known bool, err error) {
	if t.PC == 0 {
		b, err := h.read(t, drivers.BankEPC, 1, 1)
		if err != nil {
			return false, err
		}
		t.PC = binary.BigEndian.Uint16(b)
	}
	bank := tagdata.EPCBank(t.PC, t.EPC)
	c := tagdata.DecodeUHF(bank, nil)
	if c.Model == tagdata.Gaoxiao { // owner and set are elsewhere
		user, err := h.read(t, drivers.BankUser, 0, gaoxiaoUser)
		switch {
		case err == nil:
			c = tagdata.DecodeUHF(bank, user)
		case !errors.Is(err, drivers.ErrNoBlock): // it has that bank
			return false, err
		}
	}
	n.heard, n.mute = h.judge(kiosk.TagID(fmt.Sprintf("EPC:%X", t.EPC)), c)
	if lent, told := tagdata.OnLoanUHF(c.Model, bank); told {
		n.heard.Security = kiosk.Secured
		if lent {
			n.heard.Security = kiosk.Released
		}
	}
	return true, nil
}

// gaoxiaoUser is how many words owner and set take in the user bank.
const gaoxiaoUser = 5

// judge says what a tag's contents mean on a shelf. Tags of shops, which are
// in many books, are nobody's business.
func (h *hearer) judge(id kiosk.TagID, c tagdata.Contents) (x Heard, mute bool) {
	x = Heard{Tag: id, Code: Printable(cmp.Or(c.Item, c.Hint))}
	ours := ownedBy(h.Owners, c.Owner)
	switch {
	case c.Model == tagdata.Foreign, c.Model == tagdata.Gaoxiao && !h.Intake.Item(c.Item):
		return x, true
	case c.Model == tagdata.Damaged:
		x.Why = kiosk.ReasonTagDamaged
	case c.Item == "", !ours, !h.Intake.Item(c.Item):
		x.Why = kiosk.ReasonTagForeign
	default:
		x.Item, x.Code = kiosk.Barcode(c.Item), ""
		if c.Parts > 1 {
			x.Part = c.Part
		}
	}
	return x, false
}
