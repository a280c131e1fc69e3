package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// What befalls questions here beside upstreamtest.Mishaps.
const (
	lateRequest   upstreamtest.Mishap = "late-request"   // the ILS hears it when nobody waits for the answer any more
	spoiltRequest upstreamtest.Mishap = "spoilt-request" // a digit is another: the ILS asks for it again
	staleAnswer   upstreamtest.Mishap = "stale-answer"   // the answer before comes once more, ahead of the answer
)

// dialTime is how long a connection is waited for, as by TCP.
const dialTime = 4 * time.Second

// weather of a line.
type lineState int

const (
	lineUp lineState = iota
	lineRefused
	lineSilent
)

// network is the line between a kiosk and the ILS.
type network struct {
	*station

	mu      sync.Mutex
	state   lineState
	server  *listener // nil: the ILS does not run
	links   []*link
	words   map[string]int // how often the same was asked
	dials   int
	telling map[string]telling   // what the kiosk is telling, by what it says of an item
	heard   map[string][]telling // questions that have come to the ILS, by the same
}

// telling is an entry that is told to the ILS.
type telling struct {
	entry kiosk.ID
	asked bool // by the desk, which has promised nothing yet
}

// link is one connection. Either way things come in the order in which they
// were sent, or not at all.
type link struct {
	*network
	name       string
	kiosk, ils *end
	up, down   time.Time // when the last that is under way arrives
	lost       bool      // nothing arrives any more at the ILS
	mishap     upstreamtest.Mishap
	lot        lot    // of the question under way
	last       []byte // answer
}

// listener is where sip2.Serve waits for a kiosk.
type listener struct {
	conns chan net.Conn
	ended chan struct{}
	once  sync.Once
}

func newListener() *listener {
	return &listener{conns: make(chan net.Conn, 64), ended: make(chan struct{})}
}

// Accept is net.Listener's.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

// Close is net.Listener's.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.ended) })
	return nil
}

// Addr is net.Listener's.
func (l *listener) Addr() net.Addr { return addr{} }

// dial connects a machine.
func (n *network) dial(ctx context.Context, m *machine) (net.Conn, error) {
	if m.dead.Load() { // whether it still tries, is a race
		return nil, errDead
	}
	n.mu.Lock()
	n.dials++
	name := fmt.Sprintf("%s line %d", n.name, n.dials)
	state := n.state
	n.mu.Unlock()
	l := n.world.lot(name)
	if state == lineSilent {
		if err := pause(ctx, dialTime+l.hardly()); err != nil {
			return nil, err
		}
		return nil, errors.New("connection timed out")
	}
	if err := pause(ctx, l.between(time.Millisecond, 40*time.Millisecond)); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state != lineUp || n.server == nil || m.dead.Load() {
		return nil, errors.New("connection refused")
	}
	k := &link{network: n, name: name, kiosk: newEnd(), ils: newEnd()}
	k.kiosk.send, k.ils.send = k.ask, k.answer
	k.kiosk.leave, k.ils.leave = func() { k.leave(true) }, func() { k.leave(false) }
	n.links = append(n.links, k)
	n.server.conns <- k.ils
	return k.kiosk, nil
}

// set changes the line. What is connected is reset, or goes silent.
func (n *network) set(s lineState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.state = s
	for _, k := range n.links {
		switch s {
		case lineSilent:
			k.lost = true
		case lineRefused:
			k.reset()
		}
	}
	if s != lineUp {
		n.links = nil
	}
}

// hangUp resets what is connected: the ILS ends.
func (n *network) hangUp() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server = nil
	for _, k := range n.links {
		k.reset()
	}
	n.links = nil
}

// serve has connections go to a server.
func (n *network) serve(l *listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server = l
}

func (k *link) reset() {
	k.lost = true
	k.kiosk.finish(errReset)
	k.ils.finish(errReset)
}

// leave: one side has closed. The other hears of it behind all that was sent.
func (k *link) leave(kiosk bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if kiosk {
		if !k.lost {
			k.later(&k.up, time.Microsecond, func() { k.ils.finish(io.EOF) })
		}
		return
	}
	k.later(&k.down, time.Microsecond, func() { k.kiosk.finish(io.EOF) })
}

// later has something arrive after a delay, behind what was sent before. It is
// called with mu held.
func (k *link) later(last *time.Time, d time.Duration, arrive func()) {
	at := time.Now().Add(d)
	if !at.After(*last) {
		at = last.Add(time.Microsecond)
	}
	*last = at
	time.AfterFunc(time.Until(at), arrive)
}

// ask sends a question on its way. What befalls it and its answer is drawn by
// its words, for which connection it goes by is of no meaning.
func (k *link) ask(raw []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	words := wordsOf(raw)
	k.words[words]++
	k.lot = k.world.lot(fmt.Sprintf("%s %s %d", k.station.name, words, k.words[words]))
	k.mishap = k.meet()
	way := k.delay()
	k.world.note(k.station.name+" net", "%s %s %s", words, k.mishap, way)
	told := k.telling[words]
	switch k.mishap {
	case upstreamtest.DropRequest:
		k.lost = true
	case upstreamtest.CutRequest:
		k.lost = true
		k.later(&k.down, way, func() { k.kiosk.finish(errReset); k.ils.finish(errReset) })
	case lateRequest:
		way = k.lot.between(3*time.Second, 20*time.Second)
	case spoiltRequest:
		raw[2]++ // in its time or its flags, and the checksum says so
		told = telling{}
	}
	if k.lost {
		return nil
	}
	k.later(&k.up, way, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if !k.lost && k.ils.deliver(raw) && told.entry != "" {
			k.heard[words] = append(k.heard[words], told)
		}
	})
	return nil
}

// meet draws what befalls a question. It is called with mu held.
func (k *link) meet() upstreamtest.Mishap {
	if k.peace.Load() || !k.lot.chance(k.plan.weather.mishaps) {
		return upstreamtest.None
	}
	m := oneOf(k.lot, append([]upstreamtest.Mishap{lateRequest, spoiltRequest, staleAnswer}, upstreamtest.Mishaps...)...)
	k.count(string(m))
	return m
}

func (k *link) delay() time.Duration {
	if !k.peace.Load() && k.lot.chance(k.plan.weather.slow) {
		return k.lot.between(100*time.Millisecond, 2*time.Second)
	}
	return k.lot.between(time.Millisecond, 60*time.Millisecond)
}

// answer sends what the ILS says on its way.
func (k *link) answer(raw []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	way, cut, out := k.delay(), false, append([]byte(nil), raw...)
	half := out[:len(out)/2]
	switch k.mishap {
	case upstreamtest.DropAnswer:
		out = nil
	case upstreamtest.CutAnswer:
		out, cut = nil, true
	case upstreamtest.CloseMidAnswer:
		out, cut = half, true
	case upstreamtest.TruncateAnswer:
		out = append(append([]byte(nil), half...), '\r')
	case upstreamtest.DelayAnswer:
		way = k.lot.between(2*time.Second, 15*time.Second)
	case upstreamtest.DuplicateAnswer:
		out = append(out, raw...)
	case upstreamtest.Garbage:
		out = []byte("\x00\xff<html>502|||AY\x07 Bad Gateway\r")
	case staleAnswer:
		out = append(append([]byte(nil), k.last...), out...)
	}
	k.last = raw
	k.later(&k.down, way, func() {
		k.kiosk.deliver(out)
		if cut {
			k.kiosk.finish(errReset)
			k.ils.finish(errReset)
		}
	})
	return nil
}

// wordsOf is what a question says, without times and numbers of its own: the
// message, the item, and the card where it is not about an item.
func wordsOf(raw []byte) string {
	text := strings.TrimSpace(string(raw))
	words := text[:min(2, len(text))]
	for _, f := range strings.Split(text, "|") {
		// The first field follows the fixed part without a mark.
		for _, code := range []string{"AB", "AA"} {
			if v, ok := strings.CutPrefix(f, code); ok {
				words += " " + v
			}
		}
		if f == "BIY" {
			words += undoing
		}
	}
	return words
}

// undoing is what a question says that takes back.
const undoing = " undo"

// tells is wordsOf for an entry.
func tells(e kiosk.Entry) string {
	switch e.Kind {
	case kiosk.Checkout:
		return fmt.Sprintf("11 %s %s", e.Patron, e.Item)
	case kiosk.Renew:
		return fmt.Sprintf("29 %s %s", e.Patron, e.Item)
	}
	return fmt.Sprintf("09 %s", e.Item)
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// draw is the lot for one more of the same.
func (n *network) draw(what string) lot {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.words[what]++
	return n.world.lot(fmt.Sprintf("%s %s %d", n.name, what, n.words[what]))
}

// tell notes that an entry is being told in these words.
func (n *network) tell(words string, t telling) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.telling[words] = t
}

func (n *network) told(words string, t telling) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.telling[words] == t {
		delete(n.telling, words)
	}
}

// hears gives the entry that has come to the ILS in these words.
func (n *network) hears(words string) (t telling) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.heard[words]; len(h) > 0 {
		t, n.heard[words] = h[0], h[1:]
	}
	return t
}

// abandon: the kiosk has ended. What it has sent may still arrive.
func (n *network) abandon() {
	n.mu.Lock()
	links := n.links
	n.links = nil
	n.mu.Unlock()
	for _, k := range links {
		k.kiosk.Close()
	}
}
