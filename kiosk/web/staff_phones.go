package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// phonesView is what the page about phones shows.
type phonesView struct {
	*language
	zone *time.Location
	now  time.Time

	Code        string // to pair a phone; empty: none counts
	Until       string
	N           int    // which of the addresses the QR code has
	Address     string //
	Others      []phoneAddress
	Scan        *dots
	Fingerprint string
	List        []kiosk.Phone // the newest first
}

// phoneAddress is another address of the kiosk, by its place in the list.
type phoneAddress struct {
	N    int
	Text string
}

// When is a moment in the library's zone.
func (v phonesView) When(t time.Time) string { return v.moment(t, v.now, v.zone) }

// phonesView gives what there is now; n is which of the addresses is shown.
func (s *site) phonesView(l *language, n int) *phonesView {
	v := &phonesView{language: l, N: n, zone: s.Location, now: s.Clock()}
	_, v.Fingerprint = s.Staff.Phones.Root()
	for i, a := range s.Staff.Phones.Addresses() {
		if i == n || v.Address == "" {
			v.Address = a
		}
		v.Others = append(v.Others, phoneAddress{i, a})
	}
	code, until, _ := s.pairing.now()
	v.Code, v.Until = spelled(code), until.In(s.Location).Format("15:04")
	to := v.Address + "/phone/"
	if code != "" {
		to += "#code=" + code // a fragment: it stays in the phone, out of every log
	}
	if rows, err := s.Staff.Phones.Code(to); err == nil && v.Address != "" {
		d := draw(rows)
		v.Scan = &d
	}
	list := s.Staff.Phones.Phones().List
	for i := range list {
		v.List = append(v.List, list[len(list)-1-i])
	}
	return v
}

// chosenAddress is which of the addresses a form wants, or what follows a path.
func chosenAddress(of url.Values) int {
	n, err := strconv.Atoi(of.Get("address"))
	if err != nil {
		return 0
	}
	return n
}

func (s *site) phonesPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	p := s.staffPage(r, who)
	p.Phones = s.phonesView(p.language, chosenAddress(r.URL.Query()))
	s.showStaff(w, http.StatusOK, "staff-phones", p)
}

// phonesStream sends the page's inside when a phone was paired.
func (s *site) phonesStream(w http.ResponseWriter, r *http.Request) {
	l, n := s.staffLanguage(r), chosenAddress(r.URL.Query())
	var changed <-chan struct{}
	s.staffStream(w, r, kiosk.Librarian, true, func(kiosk.Member) (string, error) {
		_, _, changed = s.pairing.now()
		var b strings.Builder
		err := s.pages.ExecuteTemplate(&b, "phones", s.phonesView(l, n))
		return b.String(), err
	}, func(ctx context.Context) {
		select {
		case <-ctx.Done():
		case <-changed:
		}
	})
}

// phonesTouch makes a code, or forgets a phone.
func (s *site) phonesTouch(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if !takeForm(w, r) {
		return
	}
	to := "/staff/phones"
	switch what := r.PathValue("what"); what {
	case "pair":
		if !s.note(w, r, who, "phone.code", "", "") {
			return
		}
		s.pairing.begin(who)
		if n := chosenAddress(r.PostForm); n > 0 {
			to += "?address=" + strconv.Itoa(n)
		}
	case "forget":
		key := r.PostForm.Get("key")
		p, ok := s.Staff.Phones.Phones().Of(key)
		if !ok {
			break // it is gone already
		}
		err := s.changePhones(r.Context(), s.act(r, who, "phone.forget", p.Name, ""), func(all kiosk.Phones) (kiosk.Phones, error) { return all.Without(key), nil })
		if err != nil {
			s.Log.Error("web: phones", "err", err)
			s.refuse(w, r, http.StatusInternalServerError, s.staffLanguage(r).T("staff.ex.failed"))
			return
		}
	default:
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
