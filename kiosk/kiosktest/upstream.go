package kiosktest

import (
	"context"
	"slices"
	"sync"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Upstream is a kiosk.Upstream that does as its fields say. A field that is
// nil answers that the library's system can't be reached. Fields are set
// before it is used; what they hold must be safe for several goroutines.
type Upstream struct {
	OnIdentify func(context.Context, kiosk.Card, string) (kiosk.Patron, error)
	OnTell     func(context.Context, kiosk.Entry) (kiosk.Answer, error)
	OnLook     func(context.Context, kiosk.Barcode, kiosk.Card) (kiosk.Standing, error)
	OnProbe    func(context.Context) error

	mu   sync.Mutex
	told []kiosk.Entry
}

var _ kiosk.Upstream = (*Upstream)(nil)

// Offline is the error of an upstream that can't be reached.
func Offline() error { return &kiosk.Error{Code: kiosk.CodeOffline, Text: "kiosktest: offline"} }

// Told lists the entries of all calls of Tell, in order.
func (u *Upstream) Told() []kiosk.Entry {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.told)
}

// Identify is kiosk.Upstream's.
func (u *Upstream) Identify(ctx context.Context, c kiosk.Card, pin string) (kiosk.Patron, error) {
	if u.OnIdentify == nil {
		return kiosk.Patron{}, Offline()
	}
	return u.OnIdentify(ctx, c, pin)
}

// Tell is kiosk.Upstream's.
func (u *Upstream) Tell(ctx context.Context, e kiosk.Entry) (kiosk.Answer, error) {
	u.mu.Lock()
	u.told = append(u.told, e)
	u.mu.Unlock()
	if u.OnTell == nil {
		return kiosk.Answer{}, Offline()
	}
	return u.OnTell(ctx, e)
}

// Look is kiosk.Upstream's.
func (u *Upstream) Look(ctx context.Context, b kiosk.Barcode, c kiosk.Card) (kiosk.Standing, error) {
	if u.OnLook == nil {
		return kiosk.Standing{}, Offline()
	}
	return u.OnLook(ctx, b, c)
}

// Probe is kiosk.Upstream's.
func (u *Upstream) Probe(ctx context.Context) error {
	if u.OnProbe == nil {
		return Offline()
	}
	return u.OnProbe(ctx)
}

// Reply is what Tell answers.
type Reply struct {
	Answer kiosk.Answer
	Err    error
}

// InTurn is an OnTell that gives one reply after the other, and is offline
// when there are no more.
func InTurn(replies ...Reply) func(context.Context, kiosk.Entry) (kiosk.Answer, error) {
	var mu sync.Mutex
	return func(context.Context, kiosk.Entry) (kiosk.Answer, error) {
		mu.Lock()
		defer mu.Unlock()
		if len(replies) == 0 {
			return kiosk.Answer{}, Offline()
		}
		r := replies[0]
		replies = replies[1:]
		return r.Answer, r.Err
	}
}

// Silence is an OnTell that never answers: it waits for its context to end,
// and then nobody knows.
func Silence(ctx context.Context, _ kiosk.Entry) (kiosk.Answer, error) {
	<-ctx.Done()
	return kiosk.Answer{}, &kiosk.Error{Code: kiosk.CodeUnsure, Err: ctx.Err()}
}
