package kiosk

import "time"

// Event is something that happened: a scan, a touch, the end of an effect.
type Event interface{ event() }

// Scans, typed by package intake.
type (
	// CardRead is a patron's card.
	CardRead struct{ Card Card }
	// ItemPlaced is the barcode of a copy.
	ItemPlaced struct{ Item Barcode }
	// ISBNRead is the book trade's code, as 13 digits: a title, never a copy.
	ISBNRead struct{ ISBN string }
	// Unreadable is a code that is none of these. Code is cleaned and cut for
	// showing to staff.
	Unreadable struct {
		Code   string
		Reason Reason
	}
)

// Touches of the screen.
type (
	// PINEntered answers the PIN view.
	PINEntered struct{ PIN string }
	// StartReturn opens the return view; no card is needed.
	StartReturn struct{}
	// RenewLine answers a line that offers to renew.
	RenewLine struct{ Line ID }
	// DropLine takes back a line that still waits for a card, or that offers to renew.
	DropLine struct{ Line ID }
	// Finish ends the session as soon as nothing waits any more.
	Finish struct{}
	// Cancel goes back to welcome from the PIN view, or closes the receipt.
	Cancel struct{}
	// Touched is any other sign of life; it moves the session's end.
	Touched struct{}
)

// Ends of effects.
type (
	// Found answers Look.
	Found struct {
		Line      ID
		Items     []Item // none: unknown; for an ISBN up to two copies
		Loan      Loan   // of Items[0], if OnLoan
		OnLoan    bool
		Unsettled bool // the outbox holds an entry of Items[0]: the ILS can't be asked about it yet
		Err       error
	}
	// Identified answers Identify.
	Identified struct {
		Card   Card
		Patron Patron
		Loans  int // what the patron has by the mirror
		Err    error
	}
	// Stored answers Record and Conclude: it is on disk.
	Stored struct {
		Entry ID
		State State
	}
	// NotStored answers Record and Conclude: it is not, and nothing changed.
	NotStored struct {
		Entry ID
		State State
		Err   error
	}
	// Answered answers Ask. Err is nil or of the classes of Error.
	Answered struct {
		Entry  ID
		Answer Answer
		Err    error
	}
)

// News from outside.
type (
	// LinkChanged tells whether upstream can be reached.
	LinkChanged struct{ Up bool }
	// Tick says that time has passed; the desk sends one at least each second
	// while a deadline is running.
	Tick struct{}
)

func (CardRead) event()    {}
func (ItemPlaced) event()  {}
func (ISBNRead) event()    {}
func (Unreadable) event()  {}
func (PINEntered) event()  {}
func (StartReturn) event() {}
func (RenewLine) event()   {}
func (DropLine) event()    {}
func (Finish) event()      {}
func (Cancel) event()      {}
func (Touched) event()     {}
func (Found) event()       {}
func (Identified) event()  {}
func (Stored) event()      {}
func (NotStored) event()   {}
func (Answered) event()    {}
func (LinkChanged) event() {}
func (Tick) event()        {}

// Effect is something the desk must do. Each one but Learn is answered by
// exactly one event.
type Effect interface{ effect() }

// The effects.
type (
	// Look finds a copy, or the copies of an ISBN, in the mirror: Found.
	Look struct {
		Line ID
		Item Barcode
		ISBN string
	}
	// Identify finds the patron, upstream first, then in the mirror: Identified.
	Identify struct {
		Card Card
		PIN  string
	}
	// Record stores an entry: Stored or NotStored.
	Record struct{ Entry Entry }
	// Conclude stores an outcome: Stored or NotStored.
	Conclude struct{ Outcome Outcome }
	// Ask has upstream carry out the entry, within the deadline: Answered.
	Ask struct{ Entry Entry }
)

func (Look) effect()     {}
func (Identify) effect() {}
func (Record) effect()   {}
func (Conclude) effect() {}
func (Ask) effect()      {}

// Screen is what the touch screen shows: a plain value, complete in itself.
type Screen struct {
	Seq      uint64    // grows with each change
	View     View      //
	Mode     Mode      // borrowing or returning
	Patron   string    // the name as the library wants it shown, empty if nobody is here
	Card     Card      // for staff and tests; the screen never shows it
	Language string    // the patron's, BCP 47, or empty
	Lines    []Line    // in the order they came
	Notice   Notice    // a line that belongs to no item: an unreadable code, a wrong PIN
	Busy     bool      // something is waiting, Finish will wait for it
	Closing  bool      // Finish was pressed and waits
	EndsAt   time.Time // when the view ends by itself; zero means never
	WarnAt   time.Time // from when on the countdown is shown
	Online   bool      // upstream can be reached
	Faults   []Fault   //
	Now      time.Time // the desk's clock when this was made
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

// Line is one item on the screen.
type Line struct {
	ID     ID // also the ID of its entry, once it has one
	Item   Barcode
	ISBN   string // scanned instead of Item, which may still be empty
	Title  string
	Kind   Kind
	State  LineState
	Due    time.Time
	Reason Reason // why refused, or what to do; also "" with State refused never
	Text   string // the ILS's words; for staff only
	Alert  bool   // returned, but staff wants to see it (hold, transfer)
	Local  bool   // decided here, the ILS hears of it later
	Times  int    // how often it was scanned

	stage  stage
	entry  Entry
	unsure bool
}

// LineState is what a line shows.
type LineState string

// The states of a line.
const (
	LineWaiting  LineState = "waiting"
	LineLent     LineState = "lent"
	LineReturned LineState = "returned"
	LineRenewed  LineState = "renewed"
	LineRefused  LineState = "refused"
	LineAction   LineState = "action" // the patron must do something: Reason says what
)
