package kiosk

import (
	"context"
	"iter"
	"time"
)

// ShelfRange is a part of the library's shelves. What is empty sets no bound.
type ShelfRange struct {
	Library  string `json:"library,omitempty"`
	Location string `json:"location,omitempty"`
	Scheme   string `json:"scheme,omitempty"` // class scheme of From and To
	From     string `json:"from,omitempty"`   // call number
	To       string `json:"to,omitempty"`     // call number; what it begins belongs to the range: 599 takes in 599.2
}

// Inventory is a walk along a range of the shelves, to know what is there.
type Inventory struct {
	ID    ID             `json:"id"`
	Name  string         `json:"name"` // as staff calls it
	Range ShelfRange     `json:"range"`
	Begun time.Time      `json:"begun"`
	Stage InventoryStage `json:"stage"`
	Lines int64          `json:"lines"` // of its log
}

// InventoryStage is how far an inventory has come.
type InventoryStage string

// The stages.
const (
	Walking   InventoryStage = "walking"
	Paused    InventoryStage = "paused"
	Searching InventoryStage = "searching" // walked; what is missing is looked for once more
	Ended     InventoryStage = "ended"     // what is missing is declared so
)

// ShelfKind is what a line of an inventory's log says.
type ShelfKind string

// The kinds.
const (
	ShelfScan   ShelfKind = "scan"   // Item was met
	ShelfLabel  ShelfKind = "label"  // Text names the shelf that follows
	ShelfStart  ShelfKind = "start"  // Who begins, or goes on elsewhere; Text: with the file of that name
	ShelfUndo   ShelfKind = "undo"   // the line Of is void
	ShelfNote   ShelfKind = "note"   // Text is the condition of the Item of line Of
	ShelfReturn ShelfKind = "return" // staff wants Item returned, by the entry Text
	ShelfTell   ShelfKind = "tell"   // staff wants the library's system to know that Item was seen, by the entry Text
	ShelfSent   ShelfKind = "sent"   // that wish, line Of, is in the ledger
	ShelfPause  ShelfKind = "pause"  //
	ShelfResume ShelfKind = "resume" //
	ShelfSearch ShelfKind = "search" // begins the search for what is missing
	ShelfEnd    ShelfKind = "end"    //
)

// ShelfLine is one line of an inventory's log. What is known of an inventory
// is the fold of its lines.
type ShelfLine struct {
	N      int64 // from 1; the store numbers lines
	Kind   ShelfKind
	Who    string // the scanner or the person that walks
	At     time.Time
	Item   Barcode
	Tag    TagID // the RFID tag that was read, if one was
	Part   int   // of a set, by the tag; 0: none is told
	Text   string
	Of     int64    // the line that this one is about
	Found  []string // what the scan said beside its place; see shelf.Judge
	Loose  int      // start: how many places a scan may be off
	Tagged bool     // scan: Item was read from the tag, not from a label
	Read   ID       // of what was handed over; empty: it was not
}

// ShelfPhoto is a photo of the condition of a book.
type ShelfPhoto struct {
	ID   ID
	Item Barcode
	Who  string
	At   time.Time
}

// Shelved is a copy as an inventory wants to know it.
type Shelved struct {
	Barcode    Barcode
	CallNumber string
	Scheme     string
	Status     ItemStatus
	OnLoan     bool // by the ledger and the library's list
}

// Wanted is an item that is to be taken along when it is met.
type Wanted struct {
	Item Barcode `json:"item"`
	For  string  `json:"for"` // why: hold, weeding, repair, or a list's name
	Note string  `json:"note,omitempty"`
}

// Met is what is known of a book that is met on a shelf.
type Met struct {
	Item     Item // of an unknown book only the Barcode
	Known    bool
	OnLoan   bool      // by the ledger and the library's list
	Wanted   []string  // what for
	Copies   int       // the library's copies of the same ISBN; 0: it has none
	LastLoan time.Time // here; zero: none is known
}

// Inventories keeps inventories. What its methods have taken is on disk.
type Inventories interface {
	// BeginInventory begins one. Out are the items that are out at its begin.
	BeginInventory(ctx context.Context, v Inventory, out []Barcode) error
	// Inventory finds one; ErrUnknown if there is none.
	Inventory(ctx context.Context, id ID) (Inventory, error)
	// Inventories lists them, the newest first.
	Inventories(ctx context.Context) ([]Inventory, error)
	// Write adds lines to the log, all or none, and gives the number of the
	// first. ErrUnknown if there is no such inventory. A Read that is there
	// already is an error: ask with Written.
	Write(ctx context.Context, id ID, lines []ShelfLine) (first int64, err error)
	// Lines reads the log in order, without what was undone.
	Lines(ctx context.Context, id ID) iter.Seq2[ShelfLine, error]
	// Written finds the lines with one of some Reads, undone ones too.
	Written(ctx context.Context, id ID, reads []ID) ([]ShelfLine, error)
	// Excuse notes items that are out: they are not missing, even if they come
	// back before the inventory ends.
	Excuse(ctx context.Context, id ID, out []Barcode) error
	Excused(ctx context.Context, id ID) ([]Barcode, error)
	// KeepReport keeps what an inventory has found when it ends.
	KeepReport(ctx context.Context, id ID, report []byte) error
	// Report gives it; ErrUnknown if none was kept.
	Report(ctx context.Context, id ID) ([]byte, error)
	// Shelved reads the items of a library and location, in no order.
	Shelved(ctx context.Context, library, location string) iter.Seq2[Shelved, error]
	// Meet tells what is known of books, in the order they are asked for.
	Meet(ctx context.Context, list []Barcode) ([]Met, error)
	// Places counts items by library and location.
	Places(ctx context.Context) ([]Place, error)
	// KeepPhoto keeps a photo of a book; one with the same ID is kept already.
	KeepPhoto(ctx context.Context, id ID, p ShelfPhoto, jpeg []byte) error
	DropPhoto(ctx context.Context, id, photo ID) error
	// Photos lists those of an inventory, in the order in which they came.
	Photos(ctx context.Context, id ID) ([]ShelfPhoto, error)
	// Photo gives the picture (JPEG); ErrUnknown if there is none.
	Photo(ctx context.Context, id, photo ID) ([]byte, error)
	// Want replaces the list of what is wanted for a reason.
	Want(ctx context.Context, why string, list []Wanted) error
	// WantedList lists all that is wanted, by reason and barcode.
	WantedList(ctx context.Context) ([]Wanted, error)
}

// Place is a library and a shelving location of it.
type Place struct {
	Library  string
	Location string
	Items    int
}
