package daemon

import (
	"context"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// keepStrange is how long what nobody has read is told.
const keepStrange = 30 * 24 * time.Hour

// readUntil is up to when staff has read what the ILS said and nobody knew.
type readUntil struct{ Until time.Time }

// Valid implements the setting's.
func (readUntil) Valid() error { return nil }

// strange is what the ILS has said in refusing and the kiosk has no reason
// for: it stands in the ledger.
type strange struct{ setting[readUntil] }

var _ web.Strange = (*strange)(nil)

func newStrange(d *Daemon) *strange {
	return &strange{setting[readUntil]{Daemon: d, name: "strange", show: func(readUntil) {}}}
}

// Strange implements web.Strange.
func (s *strange) Strange(ctx context.Context) ([]kiosk.Strange, error) {
	after := s.clock.Now().Add(-keepStrange)
	if read := s.now().Until; read.After(after) {
		after = read
	}
	return s.store.Strange(ctx, after)
}

// Read implements web.Strange.
func (s *strange) Read(ctx context.Context, until time.Time, by kiosk.Act) error {
	return s.put(ctx, readUntil{until}, by)
}
