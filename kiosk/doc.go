// Package kiosk holds the words and the rules of a self-checkout desk: who
// is at it, what lies on it, what may be lent, and what the ledger remembers.
// It imports nothing but the standard library and does no I/O.
//
// The heart is Session.Step, a pure function: an Event comes in, a new
// Session and a list of Effects go out. Package desk carries the effects out
// and feeds what came of them back in as events. A line is called lent only
// after the event Stored has said that its entry is on disk.
package kiosk
