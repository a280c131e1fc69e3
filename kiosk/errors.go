package kiosk

import (
	"errors"
	"fmt"
	"strings"
)

// Code is the class of an error; it decides what follows, text never does.
type Code string

// The codes. See the table in package outbox for what follows from each.
const (
	CodeRefused  Code = "refused"  // a clear no: nothing was changed
	CodeOffline  Code = "offline"  // the question certainly did not take effect
	CodeUnsure   Code = "unsure"   // the question was sent and not answered
	CodeInvalid  Code = "invalid"  // the question makes no sense to the other side
	CodeInternal Code = "internal" // something is broken
)

// Error is an error with a class.
type Error struct {
	Code   Code
	Reason Reason // for CodeRefused: why, if known
	Text   string // the other side's own words; for staff, never raw to a patron
	Err    error  // what happened underneath; may be nil
}

func (e *Error) Error() string {
	s := string(e.Code)
	if e.Reason != "" {
		s += " (" + string(e.Reason) + ")"
	}
	if e.Text != "" {
		s += fmt.Sprintf(": %q", e.Text)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Words is an error for people: what somebody has asked wrongly needs no code,
// and no quotes.
func Words(err error) string {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != CodeInvalid || e.Text == "" || e.Err != nil {
		return err.Error()
	}
	return strings.Replace(err.Error(), e.Error(), e.Text, 1)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf gives the class of err: that of the first *Error in its chain,
// CodeInternal for any other error, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// ErrUnknown says that the mirror has no such item, patron or loan.
var ErrUnknown = errors.New("unknown")
