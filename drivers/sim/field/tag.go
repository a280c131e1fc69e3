package field

import (
	"slices"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
)

// Tag is a tag's state: what its chip remembers.
type Tag struct {
	UID        drivers.UID
	DSFID, AFI byte
	IC         byte // revision of the chip
	EAS        bool
	Size       int    // bytes of a block
	Memory     []byte // whole blocks
	Locked     []bool // by block
	AFILocked  bool
	EASLocked  bool
	Blunt      bool // answers all errors with 0F, as NXP's chips do
	Written    int  // successful writes so far
}

// NewTag is a tag with an empty memory of blocks of size bytes.
func NewTag(uid drivers.UID, blocks, size int) *Tag {
	return &Tag{UID: uid, Size: size, Memory: make([]byte, blocks*size), Locked: make([]bool, blocks), Blunt: uid[1] == iso15693.NXP, IC: 1}
}

func (t *Tag) copy() Tag {
	c := *t
	c.Memory, c.Locked = slices.Clone(t.Memory), slices.Clone(t.Locked)
	return c
}

func (t *Tag) blocks() int { return len(t.Locked) }

func (t *Tag) number() (n uint64) {
	for _, b := range t.UID {
		n = n<<8 | uint64(b)
	}
	return n
}

// meant tells whether a request is for this tag, and cuts its parameters.
func (p *placed) meant(req []byte) (body []byte, ok bool) {
	body = req[2:]
	if req[1] >= 0xA0 { // behind the command stands the maker (10.5)
		if len(body) == 0 || body[0] != iso15693.Maker(p.UID) {
			return nil, false
		}
		body = body[1:]
	}
	switch {
	case req[0]&iso15693.FlagAddress != 0:
		if len(body) < 8 || iso15693.UID(body) != p.UID {
			if req[1] == iso15693.CmdSelect {
				p.selected = false // another one is selected (10.4.5)
			}
			return nil, false
		}
		return body[8:], true
	case req[0]&iso15693.FlagSelect != 0:
		return body, p.selected
	}
	return body, !p.quiet
}

func writesTag(cmd byte) bool {
	switch cmd {
	case iso15693.CmdWriteBlock, iso15693.CmdWriteAFI, iso15693.CmdWriteDSFID, iso15693.CmdSetEAS, iso15693.CmdResetEAS:
		return true
	}
	return false
}

var ok = []byte{0}

// obey carries a request out; nil is silence. torn is not 0 when power is
// lost while the tag writes: by its bits, what changes and what does not.
func (p *placed) obey(flags, cmd byte, body []byte, torn uint64) (answer []byte, wrote bool) {
	switch cmd {
	case iso15693.CmdStayQuiet:
		p.quiet, p.selected = true, false
		return nil, false
	case iso15693.CmdSelect:
		p.quiet, p.selected = false, true
		return ok, false
	case iso15693.CmdResetToReady:
		p.quiet, p.selected = false, false
		return ok, false
	case iso15693.CmdReadBlock, iso15693.CmdReadBlocks, iso15693.CmdSecurity:
		return p.read(flags, cmd, body), false
	case iso15693.CmdInfo:
		return p.info(), false
	case iso15693.CmdEASAlarm:
		if !p.EAS || p.UID[1] != iso15693.NXP {
			return nil, false
		}
		return append([]byte{0}, iso15693.EASSequence[:]...), false
	}
	if iso15693.Maker(p.UID) == iso15693.TI && flags&iso15693.FlagOption == 0 {
		return p.no(iso15693.CodeOption), false
	}
	code := p.write(cmd, body, torn)
	if code != 0 {
		return p.no(code), false
	}
	p.Written++
	return ok, true
}

func (p *placed) no(code byte) []byte {
	if p.Blunt {
		code = iso15693.CodeUnknown
	}
	return []byte{1, code}
}

// read gives blocks; those past the end are left out (SL2S2602, 9.5.4).
func (p *placed) read(flags, cmd byte, body []byte) []byte {
	n := 1
	if cmd != iso15693.CmdReadBlock {
		if len(body) != 2 {
			return p.no(iso15693.CodeUnrecognised)
		}
		n = int(body[1]) + 1
	}
	if len(body) == 0 || int(body[0]) >= p.blocks() {
		return p.no(iso15693.CodeNoBlock)
	}
	out := []byte{0}
	for b := int(body[0]); b < min(int(body[0])+n, p.blocks()); b++ {
		lock := byte(0)
		if p.Locked[b] {
			lock = 1
		}
		if cmd == iso15693.CmdSecurity || flags&iso15693.FlagOption != 0 {
			out = append(out, lock)
		}
		if cmd != iso15693.CmdSecurity {
			out = append(out, p.Memory[b*p.Size:(b+1)*p.Size]...)
		}
	}
	return out
}

func (p *placed) info() []byte {
	out := append([]byte{0, 0x0F}, iso15693.Reversed(p.UID)...)
	return append(out, p.DSFID, p.AFI, byte(p.blocks()-1), byte(p.Size-1), p.IC)
}

// write changes the tag, or tells why not.
func (p *placed) write(cmd byte, body []byte, torn uint64) (code byte) {
	one := func(v *byte, locked bool) byte {
		switch {
		case len(body) != 1:
			return iso15693.CodeUnrecognised
		case locked:
			return iso15693.CodeLocked
		case torn&1 == 0:
			*v = body[0]
		}
		return 0
	}
	switch cmd {
	case iso15693.CmdWriteBlock:
		return p.writeBlock(body, torn)
	case iso15693.CmdWriteAFI:
		return one(&p.AFI, p.AFILocked)
	case iso15693.CmdWriteDSFID:
		return one(&p.DSFID, false)
	case iso15693.CmdLockBlock:
		if len(body) != 1 || int(body[0]) >= p.blocks() {
			return iso15693.CodeNoBlock
		}
		if p.Locked[body[0]] {
			return iso15693.CodeWasLocked
		}
		p.Locked[body[0]] = true
	case iso15693.CmdLockAFI:
		p.AFILocked = true
	case iso15693.CmdSetEAS, iso15693.CmdResetEAS:
		if p.EASLocked {
			return iso15693.CodeLocked
		}
		if torn&1 == 0 {
			p.EAS = cmd == iso15693.CmdSetEAS
		}
	default:
		return iso15693.CodeUnsupported
	}
	return 0
}

func (p *placed) writeBlock(body []byte, torn uint64) byte {
	switch {
	case len(body) != 1+p.Size:
		return iso15693.CodeUnrecognised
	case int(body[0]) >= p.blocks():
		return iso15693.CodeNoBlock
	case p.Locked[body[0]]:
		return iso15693.CodeLocked
	}
	at := int(body[0]) * p.Size
	for i, c := range body[1:] {
		if torn>>i&1 == 0 {
			p.Memory[at+i] = c
		}
	}
	return 0
}
