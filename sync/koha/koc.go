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
// out, with all that comes behind it of the same item.
//
// Koha recognises no line that it has seen before: a file is uploaded once.
// It lends to blocked patrons as well, and a return captures no hold.
func WriteOffline(w io.Writer, entries []kiosk.Entry, zone *time.Location) (left []kiosk.Entry, err error) {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "Version=1.0\tGenerator=Carrel\tGeneratorVersion=1\n")
	n, behind := 0, map[kiosk.Barcode]bool{}
	for _, e := range entries {
		lends := e.Kind == kiosk.Checkout || e.Kind == kiosk.Renew
		if behind[e.Item] || !plainField(string(e.Item)) || lends && !plainField(string(e.Patron)) || !lends && e.Kind != kiosk.Checkin {
			left, behind[e.Item] = append(left, e), true
			continue
		}
		n++
		fmt.Fprintf(out, "%s %03d\t", e.At.In(zone).Format(time.DateTime), n%1000)
		if lends {
			fmt.Fprintf(out, "issue\t%s\t%s\n", e.Patron, e.Item)
		} else {
			fmt.Fprintf(out, "return\t%s\n", e.Item)
		}
	}
	return left, out.Flush()
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
