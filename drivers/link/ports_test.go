package link

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// tree writes files and links below root: a value that begins with '@' is
// where a link points.
func tree(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, value := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if value[0] == '@' {
			err = os.Symlink(value[1:], name)
		} else {
			err = os.WriteFile(name, []byte(value+"\n"), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestListPorts lays out the folders as Linux does: a CDC device hangs on an
// interface, a bridge's port on a port of an interface.
func TestListPorts(t *testing.T) {
	root := t.TempDir()
	tree(t, root, map[string]string{
		"sys/devices/usb1/1-1/idVendor":                               "0c2e",
		"sys/devices/usb1/1-1/idProduct":                              "0b6a",
		"sys/devices/usb1/1-1/serial":                                 "13079B08D7",
		"sys/devices/usb1/1-1/product":                                "3310 Scanner",
		"sys/devices/usb1/1-1/manufacturer":                           "Honeywell",
		"sys/devices/usb1/1-1/1-1:1.0/tty/ttyACM0/device":             "@../../../1-1:1.0",
		"sys/devices/usb1/1-2/idVendor":                               "0403",
		"sys/devices/usb1/1-2/idProduct":                              "6001",
		"sys/devices/usb1/1-2/1-2:1.0/ttyUSB0/tty/ttyUSB0/device":     "@../../../ttyUSB0",
		"sys/devices/pnp0/00:03/tty/ttyS0/device":                     "@../../../00:03",
		"sys/devices/pnp0/00:03/tty/ttyS0/type":                       "4",
		"sys/devices/platform/serial8250/tty/ttyS1/device":            "@../../../serial8250",
		"sys/devices/platform/serial8250/tty/ttyS1/type":              "0",
		"sys/devices/virtual/tty/tty0/dev":                            "4:0",
		"sys/class/tty/ttyACM0":                                       "@../../devices/usb1/1-1/1-1:1.0/tty/ttyACM0",
		"sys/class/tty/ttyUSB0":                                       "@../../devices/usb1/1-2/1-2:1.0/ttyUSB0/tty/ttyUSB0",
		"sys/class/tty/ttyS0":                                         "@../../devices/pnp0/00:03/tty/ttyS0",
		"sys/class/tty/ttyS1":                                         "@../../devices/platform/serial8250/tty/ttyS1",
		"sys/class/tty/tty0":                                          "@../../devices/virtual/tty/tty0",
		"dev/serial/by-id/usb-Honeywell_3310_Scanner_13079B08D7-if00": "@../../ttyACM0",
	})
	dev := filepath.Join(root, "dev")
	got, err := listPorts(filepath.Join(root, "sys"), dev)
	if err != nil {
		t.Fatal(err)
	}
	want := []Port{
		{Path: dev + "/serial/by-id/usb-Honeywell_3310_Scanner_13079B08D7-if00", Device: dev + "/ttyACM0",
			VID: "0c2e", PID: "0b6a", Serial: "13079B08D7", Maker: "Honeywell", Product: "3310 Scanner"},
		{Path: dev + "/ttyS0", Device: dev + "/ttyS0"},
		{Path: dev + "/ttyUSB0", Device: dev + "/ttyUSB0", VID: "0403", PID: "6001"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("ports = %+v\nwant %+v", got, want)
	}
	if got, err := listPorts(filepath.Join(root, "none"), dev); len(got) != 0 || err != nil {
		t.Errorf("without sysfs: %v, %v; want no ports", got, err)
	}
}

// TestPorts: each port that this machine lists has its file.
func TestPorts(t *testing.T) {
	list, err := Ports()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.Path == "" || filepath.Dir(p.Device) != "/dev" {
			t.Errorf("port %+v", p)
		}
	}
}
