package intake

import (
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	secureTries = 3
	secureTime  = 2 * time.Second // no further try after that
)

// secure writes the security of one tag and reads it back, three times if need
// be: an answer may be lost although the tag has written, and a tag may answer
// although it has not.
func (p *Pad) secure(dev drivers.Pad, uid drivers.UID, want kiosk.Security) error {
	var err error
	for try, begin := 0, time.Now(); try < secureTries && time.Since(begin) < secureTime; try++ {
		if err = p.secureOnce(dev, uid, want); err == nil || broken(err) || errors.Is(err, drivers.ErrUnsupported) {
			return err
		}
	}
	return err
}

func (p *Pad) secureOnce(dev drivers.Pad, uid drivers.UID, want kiosk.Security) error {
	if p.AFI.Stock != p.AFI.OnLoan {
		afi := p.AFI.Stock
		if want == kiosk.Released {
			afi = p.AFI.OnLoan
		}
		if err := writeAFI(dev, uid, afi); err != nil {
			return fmt.Errorf("AFI: %w", err)
		}
	}
	if p.EAS {
		if err := writeEAS(dev, uid, want == kiosk.Secured); err != nil {
			return fmt.Errorf("EAS: %w", err)
		}
	}
	return nil
}

var errPad = fmt.Errorf("this pad: %w", drivers.ErrUnsupported)

func writeAFI(dev drivers.Pad, uid drivers.UID, afi byte) error {
	w, ok := dev.(drivers.AFIWriter)
	if !ok {
		return errPad
	}
	wrote := w.WriteAFI(uid, afi)
	if broken(wrote) {
		return wrote
	}
	got, err := w.AFI(uid)
	return verified(wrote, err, got == afi)
}

// writeEAS turns EAS on or off. That it is on a tag proves by its alarm; that
// it is off shows in silence only, and so does a tag that missed the question:
// there the tag's own word for the write is needed too.
func writeEAS(dev drivers.Pad, uid drivers.UID, on bool) error {
	w, ok := dev.(drivers.EASWriter)
	if !ok {
		return errPad
	}
	wrote := w.WriteEAS(uid, on)
	if broken(wrote) {
		return wrote
	}
	got, err := w.EAS(uid)
	return verified(wrote, err, got == on && (on || wrote == nil))
}

// verified is the end of a write that was read back: what the tag has counts,
// not what it said.
func verified(wrote, read error, same bool) error {
	switch {
	case read != nil && wrote != nil && !broken(read):
		return wrote
	case read != nil:
		return read
	case same:
		return nil
	case wrote != nil:
		return wrote
	}
	return drivers.ErrNotWritten
}
