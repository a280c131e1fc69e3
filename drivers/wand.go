package drivers

// UHFTag is a tag of EPC Class 1 Generation 2 (ISO/IEC 18000-63) as a reader
// hears it.
type UHFTag struct {
	EPC []byte // the UII: the EPC bank without check sum and PC; 2 to 62 bytes
	PC  uint16 // protocol control word; 0 where the reader does not tell it
	// RSSI is how strongly it was heard, in dBm; 0 where the reader does not
	// tell it.
	RSSI int
}

// Bank is a part of the memory of a UHF tag, of words of 16 bits.
type Bank byte

// The banks.
const (
	BankReserved Bank = iota // passwords
	BankEPC                  // check sum, PC, UII
	BankTID                  // maker and serial number of the chip
	BankUser                 //
)

// Wand hears UHF tags, as one that is held along shelves. One goroutine owns
// it. No call waits longer than the driver's options say.
//
// A command to a tag goes to those of its EPC: two tags of the same EPC can't
// be told apart.
type Wand interface {
	// Hear listens for one round and gives the tags that were heard in it,
	// each once. What is nearby may be heard only in some rounds. Readers that
	// read continuously go on between the calls. An error is the reader's.
	Hear() ([]UHFTag, error)
	// Rest has a reader that reads continuously do so no more, until the next
	// Hear, and finds out whether it is there.
	Rest() error
	// ReadBank reads n words from first on; all or an error, which is about
	// the tag if it wraps neither ErrSilent nor ErrGone.
	ReadBank(epc []byte, bank Bank, first, n int) ([]byte, error)
	Close() error
}

// BankWriter writes the memory of UHF tags.
type BankWriter interface {
	// WriteBank writes whole words from first on. After an error any of them
	// may be written. To write the EPC bank may give the tag another EPC.
	WriteBank(epc []byte, bank Bank, first int, data []byte) error
}
