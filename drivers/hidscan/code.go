package hidscan

import "github.com/carrel-kiosk/carrel/drivers"

// longest is how many bytes are kept of a code while it comes in: MaxText
// and room for the AIM identifier before it.
const longest = drivers.MaxText + 3

// A code is the text of one scan while it comes in, bounded.
type code struct {
	text []byte
	long bool
}

func (c *code) add(b ...byte) {
	if n := longest - len(c.text); len(b) > n {
		b, c.long = b[:n], true
	}
	c.text = append(c.text, b...)
}

func (c *code) reset() { c.text, c.long = c.text[:0], false }

// scan makes a scan of the code. aim is its AIM identifier if the device told
// it apart from the text; if not, the text may begin with one.
func (c *code) scan(aim string) drivers.Scan {
	s := drivers.Scan{Text: string(c.text), AIM: aim, Long: c.long}
	if aim == "" {
		s.AIM, s.Text = drivers.CutAIM(s.Text)
	}
	if len(s.Text) > drivers.MaxText {
		s.Text, s.Long = s.Text[:drivers.MaxText], true
	}
	return s
}
