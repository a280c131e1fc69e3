// Package nbd is a disk that a machine reaches by NBD and that forgets, when
// its power is cut, what it was not told to flush: as SD cards do, it takes a
// write into a cache and says that it is done. It remembers all that ever
// happened to it, so that the moment of the cut can be chosen afterwards.
//
// Source of the protocol: doc/proto.md of the NetworkBlockDevice project; what
// QEMU's client needs of it is done.
package nbd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
)

// Sector is what survives or is lost as a whole, in bytes.
const Sector = 512

// An event is one thing that happened to a disk: a write, a flush, or a mark.
type event struct {
	at    int64  // place of a write
	data  []byte // of a write
	flush bool
	mark  string // what somebody said at this moment
}

// Disk is a disk with a volatile cache. Its methods may be called by several
// goroutines.
type Disk struct {
	mu     sync.Mutex
	first  []byte // what was on it at the beginning
	now    []byte // as the machine sees it
	events []event
}

// NewDisk is a disk that holds an image, which it takes over.
func NewDisk(image []byte) *Disk {
	return &Disk{first: image, now: slices.Clone(image)}
}

// Size is how many bytes it has.
func (d *Disk) Size() int64 { return int64(len(d.first)) }

// Read gives a copy of what the machine sees.
func (d *Disk) Read(at, n int64) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.inside(at, n); err != nil {
		return nil, err
	}
	return slices.Clone(d.now[at : at+n]), nil
}

// Write puts data into the cache. It takes data over.
func (d *Disk) Write(at int64, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.inside(at, int64(len(data))); err != nil {
		return err
	}
	copy(d.now[at:], data)
	d.events = append(d.events, event{at: at, data: data})
	return nil
}

func (d *Disk) inside(at, n int64) error {
	if at < 0 || n < 0 || at > d.Size()-n {
		return fmt.Errorf("nbd: %d bytes at %d of a disk of %d", n, at, d.Size())
	}
	return nil
}

// Flush makes durable what was written until now.
func (d *Disk) Flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, event{flush: true})
}

// Mark notes that something was said at this moment, such as that a loan is
// stored: a cut after it must not undo that.
func (d *Disk) Mark(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, event{mark: what})
}

// Events is how many things have happened.
func (d *Disk) Events() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.events)
}

// Flushes is how often it was told to flush.
func (d *Disk) Flushes() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if e.flush {
			n++
		}
	}
	return n
}

// Marks are what was said within the first n events, in order.
func (d *Disk) Marks(n int) (list []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events[:n] {
		if e.mark != "" {
			list = append(list, e.mark)
		}
	}
	return list
}

// MarksAt are the numbers of the events that are marks.
func (d *Disk) MarksAt() (list []int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, e := range d.events {
		if e.mark != "" {
			list = append(list, i)
		}
	}
	return list
}

// Fate says whether a sector that was written and not flushed is on the disk
// after the cut.
type Fate func() bool

// Lost loses all that was not flushed.
func Lost() bool { return false }

// Torn has each sector survive by the toss of a coin: it writes in any order
// and is stopped in the middle.
func Torn(r *rand.Rand) Fate { return func() bool { return r.IntN(2) == 0 } }

// After is what is on the disk when its power is cut after n events: all that
// was flushed, and of the rest what fate has.
func (d *Disk) After(n int, fate Fate) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	image := slices.Clone(d.first)
	flushed := 0
	for i, e := range d.events[:n] {
		if e.flush {
			flushed = i
		}
	}
	for _, e := range d.events[:flushed] {
		copy(image[e.at:], e.data)
	}
	for _, e := range d.events[flushed:n] {
		for at, data := e.at, e.data; len(data) > 0; {
			part := min(len(data), int(Sector-at%Sector))
			if fate() {
				copy(image[at:], data[:part])
			}
			at, data = at+int64(part), data[part:]
		}
	}
	return image
}

// Cut is a loss of power now: the disk holds what After gives, and its history
// begins anew.
func (d *Disk) Cut(fate Fate) {
	image := d.After(d.Events(), fate)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.first, d.now, d.events = image, slices.Clone(image), nil
}
