package web

import (
	"context"
	"errors"
	"image"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// fakeReceipts draws a code that depends on what it is given.
type fakeReceipts struct {
	got    *kiosk.Receipt
	styles *[]kiosk.ReceiptStyle
	err    error
}

func (f fakeReceipts) Code(r kiosk.Receipt) ([][]bool, error) {
	*f.got = r
	return [][]bool{{true, true, false}, {false, false, true}, {true, false, true}}, f.err
}

func (f fakeReceipts) Preview(r kiosk.Receipt, p kiosk.Patron, s kiosk.ReceiptStyle) ReceiptPreview {
	rows, _ := f.Code(r)
	return ReceiptPreview{Paper: image.NewGray(image.Rect(0, 0, 20, 10)), Subject: "<b>", Mail: "Dear " + p.FirstName + s.Head, Code: "code", Dots: rows, Broken: f.err}
}

func (f fakeReceipts) Style() kiosk.ReceiptStyle {
	if f.styles != nil && len(*f.styles) > 0 && (*f.styles)[len(*f.styles)-1].Set {
		return (*f.styles)[len(*f.styles)-1]
	}
	return kiosk.StyleOf(kiosk.Receipts{})
}

func (f fakeReceipts) PutStyle(_ context.Context, s kiosk.ReceiptStyle, by kiosk.Act) error {
	worded(by)
	if by.What == "" {
		return errors.New("nobody did it")
	}
	*f.styles = append(*f.styles, s)
	return nil
}

func (f fakeReceipts) StyleBefore(context.Context) (kiosk.ReceiptStyle, error) {
	if n := len(*f.styles); n > 1 {
		return (*f.styles)[n-2], nil
	}
	return kiosk.ReceiptStyle{}, nil
}

func receiptScreen(s kiosk.Slip) kiosk.Screen {
	now := time.Now()
	return kiosk.Screen{View: kiosk.ViewReceipt, Visit: "v1", Mode: kiosk.Borrowing, Online: true, Patron: "Ada", Card: "21234000056788", Now: now, Slip: s,
		Lines: []kiosk.Line{{ID: "1", Item: "31", Title: "Dune", Kind: kiosk.Checkout, State: kiosk.LineLent, Due: now.AddDate(0, 0, 21)}}}
}

// TestWays: what can be touched, and what became of it, for each state.
func TestWays(t *testing.T) {
	for _, tt := range []struct {
		slip     kiosk.Slip
		has, not []string
	}{
		{kiosk.Slip{}, nil, []string{"/touch/print", "/touch/mail", "became"}},
		{kiosk.Slip{Print: kiosk.Offered}, []string{`action="/touch/print"`, ">Print<"}, []string{"/touch/mail", "became"}},
		{kiosk.Slip{Mail: kiosk.Offered, Address: "a•••@x.org"}, []string{`action="/touch/mail"`, "a•••@x.org"}, []string{"/touch/print"}},
		{kiosk.Slip{Print: kiosk.Working}, []string{"is-working", "Printing"}, []string{"/touch/print"}},
		{kiosk.Slip{Print: kiosk.HandedOver}, []string{"is-done", "take it"}, []string{"/touch/print"}},
		{kiosk.Slip{Print: kiosk.NoPaper, Mail: kiosk.Offered}, []string{"is-no-paper", "out of paper", "/touch/print", "/touch/mail"}, nil},
		{kiosk.Slip{Mail: kiosk.Failed}, []string{"is-failed", "/touch/mail"}, nil},
	} {
		h, _ := newSite(t, receiptScreen(tt.slip))
		body := get(h, "/").Body.String()
		for _, want := range tt.has {
			if !strings.Contains(body, want) {
				t.Errorf("%+v: the page lacks %q", tt.slip, want)
			}
		}
		for _, bad := range append(tt.not, `id="phone"`) {
			if strings.Contains(body, bad) {
				t.Errorf("%+v: the page has %q", tt.slip, bad)
			}
		}
	}
}

// TestScan: the code is there while the receipt is, holds nothing of the
// patron, and is drawn dot for dot.
func TestScan(t *testing.T) {
	var got kiosk.Receipt
	with := func(err error) func(*Config) {
		return func(c *Config) { c.Receipts = fakeReceipts{got: &got, err: err} }
	}
	h, desk := newSite(t, receiptScreen(kiosk.Slip{Titles: true}), with(nil))
	body := get(h, "/").Body.String()
	if !strings.Contains(body, `viewBox="0 0 11 11"`) || !strings.Contains(body, `d="M4 4h2v1h-2zM6 5h1v1h-1zM4 6h1v1h-1zM6 6h1v1h-1z"`) {
		t.Error("the code is not drawn")
	}
	if got.Patron != "" || got.Card != "" || got.Lines[0].Title != "Dune" || got.Language != "en" {
		t.Errorf("the code is made of %+v", got)
	}
	sc := receiptScreen(kiosk.Slip{})
	desk.show(sc)
	if get(h, "/"); got.Lines[0].Title != "" {
		t.Error("the code names what was lent where the library does not want it")
	}
	sc.View = kiosk.ViewItems
	desk.show(sc)
	if strings.Contains(get(h, "/").Body.String(), `id="phone"`) {
		t.Error("the code is there before the receipt is")
	}
	h, _ = newSite(t, receiptScreen(kiosk.Slip{}), with(errors.New("too long")))
	if strings.Contains(get(h, "/").Body.String(), `id="phone"`) {
		t.Error("a code that can't be made is offered")
	}
}

// TestSlipLogo: the library's logo is on the slip where the library has one and
// wants it there.
func TestSlipLogo(t *testing.T) {
	for want, brand := range map[bool]kiosk.Brand{true: {Logo: "AAAA"}, false: {}} {
		for _, style := range []kiosk.ReceiptStyle{{}, {Set: true}} {
			h, _ := newSite(t, receiptScreen(kiosk.Slip{}), func(c *Config) {
				c.Receipts = fakeReceipts{got: new(kiosk.Receipt), styles: &[]kiosk.ReceiptStyle{style}}
				c.Staff = &Staff{Brand: &fakeBrands{all: []kiosk.Brand{brand}}}
			})
			if got := strings.Contains(get(h, "/").Body.String(), `class="slip-logo"`); got != (want && !style.Set) {
				t.Errorf("with %+v and %+v the slip shows a logo: %v", brand, style, got)
			}
		}
	}
}

// TestAskReceipt: a touch carries the language of the screen, one that there
// is.
func TestAskReceipt(t *testing.T) {
	for lang, want := range map[string]string{"ar": "ar", "": "", "tlh": "", "../en": ""} {
		for what, how := range map[string]kiosk.Delivery{"print": kiosk.Print, "mail": kiosk.Mail} {
			ev, ok := new(site).decode(what, url.Values{"lang": {lang}})
			if !ok || ev != (kiosk.AskReceipt{How: how, Language: want}) {
				t.Errorf("decode(%q, %q) = %+v, %v", what, lang, ev, ok)
			}
		}
		if ev, _ := new(site).decode("finish", url.Values{"lang": {lang}}); ev != (kiosk.Finish{Language: want}) {
			t.Errorf("finish in %q = %+v", lang, ev)
		}
	}
}

// TestReceiptsPage: the preview is staff's.
func TestReceiptsPage(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Receipts = fakeReceipts{got: new(kiosk.Receipt), err: errors.New("mail.txt: line 3")}
	})
	if w := get(h, "/staff/receipts"); w.Code == http.StatusOK || strings.Contains(w.Body.String(), "Dear") {
		t.Errorf("who is not signed in gets %d", w.Code)
	}
}

// TestReceiptStyle: what staff sets holds, can be looked at before, taken back,
// and given up; what can't be is told, and changes nothing.
func TestReceiptStyle(t *testing.T) {
	set := []kiosk.ReceiptStyle{}
	f, crew := fakeReceipts{got: new(kiosk.Receipt), styles: &set}, crew()
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Receipts, c.Staff = f, &Staff{Accounts: crew, Audit: crew} })
	_, c := enterAs(h, "S1", "ana-1234")
	_, bo := enterAs(h, "S2", "bo-1234")
	form := func(print, head string) url.Values {
		return url.Values{"print": {print}, "name": {"initials"}, "titles": {"on"}, "head": {head}}
	}
	put := func(code int, what string, form url.Values) string {
		t.Helper()
		w := do(h, "POST", "/staff/receipts/"+what, form, c)
		if w.Code != code {
			t.Errorf("%s %v = %d; want %d", what, form, w.Code, code)
		}
		return w.Body.String()
	}
	if w := do(h, "POST", "/staff/receipts/set", form("ask", ""), bo); w.Code != http.StatusForbidden {
		t.Errorf("staff that may not sets receipts: %d", w.Code)
	}
	if body := put(http.StatusOK, "try", form("never", "Elm <i>")); !strings.Contains(body, "Dear AminaElm &lt;i&gt;") || !strings.Contains(body, `<option value="never" selected>`) {
		t.Errorf("tried: %s", body)
	}
	if body := put(http.StatusOK, "look", form("never", "Elm <i>")); !strings.Contains(body, "Dear AminaElm &lt;i&gt;") || strings.Contains(body, "<form") {
		t.Errorf("looked at while it is typed: %s", body)
	}
	if body := put(http.StatusOK, "look", form("ask", strings.Repeat("a", kiosk.MaxSlipLine+1))); !strings.Contains(body, `role="alert"`) || !strings.Contains(body, "Dear Amina<") {
		t.Errorf("looked at with a line that is too long: %s", body)
	}
	put(http.StatusUnprocessableEntity, "set", form("often", ""))
	put(http.StatusUnprocessableEntity, "set", form("ask", strings.Repeat("a\n", kiosk.MaxSlipLines+1)))
	put(http.StatusUnprocessableEntity, "try", form("ask", strings.Repeat("a", kiosk.MaxSlipLine+1)))
	put(http.StatusNotFound, "else", nil)
	if len(set) != 0 {
		t.Fatalf("set: %+v", set)
	}
	put(http.StatusSeeOther, "set", form("always", " Elm  Street \r\n\r\n2 "))
	want := kiosk.ReceiptStyle{Set: true, Print: kiosk.PrintAlways, Name: kiosk.NameInitials, Titles: true, Head: "Elm Street\n2"}
	if len(set) != 1 || set[0] != want {
		t.Fatalf("set: %+v; want %+v", set, want)
	}
	put(http.StatusSeeOther, "own", nil)
	if f.Style() != kiosk.StyleOf(kiosk.Receipts{}) {
		t.Errorf("given up: %+v", f.Style())
	}
	put(http.StatusSeeOther, "undo", nil)
	if f.Style() != want {
		t.Errorf("taken back: %+v", f.Style())
	}
	if body := do(h, "GET", "/staff/receipts?done", nil, c).Body.String(); !strings.Contains(body, "/staff/receipts/undo") || !strings.Contains(body, "Elm Street") {
		t.Errorf("the page: %s", body)
	}
}
