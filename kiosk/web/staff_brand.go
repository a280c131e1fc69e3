package web

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Brands keep how the library wants its kiosk to look.
type Brands interface {
	// Brand is the one that counts; it does not wait.
	Brand() kiosk.Brand
	// PutBrand sets another, which shows at once, and notes who did.
	PutBrand(ctx context.Context, b kiosk.Brand, by kiosk.Act) error
	// BrandBefore is the one before; kiosk.ErrUnknown if none was ever set.
	BrandBefore(ctx context.Context) (kiosk.Brand, error)
}

func (s *site) brand() kiosk.Brand {
	if s.Staff == nil || s.Staff.Brand == nil {
		return kiosk.Brand{}
	}
	return s.Staff.Brand.Brand()
}

// library is its name as patrons know it.
func (s *site) library() string {
	if name := clean(s.brand().Name); name != "" {
		return name
	}
	return s.Library
}

// edition is version, and changes with the brand too: a page of another one
// loads itself again.
func (s *site) edition() string {
	b := s.brand()
	if b == (kiosk.Brand{}) {
		return version
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%q", b)
	return fmt.Sprintf("%s-%08x", version, h.Sum32())
}

// brandCSS gives the brand's colours in place of Carrel's.
func (s *site) brandCSS(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	b := s.brand()
	if b.Valid() != nil {
		return // nothing of it can be trusted
	}
	if c := b.House; c != "" {
		fmt.Fprintf(w, ":root { --spruce: %s; --spruce-deep: %s; --mint: %s; }\n", c, c.Deep(), c.Tint())
		fmt.Fprintf(w, ":root[data-mode~=contrast] { --spruce: %s; --spruce-deep: %s; --mint: #ffffff; }\n", c.HighHouse(), c.HighHouse().Deep())
	}
	if c := b.Accent; c != "" {
		fmt.Fprintf(w, ":root { --lamp: %s; --lamp-soft: %s; }\n", c, c.Soft())
		fmt.Fprintf(w, ":root[data-mode~=contrast] { --lamp: %s; --lamp-soft: #ffffff; }\n", c.HighAccent())
	}
}

// brandPage is what the page for the look shows.
type brandPage struct {
	Title         string
	House, Accent kiosk.Colour
	Logo          string // its address; empty: none
	Undo          bool
}

func (s *site) newBrandPage(b kiosk.Brand) *brandPage {
	p := &brandPage{Title: b.Name, House: b.House, Accent: b.Accent, Logo: s.logoAddress()}
	if p.House == "" {
		p.House = kiosk.HouseOwn
	}
	if p.Accent == "" {
		p.Accent = kiosk.AccentOwn
	}
	return p
}

func (s *site) brandShow(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Brand == nil {
		http.NotFound(w, r)
		return
	}
	p := s.staffPage(r, who)
	p.Brand = s.newBrandPage(s.brand())
	if r.URL.Query().Has("done") {
		_, err := s.Staff.Brand.BrandBefore(r.Context())
		p.Brand.Undo, p.Done = err == nil, p.T("staff.board.done")
	}
	s.showStaff(w, http.StatusOK, "staff-brand", p)
}

// brandPut sets the look. Colours that can't be read are refused; the form then
// holds what would do.
func (s *site) brandPut(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Brand == nil {
		http.NotFound(w, r)
		return
	}
	p, what := s.staffPage(r, who), r.PathValue("what")
	b := s.brand()
	var wrong error // with the logo
	if what == "logo" {
		b.Logo, wrong = takeLogo(w, r)
	} else if !takeForm(w, r) {
		return
	}
	switch what {
	case "logo":
	case "no-logo":
		b.Logo = ""
	case "set":
		b = kiosk.Brand{Name: joined(r.PostForm.Get("name")), House: kiosk.Colour(r.PostForm.Get("house")), Accent: kiosk.Colour(r.PostForm.Get("accent")), Logo: b.Logo}
		if b.House == kiosk.HouseOwn {
			b.House = ""
		}
		if b.Accent == kiosk.AccentOwn {
			b.Accent = ""
		}
	case "own":
		b = kiosk.Brand{}
	case "undo":
		var err error
		if b, err = s.Staff.Brand.BrandBefore(r.Context()); err != nil {
			http.Redirect(w, r, "/staff/brand", http.StatusSeeOther)
			return
		}
	default:
		http.NotFound(w, r)
		return
	}
	p.Brand = s.newBrandPage(b)
	if wrong != nil {
		p.Failed = p.T("staff.brand.logo.wrong")
		if errors.Is(wrong, errPaleLogo) {
			p.Failed = p.T("staff.brand.logo.pale")
		}
		s.showStaff(w, http.StatusUnprocessableEntity, "staff-brand", p)
		return
	}
	if err := b.Valid(); err != nil {
		p.Failed = p.T("staff.board.wrong", "what", clean(err.Error()))
		if weak, ok := errors.AsType[*kiosk.WeakError](err); ok {
			p.Failed = p.T("staff.brand.weak", "colour", string(weak.Colour), "ratio", fmt.Sprintf("%.1f", weak.Ratio), "better", string(weak.Better))
			if weak.Colour == b.House {
				p.Brand.House = weak.Better
			} else {
				p.Brand.Accent = weak.Better
			}
		}
		s.showStaff(w, http.StatusUnprocessableEntity, "staff-brand", p)
		return
	}
	note := fmt.Sprintf("%s %s %s", b.Name, b.House, b.Accent)
	if !s.kept(w, r, &p, "brand", func(ctx context.Context) error {
		return s.Staff.Brand.PutBrand(ctx, b, s.act(r, who, "brand."+what, "", note))
	}) {
		s.showStaff(w, http.StatusInternalServerError, "staff-brand", p)
	}
}
