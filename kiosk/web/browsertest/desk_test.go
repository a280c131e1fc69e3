package browsertest_test

import (
	"context"
	"sync"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// fakeDesk holds one screen, tells everybody when it changes, and remembers
// the touches.
type fakeDesk struct {
	mu     sync.Mutex
	screen kiosk.Screen
	news   chan struct{}
	sent   []kiosk.Event
}

func newDesk(sc kiosk.Screen) *fakeDesk {
	sc.Seq = 1
	return &fakeDesk{screen: sc, news: make(chan struct{})}
}

func (d *fakeDesk) show(sc kiosk.Screen) {
	d.mu.Lock()
	defer d.mu.Unlock()
	sc.Seq = d.screen.Seq + 1
	d.screen = sc
	close(d.news)
	d.news = make(chan struct{})
}

func (d *fakeDesk) Screen() kiosk.Screen {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.screen
}

func (d *fakeDesk) Next(ctx context.Context, seq uint64) (kiosk.Screen, error) {
	for {
		d.mu.Lock()
		sc, news := d.screen, d.news
		d.mu.Unlock()
		if sc.Seq > seq {
			return sc, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return kiosk.Screen{}, ctx.Err()
		}
	}
}

func (d *fakeDesk) Send(_ context.Context, ev kiosk.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent = append(d.sent, ev)
	return nil
}
