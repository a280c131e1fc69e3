// Package vm boots Debian's kernel in QEMU, with a root file system
// of one program of ours in memory, and pulls the plug.
//
// The processor is translated (TCG): it works wherever Debian does, and
// hardware that takes the same code is not relied upon. Userspace is there in
// 2 to 3 s on an idle machine. Time in the machine is elastic, so whoever waits
// for something waits for what the machine says, with the limits of Patience.
package vm

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Patience is the longest wait for anything in a machine: many times what
// it takes on an idle one.
const Patience = 5 * time.Minute

// ErrLate says that what was waited for did not come in time.
var ErrLate = errors.New("too late")

// Config is a machine.
type Config struct {
	Kernel Kernel
	Root   string // file with the first root
	Memory int    // MB; 0 means 512
	Slots  int    // places to plug USB devices in
	Disk   string // unix socket of an NBD server; empty: none
	Web    int    // port of the guest that the host reaches as VM.Web; 0: none
	Log    io.Writer

	// Card is a file with the image of a card, to start from instead; what the
	// machine writes on it goes into the file. Root is its initrd then.
	Card   string
	Stick  string // file with the image of a USB stick that is plugged in; empty: none
	Append string // further words for the kernel
	Up     string // what the console says when it is up; empty: what our init says
}

// VM is a machine that runs.
type VM struct {
	Web string // address on this host

	dir   string
	held  *os.File // keeps the port of Web for QEMU
	cmd   *exec.Cmd
	input io.WriteCloser
	log   io.Writer
	ended chan struct{}

	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed when lines grow
}

// Start boots a machine and waits until its init is there.
func Start(ctx context.Context, c Config) (_ *VM, err error) {
	v := &VM{log: c.Log, ended: make(chan struct{}), more: make(chan struct{})}
	if v.dir, err = os.MkdirTemp("", "testbed"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			v.held.Close()
			os.RemoveAll(v.dir)
		}
	}()
	if c.Web != 0 {
		port := 0
		if port, v.held, err = HoldPort(); err != nil {
			return nil, err
		}
		v.Web = fmt.Sprintf("127.0.0.1:%d", port)
	}
	v.cmd = exec.Command("nice", v.arguments(c)...) //nolint:noctx // Kill ends it
	if v.input, err = v.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	v.cmd.Stdout, v.cmd.Stderr = write, write
	err = v.cmd.Start()
	write.Close()
	if err != nil {
		out.Close()
		return nil, err
	}
	go v.read(out)
	if _, err := v.Await(ctx, cmp.Or(c.Up, "tb: up")); err != nil {
		v.Kill()
		return nil, fmt.Errorf("the machine does not come up: %w", err)
	}
	return v, nil
}

// arguments are QEMU's, after its name.
func (v *VM) arguments(c Config) []string {
	a := append(slices.Clone(c.Kernel.Arch.emulate), "-accel", "tcg", "-m", fmt.Sprint(cmp.Or(c.Memory, 512)), "-smp", "1",
		"-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio", "-monitor", "none",
		"-kernel", c.Kernel.Image, "-initrd", c.Root, "-append", "console="+c.Kernel.Arch.console+" panic=-1 loglevel=5 "+c.Append,
		"-device", "qemu-xhci,p2=8,p3=8")
	for n := range c.Slots {
		a = append(a, "-chardev", fmt.Sprintf("socket,id=c%d,path=%s,server=on,wait=off", n, v.slot(n)),
			"-device", fmt.Sprintf("usb-redir,chardev=c%d,id=usb%d", n, n))
	}
	if c.Card != "" {
		a = append(a, "-drive", "driver=raw,file.driver=file,file.filename="+c.Card+",if=none,id=d0", "-device", "virtio-blk-pci,drive=d0")
	}
	if c.Stick != "" {
		a = append(a, "-drive", "driver=raw,read-only=on,file.driver=file,file.filename="+c.Stick+",if=none,id=stick", "-device", "usb-storage,drive=stick")
	}
	if c.Disk != "" {
		a = append(a, "-drive", "driver=nbd,server.type=unix,server.path="+c.Disk+",if=none,id=d0,cache.writeback=on",
			"-device", "virtio-blk-pci,drive=d0")
	}
	if c.Web != 0 {
		a = append(a, "-netdev", fmt.Sprintf("user,id=n0,hostfwd=tcp:%s-10.0.2.15:%d", v.Web, c.Web),
			"-device", "virtio-net-pci,netdev=n0,romfile=")
	}
	return a
}

func (v *VM) slot(n int) string { return filepath.Join(v.dir, fmt.Sprintf("usb%d", n)) }

// Slot opens the place number n to plug a device in.
func (v *VM) Slot(n int) (net.Conn, error) { return net.Dial("unix", v.slot(n)) }

// HoldPort gives a port of 127.0.0.1 that nobody else is given until held is
// closed: a socket that does not listen holds it. Who asks for it by its number,
// as QEMU and kioskd, has it all the same, for both say SO_REUSEADDR (Linux,
// socket(7)).
func HoldPort() (port int, held *os.File, err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, err
	}
	held = os.NewFile(uintptr(fd), "port")
	err = errors.Join(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	var at syscall.Sockaddr
	if err == nil {
		at, err = syscall.Getsockname(fd)
	}
	own, ok := at.(*syscall.SockaddrInet4)
	if err != nil || !ok {
		held.Close()
		return 0, nil, fmt.Errorf("a port for the machine: %w", err)
	}
	return own.Port, held, nil
}

// read keeps what the machine's console says until it ends.
func (v *VM) read(out io.ReadCloser) {
	defer close(v.ended)
	defer out.Close()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			v.keep(strings.TrimRight(line, "\r\n"))
		}
		if err != nil {
			return
		}
	}
}

func (v *VM) keep(line string) {
	if v.log != nil {
		fmt.Fprintf(v.log, "%s| %s\n", filepath.Base(v.dir), line)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lines = append(v.lines, line)
	close(v.more)
	v.more = make(chan struct{})
}

// Here is the place on the console where the next line will be.
func (v *VM) Here() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.lines)
}

// Await waits for a line of the console that holds text.
func (v *VM) Await(ctx context.Context, text string) (string, error) {
	return v.AwaitFrom(ctx, 0, text)
}

// AwaitFrom does so from a place that Here has given.
func (v *VM) AwaitFrom(parent context.Context, from int, text string) (string, error) {
	ctx, cancel := context.WithTimeout(parent, Patience)
	defer cancel()
	for {
		v.mu.Lock()
		lines, more := v.lines, v.more
		v.mu.Unlock()
		for ; from < len(lines); from++ {
			if strings.Contains(lines[from], text) {
				return lines[from], nil
			}
		}
		select {
		case <-more:
		case <-v.ended:
			return "", v.wrong(fmt.Sprintf("it ended before it said %q", text))
		case <-ctx.Done():
			if parent.Err() != nil {
				return "", parent.Err()
			}
			return "", errors.Join(ErrLate, v.wrong(fmt.Sprintf("it has not said %q", text)))
		}
	}
}

// wrong is an error with the end of the console.
func (v *VM) wrong(what string) error {
	lines := v.Console()
	return fmt.Errorf("%s; its last lines:\n  %s", what, strings.Join(lines[max(0, len(lines)-25):], "\n  "))
}

// Console is all that the machine has said.
func (v *VM) Console() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lines
}

// Do has the guest's init do something, and waits until it says that it did.
func (v *VM) Do(ctx context.Context, words ...string) error {
	from := v.Here()
	command := strings.Join(words, " ")
	if _, err := io.WriteString(v.input, command+"\n"); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	line, err := v.AwaitFrom(ctx, from, "tb: did ")
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	if _, wrong, no := strings.Cut(line, "tb: did not: "); no {
		return fmt.Errorf("%s: the guest says: %s", command, wrong)
	}
	return nil
}

// Shell waits until a shell on the console answers. What is typed before it is
// there is lost.
func (v *VM) Shell(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, 2*Patience)
	defer cancel()
	for from := v.Here(); ; {
		if _, err := io.WriteString(v.input, "echo 'tb: 'here\n"); err != nil {
			return err
		}
		short, stop := context.WithTimeout(ctx, 10*time.Second)
		_, err := v.AwaitFrom(short, from, "tb: here")
		again := short.Err() != nil
		stop()
		switch {
		case err == nil || !again:
			return err
		case parent.Err() != nil:
			return parent.Err()
		case ctx.Err() != nil:
			return errors.Join(ErrLate, v.wrong("no shell answers"))
		}
	}
}

// Type has a shell on the console do something, and gives what it says. A
// command that fails is an error.
func (v *VM) Type(ctx context.Context, command string) (said []string, err error) {
	from := v.Here()
	// The console shows what is typed: the quotes keep that from being the end.
	if _, err := fmt.Fprintf(v.input, "%s; echo 'tb: 'end $?\n", command); err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	line, err := v.AwaitFrom(ctx, from, "tb: end ")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	for _, l := range v.Console()[from:] {
		if strings.Contains(l, "tb: end ") {
			break
		}
		if !strings.Contains(l, command) {
			said = append(said, l)
		}
	}
	if !strings.HasSuffix(line, "tb: end 0") {
		return said, fmt.Errorf("%s: fails (%s): %s", command, line, strings.Join(said, "; "))
	}
	return said, nil
}

// Kill ends the machine as a loss of power does: nothing in it has a say.
func (v *VM) Kill() {
	v.cmd.Process.Kill() //nolint:errcheck // it is gone already
	<-v.ended
	v.cmd.Wait() //nolint:errcheck // it was killed
	v.input.Close()
	v.held.Close() //nolint:errcheck // there may be none
	os.RemoveAll(v.dir)
}
