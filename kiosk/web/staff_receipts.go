package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"html/template"
	"image/png"
	"net/http"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// receiptsView is the page for receipts: how they look, and what they show.
type receiptsView struct {
	ReceiptPreview
	Picture template.URL // the paper
	Wide    int
	High    int
	Scan    *dots
	Style   kiosk.ReceiptStyle
	Wrong   string // with what is typed; the proofs are of what counts
	Undo    bool
}

// samplePatron is nobody.
var samplePatron = kiosk.Patron{Card: "21234000056788", FirstName: "Amina", FamilyName: "Berg"}

// receiptsPage shows staff how receipts look, with what nobody has lent.
func (s *site) receiptsPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	p, style := s.staffPage(r, who), s.Receipts.Style()
	undo := false
	if r.URL.Query().Has("done") {
		_, err := s.Receipts.StyleBefore(r.Context())
		p.Done, undo = p.T("staff.board.done"), err == nil
	}
	s.showReceipts(w, http.StatusOK, p, style, style, undo)
}

// showReceipts shows a style in the form, and one, which is valid, as it looks.
func (s *site) showReceipts(w http.ResponseWriter, status int, p staffPage, form, looks kiosk.ReceiptStyle, undo bool) {
	v, err := s.proofs(p.language, looks)
	if err != nil {
		s.failed(w, http.StatusInternalServerError, p, p.T("staff.wrong.show"))
		return
	}
	v.Style, v.Undo = form, undo
	p.Receipts = v
	w.Header().Set("Content-Security-Policy", strings.Replace(policy, "img-src 'self'", "img-src 'self' data:", 1))
	s.showStaff(w, status, "staff-receipts", p)
}

// receiptsLook shows how what is typed would look. It is asked while somebody
// types: what is wrong is no error yet.
func (s *site) receiptsLook(w http.ResponseWriter, p staffPage, style kiosk.ReceiptStyle) {
	wrong := style.Valid()
	if wrong != nil {
		style = s.Receipts.Style()
	}
	v, err := s.proofs(p.language, style)
	if err != nil {
		http.Error(w, p.T("staff.wrong.show"), http.StatusInternalServerError)
		return
	}
	if wrong != nil {
		v.Wrong = p.T("staff.board.wrong", "what", clean(wrong.Error()))
	}
	p.Receipts = v
	s.showStaff(w, http.StatusOK, "staff-receipts-proofs", p)
}

// proofs are what a style, which is valid, makes of a receipt of nobody.
func (s *site) proofs(l *language, looks kiosk.ReceiptStyle) (*receiptsView, error) {
	k := sampleReceipt(s.Clock(), s.Location)
	k.Language = l.Tag
	v := &receiptsView{ReceiptPreview: s.Receipts.Preview(k, samplePatron, looks)}
	var b bytes.Buffer
	if err := png.Encode(&b, v.Paper); err != nil {
		return nil, err
	}
	v.Picture = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()))
	v.Wide, v.High = v.Paper.Rect.Dx(), v.Paper.Rect.Dy()
	if len(v.Dots) > 0 {
		d := draw(v.Dots)
		v.Scan = &d
	}
	return v, nil
}

// receiptsPut sets what receipts show, or shows how that would look.
func (s *site) receiptsPut(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if !takeForm(w, r) {
		return
	}
	p, what, now := s.staffPage(r, who), r.PathValue("what"), s.Receipts.Style()
	p.Back = "/staff/receipts"
	style := kiosk.ReceiptStyle{}
	switch what {
	case "set", "try", "look":
		style = readStyle(r)
	case "own":
	case "undo":
		var err error
		if style, err = s.Receipts.StyleBefore(r.Context()); err != nil {
			http.Redirect(w, r, "/staff/receipts", http.StatusSeeOther)
			return
		}
	default:
		http.NotFound(w, r)
		return
	}
	if what == "look" {
		s.receiptsLook(w, p, style)
		return
	}
	if err := style.Valid(); err != nil {
		p.Failed = p.T("staff.board.wrong", "what", clean(err.Error()))
		s.showReceipts(w, http.StatusUnprocessableEntity, p, style, now, false)
		return
	}
	if what == "try" {
		p.Done = p.T("staff.receipts.tried")
		s.showReceipts(w, http.StatusOK, p, style, style, false)
		return
	}
	note := strings.Join([]string{string(style.Print), string(style.Name)}, " ")
	if !s.kept(w, r, &p, "receipts", func(ctx context.Context) error {
		return s.Receipts.PutStyle(ctx, style, s.act(r, who, "receipts."+what, "", note))
	}) {
		s.showReceipts(w, http.StatusInternalServerError, p, style, now, false)
	}
}

// readStyle reads the form.
func readStyle(r *http.Request) kiosk.ReceiptStyle {
	f := r.PostForm
	text := func(name string) string {
		var lines []string
		for l := range strings.Lines(f.Get(name)) {
			if l = joined(l); l != "" {
				lines = append(lines, l)
			}
		}
		return strings.Join(lines, "\n")
	}
	return kiosk.ReceiptStyle{Set: true, Print: kiosk.PrintWhen(f.Get("print")), Name: kiosk.NameStyle(f.Get("name")), Card: f.Has("card"), Titles: f.Has("titles"),
		Dates: f.Has("dates"), Code: f.Has("code"), Logo: f.Has("logo"), Head: text("head"), Foot: text("foot")}
}
