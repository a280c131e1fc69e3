package drivers_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
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

func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		begin := time.Now()
		var tries []time.Duration
		var states []bool
		open := func(context.Context) (int, error) {
			tries = append(tries, time.Since(begin))
			if n := len(tries); n <= 8 {
				return 0, errors.New("missing")
			} else if n == 9 {
				panic("a broken driver")
			}
			return len(tries), nil
		}
		use := func(ctx context.Context, n int) error {
			if n == 10 {
				time.Sleep(time.Minute) // works for long, then is unplugged
				return drivers.ErrGone
			}
			<-ctx.Done()
			return nil
		}
		go func() { time.Sleep(3 * time.Minute); cancel() }()
		drivers.Keep(ctx, open, use, func(s drivers.State) { states = append(states, s.Working) })

		ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
		want := []time.Duration{0, ms(250), ms(750), ms(1750), ms(3750), ms(7750), ms(15750), ms(30750), ms(45750), ms(60750), ms(121000)}
		if !slices.Equal(tries, want) {
			t.Errorf("tried at %v; want %v", tries, want)
		}
		wantStates := append(slices.Repeat([]bool{false}, 9), true, false, true)
		if !slices.Equal(states, wantStates) {
			t.Errorf("states = %v; want %v", states, wantStates)
		}
	})
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
