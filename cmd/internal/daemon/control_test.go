package daemon

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// TestResolve: each of the three ways out of what the ILS has refused, and of
// what it has granted with less than was promised.
func TestResolve(t *testing.T) {
	promised, less := kiosktest.Morning.AddDate(0, 0, 21), kiosktest.Morning.AddDate(0, 0, 14)
	for _, tt := range []struct {
		from kiosk.State
		how  string
		to   kiosk.State
		due  time.Time // of the loan after that; zero: there is none
	}{
		{kiosk.Exception, "retry", kiosk.Unsure, promised},
		{kiosk.Exception, "override", kiosk.Settled, promised},
		{kiosk.Exception, "dismiss", kiosk.Dismissed, time.Time{}},
		{kiosk.Differs, "retry", kiosk.Unsure, promised},
		{kiosk.Differs, "override", kiosk.Settled, promised},
		{kiosk.Differs, "dismiss", kiosk.Settled, less},
	} {
		t.Run(string(tt.from)+" "+tt.how, func(t *testing.T) {
			ctx := t.Context()
			s, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "ledger.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			e := kiosktest.As(kiosktest.Checkout(1, 1, 1), kiosk.Unsure, promised)
			o := kiosktest.After(e, tt.from)
			if tt.from == kiosk.Differs {
				o.Due = less
			}
			if err := s.Record(ctx, e); err != nil {
				t.Fatal(err)
			}
			if err := s.Conclude(ctx, o); err != nil {
				t.Fatal(err)
			}
			rows, err := s.Exceptions(ctx)
			if err != nil || len(rows) != 1 || !rows[0].Promised.Equal(promised) {
				t.Fatalf("Exceptions() = %+v, %v; want one, promised until %v", rows, err, promised)
			}
			if err := Resolve(ctx, s, e.ID, control.Resolution{How: "so", Note: "?"}, time.Now()); kiosk.CodeOf(err) != kiosk.CodeInvalid {
				t.Errorf("a way out that is none: %v", err)
			}
			if err := Resolve(ctx, s, e.ID, control.Resolution{How: tt.how, Note: "so it is"}, o.At.Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
			if err := Resolve(ctx, s, e.ID, control.Resolution{How: tt.how, Note: "again"}, time.Now()); kiosk.CodeOf(err) != kiosk.CodeInvalid {
				t.Errorf("settled twice: %v", err)
			}
			for row, err := range s.Entries(ctx, sqlite.Filter{ID: e.ID}) {
				if err != nil || row.State != tt.to || row.Text != tt.how+": so it is" || row.Changed.Before(o.At) {
					t.Errorf("it is %+v, %v; want %s, with the note, not before %v", row, err, tt.to, o.At)
				}
			}
			steps, err := s.History(ctx, e.ID)
			if err != nil || len(steps) != 3 || steps[0].State != e.State || steps[1].State != tt.from || steps[2].Text != tt.how+": so it is" {
				t.Errorf("History() = %+v, %v; want the entry, what the ILS said, and the way out", steps, err)
			}
			l, err := s.Loan(ctx, e.Item)
			if out := err == nil; out != !tt.due.IsZero() || out && !l.Due.Equal(tt.due) {
				t.Errorf("the loan is %+v, %v; want it due %v", l, err, tt.due)
			}
		})
	}
}
