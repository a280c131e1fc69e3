package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// step is a line of an answer that may take long: how far it is, and at last
// what comes of it.
type step struct {
	Reading inventory.Reading `json:"reading,omitempty"`
	N       int               `json:"n,omitempty"`
	Answer  json.RawMessage   `json:"answer,omitempty"`
	Failed  *failure          `json:"failed,omitempty"`
}

// followed is the query of who wants to be told how far it is.
const followed = "followed"

// following is answer of what may take long.
func following(do func(context.Context, question) (any, error)) http.HandlerFunc {
	plain := answer(do)
	return func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has(followed) {
			plain(w, r)
			return
		}
		q, ok := asked[question](w, r)
		if !ok {
			return
		}
		stepping(w, r, func(ctx context.Context) (any, error) { return do(ctx, q) })
	}
}

// stepping answers with how far it is, and at last with what comes of it: where
// it was cut off, too.
func stepping(w http.ResponseWriter, r *http.Request, do func(context.Context) (any, error)) {
	enc, rc := json.NewEncoder(w), http.NewResponseController(w)
	write := func(s step) {
		enc.Encode(s) //nolint:errcheck // who asked is gone
		rc.Flush()    //nolint:errcheck // the same
	}
	rc.Flush() //nolint:errcheck // it has begun: who asked waits for lines now
	ctx := inventory.WithProgress(r.Context(), func(what inventory.Reading, n int) { write(step{Reading: what, N: n}) })
	a, err := do(ctx)
	var last step
	raw, bad := json.Marshal(a)
	if last.Answer = raw; cmp.Or(err, bad) != nil {
		last.Failed = failureOf(cmp.Or(err, bad))
	}
	write(last)
}

// follow asks, and tells how far it is.
func follow[A any](ctx context.Context, c *Client, path string, q question) (a A, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	return steps[A](ctx, c, path+"?"+followed, bytes.NewReader(body))
}

// steps reads what stepping writes.
func steps[A any](ctx context.Context, c *Client, path string, body io.Reader) (a A, err error) {
	told := inventory.ProgressOf(ctx)
	resp, err := c.call(ctx, "POST", path, body)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	for dec := json.NewDecoder(resp.Body); ; {
		var s step
		if err := dec.Decode(&s); err != nil {
			return a, brokeOff(err)
		}
		if s.Answer != nil {
			err = json.Unmarshal(s.Answer, &a)
		}
		switch {
		case s.Failed != nil:
			return a, s.Failed.err()
		case s.Answer != nil:
			return a, err
		case told != nil:
			told(s.Reading, s.N)
		}
	}
}
