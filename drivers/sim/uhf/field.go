// Package uhf is a simulated field of a UHF reader: tags of EPC Class 1
// Generation 2 (ISO/IEC 18000-63) with true memory, which answer in slots,
// collide, and are heard now and then only. Readers are simulated on top of it.
//
// The time that it takes is of the order of real readers, not computed from
// the standard: about 300 tags a second (see Slot).
package uhf

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Slots of a round take this long: where one tag answers, and where none or
// several do. With a third of the slots read this is 300 tags a second.
const (
	Slot      = 2200 * time.Microsecond
	EmptySlot = 550 * time.Microsecond
	Access    = 15 * time.Millisecond // to a tag's memory
)

// Coupling is how well a tag is reached. The zero Coupling is perfect.
type Coupling struct {
	Miss float64 // chance that the tag misses a round or a request
	Tear float64 // chance that it loses power while it writes: what it was told is written in part, and there is no answer
}

type placed struct {
	*Tag
	Coupling
}

// Field is the space before an antenna. It is safe for use by several
// goroutines.
type Field struct {
	// Wait lets the time of the air pass; nil: it is only counted. Set it
	// before use.
	Wait func(time.Duration)

	mu   sync.Mutex
	rng  *rand.Rand
	tags []placed
	air  time.Duration
}

// New is an empty field. All that happens by chance in it depends on the seed.
func New(seed uint64) *Field { return &Field{rng: rand.New(rand.NewPCG(seed, 18000))} }

// Place brings a tag into reach, or changes how well it is reached.
func (f *Field) Place(t *Tag, c Coupling) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remove(t)
	f.tags = append(f.tags, placed{t, c})
}

// Remove takes a tag away, and tells whether it was there.
func (f *Field) Remove(t *Tag) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.remove(t)
}

func (f *Field) remove(t *Tag) bool {
	n := len(f.tags)
	f.tags = slices.DeleteFunc(f.tags, func(p placed) bool { return p.Tag == t })
	return len(f.tags) < n
}

// Clear takes all tags away.
func (f *Field) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tags = nil
}

// Airtime is how long the air was used so far, waited for or not.
func (f *Field) Airtime() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.air
}

func (f *Field) chance(p float64) bool { return p > 0 && f.rng.Float64() < p }

// Heard is an answer to an inventory.
type Heard struct {
	PC   uint16
	EPC  []byte
	CRC  uint16 // of both, as the tag has it
	RSSI int    // dBm
}

// rounds of slots in one inventory are at most so many: more tags than can be
// told apart in them are heard the next time.
const rounds = 8

// Inventory is one inventory: each tag answers in a slot of its own choice,
// those that collide choose again. Tags that miss it are not in the list.
func (f *Field) Inventory() []Heard {
	f.mu.Lock()
	var waiting []placed
	for _, p := range f.tags {
		if !f.chance(p.Miss) {
			waiting = append(waiting, p)
		}
	}
	before := f.air
	var list []Heard
	for n := 0; n == 0 || n < rounds && len(waiting) > 0; n++ {
		waiting = f.round(waiting, &list)
	}
	took := f.air - before
	f.mu.Unlock()
	f.pass(took)
	return list
}

// round has each tag choose a slot, and gives those that collided.
func (f *Field) round(tags []placed, list *[]Heard) (again []placed) {
	slots := make([][]placed, max(1, len(tags)))
	for _, p := range tags {
		n := f.rng.IntN(len(slots))
		slots[n] = append(slots[n], p)
	}
	for _, s := range slots {
		if len(s) != 1 {
			again = append(again, s...)
			f.air += EmptySlot
			continue
		}
		f.air += Slot
		h := s[0].heard()
		h.RSSI = -45 - f.rng.IntN(20)
		*list = append(*list, h)
	}
	return again
}

func (f *Field) pass(d time.Duration) {
	if f.Wait != nil {
		f.Wait(d)
	}
}

// access finds the tag that hears a command to an EPC; its answer comes alone
// or not at all.
func (f *Field) access(epc []byte) (p placed, err error) {
	f.air += Access
	n := 0
	for _, t := range f.tags {
		if bytes.Equal(t.EPC(), epc) && !f.chance(t.Miss) {
			p, n = t, n+1
		}
	}
	switch n {
	case 0:
		return p, drivers.ErrNoTag
	case 1:
		return p, nil
	}
	return p, fmt.Errorf("%d tags of this EPC answer: %w", n, drivers.ErrAir)
}

// Read reads n words of a bank.
func (f *Field) Read(epc []byte, bank drivers.Bank, first, n int) ([]byte, error) {
	defer f.pass(Access)
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.access(epc)
	if err != nil {
		return nil, err
	}
	return p.read(bank, first, n)
}

// Write writes words of a bank, one after the other.
func (f *Field) Write(epc []byte, bank drivers.Bank, first int, data []byte) error {
	defer f.pass(Access)
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.access(epc)
	if err != nil {
		return err
	}
	if f.chance(p.Tear) {
		return errors.Join(drivers.ErrNoTag, p.write(bank, first, data, f.rng.IntN(len(data)/2+1)))
	}
	return p.write(bank, first, data, 0)
}
