package hidscan

import (
	"bytes"
	"time"
	"unicode/utf8"

	"github.com/carrel-kiosk/carrel/drivers"
)

// A wedge decodes a scanner that types: it puts the characters of a keyboard
// together to codes.
//
// Enter, keypad Enter and Tab end a code. A code that nothing ends is dropped,
// for it may be half of one, or delivered after a short silence where the
// configuration says that the scanner sends no suffix. A line that comes in
// slower than a scanner types is a person's and is dropped.
type wedge struct {
	keys   keyboard
	prefix []byte
	idle   time.Duration // silence that ends a code; 0: none does
	slow   time.Duration // mean time a report from which it is a person; 0: never

	line    code
	reports int           // of the line, after the one with its first character
	spent   time.Duration // waited for them
}

// unended is how long a code may stay without its end.
const unended = 500 * time.Millisecond

func newWedge(c Config) *wedge {
	w := &wedge{
		keys:   keyboard{layout: layouts[c.Layout]},
		prefix: []byte(c.Prefix),
		slow:   time.Duration(c.Slow),
	}
	if c.Unended == "deliver" {
		w.idle = time.Duration(c.Idle)
	}
	return w
}

func (w *wedge) report(p []byte, quiet time.Duration, yield func(drivers.Scan)) bool {
	boot, ok := w.keys.boot(p)
	if !ok {
		return false
	}
	if len(w.line.text) > 0 {
		w.reports, w.spent = w.reports+1, w.spent+quiet
	}
	w.keys.report(boot, func(r rune) {
		if r == '\r' || r == '\n' || r == '\t' {
			w.end(yield)
			return
		}
		w.add(r)
	})
	return true
}

func (w *wedge) silence(quiet time.Duration, yield func(drivers.Scan)) {
	switch {
	case !w.pending():
	case w.idle > 0 && quiet >= w.idle:
		w.keys.flush(w.add)
		if utf8.RuneCount(w.line.text) < 2 {
			w.drop() // one key is not a code
			return
		}
		w.end(yield)
	case quiet >= unended:
		w.drop()
	}
}

func (w *wedge) limit() time.Duration {
	switch {
	case !w.pending():
		return 0
	case w.idle > 0:
		return w.idle
	}
	return unended
}

func (w *wedge) advice() string {
	return `switch its "N-key rollover" off, so that it types like a plain keyboard, or set it to HID POS and mode = "pos"`
}

func (w *wedge) pending() bool { return len(w.line.text) > 0 || w.keys.dead != 0 }

func (w *wedge) add(r rune) { w.line.add(utf8.AppendRune(nil, r)...) }

func (w *wedge) end(yield func(drivers.Scan)) {
	defer w.drop()
	if w.slow > 0 && w.reports > 0 && w.spent/time.Duration(w.reports) > w.slow {
		return
	}
	w.line.text = bytes.TrimPrefix(w.line.text, w.prefix)
	if s := w.line.scan(""); s.Text != "" {
		yield(s)
	}
}

func (w *wedge) drop() {
	w.line.reset()
	w.keys.dead = 0
	w.reports, w.spent = 0, 0
}
