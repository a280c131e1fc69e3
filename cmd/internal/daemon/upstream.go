package daemon

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/koha"
	"github.com/carrel-kiosk/carrel/sync/refresh"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// Upstream is the library's system as it is configured.
type Upstream struct {
	kiosk.Upstream
	Where string         // as a person knows it
	Lists refresh.Source // nil if it has none to give
	close []io.Closer
}

var (
	_ kiosk.Undoer     = (*Upstream)(nil)
	_ kiosk.TimeTeller = (*Upstream)(nil)
	_ kiosk.Accountant = (*Upstream)(nil)
	_ kiosk.Holder     = (*Upstream)(nil)
)

// OpenUpstream makes it; nil without one. Nothing is connected yet.
func OpenUpstream(c *config.Config, log *slog.Logger) (*Upstream, error) {
	return openUpstream(c, log, nil)
}

// openUpstream is OpenUpstream with the kiosk's clock; nil: the machine's.
func openUpstream(c *config.Config, log *slog.Logger, clock *kiosk.Clock) (*Upstream, error) {
	u := &Upstream{}
	if conf := c.Upstream.SIP2; conf != nil {
		s := withProfile(c, *conf, log)
		s.Log, s.Clock = log, clock
		up, err := sip2.NewUpstream(s)
		if err != nil {
			return nil, err
		}
		u.Upstream, u.Where, u.close = up, "sip2 "+s.Address, append(u.close, up)
	}
	if conf := c.Upstream.Koha; conf != nil {
		k := *conf
		k.Log, k.Clock, k.Happened = log, clock, u.Upstream
		up, err := koha.New(k)
		if err != nil {
			return nil, errors.Join(err, u.Close())
		}
		u.Where = "koha " + k.URL + besides(u.Where)
		u.Upstream, u.Lists, u.close = up, up, append(u.close, up)
	}
	if u.Upstream == nil {
		return nil, nil
	}
	return u, nil
}

func besides(where string) string {
	if where == "" {
		return " (no returns: set [upstream.sip2])"
	}
	return ", " + where
}

// Lines is how many questions it takes at once.
func (u *Upstream) Lines() int {
	if l, ok := u.Upstream.(interface{ Lines() int }); ok {
		return l.Lines()
	}
	return 1
}

// Time implements kiosk.TimeTeller.
func (u *Upstream) Time() (kiosk.Reading, bool) {
	if t, ok := u.Upstream.(kiosk.TimeTeller); ok {
		return t.Time()
	}
	return kiosk.Reading{}, false
}

// Account implements kiosk.Accountant.
func (u *Upstream) Account(ctx context.Context, c kiosk.Card) (kiosk.Account, error) {
	if a, ok := u.Upstream.(kiosk.Accountant); ok {
		return a.Account(ctx, c)
	}
	return kiosk.Account{}, &kiosk.Error{Code: kiosk.CodeInvalid, Text: "this upstream tells nothing of accounts"}
}

// Holds implements kiosk.Holder.
func (u *Upstream) Holds() bool {
	h, ok := u.Upstream.(kiosk.Holder)
	return ok && h.Holds()
}

// PlaceHold implements kiosk.Holder.
func (u *Upstream) PlaceHold(ctx context.Context, c kiosk.Card, item kiosk.Barcode) (kiosk.Placed, error) {
	if h, ok := u.Upstream.(kiosk.Holder); ok {
		return h.PlaceHold(ctx, c, item)
	}
	return kiosk.Placed{}, &kiosk.Error{Code: kiosk.CodeInvalid, Text: "this upstream takes no reservations"}
}

// Undoes implements kiosk.Undoer.
func (u *Upstream) Undoes() bool {
	by, ok := u.Upstream.(kiosk.Undoer)
	return ok && by.Undoes()
}

// Undo implements kiosk.Undoer.
func (u *Upstream) Undo(ctx context.Context, e kiosk.Entry) error {
	if by, ok := u.Upstream.(kiosk.Undoer); ok {
		return by.Undo(ctx, e)
	}
	return &kiosk.Error{Code: kiosk.CodeInvalid, Text: "this upstream takes nothing back"}
}

// HeedsNoBlock tells the outbox's foresight what the ILS lends of what has
// happened already.
func (u *Upstream) HeedsNoBlock() bool {
	h, ok := u.Upstream.(interface{ HeedsNoBlock() bool })
	return ok && h.HeedsNoBlock()
}

// Close closes the connections.
func (u *Upstream) Close() error {
	var errs []error
	for _, c := range u.close {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
