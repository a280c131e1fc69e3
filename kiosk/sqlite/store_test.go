package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// file is a Store that can be opened again, and is checked when it is.
type file struct {
	*Store
	t    testing.TB
	path string
}

func (f *file) Reopen() (kiosktest.Store, error) {
	f.t.Helper()
	sound(f.t, f.Store)
	if err := f.Store.Close(); err != nil {
		return nil, err
	}
	s, err := Open(f.t.Context(), f.path)
	if err != nil {
		return nil, err
	}
	f.Store = s
	return f, nil
}

func newFile(t testing.TB) *file {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	f := &file{opened(t, path), t, path}
	t.Cleanup(func() { f.Store.Close() })
	return f
}

func opened(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sound fails the test if anything is wrong with the database.
func sound(t testing.TB, s *Store) {
	t.Helper()
	wrong, err := s.Check(t.Context())
	if len(wrong) > 0 || err != nil {
		t.Fatalf("Check() = %q, %v; want nothing wrong", wrong, err)
	}
}

func TestStore(t *testing.T) {
	kiosktest.TestLedger(t, func(t *testing.T) kiosktest.Store { return newFile(t) })
}
