// Package upstreamtest is a small library system (ILS) to lend against, a
// network that fails on command, and the suite that every kiosk.Upstream must
// pass.
//
// [ILS] keeps items, patrons, loans and holds in memory, judges by [Rules],
// and remembers everything it was told and did. It is as forgetful about its
// callers as real servers are: it does not know a repeated question from a
// new one, so a checkout told twice is a loan and a renewal. The words of its
// refusals are those that Koha 23.05 sends in SIP2 screen messages. The demo
// runs it too.
//
// [Proxy] stands between a client and a server of CR-terminated messages and
// loses, delays, repeats or spoils them.
package upstreamtest
