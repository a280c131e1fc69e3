package serialscan

import (
	"bytes"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// parser makes codes out of bytes, taken in any portions. It reads no clock.
type parser struct {
	ends   [256]bool // bytes that end a code
	begins bool      // STX begins a code anew
	prefix []byte    // cut from the front, if it is there
	buf    []byte    // of the code under way, at most max
	max    int
	long   bool // more came than buf holds
	yield  func(drivers.Scan)
}

const stx, etx = 0x02, 0x03

// suffixes are the bytes that end a code, by the name of the setting. A pair
// of CR and LF is two ends with an empty code between, which is nothing.
var suffixes = map[string][]byte{
	"auto": {'\r', '\n', '\t', etx},
	"cr":   {'\r'}, "lf": {'\n'}, "crlf": {'\r', '\n'}, "tab": {'\t'}, "none": nil,
}

const lenAIM = 3

func newParser(c Config, yield func(drivers.Scan)) *parser {
	p := &parser{prefix: []byte(c.Prefix), max: len(c.Prefix) + lenAIM + drivers.MaxText, yield: yield}
	for _, b := range suffixes[c.Suffix] {
		p.ends[b] = true
	}
	p.begins = !bytes.Contains(p.prefix, []byte{stx})
	return p
}

func (p *parser) feed(b []byte, at time.Time) {
	for _, c := range b {
		switch {
		case p.ends[c]:
			p.end(at)
		case c == stx && p.begins: // what came before it was noise
			p.drop()
		case noise(c) && !p.open():
		case len(p.buf) < p.max:
			p.buf = append(p.buf, c)
		default:
			p.long = true
		}
	}
}

// noise tells a byte that no scanner sends: of a line without a device, of a
// break, or, NUL, in place of one whose parity was wrong (termios, INPCK).
// Before a code it is nothing: some lines always bring it there, and a code
// whose first byte was damaged lacks what the library's patterns look at first.
// Within a code it stays, where nothing takes it for text: without it the code
// would be a shorter one, and that may be another book's.
func noise(c byte) bool { return c == 0 || c == 0xff }

// end gives the code under way; an empty one is nothing.
func (p *parser) end(at time.Time) {
	aim, text := drivers.CutAIM(string(bytes.TrimPrefix(p.buf, p.prefix)))
	sc := drivers.Scan{Text: text, AIM: aim, Long: p.long, At: at}
	if len(sc.Text) > drivers.MaxText {
		sc.Text, sc.Long = sc.Text[:drivers.MaxText], true
	}
	p.drop()
	if sc.Text != "" {
		p.yield(sc)
	}
}

// open tells whether a code is under way.
func (p *parser) open() bool { return len(p.buf) > 0 }

// drop forgets what is under way.
func (p *parser) drop() { p.buf, p.long = p.buf[:0], false }
