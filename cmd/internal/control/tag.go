package control

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/station"
)

// Tags is what the running kiosk offers for preparing tags and for the work
// list.
type Tags interface {
	station.Ops
	Look(ctx context.Context) ([]station.Found, error)
	Lock(ctx context.Context, tag kiosk.TagID) (station.Result, error)
	// Done tells that nothing more is to be done with tags, for now: the desk
	// soon has pad and scanner again.
	Done(ctx context.Context) error
	// Clear takes a tag off the work list; ErrUnknown if it is not on it.
	Clear(ctx context.Context, tag kiosk.TagID, note string) error
}

var _ Tags = (*Client)(nil)

// maxBody is the longest question, in bytes: a list of some ten thousand items
// that are wanted.
const maxBody = 8 << 20

// TagHandler serves tags, and all else by next.
func TagHandler(t Tags, next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.HandleFunc("POST /tag/list", answer(func(ctx context.Context, _ struct{}) (any, error) { return t.List(ctx) }))
	mux.HandleFunc("POST /tag/look", answer(func(ctx context.Context, _ struct{}) (any, error) { return t.Look(ctx) }))
	mux.HandleFunc("POST /tag/put", answer(func(ctx context.Context, w station.Wish) (any, error) { return t.Put(ctx, w) }))
	mux.HandleFunc("POST /tag/restore", answer(func(ctx context.Context, f station.Found) (any, error) { return t.Restore(ctx, f) }))
	mux.HandleFunc("POST /tag/lock", answer(func(ctx context.Context, id kiosk.TagID) (any, error) { return t.Lock(ctx, id) }))
	mux.HandleFunc("POST /tag/done", answer(func(ctx context.Context, _ struct{}) (any, error) { return struct{}{}, t.Done(ctx) }))
	mux.HandleFunc("POST /work/{tag}/clear", func(w http.ResponseWriter, r *http.Request) {
		answer(func(ctx context.Context, note string) (any, error) {
			return struct{}{}, t.Clear(ctx, kiosk.TagID(r.PathValue("tag")), note)
		})(w, r)
	})
	return mux
}

// asked reads a question, or answers that it can't be read.
func asked[Q any](w http.ResponseWriter, r *http.Request) (q Q, ok bool) {
	err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&q)
	if err != nil {
		fail(w, &kiosk.Error{Code: kiosk.CodeInvalid, Err: err})
	}
	return q, err == nil
}

// answer reads a question, and writes what do says.
func answer[Q any](do func(context.Context, Q) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, ok := asked[Q](w, r)
		if !ok {
			return
		}
		a, err := do(r.Context(), q)
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(a)
	}
}

// ask sends a question about tags.
func ask[A any](ctx context.Context, c *Client, path string, question any) (a A, err error) {
	body, err := json.Marshal(question)
	if err != nil {
		return a, err
	}
	resp, err := c.call(ctx, "POST", path, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return a, brokeOff(err)
	}
	return a, nil
}

// List implements Tags.
func (c *Client) List(ctx context.Context) ([]kiosk.TagID, error) {
	return ask[[]kiosk.TagID](ctx, c, "/tag/list", struct{}{})
}

// Look implements Tags.
func (c *Client) Look(ctx context.Context) ([]station.Found, error) {
	return ask[[]station.Found](ctx, c, "/tag/look", struct{}{})
}

// Put implements Tags.
func (c *Client) Put(ctx context.Context, w station.Wish) (station.Result, error) {
	return ask[station.Result](ctx, c, "/tag/put", w)
}

// Restore implements Tags.
func (c *Client) Restore(ctx context.Context, f station.Found) (station.Result, error) {
	return ask[station.Result](ctx, c, "/tag/restore", f)
}

// Lock implements Tags.
func (c *Client) Lock(ctx context.Context, tag kiosk.TagID) (station.Result, error) {
	return ask[station.Result](ctx, c, "/tag/lock", tag)
}

// Done implements Tags.
func (c *Client) Done(ctx context.Context) error {
	_, err := ask[struct{}](ctx, c, "/tag/done", struct{}{})
	return err
}

// Clear implements Tags.
func (c *Client) Clear(ctx context.Context, tag kiosk.TagID, note string) error {
	_, err := ask[struct{}](ctx, c, "/work/"+url.PathEscape(string(tag))+"/clear", note)
	return err
}
