package control

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// failure is an error as it goes over the socket: who asks the daemon is to tell
// one class from another, as who has opened the ledger itself.
type failure struct {
	Error   string     `json:"error"`
	Code    kiosk.Code `json:"code"`
	Unknown bool       `json:"unknown,omitempty"` // what was asked about is not there
}

func failureOf(err error) *failure {
	return &failure{Error: kiosk.Words(err), Code: kiosk.CodeOf(err), Unknown: errors.Is(err, kiosk.ErrUnknown)}
}

// err is the error again, with the same words, class and kind.
func (f *failure) err() error {
	says := &said{f.Error, []error{&kiosk.Error{Code: f.Code}}}
	if f.Unknown {
		says.is = append(says.is, kiosk.ErrUnknown)
	}
	return says
}

// said is an error with words of its own.
type said struct {
	text string
	is   []error
}

func (s *said) Error() string   { return s.text }
func (s *said) Unwrap() []error { return s.is }

// lost is why an answer did not come, or not to its end: nobody knows what the
// daemon has done. Where it was not reached, it has done nothing.
func lost(err error) error {
	code := kiosk.CodeUnsure
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		code = kiosk.CodeOffline
	}
	return &said{err.Error(), []error{&kiosk.Error{Code: code}, err}}
}

// brokeOff is lost of an answer that had begun.
func brokeOff(err error) error { return lost(fmt.Errorf("the daemon broke off: %w", err)) }

// class is the header of the class of an error that is answered as text.
const class = "Carrel-Error"

// fail answers with an error.
func fail(w http.ResponseWriter, err error) {
	f, status := failureOf(err), http.StatusInternalServerError
	switch {
	case f.Unknown:
		status = http.StatusNotFound
	case f.Code == kiosk.CodeInvalid:
		status = http.StatusBadRequest
	}
	w.Header().Set(class, string(f.Code))
	http.Error(w, f.Error, status)
}

// failed is the error of an answer.
func failed(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<12))
	f := failure{Error: strings.TrimSpace(string(text)), Code: kiosk.CodeInternal}
	if code := resp.Header.Get(class); code != "" { // none: there is no such question
		f.Code, f.Unknown = kiosk.Code(code), resp.StatusCode == http.StatusNotFound
	}
	return f.err()
}
