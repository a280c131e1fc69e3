package bench

import (
	"context"
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
	s, err := sqlite.Open(ctx, filepath.Join(dir, "ledger.db"))
	if err != nil {
		return nil, cost{}, err
	}
	defer s.Close()
	if err := s.Bulk(ctx, func() error { return shelve(ctx, s, n) }); err != nil {
		return nil, cost{}, err
	}
	order, err := shelf.NewOrder(shelf.Rules{})
	if err != nil {
		return nil, cost{}, err
	}
	mute := &unsynced{Store: s}
	v := inventory.New(inventory.Config{Store: mute, Order: order, Now: time.Now, NewID: func() kiosk.ID { return kiosk.ID(fmt.Sprint("v", n)) },
		Read: func(text string) inventory.Code { return inventory.Code{Item: kiosk.Barcode(text)} }})
	begun := time.Now()
	x, _, err := v.Begin(ctx, "", kiosk.ShelfRange{Library: "MAIN"})
	if err != nil {
		return nil, cost{}, err
	}
	at := n / 2
	scan := func() error {
		at++
		b := at
		if at%33 == 0 {
			b = (at*7919 + 13) % n // out of place
		}
		_, err := v.Scan(ctx, x.ID, "bench", inventory.Read{Text: string(barcode(b % n))})
		return err
	}
	if err := scan(); err != nil {
		return nil, cost{}, err
	}
	start := time.Since(begun)
	var bare, synced times
	b, err := newBare(dir, shelfBytes)
	if err != nil {
		return nil, cost{}, err
	}
	defer b.close()
	for range o.Scans { // in turns
		for _, t := range []struct {
			to   *times
			do   func() error
			mute bool
		}{{&bare, b.write, false}, {&synced, scan, false}} {
			from := time.Now()
			if err := t.do(); err != nil {
				return nil, cost{}, err
			}
			*t.to = append(*t.to, time.Since(from))
		}
	}
	var alone times
	mute.on = true
	for range o.Scans {
		from := time.Now()
		if err := scan(); err != nil {
			return nil, cost{}, err
		}
		alone = append(alone, time.Since(from))
	}
	fmt.Fprintf(o.Log, "%d books: ready after %.1f s\n", n, start.Seconds())
	c := cost{alone.at(50), synced.at(50)}
	figures := []Figure{
		{Name: fmt.Sprintf("a scan among %d, on disk and said, median", n), Value: c.said, Unit: "ms", Aim: 1},
		{Name: "that, beside a bare write", Value: c.said, Unit: "ms", Limit: bare.at(50)},
		{Name: fmt.Sprintf("a scan among %d, on disk and said, 99%%, beside the bare write's", n), Value: synced.at(99), Unit: "ms", Limit: bare.at(99)},
		{Name: fmt.Sprintf("a scan among %d, decided, the disk left out", n), Value: c.decided, Unit: "ms"},
		{Name: fmt.Sprintf("an inventory of %d begun", n), Value: start.Seconds(), Unit: "s"},
	}
	if least.said > 0 {
		figures = append(figures,
			Figure{Name: fmt.Sprintf("a scan on disk and said, beside %d", o.Sizes[0]), Value: c.said, Unit: "ms", Limit: least.said, Aim: 1.5},
			Figure{Name: fmt.Sprintf("a scan decided, beside %d", o.Sizes[0]), Value: c.decided, Unit: "ms", Limit: least.decided})
	}
	return figures, c, nil
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
