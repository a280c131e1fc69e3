//go:build linux

// Guest is the first and only program of a machine on the test bench, its
// init. It loads the kernel's modules, brings the network up, and then does
// what lines on the console say:
//
//	mount OPTIONS      the disk to /data; OPTIONS as in mount(8), - for none
//	run NAME PROGRAM...   start a program; its output comes as "NAME| ..."
//	stop NAME          kill it and wait for its end
//	keys               tell of every key that the kernel's keyboards have from now on
//	exists FILE        wait until there is one
//	unmount            write all to the disk and let it go
//
// Each is answered with "tb: did LINE" or "tb: did not: REASON".
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if err := boot(); err != nil {
		say("does not come up: %v", err)
		select {}
	}
	go links()
	say("up")
	serve(os.Stdin)
	select {} // the end of init is a panic of the kernel
}

var talk sync.Mutex // lines come whole

// say writes a line to the console. Serial lines end with CR LF when raw.
func say(format string, a ...any) { line("tb: " + fmt.Sprintf(format, a...)) }

func line(s string) {
	talk.Lock()
	defer talk.Unlock()
	io.WriteString(os.Stdout, s+"\r\n") //nolint:errcheck // there is nobody to tell
}

func boot() error {
	for _, m := range []struct{ kind, at string }{{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/tmp"}, {"tmpfs", "/run"}} {
		if err := unix.Mount(m.kind, m.at, m.kind, 0, ""); err != nil && !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	if err := raw(os.Stdin); err != nil {
		return fmt.Errorf("console: %w", err)
	}
	list, err := os.ReadFile("/modules/list")
	if err != nil {
		return err
	}
	for _, file := range strings.Fields(string(list)) {
		if err := load(file); err != nil {
			return err
		}
	}
	if err := network(); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	return nil
}

// raw has the console neither echo nor change what goes over it.
func raw(f *os.File) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	t.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
	t.Oflag &^= unix.OPOST
	return unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t)
}

func load(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := 0
	if filepath.Ext(file) != ".ko" {
		flags = unix.MODULE_INIT_COMPRESSED_FILE
	}
	if err := unix.FinitModule(int(f.Fd()), "", flags); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("module %s: %w", filepath.Base(file), err)
	}
	return nil
}

// network gives the machine the address that QEMU's network expects, and
// raises the loopback.
func network() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	for name, a := range map[string]struct{ address, mask net.IP }{
		"lo":   {net.IPv4(127, 0, 0, 1), net.IPv4(255, 0, 0, 0)},
		"eth0": {net.IPv4(10, 0, 2, 15), net.IPv4(255, 255, 255, 0)},
	} {
		if _, err := os.Stat("/sys/class/net/" + name); err != nil {
			continue // this machine has none
		}
		if err := address(s, name, a.address, a.mask); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func address(s int, name string, ip, mask net.IP) error {
	r, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := r.SetInet4Addr(ip.To4()); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCSIFADDR, r); err != nil {
		return err
	}
	if err := r.SetInet4Addr(mask.To4()); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCSIFNETMASK, r); err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r)
}

// serve does what lines say, one after the other.
func serve(from io.Reader) {
	programs := map[string]*program{}
	for lines := bufio.NewScanner(from); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		if err := do(words[0], words[1:], programs); err != nil {
			say("did not: %v", err)
			continue
		}
		say("did %s", words[0])
	}
}

func do(what string, args []string, programs map[string]*program) error {
	switch {
	case what == "mount" && len(args) == 1:
		options := strings.TrimPrefix(args[0], "-")
		return wait(func() error { return unix.Mount("/dev/vda", "/data", "ext4", unix.MS_NOATIME, options) })
	case what == "unmount":
		return unix.Unmount("/data", 0)
	case what == "run" && len(args) > 1:
		p, err := start(args[0], args[1:])
		programs[args[0]] = p
		return err
	case what == "stop" && len(args) == 1 && programs[args[0]] != nil:
		return programs[args[0]].stop()
	case what == "exists" && len(args) == 1:
		return wait(func() error { _, err := os.Stat(args[0]); return err })
	case what == "keys":
		go keys()
		return nil
	}
	return fmt.Errorf("what is %q?", what)
}

// wait tries until it works, for half a minute.
func wait(try func() error) error {
	for n := 0; ; n++ {
		err := try()
		if err == nil || n == 300 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

type program struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func start(name string, args []string) (*program, error) {
	p := &program{cmd: exec.Command(args[0], args[1:]...), ended: make(chan struct{})} //nolint:noctx // stop ends it
	p.cmd.Env = []string{"HOME=/tmp", "PATH=/bin", "TMPDIR=/tmp"}
	out, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = write, write
	err = p.cmd.Start()
	write.Close()
	if err != nil {
		out.Close()
		return nil, err
	}
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			line(name + "| " + lines.Text())
		}
		say("%s ended: %v", name, p.cmd.Wait())
	}()
	return p, nil
}

func (p *program) stop() error {
	err := p.cmd.Process.Kill()
	<-p.ended
	return err
}
