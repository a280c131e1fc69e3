package daemon

import (
	"context"
	"errors"
	"sync"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/password"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// accounts are staff's, and the log of what staff does.
type accounts struct{ *Daemon }

var (
	_ web.Accounts  = accounts{}
	_ web.Audit     = accounts{}
	_ control.Staff = accounts{}
)

// nobody's hash: a badge that is nobody's takes as long as another.
var nobodys = sync.OnceValue(func() password.Hash {
	line, err := password.Make("nobody's")
	h, e2 := password.Parse(line)
	if err = errors.Join(err, e2); err != nil {
		panic(err) // what was made can be read
	}
	return h
})

// Enter implements web.Accounts.
func (a accounts) Enter(ctx context.Context, badge kiosk.Card, secret string) (kiosk.Member, bool, error) {
	m, err := a.store.Member(ctx, badge)
	if errors.Is(err, kiosk.ErrUnknown) {
		nobodys().Check(secret)
		return kiosk.Member{}, false, nil
	}
	if err != nil {
		return m, false, err
	}
	h, err := password.Parse(m.Hash)
	return m, err == nil && h.Check(secret), err
}

// Member implements web.Accounts.
func (a accounts) Member(ctx context.Context, badge kiosk.Card) (kiosk.Member, error) {
	return a.store.Member(ctx, badge)
}

// Members implements web.Accounts.
func (a accounts) Members(ctx context.Context) ([]kiosk.Member, error) { return a.store.Members(ctx) }

// Note implements web.Audit.
func (a accounts) Note(ctx context.Context, act kiosk.Act) error {
	if act.At.IsZero() {
		act.At = a.clock.Now()
	}
	return a.store.Note(ctx, act)
}

// Acts implements web.Audit.
func (a accounts) Acts(ctx context.Context, f kiosk.ActFilter) ([]kiosk.Act, error) {
	return a.store.Acts(ctx, f)
}

// PutMember implements control.Staff.
func (a accounts) PutMember(ctx context.Context, m kiosk.Member, by kiosk.Act) error {
	m.Since, by.At = a.clock.Now(), a.clock.Now()
	return a.store.PutMember(ctx, m, by)
}

// RemoveMember implements control.Staff.
func (a accounts) RemoveMember(ctx context.Context, badge kiosk.Card, by kiosk.Act) error {
	by.At = a.clock.Now()
	return a.store.RemoveMember(ctx, badge, by)
}
