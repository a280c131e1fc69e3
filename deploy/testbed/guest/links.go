//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// links keeps /dev/carrel as the rules of udev do (deploy/udev), which does not
// run here: a name that stays for each serial port and printer.
func links() {
	const dir = "/dev/carrel"
	for ; ; time.Sleep(20 * time.Millisecond) {
		want := named()
		for name, node := range want {
			if to, _ := os.Readlink(filepath.Join(dir, name)); to != node {
				os.MkdirAll(dir, 0o755)                         //nolint:errcheck // tried again
				os.Remove(filepath.Join(dir, name))             //nolint:errcheck // as above
				os.Symlink(node, filepath.Join(dir, name))      //nolint:errcheck // as above
				say("link %s to %s", name, filepath.Base(node)) // for whoever reads the console
			}
		}
		there, _ := os.ReadDir(dir)
		for _, e := range there {
			if want[e.Name()] == "" {
				os.Remove(filepath.Join(dir, e.Name())) //nolint:errcheck // tried again
			}
		}
	}
}

// named finds the nodes by the names that they get.
func named() map[string]string {
	names := map[string]string{}
	for pattern, dir := range map[string]string{"tty/ttyACM*": "/dev/", "tty/ttyUSB*": "/dev/", "usbmisc/lp*": "/dev/usb/"} {
		found, _ := filepath.Glob("/sys/class/" + pattern)
		for _, f := range found {
			device, err := filepath.EvalSymlinks(f + "/device")
			for ; err == nil && device != "/"; device = filepath.Dir(device) {
				if vendor := attribute(device, "idVendor"); vendor != "" {
					name := fmt.Sprintf("%s-%s-%s", vendor, attribute(device, "idProduct"), attribute(device, "serial"))
					names[strings.TrimSuffix(name, "-")] = dir + filepath.Base(f)
					break
				}
			}
		}
	}
	return names
}

func attribute(device, name string) string {
	b, _ := os.ReadFile(filepath.Join(device, name))
	return strings.TrimSpace(string(b))
}
