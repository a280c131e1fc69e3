package web

import (
	"context"
	"errors"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Memory keeps how the screen speaks to the patron of a card. Its methods are
// called by several goroutines at once.
type Memory interface {
	// Mode gives what was kept; an error of kiosk.ErrUnknown where nothing was.
	Mode(ctx context.Context, card kiosk.Card) (string, error)
	// KeepMode keeps it; the empty mode forgets what was kept.
	KeepMode(ctx context.Context, card kiosk.Card, mode string) error
}

// recall is the longest that a screen waits to know whether its patron has
// chosen a manner before.
const recall = 300 * time.Millisecond

// recalled is what is known of the card that is at the desk.
type recalled struct {
	card   kiosk.Card
	manner Manner
	kept   bool
}

// remembered is what the patron of a card chose before, if that is kept at all.
func (s *site) remembered(card kiosk.Card) (Manner, bool) {
	if s.Memory == nil || card == "" {
		return Manner{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.patron.card != card {
		s.patron = s.ask(card)
	}
	return s.patron.manner, s.patron.kept
}

// ask reads what is kept. A disk that does not answer costs the patron the
// choice, not the visit.
func (s *site) ask(card kiosk.Card) recalled {
	ctx, cancel := context.WithTimeout(context.Background(), recall)
	defer cancel()
	text, err := s.Memory.Mode(ctx, card)
	if err != nil && !errors.Is(err, kiosk.ErrUnknown) {
		s.Log.Error("web: a patron's mode is not known", "err", err)
	}
	m, ok := ParseManner(text)
	return recalled{card: card, manner: m, kept: err == nil && ok}
}

// remember keeps a choice with a card; the library's own manner needs no
// keeping.
func (s *site) remember(ctx context.Context, card kiosk.Card, m Manner) {
	if s.Memory == nil || card == "" {
		return
	}
	text := m.String()
	if m == s.own() {
		text = ""
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.Memory.KeepMode(ctx, card, text); err != nil {
		s.Log.Error("web: a patron's mode is not kept", "err", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patron = recalled{card: card, manner: m, kept: text != ""}
}
