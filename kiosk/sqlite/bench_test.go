package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// BenchmarkRecord times one durable checkout beside a bare overwrite and
// fdatasync of as many bytes as it adds to the log, turn by turn on the same
// disk. x/bare is the ratio of the medians. Of the difference some 25 µs are the
// inserts, 15 the checksums and the copies of the pages into the log, and 5
// BEGIN and the locks.
func BenchmarkRecord(b *testing.B) {
	for _, page := range []int{1024, 2048, 4096} {
		b.Run(fmt.Sprintf("offline/page=%d", page), func(b *testing.B) { benchRecord(b, page, nothing, offlineCheckout) })
	}
	b.Run("online", func(b *testing.B) { benchRecord(b, pageSize, nothing, onlineCheckout) })
	b.Run("granted", func(b *testing.B) { benchRecord(b, pageSize, onlineCheckout, granted) })
}

// offlineCheckout is a loan that was decided here.
func offlineCheckout(b *testing.B, s *Store, n int) {
	must(b, s.Record(b.Context(), kiosktest.As(checkout(n), kiosk.Offline, kiosktest.Morning)))
}

// onlineCheckout is the question put on disk before it is asked.
func onlineCheckout(b *testing.B, s *Store, n int) { must(b, s.Record(b.Context(), checkout(n))) }

// checkout spreads items and patrons as life does; the items are not out,
// until all 5,000 have been lent.
func checkout(n int) kiosk.Entry {
	e := kiosktest.Checkout(n, n*7919%5000*2+1, n/5*31%2000)
	e.Title = "A title of about forty characters, and so"
	return e
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// granted is the yes that follows it.
func granted(b *testing.B, s *Store, n int) {
	must(b, s.Conclude(b.Context(), kiosktest.After(checkout(n), kiosk.Granted)))
}

func nothing(*testing.B, *Store, int) {}

// benchRecord measures op, which needs before.
func benchRecord(b *testing.B, page int, before, op func(*testing.B, *Store, int)) {
	path := filepath.Join(b.TempDir(), "ledger.db")
	s, err := open(b.Context(), path, page)
	must(b, err)
	defer s.Close()
	n := lived(b, s)
	for i := range 100 {
		before(b, s, n+i)
	}
	bytes := logged(b, s, path, func() {
		for range 100 {
			op(b, s, n)
			n++
		}
	}) / 100
	must(b, s.Tidy(b.Context())) // the log as long as it is on a desk
	bare := newBare(b, bytes)
	var ours, theirs []time.Duration
	for b.Loop() {
		before(b, s, n)
		theirs = append(theirs, timed(func() { bare.write(b) }))
		ours = append(ours, timed(func() { op(b, s, n) }))
		n++
	}
	b.ReportMetric(float64(bytes), "B/log")
	report(b, ours, "")
	report(b, theirs, "bare-")
	b.ReportMetric(float64(at(ours, 50))/float64(at(theirs, 50)), "x/bare")
}

// lived gives a store a past: a catalogue, loans and a settled history.
func lived(b *testing.B, s *Store) int {
	const past = 3000
	var loans []kiosk.Loan
	for n := range 5000 {
		loans = append(loans, kiosk.Loan{Item: kiosktest.Barcode(n * 2), Patron: kiosktest.Card(n % 2000), At: kiosktest.Morning})
	}
	_, err := s.PutLoans(b.Context(), loans)
	must(b, err)
	// One transaction for all: what counts is that they are there.
	must(b, s.write(b.Context(), "past", func(w *writer) error {
		for n := range past {
			if err := w.record(kiosktest.As(checkout(n), kiosk.Granted, kiosktest.Morning)); err != nil {
				return err
			}
		}
		return nil
	}))
	must(b, s.Tidy(b.Context()))
	return past
}

// logged tells how many bytes do adds to a log that begins anew.
func logged(b *testing.B, s *Store, path string, do func()) int64 {
	_, err := s.conn.ExecContext(b.Context(), "PRAGMA wal_checkpoint(TRUNCATE)")
	must(b, err)
	do()
	info, err := os.Stat(path + "-wal")
	must(b, err)
	return info.Size()
}

// bare is the least a durable write can cost: bytes written over a file that
// is there already, and synced.
type bare struct {
	f   *os.File
	buf []byte
	at  int64
}

const bareFile = 8 << 20 // bytes

func newBare(b *testing.B, bytes int64) *bare {
	f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	must(b, err)
	b.Cleanup(func() { f.Close() })
	_, err = f.Write(make([]byte, bareFile))
	must(b, err)
	must(b, f.Sync())
	return &bare{f: f, buf: make([]byte, bytes)}
}

func (r *bare) write(b *testing.B) {
	if r.at+int64(len(r.buf)) > bareFile {
		r.at = 0
	}
	_, err := r.f.WriteAt(r.buf, r.at)
	must(b, err)
	r.at += int64(len(r.buf))
	must(b, syscall.Fdatasync(int(r.f.Fd())))
}

func timed(do func()) time.Duration {
	start := time.Now()
	do()
	return time.Since(start)
}

func at(all []time.Duration, percent int) time.Duration {
	all = slices.Clone(all)
	slices.Sort(all)
	return all[len(all)*percent/100]
}

func report(b *testing.B, all []time.Duration, name string) {
	b.ReportMetric(float64(at(all, 50).Microseconds()), name+"p50-µs")
	b.ReportMetric(float64(at(all, 99).Microseconds()), name+"p99-µs")
}

// BenchmarkItems loads a catalogue, again and again the same, and looks items
// up in it: a load must be quick, a second free, a lookup flat.
func BenchmarkItems(b *testing.B) {
	for _, rows := range []int{10_000, 1_000_000} {
		path := filepath.Join(b.TempDir(), "ledger.db")
		s := opened(b, path)
		load := func(b *testing.B) {
			for from := 0; from < rows; from += 1000 {
				items := make([]kiosk.Item, 1000)
				for i := range items {
					items[i] = kiosktest.Item(from + i)
				}
				_, err := s.PutItems(b.Context(), items)
				must(b, err)
			}
		}
		for _, name := range []string{"load", "again"} {
			b.Run(fmt.Sprintf("%s/rows=%d", name, rows), func(b *testing.B) {
				b.ReportMetric(float64(timed(func() { load(b) }))/float64(rows), "ns/row")
			})
		}
		n := 0
		b.Run(fmt.Sprintf("item/rows=%d", rows), func(b *testing.B) {
			for b.Loop() {
				n += 7919
				_, err := s.Item(b.Context(), kiosktest.Barcode(n%rows))
				must(b, err)
			}
		})
		b.Run(fmt.Sprintf("isbn/rows=%d", rows), func(b *testing.B) {
			for b.Loop() {
				n += 7919
				_, err := s.Copies(b.Context(), kiosktest.Item(n%rows).ISBN, 2)
				must(b, err)
			}
		})
		must(b, s.Close())
		b.Run(fmt.Sprintf("open/rows=%d", rows), func(b *testing.B) {
			for b.Loop() {
				must(b, opened(b, path).Close())
			}
		})
	}
}
