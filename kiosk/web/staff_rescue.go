package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Rescues is what became of a ledger that was damaged. Its methods are called by
// several goroutines at once.
type Rescues interface {
	// Rescued gives the last rescue; kiosk.ErrUnknown if there was none.
	Rescued(ctx context.Context) (Rescue, error)
	// Seen notes that staff knows of the rescue of a time: of a later one, which
	// nobody has seen, it is kiosk.ErrUnknown.
	Seen(ctx context.Context, at time.Time, by kiosk.Act) error
}

// Rescue is the account of one: each entry that the ledger had is in one of its
// numbers.
type Rescue struct {
	At       time.Time
	Why      string   // how the damage was noticed
	Kept     string   // the damaged file, beside the ledger
	Backup   string   // the copy on which the ledger rests; empty: none was good
	Passed   []string // copies that were no good, and why
	Entries  int      // that the ledger has since
	FromFile int      // of them, those read from the damaged file
	FromCopy int      // those that only the copy had
	Rebuilt  int      // those made anew from an open loan
	Lost     []RescueLost
	Beyond   int64    // the newest entry that anything tells of, where later ones may be lost; 0: none is
	Parts    []string // other tables that could not be read to their end
	Seen     bool     // staff knows
}

// RescueLost is an entry that could not be read.
type RescueLost struct {
	Seq  int64
	Item kiosk.Barcode // empty: nothing tells which
}

// mostLost is how many of them the page shows.
const mostLost = 200

// rescueView is a Rescue with words.
type rescueView struct {
	Rescue
	When string
	Form string // when it was, for the form
	Many int    // lost ones
	More int    // of them, those that are not shown
}

// rescuePage shows the last rescue, also after somebody has read it.
func (s *site) rescuePage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Rescues == nil {
		http.NotFound(w, r)
		return
	}
	s.showRescue(w, r, who, http.StatusOK, "")
}

func (s *site) showRescue(w http.ResponseWriter, r *http.Request, who kiosk.Member, code int, failed string) {
	ctx, cancel := context.WithTimeout(r.Context(), settleTime)
	defer cancel()
	p := s.staffPage(r, who)
	p.Failed = failed
	switch x, err := s.Staff.Rescues.Rescued(ctx); {
	case errors.Is(err, kiosk.ErrUnknown):
	case err != nil:
		s.unread(w, r, "staff: rescue", err)
		return
	default:
		v := &rescueView{Rescue: x, When: p.moment(x.At, s.Clock(), s.Location), Form: x.At.Format(time.RFC3339Nano)}
		v.Why, v.Kept, v.Backup = shortened(clean(x.Why), maxNote), clean(x.Kept), clean(x.Backup)
		v.Passed = nil
		for _, why := range x.Passed {
			v.Passed = append(v.Passed, shortened(clean(why), maxNote))
		}
		v.Lost = x.Lost[:min(len(x.Lost), mostLost)]
		v.Many, v.More = len(x.Lost), len(x.Lost)-len(v.Lost)
		p.Rescue = v
	}
	s.showStaff(w, code, "staff-rescue", p)
}

// readRescue takes the notice of the rescue that was shown away.
func (s *site) readRescue(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Rescues == nil {
		http.NotFound(w, r)
		return
	}
	if !takeForm(w, r) {
		return
	}
	at, err := time.Parse(time.RFC3339Nano, r.PostForm.Get("at"))
	if err != nil {
		http.Error(w, "at: must be the time of the rescue that was shown", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), settleTime)
	defer cancel()
	switch err := s.Staff.Rescues.Seen(ctx, at, s.act(r, who, "rescue.seen", "", "")); {
	case errors.Is(err, kiosk.ErrUnknown): // another one since: it is to be read first
	case err != nil:
		s.Log.Error("web: staff: rescue", "err", err)
		s.showRescue(w, r, who, http.StatusInternalServerError, s.staffLanguage(r).T("staff.ex.failed"))
		return
	}
	http.Redirect(w, r, "/staff/rescue", http.StatusSeeOther)
}
