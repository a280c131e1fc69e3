package sqlite

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock takes the file beside the database that stands for the right to write
// it. The database file itself won't do: closing any descriptor of it would
// drop SQLite's own locks (POSIX.1-2017, fcntl), and other programs may read
// it. The lock ends with the process, however that ends; the file stays.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, pathError(err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, ErrInUse
	}
	return nil, fmt.Errorf("%s.lock: %w", path, err)
}

// pathError classes what the system says of a file as classify does for SQLite.
func pathError(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}
