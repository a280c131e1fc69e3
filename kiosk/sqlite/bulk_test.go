package sqlite

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// TestBulk: what was put in bulk is there when Bulk returns, also if it ends
// in an error, and what is written afterwards is committed at once again.
func TestBulk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := opened(t, path)
	defer s.Close()
	broken := errors.New("the file ends here")
	const puts = bulkPuts*2 + 3
	err := s.Bulk(t.Context(), func() error {
		for n := range puts {
			if _, err := s.PutItems(t.Context(), []kiosk.Item{kiosktest.Item(n)}); err != nil {
				return err
			}
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("Bulk() = %v; want %v", err, broken)
	}
	count := func(want int) {
		t.Helper()
		other, err := OpenReadOnly(t.Context(), path)
		must(t, err)
		defer other.Close()
		if c, err := other.Counts(t.Context()); c.Items != want || err != nil {
			t.Errorf("another program sees %d items, %v; want %d", c.Items, err, want)
		}
	}
	count(puts)
	indexed(t, s, true)
	_, err = s.PutItems(t.Context(), []kiosk.Item{kiosktest.Item(puts)})
	must(t, err)
	count(puts + 1)
}

// indexed asserts whether ISBNs are found by their index.
func indexed(t *testing.T, s *Store, want bool) {
	t.Helper()
	var id, parent, unused int
	var plan string
	must(t, s.conn.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+itemSQL+" WHERE isbn = ? AND isbn <> ''", "9780000000001").Scan(&id, &parent, &unused, &plan))
	if strings.Contains(plan, "items_isbn") != want {
		t.Errorf("an ISBN is looked for by %q; want the index: %t", plan, want)
	}
}

// TestBulkIndex: the index of ISBNs is made again after a first list, stays
// where there are items, and is mended where a program has ended in between.
func TestBulkIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := opened(t, path)
	put := func(n int, within bool) {
		must(t, s.Bulk(t.Context(), func() error {
			indexed(t, s, within)
			_, err := s.PutItems(t.Context(), []kiosk.Item{kiosktest.Item(n), kiosktest.Item(n + 1)})
			return err
		}))
		indexed(t, s, true)
		found, err := s.Copies(t.Context(), kiosktest.Item(n).ISBN, 3)
		if err != nil || len(found) != 2 {
			t.Errorf("Copies() = %v, %v; want two", found, err)
		}
	}
	put(2, false)
	put(4, true)
	_, err := s.conn.ExecContext(t.Context(), "DROP INDEX items_isbn")
	must(t, err)
	indexed(t, s, false)
	must(t, s.Close())
	s = opened(t, path)
	defer s.Close()
	indexed(t, s, true)
}
