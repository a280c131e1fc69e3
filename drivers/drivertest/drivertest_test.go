package drivertest_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
)

const exchange = `# a question, an answer in two parts, a code
> 05 00 52 00 FC A8
= 30ms
< 06 00
< 52 00 15 6E
= 1.5s
< "31234000010064\r"
!
`

func tape(t *testing.T, text string) drivertest.Tape {
	t.Helper()
	tp, err := drivertest.ReadTape(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return tp
}

func TestReadTape(t *testing.T) {
	tp := tape(t, exchange)
	if len(tp) != 7 || !bytes.Equal(tp[0].Data, []byte{5, 0, 0x52, 0, 0xfc, 0xa8}) || tp[4].Wait != 1500*time.Millisecond ||
		string(tp[5].Data) != "31234000010064\r" || tp[6].Kind != drivertest.Unplug {
		t.Errorf("ReadTape() = %+v", tp)
	}
	if _, after, _ := strings.Cut(exchange, "\n"); tp.String() != after {
		t.Errorf("String() = %s\nwant %s", tp, after)
	}
	for _, bad := range []string{"x", "> 0", "> ", "> GG", `< "`, `< ""`, "= 5", "= -1s", "= 0s", "! now", "< " + strings.Repeat("00", 40_000)} {
		if _, err := drivertest.ReadTape(strings.NewReader(bad)); err == nil {
			t.Errorf("ReadTape(%.20q) takes it", bad)
		}
	}
}

func FuzzTape(f *testing.F) {
	f.Add(exchange)
	f.Add("< \"\\x00\\u00e9\"\n> 0d0a")
	f.Fuzz(func(t *testing.T, text string) {
		tp, err := drivertest.ReadTape(strings.NewReader(text))
		if err != nil {
			return
		}
		again, err := drivertest.ReadTape(strings.NewReader(tp.String()))
		if err != nil || !reflect.DeepEqual(again, tp) {
			t.Errorf("%q reads as %v, written and read again: %v, %v", text, tp, again, err)
		}
	})
}

// play asks the question of exchange and reads until the device is gone.
func play(t *testing.T, l drivers.Link) string {
	t.Helper()
	var got []byte
	l.Patience(100 * time.Millisecond)
	if _, err := l.Write([]byte{5, 0, 0x52}); err != nil { // in two parts
		t.Fatal(err)
	}
	if _, err := l.Write([]byte{0, 0xfc, 0xa8}); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 5)
	for silent := 0; silent < 50; {
		n, err := l.Read(p)
		got = append(got, p[:n]...)
		switch {
		case errors.Is(err, drivers.ErrGone):
			return string(got)
		case errors.Is(err, drivers.ErrSilent):
			silent++
		case err != nil:
			t.Fatal(err)
		}
	}
	t.Fatal("the device is never gone")
	return ""
}

func TestPlaybackAndRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notes bytes.Buffer
		begin := time.Now()
		l := drivertest.Record(drivertest.Playback(t, tape(t, exchange)), &notes)
		if got, want := play(t, l), "\x06\x00\x52\x00\x15\x6e31234000010064\r"; got != want {
			t.Errorf("read %q; want %q", got, want)
		}
		if took := time.Since(begin); took != 1530*time.Millisecond {
			t.Errorf("took %v; want what the tape took, 1.53s", took)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		// The record plays as the tape did.
		if got, want := play(t, drivertest.Playback(t, tape(t, notes.String()))), "\x06\x00\x52\x00\x15\x6e31234000010064\r"; got != want {
			t.Errorf("the record plays %q; want %q\n%s", got, want, &notes)
		}
	})
}

// complaints is a test that is expected to fail.
type complaints struct {
	testing.TB
	n    int
	last func()
}

func (c *complaints) Error(...any)          { c.n++ }
func (c *complaints) Errorf(string, ...any) { c.n++ }
func (c *complaints) Cleanup(f func())      { c.last = f }

// TestPlaybackComplains: a driver that does other things than the tape fails.
func TestPlaybackComplains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, do := range map[string]func(drivers.Link){
			"other bytes":      func(l drivers.Link) { l.Write([]byte{6}) },
			"too many bytes":   func(l drivers.Link) { l.Write([]byte{5, 0, 0x52, 0, 0xfc, 0xa8, 1}) },
			"write unread":     func(l drivers.Link) { l.Write([]byte{5, 0, 0x52, 0, 0xfc, 0xa8}); l.Write([]byte{1}) },
			"stops too early":  func(l drivers.Link) { l.Write([]byte{5, 0, 0x52}) },
			"read after Close": func(l drivers.Link) { play(t, l); l.Close(); l.Read(nil) },
		} {
			c := &complaints{TB: t}
			do(drivertest.Playback(c, tape(t, exchange)))
			if c.last(); c.n == 0 {
				t.Errorf("%s: no complaint", name)
			}
		}
		c := &complaints{TB: t}
		play(t, drivertest.Playback(c, tape(t, exchange)))
		if c.last(); c.n != 0 {
			t.Errorf("%d complaints about a driver that does as the tape", c.n)
		}
	})
}

func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if n, err := (drivertest.Silent{}).Read(make([]byte, 8)); n != 0 || !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("Read() = %d, %v; want ErrSilent", n, err)
		}
	})
}

func TestFlaky(t *testing.T) {
	text := strings.Repeat("31234000010064\r", 200)
	read := func(f *drivertest.Flaky) (string, int, error) {
		f.Link = drivertest.Playback(&complaints{TB: t}, drivertest.Tape{{Kind: drivertest.Device, Data: []byte(text)}})
		f.Link.Patience(time.Millisecond)
		f.Rand = rand.New(rand.NewPCG(1, 1))
		var b strings.Builder
		for reads := 0; ; reads++ {
			p := make([]byte, 64)
			n, err := f.Read(p)
			b.Write(p[:n])
			if err != nil {
				return b.String(), reads, err
			}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		got, reads, err := read(&drivertest.Flaky{})
		if got != text || reads < len(text)/8 || !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("%d bytes in %d reads, %v; want all %d, a few at a time", len(got), reads, err, len(text))
		}
		if got, _, _ := read(&drivertest.Flaky{Parity: 0.1}); strings.Count(got, "\x00") < 200 || strings.Count(got, "\x00") > 400 {
			t.Errorf("%d of %d bytes are NUL; want a tenth", strings.Count(got, "\x00"), len(text))
		}
		if _, reads, err := read(&drivertest.Flaky{Life: 20}); reads != 20 || !errors.Is(err, drivers.ErrGone) {
			t.Errorf("%d reads, %v; want 20, ErrGone", reads, err)
		}
	})
	if _, err := io.WriteString(drivertest.Silent{}, "x"); err != nil {
		t.Error(err)
	}
}
