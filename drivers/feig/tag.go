package feig

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
)

// choose selects a tag. Before that the field is turned off for a moment: a
// tag that was selected and does not hear that another one is now would obey
// too.
func (p *Pad) choose(uid drivers.UID) error {
	if p.chosen == uid {
		return nil
	}
	if err := p.reset(); err != nil {
		return err
	}
	a, err := p.ask(cmdISO, slices.Concat([]byte{iso15693.CmdSelect, addressed}, uid[:])...)
	if err == nil {
		_, err = a.ok()
	}
	if err == nil {
		p.chosen = uid
	}
	return err
}

// once says a command to one tag: what stands before MODE, the other bits of
// MODE, and what follows the UID.
func (p *Pad) once(uid drivers.UID, head []byte, mode byte, data ...byte) ([]byte, error) {
	name := uid[:]
	if p.config.Mode == "selected" {
		if err := p.choose(uid); err != nil {
			return nil, err
		}
		mode, name = mode|selected, nil
	} else {
		mode |= addressed
	}
	a, err := p.ask(head[0], slices.Concat(head[1:], []byte{mode}, name, data)...)
	var b []byte
	if err == nil {
		b, err = a.ok()
	}
	if err != nil {
		p.chosen = drivers.UID{}
	}
	return b, err
}

// iso says a command that may be said twice.
func (p *Pad) iso(uid drivers.UID, cmd, mode byte, data ...byte) (b []byte, err error) {
	err = p.persist(func() error {
		b, err = p.once(uid, []byte{cmdISO, cmd}, mode, data...)
		return err
	})
	return b, err
}

// most is how many bytes of a tag's memory travel at once.
const most = 128

// atOnce is how many blocks of a size travel in a frame, of which room bytes
// are for them.
func atOnce(size, room, each int) int { return max(1, min(most/size, room/each)) }

// lastBlock: block numbers are bytes.
const lastBlock = 0xFF

// memory reads blocks and whether they are locked.
func (p *Pad) memory(uid drivers.UID, first, n int, mode byte) (all drivers.Blocks, locks []bool, err error) {
	if first < 0 || first > lastBlock {
		return all, nil, drivers.ErrNoBlock
	}
	n = min(n, lastBlock+1-first)
	for n > 0 {
		size := 8 // most tags have 4
		if all.Size > 0 {
			size = all.Size
		}
		k := min(n, atOnce(size, p.tx-10, size+1))
		b, err := p.iso(uid, isoRead, mode, byte(first), byte(k))
		if refused(err) {
			switch end := p.end(uid); {
			case end > first && end < first+n:
				n = end - first
				continue
			case end <= first && all.Size > 0:
				return all, locks, nil
			}
		}
		if err != nil {
			return all, locks, err
		}
		part, l, err := p.blocks(b)
		if err != nil || part.N() > k || all.Size > 0 && part.Size != all.Size {
			return all, locks, fmt.Errorf("%d blocks of %d bytes: %w", part.N(), part.Size, errors.Join(err, drivers.ErrAir))
		}
		all.Size, all.Data, locks = part.Size, append(all.Data, part.Data...), append(locks, l...)
		if part.N() < k {
			break
		}
		first, n = first+k, n-k
	}
	return all, locks, nil
}

// refused tells that tag or reader would not read, maybe as a part of it is
// beyond the end.
func refused(err error) bool {
	_, tag := errors.AsType[*iso15693.Refusal](err)
	return tag || errors.Is(err, drivers.ErrNoBlock)
}

// end is how many blocks a tag has; 0 if it does not tell.
func (p *Pad) end(uid drivers.UID) int {
	i, _ := p.Info(uid) // the refusal is the error
	return i.Blocks
}

// blocks reads count, size, and of each block lock and bytes.
func (p *Pad) blocks(b []byte) (all drivers.Blocks, locks []bool, err error) {
	if len(b) < 2 || b[0] == 0 || b[1] == 0 || len(b) != 2+int(b[0])*(1+int(b[1])) {
		return all, nil, fmt.Errorf("%d bytes of blocks: %w", len(b), drivers.ErrAir)
	}
	all.Size = int(b[1])
	for one := range slices.Chunk(b[2:], 1+all.Size) {
		locks = append(locks, one[0]&1 != 0)
		all.Data = append(all.Data, p.turned(one[1:])...)
	}
	return all, locks, nil
}

// turned is a block as it travels, or as it is in the memory: they are the
// reverse of each other.
func (p *Pad) turned(block []byte) []byte {
	b := slices.Clone(block)
	if !p.config.MemoryOrder {
		slices.Reverse(b)
	}
	return b
}

// Read implements drivers.Pad.
func (p *Pad) Read(uid drivers.UID, first, n int) (drivers.Blocks, error) {
	all, _, err := p.memory(uid, first, n, 0)
	return all, err
}

// Locked implements drivers.LockReader.
func (p *Pad) Locked(uid drivers.UID, first, n int) ([]bool, error) {
	_, locks, err := p.memory(uid, first, n, withLocks)
	return locks, err
}

// Write implements drivers.BlockWriter.
func (p *Pad) Write(uid drivers.UID, first int, b drivers.Blocks) error {
	if first < 0 || first+b.N() > lastBlock+1 {
		return drivers.ErrNoBlock
	}
	for at := 0; at < b.N(); {
		k := min(b.N()-at, atOnce(b.Size, p.rx-20, b.Size))
		req := []byte{byte(first + at), byte(k), byte(b.Size)}
		for one := range slices.Chunk(b.Data[at*b.Size:(at+k)*b.Size], b.Size) {
			req = append(req, p.turned(one)...)
		}
		if _, err := p.iso(uid, isoWrite, 0, req...); err != nil {
			return fmt.Errorf("blocks from %d: %w", first+at, err)
		}
		at += k
	}
	return nil
}

// Lock implements drivers.BlockLocker. It is said once.
func (p *Pad) Lock(uid drivers.UID, block int) error {
	if block < 0 || block > lastBlock {
		return drivers.ErrNoBlock
	}
	_, err := p.once(uid, []byte{cmdISO, isoLock}, 0, byte(block), 1)
	return err
}

// Info implements drivers.Informer: DSFID, UID, AFI, size and number of
// blocks, IC reference.
func (p *Pad) Info(uid drivers.UID) (drivers.Info, error) {
	b, err := p.iso(uid, iso15693.CmdInfo, 0)
	if err != nil {
		return drivers.Info{}, err
	}
	if len(b) < 13 || drivers.UID(b[1:9]) != uid {
		return drivers.Info{}, fmt.Errorf("system information %x: %w", b, drivers.ErrAir)
	}
	i := drivers.Info{DSFID: b[0], AFI: b[9], IC: b[12]}
	if b[10] != 0 || b[11] != 0 { // both 0: the tag does not tell
		i.Size, i.Blocks = int(b[10]&0x1F)+1, int(b[11])+1
	}
	return i, nil
}

// AFI implements drivers.AFIWriter.
func (p *Pad) AFI(uid drivers.UID) (byte, error) {
	i, err := p.Info(uid)
	return i.AFI, err
}

// WriteAFI implements drivers.AFIWriter.
func (p *Pad) WriteAFI(uid drivers.UID, afi byte) error {
	_, err := p.iso(uid, iso15693.CmdWriteAFI, 0, afi)
	return err
}

// WriteDSFID implements drivers.DSFIDWriter.
func (p *Pad) WriteDSFID(uid drivers.UID, dsfid byte) error {
	_, err := p.iso(uid, iso15693.CmdWriteDSFID, 0, dsfid)
	return err
}

// EAS implements drivers.EASWriter. A tag whose EAS is off is silent, as is
// one that is away: system information tells them apart.
func (p *Pad) EAS(uid drivers.UID) (bool, error) {
	err := p.custom(uid, readAir, iso15693.EASAlarm(uid), len(iso15693.EASSequence))
	if errors.Is(err, drivers.ErrNoTag) {
		_, err = p.Info(uid)
		return false, err
	}
	return err == nil, err
}

// WriteEAS implements drivers.EASWriter.
func (p *Pad) WriteEAS(uid drivers.UID, on bool) error {
	err := p.custom(uid, writeAir, iso15693.SetEAS(uid, on), 0)
	if errors.Is(err, drivers.ErrNoTag) && iso15693.Maker(uid) != iso15693.NXP {
		return fmt.Errorf("EAS: %w", drivers.ErrUnsupported)
	}
	return err
}

// MODE of cmdTransparent.
const (
	readAir  = 1
	writeAir = 2 // the reader waits until the tag has written
)

// custom says a command of a chip's maker, as cmdCustom or, to models that
// have dropped it, as the request over the air that it stands for.
func (p *Pad) custom(uid drivers.UID, mode byte, req []byte, n int) error {
	if !p.noCustoms {
		cmd, maker := req[1], req[2]
		err := p.persist(func() error {
			_, err := p.once(uid, []byte{cmdCustom, maker, cmd}, 0)
			return err
		})
		if !errors.Is(err, errUnknown) {
			return err
		}
		p.noCustoms = true
	}
	bits := uint16(8 * (1 + n + 2)) // flags, answer, CRC
	req = append(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{mode}, bits), 0x021F), req...)
	return p.persist(func() error {
		a, err := p.ask(cmdTransparent, req...)
		if err != nil {
			return err
		}
		b, err := a.ok()
		if err == nil {
			_, err = iso15693.Answer(b)
		}
		return err
	})
}
