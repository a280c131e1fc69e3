package bench

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// ImportOptions say how much to measure.
type ImportOptions struct {
	Dir    string    // where lists and databases go, on the disk to be measured; empty: a temporary folder
	Rows   int       // of the list of items
	Rounds int       // ours and the peer in turns; the medians count
	Log    io.Writer // progress; nil means none
	// Load takes a list of items into a new ledger, as a process of its own.
	Load func(ctx context.Context, ledger, list string) *exec.Cmd
}

// peerSQL is the same table, with the same indexes, for the sqlite3 shell.
const peerSQL = `
CREATE TABLE items (barcode TEXT NOT NULL UNIQUE, title TEXT NOT NULL, author TEXT NOT NULL, isbn TEXT NOT NULL,
    call_number TEXT NOT NULL, location TEXT NOT NULL, library TEXT NOT NULL, item_type TEXT NOT NULL, status TEXT NOT NULL) STRICT;
CREATE INDEX items_isbn ON items (isbn) WHERE isbn <> '';
.import --csv --skip 1 "%s" items
`

// Import measures how long a list of items takes into a new ledger, beside the
// .import of the sqlite3 shell of the same file, in the order of the barcodes
// and in none, and how its memory grows from half the list to the whole.
func Import(ctx context.Context, o ImportOptions) ([]Figure, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	dir, err := os.MkdirTemp(o.Dir, "carrel-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		fmt.Fprintln(o.Log, "there is no sqlite3 shell to compare with (Debian package sqlite3): ours is measured alone")
	}
	var all []Figure
	var most int64
	for _, order := range []string{"sorted", "in no order"} {
		list := filepath.Join(dir, "items.csv")
		if err := writeList(list, o.Rows, order == "sorted"); err != nil {
			return nil, err
		}
		var ours, theirs times
		for range o.Rounds {
			took, memory, err := measured(dir, o.Load(ctx, filepath.Join(dir, "ours.db"), list), nil)
			if err != nil {
				return nil, err
			}
			ours, most = append(ours, took), max(most, memory)
			if shell == "" {
				continue
			}
			peer := exec.CommandContext(ctx, shell, "-bail", filepath.Join(dir, "theirs.db"))
			if took, _, err = measured(dir, peer, strings.NewReader(fmt.Sprintf(peerSQL, list))); err != nil {
				return nil, err
			}
			theirs = append(theirs, took)
			fmt.Fprintf(o.Log, "%d items %s: %.1f s beside %.1f s\n", o.Rows, order, ours[len(ours)-1].Seconds(), theirs[len(theirs)-1].Seconds())
		}
		all = append(all, Figure{Name: fmt.Sprintf("import of %d items %s, beside sqlite3 .import", o.Rows, order),
			Value: ours.at(50) / 1e3, Unit: "s", Limit: theirs.at(50) / 1e3, Aim: when(shell != "", 1.5)})
	}
	few := filepath.Join(dir, "few.csv")
	if err := writeList(few, o.Rows/2, true); err != nil {
		return nil, err
	}
	_, least, err := measured(dir, o.Load(ctx, filepath.Join(dir, "ours.db"), few), nil)
	if err != nil {
		return nil, err
	}
	return append(all, Figure{Name: fmt.Sprintf("most memory of that, beside %d items", o.Rows/2), Value: mb(most), Unit: "MB", Limit: mb(least), Aim: 1.2}), nil
}

func when(ok bool, aim float64) float64 {
	if ok {
		return aim
	}
	return 0
}

func mb(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// measured runs a command that makes a database in a folder, and takes the
// database away.
func measured(dir string, cmd *exec.Cmd, in io.Reader) (took time.Duration, memory int64, err error) {
	cmd.Stdin = in
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	took = time.Since(begun)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, out)
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		memory = int64(u.Maxrss) << 10 // Linux counts kB
	}
	made, err := filepath.Glob(filepath.Join(dir, "*.db*"))
	for _, file := range made {
		err = errors.Join(err, os.Remove(file))
	}
	return took, memory, err
}

// writeList writes a list of so many items as libraries' systems do.
func writeList(path string, n int, sorted bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<16)
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	if !sorted {
		r := rand.New(rand.NewPCG(1, 2))
		r.Shuffle(n, func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
	}
	fmt.Fprintln(w, "barcode,title,author,isbn,call_number,location,library,item_type,status")
	for _, i := range numbers {
		fmt.Fprintf(w, "%s,\"The book of many titles, volume %d\",\"Author, Given %d\",%s,J FIC %03d,Stacks,MAIN,book,available\n",
			barcode(i), i, i%5000, isbn(i/2), i%1000)
	}
	return cmp.Or(w.Flush(), f.Close())
}

// isbn is a number of 13 digits that is right. ISBNs are in no order where
// barcodes are.
func isbn(n int) string {
	s := fmt.Sprintf("978%09d", int64(n)*2654435761%1_000_000_000)
	sum := 0
	for i, d := range s {
		sum += int(d-'0') * []int{1, 3}[i%2]
	}
	return fmt.Sprintf("%s%d", s, (10-sum%10)%10)
}

// Load takes a list of items into a new ledger, as kioskctl import does.
func Load(ctx context.Context, ledger, list string) error {
	s, err := sqlite.Open(ctx, ledger)
	if err != nil {
		return err
	}
	f, err := os.Open(list)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	defer f.Close()
	err = daemon.ImportAlone(ctx, control.List{What: "items"}, f, time.UTC, s, func(l control.Line) {
		if l.Refused != nil {
			fmt.Printf("row %d was not taken: %s\n", l.Refused.Row, l.Refused.Why)
		}
	})
	return errors.Join(err, s.Close())
}
