package typeset

import (
	"io"
	"strings"
	"unicode"
)

// Sheet is a list to be printed: tables on numbered pages.
type Sheet struct {
	Title string
	Lang  string // BCP 47
	Right bool   // it is read from right to left
	Lead  []string
	Parts []Table
	Page  func(n, of int) string // what stands at the foot of a page
}

// Table is one of a sheet. Its heading is repeated on each page.
type Table struct {
	Title string
	None  string // stands in the place of no rows
	Head  []string
	Wide  []int // shares of the width
	Rows  [][]string
	Tick  bool // a box stands before each row
}

// Lengths of a sheet, in units.
const (
	margin   = 400
	foot     = 300
	tickWide = 260
	gap      = 80
	maxCell  = 300  // characters
	maxHigh  = 2500 // of a cell or a heading: a page has three times as much
)

var (
	sheetTitle = Style{Size: 170, Bold: true}
	sheetPart  = Style{Size: 120, Bold: true}
	sheetHead  = Style{Size: 85, Bold: true}
	sheetText  = Style{Size: 90}
)

// sheet is one as it is laid out.
type sheet struct {
	*PDF
	Sheet
	y int // on the newest page
}

// WriteSheet writes a sheet as a PDF.
func (s *Setter) WriteSheet(w io.Writer, sh Sheet) error {
	d := &sheet{PDF: s.NewPDF(sh.Title, sh.Lang), Sheet: sh}
	d.turn()
	d.block(sh.Title, sheetTitle, 40)
	for _, text := range sh.Lead {
		d.block(text, sheetText, 0)
	}
	for _, t := range sh.Parts {
		d.table(t)
	}
	for n := range d.Pages() {
		st := sheetText
		st.Align = Center
		st.Right = sh.Right
		d.Text(n, margin, PageHeight-foot, PageWidth-2*margin, sh.Page(n+1, d.Pages()), st)
	}
	_, err := d.WriteTo(w)
	return err
}

// turn begins a page.
func (d *sheet) turn() {
	d.PDF.Page()
	d.y = margin
}

func (d *sheet) page() int { return d.Pages() - 1 }

// room tells whether something so high fits on the page.
func (d *sheet) room(high int) bool { return d.y+high <= PageHeight-margin-foot }

// block writes a text across the page.
func (d *sheet) block(text string, st Style, after int) {
	st = d.run(text, st)
	text = d.fit(text, PageWidth-2*margin, st)
	if !d.room(d.Height(text, PageWidth-2*margin, st)) {
		d.turn()
	}
	d.y += d.Text(d.page(), margin, d.y, PageWidth-2*margin, text, st) + after
}

// column is where the cells of one stand.
type column struct{ x, width int }

// columns lays out the columns of a table, from the right where it is read so.
func (d *sheet) columns(t Table) (list []column) {
	wide, all := PageWidth-2*margin, 0
	if t.Tick {
		wide -= tickWide
	}
	for _, w := range t.Wide {
		all += w
	}
	x := PageWidth - margin - wide
	for _, w := range t.Wide {
		width := wide * w / all
		c := column{x, width - gap}
		if d.Right {
			c.x = PageWidth - x - width + gap
		}
		list = append(list, c)
		x += width
	}
	return list
}

// table writes one.
func (d *sheet) table(t Table) {
	d.y += 120
	if !d.room(900) { // a heading alone at the foot of a page is of no use
		d.turn()
	}
	d.block(t.Title, sheetPart, 30)
	if len(t.Rows) == 0 {
		d.block(t.None, sheetText, 0)
		return
	}
	columns := d.columns(t)
	head := d.cells(columns, t.Head, sheetHead)
	d.row(columns, head, sheetHead, false)
	for _, cells := range t.Rows {
		cells = d.cells(columns, cells, sheetText)
		if !d.room(d.high(columns, cells, sheetText)) {
			d.turn()
			d.row(columns, head, sheetHead, false)
		}
		d.row(columns, cells, sheetText, t.Tick)
	}
}

func (d *sheet) high(columns []column, cells []string, st Style) (high int) {
	for i, c := range columns {
		high = max(high, d.Height(cells[i], c.width, d.run(cells[i], st)))
	}
	return high + 50
}

// cells are those of a row as they are printed.
func (d *sheet) cells(columns []column, cells []string, st Style) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = d.fit(cells[i], c.width, d.run(cells[i], st))
	}
	return list
}

// fit is as much of a text as is printed: what is higher than a page, by its
// lines or by letters wider than the column, would be lost below it.
func (d *sheet) fit(text string, width int, st Style) string {
	r := []rune(strings.Join(strings.Fields(text), " "))
	if len(r) > maxCell {
		r = append(r[:maxCell], '…')
	}
	for len(r) > 2 && d.Height(string(r), width, st) > maxHigh {
		r = append(r[:len(r)/2], '…')
	}
	return string(r)
}

// run is a style for a text: a number or a title in Latin letters runs from
// left to right on an Arabic page, too, and stands at its right.
func (d *sheet) run(text string, st Style) Style {
	st.Right = d.Right && strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.Arabic, unicode.Hebrew) })
	if d.Right && !st.Right {
		st.Align = End
	}
	return st
}

// row writes a row with a line below it.
func (d *sheet) row(columns []column, cells []string, st Style, tick bool) {
	high := d.high(columns, cells, st)
	for i, c := range columns {
		d.Text(d.page(), c.x, d.y+25, c.width, cells[i], d.run(cells[i], st))
	}
	if tick {
		x := margin
		if d.Right {
			x = PageWidth - margin - 110
		}
		d.Box(d.page(), x, d.y+35, 110)
	}
	d.y += high
	d.Line(d.page(), margin, PageWidth-margin, d.y)
}
