package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestGiveLog: what lies beside a ledger is its owner's when it appears; what is
// there stays, and what is no ledger gets nothing.
func TestGiveLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	giveLog(path)
	must(t, create(path))
	giveLog(path)
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Fatalf("beside an empty file: %v, %v; want nothing", list, err)
	}
	must(t, opened(t, path).Close())
	owner := os.Geteuid()
	if owner == 0 {
		owner = 1
		must(t, os.Chown(path, owner, owner))
	}
	must(t, errors.Join(os.Remove(path+"-wal"), os.Remove(path+"-shm")))
	giveLog(path)
	log, err := os.Stat(path + "-wal")
	must(t, err)
	index, err := os.Stat(path + "-shm")
	must(t, err)
	for _, info := range []os.FileInfo{log, index} {
		if uid := info.Sys().(*syscall.Stat_t).Uid; int(uid) != owner || info.Mode() != 0o640 {
			t.Errorf("%s is of user %d with %v; want %d, as the ledger", info.Name(), uid, info.Mode(), owner)
		}
	}
	giveLog(path)
	if again, err := os.Stat(path + "-wal"); err != nil || !os.SameFile(log, again) {
		t.Errorf("a log that was there is another: %v", err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 4 { // and the lock
		t.Errorf("left behind: %v, %v", list, err)
	}
	r, err := OpenReadOnly(t.Context(), path)
	must(t, err)
	if wrong, err := r.Check(t.Context()); err != nil || len(wrong) > 0 {
		t.Errorf("Check() = %v, %v", wrong, err)
	}
	must(t, r.Close())
	s := opened(t, path)
	sound(t, s)
	must(t, s.Close())
}
