package outbox

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// slowDisk takes its time for each outcome; several gather in one flush.
type slowDisk struct {
	*kiosktest.Memory
	flush time.Duration
}

func (d slowDisk) Conclude(ctx context.Context, o kiosk.Outcome) error {
	time.Sleep(d.flush)
	return d.Memory.Conclude(ctx, o)
}

// TestAhead: while the disk is at it the line is not idle, however long that
// takes; but no more is begun than the line can take. What is marked and not
// told yet would have to wait after a crash, and what was looked up grows stale.
func TestAhead(t *testing.T) {
	const answer = 10 * time.Millisecond
	for _, c := range []struct {
		flush  time.Duration
		looked int // after a second, at least
		marked int // and not told yet, at most
	}{
		{0, 49, 2},
		{15 * time.Millisecond, 49, 5},
		{100 * time.Millisecond, 45, 15},
		{time.Minute, 60, 0},
	} {
		t.Run(c.flush.String(), func(t *testing.T) {
			in(t, func(b *bench) {
				for i := range 300 {
					item, card := kiosk.Barcode(fmt.Sprint("Y", i)), kiosk.Card(fmt.Sprint("Z", i))
					b.line.ils.AddItems(kiosk.Item{Barcode: item})
					b.line.ils.AddPatron(kiosk.Patron{Card: card}, "")
					b.put(kiosk.Offline, kiosk.Checkout, item, card)
				}
				look, tell := b.line.OnLook, b.line.OnTell
				b.line.OnLook = func(ctx context.Context, item kiosk.Barcode, card kiosk.Card) (kiosk.Standing, error) {
					time.Sleep(answer)
					return look(ctx, item, card)
				}
				b.line.OnTell = func(ctx context.Context, e kiosk.Entry) (kiosk.Answer, error) {
					time.Sleep(answer)
					return tell(ctx, e)
				}
				b.w = New(slowDisk{b.box, c.flush}, b.line, Config{Others: -1})
				ctx, stop := context.WithCancel(b.Context())
				ended := make(chan error)
				go func() { ended <- b.w.Run(ctx) }()
				b.after(time.Second + answer/2)
				counts := map[string]int{}
				for _, what := range b.line.take() {
					counts[what[:4]]++
				}
				marked := 0
				for _, e := range b.box.Entries() {
					if e.State == kiosk.Unsure {
						marked++
					}
				}
				if counts["look"] < c.looked || marked > c.marked {
					b.Errorf("%d looked up, %d told, %d marked; want %d looked up and no more than %d marked", counts["look"], counts["tell"], marked, c.looked, c.marked)
				}
				stop()
				<-ended
			})
		})
	}
}
