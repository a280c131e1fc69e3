package kiosk

import (
	"context"
	"time"
)

// Accountant is an Upstream that tells what a patron has and owes.
type Accountant interface {
	// Account lists what a card has, waits for and owes. What can't be told
	// within ctx is left out; errors are as of Identify.
	Account(ctx context.Context, c Card) (Account, error)
}

// Account is what a patron has, waits for and owes.
type Account struct {
	Loans   []Borrowed // what is due first comes first
	Holds   []Hold     // what is ready comes first
	Owed    string     // what is owed, with its currency; "" is nothing, or not told
	Message string     // what the library wants the patron to read, in its own words; "" is nothing, or not told
	Blocked Reason     // why nothing is lent to the patron; "" is nothing
	Local   bool       // from the mirror: the ILS was not reached, and holds and what is owed are not known
	Seen    time.Time  // as of when; zero means nobody knows
}

// Borrowed is one loan of an account.
type Borrowed struct {
	Item     Barcode
	Title    string
	Due      time.Time // zero means not told
	Renewals int       // how often it can still be renewed; -1 means not told
}

// Hold is something a patron waits for.
type Hold struct {
	Item  Barcode // where the ILS names a copy
	Title string
	Ready bool   // it waits for the patron
	At    string // where, in the ILS's words; "" is not told
	Place int    // in the queue, from 1; 0 means not told
}
