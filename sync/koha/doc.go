// Package koha speaks to Koha by its REST interface (/api/v1), as a
// kiosk.Upstream, and writes Koha's offline circulation files.
//
// REST knows the patron's name in two parts and refuses with codes instead of
// words, but it has no return, and dates every loan with now. So a second
// Upstream, over SIP2, carries out returns, and tells all that has happened
// already (entries in state Offline or Unsure) with its own times. Without
// one, loans are told late with the date of the telling, and returns end as
// exceptions.
//
// Items and patrons have numbers of Koha's own, which are looked up by barcode
// and card each time: they may be merged or replaced meanwhile. A barcode
// matches without case, so what came back is compared.
//
// Sources: Koha's REST specification (api/v1/swagger), and answers recorded
// from Koha 23.05. Checkout needs POST /checkouts, which is in 23.11 and later.
package koha
