package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// fakeDirectory knows one patron and one item.
type fakeDirectory struct {
	log    *fakeStaff
	asked  bool
	lent   string
	refuse kiosk.Reason
}

const evilName = `<b>Zoë</b>`

func (f *fakeDirectory) Find(_ context.Context, text string, _ int) (ps []kiosk.Patron, is []kiosk.Item, err error) {
	if strings.Contains(evilName, text) {
		ps = []kiosk.Patron{{Card: "C1", FirstName: evilName, FamilyName: "Lind"}}
		is = []kiosk.Item{{Barcode: "31", Title: evilName}}
	}
	return ps, is, nil
}

func (f *fakeDirectory) Patron(_ context.Context, c kiosk.Card) (PatronFacts, error) {
	if c != "C1" {
		return PatronFacts{}, fmt.Errorf("card: %w", kiosk.ErrUnknown)
	}
	return PatronFacts{Patron: kiosk.Patron{Card: "C1", FirstName: evilName, Blocked: kiosk.ReasonFees, BlockText: "OWES <i>", Seen: noon}, Asked: f.asked,
		Loans: []LoanFacts{{Loan: kiosk.Loan{Item: "31", Due: noon}, Title: evilName}}}, nil
}

func (f *fakeDirectory) Item(_ context.Context, b kiosk.Barcode) (ItemFacts, error) {
	if b != "31" {
		return ItemFacts{}, fmt.Errorf("item: %w", kiosk.ErrUnknown)
	}
	return ItemFacts{Item: kiosk.Item{Barcode: "31", Title: evilName}, Lent: true, Loan: kiosk.Loan{Item: "31", Patron: "C1", Due: noon}, Asked: f.asked,
		Now: kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.No}}, nil
}

func (f *fakeDirectory) Lend(ctx context.Context, c kiosk.Card, b kiosk.Barcode, by kiosk.Act) (kiosk.ID, error) {
	if f.refuse != "" {
		return "", &kiosk.Error{Code: kiosk.CodeRefused, Reason: f.refuse}
	}
	f.lent = string(c) + " " + string(b)
	return "e1", f.log.Note(ctx, by)
}

func (f *fakeDirectory) TakeBack(ctx context.Context, id kiosk.ID, by kiosk.Act) error {
	if id != "e1" || f.lent == "" {
		return kiosk.ErrUnknown
	}
	f.lent = ""
	return f.log.Note(ctx, by)
}

func TestLook(t *testing.T) {
	dir := &fakeDirectory{}
	h, f, _ := crewSite(t, func(s *Staff) { s.Directory = dir })
	dir.log = f
	_, c := enterAs(h, "S2", "bo-1234")
	_, helper := enterAs(h, "S3", "cy-1234")
	if w := do(h, "GET", "/staff/look?card=C1", nil, helper); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "Zoë") {
		t.Errorf("a helper sees a patron: %d", w.Code)
	}
	for _, tt := range []struct {
		query, noted string
		want         []string
	}{
		{"", "Cy sign-in", []string{"Card, barcode, name or title"}},
		{"?q=Zo", "Bo look Zo", []string{`href="/staff/look?card=C1"`, `href="/staff/look?item=31"`}},
		{"?q=nobody", "Bo look nobody", []string{"Nothing is known by that."}},
		{"?card=C1", "Bo look.patron C1", []string{"There are fees to settle first.", "OWES &lt;i&gt;", "as of Mon 23 November, 12:00", "Lend anyway"}},
		{"?card=C2", "Bo look.patron C2", []string{"Nothing is known by that."}},
		{"?item=31", "Bo look.item 31", []string{`href="/staff/look?card=C1"`}},
		{"?item=32", "Bo look.item 32", []string{"Nothing is known by that."}},
	} {
		w := do(h, "GET", "/staff/look"+tt.query, nil, c)
		for _, want := range tt.want {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: %q is not in %s", tt.query, want, w.Body)
			}
		}
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<b>Zoë") || f.newest() != tt.noted {
			t.Errorf("%s = %d, noted %q", tt.query, w.Code, f.newest())
		}
	}
	dir.asked = true
	if body := do(h, "GET", "/staff/look?item=31", nil, c).Body.String(); !strings.Contains(body, "on loan to another card") || !strings.Contains(body, "said so just now") {
		t.Errorf("asked: %s", body)
	}
}

func TestOverride(t *testing.T) {
	dir := &fakeDirectory{}
	h, f, _ := crewSite(t, func(s *Staff) { s.Directory = dir })
	dir.log = f
	_, c := enterAs(h, "S2", "bo-1234")
	_, helper := enterAs(h, "S3", "cy-1234")
	form := url.Values{"card": {"C1"}, "item": {" 31 "}, "why": {" her class needs\nit "}}
	if w := do(h, "POST", "/staff/look/lend", form, helper); w.Code != http.StatusForbidden || dir.lent != "" {
		t.Errorf("a helper overrides: %d", w.Code)
	}
	if w := do(h, "POST", "/staff/look/lend", url.Values{"card": {"C1"}, "item": {"31"}}, c); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `value="31"`) || dir.lent != "" {
		t.Errorf("without a reason: %d %s", w.Code, w.Body)
	}
	dir.refuse = kiosk.ReasonOnLoanOther
	if w := do(h, "POST", "/staff/look/lend", form, c); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "somebody else’s card") {
		t.Errorf("lent to another: %d", w.Code)
	}
	dir.refuse = ""
	w := do(h, "POST", "/staff/look/lend", form, c)
	if w.Code != http.StatusSeeOther || dir.lent != "C1 31" || f.newest() != "Bo override C1 31 her class needs it" {
		t.Fatalf("lend = %d, %q, noted %q", w.Code, dir.lent, f.newest())
	}
	if body := do(h, "GET", w.Header().Get("Location"), nil, c).Body.String(); !strings.Contains(body, `name="entry" value="e1"`) {
		t.Errorf("there is no way back: %s", body)
	}
	back := url.Values{"entry": {"e1"}, "card": {"C1"}}
	if w := do(h, "POST", "/staff/look/back", back, c); w.Code != http.StatusSeeOther || dir.lent != "" {
		t.Errorf("back = %d", w.Code)
	}
	if w := do(h, "POST", "/staff/look/back", back, c); w.Code != http.StatusConflict {
		t.Errorf("back twice = %d", w.Code)
	}
}
