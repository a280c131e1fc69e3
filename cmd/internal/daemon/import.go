package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/catalog"
)

// Import reads items, patrons or loans from r into the mirror, and tells how
// it goes: progress, each row that is not taken, at the end the report. A
// whole list of loans ends those that it lacks.
func Import(ctx context.Context, what string, whole bool, r io.Reader, loc *time.Location, into kiosk.Loader, tell func(control.Line)) error {
	o := catalog.Options{
		Location: loc, Whole: whole,
		Progress: func(bytes int64, rows int) {
			tell(control.Line{Progress: &control.Progress{Bytes: bytes, Rows: rows}})
		},
		Refused: func(x catalog.Refused) {
			tell(control.Line{Refused: &control.Refused{Row: x.Row, Key: x.Key, Why: x.Why}})
		},
	}
	read, ok := map[string]func(context.Context, io.Reader, catalog.Options, kiosk.Loader) (catalog.Report, error){
		"items": catalog.ImportItems, "patrons": catalog.ImportPatrons, "loans": catalog.ImportLoans,
	}[what]
	if !ok {
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: fmt.Sprintf("import %q: must be items, patrons or loans", what)}
	}
	if whole && what != "loans" {
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: what + " that a list lacks stay: only a list of loans can be whole"}
	}
	rep, err := read(ctx, r, o, dated{into, time.Now()})
	if err != nil && !errors.Is(err, catalog.ErrNotWhole) {
		return err
	}
	tell(control.Line{Report: &control.Report{Format: rep.Format, Rows: rep.Rows, New: rep.New, Changed: rep.Changed, Same: rep.Same,
		Refused: rep.Refused, Skipped: rep.Skipped, Ended: rep.Ended}})
	return err
}

// dated says when a list was read: what is known by it is as old as that.
type dated struct {
	kiosk.Loader
	at time.Time
}

// PutPatrons implements kiosk.Loader.
func (d dated) PutPatrons(ctx context.Context, patrons []kiosk.Patron) (kiosk.Change, error) {
	for i := range patrons {
		if patrons[i].Seen.IsZero() {
			patrons[i].Seen = d.at
		}
	}
	return d.Loader.PutPatrons(ctx, patrons)
}
