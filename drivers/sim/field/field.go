// Package field is a simulated RFID field: tags with true memory that answer
// over the air as ISO/IEC 15693-3 says, collide, stay quiet, can be half out
// of reach, and take the time that the radio takes. Readers are simulated on
// top of it; their drivers meet real anticollision.
package field

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
)

// Coupling is how well a tag is reached. The zero Coupling is perfect.
type Coupling struct {
	Miss   float64 // chance that the tag misses a request
	Damage float64 // chance that its answer comes damaged
	Tear   float64 // chance that it loses power while it writes: what it was told is written in part, and there is no answer
}

// placed is a tag that lies in the field.
type placed struct {
	*Tag
	Coupling
	quiet    bool
	selected bool
}

// Field is the space above a pad. It is safe for use by several goroutines,
// as a hand moves tags while a reader reads.
type Field struct {
	// Wait lets airtime pass; nil: it is only counted. time.Sleep makes it
	// true. Set it before use.
	Wait func(time.Duration)

	mu    sync.Mutex
	rng   *rand.Rand
	tags  []*placed
	on    bool
	slots *slots        // of the inventory under way
	air   time.Duration // used so far
	began time.Duration // of air, when the last answer began
	busy  time.Time     // when the air is free again
	noise float64
}

// slots is an inventory of 16 slots under way.
type slots struct {
	req []byte
	at  int
}

var _ iso15693.Air = (*Field)(nil)

// New is an empty field that is on. All that happens by chance in it depends
// on the seed.
func New(seed uint64) *Field {
	return &Field{rng: rand.New(rand.NewPCG(seed, 15693)), on: true}
}

// Place puts a tag into the field, or changes how well it is reached.
func (f *Field) Place(t *Tag, c Coupling) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remove(t.UID)
	f.tags = append(f.tags, &placed{Tag: t, Coupling: c})
}

// Remove takes a tag away, and tells whether it was there.
func (f *Field) Remove(uid drivers.UID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.remove(uid)
}

func (f *Field) remove(uid drivers.UID) bool {
	n := len(f.tags)
	f.tags = slices.DeleteFunc(f.tags, func(p *placed) bool { return p.UID == uid })
	return len(f.tags) < n
}

// Clear takes all tags away.
func (f *Field) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tags = nil
}

// Tag gives a copy of a tag that lies in the field.
func (f *Field) Tag(uid drivers.UID) (Tag, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.tags {
		if p.UID == uid {
			return p.copy(), true
		}
	}
	return Tag{}, false
}

// Tags gives copies of all tags in the field.
func (f *Field) Tags() []Tag {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []Tag
	for _, p := range f.tags {
		list = append(list, p.copy())
	}
	return list
}

// Change changes a tag that may lie in a field while nothing is said to it.
func (f *Field) Change(t *Tag, change func(*Tag)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(t)
}

// Noise is the chance that an empty slot or a lonely answer is damaged.
func (f *Field) Noise(p float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noise = p
}

// Airtime is how long the field was used so far, waited for or not.
func (f *Field) Airtime() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.air
}

// Power turns the field on or off. A tag without power forgets that it was
// quiet or selected.
func (f *Field) Power(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on, f.slots = on, nil
	for _, p := range f.tags {
		if !on {
			p.quiet, p.selected = false, false
		}
	}
}

// Pass lets the time of a reader's own business pass, such as the pause of a
// field that is off.
func (f *Field) Pass(d time.Duration) {
	f.mu.Lock()
	f.pass(d)
	until := f.busy
	f.mu.Unlock()
	f.wait(until)
}

// pass counts airtime. The air is used by one request at a time: what comes
// while it is busy waits for it.
func (f *Field) pass(d time.Duration) {
	f.air += d
	if f.Wait == nil {
		return
	}
	if now := time.Now(); f.busy.Before(now) {
		f.busy = now
	}
	f.busy = f.busy.Add(d)
}

func (f *Field) wait(until time.Time) {
	if f.Wait == nil {
		return
	}
	if d := time.Until(until); d > 0 {
		f.Wait(d)
	}
}

// Exchange is a request and its answer in time.
type Exchange struct {
	Answer []byte
	Err    error         // as iso15693.Air has it
	Down   time.Duration // until the request is sent
	Start  time.Duration // until an answer begins, if one comes
	Total  time.Duration // until the next request may be sent
}

// Begin sends a request and does not wait: for readers that have a time of
// their own.
func (f *Field) Begin(req []byte) (x Exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.air
	x.Down = iso15693.Down(len(req))
	f.pass(x.Down)
	x.Answer, x.Err = f.answer(req)
	x.Start, x.Total = f.began-before, f.air-before
	return x
}

// BeginSlot is Begin for the end of frame that begins another slot.
func (f *Field) BeginSlot() (x Exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.air
	x.Down = iso15693.NextSlot()
	x.Answer, x.Err = f.slot()
	x.Start, x.Total = f.began-before, f.air-before
	return x
}

// until is when the air is free again.
func (f *Field) until() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.busy
}

// Send implements iso15693.Air.
func (f *Field) Send(req []byte) ([]byte, error) {
	x := f.Begin(req)
	f.wait(f.until())
	return x.Answer, x.Err
}

// Slot implements iso15693.Air.
func (f *Field) Slot() ([]byte, error) {
	x := f.BeginSlot()
	f.wait(f.until())
	return x.Answer, x.Err
}

func (f *Field) slot() ([]byte, error) {
	answer, err := []byte(nil), fmt.Errorf("no inventory is under way: %w", drivers.ErrNoTag)
	f.pass(iso15693.NextSlot())
	if s := f.slots; s != nil && f.on {
		if s.at++; s.at < 16 {
			answer, err = f.hear(f.inSlot(s.req, s.at))
		}
	} else {
		f.pass(iso15693.Unanswered())
	}
	return answer, err
}

// answer is what the reader hears of a request.
func (f *Field) answer(req []byte) ([]byte, error) {
	f.slots = nil
	if len(req) < 2 || !f.on {
		return f.hear(nil)
	}
	if req[0]&iso15693.FlagInventory == 0 {
		return f.hear(f.toOne(req))
	}
	if req[1] != iso15693.CmdInventory {
		return f.hear(nil)
	}
	if req[0]&iso15693.FlagOneSlot == 0 {
		f.slots = &slots{req: slices.Clone(req)}
	}
	return f.hear(f.inSlot(req, 0))
}

// reply is what one tag sends.
type reply struct {
	data    []byte
	damaged bool
	slow    time.Duration // instead of t1
}

// hear mixes what the tags send.
func (f *Field) hear(replies []reply) ([]byte, error) {
	noise := f.noise > 0 && f.rng.Float64() < f.noise
	switch {
	case len(replies) == 0 && noise:
		f.began = f.air + iso15693.Turn
		f.pass(iso15693.Reply(1))
		return nil, fmt.Errorf("noise: %w", drivers.ErrAir)
	case len(replies) == 0:
		f.pass(iso15693.Unanswered())
		return nil, drivers.ErrNoTag
	}
	longest := 0
	for _, r := range replies {
		longest = max(longest, len(r.data))
		f.pass(r.slow)
	}
	f.began = f.air + iso15693.Turn
	f.pass(iso15693.Reply(longest))
	switch {
	case len(replies) > 1:
		return nil, iso15693.ErrCollision
	case replies[0].damaged || noise:
		return nil, fmt.Errorf("CRC: %w", drivers.ErrAir)
	}
	return replies[0].data, nil
}

// inSlot are the answers to an inventory in one of its slots.
func (f *Field) inSlot(req []byte, slot int) (list []reply) {
	flags, rest := req[0], req[2:]
	if flags&iso15693.FlagAFI != 0 {
		if len(rest) == 0 {
			return nil
		}
		afi := rest[0]
		rest = rest[1:]
		return f.masked(rest, slot, flags, func(t *Tag) bool { return matchesAFI(t.AFI, afi) })
	}
	return f.masked(rest, slot, flags, func(*Tag) bool { return true })
}

// matchesAFI compares families and subfamilies, of which 0 means all (10.2.1).
func matchesAFI(have, asked byte) bool {
	return asked == 0 || have == asked || asked&0x0F == 0 && have&0xF0 == asked || asked&0xF0 == 0 && have&0x0F == asked
}

func (f *Field) masked(rest []byte, slot int, flags byte, fits func(*Tag) bool) (list []reply) {
	if len(rest) == 0 {
		return nil
	}
	bits := int(rest[0])
	if bits > 60 || len(rest)-1 < (bits+7)/8 {
		return nil
	}
	var want uint64
	for i, b := range rest[1 : 1+(bits+7)/8] {
		want |= uint64(b) << (8 * i)
	}
	width := bits
	if flags&iso15693.FlagOneSlot == 0 {
		want = want&(1<<bits-1) | uint64(slot)<<bits
		width += 4
	}
	for _, p := range f.tags {
		low := p.number() & (1<<width - 1)
		if p.quiet || low != want&(1<<width-1) || !fits(p.Tag) || f.chance(p.Miss) {
			continue
		}
		list = append(list, reply{data: append([]byte{0, p.DSFID}, iso15693.Reversed(p.UID)...), damaged: f.chance(p.Damage)})
	}
	return list
}

func (f *Field) chance(p float64) bool { return p > 0 && f.rng.Float64() < p }

// toOne are the answers to a request that is no inventory.
func (f *Field) toOne(req []byte) (list []reply) {
	for _, p := range f.tags {
		if f.chance(p.Miss) {
			continue // it does not hear either that another one is selected
		}
		body, meant := p.meant(req)
		if !meant {
			continue
		}
		power := uint64(0)
		torn := writesTag(req[1]) && f.chance(p.Tear)
		if torn {
			power = 1 + f.rng.Uint64N(1<<63)
		}
		data, wrote := p.obey(req[0], req[1], body, power)
		if data == nil || torn {
			continue
		}
		r := reply{data: data, damaged: f.chance(p.Damage)}
		if wrote {
			r.slow = iso15693.Program
		}
		list = append(list, r)
	}
	return list
}
