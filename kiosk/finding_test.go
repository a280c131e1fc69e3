package kiosk

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// dune is a title of which one copy stays here and one is lent.
var dune = Title{Title: "Dune", Copies: []Whereabouts{{Item: Item{Barcode: "REF1", Title: "Dune", Reference: true}}, {Item: book, Out: true, Due: due}}}

// atlas stays here.
var atlas = Title{Title: "Atlas", Copies: []Whereabouts{{Item: Item{Barcode: "REF2", Reference: true}}}}

// search has the catalogue answer what was typed.
func (b *bench) search(text string, titles ...Title) {
	b.t.Helper()
	b.send(Search{Text: text})
	e := take[FindTitles](b)
	b.send(TitlesFound{Text: e.Text, Page: e.Page, Holds: true, Findings: Findings{Titles: titles, Total: len(titles)}})
}

func (b *bench) hold(state HoldState, why Reason) {
	b.t.Helper()
	f := b.s.Screen().Find
	if f == nil || f.Hold.State != state || f.Hold.Reason != why {
		b.t.Fatalf("the reservation is %+v; want %q %q", f, state, why)
	}
}

func TestFindView(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(Search{Text: "dune"}) // nobody has opened it
	b.none()
	b.send(StartFind{})
	b.view(ViewFind)
	if sc := b.s.Screen(); sc.Find == nil || sc.Find.Text != "" || sc.Visit == "" || sc.WarnAt.IsZero() {
		t.Errorf("screen %+v", sc)
	}
	b.send(Search{Text: "du"})
	old := take[FindTitles](b)
	b.send(Search{Text: "dune"})
	e := take[FindTitles](b)
	b.send(TitlesFound{Text: old.Text, Findings: Findings{Total: 9}}) // of what nobody asks any more
	if f := b.s.Screen().Find; f.Total != 0 || !f.Busy {
		t.Errorf("an old answer is shown: %+v", f)
	}
	before := b.s.Screen()
	b.send(TitlesFound{Text: e.Text, Findings: Findings{Titles: []Title{dune}, Total: 1}})
	if f := b.s.Screen().Find; f.Total != 1 || f.Busy || before.Find.Total != 0 {
		t.Errorf("the answer is %+v", f)
	}
	b.send(OpenTitle{"nothing"})
	if f := b.s.Screen().Find; f.Open != "" {
		t.Errorf("%q is open", f.Open)
	}
	b.send(OpenTitle{"REF1"})
	if x := b.s.Screen().Find.Title(); x == nil || x.Title != "Dune" {
		t.Errorf("open is %+v", x)
	}
	b.send(Search{Text: "dune", Page: 1})
	if e := take[FindTitles](b); e.Page != 1 {
		t.Errorf("page %d; want 1", e.Page)
	}
	if f := b.s.Screen().Find; f.Page != 0 {
		t.Errorf("the titles of page 0 are called page %d", f.Page)
	}
	b.send(TitlesFound{Text: "dune", Page: 1, Err: errors.New("disk")})
	if f := b.s.Screen().Find; !f.Failed || f.Open != "" {
		t.Errorf("%+v; want that it failed", f)
	}
	b.send(Search{Text: strings.Repeat("é", 500)})
	if n := len([]rune(take[FindTitles](b).Text)); n != maxQuery {
		t.Errorf("%d characters are looked for", n)
	}
	b.send(Search{})
	b.none()
	if f := b.s.Screen().Find; f.Busy || f.Total != 0 {
		t.Errorf("nothing typed shows %+v", f)
	}
}

// What was looked for is gone with who looked, however that ends.
func TestFindIsForgotten(t *testing.T) {
	for name, end := range map[string]func(*bench){
		"finish": func(b *bench) { b.send(Finish{}) },
		"time":   func(b *bench) { b.now = b.now.Add(time.Hour); b.send(Tick{}) },
		"card":   func(b *bench) { b.open1("c1"); b.view(ViewItems) },
		"book":   func(b *bench) { b.send(ItemPlaced{book.Barcode}); b.only(LineAction, ReasonWaitsForCard) },
		"return": func(b *bench) { b.send(StartReturn{}); b.view(ViewItems) },
		"card asked, time": func(b *bench) {
			b.send(OpenTitle{"REF1"})
			b.send(PlaceHold{"REF1"})
			b.view(ViewCard)
			b.now = b.now.Add(time.Hour)
			b.send(Tick{})
		},
		"card asked, book": func(b *bench) {
			b.send(OpenTitle{"REF1"})
			b.send(PlaceHold{"REF1"})
			b.send(ItemPlaced{book.Barcode})
		},
		"signed in, time": func(b *bench) {
			b.send(OpenTitle{"REF1"})
			b.send(PlaceHold{"REF1"})
			b.open1("c1")
			b.view(ViewFind)
			b.send(HoldAnswered{Card: "c1", Item: take[AskHold](b).Item})
			b.now = b.now.Add(time.Hour)
			b.send(Tick{})
			b.view(ViewWelcome)
		},
		"signed in, next card": func(b *bench) {
			b.send(OpenTitle{"REF1"})
			b.send(PlaceHold{"REF1"})
			b.open1("c1")
			b.send(HoldAnswered{Card: "c1", Item: take[AskHold](b).Item})
			b.open1("c2")
			b.view(ViewItems)
		},
	} {
		b := newBench(t, Rules{})
		b.send(StartFind{})
		b.search("dune", dune)
		end(b)
		if sc := b.s.Screen(); sc.Find != nil || b.s.finding != nil {
			t.Errorf("%s: the screen is %s, and knows %+v", name, sc.View, b.s.finding)
		}
	}
}

func TestHold(t *testing.T) {
	b := newBench(t, Rules{PIN: true})
	b.send(StartFind{})
	b.search("dune", dune)
	b.send(PlaceHold{"REF1"}) // which is not open
	b.view(ViewFind)
	b.send(OpenTitle{"REF1"})
	b.send(PlaceHold{book.Barcode}) // another title
	b.view(ViewFind)
	b.send(PlaceHold{"REF1"})
	b.view(ViewCard)
	b.send(Cancel{})
	b.view(ViewFind)
	b.send(PlaceHold{"REF1"})
	b.send(CardRead{"c1"})
	b.view(ViewPIN)
	b.send(Cancel{})
	b.view(ViewFind)
	b.send(PlaceHold{"REF1"})
	b.send(CardRead{"c1"})
	b.send(PINEntered{"12"})
	b.send(Identified{Card: take[Identify](b).Card, Patron: Patron{Card: "c1", FirstName: "Ada", PINChecked: true}})
	b.view(ViewFind)
	b.hold(HoldAsking, "")
	e := take[AskHold](b)
	if e.Card != "c1" || e.Item != book.Barcode {
		t.Errorf("asked %+v; want the copy that may be lent", e)
	}
	b.send(PlaceHold{"REF1"}) // once more
	b.none()
	b.send(HoldAnswered{Card: "c2", Item: e.Item})
	b.hold(HoldAsking, "")
	b.send(HoldAnswered{Card: e.Card, Item: e.Item, Placed: Placed{Place: 3, Pickup: "Main desk"}})
	b.hold(HoldPlaced, "")
	if sc := b.s.Screen(); sc.Patron != "Ada" || sc.Find.Hold.Place != 3 {
		t.Errorf("screen %+v", sc)
	}
	b.send(OpenTitle{})
	b.hold("", "")
	b.send(ShowAccount{})
	b.view(ViewAccount)
	b.send(AccountFetched{Card: take[FetchAccount](b).Card})
	b.send(StartFind{})
	b.view(ViewFind)
	b.search("dune", dune)
	b.send(OpenTitle{"REF1"})
	b.send(PlaceHold{"REF1"})
	b.hold(HoldPlaced, "") // it is still known
	b.none()
	b.send(Finish{})
	b.view(ViewWelcome)
	b.send(HoldAnswered{Card: e.Card, Item: e.Item}) // nobody is there to hear it
	b.view(ViewWelcome)
	b.send(StartFind{})
	b.search("dune", dune)
	b.send(OpenTitle{"REF1"})
	b.hold("", "") // what is known was the patron's
}

// askedHold has a patron ask for Dune.
func askedHold(t *testing.T) (*bench, AskHold) {
	b := newBench(t, Rules{})
	b.send(StartFind{})
	b.search("dune", dune, atlas)
	b.send(OpenTitle{"REF1"})
	b.send(PlaceHold{"REF1"})
	b.open1("c1")
	return b, take[AskHold](b)
}

// A reservation is asked for once, whatever is looked at meanwhile; one that
// was not made can be asked for again.
func TestHoldIsAskedForOnce(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		state HoldState
		again bool
	}{
		"placed":  {nil, HoldPlaced, false},
		"unsure":  {&Error{Code: CodeUnsure}, HoldUnsure, false},
		"refused": {&Error{Code: CodeRefused, Reason: ReasonFees}, "", true},
		"offline": {&Error{Code: CodeOffline}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			b, e := askedHold(t)
			b.send(OpenTitle{})
			b.send(OpenTitle{"REF1"})
			b.hold(HoldAsking, "")
			b.send(PlaceHold{"REF1"})
			b.none()
			b.send(OpenTitle{"REF2"})
			before := b.s.Screen().Find
			b.send(HoldAnswered{Card: e.Card, Item: e.Item, Err: c.err})
			b.hold("", "") // that is of the other title
			if before.Title() == nil || before.Hold.State != "" {
				t.Errorf("the screen before has become %+v", before)
			}
			// Another copy comes first by now: it is the same title.
			b.search("dune", Title{Title: "Dune", Copies: []Whereabouts{{Item: Item{Barcode: "B0"}}, dune.Copies[1]}})
			b.send(OpenTitle{"B0"})
			b.hold(c.state, "")
			b.send(PlaceHold{"B0"})
			if c.again {
				take[AskHold](b)
			}
			b.none()
		})
	}
}

// A visit does not end while the ILS is asked; who has finished is told what was
// not reserved.
func TestHoldIsWaitedFor(t *testing.T) {
	long := func(b *bench) { b.now = b.now.Add(time.Hour); b.send(Tick{}) }
	next := func(b *bench) { b.send(CardRead{"c2"}) }
	finish := func(b *bench) { b.send(Finish{}) }
	for name, c := range map[string]struct {
		end   func(*bench)
		err   error
		after View
	}{
		"finish":            {finish, nil, ViewWelcome},
		"finish, refused":   {finish, &Error{Code: CodeRefused, Reason: ReasonFees}, ViewFind},
		"finish, next card": {func(b *bench) { finish(b); next(b) }, &Error{Code: CodeRefused}, ViewIdentifying},
		"finish, in a list": {func(b *bench) { b.send(OpenTitle{}); finish(b) }, &Error{Code: CodeRefused}, ViewWelcome},
		"time":              {long, nil, ViewWelcome},
		"time, refused":     {long, &Error{Code: CodeRefused}, ViewWelcome},
		"next card":         {next, nil, ViewIdentifying},
		"from the account":  {func(b *bench) { b.send(ShowAccount{}); finish(b) }, nil, ViewWelcome},
		"from the books":    {func(b *bench) { b.send(StartBorrow{}); finish(b) }, &Error{Code: CodeUnsure}, ViewWelcome},
	} {
		t.Run(name, func(t *testing.T) {
			b, e := askedHold(t)
			c.end(b)
			if sc := b.s.Screen(); sc.Card != "c1" || !sc.Busy {
				t.Fatalf("before the answer the screen is %+v", sc)
			}
			b.send(HoldAnswered{Card: e.Card, Item: e.Item, Err: c.err})
			b.view(c.after)
		})
	}
}

func TestHoldThatIsNot(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		state HoldState
		why   Reason
	}{
		"refused": {&Error{Code: CodeRefused, Reason: ReasonFees}, HoldRefused, ReasonFees},
		"no":      {&Error{Code: CodeRefused}, HoldRefused, ReasonAskStaff},
		"away":    {&Error{Code: CodeOffline}, HoldOffline, ""},
		"silent":  {&Error{Code: CodeUnsure}, HoldUnsure, ""},
		"invalid": {&Error{Code: CodeInvalid}, HoldRefused, ReasonAskStaff},
		"other":   {errors.New("x"), HoldRefused, ReasonAskStaff},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Rules{})
			b.send(StartFind{})
			b.search("dune", dune)
			b.send(OpenTitle{"REF1"})
			b.send(PlaceHold{"REF1"})
			b.open1("c1")
			e := take[AskHold](b)
			b.send(HoldAnswered{Card: e.Card, Item: e.Item, Err: c.err})
			b.hold(c.state, c.why)
		})
	}
	b := newBench(t, Rules{})
	b.send(StartFind{})
	b.search("dune", dune, atlas)
	b.send(OpenTitle{"REF2"})
	b.send(PlaceHold{"REF2"})
	b.open1("c1")
	b.hold(HoldRefused, ReasonNotForLoan)
	b.none()
	b.send(OpenTitle{"REF1"})
	b.send(LinkChanged{Up: false})
	b.send(PlaceHold{"REF1"})
	b.hold(HoldOffline, "")
	b.send(LinkChanged{Up: true})
	b.send(PlaceHold{"REF1"}) // another try
	b.hold(HoldAsking, "")
}

// What is found while the card is asked for is there when that is over, and the
// title that is to be reserved stays open.
func TestFoundMeanwhile(t *testing.T) {
	for name, over := range map[string]func(*bench){
		"cancelled": func(b *bench) { b.send(Cancel{}) },
		"another title": func(b *bench) {
			b.send(Cancel{})
			b.send(OpenTitle{})
			b.send(OpenTitle{"REF2"})
		},
		"unknown": func(b *bench) {
			b.send(CardRead{"c9"})
			b.send(Identified{Card: take[Identify](b).Card, Err: &Error{Code: CodeRefused, Reason: ReasonUnknownCard}})
		},
		"known": func(b *bench) {
			b.open1("c1")
			if e := take[AskHold](b); e.Item != book.Barcode {
				t.Errorf("asked %+v", e)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Rules{})
			b.send(StartFind{})
			b.search("du", dune)
			b.send(Search{Text: "atlas"})
			e := take[FindTitles](b)
			b.send(OpenTitle{"REF1"}) // quicker than the answer
			b.send(PlaceHold{"REF1"})
			b.view(ViewCard)
			b.send(TitlesFound{Text: e.Text, Holds: true, Findings: Findings{Titles: []Title{atlas}, Total: 1}})
			over(b)
			b.view(ViewFind)
			if f := b.s.Screen().Find; f.Busy || len(f.Titles) != 1 || f.Titles[0].Title != "Atlas" || f.Title() == nil {
				t.Errorf("the view shows %+v; want what was found, and a title that is open", f)
			}
		})
	}
}

// A card that is unknown takes away nothing of what was found.
func TestHoldByUnknownCard(t *testing.T) {
	b := newBench(t, Rules{})
	b.send(StartFind{})
	b.search("dune", dune)
	b.send(OpenTitle{"REF1"})
	b.send(PlaceHold{"REF1"})
	b.send(CardRead{"c9"})
	b.send(Identified{Card: take[Identify](b).Card, Err: &Error{Code: CodeRefused, Reason: ReasonUnknownCard}})
	b.view(ViewFind)
	if sc := b.s.Screen(); sc.Find.Title() == nil || sc.Notice.Reason != ReasonUnknownCard || sc.Patron != "" {
		t.Errorf("screen %+v", sc)
	}
}

// Whoever is in the catalogue with a card, and puts a book down, borrows it.
func TestFindThenBorrow(t *testing.T) {
	b := newBench(t, Rules{})
	b.account()
	b.send(StartFind{})
	b.view(ViewFind)
	b.send(ItemPlaced{"31234000099999"})
	b.view(ViewItems)
	if b.s.finding != nil || b.s.Screen().Patron == "" {
		t.Errorf("screen %+v", b.s.Screen())
	}
	b.find(Item{Barcode: "31234000099999", Title: "Momo"}, nil)
	if e := take[Record](b); e.Entry.Patron != "c1" {
		t.Errorf("recorded %+v", e.Entry)
	}
}
