package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// truth is what a ledger says, row by row.
type truth struct {
	entries, outcomes map[string][]any // by what names a row
	loans             map[string][]any // ours, by item
}

func tell(t testing.TB, s *Store) truth {
	t.Helper()
	read := func(query string, key int) map[string][]any {
		rows, err := s.Reader.db.QueryContext(t.Context(), query)
		must(t, err)
		defer rows.Close()
		out := map[string][]any{}
		cols, _ := rows.Columns()
		for rows.Next() {
			v, to := make([]any, len(cols)), make([]any, len(cols))
			for i := range v {
				to[i] = &v[i]
			}
			must(t, rows.Scan(to...))
			out[fmt.Sprint(v[:key])] = v
		}
		must(t, rows.Err())
		return out
	}
	return truth{read("SELECT "+entryColumns+" FROM entries", 1), read("SELECT "+outcomeColumns+" FROM outcomes", 2),
		read("SELECT item, patron, entry FROM loans WHERE entry <> 0", 1)}
}

// live makes n things happen, and returns how many entries there are now.
func live(t testing.TB, s *Store, r *rand.Rand, from, n int) int {
	t.Helper()
	states := []kiosk.State{kiosk.Granted, kiosk.Offline, kiosk.Unsure, kiosk.Denied, kiosk.Settled, kiosk.Exception}
	for range n {
		item, card := 1+r.IntN(40), 1+r.IntN(9)
		e := kiosktest.As(kiosktest.Checkout(from, item, card), kiosk.Asked, kiosktest.Morning.AddDate(0, 0, 21))
		switch r.IntN(6) {
		case 0:
			e = kiosktest.Checkin(from, item)
		case 1:
			e.State = kiosk.Offline
		case 2:
			e.Tags = []kiosk.TagID{kiosk.TagID(fmt.Sprintf("%016X", item))}
		}
		if r.IntN(20) == 0 {
			e.Text = strings.Repeat("what the library's system had to say ", 40+r.IntN(200))
		}
		must(t, s.Record(t.Context(), e))
		from++
		for range r.IntN(3) {
			err := s.Conclude(t.Context(), kiosktest.After(e, states[r.IntN(len(states))]))
			if err != nil && kiosk.CodeOf(err) != kiosk.CodeInvalid {
				t.Fatal(err)
			}
		}
		if r.IntN(30) == 0 {
			must(t, s.Tidy(t.Context()))
		}
	}
	return from
}

// spoil does to a ledger's files what cards do.
func spoil(t testing.TB, path string, r *rand.Rand) (what string) {
	t.Helper()
	name := path
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 && r.IntN(3) == 0 {
		name += "-wal"
	}
	b, err := os.ReadFile(name)
	must(t, err)
	used := len(b)
	if strings.HasSuffix(name, "-wal") { // most of it is zeros, and they may be anything
		used = len(strings.TrimRight(string(b), "\x00"))
	}
	if used == 0 {
		return "nothing"
	}
	page := func() []byte {
		at := r.IntN((used + pageSize - 1) / pageSize)
		return b[at*pageSize : min(len(b), (at+1)*pageSize)]
	}
	switch k := r.IntN(5); {
	case k == 0 && name == path:
		b, what = b[:r.IntN(len(b))], "cut off"
	case k == 1:
		p := page()
		clear(p)
		what = "a page of zeros"
	case k == 2:
		for i, p := 0, page(); i < len(p); i++ {
			p[i] = byte(r.Uint32())
		}
		what = "a page of rubbish"
	case k == 3 && name == path:
		copy(page(), page())
		what = "a page in the place of another"
	default:
		n := 1 + r.IntN(8)
		for range n {
			b[r.IntN(used)] ^= byte(1 + r.IntN(255))
		}
		what = fmt.Sprint(n, " bytes changed")
	}
	must(t, os.WriteFile(name, b, 0o600))
	return filepath.Base(name) + ": " + what
}

// damaged tells whether a start would find something wrong.
func damaged(ctx context.Context, path string) error {
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	defer s.Close()
	wrong, err := s.Examine(ctx)
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("%w: %s", ErrDamaged, wrong[0])
	}
	return err
}

// TestRescue: whatever is done to the files of a real ledger, each entry is
// there as it was, or is named as lost; none is another than it was, and no
// loan is somebody else's.
func TestRescue(t *testing.T) {
	seeds := 10 // CARREL_SEEDS makes it more
	if n, err := strconv.Atoi(os.Getenv("CARREL_SEEDS")); err == nil {
		seeds = n
	}
	var rescued, lost atomic.Int64
	t.Run("seed", func(t *testing.T) {
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel() // they wait for the disk most of the time
				if n := rescueOne(t, rand.New(rand.NewPCG(uint64(seed), 7))); n >= 0 {
					rescued.Add(1)
					lost.Add(int64(n))
				}
			})
		}
	})
	t.Logf("%d ledgers: %d rescued, %d entries lost and named", seeds, rescued.Load(), lost.Load())
	if int(rescued.Load()) < seeds/5 {
		t.Errorf("only %d of %d ledgers had to be rescued: the test does too little", rescued.Load(), seeds)
	}
}

// rescueOne gives how many entries were lost; -1 if nothing had to be rescued.
func rescueOne(t *testing.T, r *rand.Rand) (lost int) {
	dir := t.TempDir()
	path, copies := filepath.Join(dir, "live", "ledger.db"), []string(nil)
	must(t, os.Mkdir(filepath.Dir(path), 0o700))
	s := opened(t, path)
	var items []kiosk.Item
	for i := range 300 {
		items = append(items, kiosktest.Item(i))
	}
	_, err := s.PutItems(t.Context(), items)
	must(t, err)
	n := live(t, s, r, 1, 1+r.IntN(80))
	if r.IntN(2) == 0 {
		copies = []string{filepath.Join(dir, "copy.db")}
		must(t, s.Backup(t.Context(), copies[0]))
	}
	live(t, s, r, n, r.IntN(60))
	for range 2 { // the last transaction can't be told from one that power has cut off
		must(t, s.Probe(t.Context()))
	}
	was := tell(t, s)
	after := filepath.Join(dir, "ledger.db")
	for _, f := range []string{"", "-wal"} { // as a loss of power leaves them
		b, err := os.ReadFile(path + f)
		must(t, err)
		must(t, os.WriteFile(after+f, b, 0o600))
	}
	must(t, s.Close())
	var what []string
	for range 1 + r.IntN(2) {
		what = append(what, spoil(t, after, r))
	}
	defer func() {
		if t.Failed() {
			t.Logf("spoilt: %q, copies: %q", what, copies)
		}
	}()
	lost = -1
	var a Account
	err = damaged(t.Context(), after)
	switch {
	case err != nil && !errors.Is(err, ErrDamaged):
		t.Fatalf("a damaged ledger is opened with %v; want ErrDamaged", err)
	case err != nil:
		if a, err = Rescue(t.Context(), after, err.Error(), copies, kiosktest.Morning.AddDate(0, 0, 1)); err != nil {
			t.Fatal(err)
		}
		lost = len(a.Lost)
		if _, err := os.Stat(filepath.Join(dir, a.Kept)); err != nil {
			t.Error(err)
		}
	}
	s = opened(t, after)
	defer s.Close()
	compare(t, was, tell(t, s), a)
	if lost >= 0 {
		sound(t, s)
		if got, err := s.Rescued(t.Context()); err != nil || !reflect.DeepEqual(got.Lost, a.Lost) || got.Entries != a.Entries {
			t.Errorf("Rescued() = %+v, %v; want %+v", got, err, a)
		}
	}
	return lost
}

func compare(t *testing.T, was, is truth, a Account) {
	t.Helper()
	named := map[string]bool{}
	for _, l := range a.Lost {
		named[fmt.Sprint([]any{l.Seq})] = true
	}
	rebuilt := 0
	for key, e := range was.entries {
		now, ok := is.entries[key]
		switch {
		case !ok && !named[key] && !(a.Beyond && e[0].(int64) > a.Highest()):
			t.Errorf("entry %s is neither there nor named", key)
		case ok && named[key]:
			t.Errorf("entry %s is there, and named as lost", key)
		case ok && now[12] == whyUnsure:
			rebuilt++
			if now[4] != e[4] || now[5] != e[5] {
				t.Errorf("rebuilt entry %s is of %v %v; want %v %v", key, now[4], now[5], e[4], e[5])
			}
		case ok && !reflect.DeepEqual(e, now):
			t.Errorf("entry %s is %v; want %v", key, now, e)
		}
	}
	if rebuilt != a.Rebuilt {
		t.Errorf("%d entries were rebuilt; the account says %d", rebuilt, a.Rebuilt)
	}
	for key := range is.entries {
		if was.entries[key] == nil {
			t.Errorf("entry %s never was", key)
		}
	}
	told := map[any]bool{} // entries that still have all their outcomes
	for key, o := range was.outcomes {
		if now, ok := is.outcomes[key]; ok && !reflect.DeepEqual(o, now) && now[6] != whyUnsure {
			t.Errorf("outcome %s is %v; want %v", key, now, o)
		} else if !ok {
			told[o[0]] = true
		}
	}
	for item, l := range was.loans {
		_, there := is.entries[fmt.Sprint([]any{l[2]})]
		if now := is.loans[item]; there && len(told) == 0 && len(a.Lost) == 0 && (now == nil || now[1] != l[1]) {
			t.Errorf("the loan of %s is %v; want %v", item, now, l)
		}
	}
	for item, l := range is.loans {
		if e := is.entries[fmt.Sprint([]any{l[2]})]; e == nil || e[4] != l[0] || e[5] != l[1] {
			t.Errorf("the loan of %s is %v; its entry is %v", item, l, e)
		}
	}
}

// TestRescueWithoutCopy: of a file whose first page is gone, which SQLite does
// not open, each entry is read nevertheless.
func TestRescueWithoutCopy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := opened(t, path)
	live(t, s, rand.New(rand.NewPCG(1, 1)), 1, 100)
	was := tell(t, s)
	must(t, s.Close())
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt(make([]byte, pageSize), 0)
	must(t, errors.Join(err, f.Close()))
	must(t, os.Truncate(path+"-wal", 0))
	err = damaged(t.Context(), path)
	if !errors.Is(err, ErrDamaged) {
		t.Fatalf("Open() = %v", err)
	}
	a, err := Rescue(t.Context(), path, "test", nil, time.Now())
	if err != nil || len(a.Lost) > 0 || a.FromFile != len(was.entries) {
		t.Fatalf("Rescue() = %+v, %v; want all %d from the file", a, err, len(was.entries))
	}
	s = opened(t, path)
	defer s.Close()
	compare(t, was, tell(t, s), a)
	must(t, s.SeenRescue(t.Context(), kiosk.Act{At: time.Now(), Name: "Ann", What: "rescue.seen"}))
	if a, err := s.Rescued(t.Context()); err != nil || !a.Seen {
		t.Errorf("Rescued() = %+v, %v", a, err)
	}
}

// TestEmptyFileWithLog: a ledger of no length, or none, beside which there is a
// log is damaged and no new one: SQLite would take the log away. What the log
// has is rescued, also where that is nothing.
func TestEmptyFileWithLog(t *testing.T) {
	s := newFile(t)
	must(t, s.Record(t.Context(), kiosktest.Checkout(1, 1, 1)))
	log, err := os.ReadFile(s.path + "-wal")
	must(t, err)
	for what, tt := range map[string]struct {
		log     []byte
		file    bool
		entries int
	}{"empty": {log, true, 1}, "none": {log, false, 1}, "zeros": {make([]byte, 8192), true, 0}} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		must(t, os.WriteFile(path+"-wal", tt.log, 0o600))
		if tt.file {
			must(t, os.WriteFile(path, nil, 0o600))
		}
		if err := damaged(t.Context(), path); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%s: Open() = %v; want ErrDamaged", what, err)
		}
		if b, err := os.ReadFile(path + "-wal"); err != nil || !bytes.Equal(b, tt.log) {
			t.Errorf("%s: the log is not as it was: %v", what, err)
		}
		if a, err := Rescue(t.Context(), path, "test", nil, time.Now()); err != nil || a.Entries != tt.entries {
			t.Errorf("%s: Rescue() = %+v, %v; want %d entries", what, a, err, tt.entries)
		}
		must(t, damaged(t.Context(), path))
	}
}

// TestRescuePassesCopies: a copy that is damaged, encrypted, or of another
// ledger is passed over, and the account says so.
func TestRescuePassesCopies(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	r := rand.New(rand.NewPCG(1, 2))
	s := opened(t, path)
	live(t, s, r, 1, 30)
	good := filepath.Join(dir, "good.db")
	must(t, s.Backup(t.Context(), good))
	live(t, s, r, 31, 30)
	must(t, s.Close())
	strange := opened(t, filepath.Join(dir, "strange.db"))
	live(t, strange, r, 500, 30)
	must(t, strange.Close())
	sealed, broken := filepath.Join(dir, "sealed.db"), filepath.Join(dir, "broken.db")
	must(t, os.WriteFile(sealed, []byte("age-encryption.org/v1\n and so on"), 0o600))
	b, err := os.ReadFile(good)
	must(t, err)
	clear(b[3*pageSize : 9*pageSize])
	must(t, os.WriteFile(broken, b, 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt(make([]byte, pageSize), 0)
	must(t, errors.Join(err, f.Close()))
	a, err := Rescue(t.Context(), path, "test", []string{sealed, broken, filepath.Join(dir, "strange.db"), good}, time.Now())
	if err != nil || a.Backup != "good.db" || len(a.Passed) != 3 || a.Entries != 60 {
		t.Errorf("Rescue() = %+v, %v; want it to rest on good.db and to pass three over", a, err)
	}
}

// TestSettleLeavesNoOrphan: whatever table names a row of another one, it names
// none that is lost once a rescue has settled it: with such a row left no copy
// would ever be good. The tables are those of the schema, also of a coming one.
func TestSettleLeavesNoOrphan(t *testing.T) {
	f := newFile(t)
	rows, err := f.conn.QueryContext(t.Context(), `SELECT DISTINCT t.name FROM pragma_table_list t, pragma_foreign_key_list(t.name) WHERE t.schema = 'main'`)
	tables, err := all("tables", rows, err, func(r row) (s string, err error) { return s, r.Scan(&s) })
	must(t, err)
	if len(tables) < 9 {
		t.Errorf("only %q name rows of others", tables)
	}
	for _, table := range tables {
		rows, err := f.conn.QueryContext(t.Context(), `SELECT CASE type WHEN 'TEXT' THEN '''x''' WHEN 'BLOB' THEN 'x''00''' ELSE '4711' END FROM pragma_table_info(?)`, table)
		values, err := all("columns", rows, err, func(r row) (s string, err error) { return s, r.Scan(&s) })
		must(t, err)
		_, err = f.conn.ExecContext(t.Context(), "INSERT INTO "+table+" VALUES ("+strings.Join(values, ", ")+")")
		must(t, err)
	}
	if wrong, err := f.Check(t.Context()); err != nil || len(wrong) < len(tables) {
		t.Errorf("before: %q, %v; want one of each of %q", wrong, err, tables)
	}
	for _, q := range settleSQL {
		_, err := f.conn.ExecContext(t.Context(), q)
		must(t, err)
	}
	sound(t, f.Store)
}

// TestSwapGoesOn: a rescue that is cut off in its last steps is brought to its
// end by the next start, whichever step it was; the damaged file is kept.
func TestSwapGoesOn(t *testing.T) {
	for steps := range 3 {
		t.Run(fmt.Sprint(steps), func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "ledger.db")
			s := opened(t, path)
			must(t, s.Record(t.Context(), kiosktest.Checkout(1, 1, 1)))
			must(t, s.Backup(t.Context(), path+readyFile))
			must(t, s.Record(t.Context(), kiosktest.Checkout(2, 2, 2)))
			must(t, s.Close())
			at := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
			must(t, os.Chtimes(path+readyFile, at, at))
			for _, f := range []string{"-wal", ""}[:min(steps, 2)] {
				must(t, os.Rename(path+f, keptName(path, at)+f))
			}
			s = opened(t, path)
			defer s.Close()
			if c, err := s.Counts(t.Context()); err != nil || c.Entries != 1 {
				t.Errorf("Counts() = %+v, %v; want the rescued one's single entry", c, err)
			}
			for _, f := range []string{"", "-wal"} {
				if _, err := os.Stat(keptName(path, at) + f); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestExamineSeesBlame: a digit of a card that a disk has changed is seen,
// wherever it stands.
func TestExamineSeesBlame(t *testing.T) {
	for _, q := range []string{"UPDATE entries SET patron = 'x'", "UPDATE entries SET due = due + 1", "UPDATE outcomes SET state = 'settled'",
		"UPDATE loans SET patron = 'x'", "DELETE FROM outbox", ""} {
		f := newFile(t)
		must(t, f.Record(t.Context(), kiosktest.As(kiosktest.Checkout(1, 1, 1), kiosk.Offline, kiosktest.Morning)))
		must(t, f.Conclude(t.Context(), kiosktest.After(kiosktest.Checkout(1, 1, 1), kiosk.Unsure)))
		_, err := f.conn.ExecContext(t.Context(), q)
		must(t, err)
		if wrong, err := f.Examine(t.Context()); err != nil || (len(wrong) > 0) != (q != "") {
			t.Errorf("after %q: Examine() = %q, %v", q, wrong, err)
		}
	}
}

func TestRowSum(t *testing.T) {
	a := []driver.Value{int64(1), "ab", "c", nil}
	for _, b := range [][]driver.Value{{int64(1), "a", "bc", nil}, {int64(1), "ab", "c", ""}, {int64(2), "ab", "c", nil}, {int64(1), []byte("ab"), "c", nil}} {
		if rowSum(a) == rowSum(b) {
			t.Errorf("%v and %v have the same sum", a, b)
		}
	}
}
