// Package iso15693 is what goes over the air between a reader and tags: the
// requests, the answers, the search for all tags in the field, and how long
// each takes. It is for readers that leave this to the driver, and for the
// simulated field.
//
// Requests and answers are without their CRC and begin with the flags; a UID
// goes least significant byte first. Sources: ISO/IEC 15693-3 (flags 7.3,
// anticollision 8 and 9, commands 10), NXP SL2S2602 rev. 4.1 for the commands
// of its maker.
package iso15693

import (
	"errors"
	"fmt"
	"slices"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Air is a reader's radio.
type Air interface {
	// Send sends a request and gives the answer: ErrNoTag when there is none,
	// ErrAir when it is damaged, ErrCollision when several came.
	Send(req []byte) ([]byte, error)
	// Slot ends a slot of an inventory and gives the answer in the next one.
	Slot() ([]byte, error)
}

// ErrCollision says that several tags answered at once. It is an ErrAir: not
// every reader can tell.
var ErrCollision = fmt.Errorf("several tags answered at once: %w", drivers.ErrAir)

// Request flags (7.3.1).
const (
	FlagSubcarriers = 0x01 // two subcarriers
	FlagHigh        = 0x02 // high data rate
	FlagInventory   = 0x04
	FlagExtended    = 0x08 // protocol extension
	// without FlagInventory
	FlagSelect  = 0x10
	FlagAddress = 0x20
	FlagOption  = 0x40
	// with FlagInventory
	FlagAFI     = 0x10
	FlagOneSlot = 0x20
)

// Commands (10.1), and those of NXP, which have NXP's code behind them.
const (
	CmdInventory    = 0x01
	CmdStayQuiet    = 0x02
	CmdReadBlock    = 0x20
	CmdWriteBlock   = 0x21
	CmdLockBlock    = 0x22
	CmdReadBlocks   = 0x23
	CmdSelect       = 0x25
	CmdResetToReady = 0x26
	CmdWriteAFI     = 0x27
	CmdLockAFI      = 0x28
	CmdWriteDSFID   = 0x29
	CmdLockDSFID    = 0x2A
	CmdInfo         = 0x2B
	CmdSecurity     = 0x2C
	CmdSetEAS       = 0xA2
	CmdResetEAS     = 0xA3
	CmdEASAlarm     = 0xA5

	NXP = 0x04 // the maker's code (ISO/IEC 7816-6)
	TI  = 0x07
)

// Error codes (7.4.2).
const (
	CodeUnsupported  = 0x01
	CodeUnrecognised = 0x02
	CodeOption       = 0x03
	CodeUnknown      = 0x0F
	CodeNoBlock      = 0x10
	CodeWasLocked    = 0x11
	CodeLocked       = 0x12
	CodeNotWritten   = 0x13
	CodeNotLocked    = 0x14
)

// Maker is the code of who made the chip.
func Maker(uid drivers.UID) byte { return uid[1] }

// needsOption tells the tags that write only with the option flag, and answer
// after another end of frame: TI's (Tag-it HF-I reference, 4.4).
func needsOption(uid drivers.UID) bool { return Maker(uid) == TI }

// Reversed is a UID as it goes over the air.
func Reversed(uid drivers.UID) []byte {
	b := slices.Clone(uid[:])
	slices.Reverse(b)
	return b
}

// UID reads the 8 bytes of a UID as they come over the air.
func UID(b []byte) drivers.UID {
	u := drivers.UID(b[:8])
	slices.Reverse(u[:])
	return u
}

func addressed(cmd byte, uid drivers.UID, data ...byte) []byte {
	return slices.Concat([]byte{FlagHigh | FlagAddress, cmd}, Reversed(uid), data)
}

// writes is a request that changes the tag.
func writes(cmd byte, uid drivers.UID, data ...byte) []byte {
	req := addressed(cmd, uid, data...)
	if needsOption(uid) {
		req[0] |= FlagOption
	}
	return req
}

func custom(cmd byte, uid drivers.UID) []byte {
	return slices.Concat([]byte{FlagHigh | FlagAddress, cmd, NXP}, Reversed(uid))
}

// Read reads n blocks, 1 to 256, from first on.
func Read(uid drivers.UID, first, n int) []byte {
	return addressed(CmdReadBlocks, uid, byte(first), byte(n-1))
}

// WriteBlock writes one block.
func WriteBlock(uid drivers.UID, block int, data []byte) []byte {
	return writes(CmdWriteBlock, uid, append([]byte{byte(block)}, data...)...)
}

// LockBlock makes a block unwritable for ever.
func LockBlock(uid drivers.UID, block int) []byte { return writes(CmdLockBlock, uid, byte(block)) }

// WriteAFI writes the application family identifier.
func WriteAFI(uid drivers.UID, afi byte) []byte { return writes(CmdWriteAFI, uid, afi) }

// WriteDSFID writes the data storage format identifier.
func WriteDSFID(uid drivers.UID, dsfid byte) []byte { return writes(CmdWriteDSFID, uid, dsfid) }

// Info asks for system information: ParseInfo.
func Info(uid drivers.UID) []byte { return addressed(CmdInfo, uid) }

// Security asks for the security byte of n blocks: 1 is locked.
func Security(uid drivers.UID, first, n int) []byte {
	return addressed(CmdSecurity, uid, byte(first), byte(n-1))
}

// StayQuiet silences a tag until the field is off; it does not answer.
func StayQuiet(uid drivers.UID) []byte { return addressed(CmdStayQuiet, uid) }

// Select selects a tag for requests with FlagSelect.
func Select(uid drivers.UID) []byte { return addressed(CmdSelect, uid) }

// SetEAS turns the alarm at the gate on or off (NXP).
func SetEAS(uid drivers.UID, on bool) []byte {
	if on {
		return custom(CmdSetEAS, uid)
	}
	return custom(CmdResetEAS, uid)
}

// EASAlarm has a tag whose EAS is on send its 32 bytes; others are silent
// (NXP).
func EASAlarm(uid drivers.UID) []byte { return custom(CmdEASAlarm, uid) }

// EASSequence is what an NXP tag answers to EASAlarm, behind the flags.
var EASSequence = [32]byte{
	0x2F, 0xB3, 0x62, 0x70, 0xD5, 0xA7, 0x90, 0x7F, 0xE8, 0xB1, 0x80, 0x38, 0xD2, 0x81, 0x49, 0x76,
	0x82, 0xDA, 0x9A, 0x86, 0x6F, 0xAF, 0x8B, 0xB0, 0xF1, 0x9C, 0xD1, 0x12, 0xA5, 0x72, 0x37, 0xEF,
}

// Answer gives what stands behind the flags of an answer, or the error that
// the tag reports.
func Answer(b []byte) ([]byte, error) {
	switch {
	case len(b) == 0:
		return nil, fmt.Errorf("empty answer: %w", drivers.ErrAir)
	case b[0]&1 == 0:
		return b[1:], nil
	case len(b) < 2:
		return nil, fmt.Errorf("error without a code: %w", drivers.ErrAir)
	}
	return nil, ErrorOf(b[1])
}

// ErrorOf is what an error code means. NXP's tags say "unknown" also for what
// is locked or not there (SL2S2602, 9.5).
func ErrorOf(code byte) error {
	err := drivers.ErrNotWritten
	switch code {
	case CodeUnsupported, CodeUnrecognised, CodeOption:
		err = drivers.ErrUnsupported
	case CodeNoBlock:
		err = drivers.ErrNoBlock
	case CodeWasLocked, CodeLocked:
		err = drivers.ErrLocked
	case CodeUnknown:
		return &Refusal{code, drivers.ErrLocked}
	}
	return &Refusal{code, err}
}

// Refusal is an error that a tag reports.
type Refusal struct {
	Code byte
	err  error
}

func (r *Refusal) Error() string { return fmt.Sprintf("tag says error %02X: %v", r.Code, r.err) }
func (r *Refusal) Unwrap() error { return r.err }

// ParseInfo reads the answer to Info, without its flags (10.4.12).
func ParseInfo(b []byte) (drivers.Info, drivers.UID, error) {
	var i drivers.Info
	if len(b) < 9 {
		return i, drivers.UID{}, fmt.Errorf("system information of %d bytes: %w", len(b), drivers.ErrAir)
	}
	has, uid, rest := b[0], UID(b[1:9]), b[9:]
	short := false
	next := func() (v byte) {
		if len(rest) == 0 {
			short = true
			return 0
		}
		v, rest = rest[0], rest[1:]
		return v
	}
	if has&1 != 0 {
		i.DSFID = next()
	}
	if has&2 != 0 {
		i.AFI = next()
	}
	if has&4 != 0 {
		i.Blocks = int(next()) + 1
		i.Size = int(next()&0x1F) + 1
	}
	if has&8 != 0 {
		i.IC = next()
	}
	if short {
		return i, uid, fmt.Errorf("system information is cut: %w", drivers.ErrAir)
	}
	return i, uid, nil
}

// CRC is that of requests and answers: ISO/IEC 13239, polynomial 8408
// reflected, start FFFF, complemented; low byte first on the air.
func CRC(b []byte) uint16 { return ^Residue(b) }

// Residue is the CRC before it is complemented, as several readers use it on
// their lines (CRC-16/MCRF4XX).
func Residue(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0x8408
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}

// mask is the part of the UIDs that tags must have to answer: the low bits.
type mask struct {
	value uint64
	bits  int
}

// request is an inventory of 16 slots for the tags of a mask.
func (m mask) request() []byte {
	req := []byte{FlagHigh | FlagInventory, CmdInventory, byte(m.bits)}
	for i := 0; i < m.bits; i += 8 {
		req = append(req, byte(m.value>>i))
	}
	return req
}

// rounds bounds an inventory: noise looks like collisions without end.
const rounds = 200

// Inventory finds all tags: 16 slots by four bits of the UID, and where
// several answer in one slot another 16 by the next four bits (9.1). What
// comes damaged and is no collision is asked for again once. Its error is the
// radio's, with the tags found before it.
func Inventory(a Air) ([]drivers.Tag, error) {
	var found []drivers.Tag
	seen := map[drivers.UID]bool{}
	todo := []mask{{}}
	for n := 0; len(todo) > 0 && n < rounds; n++ {
		m := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		answer, err := a.Send(m.request())
		for slot := range 16 {
			if slot > 0 {
				answer, err = a.Slot()
			}
			switch {
			case err == nil:
				if t, ok := listed(answer); ok && !seen[t.UID] {
					seen[t.UID] = true
					found = append(found, t)
				}
			case errors.Is(err, drivers.ErrAir):
				if m.bits < 60 {
					todo = append(todo, mask{m.value | uint64(slot)<<m.bits, m.bits + 4})
				}
			case !errors.Is(err, drivers.ErrNoTag):
				return found, err
			}
		}
	}
	return found, nil
}

// listed reads an answer to an inventory: flags, DSFID, UID.
func listed(b []byte) (drivers.Tag, bool) {
	if len(b) != 10 || b[0]&1 != 0 {
		return drivers.Tag{}, false
	}
	return drivers.Tag{DSFID: b[1], UID: UID(b[2:])}, true
}
