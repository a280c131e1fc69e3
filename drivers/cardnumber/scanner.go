package cardnumber

import (
	"context"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Reader finds cards.
type Reader interface {
	// Cards gives the UIDs of the cards in the field. It waits no longer than
	// the reader's options say; an error ends the use of the reader.
	Cards() ([][]byte, error)
	Close() error
}

// Scanner gives one scan for each card that is laid on a reader. A card that
// stays is not read again until it has left.
type Scanner struct {
	reader Reader
	format Format
	lying  map[string]*card
}

var _ drivers.Scanner = (*Scanner)(nil)

// card is one that lies there.
type card struct {
	seen   time.Time // last
	misses int       // looks since then
}

const (
	every = 150 * time.Millisecond // from the end of a look to the next
	// A card at the edge of the field is not seen by each look: it has left when
	// several in a row, and all for some time, have not seen it.
	leftLooks = 4
	leftTime  = 800 * time.Millisecond
)

// New looks at a reader once: what lies there already was laid by somebody who
// may have left, and is not scanned.
func New(r Reader, f Format) (*Scanner, error) {
	s := &Scanner{reader: r, format: f, lying: map[string]*card{}}
	_, err := s.look()
	return s, err
}

// Scans implements drivers.Scanner.
func (s *Scanner) Scans(ctx context.Context, yield func(drivers.Scan)) error {
	defer s.reader.Close()
	for rest(ctx) {
		laid, err := s.look()
		if err != nil {
			return err
		}
		for _, uid := range laid {
			yield(s.format.Scan(uid))
		}
	}
	return nil
}

// rest waits for the next look, and tells whether there is one.
func rest(ctx context.Context) bool {
	t := time.NewTimer(every)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
	return ctx.Err() == nil
}

// look gives the cards that have been laid on since the last look.
func (s *Scanner) look() (laid [][]byte, err error) {
	uids, err := s.reader.Cards()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	for _, c := range s.lying {
		c.misses++
	}
	for _, uid := range uids {
		key := string(uid)
		if Random(uid) {
			key = "random" // it may be another one at each look, and is one phone
		}
		if s.lying[key] == nil {
			laid = append(laid, uid)
		}
		s.lying[key] = &card{seen: now}
	}
	for key, c := range s.lying {
		if c.misses >= leftLooks && now.Sub(c.seen) >= leftTime {
			delete(s.lying, key)
		}
	}
	return laid, nil
}
