package sim

import (
	"errors"
	"fmt"
	"slices"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
)

// PadDriver is the family of the bench's pads.
var PadDriver = drivers.DefineAlone("simpad", "A simulated RFID pad with real collisions and airtime, moved by the page /sim; for demonstrations and tests. Wiring: none.", OpenPad)

// Pad is the bench's pad while it is open: the firmware of a reader, on the
// bench's field, whose protocol is a call.
type Pad struct {
	field.Reader
	bench *Bench
	gone  chan struct{} // closed when it is unplugged
}

var (
	_ drivers.Pad       = (*Pad)(nil)
	_ drivers.AFIWriter = (*Pad)(nil)
	_ drivers.EASWriter = (*Pad)(nil)
)

// OpenPad finds the bench and takes its pad. One that is pulled out is
// missing; one that is open already is in use.
func OpenPad(c Config) (*Pad, error) {
	v, ok := benches.Load(c.Bench)
	if !ok {
		return nil, fmt.Errorf("there is no bench %q in this process", c.Bench)
	}
	b := v.(*Bench)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.Field == nil:
		return nil, errors.New("the bench has no pad")
	case !b.padPlugged:
		return nil, errors.New("the pad is unplugged")
	case b.pad != nil:
		return nil, errors.New("the pad is in use")
	}
	b.pad = &Pad{Reader: *field.NewReader(b.Field), bench: b, gone: make(chan struct{})}
	return b.pad, nil
}

// Inventory implements drivers.Pad.
func (p *Pad) Inventory() ([]drivers.Tag, error) {
	select {
	case <-p.gone:
		return nil, drivers.ErrGone
	default:
		return p.Reader.Inventory()
	}
}

// Close implements drivers.Pad.
func (p *Pad) Close() error {
	p.bench.mu.Lock()
	defer p.bench.mu.Unlock()
	if p.bench.pad == p {
		p.bench.pad = nil
	}
	return nil
}

// PlugPad plugs the pad in or pulls it out.
func (b *Bench) PlugPad(in bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.padPlugged = in
	if !in && b.pad != nil {
		close(b.pad.gone)
		b.pad = nil
	}
}

// ErrNoTag says that a thing has no tag, so that no pad sees it.
var ErrNoTag = errors.New("it has no RFID tag")

// tags finds the tags of a thing.
func (b *Bench) tags(code string) []*field.Tag {
	i := slices.IndexFunc(b.Things, func(t Thing) bool { return t.Code == code })
	if i < 0 {
		return nil
	}
	return b.Things[i].Tags
}

// Lay puts a thing down on the pad, or takes it away: all its parts, or one,
// counted from 1. edge is how badly it lies, 0 for well and 1 for out of
// reach.
func (b *Bench) Lay(code string, part int, down bool, edge float64) error {
	tags := b.tags(code)
	switch {
	case b.Field == nil || len(tags) == 0:
		return ErrNoTag
	case part < 0 || part > len(tags):
		return fmt.Errorf("it has %d parts", len(tags))
	case part > 0:
		tags = tags[part-1 : part]
	}
	for _, t := range tags {
		if down {
			b.Field.Place(t, field.Coupling{Miss: edge, Damage: edge / 4, Tear: edge / 4})
		} else {
			b.Field.Remove(t.UID)
		}
	}
	return nil
}

// Laid is a thing on the pad as the page shows it.
type Laid struct {
	Code  string `json:"code"`
	Label string `json:"label"`
	Parts []bool `json:"parts"` // for each whether it lies there
	Alarm bool   `json:"alarm"` // the gate would ring: one of the tags is secured
}

// laid lists what lies on the pad, in the order of the bench.
func (b *Bench) laid() []Laid {
	list := []Laid{}
	if b.Field == nil {
		return list
	}
	there := map[drivers.UID]field.Tag{}
	for _, t := range b.Field.Tags() {
		there[t.UID] = t
	}
	for _, thing := range b.Things {
		l := Laid{Code: thing.Code, Label: thing.Label}
		for _, t := range thing.Tags {
			now, here := there[t.UID]
			l.Parts = append(l.Parts, here)
			l.Alarm = l.Alarm || here && b.Alarms != nil && b.Alarms(now)
		}
		if slices.Contains(l.Parts, true) {
			list = append(list, l)
		}
	}
	return list
}
