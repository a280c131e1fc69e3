package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"path/filepath"
	"sync"
	"time"

	"github.com/boombuler/barcode/qr"

	"github.com/carrel-kiosk/carrel/cmd/internal/mail"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/receipt"
	"github.com/carrel-kiosk/carrel/kiosk/typeset"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// receipts hands receipts over: the one place where they become paper or mail.
// Nothing of one is kept after that, whether it went well or not.
type receipts struct {
	*Daemon
	speak  func(tag string) web.Words
	setter *typeset.Setter
	mail   *mail.Server // nil: there is none
	jobs   chan printJob
	style  setting[kiosk.ReceiptStyle]

	mu        sync.Mutex
	templates *receipt.Templates
	printers  int   // how many are open
	fault     error // why the printer that was asked last does not print
}

// printJob is a slip on its way to the goroutine that owns the printer.
type printJob struct {
	ctx  context.Context
	slip drivers.Slip
	done chan error // takes one
}

func newReceipts(d *Daemon) (*receipts, error) {
	speak, err := web.Speaker(d.Config.Kiosk.Languages)
	if err != nil {
		return nil, err
	}
	setter, err := typeset.New()
	if err != nil {
		return nil, err
	}
	r := &receipts{Daemon: d, speak: speak, setter: setter, mail: d.Config.Receipts.Mail.Sender(), jobs: make(chan printJob)}
	r.style = setting[kiosk.ReceiptStyle]{Daemon: d, name: "receipts", show: func(kiosk.ReceiptStyle) {}}
	if err := r.load(); err != nil {
		d.Log.Error("a template of a receipt can't be used; ours is", "err", err)
	}
	return r, nil
}

// load reads the library's templates.
func (r *receipts) load() error {
	t, err := receipt.Load(filepath.Join(r.Config.Kiosk.Data, "receipts"))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.templates = t
	return err
}

func (r *receipts) now() *receipt.Templates {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.templates
}

func (r *receipts) doc(k kiosk.Receipt) receipt.Doc { return r.styled(k, r.Style()) }

func (r *receipts) styled(k kiosk.Receipt, s kiosk.ReceiptStyle) receipt.Doc {
	c := r.Config.Kiosk
	return receipt.New(k, receipt.Place{Library: cmp.Or(r.brand().Name, c.Title, c.Library), Zone: r.Config.Location, Head: s.Head, Foot: s.Foot, NoDates: !s.Dates}, r.speak(k.Language))
}

// brand is how the library wants its kiosk to look.
func (r *receipts) brand() kiosk.Brand {
	if r.brands == nil {
		return kiosk.Brand{}
	}
	return r.brands.Brand()
}

// deliver hands one over, for the desk.
func (r *receipts) deliver(ctx context.Context, d kiosk.Deliver) error {
	doc := r.doc(d.Receipt)
	if d.How != kiosk.Mail {
		return r.print(ctx, r.slip(doc, r.Style()))
	}
	if r.mail == nil {
		return errors.New("no mail server is configured")
	}
	subject, body := r.now().Mail(doc)
	return r.mail.Send(ctx, mail.Message{To: d.Address, Subject: subject, Body: body, At: d.Receipt.At})
}

// print gives a slip to the first printer that is free. Without one it does
// not wait.
func (r *receipts) print(ctx context.Context, s drivers.Slip) error {
	r.mu.Lock()
	open, fault := r.printers > 0, r.fault
	r.mu.Unlock()
	switch {
	case !open:
		return errors.New("no printer works")
	case fault != nil:
		return asked(fault)
	}
	job := printJob{ctx, s, make(chan error, 1)}
	select {
	case r.jobs <- job:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-job.done:
		return asked(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// asked is a printer's error in the desk's words.
func asked(err error) error {
	if errors.Is(err, drivers.ErrNoPaper) || errors.Is(err, drivers.ErrCover) {
		return fmt.Errorf("%w (%w)", kiosk.ErrNoPaper, err)
	}
	return err
}

// askPrinter is how often a printer that has nothing to do is asked how it is.
const askPrinter = 3 * time.Second

// run owns a printer until it fails or ctx ends.
func (r *receipts) run(ctx context.Context, name string, p drivers.Printer) error {
	defer p.Close()
	r.open(1)
	defer r.open(-1)
	tick := time.NewTicker(askPrinter)
	defer tick.Stop()
	low := false
	for {
		s, err := p.State()
		if err != nil {
			return err
		}
		r.is(name, s.Err())
		if s.LowPaper && !low {
			r.Log.Warn("the paper is near its end", "device", name)
		}
		low = s.LowPaper
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case job := <-r.jobs:
			err := p.Print(job.ctx, job.slip)
			job.done <- err
			if errors.Is(err, drivers.ErrGone) {
				return err
			}
		}
	}
}

func (r *receipts) open(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.printers += n
	r.fault = nil
}

// is shows what is wrong with a printer as a fault, until it is mended.
func (r *receipts) is(name string, err error) {
	r.mu.Lock()
	was := r.fault
	r.fault = err
	r.mu.Unlock()
	switch {
	case err != nil && (was == nil || was.Error() != err.Error()):
		r.Log.Warn("the printer does not print", "device", name, "err", err)
		r.desk.Fault(kiosk.Fault{Source: name, Text: err.Error()})
	case err == nil && was != nil:
		r.Log.Info("the printer prints again", "device", name)
		r.desk.Mend(name)
	}
}

// Sizes of letters that are drawn, in dots of an eighth of a millimetre.
const (
	letters    = 26
	bigLetters = 44
)

// slip lays a receipt out for a printer.
func (r *receipts) slip(d receipt.Doc, style kiosk.ReceiptStyle) drivers.Slip {
	s := drivers.Slip{Draw: func(l drivers.SlipLine, dots int) (image.Image, error) { return r.draw(l, dots), nil }}
	if style.Logo {
		if logo := paperLogo(r.brand().Logo); logo != nil {
			s.Lines = append(s.Lines, drivers.SlipLine{Picture: logo, Align: drivers.AlignCenter})
		}
	}
	for _, l := range r.now().Paper(d) {
		line := drivers.SlipLine{Text: l.Text, Right: d.Right, Bold: l.Bold, Big: l.Big, Rule: l.Rule}
		switch {
		case l.Center:
			line.Align = drivers.AlignCenter
		case l.End:
			line.Align = drivers.AlignEnd
		}
		s.Lines = append(s.Lines, line)
	}
	return s
}

func (r *receipts) draw(l drivers.SlipLine, dots int) *image.Gray {
	size := letters
	if l.Big {
		size = bigLetters
	}
	return r.setter.Draw(l.Text, dots, typeset.Style{Size: size, Bold: l.Bold, Right: l.Right, Align: typeset.Align(l.Align)})
}

var _ web.Receipts = (*receipts)(nil)

// Code implements web.Receipts.
func (r *receipts) Code(k kiosk.Receipt) ([][]bool, error) {
	if !r.Style().Code {
		return nil, nil
	}
	return dots(r.now().Code(r.doc(k)))
}

// dots is a text as the dark dots of a QR code, in rows.
func dots(text string) ([][]bool, error) {
	c, err := qr.Encode(text, qr.L, qr.Unicode)
	if err != nil {
		return nil, err
	}
	b := c.Bounds()
	rows := make([][]bool, b.Dy())
	for y := range rows {
		rows[y] = make([]bool, b.Dx())
		for x := range rows[y] {
			rows[y][x] = c.At(b.Min.X+x, b.Min.Y+y) == color.Black
		}
	}
	return rows, nil
}

// paperDots is how wide the paper of the preview is.
const paperDots = 576

// Preview implements web.Receipts. It reads the templates again, and they hold
// from then on.
func (r *receipts) Preview(k kiosk.Receipt, p kiosk.Patron, style kiosk.ReceiptStyle) web.ReceiptPreview {
	broken := r.load()
	d := r.styled(style.Over(r.Config.Rules().Receipts).Of(k, p), style)
	v := web.ReceiptPreview{Broken: broken}
	if style.Code {
		v.Code = r.now().Code(d)
		v.Dots, _ = dots(v.Code) //nolint:errcheck // a text that has no room in a code is shown as it is
	}
	v.Subject, v.Mail = r.now().Mail(d)
	var parts []image.Image
	for _, l := range r.slip(d, style).Lines {
		switch {
		case l.Picture != nil:
			parts = append(parts, inMiddle(l.Picture, paperDots))
		case l.Rule:
			parts = append(parts, typeset.Rule(paperDots))
		default:
			parts = append(parts, r.draw(l, paperDots))
		}
	}
	v.Paper = typeset.Below(parts...)
	return v
}
