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
// disk. x/bare is the ratio of the medians.
func BenchmarkRecord(b *testing.B) {
	for _, page := range []int{1024, 2048, 4096} {
		b.Run(fmt.Sprintf("offline/page=%d", page), func(b *testing.B) { benchRecord(b, page, offlineCheckout) })
	}
	b.Run("online", func(b *testing.B) { benchRecord(b, pageSize, onlineCheckout) })
	b.Run("granted", func(b *testing.B) { benchRecord(b, pageSize, nil) })
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

// benchRecord measures op; nil means the yes that follows onlineCheckout.
func benchRecord(b *testing.B, page int, op func(*testing.B, *Store, int)) {
	path := filepath.Join(b.TempDir(), "ledger.db")
	s, err := open(b.Context(), path, page)
	must(b, err)
	defer s.Close()
	n := lived(b, s)
	bytes := logged(b, s, path, func() {
		for range 100 {
			n++
			offlineCheckout(b, s, n)
		}
	}) / 100
	bare := newBare(b, bytes)
	var ours, theirs []time.Duration
	for b.Loop() {
		n++
		theirs = append(theirs, timed(func() { bare.write(b) }))
		if op != nil {
			ours = append(ours, timed(func() { op(b, s, n) }))
			continue
		}
		onlineCheckout(b, s, n)
		ours = append(ours, timed(func() { must(b, s.Conclude(b.Context(), kiosktest.After(checkout(n), kiosk.Granted))) }))
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
