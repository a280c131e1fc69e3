package daemon

import (
	"context"
	"errors"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// takesBadge takes a scan for the page at the door to the pages for staff, if
// one waits on the kiosk's own display while nobody is at the desk and it is
// the badge of somebody of the staff, as it is printed or as the cards here are
// read. Whatever else is scanned goes its usual way. Nothing of it is logged.
func (s *staff) takesBadge(ctx context.Context, text string, ev kiosk.Event) bool {
	if !s.badges.Wanted() || s.working() || s.desk.Screen().View != kiosk.ViewWelcome {
		return false
	}
	card, _ := ev.(kiosk.CardRead)
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	for _, code := range []kiosk.Card{kiosk.Card(strings.TrimSpace(text)), card.Card} {
		if code == "" || len(code) > kiosk.MaxCode {
			continue
		}
		m, err := s.store.Member(ctx, code)
		switch {
		case err == nil:
			return s.badges.Give(m.Badge)
		case !errors.Is(err, kiosk.ErrUnknown):
			s.Log.Error("staff's accounts can't be read", "err", err)
			return false
		}
	}
	return false
}
