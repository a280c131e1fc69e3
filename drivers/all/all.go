// Package all is the list of the drivers that are built in. A new one is a
// line here; nothing registers itself.
package all

import (
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/cfrh320"
	"github.com/carrel-kiosk/carrel/drivers/chafonuhf"
	"github.com/carrel-kiosk/carrel/drivers/escpos"
	"github.com/carrel-kiosk/carrel/drivers/feig"
	"github.com/carrel-kiosk/carrel/drivers/hidscan"
	"github.com/carrel-kiosk/carrel/drivers/panel"
	"github.com/carrel-kiosk/carrel/drivers/pn5180"
	"github.com/carrel-kiosk/carrel/drivers/pn532"
	"github.com/carrel-kiosk/carrel/drivers/rfid3m"
	"github.com/carrel-kiosk/carrel/drivers/rl866"
	"github.com/carrel-kiosk/carrel/drivers/serialscan"
	"github.com/carrel-kiosk/carrel/drivers/sim"
	"github.com/carrel-kiosk/carrel/drivers/thingmagic"
	"github.com/carrel-kiosk/carrel/drivers/twn4"
)

// Drivers lists them in the order of their names.
func Drivers() []drivers.Driver {
	return []drivers.Driver{
		cfrh320.Driver,
		chafonuhf.Driver,
		escpos.Driver,
		feig.Driver,
		hidscan.Driver,
		panel.Driver,
		pn5180.Driver,
		pn532.Driver,
		rfid3m.Driver,
		rl866.Driver,
		serialscan.Driver,
		sim.Driver,
		sim.PadDriver,
		sim.PanelDriver,
		thingmagic.Driver,
		twn4.Driver,
	}
}

// ByName finds one.
func ByName(name string) (drivers.Driver, bool) {
	for _, d := range Drivers() {
		if d.Name == name {
			return d, true
		}
	}
	return drivers.Driver{}, false
}
