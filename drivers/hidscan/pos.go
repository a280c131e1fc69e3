package hidscan

import (
	"bytes"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Report IDs of input reports.
const (
	idPOS       = 0x02
	idMicroscan = 0x01
)

// posSize is the length of a report with its ID, in bytes.
const posSize = 64

// A form is where a maker puts things in a report.
type form struct {
	name      string
	aim       int // offset of the AIM identifier; 0: none
	data      int // offset of the first data byte
	end       int // offset after the last
	symbology int // offset of the maker's byte for the symbology; 0: none
	more      int // offset of the byte whose bit 0 says that the code goes on; 0: none
}

// The forms. honeywell is that of the HID POS usage tables (section 5) with
// the maker's byte in a reserved place; the others were seen.
var (
	honeywell = form{name: "honeywell", aim: 2, data: 5, end: 61, symbology: 61, more: 63}
	zebra     = form{name: "zebra", aim: 3, data: 6, end: 61, more: 63}
	plain     = form{name: "plain", data: 2, end: 58, symbology: 62, more: 63}
	microscan = form{name: "microscan", data: 2, end: 64}
)

var forms = map[string]form{
	honeywell.name: honeywell, zebra.name: zebra, plain.name: plain, microscan.name: microscan,
}

// A posDecoder decodes HID POS reports (usage page 8C) to codes.
type posDecoder struct {
	form *form // nil: found out for each code

	now  form // of the code that goes on
	line code
	aim  string // from the identifier's own place, empty if there is none
	open bool   // a code has begun and goes on
}

func newPOS(c Config) *posDecoder {
	d := &posDecoder{}
	if f, ok := forms[c.Form]; ok {
		d.form = &f
	}
	return d
}

func (d *posDecoder) report(p []byte, _ time.Duration, yield func(drivers.Scan)) bool {
	f, ok := d.formOf(p)
	if !ok {
		return false
	}
	part, ok := f.parse(p)
	if !ok {
		d.drop() // a length that can't be: nothing here is to be trusted
		return true
	}
	if d.open && part.aim != d.aim {
		d.drop()
	}
	d.now, d.aim, d.open = f, part.aim, part.more
	d.line.add(part.data...)
	if !d.open {
		d.end(honeywellAIM[part.symbology], yield)
	}
	return true
}

func (d *posDecoder) silence(quiet time.Duration, _ func(drivers.Scan)) {
	if d.open && quiet >= unended {
		d.drop()
	}
}

func (d *posDecoder) advice() string {
	return `say which form its reports have (form), or set it to type like a keyboard and mode = "keyboard"`
}

func (d *posDecoder) limit() time.Duration {
	if d.open {
		return unended
	}
	return 0
}

// end gives the code. fallback is its AIM identifier if it is told nowhere.
func (d *posDecoder) end(fallback string, yield func(drivers.Scan)) {
	defer d.drop()
	d.line.text = bytes.TrimRight(d.line.text, "\r\n\t")
	s := d.line.scan(d.aim)
	if s.AIM == "" {
		s.AIM = fallback
	}
	if s.Text != "" && !answer(s.AIM) {
		yield(s)
	}
}

func (d *posDecoder) drop() {
	d.line.reset()
	d.aim, d.open = "", false
}

// answer reports whether an AIM identifier marks a scanner's answer to a
// command: ]Z is "not a barcode", Honeywell sends texts as ]X0.
func answer(aim string) bool { return aim == "]X0" || strings.HasPrefix(aim, "]Z") }

// formOf finds the form of a report, false if it is none of a scanner's.
func (d *posDecoder) formOf(p []byte) (form, bool) {
	if len(p) < 2 || len(p) > posSize {
		return form{}, false
	}
	if d.form != nil {
		want := byte(idPOS)
		if d.form.name == microscan.name {
			want = idMicroscan
		}
		return *d.form, p[0] == want
	}
	switch {
	case p[0] == idMicroscan:
		return microscan, true
	case p[0] == idPOS && d.open:
		return d.now, true
	case p[0] == idPOS:
		return guess(p), true
	}
	return form{}, false
}

// guess tells the forms with ID 02 apart by where the AIM identifier is. A
// code that itself begins as one does misleads it; then the configuration
// must fix the form.
func guess(p []byte) form {
	switch {
	case aimAt(p, 2) != "":
		return honeywell
	case len(p) > 5 && p[2] < ' ' && aimAt(p, 3) != "":
		return zebra
	case p[1] > 0 && len(p) > 5 && p[2] == 0 && p[3] == 0 && p[4] == 0:
		return honeywell // which left the identifier out
	}
	return plain
}

func aimAt(p []byte, i int) string {
	if len(p) < i+3 {
		return ""
	}
	aim, _ := drivers.CutAIM(string(p[i : i+3]))
	return aim
}

// A part is what one report says.
type part struct {
	data      []byte
	aim       string // empty: the report has none in its own place; the data may
	symbology byte   // 0: not told
	more      bool
}

// parse takes a report apart; false if its length can't be.
func (f form) parse(p []byte) (part, bool) {
	end := f.data + int(p[1])
	if end > f.end || end > len(p) {
		return part{}, false
	}
	r := part{data: p[f.data:end], more: byteAt(p, f.more)&1 != 0, symbology: byteAt(p, f.symbology)}
	if f.aim > 0 {
		r.aim = aimAt(p, f.aim)
	}
	return r, true
}

// byteAt is 0 where a form or a short report has nothing; offset 0, the
// report ID, means that the form has no such byte.
func byteAt(p []byte, i int) byte {
	if i == 0 || i >= len(p) {
		return 0
	}
	return p[i]
}

// honeywellAIM is the AIM identifier of Honeywell's code identifiers, for
// scanners that send only these. The modifier is that of the plain case, as
// the byte does not tell it.
var honeywellAIM = map[byte]string{
	0x61: "]F0",                           // Codabar
	0x62: "]A0",                           // Code 39
	0x63: "]E0",                           // UPC-A
	0x64: "]E0",                           // EAN-13
	0x44: "]E4",                           // EAN-8
	0x45: "]E0",                           // UPC-E
	0x65: "]I0",                           // interleaved 2 of 5
	0x66: "]S0",                           // 2 of 5
	0x67: "]M0",                           // MSI
	0x68: "]H0",                           // Code 11
	0x69: "]G0",                           // Code 93
	0x6A: "]C0",                           // Code 128
	0x7C: "]C1",                           // GS1-128
	0x72: "]L0",                           // PDF417
	0x73: "]Q1",                           // QR
	0x74: "]B0",                           // Telepen
	0x77: "]d1",                           // Data Matrix
	0x79: "]e0", 0x7B: "]e0", 0x7D: "]e0", // DataBar, limited, expanded
	0x7A: "]z0", // Aztec
}
