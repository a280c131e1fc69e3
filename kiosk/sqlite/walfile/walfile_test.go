package walfile

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// database opens one with our file system, on one connection.
func database(t *testing.T, path, vfs string) *sql.DB {
	t.Helper()
	must(t, Register())
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(FULL)&_journal_mode=WAL&vfs="+vfs)
	must(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, q string) {
	t.Helper()
	_, err := db.Exec(q)
	must(t, err)
}

// rows counts those of the table t and checks the whole database.
func rows(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	var sound string
	must(t, db.QueryRow("PRAGMA integrity_check").Scan(&sound))
	must(t, db.QueryRow("SELECT count(*) FROM t").Scan(&n))
	if sound != "ok" {
		t.Fatalf("integrity_check: %s", sound)
	}
	return n
}

// series inserts n rows of 500 bytes.
func series(n int) string {
	return fmt.Sprintf(`INSERT INTO t (x, y) WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %d)
SELECT n, randomblob(500) FROM s`, n)
}

// TestOthersSeeWhatIsCommitted: a transaction bigger than the cache spills into
// the log, is read back from there, and others see all of it once it is
// committed, and nothing of one that is rolled back.
func TestOthersSeeWhatIsCommitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	ours, other := database(t, path, Name), database(t, path, "unix")
	exec(t, ours, "CREATE TABLE t (x INTEGER, y BLOB); CREATE INDEX i ON t (y); PRAGMA cache_size = 4")
	want := 0
	for round := range 6 {
		exec(t, ours, "BEGIN")
		exec(t, ours, series(60))
		exec(t, ours, "UPDATE t SET y = randomblob(500) WHERE x % 3 = 0")
		if got := rows(t, ours); got != want+60 {
			t.Fatalf("round %d: %d rows inside; want %d", round, got, want+60)
		}
		if got := rows(t, other); got != want {
			t.Fatalf("round %d: others see %d rows before the commit; want %d", round, got, want)
		}
		if round%3 == 2 {
			exec(t, ours, "ROLLBACK")
		} else {
			exec(t, ours, "COMMIT")
			want += 60
		}
		if b, a := rows(t, other), rows(t, ours); a != want || b != want {
			t.Fatalf("round %d: %d rows, others see %d; want %d", round, a, b, want)
		}
		exec(t, ours, "INSERT INTO t (x, y) VALUES (0, randomblob(500))") // one that fits into memory
		want++
		if got := rows(t, other); got != want {
			t.Fatalf("round %d: others see %d rows after a small commit; want %d", round, got, want)
		}
		if round == 3 {
			exec(t, ours, "PRAGMA wal_checkpoint(TRUNCATE)")
		}
	}
}

// TestCommitIsOneWrite: which is what this is for.
func TestCommitIsOneWrite(t *testing.T) {
	counts := func(vfs string) int {
		db := database(t, filepath.Join(t.TempDir(), "a.db"), vfs)
		exec(t, db, "CREATE TABLE t (x INTEGER, y BLOB); CREATE INDEX i ON t (y)")
		exec(t, db, series(100))
		fewest := 1 << 30
		for range 10 { // the runtime writes too, to wake itself up
			before := writes(t)
			exec(t, db, "INSERT INTO t (x, y) VALUES (1, randomblob(500))")
			fewest = min(fewest, writes(t)-before)
		}
		return fewest
	}
	if got := counts(Name); got != 1 {
		t.Errorf("a commit of several pages takes %d writes; want 1", got)
	}
	if got := counts("unix"); got < 4 {
		t.Errorf("without walfile it takes %d: this test measures nothing", got)
	}
}

// writes is how many writes this process has made (proc(5), /proc/pid/io).
func writes(t *testing.T) (n int) {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("no /proc/self/io here to count writes with")
	}
	for line := range strings.Lines(string(raw)) {
		if _, err := fmt.Sscanf(line, "syscw: %d", &n); err == nil {
			return n
		}
	}
	t.Fatalf("no syscw in %q", raw)
	return 0
}

// TestFilesAreForgotten: a closed log leaves nothing behind.
func TestFilesAreForgotten(t *testing.T) {
	db := database(t, filepath.Join(t.TempDir(), "a.db"), Name)
	exec(t, db, "CREATE TABLE t (x INTEGER, y BLOB)")
	mu.Lock()
	open := len(logs)
	mu.Unlock()
	must(t, db.Close())
	mu.Lock()
	defer mu.Unlock()
	if open == 0 || len(logs) != open-1 {
		t.Errorf("%d logs while it is open, %d after; want one less", open, len(logs))
	}
}
