package kiosk

// Event is something that happened: a scan, a touch, the end of an effect.
type Event interface{ event() }

// Scans, typed by package intake.
type (
	// CardRead is a patron's card.
	CardRead struct{ Card Card }
	// ItemPlaced is the barcode of a copy.
	ItemPlaced struct{ Item Barcode }
	// TagPlaced is a tag on the pad that says which copy it is in, and which
	// part of it.
	TagPlaced struct {
		Tag         TagID
		Item        Barcode
		Part, Parts int  // part 2 of 3; Parts is 0 or 1 for what has only one
		Old         bool // it lay there when the pad began to read
	}
	// TagUnread is a tag on the pad that names no copy of ours. Code is what it
	// says, cleaned and cut for showing to staff.
	TagUnread struct {
		Tag    TagID
		Code   string
		Reason Reason
		Old    bool
	}
	// TagRemoved is a tag that was taken from the pad.
	TagRemoved struct{ Tag TagID }
	// EitherRead is a number that may be a card's and may be a copy's, where the
	// library's numbers overlap. Copy says that it knows a copy of that number.
	EitherRead struct {
		Code string
		Copy bool
	}
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
	// ShowAccount opens the patron's account; where nobody is, the card comes
	// first.
	ShowAccount struct{}
	// StartFind opens the catalogue; no card is needed.
	StartFind struct{}
	// Search looks for what was typed, on a page that counts from 0.
	Search struct {
		Text string
		Page int
	}
	// OpenTitle shows a title alone, by the first of its copies; empty: all that
	// were found again.
	OpenTitle struct{ Item Barcode }
	// PlaceHold reserves the open title, which is named once more; where nobody
	// is, the card comes first.
	PlaceHold struct{ Item Barcode }
	// StartBorrow goes from the account or the catalogue to the books.
	StartBorrow struct{}
	// RenewAll renews everything that offers it.
	RenewAll struct{}
	// RenewLine answers a line that offers to renew.
	RenewLine struct{ Line ID }
	// DropLine takes back a line that still waits for a card, or that offers to renew.
	DropLine struct{ Line ID }
	// Counted is how many items the patron says lie on the pad.
	Counted struct{ Items int }
	// Finish ends the session as soon as nothing waits any more. Language is
	// that of the screen, BCP 47, for the receipt; may be empty.
	Finish struct{ Language string }
	// Cancel goes back to welcome from the PIN view or that which asks for a card,
	// or closes the receipt.
	Cancel struct{}
	// Touched is any other sign of life; it moves the session's end.
	Touched struct{}
	// CallHelp calls for somebody of the staff; DropHelp takes that back.
	CallHelp struct{}
	DropHelp struct{}
	// PressHelp is a button beside the screen: it calls, and pressed once more
	// takes it back.
	PressHelp struct{}
)

// What staff do for who is at the desk.
type (
	// ComeHelp says that somebody is on the way.
	ComeHelp struct{}
	// EndCare says that help was given, or that tries in vain were seen.
	EndCare struct{}
)

// Ends of effects.
type (
	// Found answers Look.
	Found struct {
		Line      ID
		Items     []Item // none: unknown; for an ISBN up to two copies
		Loan      Loan   // of Items[0], if OnLoan
		OnLoan    bool
		Unsettled bool    // the outbox holds an entry of Items[0]: the ILS can't be asked about it yet
		Tags      []TagID // of Items[0], by the ledger; none where gates do not look at tags
		Pad       bool    // a pad works, on which they can be written
		Err       error
	}
	// Identified answers Identify.
	Identified struct {
		Card   Card
		Patron Patron
		Loans  int // what the patron has by the mirror
		Untold int // of those, what the ILS has not heard of or not confirmed yet
		Err    error
	}
	// AccountFetched answers FetchAccount.
	AccountFetched struct {
		Card    Card
		Account Account // as much as is known, also with an error
		Err     error
	}
	// TitlesFound answers FindTitles.
	TitlesFound struct {
		Text  string
		Page  int
		Holds bool // the ILS takes reservations
		Findings
		Err error
	}
	// HoldAnswered answers AskHold. Err is nil or of the classes of Error.
	HoldAnswered struct {
		Card Card
		Item Barcode
		Placed
		Err error
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
	// Attached answers Attach. Err is nil when it is on disk.
	Attached struct {
		Entry ID
		Tag   TagID
		Err   error
	}
	// Kept answers Keep: the tag is as the work list has it, written and read
	// back, and that is on disk. With ErrLifted the tag was gone.
	Kept struct {
		Entry ID
		Tag   TagID
		Want  Security
		Err   error
	}
	// Mended answers Mend. Work is empty if there was nothing to do.
	Mended struct {
		Tag  TagID
		Work Work
		Err  error
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
func (TagPlaced) event()   {}
func (TagUnread) event()   {}
func (TagRemoved) event()  {}
func (Counted) event()     {}
func (Attached) event()    {}
func (Kept) event()        {}
func (Mended) event()      {}
func (EitherRead) event()  {}
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
func (CallHelp) event()    {}
func (DropHelp) event()    {}
func (PressHelp) event()   {}
func (ComeHelp) event()    {}
func (EndCare) event()     {}

func (StartFind) event()    {}
func (Search) event()       {}
func (OpenTitle) event()    {}
func (PlaceHold) event()    {}
func (TitlesFound) event()  {}
func (HoldAnswered) event() {}

func (ShowAccount) event()    {}
func (StartBorrow) event()    {}
func (RenewAll) event()       {}
func (AccountFetched) event() {}
