package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/deploy/testbed/device"
	"github.com/carrel-kiosk/carrel/deploy/testbed/nbd"
	"github.com/carrel-kiosk/carrel/deploy/testbed/usbredir"
	"github.com/carrel-kiosk/carrel/deploy/testbed/vm"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// cutsConfig is a desk that decides by itself, with one scanner.
const cutsConfig = `
[kiosk]
name = "bench"
library = "BENCH"
data = "/data"
listen = "0.0.0.0:8480"
[[device]]
name = "pos"
driver = "hidscan"
vid = 0x1eab
pid = 0x1310
[upstream]
driver = "none"
[barcodes]
patron = ["^2[0-9]{13}$"]
item = ["^3[0-9]{13}$"]
check = "none"
[patrons]
unknown = "accept"
[loans]
unknown = "accept"
max = 0
[screen]
idle = "10m"
`

// outlet is a machine's disk and what was called lent on it.
type outlet struct {
	*bench
	disk   *nbd.Disk
	server *nbd.Server
	socket string
	random *rand.Rand
	root   []byte
	mount  string

	*desk
	pos    *usbredir.Port
	lent   map[string]bool
	order  []string          // as they were lent, of all machines on this disk
	holder map[string]string // the card that a book was read for
	next   int
}

func (b *bench) newOutlet(ctx context.Context, name string, root []byte, mount string) (*outlet, error) {
	image, err := b.makeDisk(ctx)
	if err != nil {
		return nil, err
	}
	o := &outlet{bench: b, disk: nbd.NewDisk(image), socket: filepath.Join(b.dir, name+".nbd"), random: rand.New(rand.NewPCG(b.seed, 1)),
		root: root, mount: mount, lent: map[string]bool{}, holder: map[string]string{}}
	o.server, err = nbd.Listen(o.socket, o.disk)
	return o, err
}

// start boots the machine and opens the desk with its scanner.
func (o *outlet) start(ctx context.Context) (err error) {
	o.desk, err = o.boot(ctx, setup{root: o.root, config: cutsConfig, slots: 1, disk: o.socket, mount: o.mount, seen: o.see})
	if err != nil {
		return err
	}
	if o.pos, err = o.plug(0, device.POS("P1")); err == nil {
		err = o.open(ctx)
	}
	if err == nil {
		_, err = o.Await(ctx, `msg="device works" device=pos`)
	}
	if err == nil {
		_, err = o.shows(ctx, "a desk without a fault", func(s screen) bool { return s.View == "welcome" && len(s.Faults) == 0 })
	}
	if err != nil {
		o.cut()
	}
	return err
}

// see marks in the disk's history what the screen calls lent.
func (o *outlet) see(s screen) {
	for _, l := range s.Lines {
		if l.State == "lent" && !o.lent[l.Barcode] {
			o.lent[l.Barcode] = true
			o.order = append(o.order, l.Barcode)
			o.disk.Mark(l.Barcode)
		}
	}
}

// visit is one patron who borrows so many books and leaves. Then the desk is
// left alone for as long as it takes to fold the log into the file.
func (o *outlet) visit(ctx context.Context, books int) error {
	patron := card(o.next)
	if err := device.Read(o.pos, patron); err != nil {
		return err
	}
	if _, err := o.shows(ctx, "the patron", func(s screen) bool { return s.View == "items" }); err != nil {
		return err
	}
	for range books {
		o.next++
		o.holder[item(o.next)] = patron
		if err := device.Read(o.pos, item(o.next)); err != nil {
			return err
		}
		if err := o.desk.lent(ctx, item(o.next)); err != nil {
			return err
		}
	}
	return o.leave(ctx)
}

const tidied = 4 * time.Second // the ledger tidies after 2 s

// work borrows for so many visits, with a pause after the first one, and is
// cut off in the middle of another: cut says after how long.
func (o *outlet) work(ctx context.Context, visits int, cut time.Duration) error {
	for n := range visits {
		if err := o.visit(ctx, 6); err != nil {
			return err
		}
		if n == 0 {
			select {
			case <-time.After(tidied):
			case <-ctx.Done():
			}
		}
	}
	timer := time.AfterFunc(cut, o.Kill)
	err := o.visit(ctx, 1000)
	if timer.Stop() { // it was not the cut that ended it
		return fmt.Errorf("before the cut: %w", err)
	}
	o.cut()
	o.server.Drained()
	return ctx.Err()
}

// points are moments in the disk's history, chosen by lot among those at
// which a loan has been called lent: half of them just after one.
func (o *outlet) points(n int) (list []int) {
	marks := o.disk.MarksAt()
	if len(marks) == 0 {
		return nil
	}
	end := o.disk.Events()
	for i := range n {
		if i%2 == 0 {
			list = append(list, marks[o.random.IntN(len(marks))]+1)
			continue
		}
		list = append(list, marks[0]+1+o.random.IntN(end-marks[0]))
	}
	return list
}

// replay examines what is left at some moments of the disk's history. before
// are the loans of machines before this one.
func (o *outlet) replay(ctx context.Context, before []string, n int) (bad []verdict, points int, err error) {
	for _, at := range o.points(n) {
		fate := nbd.Torn(o.random)
		if points%4 == 3 {
			fate = nbd.Lost
		}
		image := o.disk.After(at, fate)
		v, err := o.examine(ctx, image, append(before[:len(before):len(before)], o.disk.Marks(at)...))
		if err != nil {
			return bad, points, err
		}
		points++
		if !v.good() {
			if len(bad) == 0 {
				v.at = image
			}
			bad = append(bad, v)
		}
	}
	return bad, points, nil
}

// tally is what the step has seen.
type tally struct {
	cuts, tried, flushes, late int
}

func (t tally) String() string {
	return fmt.Sprintf("%d cuts of the power and %d crash points", t.cuts, t.tried)
}

// cuts is the step that pulls the plug. Of each machine's history some moments
// are tried as well as the one at which it was really cut off. A machine that
// keeps it waiting, as those of a busy host do, is cut off and looked at like
// the others, and not counted.
func (b *bench) cuts(ctx context.Context) error {
	o, err := b.newOutlet(ctx, "cuts", nil, "")
	if err != nil {
		return err
	}
	defer o.server.Close()
	var sum tally
	for sum.cuts < b.realCuts {
		err := o.once(ctx, &sum)
		if errors.Is(err, vm.ErrLate) && ctx.Err() == nil && sum.late < 3+b.realCuts/10 {
			sum.late++
			b.say("  cut %d is made again, since a wait ran out: %v", sum.cuts+1, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("after %s, with %d loans: %w", sum, len(o.order), err)
		}
	}
	err = o.again(ctx)
	for range 2 {
		if !errors.Is(err, vm.ErrLate) || ctx.Err() != nil {
			break
		}
		b.say("  the start after the last cut is made again, since a wait ran out: %v", err)
		err = o.again(ctx)
	}
	if err != nil {
		return fmt.Errorf("the start after the last cut: %w", err)
	}
	b.say("  %d loans, %s: none lost, every ledger sound; %.1f flushes a loan with all that belongs to it", len(o.order), sum,
		float64(sum.flushes)/float64(len(o.order)))
	return nil
}

// once starts a machine, works and cuts it off. What it was promised must be
// on the disk however it ends.
func (o *outlet) once(ctx context.Context, sum *tally) error {
	begin, before := time.Now(), append([]string(nil), o.order...)
	started, late := o.serve(ctx)
	if late != nil && !errors.Is(late, vm.ErrLate) {
		return late
	}
	flushes, events := o.disk.Flushes(), o.disk.Events()
	bad, points, err := o.replay(ctx, before, (o.crashPoints+o.realCuts-1)/o.realCuts)
	if err != nil {
		return err
	}
	fate, how := nbd.Torn(o.random), "torn"
	if sum.cuts%3 == 2 {
		fate, how = nbd.Lost, "lost"
	}
	o.disk.Cut(fate)
	v, err := o.examine(ctx, o.image(), o.order)
	if err != nil {
		return err
	}
	if !v.good() {
		v.at = o.image()
		bad = append(bad, v)
	}
	if len(bad) > 0 {
		return fmt.Errorf("%d of %d moments lose what was promised, the first: %v; the disk as it was then is in %s", len(bad), points+1, bad[0], o.keep(bad[0].at))
	}
	if late != nil {
		return late
	}
	sum.cuts, sum.tried, sum.flushes = sum.cuts+1, sum.tried+points, sum.flushes+flushes
	o.say("  cut %d of %d (what was not flushed is %s): %d loans called lent, %d of them on this machine; %d events of the disk, %d moments of them tried; up in %.1f s, all in %.1f s",
		sum.cuts, o.realCuts, how, len(o.order), len(o.order)-len(before), events, points, started.Seconds(), time.Since(begin).Seconds())
	return nil
}

// serve is the life of one machine, up to its cut.
func (o *outlet) serve(ctx context.Context) (started time.Duration, err error) {
	begin := time.Now()
	defer o.server.Drained()
	if err := o.start(ctx); err != nil {
		return 0, fmt.Errorf("start: %w", err)
	}
	started = time.Since(begin)
	defer o.cut()
	if err := o.remembers(ctx); err != nil {
		return started, fmt.Errorf("what it remembers: %w", err)
	}
	return started, o.work(ctx, 2, time.Duration(o.random.IntN(3000))*time.Millisecond)
}

// again starts once more, and looks.
func (o *outlet) again(ctx context.Context) error {
	if err := o.start(ctx); err != nil {
		return err
	}
	defer o.cut()
	return o.remembers(ctx)
}

// keep saves a disk that is not as it must be, for whoever looks into it.
func (o *outlet) keep(image []byte) string {
	f, err := os.CreateTemp("", "testbed-lost-*.img")
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if _, err := f.Write(image); err != nil {
		return err.Error()
	}
	return f.Name()
}

// image is what the machine would see now.
func (o *outlet) image() []byte { return o.disk.After(o.disk.Events(), nbd.Lost) }

// remembers asks the kiosk itself for the newest loan: the patron who has the
// book is offered to renew it.
func (o *outlet) remembers(ctx context.Context) error {
	if len(o.order) == 0 {
		return nil
	}
	newest := o.order[len(o.order)-1]
	if err := device.Read(o.pos, o.holder[newest]); err != nil {
		return err
	}
	if _, err := o.shows(ctx, "the patron", func(s screen) bool { return s.View == "items" }); err != nil {
		return err
	}
	if err := device.Read(o.pos, newest); err != nil {
		return err
	}
	s, err := o.shows(ctx, "an answer to "+newest, func(s screen) bool { st := s.state(newest); return st != "" && st != "waiting" })
	if err != nil {
		return err
	}
	if last := s.Lines[len(s.Lines)-1]; last.Reason != string(kiosk.ReasonOnLoanYou) {
		return fmt.Errorf("%s was lent before the cut, and the kiosk says of it to the same patron: %+v", newest, last)
	}
	return o.leave(ctx)
}

// syncless is put beside kioskd's main by an overlay: each connection to the
// ledger is told to sync less.
const syncless = `package main

import (
	"context"

	driver "modernc.org/sqlite"
)

func init() {
	driver.RegisterConnectionHook(func(c driver.ExecQuerierContext, _ string) error {
		_, err := c.ExecContext(context.Background(), "PRAGMA synchronous=%s", nil)
		return err
	})
}
`

// Where package walfile says how much gathers in memory.
const gathersIn, gathers = "kiosk/sqlite/walfile/tail.go", "const room = 64 << 10"

// rootWithout is a first root whose kioskd syncs as mode says. The log's pages
// go to the file at once there, as they do in SQLite: kept in memory, as
// package walfile does until the flush, they would be lost without a disk's help.
func (b *bench) rootWithout(ctx context.Context, mode string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(b.tree, gathersIn))
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(text), gathers) {
		return nil, fmt.Errorf("%s has no %q: the controls must be built otherwise", gathersIn, gathers)
	}
	overlay, err := b.overlay(mode, map[string]string{
		"cmd/kioskd/syncless.go": fmt.Sprintf(syncless, mode),
		gathersIn:                strings.Replace(string(text), gathers, "const room = 0", 1),
	})
	if err != nil {
		return nil, err
	}
	if err := b.build(ctx, "kioskd-"+mode, "./cmd/kioskd", true, "-overlay", overlay); err != nil {
		return nil, err
	}
	kioskd, err := os.ReadFile(filepath.Join(b.dir, "kioskd-"+mode))
	if err != nil {
		return nil, err
	}
	return vm.With(b.root, []vm.File{{Path: "bin/kioskd", Mode: 0o755, Data: kioskd}}), nil
}

// controls is the step that shows that the bench sees a loss: kiosks that sync
// less, and a disk that is not told to flush, must lose loans.
func (b *bench) controls(ctx context.Context) error {
	for _, c := range []struct{ what, mode, mount string }{
		{"synchronous=NORMAL", "NORMAL", ""},
		{"synchronous=OFF", "OFF", ""},
		{"a mount without barriers", "", "nobarrier"},
	} {
		begin := time.Now()
		lost, points, err := b.control(ctx, c.mode, c.mount)
		if err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		if lost == 0 {
			return fmt.Errorf("%s loses nothing at %d moments: this bench is blind", c.what, points)
		}
		b.say("  %s: loans are lost at %d of %d moments, as they must be, %.1f s", c.what, lost, points, time.Since(begin).Seconds())
	}
	return nil
}

func (b *bench) control(ctx context.Context, mode, mount string) (lost, points int, err error) {
	var root []byte
	if mode != "" {
		if root, err = b.rootWithout(ctx, mode); err != nil {
			return 0, 0, err
		}
	}
	o, err := b.newOutlet(ctx, "control"+mode, root, mount)
	if err != nil {
		return 0, 0, err
	}
	defer o.server.Close()
	if err := o.start(ctx); err != nil {
		return 0, 0, err
	}
	if err := o.work(ctx, 1, time.Second); err != nil {
		o.cut()
		return 0, 0, err
	}
	bad, points, err := o.replay(ctx, nil, b.controlPoints)
	for _, v := range bad {
		if len(v.lost) > 0 {
			lost++
		}
	}
	return lost, points, errors.Join(err, ctx.Err())
}
