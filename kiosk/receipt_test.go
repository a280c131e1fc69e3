package kiosk

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

var ada = Patron{Card: "21234000056788", FirstName: "Ada", FamilyName: "Lin", Language: "es", Email: "ada.lin@example.org", Category: "J", BlockText: "x"}

// lend has ada borrow what is named, and finish in a language.
func lend(t *testing.T, rules Rules, language string, items ...Barcode) *bench {
	t.Helper()
	b := newBench(t, rules)
	b.send(CardRead{ada.Card})
	take[Identify](b)
	b.send(Identified{Card: ada.Card, Patron: ada})
	for _, item := range items {
		b.send(ItemPlaced{item})
		look := take[Look](b)
		if item == "unknown" {
			b.send(Found{Line: look.Line})
			b.store()
			e := take[Ask](b).Entry
			b.send(Answered{Entry: e.ID, Err: &Error{Code: CodeRefused, Reason: ReasonUnknownItem, Text: "No such item, Ada Lin"}})
			b.conclude()
			continue
		}
		b.send(Found{Line: look.Line, Items: []Item{{Barcode: item, Title: "Title of " + string(item)}}})
		b.store()
		b.send(Answered{Entry: take[Ask](b).Entry.ID, Answer: Answer{Due: noon.AddDate(0, 0, 21)}})
		b.conclude()
	}
	b.send(Finish{Language: language})
	b.view(ViewReceipt)
	return b
}

// TestReceiptShowsNoMore: a receipt holds of a patron what the library allows,
// and nothing else, however deep one looks.
func TestReceiptShowsNoMore(t *testing.T) {
	for _, tt := range []struct {
		rules      Receipts
		name, card string
		titles     bool
	}{
		{Receipts{Print: true}, "", "", false},
		{Receipts{Print: true, Name: NameFirst, Card: true, Titles: true}, "Ada", "…6788", true},
		{Receipts{Print: true, Name: NameInitials}, "A.L.", "", false},
		{Receipts{Print: true, Name: NameFull}, "Ada Lin", "", false},
		{Receipts{Print: true, Name: NameNone, Titles: true}, "", "", true},
	} {
		b := lend(t, Rules{Receipts: tt.rules}, "", "31", "unknown")
		b.send(AskReceipt{How: Print, Language: "fr"})
		r := take[Deliver](b).Receipt
		if r.Patron != tt.name || r.Card != tt.card || r.Language != "fr" || len(r.Done()) != 1 || len(r.Unfinished()) != 1 {
			t.Errorf("%+v: receipt %+v", tt.rules, r)
		}
		if got := r.Lines[0].Title != ""; got != tt.titles {
			t.Errorf("%+v: title %q", tt.rules, r.Lines[0].Title)
		}
		all := fmt.Sprintf("%+v", r)
		for _, secret := range []string{string(ada.Card), ada.Email, "No such item", ada.Category + " "} {
			if strings.Contains(all, secret) && secret != "J " {
				t.Errorf("%+v: the receipt holds %q", tt.rules, secret)
			}
		}
		if tt.name == "" && strings.Contains(all, "Ada") {
			t.Errorf("%+v: the receipt holds the name", tt.rules)
		}
	}
	if got := lastDigits("1234567"); got != "" {
		t.Errorf("lastDigits() of a short number = %q; want nothing", got)
	}
}

// TestReceiptAsked: one at a time, again only after it has failed, and what
// became of it is on the screen.
func TestReceiptAsked(t *testing.T) {
	b := lend(t, Rules{Receipts: Receipts{Print: true, Mail: true}}, "", "31")
	if sc := b.s.Screen(); sc.Slip != (Slip{Print: Offered, Mail: Offered, Address: "a•••@example.org"}) || len(b.open) > 0 {
		t.Fatalf("offered %+v with effects %+v", sc.Slip, b.open)
	}
	b.send(AskReceipt{How: Print})
	b.send(AskReceipt{How: Print})
	d := take[Deliver](b)
	if d.Receipt.Language != "es" || d.Address != "" || len(b.open) > 0 || b.s.Screen().Slip.Print != Working {
		t.Errorf("asked twice: %+v, then %+v, screen %+v", d, b.open, b.s.Screen().Slip)
	}
	b.send(Delivered{Visit: d.Receipt.Visit, How: Print, Err: fmt.Errorf("printer: %w", ErrNoPaper)})
	if got := b.s.Screen().Slip.Print; got != NoPaper {
		t.Errorf("without paper it is %q", got)
	}
	b.send(AskReceipt{How: Mail})
	m := take[Deliver](b)
	if m.Address != ada.Email {
		t.Errorf("mailed to %q", m.Address)
	}
	b.send(Delivered{Visit: m.Receipt.Visit, How: Mail})
	b.send(AskReceipt{How: Mail})
	b.send(AskReceipt{How: Print})
	d = take[Deliver](b)
	b.send(Delivered{Visit: d.Receipt.Visit, How: Print, Err: errors.New("x")})
	if got := b.s.Screen().Slip; got.Mail != HandedOver || got.Print != Failed || len(b.open) > 0 {
		t.Errorf("in the end %+v, open %+v", got, b.open)
	}
}

// TestReceiptHoldsNothingUp: a printer that says nothing keeps neither the
// patron nor the next one; what it says later is nobody's.
func TestReceiptHoldsNothingUp(t *testing.T) {
	b := lend(t, Rules{Receipts: Receipts{Print: true, Always: true, Mail: true}}, "fr", "31")
	d := take[Deliver](b)
	if d.Receipt.Language != "fr" || b.s.Screen().Busy {
		t.Errorf("printed by itself in %q, busy %v", d.Receipt.Language, b.s.Screen().Busy)
	}
	b.now = b.now.Add(time.Minute)
	b.send(Tick{})
	b.view(ViewWelcome)
	if sc := b.s.Screen(); sc.Slip != (Slip{}) || b.s.address != "" || b.s.speaks != "" {
		t.Errorf("the next one finds %+v, %q, %q", sc.Slip, b.s.address, b.s.speaks)
	}
	before := b.s
	b.send(Delivered{Visit: d.Receipt.Visit, How: Print})
	if !reflect.DeepEqual(before, b.s) {
		t.Error("a late answer changed the desk of the next one")
	}
	b.send(AskReceipt{How: Print})
	if len(b.open) > 0 {
		t.Errorf("at welcome a receipt is made: %+v", b.open)
	}
}

func TestMailable(t *testing.T) {
	for address, want := range map[string]bool{
		"ada@example.org": true, "a.b+c@mail.example.co.uk": true, "": false, "ada": false, "ada@": false, "@example.org": false, "ada@localhost": false,
		"a@b@example.org": false, "ada@example.org\r\nRCPT TO:<x@y.z>": false, "a b@example.org": false, "<ada@example.org>": false,
		"ada@example.org,eve@example.org": false, strings.Repeat("a", 250) + "@example.org": false,
	} {
		if mailable(address) != want {
			t.Errorf("mailable(%q) = %v; want %v", address, !want, want)
		}
	}
}

// TestReceiptStyleOver: what staff sets goes before what is configured, but no
// printer comes of it; and it counts for the next receipt.
func TestReceiptStyleOver(t *testing.T) {
	conf := Receipts{Printer: true, Print: true, Mail: true, Name: NameFull, Card: true, Titles: true}
	if got := StyleOf(conf).Over(conf); got != conf {
		t.Errorf("what is configured, set: %+v; want %+v", got, conf)
	}
	if got := (ReceiptStyle{}).Over(conf); got != conf {
		t.Errorf("nothing set: %+v; want %+v", got, conf)
	}
	never := ReceiptStyle{Set: true, Print: PrintNever, Name: NameNone}
	if got, want := never.Over(conf), (Receipts{Printer: true, Mail: true, Name: NameNone}); got != want {
		t.Errorf("never: %+v; want %+v", got, want)
	}
	if got := (ReceiptStyle{Set: true, Print: PrintAlways}).Over(Receipts{}); got.Print {
		t.Errorf("without a printer: %+v", got)
	}
	if got := StyleOf(Receipts{Printer: true}); got.Print != PrintNever || got.Valid() != nil {
		t.Errorf("StyleOf(never) = %+v, %v", got, got.Valid())
	}
	b := lend(t, Rules{Receipts: conf}, "", "31")
	b.send(ReceiptsSet{Receipts{Print: true, Name: NameInitials}})
	b.send(AskReceipt{How: Print})
	if r := take[Deliver](b).Receipt; r.Patron != "A.L." || r.Card != "" || r.Lines[0].Title != "" {
		t.Errorf("receipt after that: %+v", r)
	}
}
