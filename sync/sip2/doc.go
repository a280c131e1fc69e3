// Package sip2 speaks 3M's Standard Interchange Protocol 2.00 (document
// revision 2.12, 2006): the codec of all its messages, a client that is a
// kiosk.Upstream, and the server half for simulated library systems.
//
// A message is
//
//	2 characters id, fixed fields, then fields "XXvalue|", then AY<n>AZ<hhhh>, CR
//
// The checksum is the two's complement of the sum of all bytes up to and
// with "AZ". What real servers do otherwise, and what therefore is tolerated
// here, is said where it is; TestDialects has all of it. A way that is not
// known is logged once, with its bytes but without its patron, and is not
// guessed at.
//
// The client keeps to one rule above all: no server knows a repeated checkout
// from a new one, so a transaction is written once, and whatever leaves its
// answer in doubt is reported as kiosk.CodeUnsure.
//
// The end of a patron's session (35) is not told. Each request carries all that
// it needs, and no server is known to wait for it: Koha's keeps no state for it,
// and FOLIO's first edge-sip2 forgot with it the login of the connection
// (folio-org/edge-sip2, pull request 14), on which the next patron would have
// been refused. Nor would it be true: sessions share the connections, and what
// was asked offline is settled after their ends. [Upstream.EndSession] is there for who
// needs it.
package sip2
