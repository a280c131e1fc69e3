package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// ShelfOptions say how much to measure.
type ShelfOptions struct {
	Dir   string    // where ledgers go, on the disk to be measured
	Sizes []int     // books in the range, the smallest first
	Scans int       // for each size
	Log   io.Writer // progress; nil means none
}

// Shelf measures what a scan of an inventory costs, from the code to what is
// said of it, with ranges of several sizes: without the disk's sync, for which
// there is a figure of its own, and with it, beside a bare write. Then the
// report of the largest range, walked whole with 3% of its books out of place,
// and the memory that it takes.
func Shelf(ctx context.Context, o ShelfOptions) ([]Figure, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	var all []Figure
	var least cost
	for _, n := range o.Sizes {
		f, c, err := shelfOf(ctx, o, n, least)
		if err != nil {
			return all, err
		}
		if least == (cost{}) {
			least = c
		}
		all = append(all, f...)
	}
	most := o.Sizes[len(o.Sizes)-1]
	took, kept := ordered(most)
	return append(all,
		Figure{Name: fmt.Sprintf("order report of %d books", most), Value: took.Seconds(), Unit: "s", Aim: 3},
		Figure{Name: fmt.Sprintf("memory of a walk along %d books, without their numbers", most), Value: mb(int64(kept)), Unit: "MB"}), nil
}

// cost is that of a scan, in milliseconds: until all is decided, and until it
// is on disk and said.
type cost struct{ decided, said float64 }

// shelfOf measures one size; least is the cost of the first.
func shelfOf(ctx context.Context, o ShelfOptions, n int, least cost) ([]Figure, cost, error) {
	dir, err := os.MkdirTemp(o.Dir, "carrel-bench")
	if err != nil {
		return nil, cost{}, err
	}
	defer os.RemoveAll(dir)
	w, err := beginShelf(ctx, dir, n)
	if err != nil {
		return nil, cost{}, err
	}
	defer w.store.Close()
	fmt.Fprintf(o.Log, "%d books: ready after %.1f s\n", n, w.begun.Seconds())
	bare, synced, err := w.beside(ctx, dir, o.Scans)
	if err != nil {
		return nil, cost{}, err
	}
	w.store.on = true
	var alone times
	for range o.Scans {
		if err := alone.add(func() error { return w.scan(ctx) }); err != nil {
			return nil, cost{}, err
		}
	}
	c := cost{alone.at(50), synced.at(50)}
	return w.figures(c, least, bare, synced, o.Sizes[0]), c, nil
}

// shelfWalk is a walk along a range of n books.
type shelfWalk struct {
	store *unsynced
	v     *inventory.Service
	id    kiosk.ID
	n, at int
	begun time.Duration // from nothing to the answer to a scan
}

// beginShelf fills a catalogue and begins a walk in its middle.
func beginShelf(ctx context.Context, dir string, n int) (*shelfWalk, error) {
	s, err := sqlite.Open(ctx, filepath.Join(dir, "ledger.db"))
	if err != nil {
		return nil, err
	}
	w := &shelfWalk{store: &unsynced{Store: s}, n: n, at: n / 2}
	if err = s.Bulk(ctx, func() error { return shelve(ctx, s, n) }); err == nil {
		err = w.begin(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return w, nil
}

func (w *shelfWalk) begin(ctx context.Context) error {
	order, err := shelf.NewOrder(shelf.Rules{})
	if err != nil {
		return err
	}
	w.v = inventory.New(inventory.Config{Store: w.store, Order: order, Now: time.Now, NewID: func() kiosk.ID { return kiosk.ID(fmt.Sprint("v", w.n)) },
		Read: func(text string) inventory.Code { return inventory.Code{Item: kiosk.Barcode(text)} }})
	from := time.Now()
	x, _, err := w.v.Begin(ctx, "", kiosk.ShelfRange{Library: "MAIN"})
	if err != nil {
		return err
	}
	w.id = x.ID
	err = w.scan(ctx)
	w.begun = time.Since(from)
	return err
}

// scan scans the next book, or now and then one that stands out of place.
func (w *shelfWalk) scan(ctx context.Context) error {
	w.at++
	b := w.at
	if w.at%33 == 0 {
		b = (w.at*7919 + 13) % w.n
	}
	_, err := w.v.Scan(ctx, w.id, "bench", inventory.Read{Text: string(barcode(b % w.n))})
	return err
}

// beside takes turns with bare writes.
func (w *shelfWalk) beside(ctx context.Context, dir string, scans int) (bare, synced times, err error) {
	b, err := newBare(dir, shelfBytes)
	if err != nil {
		return nil, nil, err
	}
	defer b.close()
	for range scans {
		if err := errors.Join(bare.add(b.write), synced.add(func() error { return w.scan(ctx) })); err != nil {
			return nil, nil, err
		}
	}
	return bare, synced, nil
}

func (w *shelfWalk) figures(c, least cost, bare, synced times, first int) []Figure {
	figures := []Figure{
		{Name: fmt.Sprintf("a scan among %d, on disk and said, median", w.n), Value: c.said, Unit: "ms", Aim: 1},
		{Name: "that, beside a bare write", Value: c.said, Unit: "ms", Limit: bare.at(50)},
		{Name: fmt.Sprintf("a scan among %d, on disk and said, 99%%, beside the bare write's", w.n), Value: synced.at(99), Unit: "ms", Limit: bare.at(99)},
		{Name: fmt.Sprintf("a scan among %d, decided, the disk left out", w.n), Value: c.decided, Unit: "ms"},
		{Name: fmt.Sprintf("an inventory of %d begun", w.n), Value: w.begun.Seconds(), Unit: "s"},
	}
	if least.said > 0 {
		figures = append(figures,
			Figure{Name: fmt.Sprintf("a scan on disk and said, beside %d", first), Value: c.said, Unit: "ms", Limit: least.said, Aim: 1.5},
			Figure{Name: fmt.Sprintf("a scan decided, beside %d", first), Value: c.decided, Unit: "ms", Limit: least.decided})
	}
	return figures
}

// shelfBytes are what a scan brings to the log, in pages.
const shelfBytes = 4096

// unsynced is a store whose writes may be left out.
type unsynced struct {
	*sqlite.Store
	on bool
	n  int64
}

// Write implements kiosk.Inventories.
func (u *unsynced) Write(ctx context.Context, id kiosk.ID, lines []kiosk.ShelfLine) (int64, error) {
	if !u.on {
		n, err := u.Store.Write(ctx, id, lines)
		u.n = n + int64(len(lines))
		return n, err
	}
	first := u.n
	u.n += int64(len(lines))
	return first, nil
}

// shelve fills a mirror with books as a library has them.
func shelve(ctx context.Context, s *sqlite.Store, n int) error {
	const batch = 4000
	for from := 0; from < n; from += batch {
		var items []kiosk.Item
		for i := from; i < min(n, from+batch); i++ {
			items = append(items, kiosk.Item{Barcode: barcode(i), Title: fmt.Sprintf("Volume %d of the collected tales", i), CallNumber: shelfNumber(i, n),
				Scheme: "ddc", Library: "MAIN", Location: "Stacks", Status: kiosk.StatusAvailable})
		}
		if _, err := s.PutItems(ctx, items); err != nil {
			return err
		}
	}
	return nil
}

func shelfNumber(i, n int) string { return fmt.Sprintf("%03d.%06d A%d", i*1000/n, i, i%89) }

// ordered walks along a whole range with 3% of its books elsewhere, and
// reports.
func ordered(n int) (took time.Duration, kept uint64) {
	order, err := shelf.NewOrder(shelf.Rules{})
	if err != nil {
		panic(err) // the zero rules are right
	}
	books := make([]shelf.Copy, n)
	for i := range books {
		key, _ := order.Key("ddc", shelfNumber(i, n))
		books[i] = shelf.Copy{Barcode: barcode(i), Key: key, Out: i%20 == 3}
	}
	before := heap()
	w := shelf.NewWalk(books)
	p, r := w.Start(0), rand.New(rand.NewPCG(1, uint64(n)))
	for i, b := range books {
		if !b.Out && r.IntN(50) > 0 {
			p.Add(b.Barcode, "")
		}
		if i%33 == 0 {
			p.Add(books[r.IntN(n)].Barcode, "")
		}
	}
	kept = heap() - before
	begun := time.Now()
	rep := w.Report(true)
	took = time.Since(begun)
	runtime.KeepAlive(rep)
	return took, kept
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
