package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
)

// TestHungDriver: a driver that waits in the kernel for ever holds up neither
// another device nor the end of the program; and one whose link says that it
// hangs is told to be so.
func TestHungDriver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) })
	stuck := drivers.DefineAlone("stuck", "never comes back", func(struct{}) (drivers.Scanner, error) {
		begin()
		fd, err := syscall.Open(path, syscall.O_RDONLY, 0) // waits for who writes
		if err == nil {
			syscall.Close(fd)
		}
		return nil, fmt.Errorf("at last: %v", err)
	})
	hung := drivers.DefineAlone("hung", "says that it hangs", func(struct{}) (drivers.Scanner, error) {
		return nil, fmt.Errorf("/dev/ttyX: %w", drivers.ErrHung)
	})
	d := &Daemon{Options: Options{Log: slog.New(slog.DiscardHandler), Config: &config.Config{}}}
	d.desk = desk.New(desk.Config{NewID: newID, Log: d.Log})
	for _, driver := range []drivers.Driver{stuck, hung} {
		d.Config.Devices = append(d.Config.Devices, config.Device{Name: driver.Name, Driver: driver, Options: driver.NewConfig()})
	}
	ds := newDevices(d)
	ds.leave = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ds.run(ctx) }()
	for end := time.Now().Add(time.Minute); !ds.status()[1].Hung; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: the second hangs: %+v", ds.status())
		}
	}
	if s := ds.status(); s[0].Hung || s[1].Working || !strings.Contains(s[1].Error, "unplug it") {
		t.Errorf("status() = %+v", s)
	}
	<-begun // or else nobody would read what is written at the end
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("run() = %v", err)
	}
	fd, err := syscall.Open(path, syscall.O_WRONLY, 0) // lets it go
	if err != nil {
		t.Fatal(err)
	}
	syscall.Close(fd)
}
