package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
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

// TestCloseLetsGo: what was open is closed, the log is folded in and stays.
func TestCloseLetsGo(t *testing.T) {
	f := newFile(t)
	must(t, f.Record(t.Context(), kiosktest.Checkout(1, 1, 1)))
	must(t, f.Store.Close())
	must(t, f.Store.Close()) // twice is no error
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here to see open files in")
	}
	for _, fd := range fds {
		if name, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(name, f.path) {
			t.Errorf("%s is still open", name)
		}
	}
	if err := f.Record(t.Context(), kiosktest.Checkout(2, 2, 2)); !errors.Is(err, ErrClosed) {
		t.Errorf("Record after Close: %v; want ErrClosed", err)
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	f := newFile(t)
	all, err := scripts()
	must(t, err)
	next := len(all) + 1
	_, err = f.conn.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO migrations (version) VALUES (%d); PRAGMA user_version=%[1]d", next))
	must(t, err)
	must(t, f.Store.Close())
	if _, err := Open(t.Context(), f.path); !errors.Is(err, ErrNewer) {
		t.Errorf("Open: %v; want ErrNewer", err)
	}
	if _, err := OpenReadOnly(t.Context(), f.path); !errors.Is(err, ErrNewer) {
		t.Errorf("OpenReadOnly: %v; want ErrNewer", err)
	}
	if v, err := Version(t.Context(), f.path); v != next || err != nil {
		t.Errorf("Version() = %d, %v; want %d", v, err, next)
	}
}

// TestVersionDamaged: a number that is not what the migrations have noted is
// damage, whichever way it went; nothing of the ledger is lost by it.
func TestVersionDamaged(t *testing.T) {
	all, err := scripts()
	must(t, err)
	for _, damage := range []string{
		"PRAGMA user_version=-7",
		"PRAGMA user_version=0",
		fmt.Sprintf("PRAGMA user_version=%d", len(all)^1<<6),
		fmt.Sprintf("PRAGMA user_version=%d", len(all)|1<<30),
		fmt.Sprintf("PRAGMA user_version=%d", len(all)-1),
		"DELETE FROM migrations",
		fmt.Sprintf("UPDATE migrations SET version = version + 64 WHERE version = %d", len(all)),
	} {
		f := newFile(t)
		must(t, f.Record(t.Context(), kiosktest.As(kiosktest.Checkout(1, 1, 1), kiosk.Offline, kiosktest.Morning)))
		_, err := f.conn.ExecContext(t.Context(), damage)
		must(t, err)
		must(t, f.Store.Close())
		if _, err := Open(t.Context(), f.path); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: Open: %v; want ErrDamaged", damage, err)
		}
		if a, err := Rescue(t.Context(), f.path, "test", nil, kiosktest.Morning); err != nil || a.Entries != 1 || a.FromFile != 1 || len(a.Parts) != 0 {
			t.Errorf("%s: Rescue() = %+v, %v", damage, a, err)
		}
		s := opened(t, f.path)
		sound(t, s)
		must(t, s.Close())
	}
}

func TestVersions(t *testing.T) {
	const ours = noted + 2
	for _, tt := range []struct {
		head, table int
		want        error
	}{
		{0, 0, nil}, // a new file
		{noted - 1, 0, nil},
		{noted, noted, nil},
		{ours, ours, nil},
		{ours + 1, ours + 1, ErrNewer},
		{3, ours + 1, ErrNewer}, // damaged as well, and nothing that this program can rescue
		{noted, 0, ErrDamaged},
		{ours + 1, 0, ErrDamaged},
		{ours + 1, ours, ErrDamaged},
		{noted - 1, noted, ErrDamaged},
		{-1, 0, ErrDamaged},
	} {
		if err := versions(tt.head, tt.table, ours); !errors.Is(err, tt.want) {
			t.Errorf("versions(%d, %d) = %v; want %v", tt.head, tt.table, err, tt.want)
		}
	}
}

func TestNotADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	must(t, os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600))
	if _, err := Open(t.Context(), path); !errors.Is(err, ErrDamaged) {
		t.Errorf("Open of rubbish: %v; want ErrDamaged", err)
	}
}

// TestSettings: what the promises rest on.
func TestSettings(t *testing.T) {
	f := newFile(t)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "page_size": "2048", "mmap_size": "0", "cache_size": "-2000",
	} {
		var got string
		must(t, f.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		if got != want {
			t.Errorf("%s is %s; want %s", pragma, got, want)
		}
	}
	info, err := os.Stat(f.path)
	must(t, err)
	if info.Mode().Perm()&0o007 != 0 {
		t.Errorf("the ledger has mode %v; others must not read it", info.Mode())
	}
}

// TestCheckFinds: each kind of damage is named.
func TestCheckFinds(t *testing.T) {
	for damage, want := range map[string]string{
		"DELETE FROM outbox":                     "missing",
		"INSERT INTO outbox (seq) VALUES (2)":    "granted",
		"DELETE FROM entries WHERE seq = 1":      "foreign key",
		"UPDATE loans SET entry = 1":             "does not hold",
		"UPDATE outcomes SET state = 'refused'":  "does not hold",
		"UPDATE outbox SET seq = 77":             "foreign key",
		"UPDATE entries SET id = 'x' WHERE 1=0;": "",
	} {
		f := newFile(t)
		must(t, f.Record(t.Context(), kiosktest.Checkout(1, 1, 1)))
		must(t, f.Record(t.Context(), kiosktest.Checkout(2, 2, 1)))
		must(t, f.Conclude(t.Context(), kiosktest.After(kiosktest.Checkout(2, 2, 1), kiosk.Granted)))
		_, err := f.conn.ExecContext(t.Context(), damage)
		must(t, err)
		wrong, err := f.Check(t.Context())
		must(t, err)
		if got := strings.Join(wrong, "\n"); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("after %s: Check() = %q; want something with %q", damage, wrong, want)
		}
	}
}

func TestLostOutboxIsDamage(t *testing.T) {
	f := newFile(t)
	_, err := f.conn.ExecContext(t.Context(), "INSERT INTO outbox (seq) VALUES (5)")
	must(t, err)
	must(t, f.Store.Close())
	if _, err := Open(t.Context(), f.path); !errors.Is(err, ErrDamaged) {
		t.Errorf("Open: %v; want ErrDamaged", err)
	}
}

func TestBackup(t *testing.T) {
	f := newFile(t)
	must(t, f.Record(t.Context(), kiosktest.Checkout(1, 1, 1)))
	copied := filepath.Join(t.TempDir(), "copy.db")
	must(t, f.Backup(t.Context(), copied))
	if err := f.Backup(t.Context(), copied); !errors.Is(err, os.ErrExist) {
		t.Errorf("Backup over a file: %v; want ErrExist", err)
	}
	must(t, f.Record(t.Context(), kiosktest.Checkout(2, 2, 2)))
	s := opened(t, copied)
	defer s.Close()
	sound(t, s)
	if c, err := s.Counts(t.Context()); c.Entries != 1 || c.Outbox != 1 || err != nil {
		t.Errorf("the copy has %+v, %v; want one entry in the outbox", c, err)
	}
}

// TestOlderDatabase: a ledger of the version before dates could be put right
// is brought up to date with all that is in it.
func TestOlderDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	db, err := sql.Open("sqlite", path)
	must(t, err)
	all, err := scripts()
	must(t, err)
	const before = 5
	_, err = db.Exec(strings.Join(all[:before], "\n") + `
INSERT INTO entries VALUES (1, 'one', 's', 'checkout', 'b', 'c', 1000, 1, 9000, NULL, 'offline', 't', '', 1000, NULL, NULL, NULL, NULL);
INSERT INTO outcomes VALUES (1, 1, 'unsure', 2000, NULL, '', 'silence');
INSERT INTO outbox (seq) VALUES (1);
PRAGMA user_version=5;`)
	must(t, err)
	must(t, db.Close())
	s := opened(t, path)
	defer s.Close()
	sound(t, s)
	for row, err := range s.Entries(t.Context(), Filter{Doubt: true}) {
		must(t, err)
		if !row.Doubt || row.State != kiosk.Unsure || row.Text != "silence" || row.At.UnixMilli() != 1000 || row.Changed.UnixMilli() != 2000 {
			t.Errorf("the entry is %+v", row)
		}
	}
	if c, err := s.Counts(t.Context()); c.Doubtful != 1 || err != nil {
		t.Errorf("Counts() = %+v, %v; want one in doubt", c, err)
	}
	kept, err := sql.Open("sqlite", dsn(fmt.Sprintf("%s.before-version-%d", path, len(all)), "ro"))
	must(t, err)
	defer kept.Close()
	var v int
	var id string
	must(t, kept.QueryRow("PRAGMA user_version").Scan(&v))
	must(t, kept.QueryRow("SELECT id FROM entries").Scan(&id))
	if v != before || id != "one" {
		t.Errorf("the copy from before has version %d and entry %s", v, id)
	}
}
