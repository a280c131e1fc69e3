package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Root makes the first root file system of a machine: the guest's init, the
// kernel's modules in the order in which init loads them, the C library that
// a program with cgo is linked with, and files.
func Root(ctx context.Context, k Kernel, init string, files []File) ([]byte, error) {
	dep, err := os.ReadFile(filepath.Join(k.Modules, "modules.dep"))
	if err != nil {
		return nil, err
	}
	builtin, err := os.ReadFile(filepath.Join(k.Modules, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	order, err := loadOrder(modules, string(dep), string(builtin))
	if err != nil {
		return nil, err
	}
	list := []File{
		{Path: "dev", Mode: os.ModeDir | 0o755}, {Path: "proc", Mode: os.ModeDir | 0o755}, {Path: "sys", Mode: os.ModeDir | 0o755},
		{Path: "data", Mode: os.ModeDir | 0o755}, {Path: "tmp", Mode: os.ModeDir | 0o777}, {Path: "run", Mode: os.ModeDir | 0o755},
	}
	copied := map[string]string{"init": init}
	var loaded strings.Builder
	for _, f := range order {
		copied["modules/"+filepath.Base(f)] = filepath.Join(k.Modules, f)
		fmt.Fprintf(&loaded, "/modules/%s\n", filepath.Base(f))
	}
	if err := library(ctx, k.Arch, copied); err != nil {
		return nil, err
	}
	for to, from := range copied {
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		list = append(list, File{Path: to, Mode: 0o755, Data: data})
	}
	list = append(list, File{Path: "modules/list", Mode: 0o644, Data: []byte(loaded.String())})
	return archive(append(list, files...)), nil
}

// library adds the C library of the compiler where programs look for it.
func library(ctx context.Context, a *Arch, copied map[string]string) error {
	for _, to := range []string{a.loader, "lib/libc.so.6", "lib/libpthread.so.0", "lib/librt.so.1", "lib/libdl.so.2", "lib/libresolv.so.2"} {
		name := filepath.Base(to)
		out, err := command(ctx, ".", a.CC, "-print-file-name="+name)
		if err != nil {
			return err
		}
		file := strings.TrimSpace(out)
		if !filepath.IsAbs(file) {
			return fmt.Errorf("%s: the compiler has none: apt-get install %s", name, a.needed[a.CC])
		}
		copied[to] = file
	}
	return nil
}

// With adds files to a root.
func With(root []byte, files []File) []byte {
	return append(root[:len(root):len(root)], archive(files)...)
}
