package control

import (
	"context"
	"net/http"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// PhonesNow is how the running kiosk serves phones.
type PhonesNow struct {
	On        bool          `json:"on"`                  // the configuration wants it
	Addresses []string      `json:"addresses,omitempty"` // https://host:port; none: they can't be served now
	Root      []byte        `json:"root,omitempty"`      // the certificate that phones trust (DER)
	List      []kiosk.Phone `json:"list"`
}

// Phones are staff's, as the running kiosk has them.
type Phones interface {
	PhonesNow(ctx context.Context) (PhonesNow, error)
	// ForgetPhone lets a phone in no more; an error if there is none with the
	// key.
	ForgetPhone(ctx context.Context, key string, by kiosk.Act) error
}

var _ Phones = (*Client)(nil)

// phoneChange is the question.
type phoneChange struct {
	Key string
	By  kiosk.Act
}

// PhonesHandler serves phones, and all else by next.
func PhonesHandler(p Phones, next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.HandleFunc("POST /phones/now", answer(func(ctx context.Context, _ struct{}) (any, error) { return p.PhonesNow(ctx) }))
	mux.HandleFunc("POST /phones/forget", answer(func(ctx context.Context, c phoneChange) (any, error) {
		return struct{}{}, p.ForgetPhone(ctx, c.Key, c.By)
	}))
	return mux
}

// PhonesNow implements Phones.
func (c *Client) PhonesNow(ctx context.Context) (PhonesNow, error) {
	return ask[PhonesNow](ctx, c, "/phones/now", struct{}{})
}

// ForgetPhone implements Phones.
func (c *Client) ForgetPhone(ctx context.Context, key string, by kiosk.Act) error {
	_, err := ask[struct{}](ctx, c, "/phones/forget", phoneChange{key, by})
	return err
}
