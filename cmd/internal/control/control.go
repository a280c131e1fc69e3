// Package control is how kioskctl talks to a running daemon: a small HTTP API
// on a Unix socket in the data folder. Who may open the folder may use it;
// nothing of it is on the network.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// Socket is the socket's name in the data folder.
const Socket = "control.sock"

// Status is how a kiosk is.
type Status struct {
	Name         string          `json:"kiosk"`
	Version      string          `json:"version"`
	Running      bool            `json:"running"`
	Since        time.Time       `json:"since,omitzero"`
	View         string          `json:"view,omitempty"`
	Devices      []Device        `json:"devices"`
	Upstream     Upstream        `json:"upstream"`
	Outbox       int             `json:"outbox"`
	Oldest       time.Time       `json:"oldest_unsent,omitzero"`
	Exception    int             `json:"exceptions"`
	Work         int             `json:"tag_work"` // tags whose security is not yet what the ledger says
	Entries      int             `json:"entries"`
	Items        int             `json:"items"`
	Patrons      int             `json:"patrons"`
	Loans        int             `json:"loans"`
	Clock        time.Time       `json:"clock"`
	ClockBy      string          `json:"clock_by"`                // what the clock goes by
	Doubt        string          `json:"clock_doubt,omitempty"`   // why the clock is not trusted
	ClockWarning string          `json:"clock_warning,omitempty"` // what else is wrong with the clocks
	Doubtful     int             `json:"doubtful"`                // entries whose time is not to be trusted
	DiskFree     uint64          `json:"disk_free_bytes"`
	Disk         Disk            `json:"disk"`
	Faults       []string        `json:"faults"`
	Staff        bool            `json:"staff"`             // staff has pad and scanner
	Refresh      []Refresh       `json:"refresh,omitempty"` // the library's lists; left out where it has none to give
	Rescue       *sqlite.Account `json:"rescue,omitempty"`  // of a ledger that was damaged; left out if it never was
}

// Needs lists what a person must see to; empty: all is well.
func (s *Status) Needs() []string {
	needs := append([]string(nil), s.Faults...)
	if s.Exception > 0 {
		needs = append(needs, cli.Count(s.Exception, "exception waits", "exceptions wait")+" for staff: kioskctl exceptions")
	}
	if s.Work > 0 {
		needs = append(needs, cli.Count(s.Work, "tag is not yet released or secured: put it", "tags are not yet released or secured: put them")+
			" on the pad, or see kioskctl work")
	}
	for _, r := range s.Refresh {
		if n := r.needs(); n != "" {
			needs = append(needs, n)
		}
	}
	if s.Doubt != "" {
		needs = append(needs, "clock: "+s.Doubt)
	}
	if s.ClockWarning != "" {
		needs = append(needs, "clock: "+s.ClockWarning)
	}
	if s.Rescue != nil && !s.Rescue.Seen {
		needs = append(needs, fmt.Sprintf("ledger: it was damaged and has been rescued on %s, %s: kioskctl rescue",
			s.Rescue.At.Local().Format(time.DateOnly), cli.Count(len(s.Rescue.Lost), "entry is lost", "entries are lost")))
	}
	if s.DiskFree < 50<<20 {
		needs = append(needs, fmt.Sprintf("disk: only %d MB free in the data folder", s.DiskFree>>20))
	}
	return needs
}

// Disk is how the ledger's disk does since the start.
type Disk struct {
	Stored  int     `json:"stored"`         // entries and outcomes
	Median  float64 `json:"median_seconds"` // of the last hundred of them, until each was on disk and flushed; 0: there was none
	Worst   float64 `json:"worst_seconds"`
	Written uint64  `json:"written_bytes"` // by the whole program; 0 where that can't be told
}

// Device is one configured device.
type Device struct {
	Name    string    `json:"name"`
	Driver  string    `json:"driver"`
	Path    string    `json:"path,omitempty"`
	Working bool      `json:"working"`
	Since   time.Time `json:"since,omitzero"`
	Error   string    `json:"error,omitempty"`
	Hung    bool      `json:"hung,omitempty"` // a call to it has not come back
}

// Upstream is the library's system as the daemon sees it.
type Upstream struct {
	Driver string    `json:"driver"`
	Up     bool      `json:"up"`
	Since  time.Time `json:"since,omitzero"`
	Error  string    `json:"error,omitempty"` // why it is not reached
}

// Resolution is what staff decides about an exception.
type Resolution struct {
	How  string `json:"how"`  // retry, override, dismiss
	Note string `json:"note"` // why, kept in the ledger
}

// Outcome is the next state of an entry that calls for a person, and had this
// due date promised.
func (r Resolution) Outcome(e kiosk.Entry, promised, now time.Time) (kiosk.Outcome, error) {
	o := kiosk.Outcome{Entry: e.ID, At: now, Text: r.How + ": " + r.Note}
	differs := e.State == kiosk.Differs
	if differs && r.How != "dismiss" {
		o.Due = promised
	}
	switch {
	case r.How == "retry": // tell the ILS once more, if a look shows that it lacks it
		o.State = kiosk.Unsure
	case r.How == "override": // what the kiosk has recorded stands; staff has set the ILS right
		o.State = kiosk.Settled
	case r.How == "dismiss" && differs: // what the ILS says stands; it has the loan
		o.State = kiosk.Settled
	case r.How == "dismiss": // what the ILS says stands; the kiosk's record is void
		o.State = kiosk.Dismissed
	default:
		return o, fmt.Errorf("how: %q: must be retry, override or dismiss", r.How)
	}
	return o, nil
}

// Line is one line of the answer to an import or a refresh. The last one has
// the report, or the lists; or it has the error.
type Line struct {
	Progress *Progress `json:"progress,omitempty"`
	Refused  *Refused  `json:"refused,omitempty"`
	Report   *Report   `json:"report,omitempty"`
	Lists    []Refresh `json:"lists,omitempty"`
	Failed   *failure  `json:"failed,omitempty"`
}

// Progress is how far it is.
type Progress struct {
	List  string `json:"list,omitempty"` // of a refresh
	Bytes int64  `json:"bytes,omitempty"`
	Rows  int    `json:"rows"`
}

// Refused is a row that was not taken.
type Refused struct {
	Row int    `json:"row"`
	Key string `json:"key,omitempty"`
	Why string `json:"why"`
}

// Report is the end of an import.
type Report struct {
	Format  string `json:"format"`
	Rows    int    `json:"rows"`
	New     int    `json:"new"`
	Changed int    `json:"changed"`
	Same    int    `json:"same"`
	Refused int    `json:"refused"`
	Skipped int    `json:"skipped"` // rows that are right and not for the mirror, as closed loans
	Ended   int    `json:"ended"`   // loans that a whole list lacks
}

// List is what an import reads.
type List struct {
	What  string // items, patrons, loans
	Whole bool   // loans that it lacks are over
	Card  string // where a roster has the card numbers: see catalog.Options; empty where it is to be found out
}

// Daemon is what the running kiosk offers.
type Daemon interface {
	Status(ctx context.Context) (Status, error)
	// Import reads a list from r, and tells how it goes.
	Import(ctx context.Context, l List, r io.Reader, tell func(Line)) error
	// Refresh reads the lists of the library's system, whole or what has
	// changed, and tells how it goes. Patrons go before: it waits for them.
	Refresh(ctx context.Context, whole bool, tell func(Line)) error
	Retry(ctx context.Context) error
	Resolve(ctx context.Context, id kiosk.ID, r Resolution) error
	// SeenRescue notes that staff knows how the ledger was rescued.
	SeenRescue(ctx context.Context, by kiosk.Act) error
}

// dialTime is the longest wait for a daemon to be there.
const dialTime = time.Second

// Listen opens the socket in a data folder; a stale one is replaced.
func Listen(data string) (net.Listener, error) {
	path := filepath.Join(data, Socket)
	if c, err := net.DialTimeout("unix", path, dialTime); err == nil {
		c.Close()
		return nil, fmt.Errorf("another kioskd uses %s", data)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		ln.Close()
		return nil, err
	}
	return ln, nil
}

// Handler serves a daemon.
func Handler(d Daemon, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		s, err := d.Status(r.Context())
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(s)
	})
	mux.HandleFunc("POST /import/{what}", func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			log.Warn("control: full duplex", "err", err)
		}
		w.Header().Set("Connection", "close") // what is left of a list that is refused is nobody's next question
		telling(w, func(tell func(Line)) error {
			q := r.URL.Query()
			return d.Import(r.Context(), List{What: r.PathValue("what"), Whole: q.Has("whole"), Card: q.Get("card")}, r.Body, tell)
		})
	})
	mux.HandleFunc("POST /refresh", func(w http.ResponseWriter, r *http.Request) {
		telling(w, func(tell func(Line)) error { return d.Refresh(r.Context(), r.URL.Query().Has("whole"), tell) })
	})
	mux.HandleFunc("POST /outbox/retry", func(w http.ResponseWriter, r *http.Request) {
		if err := d.Retry(r.Context()); err != nil {
			fail(w, err)
		}
	})
	mux.HandleFunc("POST /exceptions/{id}", func(w http.ResponseWriter, r *http.Request) {
		var res Resolution
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&res); err != nil {
			fail(w, &kiosk.Error{Code: kiosk.CodeInvalid, Err: err})
			return
		}
		if err := d.Resolve(r.Context(), kiosk.ID(r.PathValue("id")), res); err != nil {
			fail(w, err)
		}
	})
	mux.HandleFunc("POST /rescue/seen", answer(func(ctx context.Context, by kiosk.Act) (any, error) { return struct{}{}, d.SeenRescue(ctx, by) }))
	return mux
}
