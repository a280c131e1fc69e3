package web

import (
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
	got *kiosk.Receipt
	err error
}

func (f fakeReceipts) Code(r kiosk.Receipt) ([][]bool, error) {
	*f.got = r
	return [][]bool{{true, true, false}, {false, false, true}, {true, false, true}}, f.err
}

func (f fakeReceipts) Preview(r kiosk.Receipt) ReceiptPreview {
	return ReceiptPreview{Paper: image.NewGray(image.Rect(0, 0, 20, 10)), Subject: "<b>", Mail: "Dear " + r.Patron, Code: "code", Broken: f.err}
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
	with := func(err error) func(*Config) { return func(c *Config) { c.Receipts = fakeReceipts{&got, err} } }
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
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Receipts = fakeReceipts{new(kiosk.Receipt), errors.New("mail.txt: line 3")} })
	if w := get(h, "/staff/receipts"); w.Code == http.StatusOK || strings.Contains(w.Body.String(), "Dear") {
		t.Errorf("who is not signed in gets %d", w.Code)
	}
}
