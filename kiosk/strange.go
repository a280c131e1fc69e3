package kiosk

import "time"

// Strange is something that the ILS has said in refusing, and that no reason
// is known for: the patron was sent to staff, and these are its words.
type Strange struct {
	Text string
	N    int       // times
	Last time.Time //
}
