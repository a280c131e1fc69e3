package control

import (
	"context"
	"net/http"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Staff is what the running kiosk offers for the accounts of the staff. The
// times are the kiosk's, by whom it was is the caller's.
type Staff interface {
	// PutMember makes an account or changes it.
	PutMember(ctx context.Context, m kiosk.Member, by kiosk.Act) error
	// RemoveMember takes one away; an error if there is none.
	RemoveMember(ctx context.Context, badge kiosk.Card, by kiosk.Act) error
	// Note adds to the audit log.
	Note(ctx context.Context, a kiosk.Act) error
}

var _ Staff = (*Client)(nil)

// staffChange is the question.
type staffChange struct {
	Member kiosk.Member
	By     kiosk.Act
}

// StaffHandler serves accounts, and all else by next.
func StaffHandler(s Staff, next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.HandleFunc("POST /staff/put", answer(func(ctx context.Context, c staffChange) (any, error) {
		return struct{}{}, s.PutMember(ctx, c.Member, c.By)
	}))
	mux.HandleFunc("POST /staff/remove", answer(func(ctx context.Context, c staffChange) (any, error) {
		return struct{}{}, s.RemoveMember(ctx, c.Member.Badge, c.By)
	}))
	mux.HandleFunc("POST /staff/note", answer(func(ctx context.Context, a kiosk.Act) (any, error) { return struct{}{}, s.Note(ctx, a) }))
	return mux
}

// PutMember implements Staff.
func (c *Client) PutMember(ctx context.Context, m kiosk.Member, by kiosk.Act) error {
	_, err := ask[struct{}](ctx, c, "/staff/put", staffChange{m, by})
	return err
}

// RemoveMember implements Staff.
func (c *Client) RemoveMember(ctx context.Context, badge kiosk.Card, by kiosk.Act) error {
	_, err := ask[struct{}](ctx, c, "/staff/remove", staffChange{kiosk.Member{Badge: badge}, by})
	return err
}

// Note implements Staff.
func (c *Client) Note(ctx context.Context, a kiosk.Act) error {
	_, err := ask[struct{}](ctx, c, "/staff/note", a)
	return err
}
