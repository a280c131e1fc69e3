package daemon

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// walk is an inventory for which the kiosk's own scanner and pad scan, as on a
// cart. They are on staff's lease.
type walk struct {
	id      kiosk.ID
	before  <-chan struct{} // closed at the end of the walk before; nil: there was none
	ended   chan struct{}
	reads   chan walkRead
	mu      sync.Mutex
	tells   map[int]func(inventory.Said)
	next    int
	lying   map[kiosk.TagID]kiosk.TagPlaced // on the pad
	devices map[string]int                  // that have scanned, with their reach as in walkRead
}

// walkRead is what a device has read.
type walkRead struct {
	device string
	reach  int // of a wand, in books; 0: it is none
	inventory.Read
}

const (
	walkAhead = 1024             // reads that may wait for the disk
	walkBatch = 64               // written at once
	walkRenew = benchLease / 4   //
	walkTime  = 10 * time.Second // longest wait for the disk
	walkRest  = 10 * time.Minute // who was cut off for longer may be anywhere
)

var _ control.Walker = (*staff)(nil)

// shelves are the inventories as the pages for staff see them.
type shelves struct {
	*inventory.Service
	staff *staff
}

var _ web.Inventories = shelves{}

// Hold implements web.Inventories.
func (v shelves) Hold(id kiosk.ID) error {
	_, err := v.staff.walkFor(id)
	return err
}

// Elsewhere implements web.Inventories.
func (v shelves) Elsewhere(ctx context.Context, id kiosk.ID) error {
	if w := v.staff.walks(); w != nil && w.id == id {
		return v.staff.elsewhere(ctx, w, false)
	}
	return nil
}

// returns is the ledger for what an inventory has the library's system told:
// dated by the desk's clock, and the outbox is woken.
type returns struct {
	*sqlite.Store
	d *Daemon
}

// RecordAll implements inventory.Ledger.
func (r returns) RecordAll(ctx context.Context, list []kiosk.Entry) error {
	list = slices.Clone(list)
	for i := range list {
		list[i].At = r.d.date()
	}
	if r.d.worker != nil {
		defer r.d.worker.Wake()
	}
	return r.Store.RecordAll(ctx, list)
}

// errOtherWalk says that scanner and pad are used otherwise.
var errOtherWalk = errors.New("scanner and pad of this kiosk are used for something else by staff: end that first")

// walkFor takes scanner and pad for an inventory, or keeps them.
func (s *staff) walkFor(id kiosk.ID) (*walk, error) {
	s.mu.Lock()
	busy := s.bench != nil || s.walk != nil && s.walk.id != id
	s.mu.Unlock()
	if busy {
		return nil, errOtherWalk
	}
	if err := s.lease(benchLease); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until.IsZero() {
		return nil, errBusy // it ended at once: the daemon does
	}
	if s.walk == nil {
		ctx, stop := context.WithCancel(s.ctx)
		w := &walk{id: id, before: s.ended, ended: make(chan struct{}), reads: make(chan walkRead, walkAhead), tells: map[int]func(inventory.Said){}, lying: map[kiosk.TagID]kiosk.TagPlaced{}, devices: map[string]int{}}
		s.walk, s.stop, s.ended = w, stop, w.ended
		s.benches.Go(func() { s.walking(ctx, w) })
	}
	return s.walk, nil
}

// Walk implements control.Walker.
func (s *staff) Walk(ctx context.Context, id kiosk.ID, tell func(inventory.Said)) error {
	if _, err := s.inventories.View(ctx, id); err != nil {
		return err
	}
	w, err := s.walkFor(id)
	if err != nil {
		return err
	}
	said := make(chan inventory.Said, walkAhead)
	end := w.listen(func(x inventory.Said) {
		select {
		case said <- x:
		default: // nobody reads: it is in the log
		}
	})
	defer func() {
		if end() == 0 {
			s.release()
		}
	}()
	renew := time.NewTicker(walkRenew)
	defer renew.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case x := <-said:
			tell(x)
		case <-renew.C:
			if _, err := s.walkFor(id); err != nil {
				return err
			}
		}
	}
}

// listen has what is said told, until the function it gives is called, which
// tells how many still listen.
func (w *walk) listen(tell func(inventory.Said)) (end func() int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.next
	w.next++
	w.tells[n] = tell
	return func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.tells, n)
		return len(w.tells)
	}
}

func (w *walk) tell(said []inventory.Said) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range said {
		for _, tell := range w.tells {
			tell(x)
		}
	}
}

// follow waits for the end of the walk before, so that what that says at its end
// stands in the log before what is read now.
func (w *walk) follow() {
	if w.before == nil {
		return
	}
	select {
	case <-w.before:
	case <-time.After(2 * walkTime): // to write what it has, and that it ends
	}
}

// walking takes what the devices read, until ctx ends: all that waits goes to
// the disk at once.
func (s *staff) walking(ctx context.Context, w *walk) {
	defer close(w.ended)
	w.follow()
	for {
		var batch []walkRead
		select {
		case <-ctx.Done():
			s.putDown(ctx, w)
			return
		case r := <-w.reads:
			batch = append(batch, r)
		}
	more:
		for len(batch) < walkBatch {
			select {
			case r := <-w.reads:
				batch = append(batch, r)
			default:
				break more
			}
		}
		for len(batch) > 0 {
			n := 1
			for n < len(batch) && batch[n].device == batch[0].device {
				n++
			}
			s.walked(ctx, w, batch[:n])
			batch = batch[n:]
		}
	}
}

// walked hands reads of one device to the inventory. What it does not take is
// said, so that it is scanned again.
func (s *staff) walked(ctx context.Context, w *walk, batch []walkRead) {
	ctx, cancel := context.WithTimeout(ctx, walkTime)
	defer cancel()
	var reads []inventory.Read
	for _, r := range batch {
		if r.ByTag && r.Security == kiosk.Leave {
			r.Security = s.pads.security(ctx, r.Tag)
		}
		reads = append(reads, r.Read)
	}
	said, err := s.scan(ctx, w, batch[0], reads)
	if err != nil {
		s.Log.Error("inventory: scans were not taken", "device", batch[0].device, "scans", len(batch), "err", err)
		for _, r := range batch {
			said = append(said, inventory.Said{Who: r.device, Code: r.Text, Why: "not stored, scan it again: " + err.Error(), Tone: "take"})
		}
	}
	w.tell(said)
}

// scan hands over what one device has read. A wand, which hears what is near in
// any order, begins with saying so, or goes on where it was when the program was
// ended under it.
func (s *staff) scan(ctx context.Context, w *walk, first walkRead, reads []inventory.Read) ([]inventory.Said, error) {
	w.mu.Lock()
	_, known := w.devices[first.device]
	w.mu.Unlock()
	if first.reach > 0 {
		rest := walkRest
		if known {
			rest = 0
		}
		if err := s.inventories.GoOn(ctx, w.id, first.device, first.reach, rest); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	w.devices[first.device] = first.reach
	w.mu.Unlock()
	return s.inventories.Scan(ctx, w.id, first.device, reads...)
}

// elsewhere says that the devices go on elsewhere, or only the wands.
func (s *staff) elsewhere(ctx context.Context, w *walk, wands bool) error {
	w.mu.Lock()
	devices := maps.Clone(w.devices)
	w.mu.Unlock()
	for device, reach := range devices {
		if wands && reach == 0 {
			continue
		}
		if err := s.inventories.Start(ctx, w.id, device, reach); err != nil {
			return err
		}
	}
	return nil
}

// putDown says of the wands that their walk has come to its end: when they are
// taken up again, that may be anywhere. A walk that is cut off by the end of the
// program goes on after it.
func (s *staff) putDown(ctx context.Context, w *walk) {
	if s.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), walkTime)
	defer cancel()
	if err := s.elsewhere(ctx, w, true); err != nil && kiosk.CodeOf(err) != kiosk.CodeInvalid { // it pauses, or has ended
		s.Log.Error("inventory: that a wand was put down was not stored", "err", err)
	}
}

// code takes a code that was scanned; false: nobody walks.
func (s *staff) code(ctx context.Context, device, text string) bool {
	w := s.walks()
	if w == nil {
		return false
	}
	r := walkRead{device: device, Read: inventory.Read{Text: text}}
	w.mu.Lock()
	if len(w.lying) == 1 { // a tag lies there while its label is scanned
		for tag, t := range w.lying {
			r.Tag, r.TagItem, r.Part = tag, t.Item, partOf(t)
		}
	}
	w.mu.Unlock()
	s.enqueue(ctx, w, r)
	return true
}

func partOf(t kiosk.TagPlaced) int {
	if t.Parts < 2 {
		return 0
	}
	return t.Part
}

// tag takes what happens on a pad.
func (s *staff) tag(ctx context.Context, device string, ev kiosk.Event) {
	w := s.walks()
	if w == nil {
		return
	}
	switch ev := ev.(type) {
	case kiosk.TagPlaced:
		w.mu.Lock()
		w.lying[ev.Tag] = ev
		w.mu.Unlock()
		s.enqueue(ctx, w, walkRead{device, 0, inventory.Read{Text: string(ev.Item), ByTag: true, Tag: ev.Tag, Part: partOf(ev)}})
	case kiosk.TagUnread:
		if s.label(ev.Reason, ev.Code) {
			s.enqueue(ctx, w, walkRead{device, 0, inventory.Read{Text: ev.Code}})
			return
		}
		w.tell([]inventory.Said{{Who: device, Code: ev.Code, Why: "a tag that names no item of this library: " + string(ev.Reason), Tone: "take"}})
	case kiosk.TagRemoved:
		w.mu.Lock()
		delete(w.lying, ev.Tag)
		w.mu.Unlock()
	}
}

func (s *staff) enqueue(ctx context.Context, w *walk, r walkRead) {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	select {
	case w.reads <- r:
	case <-ctx.Done():
		s.Log.Error("a scan was lost: the inventory does not take it", "device", r.device)
		w.tell([]inventory.Said{{Who: r.device, Code: r.Text, Why: "lost: scan it again", Tone: "take"}})
	}
}

// security reads what gates would find on a tag; Leave if that can't be told.
func (ps *pads) security(ctx context.Context, tag kiosk.TagID) kiosk.Security {
	t := ps.Config.Tags
	if t.AFI.Stock == t.AFI.OnLoan && !t.EAS {
		return kiosk.Leave
	}
	ps.mu.Lock()
	pad := ps.where[tag]
	ps.mu.Unlock()
	uid, err := drivers.ParseUID(string(tag))
	if pad == nil || err != nil {
		return kiosk.Leave
	}
	found := kiosk.Leave
	err = pad.Do(ctx, func(dev drivers.Pad) error {
		if t.AFI.Stock != t.AFI.OnLoan {
			w, ok := dev.(drivers.AFIWriter)
			if !ok {
				return nil
			}
			afi, err := w.AFI(uid)
			switch {
			case err != nil:
				return err
			case afi == t.AFI.OnLoan:
				found = kiosk.Released
			case afi == t.AFI.Stock:
				found = kiosk.Secured
			}
			return nil
		}
		w, ok := dev.(drivers.EASWriter)
		if !ok {
			return nil
		}
		on, err := w.EAS(uid)
		if err != nil {
			return err
		}
		if found = kiosk.Released; on {
			found = kiosk.Secured
		}
		return nil
	})
	if err != nil {
		return kiosk.Leave // it was lifted meanwhile
	}
	return found
}
