// Package escpos drives receipt printers that speak ESC/POS: Epson TM and
// those that follow it (Star in that mode, Bixolon, Custom, HS-K33, POS58 and
// POS80 clones). USB through the kernel's usblp (/dev/usb/lp0), serial or USB
// serial 8N1, or TCP port 9100.
//
// A slip is ESC @, then for each line either the printer's own letters of one
// code page or a picture (GS v 0, in bands of 96 rows), then a feed of some
// lines, as the knife sits above the head, and a cut.
//
// The state is asked for in real time, DLE EOT n (10 04 n), with one byte for
// an answer:
//
//	n=1  bit 3 off line                n=2  bit 2 cover, 5 stopped for lack of paper, 6 error
//	n=3  bit 3 knife, 5 unrecoverable  n=4  bits 2+3 paper near its end, 5+6 paper out
//
// Bits 1 and 4 are always set, which tells an answer from what comes unasked
// (automatic status back). Many clones have no sensor for the near end; some
// answer nothing: silence is no lack of paper, and the option unknown says
// whether to print then. A question within a picture breaks it, so questions
// are asked before and after a slip only. Answers that nobody reads stop some
// printers (HS-K33): what waits is read away before each question.
//
// What a printer holds of a slip that failed would come out when paper is put
// in, in front of somebody else: DLE ENQ 2 (10 05 02) throws it away.
//
// Serial printers ask for pauses by CTS or DSR: see the option handshake.
//
// Sources: Epson's manuals of TM-T88III, TM-L60II and TM-U220 (status);
// python-escpos (commands, masks); lainuri's hs_k33.py (HS-K33: feed before the
// cut, bands, pause after ESC @, knife 1B 6D, cover bit the other way round).
// Not known: whether every clone obeys DLE ENQ 2; page numbers of clones.
package escpos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Config are the driver's options.
type Config struct {
	Paper     int              `toml:"paper" default:"80" help:"width of the roll in mm: 80 or 58"`
	Columns   int              `toml:"columns" default:"0" help:"letters in a line; 0: 48 on 80 mm, 32 on 58 mm; some printers have 42"`
	Dots      int              `toml:"dots" default:"0" help:"dots in a line; 0: 576 on 80 mm, 384 on 58 mm"`
	Text      string           `toml:"text" default:"auto" help:"codepage: the printer's own letters; raster: pictures of ours, for any script; auto: ours for the lines that it has no letters for"`
	Page      string           `toml:"page" default:"cp858" help:"code page: cp437, cp850, cp852, cp858, cp866, cp1252"`
	Number    int              `toml:"page_number" default:"-1" help:"what the printer calls that page (ESC t); -1: as Epson does"`
	Cut       string           `toml:"cut" default:"partial" help:"partial, full, old (ESC m, as HS-K33), none (it is torn off)"`
	Feed      int              `toml:"feed" default:"6" help:"lines fed before the cut: the knife sits above the head"`
	Cover     string           `toml:"cover_bit" default:"open" help:"what the cover's bit means when it is set: open, or closed (HS-K33)"`
	Unknown   string           `toml:"unknown" default:"print" help:"a printer that does not tell its state: print, or refuse"`
	Handshake string           `toml:"handshake" default:"auto" help:"serial lines: cts, dsr, none; auto: whichever of them is up when the port is opened"`
	Reply     drivers.Duration `toml:"reply" default:"500ms" help:"longest wait for one answer; 50ms to 5s"`
	Busy      drivers.Duration `toml:"busy" default:"10s" help:"longest wait for a printer that takes no more bytes; 1s to 60s"`
}

// Check tells what is wrong with the options.
func (c Config) Check() error {
	var bad []error
	wrong := func(key string, value any, must string) {
		bad = append(bad, fmt.Errorf("%s: %v: must be %s", key, value, must))
	}
	of := func(key, value string, choices ...string) {
		if !slices.Contains(choices, value) {
			wrong(key, fmt.Sprintf("%q", value), strings.Join(choices, " or "))
		}
	}
	within := func(key string, v, low, high int) {
		if v < low || v > high {
			wrong(key, v, fmt.Sprintf("%d to %d", low, high))
		}
	}
	if c.Paper != 58 && c.Paper != 80 {
		wrong("paper", c.Paper, "80 or 58")
	}
	if c.Columns != 0 {
		within("columns", c.Columns, 16, 96)
	}
	if c.Dots != 0 {
		within("dots", c.Dots, 128, 1024)
	}
	of("text", c.Text, "auto", "codepage", "raster")
	of("page", c.Page, slices.Sorted(maps.Keys(pages))...)
	within("page_number", c.Number, -1, 255)
	of("cut", c.Cut, slices.Sorted(maps.Keys(cuts))...)
	within("feed", c.Feed, 0, 40)
	of("cover_bit", c.Cover, "open", "closed")
	of("unknown", c.Unknown, "print", "refuse")
	of("handshake", c.Handshake, "auto", "cts", "dsr", "none")
	if r := time.Duration(c.Reply); r < 50*time.Millisecond || r > 5*time.Second {
		wrong("reply", r, "50ms to 5s")
	}
	if b := time.Duration(c.Busy); b < time.Second || b > time.Minute {
		wrong("busy", b, "1s to 60s")
	}
	return errors.Join(bad...)
}

func (c Config) dots() int {
	switch {
	case c.Dots > 0:
		return c.Dots
	case c.Paper == 58:
		return 384
	}
	return 576
}

func (c Config) columns() int {
	switch {
	case c.Columns > 0:
		return c.Columns
	case c.Paper == 58:
		return 32
	}
	return 48
}

func (c Config) number() int {
	if c.Number >= 0 {
		return c.Number
	}
	return pages[c.Page].number
}

// Driver is the family.
var Driver = drivers.Define("escpos",
	"Receipt printers that speak ESC/POS: Epson TM, Star, Bixolon, Custom, HS-K33, POS58 and POS80, rolls of 58 and 80 mm. "+
		"Wiring: USB, a path as /dev/carrel/04b8-0e15-SERIAL; serial or USB serial 8N1; network, tcp://host:9100. "+
		"Source: Epson's TM manuals; python-escpos; lainuri.", Open)

// Printer is an open printer.
type Printer struct {
	link  drivers.Link
	conf  Config
	wait  func() (clear bool, err error)
	dirty bool // it may hold something of a slip that failed
}

var _ drivers.Printer = (*Printer)(nil)

// Open takes a printer. One that says nothing is taken too: many never do.
func Open(l drivers.Link, c Config) (*Printer, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	p := &Printer{link: l, conf: c, dirty: true}
	p.handshake()
	if busy, ok := l.(drivers.Patient); ok {
		busy.Busy(time.Duration(c.Busy))
	}
	_, err := p.State()
	return p, err
}

// Close implements drivers.Printer.
func (p *Printer) Close() error { return p.link.Close() }

// settle is what HS-K33 needs after ESC @.
const settle = 250 * time.Millisecond

// Print implements drivers.Printer.
func (p *Printer) Print(ctx context.Context, s drivers.Slip) error {
	data, err := encode(s, p.conf)
	if err != nil {
		return err
	}
	if err := p.ready(); err != nil {
		return err
	}
	if p.dirty {
		if err := p.forget(); err != nil {
			return err
		}
	}
	p.dirty = true
	if err = p.send(ctx, initialise); err == nil {
		rest(ctx, settle)
		err = p.send(ctx, data)
	}
	state, asked := p.State() // why, if it failed; and whether it went well
	switch {
	case errors.Is(asked, drivers.ErrGone):
		return asked
	case state.Err() != nil:
		err = state.Err()
	case err == nil:
		p.dirty = false
		return nil
	}
	return errors.Join(err, p.forget())
}

// ready tells why nothing can be printed.
func (p *Printer) ready() error {
	s, err := p.State()
	switch {
	case err != nil:
		return err
	case !s.Known && p.conf.Unknown == "refuse":
		return fmt.Errorf("printer does not tell its state: %w", drivers.ErrSilent)
	}
	return s.Err()
}

// forget has the printer throw away what it holds.
func (p *Printer) forget() error {
	_, err := p.link.Write(clearError)
	return err
}

func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
