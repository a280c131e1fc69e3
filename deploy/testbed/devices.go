package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/deploy/testbed/device"
	"github.com/carrel-kiosk/carrel/deploy/testbed/usbredir"
	"github.com/carrel-kiosk/carrel/deploy/testbed/vm"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/escpos/escpossim"
	"github.com/carrel-kiosk/carrel/drivers/feig/feigsim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// card and item are numbers that the configurations of the bench take.
func card(n int) string { return fmt.Sprintf("2%013d", n) }
func item(n int) string { return fmt.Sprintf("3%013d", n) }

// devicesConfig is a desk with one device of each kind and two of one.
const devicesConfig = `
[kiosk]
name = "bench"
library = "BENCH"
data = "/tmp/carrel"
listen = "0.0.0.0:8480"
[[device]]
name = "wedge one"
driver = "hidscan"
vid = 0x0c2e
pid = 0x0b61
serial = "W1"
mode = "keyboard"
[[device]]
name = "wedge two"
driver = "hidscan"
vid = 0x0c2e
pid = 0x0b61
serial = "W2"
mode = "keyboard"
[[device]]
name = "pos"
driver = "hidscan"
vid = 0x1eab
pid = 0x1310
[[device]]
name = "serial"
driver = "serialscan"
path = "/dev/carrel/0c2e-0b6a-L1"
[[device]]
name = "pad"
driver = "feig"
path = "/dev/carrel/0403-6001-L1"
baud = 38400
parity = "even"
[[device]]
name = "printer"
driver = "escpos"
path = "/dev/carrel/04b8-0e15-L1"
[upstream]
driver = "sip2"
address = "10.0.2.2:%d"
deadline = "30s"
[barcodes]
patron = ["^2[0-9]{13}$"]
item = ["^3[0-9]{13}$"]
check = "none"
[receipts]
print = "always"
[screen]
idle = "10m"
receipt = "5m"
`

// plugged is a device in its slot.
type plugged struct {
	slot   int
	device *usbredir.Device
	line   *device.Line // of those that read and write bytes
	port   *usbredir.Port
}

func (p *plugged) in(d *desk) (err error) {
	if p.port, err = d.plug(p.slot, p.device); err == nil && p.line != nil {
		p.line.Plugged(p.port)
	}
	return err
}

// shop is a desk with all devices and the library system behind it.
type shop struct {
	*desk
	wedge1, wedge2, pos, serial, pad, printer plugged

	ils   *upstreamtest.ILS
	field *field.Field
	paper *escpossim.Printer
	say   func(string, ...any)
	books int // used so far

	mu      sync.Mutex
	notices []string // that the screen has shown
}

// devices is the step with everything that is plugged in: see its says.
func (b *bench) devices(ctx context.Context) error {
	s := &shop{say: b.say, ils: upstreamtest.New(upstreamtest.Rules{Days: 21}), field: field.New(1), paper: escpossim.New(escpossim.Options{})}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- sip2.Serve(ctx, ln, s.ils, sip2.ServerConfig{Open: true}) }()
	defer func() { cancel(); <-served }()
	s.stock()
	s.make()
	if s.desk, err = b.boot(ctx, setup{config: fmt.Sprintf(devicesConfig, ln.Addr().(*net.TCPAddr).Port), slots: 6, seen: s.see}); err != nil {
		return err
	}
	defer s.cut()
	for _, part := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"the kernel's keyboard driver hears a scanner that nobody holds", s.heard},
		{"all devices are found, the library system outside the machine answers", s.begin},
		{"a loan by each scanner, two of them alike, and by the pad; the slip is printed", s.loans},
		{"no key reached the kernel's keyboard driver meanwhile", s.unheard},
		{"each device is pulled out and plugged in during a session, one in the middle of a code", s.plugging},
		{"kioskd is killed while it holds the devices, and finds them all when it is started again", s.restart},
	} {
		begin := time.Now()
		if err := part.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.what, err)
		}
		b.say("  %s: yes, %.1f s", part.what, time.Since(begin).Seconds())
	}
	return nil
}

// see keeps notices: a code that was broken off must come to nothing at all.
func (s *shop) see(sc screen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sc.Notice != "" && !slices.Contains(s.notices, sc.Notice) {
		s.notices = append(s.notices, sc.Notice)
	}
}

// quiet tells whether the screen had nothing to say beyond the loans.
func (s *shop) quiet() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.notices) > 0 {
		return fmt.Errorf("the screen has said %q", s.notices)
	}
	return nil
}

func (s *shop) stock() {
	for n := range 5 {
		s.ils.AddPatron(kiosk.Patron{Card: kiosk.Card(card(n)), FirstName: "Reader", FamilyName: fmt.Sprint(n)}, "")
	}
	for n := range 60 {
		s.ils.AddItems(kiosk.Item{Barcode: kiosk.Barcode(item(n)), Title: fmt.Sprintf("Book %d", n), Status: kiosk.StatusAvailable})
	}
}

// make makes the devices, with what is at the far end of their lines.
func (s *shop) make() {
	s.wedge1 = plugged{slot: 0, device: device.Wedge("W1")}
	s.wedge2 = plugged{slot: 1, device: device.Wedge("W2")}
	s.pos = plugged{slot: 2, device: device.POS("P1")}
	for slot, p := range map[int]*plugged{3: &s.serial, 4: &s.pad, 5: &s.printer} {
		d := map[int]func(string) *usbredir.Device{3: device.ACM, 4: device.FTDI, 5: device.Printer}[slot]("L1")
		*p = plugged{slot: slot, device: d, line: device.NewLine(d)}
	}
	go feigsim.Serve(s.pad.line, s.field, feigsim.Options{}) //nolint:errcheck // to the end of the program
	go s.paper.Serve(s.printer.line)                         //nolint:errcheck // as above
}

func (s *shop) all() []*plugged {
	return []*plugged{&s.wedge1, &s.wedge2, &s.pos, &s.serial, &s.pad, &s.printer}
}

// book is one that nobody had yet.
func (s *shop) book() string {
	s.books++
	return item(s.books)
}

// heard shows that keys can be heard in the machine, else unheard were blind.
func (s *shop) heard(ctx context.Context) error {
	if err := s.Do(ctx, "keys"); err != nil {
		return err
	}
	if err := s.wedge1.in(s.desk); err != nil {
		return err
	}
	if _, err := s.Await(ctx, "tb: keyboard event"); err != nil {
		return err
	}
	return s.typed(ctx)
}

// typed presses a key until it is heard: the kernel may drop what comes just
// after a keyboard was opened.
func (s *shop) typed(ctx context.Context) error {
	const key7 = 8 // KEY_7 of linux/input-event-codes.h
	for range 30 {
		if err := device.Type(s.wedge1.port, "7"); err != nil {
			return err
		}
		soon, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, err := s.Await(soon, fmt.Sprintf("tb: key %d from", key7))
		cancel()
		if err == nil || soon.Err() == nil || ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("no key was heard: %w", vm.ErrLate)
}

func (s *shop) begin(ctx context.Context) error {
	for _, p := range s.all()[1:] {
		if err := p.in(s.desk); err != nil {
			return err
		}
	}
	for _, file := range []string{"/dev/carrel/0c2e-0b6a-L1", "/dev/carrel/0403-6001-L1", "/dev/carrel/04b8-0e15-L1"} {
		if err := s.Do(ctx, "exists", file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return s.ready(ctx)
}

// ready starts kioskd and waits until it has opened each device.
func (s *shop) ready(ctx context.Context) error {
	from := s.Here()
	if err := s.open(ctx); err != nil {
		return err
	}
	for _, name := range names {
		if err := s.works(ctx, from, name); err != nil {
			return err
		}
	}
	_, err := s.shows(ctx, "a desk without a fault", func(sc screen) bool { return sc.View == "welcome" && sc.Online && len(sc.Faults) == 0 })
	return err
}

// names are the devices of devicesConfig.
var names = []string{"wedge one", "wedge two", "pos", "serial", "pad", "printer"}

// works waits until the kiosk says that it has opened a device: a code that is
// read before is nobody's.
func (s *shop) works(ctx context.Context, from int, name string) error {
	if strings.Contains(name, " ") {
		name = strconv.Quote(name)
	}
	_, err := s.AwaitFrom(ctx, from, `msg="device works" device=`+name)
	return err
}

// signIn reads a card with the scanner that types.
func (s *shop) signIn(ctx context.Context, n int) error {
	if err := device.Type(s.wedge1.port, card(n)); err != nil {
		return err
	}
	_, err := s.shows(ctx, "the patron", func(sc screen) bool { return sc.View == "items" })
	return err
}

// borrow reads a book with a scanner and waits for the loan, on the screen and
// in the library system.
func (s *shop) borrow(ctx context.Context, read func(code string) error) error {
	b := s.book()
	if err := read(b); err != nil {
		return err
	}
	return s.granted(ctx, b)
}

func (s *shop) granted(ctx context.Context, b string) error {
	if err := s.lent(ctx, b); err != nil {
		return err
	}
	return told(s.ils, b)
}

// told waits until the library's system has heard of a loan.
func told(ils *upstreamtest.ILS, b string) error {
	limit := time.After(vm.Patience)
	for {
		changed := ils.Changed()
		if slices.ContainsFunc(ils.Loans(), func(l kiosk.Loan) bool { return string(l.Item) == b }) {
			return nil
		}
		select {
		case <-changed:
		case <-limit:
			return fmt.Errorf("%w: %s is lent on the screen, and the library system has heard nothing of it", vm.ErrLate, b)
		}
	}
}

// Reading with each of the scanners.
func (s *shop) by1(code string) error   { return device.Type(s.wedge1.port, code) }
func (s *shop) by2(code string) error   { return device.Type(s.wedge2.port, code) }
func (s *shop) byPOS(code string) error { return device.Read(s.pos.port, code) }
func (s *shop) bySerial(code string) error {
	_, err := s.serial.line.Write([]byte(code + "\r"))
	return err
}

// byPad lays the book on the pad.
func (s *shop) byPad(code string) error {
	t, err := tag(code)
	if err == nil {
		s.field.Place(t, field.Coupling{})
	}
	return err
}

// tag is a book's, as its library writes it, and armed.
func tag(code string) (*field.Tag, error) {
	var uid drivers.UID
	var n uint64
	fmt.Sscanf(code, "%d", &n) //nolint:errcheck // codes of this bench are numbers
	binary.BigEndian.PutUint64(uid[:], 0xE004015000000000|n&0xFFFFFFFF)
	t := field.NewTag(uid, 28, 4)
	data, err := tagdata.Encode(tagdata.Contents{Item: code, Owner: "US-BENCH", Usage: tagdata.Circulating, Part: 1, Parts: 1},
		tagdata.ISO3, len(t.Memory), t.Size)
	if err != nil {
		return nil, err
	}
	t.Memory, t.DSFID, t.AFI = data, tagdata.DSFIDISO3, tagdata.AFIInStock
	return t, nil
}

func (s *shop) loans(ctx context.Context) error {
	if err := s.signIn(ctx, 0); err != nil {
		return err
	}
	first := s.books + 1
	for _, by := range []struct {
		what string
		read func(string) error
	}{{"the first that types", s.by1}, {"the second", s.by2}, {"HID POS", s.byPOS}, {"serial", s.bySerial}, {"the pad", s.byPad}} {
		begin := time.Now()
		if err := s.borrow(ctx, by.read); err != nil {
			return fmt.Errorf("%s: %w", by.what, err)
		}
		s.say("    %s: lent, %.2f s from the first byte", by.what, time.Since(begin).Seconds())
	}
	if err := s.released(); err != nil {
		return err
	}
	s.field.Clear()
	if err := s.leave(ctx); err != nil {
		return err
	}
	return s.printed(ctx, first)
}

// released tells whether the tags on the pad may pass the gate.
func (s *shop) released() error {
	for _, t := range s.field.Tags() {
		if t.AFI != tagdata.AFIOnLoan {
			return fmt.Errorf("a tag on the pad has AFI %02X although its book is lent", t.AFI)
		}
	}
	return nil
}

// printed waits for the slip with the books from a number on.
func (s *shop) printed(ctx context.Context, first int) error {
	for end := time.Now().Add(vm.Patience); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		if slips := s.paper.Slips(); len(slips) > 0 {
			text := slips[0].String()
			for n := first; n <= s.books; n++ {
				if !strings.Contains(text, fmt.Sprintf("Book %d", n)) {
					return fmt.Errorf("the slip lacks book %d:\n%s", n, text)
				}
			}
			s.paper.TearOff()
			return nil
		}
	}
	return fmt.Errorf("%w: no slip came out; it hangs: %v", vm.ErrLate, s.paper.Hanging())
}

// unheard: since the scanners are held, nothing was typed anywhere else.
func (s *shop) unheard(context.Context) error {
	const key7, enter = "tb: key 8 ", "tb: key 28 "
	for _, l := range s.Console() {
		if strings.Contains(l, "tb: key ") && !strings.Contains(l, key7) && !strings.Contains(l, enter) {
			return fmt.Errorf("a key reached the kernel's keyboard driver: %s", l)
		}
	}
	return nil
}

func (s *shop) plugging(ctx context.Context) error {
	if err := s.signIn(ctx, 1); err != nil {
		return err
	}
	for _, x := range []struct {
		name string
		*plugged
		read  func(string) error
		other func(string) error
	}{
		{"wedge one", &s.wedge1, s.by1, s.byPOS},
		{"wedge two", &s.wedge2, s.by2, s.by1},
		{"pos", &s.pos, s.byPOS, s.by1},
		{"serial", &s.serial, s.bySerial, s.by1},
		{"pad", &s.pad, s.byPad, s.by1},
		{"printer", &s.printer, nil, s.by1},
	} {
		if err := s.replug(ctx, x.name, x.plugged, x.read, x.other); err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
		s.field.Clear()
	}
	first := s.books
	if err := s.leave(ctx); err != nil {
		return err
	}
	if err := s.printed(ctx, first); err != nil {
		return err
	}
	return errors.Join(s.unheard(ctx), s.quiet())
}

// restart kills kioskd, which leaves the scanners without a driver of the
// kernel's, and starts it again.
func (s *shop) restart(ctx context.Context) error {
	if err := s.Do(ctx, "stop", "kioskd"); err != nil {
		return err
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	if err := s.signIn(ctx, 2); err != nil {
		return err
	}
	if err := s.borrow(ctx, s.by2); err != nil {
		return err
	}
	return errors.Join(s.leave(ctx), s.unheard(ctx))
}

// replug pulls a device out, sees that the desk says so and goes on with
// another, plugs it in again and borrows with it.
func (s *shop) replug(ctx context.Context, name string, p *plugged, read, other func(string) error) error {
	if name == "wedge one" { // half a code, which must come to nothing
		if err := device.Type(p.port, item(59)[:9]+strings.Repeat("5", 40)); err != nil {
			return err
		}
		time.Sleep(80 * time.Millisecond)
	}
	p.port.Unplug()
	if _, err := s.shows(ctx, "that the "+name+" is gone", func(sc screen) bool { return sc.faulty(name) }); err != nil {
		return err
	}
	if err := s.borrow(ctx, other); err != nil {
		return fmt.Errorf("while it is out: %w", err)
	}
	from := s.Here()
	if err := p.in(s.desk); err != nil {
		return err
	}
	if err := s.works(ctx, from, name); err != nil {
		return err
	}
	if _, err := s.shows(ctx, "that the "+name+" is back", func(sc screen) bool { return len(sc.Faults) == 0 }); err != nil {
		return err
	}
	if read == nil {
		return nil
	}
	if name == "pad" { // what lies there when a pad begins counts as having been there before
		time.Sleep(2 * time.Second)
	}
	return s.borrow(ctx, read)
}
