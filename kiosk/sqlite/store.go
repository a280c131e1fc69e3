package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	driver "modernc.org/sqlite"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite/carve"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite/walfile"
)

const (
	pageSize       = 2048 // bytes
	autoCheckpoint = 4000 // pages in the log before a commit folds it in itself
	busyTimeout    = 5000 // ms to wait for another program's lock
	readers        = 2    // connections for reading
)

// Store is an open ledger. It must be closed.
type Store struct {
	Reader
	path string
	lock *os.File
	db   *sql.DB // of the writer, and of the checkpoint beside it
	conn *sql.Conn
	w    *writer

	turn  sync.Mutex // held by whoever is writing
	mu    sync.Mutex // guards what follows
	queue []*write
	led   bool // somebody writes what waits, or has been called to
	done  bool // closed

	bulk    bulk // guarded by turn
	learned learned
	stirred chan struct{} // a commit has happened since Run last looked
	damaged chan struct{} // what Damaged gives
	spoilt  sync.Once
}

var (
	_ kiosk.Ledger = (*Store)(nil)
	_ kiosk.Outbox = (*Store)(nil)
	_ kiosk.Mirror = (*Store)(nil)
	_ kiosk.Loader = (*Store)(nil)
)

// Open opens the ledger at path for writing, and makes it if there is none.
// ErrInUse means that another program, or this one, has it open so already.
func Open(ctx context.Context, path string) (*Store, error) {
	s, err := open(ctx, path, pageSize)
	for n := 0; n < 3 && notOurs(err) && ctx.Err() == nil; n++ {
		// Who looks at the ledger as root makes files beside it that are root's for
		// a moment, before SQLite gives them to the ledger's owner.
		time.Sleep(50 * time.Millisecond)
		s, err = open(ctx, path, pageSize)
	}
	return s, wrap("open "+path, err)
}

func open(ctx context.Context, path string, page int) (_ *Store, err error) {
	s := &Store{path: path, stirred: make(chan struct{}, 1), damaged: make(chan struct{})}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	if s.lock, err = lock(path); err != nil {
		return nil, err
	}
	if err = swap(path); err != nil {
		return nil, err
	}
	if err = create(path); err != nil {
		return nil, err
	}
	if err = whole(path, page); err != nil {
		return nil, err
	}
	if err = s.openWriter(ctx, path, page); err != nil {
		return nil, misses(err)
	}
	if err = s.openReader(ctx, path); err != nil {
		return nil, misses(err)
	}
	return s, misses(s.sound(ctx))
}

// create makes the file with the rights it needs: it holds what people read.
// SQLite gives the log the rights of the file.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	switch {
	case errors.Is(err, os.ErrExist):
		return nil
	case err != nil:
		return pathError(err)
	}
	return f.Close()
}

// Gone tells whether there is nothing at path: no ledger, one of no length, as a
// card leaves it that loses its power, and none that is to take its place.
func Gone(path string) bool { return length(path) == 0 && !exists(path+readyFile) }

// length is of a file, in bytes; 0 if there is none.
func length(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// whole looks at the log, of which SQLite takes what it can and drops the rest.
func whole(path string, page int) error {
	f, err := carve.Open(path, page)
	if err != nil {
		return pathError(err)
	}
	defer f.Close()
	if Gone(path) && length(path+"-wal") > 0 { // SQLite makes the file before its log, and would take this one away
		return fmt.Errorf("%w: the file is empty, and there is a log of it", ErrDamaged)
	}
	if f.Log.Cut {
		return fmt.Errorf("%w: a page in the middle of its log is not as it was written", ErrDamaged)
	}
	return nil
}

func (s *Store) openWriter(ctx context.Context, path string, page int) (err error) {
	// What a statement of many rows needs to be undone stays in memory: it is
	// some pages, and files for them cost more than the rows.
	// The log goes through walfile, which rests on synchronous(FULL).
	// The driver runs the pragmas in the order of the alphabet and the journal
	// mode, which fixes the page size, after them.
	if err = errors.Join(walfile.Register(), registerSum()); err != nil {
		return err
	}
	if s.db, err = sql.Open("sqlite", dsn(path, "rw",
		fmt.Sprintf("busy_timeout(%d)", busyTimeout),
		fmt.Sprintf("page_size(%d)", page),
		"synchronous(FULL)",
		"foreign_keys(OFF)",
		"temp_store(MEMORY)",
		fmt.Sprintf("wal_autocheckpoint(%d)", autoCheckpoint),
	)+"&_journal_mode=WAL&vfs="+walfile.Name); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(2)
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	// The log stays when the ledger is closed: writing over it is cheaper
	// than making it grow anew after each start.
	if err = s.conn.Raw(func(c any) error {
		_, err := c.(driver.FileControl).FileControlPersistWAL("main", 1)
		return err
	}); err != nil {
		return err
	}
	if err = migrate(ctx, s.conn, path); err != nil {
		return err
	}
	indexISBNs(ctx, s.conn) //nolint:errcheck // on a full disk, say: without it ISBNs are found slowly, and that is all
	s.w, err = prepare(ctx, s.conn)
	return err
}

// dsn names the file with the settings of each connection to it.
func dsn(path, mode string, pragmas ...string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{
		"mode": {mode}, "_pragma": pragmas,
	}.Encode()}
	return u.String()
}

// sound is what Open can check without reading the whole file: that the
// outbox belongs to the ledger.
func (s *Store) sound(ctx context.Context) error {
	var lost int
	err := s.conn.QueryRowContext(ctx,
		"SELECT count(*) FROM outbox WHERE seq NOT IN (SELECT seq FROM entries)").Scan(&lost)
	if err == nil && lost > 0 {
		err = fmt.Errorf("%w: the outbox holds %d unknown entries", ErrDamaged, lost)
	}
	return err
}

// Close writes what was learned and closes the ledger. What Record and
// Conclude have returned is on disk already.
func (s *Store) Close() error {
	err := s.flush(context.Background())
	s.mu.Lock()
	was := s.done
	s.done = true
	s.mu.Unlock()
	if was {
		return nil
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	return errors.Join(wrap("close", err), wrap("close", s.release()))
}

func (s *Store) release() error {
	var errs []error
	if s.Reader.db != nil {
		errs = append(errs, s.Reader.db.Close())
	}
	if s.w != nil {
		errs = append(errs, s.w.close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Damaged is closed when a write has met what ErrDamaged stands for: the
// ledger is to be closed and rescued.
func (s *Store) Damaged() <-chan struct{} { return s.damaged }

func (s *Store) suspect(err error) {
	if errors.Is(classify(err), ErrDamaged) {
		s.spoilt.Do(func() { close(s.damaged) })
	}
}

// quiet is how long nothing must have been written before Run tidies.
const quiet = 2 * time.Second

// breath is the pause between two batches of the index, for whoever wants to
// write.
const breath = 20 * time.Millisecond

// again is the pause after which Run tries again what the disk has refused.
const again = 30 * time.Second

// Run folds the log into the file, writes what was learned, reads what is new in
// the catalogue for Find and makes the log as long as it gets, whenever the desk has been quiet for two seconds, until ctx ends. Without it everything
// works, with now and then a slower commit. That the disk refuses is told to
// report, nil when it takes again, and never ends Run: the desk says so itself
// where somebody wants to borrow.
func (s *Store) Run(ctx context.Context, report func(error)) error {
	failing := false
	wait := time.NewTimer(quiet)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.stirred:
			wait.Reset(quiet)
		case <-wait.C:
			more, err := s.Index(ctx)
			if more && err == nil {
				wait.Reset(breath)
				continue
			}
			err = errors.Join(err, s.Tidy(ctx))
			if (err != nil) != failing && ctx.Err() == nil {
				failing = err != nil
				report(err)
			}
			if failing {
				wait.Reset(again)
			}
		}
	}
}

// Tidy does once what Run does. Writers are not held up by the checkpoint, which
// is passive and has a connection of its own, nor for long by what comes after.
func (s *Store) Tidy(ctx context.Context) error {
	if err := s.flush(ctx); err != nil {
		return wrap("tidy", err)
	}
	_, err := s.db.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	s.suspect(err)
	select {
	case <-s.stirred: // by the flush
	default:
	}
	if err == nil {
		err = s.stretch(ctx)
	}
	return wrap("tidy", err)
}
