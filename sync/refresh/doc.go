// Package refresh keeps the mirror fresh: in the background it reads the
// library's lists from an ILS that has them, as Koha has by REST.
//
// Items and patrons are read whole once a day, at a quiet hour or, where the
// kiosk sleeps at night, as soon as it is awake and nobody is at the desk. In
// between only what has changed is asked for. Loans are always read whole,
// because what has come back shows by its absence alone.
//
// A list comes in pages. Between two of them the worker waits until nobody is
// at the desk, and what was read of a list that breaks off is not read again.
package refresh
