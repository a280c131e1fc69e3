package web

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/typeset"
)

// setter sets what is printed; its fonts are unpacked once.
var setter = sync.OnceValues(typeset.New)

// maxPrinted is how many rows of a table are printed: nobody carries more, and
// the file for spreadsheets has them all.
const maxPrinted = 4000

// printed answers with a sheet.
func (s *site) printed(w http.ResponseWriter, r *http.Request, name string, l *language, sh typeset.Sheet) {
	sh.Lang, sh.Right = l.Tag, l.Dir == "rtl"
	sh.Page = func(n, of int) string { return l.T("staff.inv.page", "n", l.Number(n), "of", l.Number(of)) }
	trim(&sh, l)
	set, err := setter()
	var b bytes.Buffer
	if err == nil {
		err = set.WriteSheet(&b, sh)
	}
	if err != nil {
		s.Log.Error("web: PDF", "err", err)
		s.refuse(w, r, http.StatusInternalServerError, l.T("staff.wrong.print"))
		return
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", `inline; filename="carrel-`+name+"-"+s.Clock().In(s.Location).Format(time.DateOnly)+`.pdf"`)
	w.Write(b.Bytes()) //nolint:errcheck // the browser is gone
}

// trim leaves as many rows as are printed, and says so.
func trim(sh *typeset.Sheet, l *language) {
	for i := range sh.Parts {
		if t := &sh.Parts[i]; len(t.Rows) > maxPrinted {
			sh.Lead = append(sh.Lead, t.Title+": "+l.T("staff.inv.pdf.cut", "n", l.Number(maxPrinted), "of", l.Number(len(t.Rows))))
			t.Rows = t.Rows[:maxPrinted]
		}
	}
}

// call is a call number as a table has it.
func call(b inventory.Book) string {
	if b.CallNumber == "" {
		return "–"
	}
	return b.CallNumber
}

// book is a title with its number.
func book(b inventory.Book) string { return strings.TrimSpace(clean(b.Title) + " " + string(b.Item)) }

// reportSheet is a report as it is printed: what is to be done has boxes to
// tick.
func (v shelfView) reportSheet(name string) typeset.Sheet {
	r := v.Report
	table := func(title string, tick bool, rows []inventory.Row, heads []string, wide []int, cells func(inventory.Row) []string) typeset.Table {
		t := typeset.Table{Title: title, None: v.T("staff.inv.nothing"), Head: append([]string{v.T("staff.inv.call"), v.T("staff.ex.item")}, heads...), Wide: append([]int{3, 6}, wide...), Tick: tick}
		for _, x := range rows {
			t.Rows = append(t.Rows, append([]string{call(x.Book), book(x.Book)}, cells(x)...))
		}
		return t
	}
	sh := typeset.Sheet{Title: v.T("staff.inv.title") + ": " + r.Inventory.Name,
		Lead: []string{name, v.Stage(r.Inventory.Stage) + " · " + v.When(r.At), v.T("staff.inv.seen") + ": " + v.Number(r.Seen) + " / " + v.Number(r.Expected)}}
	sh.Parts = []typeset.Table{
		table(v.T("staff.inv.mark.missing"), true, r.Missing, []string{v.T("staff.inv.look")}, []int{5}, func(x inventory.Row) []string { return []string{v.Where(x.To)} }),
		table(v.T("staff.inv.moves"), true, r.Moves, []string{v.T("staff.inv.stands"), v.T("staff.inv.belongs")}, []int{4, 4}, func(x inventory.Row) []string { return []string{v.Stands(x.From), v.Where(x.To)} }),
		table(v.T("staff.inv.surprises"), true, r.Surprises, []string{v.T("staff.inv.why")}, []int{5}, func(x inventory.Row) []string { return []string{v.Words(x)} }),
		table(v.T("staff.inv.notes"), false, r.Notes, []string{v.T("staff.inv.note"), v.T("staff.inv.photo")}, []int{4, 2}, func(x inventory.Row) []string {
			return []string{v.Condition(x.Note), strconv.Itoa(len(x.Photos))}
		}),
	}
	return sh
}

// picksSheet is the list of what is to be pulled: a table for each location,
// in shelf order.
func (v shelfView) picksSheet(name string) typeset.Sheet {
	sh := typeset.Sheet{Title: v.T("staff.inv.picks"), Lead: []string{name, v.When(v.now)}}
	for i, p := range v.Picks {
		if i == 0 || p.Location != v.Picks[i-1].Location {
			sh.Parts = append(sh.Parts, typeset.Table{Title: p.Location, Tick: true, Head: []string{v.T("staff.inv.call"), v.T("staff.ex.item"), v.T("staff.inv.why")}, Wide: []int{3, 7, 4}})
		}
		t := &sh.Parts[len(sh.Parts)-1]
		t.Rows = append(t.Rows, []string{call(p.Book), book(p.Book), v.For(p)})
	}
	return sh
}

// inventoryPDF gives a report to be printed.
func (s *site) inventoryPDF(w http.ResponseWriter, r *http.Request, _ kiosk.Member) {
	rep, err := s.Staff.Inventories.Report(r.Context(), kiosk.ID(r.PathValue("id")), r.URL.Query().Has("whole"))
	if err != nil {
		s.failInventory(w, r, err)
		return
	}
	l := s.staffLanguage(r)
	v := shelfView{language: l, zone: s.Location, now: s.Clock(), Report: &rep}
	s.printed(w, r, "inventory", l, v.reportSheet(s.Name))
}
