package carve

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

const kilo = 1024 // bytes, of a page

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// made is a real database with two tables, and what is in them.
func made(t testing.TB, mode string) (path string, rows map[int64][]driver.Value) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite", "file:"+path+fmt.Sprintf("?_pragma=page_size(%d)&_pragma=wal_autocheckpoint(0)&_journal_mode=", kilo)+mode)
	must(t, err)
	db.SetMaxOpenConns(1)
	defer db.Close()
	exec := func(q string, args ...any) {
		t.Helper()
		_, err := db.Exec(q, args...)
		must(t, err)
	}
	exec("CREATE TABLE a (n INTEGER PRIMARY KEY, i INTEGER, f REAL, t TEXT, b BLOB)")
	exec("CREATE TABLE w (k TEXT PRIMARY KEY, n INTEGER, t TEXT) WITHOUT ROWID")
	rows = map[int64][]driver.Value{}
	ints := []int64{0, 1, -1, 127, -128, 1 << 15, -1 << 23, 1 << 31, -1 << 47, 1<<63 - 1}
	for n := int64(1); n <= 60; n++ {
		v := []driver.Value{nil, ints[n%10], float64(n) + .5, strings.Repeat("längere Wörter ", int(n*n)%97), []byte{byte(n), 0}}
		if n%7 == 0 {
			v[3] = nil
		}
		rows[n] = v
		exec("INSERT INTO a VALUES (?, ?, ?, ?, ?)", n, v[1], v[2], v[3], v[4])
		exec("INSERT INTO w VALUES (?, ?, ?)", fmt.Sprint("key", n), n, strings.Repeat("x", int(n*n)%900))
	}
	if mode == "WAL" { // closing would fold it in
		for _, f := range []string{"", "-wal"} {
			b, err := os.ReadFile(path + f)
			must(t, err)
			must(t, os.WriteFile(path+".copy"+f, b, 0o600))
		}
		path += ".copy"
	}
	return path, rows
}

func opened(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path, 4096)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// TestRows: all rows of a sound database are found, from its file or its log,
// with each of their values, also where they go over several pages.
func TestRows(t *testing.T) {
	for _, mode := range []string{"DELETE", "WAL"} {
		t.Run(mode, func(t *testing.T) {
			path, want := made(t, mode)
			got, keys := map[int64][]driver.Value{}, map[any]int64{}
			opened(t, path).Rows(Table{Columns: 5, Rowid: true, Row: func(n int64, v []driver.Value) {
				if reflect.DeepEqual(v, want[n]) {
					got[n] = v
				}
			}}, Table{Columns: 3, Row: func(_ int64, v []driver.Value) {
				n, _ := v[1].(int64)
				if text, _ := v[2].(string); len(text) == int(n*n)%900 && v[0] == fmt.Sprint("key", n) {
					keys[v[0]] = n
				}
			}})
			if !reflect.DeepEqual(got, want) {
				t.Errorf("found %d of %d rows as they are", len(got), len(want))
			}
			if len(keys) != len(want) {
				t.Errorf("found %d of %d rows without rowid", len(keys), len(want))
			}
		})
	}
}

// TestWriteTo: file and log in one is the database, for SQLite itself.
func TestWriteTo(t *testing.T) {
	path, want := made(t, "WAL")
	out, err := os.Create(path + ".one")
	must(t, err)
	_, err = opened(t, path).WriteTo(out)
	must(t, err)
	must(t, out.Close())
	db, err := sql.Open("sqlite", "file:"+path+".one?mode=ro&immutable=1")
	must(t, err)
	defer db.Close()
	var n int
	var ok string
	must(t, db.QueryRow("SELECT count(*) FROM a").Scan(&n))
	must(t, db.QueryRow("PRAGMA integrity_check").Scan(&ok))
	if n != len(want) || ok != "ok" {
		t.Errorf("%d rows, %s", n, ok)
	}
}

// TestCut: damage anywhere in a log but in its last transaction is seen, a log
// that power has cut off is none, and what lies behind the damage is read.
func TestCut(t *testing.T) {
	path, want := made(t, "WAL")
	whole, err := os.ReadFile(path + "-wal")
	must(t, err)
	try := func(b []byte) *File {
		must(t, os.WriteFile(path+"-wal", b, 0o600))
		f, err := Open(path, kilo)
		must(t, err)
		return f
	}
	f := try(whole)
	frames := f.Log.frames
	if f.Log.Cut || len(frames) != (len(whole)-headerSize)/(frameSize+kilo) {
		t.Fatalf("a sound log: cut %v, %d frames", f.Log.Cut, len(frames))
	}
	must(t, f.Close())
	begun := 0 // where the last transaction begins
	for i, fr := range frames[:len(frames)-1] {
		if fr.commit {
			begun = i + 1
		}
	}
	for at := 0; at < len(whole); at += 1531 {
		b := append([]byte{}, whole...)
		b[at] ^= 0x5a
		f := try(b)
		frame := max(0, at-headerSize) / (frameSize + kilo)
		commitField := (at-headerSize)%(frameSize+kilo) < 8 // which makes two transactions one
		if want := frame < begun; f.Log.Cut != want && !commitField {
			t.Errorf("a byte changed at %d, in frame %d of %d: cut %v; want %v", at, frame, len(frames), f.Log.Cut, want)
		}
		last := 0
		f.Rows(Table{Columns: 5, Rowid: true, Row: func(n int64, v []driver.Value) {
			if reflect.DeepEqual(v, want[n]) {
				last = max(last, int(n))
			}
		}})
		if f.Log.Cut && last < len(want)-1 {
			t.Errorf("a byte changed at %d: rows up to %d are read; want what is behind too", at, last)
		}
		must(t, f.Close())
	}
	for n := len(whole); n >= 0; n -= 777 {
		f := try(whole[:n])
		if f.Log.Cut {
			t.Errorf("a log that ends at %d is held for damaged", n)
		}
		must(t, f.Close())
	}
}

// FuzzRows: no bytes lead out of the page, or to what has not the shape asked for.
func FuzzRows(f *testing.F) {
	for _, mode := range []string{"DELETE", "WAL"} {
		path, _ := made(f, mode)
		db, err := os.ReadFile(path)
		must(f, err)
		wal, _ := os.ReadFile(path + "-wal")
		f.Add(db[:min(len(db), 8*kilo)], wal[:min(len(wal), 6*(kilo+frameSize))])
	}
	f.Fuzz(func(t *testing.T, db, wal []byte) {
		if len(db)+len(wal) > 1<<16 {
			return
		}
		path := filepath.Join(t.TempDir(), "x.db")
		must(t, os.WriteFile(path, db, 0o600))
		must(t, os.WriteFile(path+"-wal", wal, 0o600))
		file, err := Open(path, kilo)
		if err != nil {
			return
		}
		defer file.Close()
		file.Rows(Table{Columns: 5, Rowid: true, Row: func(n int64, v []driver.Value) {
			if n <= 0 || len(v) != 5 {
				t.Errorf("row %d of %d values", n, len(v))
			}
		}})
	})
}
