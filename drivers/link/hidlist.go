package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// sysUSB is where Linux lists USB devices and their interfaces.
const sysUSB = "/sys/bus/usb/devices"

// HIDDevice is a HID interface of a USB device that is plugged in.
type HIDDevice struct {
	Path      string `json:"path"` // the kernel's name: bus-ports:configuration.interface
	VID       uint16 `json:"vid"`
	PID       uint16 `json:"pid"`
	Interface int    `json:"interface"`
	Serial    string `json:"serial,omitempty"`
	Maker     string `json:"maker,omitempty"`
	Product   string `json:"product,omitempty"`
	UsagePage uint16 `json:"usage_page"` // 0: not known, as while a program holds it
	Usage     uint16 `json:"usage"`
	Keyboard  bool   `json:"keyboard"`

	known bool   // what kind it is
	node  string // in /dev
}

// HIDDevices lists the HID interfaces of this machine, in every build.
func HIDDevices() ([]HIDDevice, error) {
	list, err := listHID(os.DirFS(sysUSB))
	if err != nil {
		return nil, fmt.Errorf("HID devices: %w", err)
	}
	return list, nil
}

// listHID reads a folder as sysUSB. An interface that vanishes meanwhile is
// left out.
func listHID(usb fs.FS) ([]HIDDevice, error) {
	names, err := fs.Glob(usb, "*:*.*")
	if err != nil {
		return nil, err
	}
	var list []HIDDevice
	for _, name := range names {
		if attr(usb, name, "bInterfaceClass") != "03" { // HID 1.11, section 4.1
			continue
		}
		if d, ok := readHID(usb, name); ok {
			list = append(list, d)
		}
	}
	return list, nil
}

func readHID(usb fs.FS, name string) (HIDDevice, bool) {
	parent, _, _ := strings.Cut(name, ":")
	d := HIDDevice{
		Path:    name,
		Serial:  attr(usb, parent, "serial"),
		Maker:   attr(usb, parent, "manufacturer"),
		Product: attr(usb, parent, "product"),
	}
	vid, err1 := strconv.ParseUint(attr(usb, parent, "idVendor"), 16, 16)
	pid, err2 := strconv.ParseUint(attr(usb, parent, "idProduct"), 16, 16)
	number, err3 := strconv.ParseUint(attr(usb, name, "bInterfaceNumber"), 16, 8)
	if err1 != nil || err2 != nil || err3 != nil {
		return d, false
	}
	d.VID, d.PID, d.Interface = uint16(vid), uint16(pid), int(number)
	bus, _ := strconv.Atoi(attr(usb, parent, "busnum"))
	num, _ := strconv.Atoi(attr(usb, parent, "devnum"))
	d.node = fmt.Sprintf("/dev/bus/usb/%03d/%03d", bus, num)
	d.kind(usb)
	return d, true
}

// kind finds out what the interface is: from its report descriptor, which the
// kernel shows while its driver has the device, and from the boot protocol,
// which is always there (HID 1.11, section 4.3: 1 is a keyboard, 2 a mouse).
func (d *HIDDevice) kind(usb fs.FS) {
	found, _ := fs.Glob(usb, d.Path+"/*/report_descriptor")
	for _, f := range found {
		raw, err := fs.ReadFile(usb, f)
		if err != nil {
			continue
		}
		for _, u := range applications(raw) {
			if !d.known {
				d.UsagePage, d.Usage, d.known = u.page, u.id, true
			}
			d.Keyboard = d.Keyboard || u == keyboardUsage || u == keypadUsage
		}
	}
	switch attr(usb, d.Path, "bInterfaceProtocol") {
	case "01":
		d.Keyboard, d.known = true, true
	case "02":
		d.known = true
	}
}

// attr is the first line of a file of sysfs, empty if there is none.
func attr(usb fs.FS, parts ...string) string {
	raw, err := fs.ReadFile(usb, path.Join(parts...))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return strings.TrimSpace(line)
}

// A usage of HID: HUT 1.4.
type usage struct{ page, id uint16 }

var ( // section 4
	keyboardUsage = usage{page: 0x01, id: 0x06}
	keypadUsage   = usage{page: 0x01, id: 0x07}
)

// applications lists the usages of the top-level collections of a report
// descriptor (HID 1.11, section 6.2.2). It stops at what it can't read.
func applications(raw []byte) (list []usage) {
	var now usage
	depth := 0
	for len(raw) > 0 {
		tag, data, rest, ok := item(raw)
		if !ok {
			return list
		}
		raw = rest
		switch tag {
		case 0x04: // usage page
			now.page = uint16(data)
		case 0x08: // usage; with 4 bytes its page comes with it
			now.id = uint16(data)
			if data > 0xFFFF {
				now.page = uint16(data >> 16)
			}
		case 0xA0: // collection
			if depth == 0 {
				list = append(list, now)
			}
			depth++
		case 0xC0: // end of collection
			depth = max(0, depth-1)
		}
		if tag&0x0C == 0 { // a main item ends what was said for it alone (6.2.2.8)
			now.id = 0
		}
	}
	return list
}

// item takes the first item off a report descriptor: its tag and type, and
// its data of 0, 1, 2 or 4 bytes. Long items (6.2.2.3) are passed over.
func item(raw []byte) (tag byte, data uint32, rest []byte, ok bool) {
	const long = 0xFE
	head, rest := raw[0], raw[1:]
	if head == long {
		if len(rest) < 2 || len(rest) < 2+int(rest[0]) {
			return 0, 0, nil, false
		}
		return long, 0, rest[2+int(rest[0]):], true
	}
	size := [4]int{0, 1, 2, 4}[head&3]
	if len(rest) < size {
		return 0, 0, nil, false
	}
	var b [4]byte
	copy(b[:], rest[:size])
	return head &^ 3, binary.LittleEndian.Uint32(b[:]), rest[size:], true
}

// choose finds the one interface that c names and t allows.
func choose(all []HIDDevice, c Config, t Take) (HIDDevice, error) {
	var named, fit []HIDDevice
	var refused error
	for _, d := range all {
		if d.VID != c.VID || d.PID != c.PID || (c.Serial != "" && d.Serial != c.Serial) || (c.Interface >= 0 && d.Interface != c.Interface) {
			continue
		}
		named = append(named, d)
		if err := t.allows(d); err != nil {
			refused = err
			continue
		}
		fit = append(fit, d)
	}
	if best := slices.DeleteFunc(slices.Clone(fit), func(d HIDDevice) bool { return !t.wants(d) }); len(best) > 0 {
		fit = best
	}
	switch {
	case len(named) == 0:
		return HIDDevice{}, fmt.Errorf("HID device %04x:%04x is not there: plug it in, or see kioskctl devices", c.VID, c.PID)
	case len(fit) == 0:
		return HIDDevice{}, refused
	case len(fit) > 1:
		return HIDDevice{}, fmt.Errorf("HID device %04x:%04x is there %d times (%s, %s): say which with serial or interface",
			c.VID, c.PID, len(fit), fit[0].Path, fit[1].Path)
	}
	return fit[0], nil
}

const pageScanner = 0x8C // bar code scanner page: HID POS Usage Tables 1.02

// wants reports whether d is of the kind looked for, where several may do.
func (t Take) wants(d HIDDevice) bool {
	if t.Keyboard {
		return d.Keyboard
	}
	return d.UsagePage == pageScanner
}

// allows says why d must not be taken, nil if it may.
func (t Take) allows(d HIDDevice) error {
	if !d.Keyboard && (d.known || !t.Keyboard) {
		return nil
	}
	name := fmt.Sprintf("HID device %04x:%04x (%s %s)", d.VID, d.PID, d.Maker, d.Product)
	switch {
	case d.Keyboard && !t.Keyboard:
		return fmt.Errorf(`%s is a keyboard: if it is a scanner, set mode = "keyboard", or set the scanner to HID POS`, name)
	case slices.Contains(keyboardVendors, d.VID):
		return fmt.Errorf("%s is of a maker of ordinary keyboards and is not taken", name)
	case !slices.Contains(scannerVendors, d.VID) && !t.Force:
		return errors.New(name + " may be an ordinary keyboard, which would type nowhere else: if it is a scanner, set force = true")
	}
	return nil
}

// scannerVendors make scanners and card readers and no ordinary keyboards:
// usb.ids, and the udev rules of programs that read them.
var scannerVendors = []uint16{
	0x0536, // Hand Held Products
	0x05E0, // Symbol, Zebra
	0x05F9, // PSC, Datalogic
	0x065A, // Opticon
	0x09D8, // ELATEC
	0x0C27, // RFIDeas
	0x0C2E, // Metrologic, Honeywell
	0x1EAB, // Newland
	0x23D0, // Youjie
	0x24EA, // Meva
}

// keyboardVendors make ordinary keyboards and no scanners: usb.ids. Makers of
// chips and of both are not here.
var keyboardVendors = []uint16{
	0x045E, // Microsoft
	0x046A, // Cherry
	0x046D, // Logitech
	0x04F2, // Chicony
	0x05AC, // Apple
	0x1532, // Razer
	0x17EF, // Lenovo
	0x1B1C, // Corsair
	0x3434, // Keychron
	0x413C, // Dell
}
