//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// event is struct input_event of linux/input.h.
type event struct {
	Time  unix.Timeval
	Type  uint16
	Code  uint16
	Value int32
}

const (
	evKey   = 1 // EV_KEY
	pressed = 1
)

// keys opens every input device, also those that come later, and tells of each
// key that is pressed there, as any program that listens to keyboards hears it.
func keys() {
	open := map[string]bool{}
	for {
		there := map[string]bool{}
		files, _ := filepath.Glob("/dev/input/event*")
		for _, file := range files {
			there[file] = true
			if open[file] {
				continue
			}
			if f, err := os.Open(file); err == nil {
				say("keyboard %s", filepath.Base(file))
				go tell(f)
			}
		}
		open = there
		time.Sleep(20 * time.Millisecond)
	}
}

func tell(f *os.File) {
	defer f.Close()
	buf := make([]byte, 64*unsafe.Sizeof(event{}))
	for {
		n, err := f.Read(buf)
		if err != nil {
			return // unplugged, or taken from the kernel
		}
		for r := bytes.NewReader(buf[:n]); ; {
			var e event
			if err := binary.Read(r, binary.NativeEndian, &e); err != nil {
				if err != io.EOF {
					say("half an event from %s", f.Name())
				}
				break
			}
			if e.Type == evKey && e.Value == pressed {
				say("key %d from %s", e.Code, filepath.Base(f.Name()))
			}
		}
	}
}
