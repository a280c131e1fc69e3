package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
)

const (
	// logLength is how long the log may get, in bytes, until a commit folds it
	// in: a header, and before each page another
	// (https://www.sqlite.org/fileformat2.html, section 4.1).
	logLength  = 32 + autoCheckpoint*(24+pageSize)
	logStep    = 256 << 10 // bytes added in one go, for which a writer may have to wait
	logLeavesN = 8         // the log is not made longer where the disk has less room than so many logs
)

// stretch makes the log as long as it ever gets, so that a commit writes over
// what is there: where it lets the file grow, the file system has to commit its
// own journal too, with whatever other programs have written, and that takes
// longer than the rest. SQLite reads the zeros as the end of the log, as it does
// what an older round has left there (section 4.4: the salts differ). It stops
// as soon as somebody writes; the rest is done when the desk is quiet again.
func (s *Store) stretch(ctx context.Context) error {
	f, err := os.OpenFile(s.path+"-wal", os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) { // nothing was written yet
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	zeros := make([]byte, logStep)
	for ctx.Err() == nil && len(s.stirred) == 0 {
		if more, err := s.lengthen(f, zeros); !more || err != nil {
			return err
		}
	}
	return nil
}

// lengthen adds to the log and tells whether more is to be added. A transaction
// of its own keeps other programs from writing there meanwhile.
func (s *Store) lengthen(f *os.File, zeros []byte) (more bool, err error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.bulk.under > 0 {
		return false, nil
	}
	if err := s.w.begin.run(); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.w.rollback.run()) }()
	info, err := f.Stat()
	if err != nil || info.Size() >= logLength || cramped(f) {
		return false, err
	}
	if _, err = f.WriteAt(zeros[:min(logStep, logLength-info.Size())], info.Size()); err != nil {
		return false, err
	}
	return true, f.Sync()
}

// cramped tells that the disk has little room: it is for loans.
func cramped(f *os.File) bool {
	var disk syscall.Statfs_t
	err := syscall.Fstatfs(int(f.Fd()), &disk)
	return err != nil || int64(disk.Bavail)*int64(disk.Bsize) < logLeavesN*logLength
}
