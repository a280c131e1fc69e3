package koha

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// WriteOffline writes entries as an offline circulation file (.koc, version
// 1.0), in their order, with the server's local times. A renewal is written as
// an issue to who has it. The file has no quoting, so what a card or barcode
// can't be written in, and what is no loan or return, is given back as left
// out, with all that comes behind it of the same item; so is a loan that was
// made under a wrong clock, for Koha counts its due date from the line's. What
// stood on the shelf is left out too, and holds up nothing.
//
// Koha recognises no line that it has seen before: a file is uploaded once.
// It lends to blocked patrons as well, and a return captures no hold. Its queue
// goes by the times, not by the lines: so none is before the one above it, also
// in the hour that comes twice when the clocks go back.
func WriteOffline(w io.Writer, entries []kiosk.Entry, zone *time.Location) (left []kiosk.Entry, err error) {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "Version=1.0\tGenerator=Carrel\tGeneratorVersion=1\n")
	n, last, behind := 0, "", map[kiosk.Barcode]bool{}
	for _, e := range entries {
		line := operation(e)
		if behind[e.Item] || line == "" {
			left = append(left, e)
			behind[e.Item] = behind[e.Item] || e.Kind != kiosk.Seen
			continue
		}
		n++
		last = max(last, e.At.In(zone).Format(time.DateTime))
		fmt.Fprintf(out, "%s %03d\t%s\n", last, n%1000, line)
	}
	return left, out.Flush()
}

// operation is what a line says of an entry, "" where none can.
func operation(e kiosk.Entry) string {
	switch {
	case !plainField(string(e.Item)):
	case e.Kind == kiosk.Checkin:
		return "return\t" + string(e.Item)
	case e.Kind.Lends() && plainField(string(e.Patron)) && !e.Doubt:
		return "issue\t" + string(e.Patron) + "\t" + string(e.Item)
	}
	return ""
}

// plainField tells whether a text survives in the file.
func plainField(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}
