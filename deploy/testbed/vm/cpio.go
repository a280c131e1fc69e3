package vm

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// File is one thing in the first root of a machine.
type File struct {
	Path string // without a leading slash
	Mode fs.FileMode
	Data []byte
}

// archive packs files, and the folders they lie in, as the kernel takes them:
// cpio "newc" (Documentation/driver-api/early-userspace/buffer-format.rst). Such
// archives may follow upon one another; the later file of a name wins.
func archive(files []File) []byte {
	var b bytes.Buffer
	inode, made := 1, []string{}
	put := func(name string, mode uint32, data []byte) {
		const modified, links = 0, 1
		fmt.Fprintf(&b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", inode, mode, 0, 0, links, modified,
			len(data), 0, 0, 0, 0, len(name)+1, 0)
		b.WriteString(name + "\x00")
		pad(&b)
		b.Write(data)
		pad(&b)
		inode++
	}
	for _, f := range files {
		for _, dir := range above(f.Path) {
			if !slices.Contains(made, dir) {
				made = append(made, dir)
				put(dir, 0o40755, nil)
			}
		}
		if f.Mode.IsDir() {
			put(f.Path, 0o40000|uint32(f.Mode.Perm()), nil)
			continue
		}
		put(f.Path, 0o100000|uint32(f.Mode.Perm()), f.Data)
	}
	put("TRAILER!!!", 0, nil)
	return b.Bytes()
}

// above are the folders that a file lies in, the outermost first.
func above(file string) (dirs []string) {
	for dir := path.Dir(strings.TrimPrefix(file, "/")); dir != "."; dir = path.Dir(dir) {
		dirs = append([]string{dir}, dirs...)
	}
	return dirs
}

func pad(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}
