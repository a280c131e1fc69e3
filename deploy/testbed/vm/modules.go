package vm

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// modules are those that a kiosk's devices need, and the machine's disk and
// network. What they need themselves comes with them.
var modules = []string{
	"virtio_pci", "virtio_blk", "virtio_net", "ext4", "crc32c_generic", "xhci_pci",
	"usbhid", "hid_generic", "evdev", "usbserial", "ftdi_sio", "cdc_acm", "usblp",
}

// loadOrder gives the files of the modules with those names, each after what it
// needs. dep is modules.dep: "kernel/a.ko: kernel/b.ko kernel/c.ko" means that c
// is loaded first, then b, then a (modules.dep(5)). builtin is modules.builtin:
// what is there has nothing to be loaded.
func loadOrder(names []string, dep, builtin string) (files []string, err error) {
	needs, byName := map[string][]string{}, map[string]string{}
	for line := range strings.SplitSeq(dep, "\n") {
		file, rest, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		needs[file] = strings.Fields(rest)
		byName[moduleName(file)] = file
	}
	in := map[string]bool{}
	for line := range strings.SplitSeq(builtin, "\n") {
		in[moduleName(line)] = true
	}
	for _, n := range names {
		file, ok := byName[n]
		switch {
		case ok:
		case in[n]:
			continue
		default:
			return nil, fmt.Errorf("the kernel has no module %s", n)
		}
		for _, f := range slices.Backward(append([]string{file}, needs[file]...)) {
			if !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
	}
	return files, nil
}

// moduleName is what a module is called, whatever its file: "-" is "_" to the
// kernel.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}
