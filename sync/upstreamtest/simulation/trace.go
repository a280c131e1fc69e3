package simulation

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// trace is everything that happened, for people and to compare two runs.
type trace struct {
	mu    sync.Mutex
	start time.Time
	lines []line
}

type line struct {
	at    time.Duration // since the start
	actor string
	text  string
}

func (t *trace) note(actor, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line{time.Since(t.start), actor, text})
}

// sort brings what several actors did at one moment into one order; each
// actor's own order stays.
func (t *trace) sort() {
	slices.SortStableFunc(t.lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.actor, b.actor))
	})
}

func (t *trace) write(w io.Writer) error {
	for _, l := range t.lines {
		if _, err := fmt.Fprintf(w, "%16v %-12s %s\n", l.at, l.actor, l.text); err != nil {
			return err
		}
	}
	return nil
}

func (t *trace) sum() string {
	h := sha256.New()
	_ = t.write(h) // a hash takes everything
	return hex.EncodeToString(h.Sum(nil)[:8])
}
