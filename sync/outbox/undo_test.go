package outbox

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

func (l *line) Undoes() bool { return l.undoes }

func (l *line) Undo(_ context.Context, e kiosk.Entry) error {
	f, err := l.ask("undo", e.Item)
	if err != nil {
		return err
	}
	if f == refuse {
		return &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonAskStaff}
	}
	e.Kind = kiosk.Checkin
	_, err = l.ils.Cancel(e)
	if f == mute {
		return &kiosk.Error{Code: kiosk.CodeUnsure}
	}
	return err
}

const refuse fate = "refuse" // the ILS says no

// cutOff has the ILS lend B1 to C1, and the process end before it heard of it.
func (b *bench) cutOff(tags ...kiosk.TagID) kiosk.ID {
	b.Helper()
	b.n++
	e := kiosk.Entry{ID: kiosktest.ID(b.n), Kind: kiosk.Checkout, Item: "B1", Patron: "C1", At: time.Now(), State: kiosk.Asked, Tags: tags}
	if err := b.box.Record(b.Context(), e); err != nil {
		b.Fatal(err)
	}
	if _, err := b.line.ils.Do(e, false); err != nil {
		b.Fatal(err)
	}
	if _, err := b.box.Interrupted(b.Context(), time.Now()); err != nil {
		b.Fatal(err)
	}
	return e.ID
}

// TestTakenBack: a loan of a tagged item of which nobody was told is taken back
// where the ILS does so. What is left then is as if it had never been asked for.
func TestTakenBack(t *testing.T) {
	for _, tt := range []struct {
		name   string
		undoes bool
		tags   []kiosk.TagID
		wait   time.Duration // until the process begins again
		again  bool          // the patron was promised it since
		fates  []fate        // of one undo after the other
		want   kiosk.State
		did    []string
	}{
		{"taken back", true, []kiosk.TagID{"A"}, 0, false, nil, kiosk.Dismissed, []string{"checkout B1", "checkin B1"}},
		{"answer lost", true, []kiosk.TagID{"A"}, 0, false, []fate{mute}, kiosk.Dismissed, []string{"checkout B1", "checkin B1"}},
		{"question lost", true, []kiosk.TagID{"A"}, 0, false, []fate{dropped, reset, bug}, kiosk.Dismissed, []string{"checkout B1", "checkin B1"}},
		{"it does not", true, []kiosk.TagID{"A"}, 0, false, []fate{refuse}, kiosk.Settled, []string{"checkout B1"}},
		{"it is not known to", false, []kiosk.TagID{"A"}, 0, false, nil, kiosk.Settled, []string{"checkout B1"}},
		{"nothing stops it at the gate", true, nil, 0, false, nil, kiosk.Settled, []string{"checkout B1"}},
		{"long ago", true, []kiosk.TagID{"A"}, undoWithin, false, nil, kiosk.Settled, []string{"checkout B1"}},
		{"promised since", true, []kiosk.TagID{"A"}, 0, true, nil, kiosk.Settled, []string{"checkout B1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in(t, func(b *bench) {
				b.line.undoes = tt.undoes
				b.line.meet = func(what string, _ kiosk.Barcode) (f fate) {
					if what == "undo" && len(tt.fates) > 0 {
						f, tt.fates = tt.fates[0], tt.fates[1:]
					}
					return f
				}
				id := b.cutOff(tt.tags...)
				time.Sleep(tt.wait)
				if !tt.again {
					b.put(kiosk.Offline, kiosk.Seen, "B1", "") // says nothing of the loan
				}
				if tt.again {
					b.put(kiosk.Offline, kiosk.Checkout, "B1", "C1")
				}
				b.run()
				b.after(10 * time.Minute)
				b.is(id, tt.want)
				b.did(tt.did...)
				_, loan, _, err := b.line.ils.Item("B1")
				if out := err == nil && loan.Status == kiosk.StatusOnLoan; out != slices.Equal(tt.did, []string{"checkout B1"}) {
					t.Errorf("in the ILS it is %+v, %v", loan, err)
				}
				work, err := b.box.WorkList(b.Context(), 10)
				if want := tt.want == kiosk.Settled && len(tt.tags) > 0 && !tt.again; err != nil || want != (len(work) == 1 && work[0].Want == kiosk.Released) {
					t.Errorf("work list %+v, %v; want its tag to be released: %v", work, err, want)
				}
			})
		})
	}
}
