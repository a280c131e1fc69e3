package kiosk

import "time"

// Fault is something broken that a person at the kiosk or staff must know of:
// a device that is missing, a disk that is full.
type Fault struct {
	Source string    // the device's configured name, "ledger", "upstream"
	Text   string    // what is wrong, for staff
	Since  time.Time //
	Fatal  bool      // the desk can't lend or return while it lasts
}
