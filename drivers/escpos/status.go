package escpos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// State implements drivers.Printer. A printer that is silent at the first
// question is not asked the others.
func (p *Printer) State() (drivers.PrinterState, error) {
	var s drivers.PrinterState
	for n := byte(1); n <= 4; n++ {
		b, err := p.ask(n)
		switch {
		case errors.Is(err, drivers.ErrSilent) && n == 1:
			return drivers.PrinterState{}, nil
		case errors.Is(err, drivers.ErrSilent):
			continue
		case err != nil:
			return drivers.PrinterState{}, err
		}
		s.Known = true
		p.read(n, b, &s)
	}
	return s, nil
}

// read takes one answer in.
func (p *Printer) read(n, b byte, s *drivers.PrinterState) {
	switch n {
	case 1:
		s.Offline = b&0x08 != 0
	case 2:
		s.Open = b&0x04 != 0 == (p.conf.Cover == "open")
		s.NoPaper = s.NoPaper || b&0x20 != 0
		s.Broken = s.Broken || b&0x40 != 0 && !s.Open && b&0x20 == 0
	case 3:
		s.Broken = s.Broken || b&0x28 != 0
	case 4:
		s.NoPaper = s.NoPaper || b&0x60 == 0x60
		s.LowPaper = b&0x0C == 0x0C
	}
}

// genuine tells an answer to DLE EOT from what comes unasked.
func genuine(b byte) bool { return b&0x12 == 0x12 && b&0x01 == 0 }

// ask asks one question: ErrSilent where no answer comes in time.
func (p *Printer) ask(n byte) (byte, error) {
	if err := p.drain(); err != nil {
		return 0, err
	}
	if _, err := p.link.Write([]byte{0x10, 0x04, n}); err != nil {
		return 0, err
	}
	if err := p.link.Patience(time.Duration(p.conf.Reply)); err != nil {
		return 0, err
	}
	var buf [16]byte
	for end := time.Now().Add(time.Duration(p.conf.Reply)); ; {
		k, err := p.link.Read(buf[:])
		for _, b := range buf[:k] {
			if genuine(b) {
				return b, nil
			}
		}
		switch {
		case err != nil:
			return 0, err
		case !time.Now().Before(end): // it sends, and nothing of it is an answer
			return 0, drivers.ErrSilent
		}
	}
}

// drain reads away what nobody has asked for; no printer sends for ever.
func (p *Printer) drain() error {
	if err := p.link.Patience(time.Millisecond); err != nil {
		return err
	}
	var buf [64]byte
	for range 64 {
		if _, err := p.link.Read(buf[:]); errors.Is(err, drivers.ErrSilent) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return errors.New("printer sends without end")
}

// handshake chooses the line by which the printer asks for pauses. Ports
// without such lines have none.
func (p *Printer) handshake() {
	paced, ok := p.link.(drivers.Paced)
	if !ok || p.conf.Handshake == "none" {
		return
	}
	cts, dsr, err := paced.Clear()
	if err != nil {
		return
	}
	if p.conf.Handshake == "cts" || p.conf.Handshake == "auto" && cts {
		p.wait = func() (bool, error) { cts, _, err := paced.Clear(); return cts, err }
	} else if p.conf.Handshake == "dsr" || dsr {
		p.wait = func() (bool, error) { _, dsr, err := paced.Clear(); return dsr, err }
	}
}

// portion is what a printer still takes after it has asked for a pause.
const portion = 64

// send writes, and where the line has a handshake waits when it is asked to.
func (p *Printer) send(ctx context.Context, data []byte) error {
	if p.wait == nil {
		return p.write(data)
	}
	for len(data) > 0 {
		if err := p.clear(ctx); err != nil {
			return err
		}
		n := min(portion, len(data))
		if err := p.write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

func (p *Printer) write(data []byte) error {
	_, err := p.link.Write(data)
	return err
}

// clear waits until the printer takes bytes.
func (p *Printer) clear(ctx context.Context) error {
	for end := time.Now().Add(time.Duration(p.conf.Busy)); ; {
		ok, err := p.wait()
		switch {
		case err != nil || ok:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !time.Now().Before(end):
			return fmt.Errorf("printer takes no more: %w (is the cable wired for handshake? the option handshake = \"none\" does without)", drivers.ErrSilent)
		}
		rest(ctx, 5*time.Millisecond)
	}
}
