package drivers

import "time"

// Bus is a chip on SPI or I2C, with the lines beside it. One goroutine owns
// it.
type Bus interface {
	// Transfer is one transaction. SPI sends w while it fills r: they have
	// the same length, or one of them is nil. I2C writes w, then reads r.
	Transfer(w, r []byte) error
	// Pin finds a line by its name, as "GPIO25".
	Pin(name string) (Pin, error)
	// I2C tells which of the two it is.
	I2C() bool
	Close() error
}

// Pin is a line of its own.
type Pin interface {
	Out(high bool) error
	// Wait waits for a level, at most d: ErrSilent when it does not come.
	Wait(high bool, d time.Duration) error
}
