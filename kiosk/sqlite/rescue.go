package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite/carve"
)

// Account is what became of each entry when a damaged ledger was rescued.
type Account struct {
	At       time.Time `json:"at"`
	Why      string    `json:"why"`              // how the damage was noticed
	Kept     string    `json:"kept"`             // name of the damaged file, which stays beside the ledger
	Backup   string    `json:"backup,omitempty"` // name of the copy on which the ledger rests now; empty: none was good
	Passed   []string  `json:"passed,omitempty"` // copies that were no good, and why
	Entries  int       `json:"entries"`          // that the ledger has now
	FromFile int       `json:"from_file"`        // of them, those that were read from the damaged file
	FromCopy int       `json:"from_copy"`        // those that only the copy still had
	Rebuilt  int       `json:"rebuilt"`          // those made anew from the loan that they had led to
	Lost     []Lost    `json:"lost,omitempty"`
	Beyond   bool      `json:"beyond"`          // the end of the damaged file is lost: there may have been later entries, of which nothing tells
	Parts    []string  `json:"parts,omitempty"` // other tables of which the damaged file could not be read to the end
	Seen     bool      `json:"seen"`            // staff knows
}

// Lost is an entry of which there was one, by its number.
type Lost struct {
	Seq  int64         `json:"seq"`
	ID   kiosk.ID      `json:"entry,omitempty"` // as far as an index still told
	Item kiosk.Barcode `json:"item,omitempty"`
}

// Highest is the number of the newest entry that anything tells of.
func (a *Account) Highest() int64 {
	return int64(a.Entries + len(a.Lost)) // numbers have no holes
}

// rescueSetting is the name of the setting that holds the account.
const rescueSetting = "rescue"

// Names of what a rescue makes beside the ledger.
const (
	scratchFile = ".scratch" // the damaged file and its log in one
	freshFile   = ".fresh"   // the new ledger while it is being made
	readyFile   = ".rescued" // the new ledger, complete: it is to take the place
)

// Rescue makes a sound ledger in the place of a damaged one, or of none: the newest good
// one of some copies, with all that can still be read from the damaged file,
// which is kept under another name with its log. Each entry is accounted for.
// A rescue that is cut off is done again, or brought to its end, by the next
// Open. Nobody may have the ledger open.
func Rescue(ctx context.Context, path, why string, copies []string, now time.Time) (a Account, err error) {
	l, err := lock(path)
	if err != nil {
		return a, wrap("rescue", err)
	}
	defer l.Close()
	if err := errors.Join(swap(path), create(path)); err != nil {
		return a, wrap("rescue", err)
	}
	defer removeAll(path+scratchFile, path+freshFile)
	for exists(keptName(path, now)) || exists(keptName(path, now)+"-wal") { // a clock that begins anew at each start
		now = now.Add(time.Second)
	}
	old, err := carve.Open(path, pageSize)
	if err != nil {
		return a, wrap("rescue", pathError(err))
	}
	defer old.Close()
	if err := scratch(old, path+scratchFile); err != nil {
		return a, wrap("rescue", pathError(err))
	}
	r := &rescue{path: path, old: old, now: now, Account: Account{At: now, Why: why, Kept: filepath.Base(keptName(path, now))}}
	for _, c := range append(slices.Clone(copies), "") {
		if err = r.upon(ctx, c); err == nil {
			break
		}
		if !errors.Is(err, errNoGood) || c == "" {
			return a, wrap("rescue", err)
		}
		r.Passed = append(r.Passed, filepath.Base(c)+": "+strings.TrimPrefix(err.Error(), errNoGood.Error()+": "))
	}
	if err := os.Chtimes(path+freshFile, now, now); err != nil { // by which swap names the damaged file, also after a cut
		return a, wrap("rescue", err)
	}
	if err := errors.Join(syncFile(path+freshFile), os.Rename(path+freshFile, path+readyFile), syncFile(filepath.Dir(path))); err != nil {
		return a, wrap("rescue", pathError(err))
	}
	return r.Account, wrap("rescue", swap(path))
}

// swap puts a rescued ledger in its place, if there is one, whatever of that
// was done already. The log goes first: with the new file SQLite would take it
// for the new one's.
func swap(path string) error {
	info, err := os.Stat(path + readyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return pathError(err)
	}
	kept := keptName(path, info.ModTime())
	for _, f := range []string{"-wal", ""} {
		if !exists(path + f) {
			continue
		}
		if exists(kept + f) {
			return fmt.Errorf("%s%s is there already", kept, f)
		}
		if err := os.Rename(path+f, kept+f); err != nil {
			return pathError(err)
		}
		if err := syncFile(filepath.Dir(path)); err != nil {
			return err
		}
	}
	removeAll(path + "-shm")
	if err := os.Rename(path+readyFile, path); err != nil {
		return pathError(err)
	}
	return syncFile(filepath.Dir(path))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func keptName(path string, at time.Time) string {
	return path + ".broken-" + at.UTC().Format("20060102T150405Z")
}

func removeAll(paths ...string) {
	for _, p := range paths {
		for _, f := range []string{"", "-wal", "-shm", "-journal", ".lock"} {
			os.Remove(p + f)
		}
	}
}

// scratch writes the damaged ledger as one file for SQLite to read.
func scratch(old *carve.File, path string) error {
	removeAll(path)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = old.WriteTo(f)
	return errors.Join(err, f.Close())
}

// errNoGood is of a copy on which no ledger can rest.
var errNoGood = errors.New("the copy is no good")

// blame says that a copy is no good, unless it is no fault of the copy's: on a
// full disk, or without time, every one would be passed over.
func blame(ctx context.Context, err error) error {
	if err = pathError(classify(err)); errors.Is(err, ErrFull) || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %w", errNoGood, err)
}

// rescue is one under way.
type rescue struct {
	Account
	path    string
	old     *carve.File
	now     time.Time
	broken  *sql.DB // the scratch file
	new     *Store
	last    int64 // number of the newest entry of the copy
	highest int64 // number of the newest entry that anything tells of
	found   bits  // entries that the damaged file had
	shaky   bool  // the loans could not be read to the end
}

// upon makes the new ledger out of a copy; an empty name is an empty ledger.
func (r *rescue) upon(ctx context.Context, from string) (err error) {
	r.Entries, r.FromFile, r.FromCopy, r.Rebuilt, r.Lost, r.Parts, r.found, r.shaky = 0, 0, 0, 0, nil, nil, nil, false
	r.Backup = ""
	if from != "" {
		r.Backup = filepath.Base(from)
	}
	if err := r.base(ctx, from); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.new.Close()) }()
	if r.broken, err = sql.Open("sqlite", dsn(r.path+scratchFile, "ro")+"&immutable=1"); err != nil {
		return err
	}
	defer r.broken.Close()
	r.broken.SetMaxOpenConns(1)
	for _, step := range []func(context.Context) error{r.entries, r.tables, r.settle, r.tell} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	wrong, err := r.new.Check(ctx)
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("what comes of it is not sound: %q", wrong)
	}
	if err != nil {
		return blame(ctx, err)
	}
	_, err = r.new.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// base opens the copy of a copy, brought to this program's version.
func (r *rescue) base(ctx context.Context, from string) error {
	fresh := r.path + freshFile
	removeAll(fresh)
	if from != "" {
		if err := copyFile(from, fresh); err != nil {
			return blame(ctx, err)
		}
	}
	var err error
	if r.new, err = Open(ctx, fresh); err != nil {
		return blame(ctx, err)
	}
	wrong, err := r.new.Check(ctx)
	if err == nil && len(wrong) > 0 {
		err = errors.New(wrong[0])
	}
	if err == nil {
		err = r.new.conn.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM entries").Scan(&r.last)
	}
	if err != nil {
		return errors.Join(blame(ctx, err), r.new.Close())
	}
	r.highest = r.last
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	head := make([]byte, 16)
	if _, err := io.ReadFull(in, head); err != nil || string(head) != "SQLite format 3\x00" {
		return errors.New("it is encrypted, or no ledger")
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// tell puts the account into the new ledger.
func (r *rescue) tell(ctx context.Context) error {
	raw, err := json.Marshal(r.Account)
	if err != nil {
		return err
	}
	_, err = r.new.conn.ExecContext(ctx, "INSERT INTO settings (name, value, at) VALUES (?, ?, ?)", rescueSetting, raw, r.now.UnixMilli())
	return err
}

// Rescued is the account of the last rescue of this ledger; kiosk.ErrUnknown
// if there was none.
func (r *Reader) Rescued(ctx context.Context) (a Account, err error) {
	raw, err := r.Setting(ctx, rescueSetting, 0)
	if err == nil {
		err = json.Unmarshal(raw, &a)
	}
	return a, err
}

// SeenRescue notes that staff knows of the last rescue.
func (s *Store) SeenRescue(ctx context.Context, by kiosk.Act) error {
	a, err := s.Rescued(ctx)
	if err != nil || a.Seen {
		return err
	}
	a.Seen = true
	raw, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return s.PutSetting(ctx, rescueSetting, raw, by)
}

// bits is a set of small numbers.
type bits []uint64

func (b *bits) add(n int64) {
	for int64(len(*b)) <= n/64 {
		*b = append(*b, make([]uint64, 1+len(*b))...)
	}
	(*b)[n/64] |= 1 << (n % 64)
}

func (b bits) has(n int64) bool { return n/64 < int64(len(b)) && b[n/64]>>(n%64)&1 != 0 }

// anys are values as arguments.
func anys(values []driver.Value) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}
