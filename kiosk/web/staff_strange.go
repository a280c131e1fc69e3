package web

import (
	"context"
	"net/http"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Strange is what the library's system has said and nobody has words for. Its
// methods are called by several goroutines at once.
type Strange interface {
	// Strange lists what nobody of the staff has read yet, the newest first.
	Strange(ctx context.Context) ([]kiosk.Strange, error)
	// Read notes that all of it until then was read.
	Read(ctx context.Context, until time.Time, by kiosk.Act) error
}

// strangeView is a text with words.
type strangeView struct {
	kiosk.Strange
	When string
}

// strangeViews are the texts that nobody has read yet, and when the last of
// them came, for the form.
func (s *site) strangeViews(ctx context.Context, l *language) (list []strangeView, until string, err error) {
	if s.Staff.Strange == nil {
		return nil, "", nil
	}
	all, err := s.Staff.Strange.Strange(ctx)
	for _, x := range all {
		if until == "" {
			until = x.Last.Format(time.RFC3339Nano)
		}
		x.Text = shortened(clean(x.Text), maxNote)
		list = append(list, strangeView{x, l.moment(x.Last, s.Clock(), s.Location)})
	}
	return list, until, err
}

// readStrange takes what was shown off the list; what has come since stays.
func (s *site) readStrange(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Strange == nil {
		http.NotFound(w, r)
		return
	}
	if !takeForm(w, r) {
		return
	}
	until, err := time.Parse(time.RFC3339Nano, r.PostForm.Get("until"))
	if err != nil || until.After(s.Clock().Add(time.Hour)) {
		http.Error(w, "until: must be the time of one that was shown", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), settleTime)
	defer cancel()
	if err := s.Staff.Strange.Read(ctx, until, s.act(r, who, "strange.read", "", "")); err != nil {
		s.Log.Error("web: strange words", "err", err)
		s.showExceptions(w, r, who, http.StatusInternalServerError, "", s.staffLanguage(r).T("staff.ex.failed"))
		return
	}
	http.Redirect(w, r, "/staff/exceptions", http.StatusSeeOther)
}
