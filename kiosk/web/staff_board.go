package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Boards keep what staff has put up. Their methods are called by several
// goroutines at once.
type Boards interface {
	// Board is what is up now; it does not wait.
	Board() kiosk.Board
	// PutBoard puts up another, which shows at once, and notes who did.
	PutBoard(ctx context.Context, b kiosk.Board, by kiosk.Act) error
	// Before is what was up before; kiosk.ErrUnknown if nothing was ever put up.
	Before(ctx context.Context) (kiosk.Board, error)
}

// boardView is what patrons read of a board.
type boardView struct {
	Message string
	Hours   string // today's, in words; empty: there are none
	Why     string // the kiosk is out of order
}

// boardView makes words of the board.
func (s *site) boardView(l *language) (v boardView) {
	if s.Staff.Board == nil {
		return v
	}
	b, now := s.Staff.Board.Board(), s.Clock().In(s.Location)
	v.Message, v.Hours = clean(b.Shown(now)), l.hours(b.Hours, now)
	if b.Closed {
		v.Why = clean(b.Why)
	}
	return v
}

// hours tells of today's hours in a few words.
func (l *language) hours(h kiosk.Hours, now time.Time) string {
	if !h.Known() {
		return ""
	}
	today := h.On(now)
	if h.Open(now) {
		return l.T("board.open", "until", clock(today.Span.To))
	}
	text := l.T("board.closed")
	if today.Name != "" && today.Span == (kiosk.Span{}) {
		text = l.T("board.closed.why", "why", clean(today.Name))
	}
	day, s, ok := h.Next(now)
	switch {
	case !ok:
		return text
	case day.YearDay() == now.YearDay() && day.Year() == now.Year():
		return l.T("board.opens.today", "time", clock(s.From))
	}
	return text + " " + l.T("board.opens", "day", l.Date(day, now), "time", clock(s.From))
}

// clock is a time of day.
func clock(minutes int) string {
	return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
}

// boardPage is what the page for the board shows: what is up, or what was
// typed and not taken.
type boardPage struct {
	*language
	kiosk.Board
	Week    [7]string // as it is typed, Monday first
	Special string
	Undo    bool
}

// mondayFirst is the order of the page's days.
var mondayFirst = [7]time.Weekday{1, 2, 3, 4, 5, 6, 0}

// boardDay is a day of the week on the page.
type boardDay struct{ Name, Field, Hours string }

// Rows names the days of the page, and gives their hours.
func (p boardPage) Rows() (days [7]boardDay) {
	for i, d := range mondayFirst {
		days[i] = boardDay{p.language.Days[d], "day" + string(rune('0'+int(d))), p.Week[i]}
	}
	return days
}

// MaxMessage is how long a message may be.
func (p boardPage) MaxMessage() int { return kiosk.MaxMessage }

func newBoardPage(l *language, b kiosk.Board) *boardPage {
	p := &boardPage{language: l, Board: b, Special: kiosk.FormatDays(b.Hours.Days)}
	for i, d := range mondayFirst {
		p.Week[i] = b.Hours.Week[d].String()
	}
	return p
}

// boardShow shows the page for the board.
func (s *site) boardShow(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Board == nil {
		http.NotFound(w, r)
		return
	}
	p := s.staffPage(r, who)
	p.Board = newBoardPage(p.language, s.Staff.Board.Board())
	if r.URL.Query().Has("done") {
		_, err := s.Staff.Board.Before(r.Context())
		p.Board.Undo, p.Done = err == nil, p.T("staff.board.done")
	}
	s.showStaff(w, http.StatusOK, "staff-board", p)
}

// boardPut puts up what was typed: a part of the board for each form.
func (s *site) boardPut(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Board == nil {
		http.NotFound(w, r)
		return
	}
	if !takeForm(w, r) {
		return
	}
	what, b, p := r.PathValue("what"), s.Staff.Board.Board(), s.staffPage(r, who)
	p.Board = newBoardPage(p.language, b)
	note := ""
	switch what {
	case "message":
		b.Message, b.Last = joined(r.PostForm.Get("message")), r.PostForm.Get("last")
		note, p.Board.Board = strings.TrimSpace(b.Message+" "+b.Last), b
	case "closed":
		b.Closed, b.Why = r.PostForm.Get("closed") == "yes", joined(r.PostForm.Get("why"))
		note, p.Board.Board = strings.TrimSpace(r.PostForm.Get("closed")+" "+b.Why), b
	case "hours":
		p.Failed = readHours(p.Board, r, &b.Hours)
	case "undo":
		before, err := s.Staff.Board.Before(r.Context())
		if err != nil { // there is nothing to go back to
			http.Redirect(w, r, "/staff/board", http.StatusSeeOther)
			return
		}
		b = before
	default:
		http.NotFound(w, r)
		return
	}
	if err := b.Valid(); p.Failed == "" && err != nil {
		p.Failed = p.T("staff.board.wrong", "what", clean(err.Error()))
	}
	if p.Failed != "" {
		s.showStaff(w, http.StatusUnprocessableEntity, "staff-board", p)
		return
	}
	if !s.kept(w, r, &p, "board", func(ctx context.Context) error {
		return s.Staff.Board.PutBoard(ctx, b, s.act(r, who, "board."+what, "", note))
	}) {
		s.showStaff(w, http.StatusInternalServerError, "staff-board", p)
	}
}

// kept keeps what is set on a page and leads back to it; or else the page says
// that it was not, once it is shown.
func (s *site) kept(w http.ResponseWriter, r *http.Request, p *staffPage, page string, put func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(r.Context(), settleTime)
	defer cancel()
	if err := put(ctx); err != nil {
		s.Log.Error("web: "+page, "err", err)
		p.Failed = p.T("staff.ex.failed")
		return false
	}
	http.Redirect(w, r, "/staff/"+page+"?done", http.StatusSeeOther)
	return true
}

// joined makes one line of what was typed in several.
func joined(text string) string { return strings.Join(strings.Fields(text), " ") }

// readHours reads what was typed; it tells what is wrong, "" if nothing is.
func readHours(p *boardPage, r *http.Request, h *kiosk.Hours) string {
	var wrong []string
	for i, day := range p.Rows() {
		p.Week[i] = r.PostForm.Get(day.Field)
		span, err := kiosk.ParseSpan(p.Week[i])
		if err != nil {
			wrong = append(wrong, day.Name+": "+err.Error())
		}
		h.Week[mondayFirst[i]] = span
	}
	p.Special = r.PostForm.Get("special")
	days, err := kiosk.ParseDays(p.Special)
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	h.Days = days
	if len(wrong) > 0 {
		return p.T("staff.board.wrong", "what", clean(strings.Join(wrong, "; ")))
	}
	return ""
}
