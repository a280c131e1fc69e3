package control

import (
	"bytes"
	"context"
	"encoding/json"
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
		enc, rc := json.NewEncoder(w), http.NewResponseController(w)
		write := func(s step) {
			enc.Encode(s) //nolint:errcheck // who asked is gone
			rc.Flush()    //nolint:errcheck // the same
		}
		ctx := inventory.WithProgress(r.Context(), func(what inventory.Reading, n int) { write(step{Reading: what, N: n}) })
		a, err := do(ctx, q)
		var last step
		if err == nil {
			last.Answer, err = json.Marshal(a)
		}
		if err != nil {
			last = step{Failed: failureOf(err)}
		}
		write(last)
	}
}

// follow asks, and tells how far it is.
func follow[A any](ctx context.Context, c *Client, path string, q question, told func(inventory.Reading, int)) (a A, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	resp, err := c.call(ctx, "POST", path+"?"+followed, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	for dec := json.NewDecoder(resp.Body); ; {
		var s step
		switch err := dec.Decode(&s); {
		case err != nil:
			return a, brokeOff(err)
		case s.Failed != nil:
			return a, s.Failed.err()
		case s.Answer != nil:
			return a, json.Unmarshal(s.Answer, &a)
		}
		told(s.Reading, s.N)
	}
}
