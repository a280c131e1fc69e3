package web

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	logLines = 50    // acts on one page
	mostActs = 1_000 // read at once for a file
)

// logView is the audit log, or a part of it.
type logView struct {
	Acts    []actView
	Members []kiosk.Member
	Badge   string // only this one's
	Older   int64  // the N before which there are more; 0: there are none
	Newest  bool   // nothing newer was left out
}

// actView is an Act with words.
type actView struct {
	kiosk.Act
	*language
	zone *time.Location
	now  time.Time
}

// When it was, in the library's zone.
func (v actView) When() string { return v.moment(v.At, v.now, v.zone) }

// moment is a time of day with its date.
func (l *language) moment(t, now time.Time, zone *time.Location) string {
	t = t.In(zone)
	comma := ", "
	if l.Dir == "rtl" {
		comma = "، "
	}
	return l.Date(t, now.In(zone)) + comma + t.Format("15:04")
}

// Person is who did it.
func (v actView) Person() string {
	if v.Badge == "" && v.Act.Name == "" {
		return v.T("staff.shared")
	}
	return clean(v.Act.Name)
}

// Did is what was done, in words. What nobody has words for is told by its name.
func (v actView) Did() string {
	if t, ok := v.Texts["staff.act."+v.What]; ok {
		return t
	}
	return clean(v.What)
}

// logPage shows the audit log, the newest first.
func (s *site) logPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Audit == nil {
		http.NotFound(w, r)
		return
	}
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // what is no number is the newest
	badge := r.URL.Query().Get("badge")
	ctx, cancel := context.WithTimeout(r.Context(), settleTime)
	defer cancel()
	acts, err := s.Staff.Audit.Acts(ctx, kiosk.ActFilter{Before: before, Badge: kiosk.Card(badge), Limit: logLines + 1})
	if err != nil {
		s.unread(w, r, "audit log", err)
		return
	}
	p := s.staffPage(r, who)
	p.Log = logView{Badge: badge, Newest: before <= 0}
	if s.Staff.Accounts != nil {
		if p.Log.Members, err = s.Staff.Accounts.Members(ctx); err != nil {
			s.Log.Error("web: staff's accounts can't be read", "err", err)
		}
	}
	if len(acts) > logLines {
		acts = acts[:logLines]
		p.Log.Older = acts[logLines-1].N
	}
	for _, a := range acts {
		p.Log.Acts = append(p.Log.Acts, actView{Act: a, language: p.language, zone: s.Location, now: s.Clock()})
	}
	s.showStaff(w, http.StatusOK, "staff-log", p)
}

// logCSV gives the whole audit log as a file, the newest first.
func (s *site) logCSV(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Audit == nil {
		http.NotFound(w, r)
		return
	}
	if !s.note(w, r, who, "log.export", "", "") {
		return
	}
	out := s.csvFile(w, "audit")
	out.Write(ActCells)
	for before := int64(0); ; {
		acts, err := s.Staff.Audit.Acts(r.Context(), kiosk.ActFilter{Before: before, Limit: mostActs})
		if err != nil { // the head is sent: a file that breaks off must not look whole
			s.Log.Error("web: audit log", "err", err)
			panic(http.ErrAbortHandler)
		}
		for _, a := range acts {
			before = a.N
			out.Act(a, s.Location)
		}
		if out.Flush(); len(acts) < mostActs || out.Error() != nil {
			return
		}
	}
}

// csvFile begins a file for a spreadsheet (RFC 4180).
func (s *site) csvFile(w http.ResponseWriter, name string) *Table {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="carrel-`+name+"-"+s.Clock().In(s.Location).Format(time.DateOnly)+`.csv"`)
	return NewTable(w)
}

// Table writes rows of text for spreadsheets.
type Table struct{ *csv.Writer }

// NewTable begins one.
func NewTable(w io.Writer) *Table {
	t := &Table{csv.NewWriter(w)}
	t.UseCRLF = true
	return t
}

// Write writes a row. A cell that a spreadsheet would take for a formula gets
// an apostrophe: somebody else has typed it (CWE-1236). An error shows at Flush.
func (t *Table) Write(cells []string) {
	safe := make([]string, len(cells))
	for i, c := range cells {
		if safe[i] = c; c != "" && strings.ContainsAny(c[:1], "=+-@\t\r") {
			if _, err := strconv.ParseFloat(c, 64); err != nil {
				safe[i] = "'" + c
			}
		}
	}
	t.Writer.Write(safe) //nolint:errcheck // shows at Flush
}

// ActCells are the names of the cells that Act writes.
var ActCells = []string{"n", "at", "badge", "name", "what", "about", "note", "from"}

// Act writes a row of the audit log, its time in a zone.
func (t *Table) Act(a kiosk.Act, zone *time.Location) {
	t.Write([]string{strconv.FormatInt(a.N, 10), a.At.In(zone).Format(time.RFC3339), string(a.Badge), a.Name, a.What, a.About, a.Note, a.From})
}
