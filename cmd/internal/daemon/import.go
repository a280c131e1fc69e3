package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/catalog"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// Import reads items, patrons or loans from r into the mirror, and tells how
// it goes: progress, each row that is not taken, at the end the report. O says
// how to read, as far as the list does not.
func Import(ctx context.Context, l control.List, o catalog.Options, r io.Reader, now time.Time, into kiosk.Loader, tell func(control.Line)) error {
	o.Whole, o.Card = l.Whole, l.Card
	o.Progress = func(bytes int64, rows int) {
		tell(control.Line{Progress: &control.Progress{Bytes: bytes, Rows: rows}})
	}
	o.Refused = func(x catalog.Refused) {
		tell(control.Line{Refused: &control.Refused{Row: x.Row, Key: x.Key, Why: x.Why}})
	}
	read, ok := map[string]func(context.Context, io.Reader, catalog.Options, kiosk.Loader) (catalog.Report, error){
		"items": catalog.ImportItems, "patrons": catalog.ImportPatrons, "loans": catalog.ImportLoans,
	}[l.What]
	switch {
	case !ok:
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: fmt.Sprintf("import %q: must be items, patrons or loans", l.What)}
	case l.Whole && l.What != "loans":
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: l.What + " that a list lacks stay: only a list of loans can be whole"}
	case l.Card != "" && l.What != "patrons":
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: "a list of " + l.What + " has no cards to choose: only a roster of patrons has"}
	}
	a := &ahead{Loader: dated{into, now}}
	rep, err := read(ctx, r, o, a)
	last := <-a.last()
	rep.New, rep.Changed, rep.Same = rep.New+last.New, rep.Changed+last.Changed, rep.Same+last.Same
	if err == nil {
		err = last.err
	}
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

// ahead lets the next items be read while the mirror takes those before them:
// each batch is answered with what came of the last one.
type ahead struct {
	kiosk.Loader
	busy chan taken // nil if nothing is under way
}

// taken is what came of a batch.
type taken struct {
	kiosk.Change
	err error
}

// last gives what comes of the batch that is under way.
func (a *ahead) last() <-chan taken {
	done := a.busy
	if a.busy = nil; done == nil {
		done = make(chan taken, 1)
		done <- taken{}
	}
	return done
}

// PutItems implements kiosk.Loader.
func (a *ahead) PutItems(ctx context.Context, items []kiosk.Item) (kiosk.Change, error) {
	last := <-a.last()
	if last.err != nil {
		return kiosk.Change{}, last.err
	}
	items, done := slices.Clone(items), make(chan taken, 1)
	go func() {
		c, err := a.Loader.PutItems(ctx, items)
		done <- taken{c, err}
	}()
	a.busy = done
	return last.Change, nil
}

// ImportAlone is Import for a program that has the ledger to itself.
func ImportAlone(ctx context.Context, l control.List, r io.Reader, loc *time.Location, s *sqlite.Store, tell func(control.Line)) error {
	o := catalog.Options{Location: loc, Batch: bulkBatch}
	return s.Bulk(ctx, func() error { return Import(ctx, l, o, r, time.Now(), s, tell) })
}

// bulkBatch is a batch of ImportAlone: some 2 MB.
const bulkBatch = 4_000
