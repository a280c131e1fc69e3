package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/cmd/internal/demo"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/intake"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// PadOptions say how much to measure.
type PadOptions struct {
	Dir    string    // where the ledger goes; empty: a temporary folder
	Rounds int       // stacks of each size
	Stacks []int     // sizes
	Log    io.Writer // progress; nil means none
}

// Pad measures how long a stack takes from the last tag on the pad to all
// barcodes known, and to all books lent, released and read back, through
// readers whose far ends sit on a field with true airtime. Beside it stands
// the airtime of the same commands alone, by ISO/IEC 15693-3.
func Pad(ctx context.Context, o PadOptions) ([]Figure, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	dir, err := os.MkdirTemp(o.Dir, "carrel-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b, err := newPadBench(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer b.close()
	var all []Figure
	for _, r := range readers {
		for _, n := range o.Stacks {
			fmt.Fprintf(o.Log, "%s: %d stacks of %d\n", r.name, o.Rounds, n)
			figures, err := b.stacks(ctx, r, n, o.Rounds)
			if err != nil {
				return all, fmt.Errorf("%s, %d tags: %w", r.name, n, err)
			}
			all = append(all, figures...)
		}
	}
	return all, nil
}

// reader opens a driver over its far end on a field.
type reader struct {
	name string
	open func(ctx context.Context, f *field.Field) (drivers.Pad, error)
}

// padBench is a desk with everything behind it: ledger, ILS over SIP2 and TCP.
type padBench struct {
	store *sqlite.Store
	up    *sip2.Upstream
	ils   *upstreamtest.ILS
	items []kiosk.Item
	stop  context.CancelFunc
	ended chan error
}

func newPadBench(ctx context.Context, dir string) (*padBench, error) {
	b := &padBench{ended: make(chan error, 1)}
	b.ils = upstreamtest.New(upstreamtest.Rules{Days: 21})
	b.ils.AddUser("bench", "bench")
	b.ils.AddPatron(kiosk.Patron{Card: card, FirstName: "Ada"}, "")
	for n := range 40 {
		b.items = append(b.items, kiosk.Item{Barcode: barcode(n), Title: fmt.Sprintf("The book of many titles, volume %d", n), Status: kiosk.StatusAvailable})
	}
	b.ils.AddItems(b.items...)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	serve, stop := context.WithCancel(ctx)
	b.stop = stop
	quiet := slog.New(slog.DiscardHandler)
	go func() { b.ended <- sip2.Serve(serve, ln, b.ils, sip2.ServerConfig{Institution: "BENCH", Log: quiet}) }()
	b.up, err = sip2.NewUpstream(sip2.Config{Address: ln.Addr().String(), User: "bench", Password: "bench", Institution: "BENCH", Log: quiet})
	if err == nil {
		b.store, err = sqlite.Open(ctx, filepath.Join(dir, daemon.LedgerFile))
	}
	if err == nil {
		_, err = b.store.PutItems(ctx, b.items)
	}
	if err != nil {
		stop()
		return nil, errors.Join(err, <-b.ended)
	}
	return b, nil
}

func (b *padBench) close() {
	b.stop()
	<-b.ended
	b.up.Close()
	b.store.Close()
}

// stacks measures stacks of n tags on one reader.
func (b *padBench) stacks(ctx context.Context, r reader, n, rounds int) ([]Figure, error) {
	var known, lent, limitKnown, limitLent times
	for round := range rounds {
		s, err := b.stack(ctx, r, n, uint64(round))
		if err != nil {
			return nil, err
		}
		known, lent = append(known, s.known), append(lent, s.lent)
		limitKnown, limitLent = append(limitKnown, s.limitKnown), append(limitLent, s.limitLent)
	}
	what := fmt.Sprintf("%s, %d tags", r.name, n)
	aimKnown, aimLent := 0.0, 0.0
	if n == 20 {
		aimKnown, aimLent = 1.25, 1.4
	}
	return []Figure{
		{Name: what + ": to all barcodes known, beside airtime", Value: known.at(50), Unit: "ms", Limit: limitKnown.at(50), Aim: aimKnown},
		{Name: what + ": to all lent, released, read back, beside airtime", Value: lent.at(50), Unit: "ms", Limit: limitLent.at(50), Aim: aimLent},
	}, nil
}

type stackTimes struct{ known, lent, limitKnown, limitLent time.Duration }

// stack puts n tags on the pad at once and waits until all of it is lent.
func (b *padBench) stack(ctx context.Context, r reader, n int, seed uint64) (s stackTimes, err error) {
	tags, err := b.tags(n, seed)
	if err != nil {
		return s, err
	}
	s.limitKnown, s.limitLent = limits(tags)
	f := field.New(seed)
	f.Wait = time.Sleep
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	dev, err := r.open(ctx, f)
	if err != nil {
		return s, err
	}
	in, err := intake.New(intake.Config{})
	if err != nil {
		return s, err
	}
	iso, _ := tagdata.SecurityByName("iso")
	heard := make(chan kiosk.Event, 64)
	var d *desk.Desk
	pad := intake.NewPad(intake.PadConfig{Intake: in, AFI: iso, Settle: time.Millisecond, Emit: func(ev kiosk.Event) {
		if d.Send(ctx, ev) == nil {
			heard <- ev
		}
	}})
	d = desk.New(desk.Config{Ledger: b.store, Mirror: b.store, Upstream: b.up, Securer: pad, Lines: questions(b.up),
		NewID: func() kiosk.ID { return kiosk.ID(uuid.Must(uuid.NewV7()).String()) }, Log: slog.New(slog.DiscardHandler)})
	wg.Go(func() { d.Run(ctx) })
	failed := make(chan error, 1)
	wg.Go(func() { failed <- pad.Run(ctx, dev) })
	d.Send(ctx, kiosk.LinkChanged{Up: true})
	d.Send(ctx, kiosk.CardRead{Card: card})
	if err := until(ctx, d, func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewItems }); err != nil {
		return s, err
	}
	time.Sleep(time.Duration(20+seed*7%60) * time.Millisecond) // somewhere in a round
	for _, t := range tags {
		f.Place(t, field.Coupling{})
	}
	begin := time.Now()
	for range n {
		select {
		case <-heard:
		case err := <-failed:
			return s, fmt.Errorf("pad: %w", err)
		case <-ctx.Done():
			return s, ctx.Err()
		}
	}
	s.known = time.Since(begin)
	if err := until(ctx, d, func(sc kiosk.Screen) bool { return lines(sc, kiosk.LineLent) == n }); err != nil {
		return s, fmt.Errorf("%d of %d lent: %w", lines(d.Screen(), kiosk.LineLent), n, err)
	}
	s.lent = time.Since(begin)
	return s, b.back(ctx, tags)
}

// questions is how many questions an upstream takes at once.
func questions(up kiosk.Upstream) int {
	if l, ok := up.(interface{ Lines() int }); ok {
		return l.Lines()
	}
	return 1
}

func lines(sc kiosk.Screen, state kiosk.LineState) (n int) {
	for _, l := range sc.Lines {
		if l.State == state {
			n++
		}
	}
	return n
}

func until(ctx context.Context, d *desk.Desk, fits func(kiosk.Screen) bool) error {
	for seq := uint64(0); ; {
		sc, err := d.Next(ctx, seq)
		if err != nil || fits(sc) {
			return err
		}
		seq = sc.Seq
	}
}

// tags makes the tags of the first n items.
func (b *padBench) tags(n int, seed uint64) (list []*field.Tag, err error) {
	for i, it := range b.items[:n] {
		tags, err := demo.Tagged(it, 1, i+int(seed)*64)
		if err != nil {
			return nil, err
		}
		list = append(list, tags...)
	}
	return list, nil
}

// limits is the airtime of what must be said to the tags, and nothing else:
// one inventory, nine blocks of each; then the AFI of each, and its system
// information to read that back.
func limits(tags []*field.Tag) (known, lent time.Duration) {
	f := field.New(1)
	r := *field.NewReader(f)
	for _, t := range tags {
		f.Place(t, field.Coupling{})
	}
	r.Inventory()
	for _, t := range tags {
		r.Read(t.UID, 0, 9)
	}
	known = f.Airtime()
	lent = known
	for _, t := range tags {
		lent += iso15693.Written(len(iso15693.WriteAFI(t.UID, 0))) + iso15693.Exchange(len(iso15693.Info(t.UID)), 15)
	}
	return known, lent
}

// back returns what was lent, so that the next stack finds it.
func (b *padBench) back(ctx context.Context, tags []*field.Tag) error {
	for _, it := range b.items[:len(tags)] {
		e := kiosk.Entry{ID: kiosk.ID(uuid.Must(uuid.NewV7()).String()), Kind: kiosk.Checkin, Item: it.Barcode, At: time.Now(), State: kiosk.Granted}
		if err := b.store.Record(ctx, e); err != nil {
			return err
		}
		if _, err := b.up.Tell(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
