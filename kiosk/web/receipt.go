package web

import (
	"context"
	"fmt"
	"image"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Receipts make of a receipt what the screen shows of it.
type Receipts interface {
	// Code is the receipt itself as the dark dots of a QR code, in rows, without
	// a margin.
	Code(r kiosk.Receipt) ([][]bool, error)
	// Preview is a patron's receipt on everything that it may come on, in a style.
	Preview(r kiosk.Receipt, p kiosk.Patron, s kiosk.ReceiptStyle) ReceiptPreview
	// Style is the one that counts: what staff has set, or what is configured.
	Style() kiosk.ReceiptStyle
	// PutStyle sets another, which counts from the next receipt on, and notes who
	// did; one that is not Set gives what is configured back.
	PutStyle(ctx context.Context, s kiosk.ReceiptStyle, by kiosk.Act) error
	// StyleBefore is the one before; kiosk.ErrUnknown if none was ever set.
	StyleBefore(ctx context.Context) (kiosk.ReceiptStyle, error)
}

// ReceiptPreview is a receipt for staff to look at.
type ReceiptPreview struct {
	Paper         *image.Gray
	Subject, Mail string
	Code          string // what a phone reads; empty: there is no code
	Dots          [][]bool
	Broken        error // what is wrong with the library's templates
}

// Scan is the receipt as a QR code to be drawn, nil where there is none.
func (v view) Scan() *dots {
	if v.receipts == nil || v.View != kiosk.ViewReceipt {
		return nil
	}
	r := v.Screen.Receipt()
	r.Language = v.Tag
	rows, err := v.receipts.Code(r)
	if err != nil || len(rows) == 0 {
		return nil
	}
	d := draw(rows)
	return &d
}

// SlipLogo is the address of the logo on the slip, "" where the library shows none.
func (v view) SlipLogo() string {
	if v.Logo == "" || v.receipts == nil || !v.receipts.Style().Logo {
		return ""
	}
	return v.Logo
}

// dots is a square picture of dots.
type dots struct {
	Size int    // of a side, with the margin of four dots that scanners want
	Path string // of an SVG
}

// draw makes a path of runs of dark dots.
func draw(rows [][]bool) dots {
	const margin = 4
	var b strings.Builder
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			run := 0
			for x+run < len(row) && row[x+run] {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+margin, y+margin, run, run)
				x += run
			}
		}
	}
	return dots{Size: len(rows) + 2*margin, Path: b.String()}
}

// Way is a way to take the receipt along, as the screen offers it.
type Way struct {
	How   string // the touch
	Icon  string
	State kiosk.Handed
	Text  string // what the button says, or what became of it
	Again string // the button's text after it has failed
}

// Ways lists them, without the code.
func (v view) Ways() (list []Way) {
	if st := v.Slip.Print; st != kiosk.NotOffered {
		list = append(list, Way{"print", "print", st, v.printing(st), v.T("receipt.again")})
	}
	if st := v.Slip.Mail; st != kiosk.NotOffered {
		list = append(list, Way{"mail", "mail", st, v.mailing(st), v.T("receipt.mail.again")})
	}
	return list
}

func (v view) printing(st kiosk.Handed) string {
	switch st {
	case kiosk.Offered:
		return v.T("receipt.print")
	case kiosk.Working:
		return v.T("receipt.printing")
	case kiosk.HandedOver:
		return v.T("receipt.printed")
	case kiosk.NoPaper:
		return v.T("receipt.no-paper")
	}
	return v.T("receipt.print.failed")
}

func (v view) mailing(st kiosk.Handed) string {
	to := clean(v.Slip.Address)
	switch st {
	case kiosk.Offered:
		return v.T("receipt.mail", "address", to)
	case kiosk.Working:
		return v.T("receipt.mailing")
	case kiosk.HandedOver:
		return v.T("receipt.mailed", "address", to)
	}
	return v.T("receipt.mail.failed")
}

// Offered tells whether there is something to touch.
func (w Way) Offered() bool { return w.State == kiosk.Offered }

// Failed tells whether it may be tried again.
func (w Way) Failed() bool { return w.State == kiosk.Failed || w.State == kiosk.NoPaper }

// Working tells whether it is under way.
func (w Way) Working() bool { return w.State == kiosk.Working }

// sampleReceipt is one of nobody.
func sampleReceipt(now time.Time, zone *time.Location) kiosk.Receipt {
	due := now.In(zone).AddDate(0, 0, 21)
	lines := []kiosk.Line{
		{Item: "30417000010157", Title: "Charlotte's Web", Kind: kiosk.Checkout, State: kiosk.LineLent, Due: due},
		{Item: "30417000010165", Title: "Le Petit Prince", Kind: kiosk.Checkout, State: kiosk.LineLent, Due: due},
		{Item: "30417000010173", Title: "كتاب الأدغال", Kind: kiosk.Checkout, State: kiosk.LineLent, Due: due},
		{Item: "30417000010181", Title: "西游记", Kind: kiosk.Renew, State: kiosk.LineRenewed, Due: due.AddDate(0, 0, 7)},
		{Item: "30417000010199", Title: "Дванадцять місяців", Kind: kiosk.Checkout, State: kiosk.LineRefused, Reason: kiosk.ReasonOnHold},
	}
	return kiosk.Receipt{Mode: kiosk.Borrowing, At: now, Lines: lines}
}
