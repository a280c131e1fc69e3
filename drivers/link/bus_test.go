package link

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"periph.io/x/conn/v3/conntest"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/conn/v3/i2c/i2ctest"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
	"periph.io/x/conn/v3/spi/spireg"
	"periph.io/x/conn/v3/spi/spitest"

	"github.com/carrel-kiosk/carrel/drivers"
)

// port notes what it is connected with.
type port struct {
	spitest.Playback
	speed physic.Frequency
	mode  spi.Mode
}

func (p *port) Connect(f physic.Frequency, m spi.Mode, bits int) (spi.Conn, error) {
	p.speed, p.mode = f, m
	return p.Playback.Connect(f, m, bits)
}

func TestSPI(t *testing.T) {
	p := &port{Playback: spitest.Playback{Playback: conntest.Playback{DontPanic: true, Ops: []conntest.IO{{W: []byte{1, 2}, R: []byte{3, 4}}}}}}
	if err := spireg.Register("TEST0.0", nil, -1, func() (spi.PortCloser, error) { return p, nil }); err != nil {
		t.Fatal(err)
	}
	defer spireg.Unregister("TEST0.0")
	b, err := OpenBus(t.Context(), Config{SPI: "TEST0.0", Speed: 4_000_000})
	if err != nil {
		t.Fatal(err)
	}
	r := make([]byte, 2)
	if err := b.Transfer([]byte{1, 2}, r); err != nil || !bytes.Equal(r, []byte{3, 4}) || b.I2C() {
		t.Errorf("Transfer() = %x, %v; I2C() = %v", r, err, b.I2C())
	}
	if p.speed != 4*physic.MegaHertz || p.mode != spi.Mode0 {
		t.Errorf("connected at %v, mode %v", p.speed, p.mode)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestI2C(t *testing.T) {
	p := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{{Addr: 0x24, W: []byte{1}, R: []byte{2}}}}
	if err := i2creg.Register("TESTI2C", nil, -1, func() (i2c.BusCloser, error) { return p, nil }); err != nil {
		t.Fatal(err)
	}
	defer i2creg.Unregister("TESTI2C")
	b, err := OpenBus(t.Context(), Config{I2C: "TESTI2C", Address: 0x24})
	if err != nil {
		t.Fatal(err)
	}
	r := make([]byte, 1)
	if err := b.Transfer([]byte{1}, r); err != nil || r[0] != 2 || !b.I2C() {
		t.Errorf("Transfer() = %x, %v; I2C() = %v", r, err, b.I2C())
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestNoBus(t *testing.T) {
	for _, c := range []Config{{SPI: "NOTHING9.9"}, {I2C: "NOTHING9"}} {
		if b, err := OpenBus(t.Context(), c); err == nil || !strings.Contains(err.Error(), "raspi-config") {
			t.Errorf("OpenBus(%+v) = %v, %v; want what to do", c, b, err)
		}
	}
	b := &bus{tx: func(w, r []byte) error { return syscall.ENODEV }}
	if err := b.Transfer(nil, nil); !errors.Is(err, drivers.ErrGone) {
		t.Errorf("Transfer() without its device = %v", err)
	}
	if _, err := b.Pin("GPIO999"); err == nil {
		t.Error("Pin(GPIO999) is there")
	}
}

// lineUp is a line that stays as it is set.
type lineUp struct {
	gpio.PinIO
	level atomic.Bool
}

func (w *lineUp) Name() string                  { return "TESTLINE" }
func (w *lineUp) In(gpio.Pull, gpio.Edge) error { return nil }
func (w *lineUp) Out(l gpio.Level) error        { w.level.Store(bool(l)); return nil }
func (w *lineUp) Read() gpio.Level              { return gpio.Level(w.level.Load()) }

func TestPin(t *testing.T) {
	line := &lineUp{PinIO: gpio.INVALID}
	if err := gpioreg.Register(line); err != nil {
		t.Fatal(err)
	}
	defer gpioreg.Unregister("TESTLINE")
	p, err := (&bus{}).Pin("TESTLINE")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Out(true); err != nil || !line.level.Load() {
		t.Errorf("Out(true) = %v, the line is %v", err, line.Read())
	}
	if err := p.Wait(true, 0); err != nil {
		t.Errorf("Wait() for what is = %v", err)
	}
	if err := p.Wait(false, 5*time.Millisecond); !errors.Is(err, drivers.ErrSilent) || !strings.Contains(err.Error(), "TESTLINE stays High") {
		t.Errorf("Wait() for what does not come = %v", err)
	}
	go func() {
		time.Sleep(5 * time.Millisecond)
		line.Out(gpio.Low)
	}()
	if err := p.Wait(false, 5*time.Second); err != nil {
		t.Errorf("Wait() = %v", err)
	}
}

func TestCheckBus(t *testing.T) {
	for _, c := range []struct {
		needs drivers.Connection
		c     Config
		bad   string
	}{
		{drivers.NeedsBus, Config{SPI: "SPI0.0", Speed: 1e6}, ""},
		{drivers.NeedsBus, Config{}, "spi or i2c"},
		{drivers.NeedsBus, Config{SPI: "SPI0.0", Speed: 1}, "speed"},
		{drivers.NeedsBus, Config{I2C: "1", Address: 0x24}, ""},
		{drivers.NeedsBus, Config{I2C: "1", Address: 0x99}, "address"},
		{drivers.NeedsBus, Config{I2C: "1", Address: 0x24, SPI: "SPI0.0"}, "only one"},
		{both, Config{}, "path, spi or i2c"},
		{both, Config{Path: "/dev/ttyUSB0", Baud: 115200, DataBits: 8}, ""},
		{both, Config{Path: "/dev/ttyUSB0", SPI: "SPI0.0"}, "beside"},
		{both, Config{I2C: "1", Address: 0x24}, ""},
	} {
		if err := c.c.Check(c.needs); (err == nil) != (c.bad == "") || err != nil && !strings.Contains(err.Error(), c.bad) {
			t.Errorf("Check(%s, %+v) = %v; want %q", c.needs, c.c, err, c.bad)
		}
	}
}

func TestOptions(t *testing.T) {
	for needs, want := range map[drivers.Connection]int{drivers.NeedsLink: 5, drivers.NeedsReports: 4, drivers.NeedsBus: 4, both: 9, drivers.NeedsNothing: 0} {
		if got := Options(drivers.Driver{Needs: needs}); len(got) != want {
			t.Errorf("Options(%s) = %v; want %d", needs, got, want)
		}
	}
}

// TestOwnLine: a driver's own line settings are its devices' and are told.
func TestOwnLine(t *testing.T) {
	d := drivers.Driver{Needs: drivers.NeedsLink}
	if c := Defaults(d); c.Baud != 9600 || c.Parity != "none" {
		t.Errorf("Defaults() = %+v", c)
	}
	d = d.At(38400, "even")
	if c := Defaults(d); c.Baud != 38400 || c.Parity != "even" || c.DataBits != 8 {
		t.Errorf("Defaults() = %+v", c)
	}
	for _, o := range Options(d) {
		if o.Key == "baud" && o.Default != "38400" || o.Key == "parity" && o.Default != "even" {
			t.Errorf("option %+v", o)
		}
	}
}

const both = drivers.NeedsEither
