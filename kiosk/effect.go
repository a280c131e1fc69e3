package kiosk

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
	// Attach adds a tag to an entry that is on disk: Attached.
	Attach struct {
		Entry ID
		Tag   TagID
	}
	// Keep has a tag written as the work list has it for the entry, read back,
	// and taken off the list: Kept. It never writes what the list does not say.
	Keep struct {
		Entry ID
		Tag   TagID
		Want  Security
	}
	// Mend is Keep for whatever the work list has of a tag: Mended.
	Mend struct{ Tag TagID }
	// FetchAccount finds what the patron has and owes, upstream first, then in
	// the mirror: AccountFetched.
	FetchAccount struct{ Card Card }
	// FindTitles looks for titles in the mirror: TitlesFound. One that is
	// overtaken by another need not be answered.
	FindTitles struct {
		Text string
		Page int
	}
	// AskHold has upstream reserve a title, by one of its copies: HoldAnswered.
	AskHold struct {
		Card Card
		Item Barcode
	}
	// Ask has upstream carry out the entry, within the deadline: Answered.
	Ask struct{ Entry Entry }
)

func (Look) effect()     {}
func (Identify) effect() {}
func (Record) effect()   {}
func (Conclude) effect() {}
func (Attach) effect()   {}
func (Keep) effect()     {}
func (Mend) effect()     {}
func (Ask) effect()      {}

func (FetchAccount) effect() {}
func (FindTitles) effect()   {}
func (AskHold) effect()      {}
