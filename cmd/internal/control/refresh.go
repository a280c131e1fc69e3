package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Refresh is how fresh one of the library's lists is in the mirror.
type Refresh struct {
	List    string    `json:"list"`           // items, patrons, loans
	Whole   time.Time `json:"whole,omitzero"` // when it was last read whole; left out: never
	Since   time.Time `json:"since,omitzero"` // what has changed until then is known
	Next    time.Time `json:"next,omitzero"`  // when it is read next; left out: when it is asked for
	Running bool      `json:"running"`        // it is being read, or will go on
	Rows    int       `json:"rows"`           // of the list that is being read, or was last
	New     int       `json:"new"`
	Changed int       `json:"changed"`
	Same    int       `json:"same"`
	Ended   int       `json:"ended"` // loans that the list lacked
	Error   string    `json:"error,omitempty"`
	Stuck   bool      `json:"stuck"` // a person must see to the error
}

// needs is what a person must do about it; empty: nothing. That the library's
// system is away shows elsewhere.
func (r *Refresh) needs() string {
	if !r.Stuck {
		return ""
	}
	return fmt.Sprintf("refresh of %s: %s", r.List, r.Error)
}

// Refresh implements Daemon.
func (c *Client) Refresh(ctx context.Context, whole bool, tell func(Line)) error {
	path := "/refresh"
	if whole {
		path += "?whole"
	}
	resp, err := c.call(ctx, "POST", path, nil)
	if err != nil {
		return err
	}
	return lines(resp, tell)
}

// telling serves what tells how it goes, line by line, and at last its error.
func telling(w http.ResponseWriter, do func(tell func(Line)) error) {
	enc, rc := json.NewEncoder(w), http.NewResponseController(w)
	tell := func(l Line) {
		enc.Encode(l)
		rc.Flush()
	}
	rc.Flush() //nolint:errcheck // it has begun: who asked waits for lines now
	if err := do(tell); err != nil {
		tell(Line{Failed: failureOf(err)})
	}
}
