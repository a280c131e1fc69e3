package kiosk

// stage is how far the work on a line has come.
type stage int
