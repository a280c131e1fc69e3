package kiosk

import (
	"context"
	"time"
)

// Ledger is what the kiosk must never forget. Every method returns after its
// transaction is synced to disk, or with an error and nothing changed.
// Implementations are safe for use by several goroutines.
type Ledger interface {
	// Record stores e; if e.State is queued it puts e into the outbox, and if
	// it holds it changes the mirror's loans, all in one transaction.
	// Recording an ID twice is not an error and stores nothing.
	Record(ctx context.Context, e Entry) error

	// Conclude adds a later state to an entry, moves it into or out of the
	// outbox accordingly and changes the mirror's loans, in one transaction.
	// The same state twice is not an error and stores nothing. An unknown
	// entry is ErrUnknown.
	Conclude(ctx context.Context, o Outcome) error

	// Attach adds a tag to an entry, and puts it on the work list if the entry
	// wants something of its tags by now. Twice is not an error.
	Attach(ctx context.Context, id ID, tag TagID, at time.Time) error

	// Work is what the work list has of a tag; ErrUnknown if nothing.
	Work(ctx context.Context, tag TagID) (Work, error)

	// Done takes a tag off the work list: it was written as w says, and read
	// back. Nothing happens if the list says something else by now.
	Done(ctx context.Context, w Work, at time.Time) error

	// Newest is the time of the newest entry or outcome; zero if there is none.
	Newest(ctx context.Context) (time.Time, error)
}

// Dater is a ledger that can put dates right. Entries with an Uptime are
// undated until the truth is known.
type Dater interface {
	// Undated lists the undated entries of one run of the machine, in order.
	Undated(ctx context.Context, boot string) ([]Undated, error)

	// Date puts entries right, all in one transaction: they are dated then.
	// What was changed is added behind the entry as an outcome of the same
	// state, made at now. Entries that are not undated are passed over, so
	// that each is put right once. What is left undated of other runs than
	// boot can't be put right any more, and counts as dated.
	Date(ctx context.Context, boot string, now time.Time, list []Dating) error
}

// Undated is an entry whose time was not sure.
type Undated struct {
	Entry
	After, Before time.Time // of the next dated entries on both sides of it; zero if there is none
}

// Dating says what an undated entry comes to.
type Dating struct {
	Entry ID
	At    time.Time // zero leaves it as it was, in doubt if it was
	Due   time.Time // zero leaves the due date as it was
}

// Mirror is what the kiosk knows of the library when nobody can be asked.
type Mirror interface {
	// Item finds a copy by its barcode; ErrUnknown if there is none.
	Item(ctx context.Context, b Barcode) (Item, error)
	// Copies finds the copies of a 13-digit ISBN, at most limit.
	Copies(ctx context.Context, isbn string, limit int) ([]Item, error)
	// Patron finds a patron by card; ErrUnknown if there is none.
	Patron(ctx context.Context, c Card) (Patron, error)
	// Loan tells who has an item, by all the ledger and the mirror know;
	// ErrUnknown if nobody.
	Loan(ctx context.Context, b Barcode) (Loan, error)
	// Loans lists what a card has, oldest first.
	Loans(ctx context.Context, c Card) ([]Loan, error)
	// Copy is all that is known of a copy, at one moment. That nothing is, is no
	// error.
	Copy(ctx context.Context, b Barcode) (Copy, error)
	// Untold counts of the loans that a card has those whose item is in the
	// outbox.
	Untold(ctx context.Context, c Card) (int, error)
	// Tags lists the tags of an item, by its newest entry that had some, but
	// for those that were another's since.
	Tags(ctx context.Context, b Barcode) ([]TagID, error)
	// Learn keeps what upstream told in passing about a patron or an item.
	// It need not be durable and never fails a loan.
	LearnPatron(ctx context.Context, p Patron) error
	LearnItem(ctx context.Context, i Item) error
}

// PINs knows the PINs that the ILS has accepted at this kiosk, by hashes that
// take time. Its methods take a third of a second or so.
type PINs interface {
	KeepPIN(ctx context.Context, c Card, pin string) error
	// RefusePIN forgets a PIN that the ILS has refused, if it is the one that
	// was accepted last: it was changed since.
	RefusePIN(ctx context.Context, c Card, pin string) error
	// CheckPIN tells whether a PIN is the one that was accepted last;
	// ErrUnknown if none ever was.
	CheckPIN(ctx context.Context, c Card, pin string) (bool, error)
}

// Queued is an entry in the outbox.
type Queued struct {
	Entry
	Attempts int       // questions that came to nothing
	RetryAt  time.Time // not before
}

// Outbox is the part of the ledger that the ILS has not confirmed.
type Outbox interface {
	// Queue lists the outbox in the order of the entries, at most limit, with
	// their tags.
	Queue(ctx context.Context, limit int) ([]Queued, error)
	// Postpone notes a fruitless attempt. It need not be synced.
	Postpone(ctx context.Context, id ID, retryAt time.Time) error
	// Interrupted ends each entry that is still Asked: a process ended between
	// question and answer. It becomes Unsure; a return whose tags are not
	// secured yet was never asked, and becomes Dismissed. Called once, before
	// the desk starts; it returns how many there were.
	Interrupted(ctx context.Context, now time.Time) (int, error)
	// Conclude is Ledger.Conclude.
	Conclude(ctx context.Context, o Outcome) error
}

// Loader takes whole lists into the mirror, in batches. A row that is there
// already is replaced; one that is the same already costs no write. Items and
// patrons that a list lacks stay, and age: what is gone is not lent, who is
// gone is trusted less from day to day, and a list that lacks something by
// mistake takes nothing away. Nor does one that tells no subjects, as most do,
// take those away that another told.
type Loader interface {
	PutItems(ctx context.Context, items []Item) (Change, error)
	// PutPatrons takes patrons. One that is the same already is younger by it,
	// if Seen says so.
	PutPatrons(ctx context.Context, patrons []Patron) (Change, error)
	// PutLoans takes loans that the ILS has open. A loan of an unknown item or
	// patron is taken too: the mirror may be loaded in any order.
	PutLoans(ctx context.Context, loans []Loan) (Change, error)
	// ListLoans begins a list of all loans that the ILS has open, which ends
	// those that it lacks.
	ListLoans(ctx context.Context) (LoanList, error)
	// Fresh tells how fresh a list is; the zero Freshness of one that never was
	// read to its end.
	Fresh(ctx context.Context, l List) (Freshness, error)
	// Freshen notes it. Patrons of whom something was said since the begin of
	// their newest whole list are as young as Since.
	Freshen(ctx context.Context, l List, f Freshness) error
}

// List is one of the ILS's lists.
type List string

// The lists.
const (
	ItemList   List = "items"
	PatronList List = "patrons"
	OpenLoans  List = "loans"
)

// Freshness is how fresh a list in the mirror is.
type Freshness struct {
	Whole time.Time // when the newest list of all rows was begun that was read to its end; zero means never
	Since time.Time // what has changed until then is known
}

// LoanList is a list of all loans that the ILS has open, while it is read. One
// that is cut off is let go of, and has ended nothing; of two under way at
// once the older one ends nothing. What happens to an item here in the
// meantime is newer than what the list says of it, or may be. A LoanList is
// for one goroutine.
type LoanList interface {
	// Put is Loader.PutLoans. It leaves items alone that something has
	// happened to here since the list began, and changes nothing by a loan
	// without a patron: it is known only that there is one. After an error the
	// same loans can be put again.
	Put(ctx context.Context, loans []Loan) (Change, error)
	// End says that all loans were put. It ends the others, and tells how
	// many; not those of items of which the outbox holds an entry or that
	// something has happened to here since the list began. It is refused with
	// CodeInvalid if another list has begun since.
	End(ctx context.Context) (ended int, err error)
}

// Change counts what a Loader did with the rows it was given.
type Change struct{ New, Changed, Same int }
