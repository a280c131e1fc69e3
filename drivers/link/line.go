package link

import (
	"fmt"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
)

// Line finds a line of the board by its name, as "GPIO17"; nil for an empty
// name.
func Line(name string) (gpio.PinIO, error) {
	if name == "" {
		return nil, nil
	}
	if err := hostInit(); err != nil {
		return nil, err
	}
	p := gpioreg.ByName(name)
	if p == nil {
		return nil, noLine(name)
	}
	return p, nil
}

func noLine(name string) error {
	return fmt.Errorf("there is no line %q (a Raspberry Pi has GPIO2 to GPIO27; may the program open /dev/gpiochip*?)", name)
}
