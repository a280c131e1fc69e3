package daemon

import (
	"context"
	"errors"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// scannedBadge is takesBadge of a scan, as the badge is printed or as the cards
// here are read.
func (s *staff) scannedBadge(ctx context.Context, text string, ev kiosk.Event) bool {
	var card kiosk.Card
	switch ev := ev.(type) {
	case kiosk.CardRead:
		card = ev.Card
	case kiosk.EitherRead:
		card = kiosk.Card(ev.Code)
	}
	return s.takesBadge(ctx, kiosk.Card(strings.TrimSpace(text)), card)
}

// takesBadge takes what is scanned, or laid on the pad, for the page at the door
// to the pages for staff, if one waits on the kiosk's own display while nobody
// is at the desk and one of its numbers is the badge of somebody of the staff.
// Whatever else there is goes its usual way. Nothing of it is logged.
func (s *staff) takesBadge(ctx context.Context, codes ...kiosk.Card) bool {
	if !s.badges.Wanted() || s.working() || s.desk.Screen().View != kiosk.ViewWelcome {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	for _, code := range codes {
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
