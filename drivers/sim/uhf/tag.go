package uhf

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Tag is a tag's state: what its chip remembers. It is safe for use by several
// goroutines.
type Tag struct {
	mu     sync.Mutex
	banks  [4][]byte
	locked [4]bool // can't be written
}

// NewTag is a tag with 96 bits of TID that are spread by n, user memory of so
// many bytes, and a UII in its EPC bank, which holds the longest there is.
func NewTag(n uint32, pc uint16, uii []byte, user int) *Tag {
	t := &Tag{}
	t.banks[drivers.BankReserved] = make([]byte, 8)
	t.banks[drivers.BankTID] = []byte{0xE2, 0x80, 0x68, 0x94, 0, 0, 0x50, 0, 0, 0, 0, 0} // NXP UCODE 7
	binary.BigEndian.PutUint32(t.banks[drivers.BankTID][8:], n*2654435761)
	t.banks[drivers.BankEPC] = make([]byte, 4+maxUII)
	binary.BigEndian.PutUint16(t.banks[drivers.BankEPC][2:], pc&0x07FF|uint16(len(uii)/2)<<11)
	copy(t.banks[drivers.BankEPC][4:], uii)
	t.banks[drivers.BankUser] = make([]byte, user)
	t.sum()
	return t
}

const maxUII = 62 // bytes: 31 words, all that the PC can tell

// pc is the protocol control word.
func (t *Tag) pc() uint16 { return binary.BigEndian.Uint16(t.banks[drivers.BankEPC][2:]) }

// epc is the UII, as long as the PC says.
func (t *Tag) epc() []byte {
	n := 2 * int(t.pc()>>11)
	return t.banks[drivers.BankEPC][4 : 4+n]
}

// sum stores the check sum of PC and UII, which the chip makes by itself
// (CRC-16, polynomial 1021, begins with FFFF, inverted).
func (t *Tag) sum() {
	crc := uint16(0xFFFF)
	for _, b := range t.banks[drivers.BankEPC][2 : 4+len(t.epc())] {
		crc ^= uint16(b) << 8
		for range 8 {
			carry := crc >> 15
			crc = crc<<1 ^ carry*0x1021
		}
	}
	binary.BigEndian.PutUint16(t.banks[drivers.BankEPC], ^crc)
}

// heard is what it answers to an inventory, but for its strength.
func (t *Tag) heard() Heard {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Heard{PC: t.pc(), EPC: slices.Clone(t.epc()), CRC: binary.BigEndian.Uint16(t.banks[drivers.BankEPC])}
}

// read gives words of a bank.
func (t *Tag) read(bank drivers.Bank, first, n int) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.banks[bank&3]
	if n < 1 || 2*(first+n) > len(b) {
		return nil, drivers.ErrNoBlock
	}
	return slices.Clone(b[2*first : 2*(first+n)]), nil
}

// write writes words of a bank; of those torn off only the first.
func (t *Tag) write(bank drivers.Bank, first int, data []byte, torn int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.banks[bank&3]
	switch {
	case len(data) == 0 || len(data)%2 != 0 || 2*first+len(data) > len(b):
		return drivers.ErrNoBlock
	case bank == drivers.BankTID || t.locked[bank&3]:
		return drivers.ErrLocked
	}
	copy(b[2*first:], data[:len(data)-2*torn])
	t.sum()
	return nil
}

// EPC is the tag's UII.
func (t *Tag) EPC() []byte { return t.heard().EPC }

// PC is its protocol control word.
func (t *Tag) PC() uint16 { return t.heard().PC }

// Bank gives a copy of a bank.
func (t *Tag) Bank(b drivers.Bank) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.banks[b])
}

// Set writes what a bank holds from its begin on.
func (t *Tag) Set(b drivers.Bank, data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	copy(t.banks[b], data)
	t.sum()
}

// Lock makes a bank unwritable.
func (t *Tag) Lock(b drivers.Bank) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.locked[b] = true
}
