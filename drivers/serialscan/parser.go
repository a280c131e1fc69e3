package serialscan

import (
	"bytes"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// parser makes codes out of bytes, taken in any portions.
type parser struct {
	ends   [256]bool // bytes that end a code
	prefix []byte    // cut from the front, if it is there
	buf    []byte    // of the code under way, at most drivers.MaxText and the prefix
	long   bool      // more came than buf holds
	yield  func(drivers.Scan)
}

const stx, etx = 0x02, 0x03

func newParser(c Config, yield func(drivers.Scan)) *parser {
	p := &parser{prefix: []byte(c.Prefix), yield: yield}
	for _, b := range suffixes[c.Suffix] {
		p.ends[b] = true
	}
	return p
}

// suffixes are the bytes that end a code, by the name of the setting. A CR
// and LF pair is two ends with an empty code between, which is nothing.
var suffixes = map[string][]byte{
	"auto": {'\r', '\n', '\t', etx},
	"cr":   {'\r'}, "lf": {'\n'}, "crlf": {'\r', '\n'}, "tab": {'\t'}, "none": nil,
}

func (p *parser) feed(b []byte, at time.Time) {
	for _, c := range b {
		switch {
		case p.ends[c]:
			p.end(at)
		case c == 0 || c == 0xff: // a line without a device, a break, a parity error
		case len(p.buf) < drivers.MaxText+len(p.prefix)+3:
			p.buf = append(p.buf, c)
		default:
			p.long = true
		}
	}
}

// end gives the code under way; an empty one is nothing.
func (p *parser) end(at time.Time) {
	code := bytes.TrimPrefix(p.buf, []byte{stx})
	code = bytes.TrimPrefix(code, p.prefix)
	aim, text := drivers.CutAIM(string(code))
	sc := drivers.Scan{Text: text, AIM: aim, Long: p.long, At: at}
	if len(sc.Text) > drivers.MaxText {
		sc.Text, sc.Long = sc.Text[:drivers.MaxText], true
	}
	p.buf, p.long = p.buf[:0], false
	if sc.Text != "" {
		p.yield(sc)
	}
}

// open tells whether a code is under way.
func (p *parser) open() bool { return len(p.buf) > 0 || p.long }

// drop forgets what is under way.
func (p *parser) drop() { p.buf, p.long = p.buf[:0], false }
