package link

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Port is a serial port that is there.
type Port struct {
	Path    string `json:"path"`             // to be configured: below /dev/serial/by-id if udev has named it
	Device  string `json:"device"`           // the kernel's name, as /dev/ttyACM0; may be another after a restart
	VID     string `json:"vid,omitempty"`    // USB vendor, four hexadecimal digits
	PID     string `json:"pid,omitempty"`    // USB product, the same
	Serial  string `json:"serial,omitempty"` // USB serial number
	Maker   string `json:"maker,omitempty"`
	Product string `json:"product,omitempty"`
}

// Ports lists the serial ports of this machine, by what the kernel shows in
// sysfs. None is opened: go.bug.st/serial's own list opens each /dev/ttyS* and
// sets it to 9600 8N1, which, for root, breaks the line of a daemon that has it
// open at another speed, and pulses the DTR of devices that are none of ours.
func Ports() ([]Port, error) {
	list, err := listPorts("/sys", "/dev")
	if err != nil {
		return nil, fmt.Errorf("serial ports: %w", err)
	}
	return list, nil
}

func listPorts(sys, dev string) ([]Port, error) {
	ttys, err := filepath.Glob(filepath.Join(sys, "class/tty/*/device"))
	if err != nil {
		return nil, err
	}
	names := stableNames(dev)
	var list []Port
	for _, t := range ttys {
		if p, ok := readPort(t, dev, names); ok {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Port) int { return strings.Compare(a.Device, b.Device) })
	return list, nil
}

// readPort reads one tty with hardware behind it. A built-in port whose type
// is 0 (PORT_UNKNOWN, linux/serial_core.h) is a place where none is fitted.
func readPort(device, dev string, names map[string]string) (Port, bool) {
	tty := filepath.Dir(device)
	if line(tty, "type") == "0" {
		return Port{}, false
	}
	p := Port{Device: filepath.Join(dev, filepath.Base(tty))}
	p.Path = p.Device
	if name, ok := names[p.Device]; ok {
		p.Path = name
	}
	usb, ok := usbDevice(device)
	if ok {
		p.VID, p.PID = line(usb, "idVendor"), line(usb, "idProduct")
		p.Serial, p.Maker, p.Product = line(usb, "serial"), line(usb, "manufacturer"), line(usb, "product")
	}
	return p, true
}

// usbDevice climbs from a tty's device to the USB device that it is part of:
// past the interface, and with bridges past the port on it.
func usbDevice(device string) (string, bool) {
	dir, err := filepath.EvalSymlinks(device)
	if err != nil {
		return "", false
	}
	for range 3 {
		if line(dir, "idVendor") != "" {
			return dir, true
		}
		dir = filepath.Dir(dir)
	}
	return "", false
}

// stableNames are udev's names of serial ports that stay with the device, by
// the kernel's names.
func stableNames(dev string) map[string]string {
	names := map[string]string{}
	links, _ := filepath.Glob(filepath.Join(dev, "serial/by-id/*"))
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil {
			names[filepath.Join(dev, filepath.Base(to))] = l
		}
	}
	return names
}

// line is the first line of a file of sysfs, empty if there is none.
func line(dir, name string) string {
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	return strings.TrimSpace(first)
}
