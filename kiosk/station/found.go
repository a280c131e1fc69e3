package station

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// Hex is bytes that text shows in hexadecimal.
type Hex []byte

// MarshalText gives digits.
func (h Hex) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// UnmarshalText reads them.
func (h *Hex) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// Byte is one byte that text shows in hexadecimal.
type Byte byte

// MarshalText gives two digits.
func (b Byte) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%02X", byte(b)), nil }

// UnmarshalText reads them.
func (b *Byte) UnmarshalText(text []byte) error {
	v, err := hex.DecodeString(string(text))
	if err != nil || len(v) != 1 {
		return fmt.Errorf("%.20q is no byte", text)
	}
	*b = Byte(v[0])
	return nil
}

// Found is all that was read of a tag. What the reader or the chip can't tell
// is nil.
type Found struct {
	UID      kiosk.TagID      `json:"uid"`
	Block    int              `json:"block_size"` // bytes
	Memory   Hex              `json:"memory"`     // all of it
	AFI      *Byte            `json:"afi,omitempty"`
	DSFID    *Byte            `json:"dsfid,omitempty"`
	EAS      *bool            `json:"eas,omitempty"`
	Locked   []bool           `json:"locked,omitempty"` // by block
	Contents tagdata.Contents `json:"contents"`
}

const (
	tries     = 3
	maxBlocks = 256
	chunk     = 8 // blocks read at once of a tag that does not tell its size
)

// broken tells whether an error is the device's and not a tag's.
func broken(err error) bool {
	return errors.Is(err, drivers.ErrSilent) || errors.Is(err, drivers.ErrGone)
}

// refuses tells whether the tag has answered, with a no.
func refuses(err error) bool {
	return errors.Is(err, drivers.ErrNoBlock) || errors.Is(err, drivers.ErrLocked) || errors.Is(err, drivers.ErrUnsupported)
}

// away tells whether the tag may have been lifted.
func away(err error) bool {
	return errors.Is(err, drivers.ErrNoTag) || errors.Is(err, drivers.ErrAir)
}

// retry asks a tag again that was not heard.
func retry[T any](ask func() (T, error)) (v T, err error) {
	for range tries {
		if v, err = ask(); err == nil || !away(err) {
			return v, err
		}
	}
	return v, err
}

// inventory lists what lies on the pad, in two rounds: a tag at the edge
// answers now and then, and it is the second tag that matters.
func inventory(dev drivers.Pad) ([]drivers.Tag, error) {
	var list []drivers.Tag
	for range 2 {
		seen, err := dev.Inventory()
		if err != nil && !away(err) {
			return list, err
		}
		for _, t := range seen {
			if !slices.ContainsFunc(list, func(o drivers.Tag) bool { return o.UID == t.UID }) {
				list = append(list, t)
			}
		}
	}
	slices.SortFunc(list, func(a, b drivers.Tag) int { return slices.Compare(a.UID[:], b.UID[:]) })
	return list, nil
}

// maxTags is how many tags are read at once: more are no set.
const maxTags = 16

// ErrCrowd says that there are too many tags on the pad.
var ErrCrowd = fmt.Errorf("more than %d tags lie on the pad", maxTags)

// look reads all tags on the pad. One that is lifted meanwhile was not there.
func (s *Station) look(dev drivers.Pad) ([]Found, error) {
	tags, err := inventory(dev)
	if err != nil {
		return nil, err
	}
	if len(tags) > maxTags {
		return nil, ErrCrowd
	}
	until := time.Now().Add(opTime)
	list := []Found{}
	for _, t := range tags {
		f, err := s.readTag(dev, t)
		switch {
		case err == nil:
			list = append(list, f)
		case broken(err):
			return nil, err
		case away(err) && len(tags) == 1:
			return list, nil
		case time.Now().After(until):
			return nil, ErrSlow
		default: // it lies there, and so it counts
			list = append(list, Found{UID: kiosk.TagID(t.UID.String()),
				Contents: tagdata.Contents{Model: tagdata.Damaged, Damage: []tagdata.Damage{{Code: tagdata.Short, Text: "the tag can't be read: " + err.Error()}}}})
		}
	}
	return list, nil
}

// readTag reads one tag: system information, memory, locks, EAS.
func (s *Station) readTag(dev drivers.Pad, t drivers.Tag) (Found, error) {
	f := Found{UID: kiosk.TagID(t.UID.String())}
	blocks := 0
	if i, ok := dev.(drivers.Informer); ok {
		info, err := retry(func() (drivers.Info, error) { return i.Info(t.UID) })
		switch {
		case err == nil:
			afi, dsfid := Byte(info.AFI), Byte(info.DSFID)
			f.AFI, f.DSFID, f.Block, blocks = &afi, &dsfid, info.Size, info.Blocks
		case !refuses(err):
			return f, err
		}
	}
	if f.DSFID == nil && t.DSFID != 0 { // 0 is also what readers say that do not know
		v := Byte(t.DSFID)
		f.DSFID = &v
	}
	if err := f.readMemory(dev, t.UID, blocks); err != nil {
		return f, err
	}
	if err := f.readRest(dev, t.UID); err != nil {
		return f, err
	}
	f.Contents = s.decode(f)
	return f, nil
}

func (s *Station) decode(f Found) tagdata.Contents {
	m := tagdata.Memory{BlockSize: f.Block, Data: f.Memory, Whole: true}
	if f.DSFID != nil {
		m.DSFID = byte(*f.DSFID)
	}
	return tagdata.Decode(m, tagdata.Options{Text: s.Item})
}

// readMemory reads the whole memory; of a tag that does not tell how much it
// has, up to where it refuses.
func (f *Found) readMemory(dev drivers.Pad, uid drivers.UID, blocks int) error {
	n, end := blocks, blocks
	if blocks == 0 {
		n, end = chunk, maxBlocks
	}
	for at := 0; at < end; {
		b, err := retry(func() (drivers.Blocks, error) { return dev.Read(uid, at, min(n, end-at)) })
		switch {
		case err != nil && refuses(err) && n > 1:
			n /= 2
			continue
		case err != nil && refuses(err) && at > 0:
			return nil
		case err != nil:
			return err
		}
		f.Block, f.Memory = b.Size, append(f.Memory, b.Data...)
		at += b.N()
		if b.N() == 0 || b.N() < min(n, end-at+b.N()) {
			return nil
		}
	}
	return nil
}

// readRest reads what only some readers and chips can tell.
func (f *Found) readRest(dev drivers.Pad, uid drivers.UID) error {
	soft := func(err error) error {
		if broken(err) || away(err) {
			return err
		}
		return nil // this one can't
	}
	if w, ok := dev.(drivers.AFIWriter); ok && f.AFI == nil {
		v, err := retry(func() (byte, error) { return w.AFI(uid) })
		if soft(err) != nil {
			return err
		}
		if err == nil {
			afi := Byte(v)
			f.AFI = &afi
		}
	}
	if w, ok := dev.(drivers.EASWriter); ok {
		v, err := retry(func() (bool, error) { return w.EAS(uid) })
		if soft(err) != nil {
			return err
		}
		if err == nil {
			f.EAS = &v
		}
	}
	if l, ok := dev.(drivers.LockReader); ok && f.Block > 0 {
		v, err := retry(func() ([]bool, error) { return l.Locked(uid, 0, len(f.Memory)/f.Block) })
		if soft(err) != nil {
			return err
		}
		if err == nil {
			f.Locked = v
		}
	}
	return nil
}
