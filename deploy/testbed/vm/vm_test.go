package vm

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLoadOrder(t *testing.T) {
	const dep = `kernel/fs/ext4.ko: kernel/fs/jbd2.ko kernel/lib/crc16.ko
kernel/fs/jbd2.ko: kernel/lib/crc16.ko
kernel/lib/crc16.ko:
kernel/net/virtio-net.ko.xz: kernel/net/failover.ko.xz
kernel/net/failover.ko.xz:
`
	got, err := loadOrder([]string{"virtio_net", "ext4", "virtio_mmio"}, dep, "kernel/virtio/virtio_mmio.ko\n")
	want := []string{"kernel/net/failover.ko.xz", "kernel/net/virtio-net.ko.xz", "kernel/lib/crc16.ko", "kernel/fs/jbd2.ko", "kernel/fs/ext4.ko"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("loadOrder() = %q, %v; want %q", got, err, want)
	}
	if _, err := loadOrder([]string{"usblp"}, dep, ""); err == nil || !strings.Contains(err.Error(), "usblp") {
		t.Errorf("loadOrder() of what is not there = %v; want its name", err)
	}
}

// TestArchive has cpio unpack what is packed, and what is added to it.
func TestArchive(t *testing.T) {
	if _, err := exec.LookPath("cpio"); err != nil {
		t.Skip("cpio is missing: apt-get install cpio")
	}
	packed := With(archive([]File{{Path: "dev", Mode: os.ModeDir | 0o755}, {Path: "bin/a", Mode: 0o755, Data: []byte("old")}, {Path: "etc/x/y", Mode: 0o640, Data: []byte("abc")}}),
		nil)
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "cpio", "-idm", "--quiet", "--no-absolute-filenames")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(packed)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cpio: %v\n%s", err, out)
	}
	for name, want := range map[string]string{"bin/a": "-rwxr-xr-x old", "etc/x/y": "-rw-r----- abc"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		data, _ := os.ReadFile(filepath.Join(dir, name))
		if got := fmt.Sprintf("%v %s", info.Mode(), data); got != want {
			t.Errorf("%s is %q; want %q", name, got, want)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "dev")); err != nil || !info.IsDir() {
		t.Errorf("dev: %v", err)
	}
	if len(packed)%4 != 0 {
		t.Errorf("%d bytes: the next archive would not begin where the kernel looks", len(packed))
	}
}

// TestKernelDependency: which kernel is the newest is read from what apt says.
func TestKernelDependency(t *testing.T) {
	for _, a := range Arches {
		want := "linux-image-6.1.0-57-" + a.Name
		says := "linux-image-" + a.Name + "\n  Depends: linux-image-6.1.0-57-other\n  Depends: " + want + "\n  Suggests: x\n"
		if m := a.kernelDependency().FindStringSubmatch(says); m == nil || m[1] != want {
			t.Errorf("%s: found %q", a.Name, m)
		}
	}
	if ArchNamed("amd64") != Arches[1] || ArchNamed("sparc") != nil {
		t.Error("a machine is found by another's name")
	}
}

// TestCached: a kernel that is not all there is none.
func TestCached(t *testing.T) {
	dir := t.TempDir()
	put := func(name string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("linux-image-6.1.0-9-arm64/boot/vmlinuz-6.1.0-9-arm64")
	if k, err := cached(Arches[0], dir); err == nil {
		t.Errorf("cached() without modules.dep = %+v", k)
	}
	put("linux-image-6.1.0-9-arm64/lib/modules/6.1.0-9-arm64/modules.dep")
	if k, err := cached(Arches[0], dir); err != nil || k.Package != "linux-image-6.1.0-9-arm64" {
		t.Errorf("cached() = %+v, %v", k, err)
	}
	if k, err := cached(Arches[1], dir); err == nil {
		t.Errorf("another machine's: %+v", k)
	}
}

// TestHoldPort: who asks for the port by its number has it, and nobody is given
// it otherwise.
func TestHoldPort(t *testing.T) {
	port, held, err := HoldPort()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for range 100 {
		other, too, err := HoldPort()
		if err != nil || other == port {
			t.Fatalf("HoldPort() = %d, %v beside %d", other, err, port)
		}
		defer too.Close()
	}
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)) // says SO_REUSEADDR, as QEMU
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
}
