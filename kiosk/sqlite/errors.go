package sqlite

import (
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// What a write or an Open may be refused for, beside what package kiosk names.
var (
	ErrFull     = errors.New("disk full")
	ErrReadOnly = errors.New("disk or file is read-only")
	ErrDisk     = errors.New("disk error")
	ErrDamaged  = errors.New("database is damaged")
	ErrInUse    = errors.New("another program keeps this ledger open for writing")
	ErrNewer    = errors.New("database was made by a newer version of Carrel")
	ErrClosed   = errors.New("ledger is closed")

	errMigration = errors.New("migration")
)

// classify wraps an error of the driver with one of the above, so that the
// screen and the staff page need not read text.
func classify(err error) error {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return err
	}
	class := map[int]error{
		codes.SQLITE_FULL:     ErrFull,
		codes.SQLITE_READONLY: ErrReadOnly,
		codes.SQLITE_IOERR:    ErrDisk,
		codes.SQLITE_CORRUPT:  ErrDamaged,
		codes.SQLITE_NOTADB:   ErrDamaged,
	}[e.Code()&0xff] // the low byte is the primary result code
	if class == nil {
		return err
	}
	return fmt.Errorf("%w: %w", class, err)
}

// notOurs tells whether a file was there that could not be opened, or not be
// written.
func notOurs(err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	return ok && (e.Code()&0xff == codes.SQLITE_CANTOPEN || e.Code()&0xff == codes.SQLITE_READONLY)
}

// misses classes what SQLite says of our own statements when it does not know
// their tables and columns: the file's description of itself is damaged.
func misses(err error) error {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok || e.Code()&0xff != codes.SQLITE_ERROR || errors.Is(err, ErrDamaged) || errors.Is(err, errMigration) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// wrap adds the step to an error, nil stays nil.
func wrap(step string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sqlite: %s: %w", step, classify(err))
}

func invalid(format string, args ...any) error {
	return &kiosk.Error{Code: kiosk.CodeInvalid, Text: fmt.Sprintf(format, args...)}
}
