package sqlite

import (
	"errors"
	"path/filepath"
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
	_, err = s.PutItems(t.Context(), []kiosk.Item{kiosktest.Item(puts)})
	must(t, err)
	count(puts + 1)
}
