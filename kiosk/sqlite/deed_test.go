package sqlite

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// TestTogetherAsAlone: outcomes that are written in one batch have the effect
// of the same written one by one, to an entry that was found for it as to one
// that is kept, and what is refused leaves nothing behind.
func TestTogetherAsAlone(t *testing.T) {
	const entries = 3 * perFind
	together, alone := newFile(t), newFile(t)
	for _, f := range []*file{together, alone} {
		for n := range entries {
			e := kiosktest.As(kiosktest.Checkout(n, n/2, 1), kiosk.Offline, kiosktest.Morning)
			if n%7 == 0 {
				e.Tags = []kiosk.TagID{kiosk.TagID(fmt.Sprintf("E0040150%08d", n))}
			}
			must(t, f.Record(t.Context(), e))
		}
	}
	r := rand.New(rand.NewPCG(5, 7))
	states := []kiosk.State{kiosk.Offline, kiosk.Unsure, kiosk.Settled, kiosk.Exception, kiosk.Differs, kiosk.Dismissed}
	for round := range 10 {
		if n := r.IntN(entries); round%2 == 0 { // beside them: a tag, which the next outcome must know of
			for _, f := range []*file{together, alone} {
				must(t, f.Attach(t.Context(), kiosktest.ID(n), "E004015099999999", kiosktest.Morning))
			}
		}
		var batch []*write
		for range 1 + r.IntN(2*perFind) {
			o := kiosktest.After(kiosktest.Checkout(r.IntN(entries+3), 0, 0), states[r.IntN(len(states))]) // some are unknown
			if r.IntN(3) == 0 {
				o.Due = kiosktest.Morning.AddDate(0, 0, r.IntN(30))
			}
			batch = append(batch, &write{ctx: t.Context(), entry: o.Entry, do: func(w *writer) error { return w.conclude(o) }})
		}
		together.commit(batch)
		for i, one := range batch {
			alone.w.deeds = nil
			err := alone.writeOf(t.Context(), "conclude", one.entry, one.do)
			if kiosk.CodeOf(err) != kiosk.CodeOf(one.err) || (err == nil) != (one.err == nil) {
				t.Fatalf("round %d: outcome %d is %v in a batch and %v alone", round, i, one.err, err)
			}
		}
		for id, kept := range maps.Clone(together.w.deeds) {
			together.w.deeds = nil
			if d, err := together.w.deed(id); d != kept || err != nil {
				t.Fatalf("round %d: %s is kept as %+v and is %+v, %v", round, id, kept, d, err)
			}
		}
		if a, b := rowsOf(t, together.Store), rowsOf(t, alone.Store); !reflect.DeepEqual(a, b) {
			t.Fatalf("round %d: a batch leaves\n%+v\none by one leave\n%+v", round, a, b)
		}
	}
	sound(t, together.Store)
}

// rowsOf are all entries as they stand, and what is queued, lent and to be done.
func rowsOf(t *testing.T, s *Store) (all []any) {
	for r, err := range s.Entries(t.Context(), Filter{}) {
		must(t, err)
		all = append(all, r)
	}
	q, err := s.Queue(t.Context(), 1000)
	must(t, err)
	loans, err := s.Loans(t.Context(), kiosktest.Card(1))
	must(t, err)
	work, err := s.WorkList(t.Context(), 1000)
	must(t, err)
	return append(all, q, loans, work)
}

// TestKeptAreBounded: however many entries are concluded, few are kept.
func TestKeptAreBounded(t *testing.T) {
	var k deeds
	for n := range 3 * mostDeeds {
		k.keep(kiosktest.ID(n), deed{seq: int64(n)})
	}
	if len(k) > mostDeeds || k[kiosktest.ID(3*mostDeeds-1)].seq != 3*mostDeeds-1 {
		t.Errorf("%d are kept, of them the last as %+v", len(k), k[kiosktest.ID(3*mostDeeds-1)])
	}
}

// BenchmarkConclude is what it takes to write that entries are told, and then
// that they are settled, as many at once as it says.
func BenchmarkConclude(b *testing.B) {
	for _, many := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(many), func(b *testing.B) {
			s := opened(b, b.TempDir()+"/ledger.db")
			defer s.Close()
			n := 0
			for b.Loop() {
				b.StopTimer()
				list := make([]kiosk.Entry, many)
				for i := range list {
					n++
					list[i] = kiosktest.As(kiosktest.Checkout(n, n, n), kiosk.Offline, kiosktest.Morning)
				}
				if err := s.RecordAll(context.Background(), list); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				for _, to := range []kiosk.State{kiosk.Unsure, kiosk.Settled} {
					batch := slices.Collect(func(yield func(*write) bool) {
						for _, e := range list {
							o := kiosktest.After(e, to)
							yield(&write{ctx: context.Background(), entry: e.ID, do: func(w *writer) error { return w.conclude(o) }})
						}
					})
					s.commit(batch)
					for _, w := range batch {
						if w.err != nil {
							b.Fatal(w.err)
						}
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*many), "µs/entry")
		})
	}
}
