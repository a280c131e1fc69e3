package link

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// sysClass is where Linux lists devices by what they are: below tty terminals,
// and with them serial ports; below usbmisc printers.
const sysClass = "/sys/class"

// usbReset is USBDEVFS_RESET, _IO('U', 20) (linux/usbdevice_fs.h).
const usbReset = 'U'<<8 | 20

// usbDev has the nodes of USB devices.
const usbDev = "/dev/bus/usb/"

// usbNode is the node of the USB device behind a serial port or a printer, which
// sys lists, or the node itself; empty if it is on no USB.
func usbNode(sys, path string) string {
	if strings.HasPrefix(path, usbDev) {
		return path
	}
	port, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	dir, err := filepath.EvalSymlinks(filepath.Join(sys, "tty", filepath.Base(port), "device"))
	if err != nil {
		dir, err = filepath.EvalSymlinks(filepath.Join(sys, "usbmisc", filepath.Base(port), "device"))
	}
	if err != nil {
		return ""
	}
	for ; len(dir) > 1; dir = filepath.Dir(dir) {
		bus, err1 := number(filepath.Join(dir, "busnum"))
		dev, err2 := number(filepath.Join(dir, "devnum"))
		if err1 == nil && err2 == nil {
			return fmt.Sprintf("%s%03d/%03d", usbDev, bus, dev)
		}
	}
	return ""
}

func number(path string) (int, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(raw)))
}

// resetUSB has the hub reset a device. Its drivers are bound again, and calls
// that wait for it come back. Whoever may write to the node may do so: the udev
// rules give it to the kiosk. The files of sysfs that would do the same
// (authorized, unbind) are root's.
func resetUSB(node string) error {
	f, err := os.OpenFile(node, os.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	return errors.Join(unix.IoctlSetInt(int(f.Fd()), usbReset, 0), f.Close())
}
