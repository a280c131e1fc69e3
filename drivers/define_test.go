package drivers_test

import (
	"errors"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

type options struct {
	Suffix string           `toml:"suffix" default:"auto" help:"end of a code"`
	Gap    drivers.Duration `toml:"gap" default:"60ms" help:"silence"`
	Length int              `toml:"length" default:"12" help:"n"`
	Loud   bool             `toml:"loud" default:"true" help:"b"`
	Port   uint16           `toml:"port" default:"0x0c2e" help:"u"`
	Inner  int              `toml:"-"`
}

func (o *options) Check() error {
	if o.Length > 20 {
		return errors.New("length: too long")
	}
	return nil
}

type thing struct{ o options }

func TestDefine(t *testing.T) {
	d := drivers.DefineAlone("thing", "a thing", func(o options) (*thing, error) {
		if !o.Loud {
			return nil, errors.New("mute")
		}
		return &thing{o}, nil
	})
	c := d.NewConfig().(*options)
	want := options{Suffix: "auto", Gap: drivers.Duration(60 * time.Millisecond), Length: 12, Loud: true, Port: 0x0c2e}
	if *c != want {
		t.Errorf("NewConfig() = %+v; want %+v", *c, want)
	}
	got := d.Options()
	if len(got) != 5 || got[1] != (drivers.Option{Key: "gap", Type: "duration", Default: "60ms", Help: "silence"}) {
		t.Errorf("Options() = %+v", got)
	}
	c.Length = 21
	if d.Check(c) == nil {
		t.Error("Check() takes a length of 21")
	}
	if dev, err := d.Open(nil, c); err != nil || dev.(*thing).o.Length != 21 {
		t.Errorf("Open() = %+v, %v", dev, err)
	}
	c.Loud = false
	if _, err := d.Open(nil, c); err == nil || err.Error() != "thing: mute" {
		t.Errorf("Open() = %v; want the driver's error with its name", err)
	}
}

// closer is a Link of which only the end matters.
type closer struct {
	drivers.Link
	closed int
}

func (c *closer) Close() error { c.closed++; return nil }

// TestOpenCloses: a device that does not open leaves its line free.
func TestOpenCloses(t *testing.T) {
	d := drivers.Define("thing", "a thing", func(l drivers.Link, o options) (*thing, error) {
		switch o.Length {
		case 0:
			return nil, drivers.ErrSilent
		case 1:
			panic("a broken driver")
		}
		return &thing{o}, nil
	})
	for length, want := range []int{1, 1, 0} {
		l := &closer{}
		func() {
			defer func() { recover() }()
			if _, err := d.Open(l, &options{Length: length}); length == 0 && !errors.Is(err, drivers.ErrSilent) {
				t.Errorf("Open() = %v; want ErrSilent", err)
			}
		}()
		if l.closed != want {
			t.Errorf("Open() with length %d closed the line %d times; want %d", length, l.closed, want)
		}
	}
}

func TestCutAIM(t *testing.T) {
	for text, want := range map[string][2]string{
		"]F03319": {"]F0", "3319"}, "]E0978": {"]E0", "978"}, "3319": {"", "3319"}, "]F": {"", "]F"},
		"]?0x": {"", "]?0x"}, "]Fx1": {"", "]Fx1"}, "": {"", ""}, "]d2abc": {"]d2", "abc"},
	} {
		if aim, rest := drivers.CutAIM(text); aim != want[0] || rest != want[1] {
			t.Errorf("CutAIM(%q) = %q, %q; want %q", text, aim, rest, want)
		}
	}
}
