package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// fakeBoards keeps them all.
type fakeBoards struct {
	log *fakeStaff
	all []kiosk.Board
	err error
}

func (f *fakeBoards) Board() kiosk.Board {
	if len(f.all) == 0 {
		return kiosk.Board{}
	}
	return f.all[len(f.all)-1]
}

func (f *fakeBoards) PutBoard(ctx context.Context, b kiosk.Board, by kiosk.Act) error {
	worded(by)
	if f.err != nil {
		return f.err
	}
	f.all = append(f.all, b)
	return f.log.Note(ctx, by)
}

func (f *fakeBoards) Before(context.Context) (kiosk.Board, error) {
	switch len(f.all) {
	case 0:
		return kiosk.Board{}, kiosk.ErrUnknown
	case 1:
		return kiosk.Board{}, nil
	}
	return f.all[len(f.all)-2], nil
}

func boardSite(t *testing.T) (http.Handler, *fakeStaff, *fakeBoards) {
	boards := &fakeBoards{}
	h, f, _ := crewSite(t, func(s *Staff) { s.Board = boards })
	boards.log = f
	return h, f, boards
}

func TestBoard(t *testing.T) {
	h, f, boards := boardSite(t)
	_, helper := enterAs(h, "S3", "cy-1234")
	if w := do(h, "POST", "/staff/board/message", url.Values{"message": {"x"}}, helper); w.Code != http.StatusForbidden || len(boards.all) > 0 {
		t.Errorf("a helper puts up a message: %d", w.Code)
	}
	_, c := enterAs(h, "S2", "bo-1234")
	put := func(code int, what string, form url.Values) string {
		t.Helper()
		w := do(h, "POST", "/staff/board/"+what, form, c)
		if w.Code != code {
			t.Errorf("%s %v = %d; want %d", what, form, w.Code, code)
		}
		return w.Body.String()
	}
	welcome := func() string { return seen(get(h, "/").Body.String()) }
	if w := do(h, "GET", "/staff/board", nil, c); w.Code != http.StatusOK || strings.Contains(get(h, "/").Body.String(), `id="board"`) {
		t.Errorf("an empty board: %d", w.Code)
	}
	if body := do(h, "GET", "/staff/board", nil, c).Body.String(); !strings.Contains(body, `href="/story?`) || strings.Contains(body, "/rehearsal") {
		t.Error("the story is not offered; or a rehearsal is, which leads on to the screen of whoever stands at the kiosk")
	}
	evil := `Story <b onclick="x">time</b>`
	put(http.StatusSeeOther, "message", url.Values{"message": {" " + evil + "\r\n at three "}, "last": {"2026-11-30"}})
	if f.newest() != "Bo board.message  "+evil+" at three 2026-11-30" || !strings.Contains(welcome(), evil+" at three") {
		t.Errorf("noted %q, shown %q", f.newest(), welcome())
	}
	if body := put(http.StatusUnprocessableEntity, "message", url.Values{"message": {strings.Repeat("x", kiosk.MaxMessage+1)}}); !strings.Contains(body, "xxx</textarea>") {
		t.Error("what was typed is lost")
	}
	put(http.StatusUnprocessableEntity, "message", url.Values{"message": {"a\u202eb"}})
	put(http.StatusUnprocessableEntity, "message", url.Values{"message": {"a"}, "last": {"soon"}})
	body := put(http.StatusUnprocessableEntity, "hours", url.Values{"day1": {"9-8"}, "special": {"Christmas <i>"}})
	if !strings.Contains(body, "Mon: ") || !strings.Contains(body, "Christmas &lt;i&gt;</textarea>") {
		t.Errorf("hours that make no sense: %s", body)
	}
	put(http.StatusSeeOther, "hours", url.Values{"day1": {"9:00-18:00"}, "day2": {"9-18"}, "special": {"2026-12-01 staff day"}})
	if !strings.Contains(welcome(), "Open today until 18:00.") || boards.Board().Message == "" {
		t.Errorf("shown %q", welcome())
	}
	put(http.StatusSeeOther, "closed", url.Values{"closed": {"yes"}, "why": {"The pad is being mended"}})
	if !boards.Board().Closed || boards.Board().Why == "" || !boards.Board().Hours.Known() {
		t.Errorf("closed: %+v", boards.Board())
	}
	if w := do(h, "GET", "/staff/board?done", nil, c); !strings.Contains(w.Body.String(), "Take it back") {
		t.Error("there is no way back")
	}
	put(http.StatusSeeOther, "undo", nil)
	if boards.Board().Closed || f.newest() != "Bo board.undo" {
		t.Errorf("undone: %+v, noted %q", boards.Board(), f.newest())
	}
	put(http.StatusNotFound, "other", nil)
	boards.err = errors.New("disk full")
	put(http.StatusInternalServerError, "message", url.Values{"message": {"x"}})
}

// TestFatalIsTold: what the heading is described by is all that stands below it;
// a screen reader and the voice tell no more.
func TestFatalIsTold(t *testing.T) {
	sc := kiosk.Screen{View: kiosk.ViewWelcome, Faults: []kiosk.Fault{{Source: "ledger", Fatal: true}}}
	for _, x := range []struct {
		b    kiosk.Board
		want string
	}{
		{kiosk.Board{}, "Our staff will gladly help you with your books. For staff: ledger"},
		{kiosk.Board{Closed: true, Why: "The <pad> is being mended"}, "with your books. The <pad> is being mended For staff: ledger"},
		{kiosk.Board{Why: "of last week"}, "with your books. For staff: ledger"},
	} {
		h, _ := newSite(t, sc, func(c *Config) { c.Staff = &Staff{Board: &fakeBoards{all: []kiosk.Board{x.b}}} })
		body := get(h, "/").Body.String()
		_, by, _ := strings.Cut(body, `<h1 tabindex="-1" aria-describedby="`)
		by, _, _ = strings.Cut(by, `"`)
		var told []string
		for id := range strings.FieldsSeq(by) {
			_, p, ok := strings.Cut(body, ` id="`+id+`"`)
			p, _, _ = strings.Cut(p, "</p>")
			if told = append(told, seen("<"+p)); !ok {
				t.Errorf("the heading is described by %q, which is nowhere", id)
			}
		}
		if got := strings.Join(told, " "); !strings.HasSuffix(got, x.want) {
			t.Errorf("told %q; want %q", got, x.want)
		}
	}
}

func TestHoursInWords(t *testing.T) {
	en, ls := all(t)
	week := kiosk.Hours{Week: [7]kiosk.Span{1: {From: 540, To: 1080}, 2: {From: 540, To: 1080}}, Days: []kiosk.SpecialDay{{Date: "2026-12-01", Name: "staff day"}}}
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		h    kiosk.Hours
		now  time.Time
		want string
	}{
		{kiosk.Hours{}, at(30, 12), ""},
		{week, at(30, 12), "Open today until 18:00."},
		{week, at(30, 8), "Opens today at 09:00."},
		{week, at(30, 19), "Closed now. Opens Mon 7 December at 09:00."},
		{week, at(31, 12), "Closed today: staff day. Opens Mon 7 December at 09:00."},
		{kiosk.Hours{Days: week.Days}, at(31, 12), "Closed today: staff day."},
	} {
		for _, l := range ls {
			got := l.hours(tt.h, tt.now)
			if l == en && got != tt.want || (got == "") != (tt.want == "") || strings.Contains(got, "board.") {
				t.Errorf("%s at %v: %q; want %q", l.Tag, tt.now, got, tt.want)
			}
		}
	}
}
