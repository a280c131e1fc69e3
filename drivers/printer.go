package drivers

import (
	"context"
	"errors"
	"image"
)

// Printer prints slips of paper. One goroutine owns it. No call waits longer
// than the driver's options say.
type Printer interface {
	// Print prints a slip and cuts it off. It returns nil when the printer has
	// taken all of it and complains of nothing. After an error part of the slip
	// may be on paper; what the printer still holds of it is thrown away, so
	// that it does not come out before somebody else. ctx ends the wait, not the
	// slip.
	Print(ctx context.Context, s Slip) error
	// State asks the printer how it is. One that does not answer is no error
	// (Known is false); ErrGone is.
	State() (PrinterState, error)
	Close() error
}

// PrinterState is what a printer says of itself.
type PrinterState struct {
	Known    bool // it has answered; else nothing below means anything
	NoPaper  bool // the roll has run out
	LowPaper bool // the roll is near its end; printers without that sensor never say so
	Open     bool // the cover is open
	Broken   bool // the knife is stuck, or another error that needs a person
	Offline  bool // it does not print now, for a reason above or another, as its feed button
}

// Err is why it does not print, nil if it does as far as is known.
func (s PrinterState) Err() error {
	switch {
	case !s.Known:
		return nil
	case s.Open:
		return ErrCover
	case s.NoPaper:
		return ErrNoPaper
	case s.Broken:
		return ErrBroken
	case s.Offline:
		return ErrOffline
	}
	return nil
}

// Why a printer does not print.
var (
	ErrNoPaper = errors.New("printer is out of paper")
	ErrCover   = errors.New("cover of the printer is open")
	ErrBroken  = errors.New("printer reports an error: its knife is stuck, or it is too hot")
	ErrOffline = errors.New("printer is off line")
)

// Slip is what goes on one piece of paper, from its top.
type Slip struct {
	Lines []SlipLine

	// Draw makes a picture of a line, at most dots wide and as high as it needs,
	// where the printer has no letters for its text. nil: such letters are
	// printed without their marks, or as '?'.
	Draw func(l SlipLine, dots int) (image.Image, error)
}

// SlipLine is one line of a slip: a picture, or text, which goes on below
// itself where it is too long. Without either it is an empty line.
type SlipLine struct {
	Text    string
	Align   Align
	Right   bool // it runs from right to left: its start is at the right
	Bold    bool
	Big     bool        // letters of double width and height
	Rule    bool        // a line across the paper, instead
	Picture image.Image // instead of text; what is darker than half grey is printed
}

// Align is where a line stands.
type Align int

// The alignments.
const (
	AlignStart Align = iota
	AlignCenter
	AlignEnd
)
