package drivers

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// UID is the identifier of an ISO 15693 tag, most significant byte first: E0,
// the maker of the chip, its serial number (ISO/IEC 15693-3, section 4.1). On
// the air it goes the other way round.
type UID [8]byte

// String gives 16 digits, as "E004015012345678".
func (u UID) String() string { return fmt.Sprintf("%X", u[:]) }

// ParseUID reads what String gives.
func ParseUID(s string) (UID, error) {
	var u UID
	if len(s) != 2*len(u) {
		return u, fmt.Errorf("%.40q is no UID: it has 16 digits, as E004015012345678", s)
	}
	if _, err := hex.Decode(u[:], []byte(s)); err != nil {
		return u, fmt.Errorf("%q is no UID: it has digits 0 to 9 and A to F", s)
	}
	return u, nil
}

// Tag is a tag as an inventory lists it.
type Tag struct {
	UID   UID
	DSFID byte // data storage format, a hint; 0 also where the reader does not tell it
}

// Blocks is a part of a tag's memory, in the order of the memory.
type Blocks struct {
	Size int    // bytes of a block
	Data []byte // whole blocks
}

// N is how many blocks they are.
func (b Blocks) N() int {
	if b.Size <= 0 {
		return 0
	}
	return len(b.Data) / b.Size
}

// Pad reads tags. One goroutine owns it. No call waits longer than the
// driver's options say; an answer that does not come is ErrSilent, and every
// error that wraps neither ErrSilent nor ErrGone is about the tag.
//
// A pad that can do more implements more of the interfaces below; each command
// goes to the tag of the UID alone, never to all in range.
type Pad interface {
	// Inventory lists each tag in the field once, also those it has listed
	// before. With ErrFull come those that fitted.
	Inventory() ([]Tag, error)
	// Read reads n blocks from first on. There are fewer where the memory
	// ends; where it ends before first it is an error.
	Read(uid UID, first, n int) (Blocks, error)
	Close() error
}

// BlockWriter writes memory.
type BlockWriter interface {
	// Write writes whole blocks from first on. After an error any of them may
	// be written, and any half of them: read them again.
	Write(uid UID, first int, b Blocks) error
}

// BlockLocker makes a block unwritable for ever.
type BlockLocker interface {
	Lock(uid UID, block int) error
}

// LockReader tells which blocks are locked.
type LockReader interface {
	Locked(uid UID, first, n int) ([]bool, error)
}

// AFIWriter reads and writes the application family identifier, by which
// gates tell lent from not lent (ISO 28560-1).
type AFIWriter interface {
	AFI(uid UID) (byte, error)
	WriteAFI(uid UID, afi byte) error
}

// EASWriter reads and sets the bit of electronic article surveillance: on
// means that the gate alarms.
type EASWriter interface {
	EAS(uid UID) (bool, error)
	WriteEAS(uid UID, on bool) error
}

// DSFIDWriter writes the data storage format identifier.
type DSFIDWriter interface {
	WriteDSFID(uid UID, dsfid byte) error
}

// Info is a tag's system information (ISO/IEC 15693-3, 10.4.12). Blocks and
// Size are 0 where the tag does not tell them.
type Info struct {
	DSFID, AFI, IC byte
	Blocks, Size   int
}

// Informer reads system information.
type Informer interface {
	Info(uid UID) (Info, error)
}

// Radio turns the field on and off. A tag forgets in a field that is off that
// it was to be quiet.
type Radio interface {
	Radio(on bool) error
}

// Named tells what device it is, for people: "FEIG MR101-A, firmware 3.3".
type Named interface {
	Identity() string
}

// What can be wrong with a tag.
var (
	// ErrNoTag: the tag did not answer. It has been lifted, or it was mute or
	// did not understand: a reader can't tell.
	ErrNoTag = errors.New("tag does not answer")
	// ErrAir: what was heard was damaged, or several answered at once.
	ErrAir = errors.New("answer of the tag was damaged")
	// ErrLocked: that part of the tag can't be written.
	ErrLocked = errors.New("locked")
	// ErrNoBlock: the tag has no such block.
	ErrNoBlock = errors.New("the tag has no such block")
	// ErrUnsupported: the reader or the tag does not know the command.
	ErrUnsupported = errors.New("not supported")
	// ErrNotWritten: the tag or the reader says that it did not write.
	ErrNotWritten = errors.New("not written")
	// ErrFull: there are more tags than the reader can list.
	ErrFull = errors.New("more tags than the reader can list")
)
