package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// card looks at what wears a card beside the ledger: reading, which may write,
// and the journal.
func card(data string) []finding {
	if abs, err := filepath.Abs(data); err == nil {
		data = abs
	}
	if real, err := filepath.EvalSymlinks(data); err == nil {
		data = real
	}
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil { // no Linux that tells
		return nil
	}
	list := []finding{}
	if m, ok := mountOf(raw, data); ok {
		list = append(list, m.finding())
	}
	if _, err := os.Stat("/run/systemd/journal"); err == nil {
		list = append(list, readJournal(os.DirFS("/")).finding())
	}
	return list
}

// mount is what a folder lies on.
type mount struct {
	At, Kind string
	Options  []string
}

// mountOf finds the mount of an absolute path in the text of
// /proc/PID/mountinfo (proc_pid_mountinfo(5)).
func mountOf(info []byte, of string) (m mount, ok bool) {
	for line := range bytes.Lines(info) {
		left, right, found := strings.Cut(string(line), " - ")
		f, kind := strings.Fields(left), strings.Fields(right)
		if !found || len(f) < 6 || len(kind) == 0 {
			continue
		}
		at := unescape(f[4])
		if len(at) < len(m.At) || of != at && !strings.HasPrefix(of, strings.TrimSuffix(at, "/")+"/") {
			continue
		}
		m, ok = mount{at, kind[0], strings.Split(f[5], ",")}, true // a later one lies over it
	}
	return m, ok
}

// unescape takes the kernel's octal escapes of blanks out of a path.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// finding says what reading costs there. That it writes is a pity and no fault.
func (m mount) finding() finding {
	f := finding{What: "mount", OK: true}
	mend := fmt.Sprintf("add noatime to the options of %s in /etc/fstab, then: mount -o remount,noatime %s", m.At, m.At)
	switch {
	case m.Kind == "tmpfs" || m.Kind == "ramfs":
		f.Says = fmt.Sprintf("%s is in memory (%s): without power the ledger is gone", m.At, m.Kind)
		f.Mend = "fine to try things out; else put the data folder on a disk: data under [kiosk]"
	case slices.Contains(m.Options, "noatime"):
		f.Says = m.At + " (" + m.Kind + ") has noatime: reading writes nothing"
	case slices.Contains(m.Options, "relatime"):
		f.Says = m.At + " (" + m.Kind + ") has relatime: the first reading after each write, and one a day, writes to the card as well; with a ledger that is nearly one write more for each loan"
		f.Mend = mend
	default:
		f.OK, f.Says, f.Mend = false, m.At+" ("+m.Kind+") has strictatime: each reading writes to the card", mend
	}
	return f
}

// journal is how systemd's journal is kept (journald.conf(5)).
type journal struct {
	Storage string // volatile, persistent, auto, none
	Kept    bool   // there is a folder for it on the disk, on which auto depends
	Max     string // SystemMaxUse as it is written; empty: a tenth of the disk, 4 GB at most
}

// journalDirs have the files that say so; what comes first hides what has the
// same name.
var journalDirs = []string{"etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd"}

// readJournal reads them below root as systemd does: the main file, and after it
// the others by their names.
func readJournal(root fs.FS) journal {
	j := journal{Storage: "auto"}
	info, err := fs.Stat(root, "var/log/journal")
	j.Kept = err == nil && info.IsDir()
	for _, d := range journalDirs {
		if raw, err := fs.ReadFile(root, path.Join(d, "journald.conf")); err == nil {
			j.read(raw)
			break
		}
	}
	parts := map[string]string{}
	for _, d := range journalDirs {
		names, _ := fs.Glob(root, path.Join(d, "journald.conf.d", "*.conf")) // the pattern is right
		for _, n := range names {
			if _, hidden := parts[path.Base(n)]; !hidden {
				parts[path.Base(n)] = n
			}
		}
	}
	var order []string
	for base := range parts {
		order = append(order, base)
	}
	slices.Sort(order)
	for _, base := range order {
		if raw, err := fs.ReadFile(root, parts[base]); err == nil {
			j.read(raw)
		}
	}
	return j
}

func (j *journal) read(raw []byte) {
	section := ""
	for line := range bytes.Lines(raw) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "[") {
			section = text
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok || section != "[Journal]" || strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
			continue
		}
		switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
		case "Storage":
			j.Storage = value
		case "SystemMaxUse":
			j.Max = value
		}
	}
}

// mostJournal is how much of a card a journal may well take, in bytes.
const mostJournal = 256 << 20

func (j journal) finding() finding {
	f := finding{What: "journal", OK: true}
	size, limited := bytesOf(j.Max)
	switch {
	case j.Storage == "none":
		f.Says = "is not kept: what went wrong nobody can look up"
		f.Mend = "keep it in memory: Storage=volatile under [Journal] in /etc/systemd/journald.conf.d/carrel.conf, then systemctl restart systemd-journald"
	case j.Storage == "volatile" || j.Storage == "auto" && !j.Kept:
		f.Says = "is in memory: it writes nothing to the card, and is gone with the power"
	case limited && size <= mostJournal:
		f.Says = "is on the card, " + j.Max + " at most"
	default:
		f.Says = "is on the card and may grow to " + j.limit()
		f.Mend = "hold it to 64M: SystemMaxUse=64M under [Journal] in /etc/systemd/journald.conf.d/carrel.conf, then systemctl restart systemd-journald; or keep it in memory: Storage=volatile"
	}
	return f
}

func (j journal) limit() string {
	if _, ok := bytesOf(j.Max); ok {
		return j.Max
	}
	return "a tenth of it, or 4 GB"
}

// bytesOf reads a size as systemd writes it: a number, of bytes or with K, M, G, T.
func bytesOf(s string) (n float64, ok bool) {
	unit := 1.0
	if s != "" {
		if i := strings.IndexByte("KMGTPE", s[len(s)-1]); i >= 0 {
			s = s[:len(s)-1]
			for range i + 1 {
				unit *= 1024
			}
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	return n * unit, err == nil && n >= 0
}
