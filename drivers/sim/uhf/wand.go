package uhf

import (
	"bytes"
	"slices"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Wand is a reader on a field whose protocol is a call.
type Wand struct {
	*Field
	NoPC bool // it does not tell the PC of tags, as some readers
}

var (
	_ drivers.Wand       = Wand{}
	_ drivers.BankWriter = Wand{}
)

// Hear implements drivers.Wand.
func (w Wand) Hear() (list []drivers.UHFTag, err error) {
	for _, h := range w.Inventory() {
		t := drivers.UHFTag{EPC: h.EPC, PC: h.PC, RSSI: h.RSSI}
		if w.NoPC {
			t.PC = 0
		}
		if !slices.ContainsFunc(list, func(o drivers.UHFTag) bool { return bytes.Equal(o.EPC, t.EPC) }) {
			list = append(list, t)
		}
	}
	return list, nil
}

// Rest implements drivers.Wand.
func (w Wand) Rest() error { return nil }

// ReadBank implements drivers.Wand.
func (w Wand) ReadBank(epc []byte, bank drivers.Bank, first, n int) ([]byte, error) {
	return w.Read(epc, bank, first, n)
}

// WriteBank implements drivers.BankWriter.
func (w Wand) WriteBank(epc []byte, bank drivers.Bank, first int, data []byte) error {
	return w.Write(epc, bank, first, data)
}

// Close implements drivers.Wand.
func (w Wand) Close() error { return nil }
