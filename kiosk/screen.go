package kiosk

import (
	"slices"
	"time"
)

// Screen is what the touch screen shows: a plain value, complete in itself.
type Screen struct {
	Seq      uint64    // grows with each change
	View     View      //
	Mode     Mode      // borrowing or returning
	Visit    ID        // changes with every card and every return: a touch names the one that it was meant for; empty at welcome
	Patron   string    // the name as the library wants it shown, empty if nobody is here
	Card     Card      // for staff and tests; the screen never shows it
	Language string    // the patron's, BCP 47, or empty
	Child    bool      // the patron is a child
	Lines    []Line    // in the order they came
	Notice   Notice    // a line that belongs to no item: an unreadable code, a wrong PIN
	Busy     bool      // something is waiting, Finish will wait for it
	Closing  bool      // Finish was pressed and waits
	EndsAt   time.Time // when the view ends by itself; zero means never
	WarnAt   time.Time // from when on the countdown is shown
	Online   bool      // upstream can be reached
	Tray     Tray      // what lies on the pad
	Account  *Account  // of the account view; nil while it is being asked for, and while it is covered; never changed
	Find     *Finding  // of the find view; never changed
	Want     View      // what the card leads to that is asked for; empty: the books
	Covered  bool      // the account is there, and hidden from who walks by: a touch shows it again
	WakeAt   time.Time // when the session wants a Tick, beside the view's and the notice's end; zero means never
	Slip     Slip      // how the receipt stands
	Care     Care      // who calls for help, and who does not get on
	Faults   []Fault   //
	Now      time.Time // the desk's clock when this was made
}

// Same tells whether two screens show the same to everybody.
func (s Screen) Same(o Screen) bool {
	return s.Seq == o.Seq && s.View == o.View && s.Visit == o.Visit && s.Mode == o.Mode && s.Patron == o.Patron && s.Card == o.Card &&
		s.Language == o.Language && s.Child == o.Child && s.Notice == o.Notice && s.Busy == o.Busy && s.Closing == o.Closing &&
		s.EndsAt.Equal(o.EndsAt) && s.WarnAt.Equal(o.WarnAt) && s.Online == o.Online && s.Now.Equal(o.Now) &&
		s.Tray == o.Tray && s.Account == o.Account && s.Covered == o.Covered && s.Slip == o.Slip && s.Care.same(o.Care) && s.WakeAt.Equal(o.WakeAt) &&
		s.Find == o.Find && s.Want == o.Want &&
		slices.Equal(s.Faults, o.Faults) && sameLines(s.Lines, o.Lines)
}

// View is which page the screen shows.
type View string

// The views.
const (
	ViewWelcome     View = "welcome"     // nobody is here; Lines may hold books that wait for a card
	ViewIdentifying View = "identifying" // a card was read, who is it?
	ViewPIN         View = "pin"         //
	ViewItems       View = "items"       // borrowing or returning
	ViewReceipt     View = "receipt"     //
	ViewCard        View = "card"        // the account, or a reservation, was asked for: a card, please
	ViewAccount     View = "account"     // what the patron has and owes
	ViewFind        View = "find"        // the catalogue
)

// Mode is what scanning a book means.
type Mode string

// The modes.
const (
	Borrowing Mode = "borrow"
	Returning Mode = "return"
)

// Notice is something to tell the patron that belongs to no line.
type Notice struct {
	Reason Reason // empty: nothing
	Code   string // what was scanned, cut and cleaned; may be empty
	Until  time.Time
}
