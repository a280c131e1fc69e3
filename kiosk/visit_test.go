package kiosk

import (
	"testing"
	"time"
)

// account brings c1 to an account with two loans.
func (b *bench) account() {
	b.t.Helper()
	b.send(ShowAccount{})
	b.view(ViewCard)
	b.open1("c1")
	b.view(ViewAccount)
	b.send(AccountFetched{Card: take[FetchAccount](b).Card, Account: Account{Owed: "1.50 USD", Loans: []Borrowed{
		{Item: book.Barcode, Title: "Dune", Due: due, Renewals: -1}, {Item: book2.Barcode, Title: "Emma", Due: due, Renewals: 1}}}})
}

func TestAccountRenewsOneOfTwo(t *testing.T) {
	b := newBench(t, Rules{})
	b.account()
	sc := b.s.Screen()
	if sc.Account == nil || sc.Account.Owed != "1.50 USD" || len(sc.Lines) != 2 || sc.Patron != "Ada" {
		t.Fatalf("screen %+v; want an account with two loans", sc)
	}
	b.send(RenewLine{sc.Lines[0].ID})
	b.find(book, nil) // lent at another desk: the mirror does not know
	if e := b.store(); e.Kind != Renew || e.Patron != "c1" || !e.WasDue.Equal(due) {
		t.Fatalf("recorded %+v; want a renewal of what was due %v", e, due)
	}
	b.send(Answered{Entry: take[Ask](b).Entry.ID, Answer: Answer{Due: due.AddDate(0, 0, 14)}})
	b.conclude()
	if l := b.s.Screen().Lines; l[0].State != LineRenewed || l[1].State != LineAction {
		t.Fatalf("lines %+v; want the first renewed", l)
	}
	b.send(Finish{})
	b.view(ViewReceipt)
	b.only(LineRenewed, "")
}

func TestRenewAllGoesOnAfterARefusal(t *testing.T) {
	b := newBench(t, Rules{})
	b.account()
	b.send(RenewAll{})
	b.find(book, &Loan{Item: book.Barcode, Patron: "c1", Due: due})
	b.find(book2, &Loan{Item: book2.Barcode, Patron: "c1", Due: due})
	b.store()
	b.store()
	b.send(Answered{Entry: take[Ask](b).Entry.ID, Err: &Error{Code: CodeRefused, Reason: ReasonNotOnLoan}})
	b.send(Answered{Entry: take[Ask](b).Entry.ID, Answer: Answer{Due: due.AddDate(0, 0, 14)}})
	b.conclude()
	b.conclude()
	ls := b.s.Screen().Lines
	if ls[0].State != LineRefused || ls[0].Reason != ReasonNotOnLoan || ls[1].State != LineRenewed {
		t.Fatalf("lines %+v; want one refused, one renewed, and none lent in place of it", ls)
	}
}

func TestAccountIsCovered(t *testing.T) {
	b := newBench(t, Rules{})
	b.account()
	b.now = b.now.Add(15 * time.Second)
	b.send(Tick{})
	if sc := b.s.Screen(); !sc.Covered || sc.Account != nil || len(sc.Lines) > 0 || sc.Patron != "" {
		t.Fatalf("after 15 s: %+v; want it covered", sc)
	}
	b.send(Touched{})
	if sc := b.s.Screen(); sc.Covered || sc.Account == nil || len(sc.Lines) != 2 {
		t.Fatalf("touched: %+v; want it back", sc)
	}
	b.now = b.now.Add(time.Minute)
	b.send(Tick{})
	b.view(ViewWelcome)
}

func TestABlockedPatronSeesTheAccountAndBorrowsNothing(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(ShowAccount{})
	b.send(CardRead{"c1"})
	b.send(Identified{Card: take[Identify](b).Card, Patron: Patron{Card: "c1", Blocked: ReasonFees}})
	b.send(AccountFetched{Card: take[FetchAccount](b).Card, Account: Account{Blocked: ReasonFees}})
	b.send(StartBorrow{})
	b.view(ViewAccount)
	if n := b.s.Screen().Notice; n.Reason != ReasonFees {
		t.Errorf("notice %+v; want why nothing is lent", n)
	}
	b.send(ItemPlaced{book.Barcode})
	b.view(ViewAccount)
	b.only(LineRefused, ReasonFees)
}

func TestAccountNeedsThePIN(t *testing.T) {
	b := newBench(t, Rules{PIN: true})
	b.send(ShowAccount{})
	b.send(CardRead{"c1"})
	b.view(ViewPIN)
	b.send(PINEntered{"1"})
	b.send(Identified{Card: take[Identify](b).Card, Patron: Patron{Card: "c1", Local: true}})
	b.view(ViewWelcome)
	if n := b.s.Screen().Notice; n.Reason != ReasonPINOffline {
		t.Errorf("notice %+v; want that the PIN can't be checked", n)
	}
}

func TestABookInPlaceOfTheAccount(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(ShowAccount{})
	b.send(ItemPlaced{book.Barcode}) // before the card
	b.view(ViewWelcome)
	b.only(LineAction, ReasonWaitsForCard)
	b.find(book, nil)
	b.open1("c1")
	b.view(ViewItems)

	b = newBench(t, Rules{})
	b.account()
	b.send(ItemPlaced{"30999"}) // after it
	b.view(ViewItems)
	if l := b.only(LineWaiting, ""); l.Item != "30999" {
		t.Errorf("line %+v; want the book alone", l)
	}
}

func TestAccountFromTheBooks(t *testing.T) {
	b := newBench(t, Rules{})
	b.open1("c1")
	b.send(ShowAccount{})
	b.send(AccountFetched{Card: take[FetchAccount](b).Card, Account: Account{Loans: []Borrowed{{Item: book.Barcode, Due: due}}}})
	b.send(RenewAll{}) // which it can't any more
	b.only(LineAction, ReasonOnLoanYou)
	b.send(StartBorrow{})
	b.view(ViewItems)
	if ls := b.s.Screen().Lines; len(ls) > 0 {
		t.Errorf("lines %+v; want none among the books", ls)
	}
	b.send(ShowAccount{})
	b.send(AccountFetched{Card: "c2", Account: Account{Owed: "9"}}) // somebody else's, late
	if a := b.s.Screen().Account; a != nil {
		t.Errorf("the account is %+v; want it still asked for", a)
	}
}
