package main

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestMountOf: the mount of a folder is the nearest above it, and of two at the
// same place the later one.
func TestMountOf(t *testing.T) {
	const info = `22 1 179:2 / / rw,relatime shared:1 - ext4 /dev/root rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
31 22 179:3 / /var/lib/carrel rw,noatime shared:9 - ext4 /dev/mmcblk0p3 rw
32 22 0:30 / /run rw,nosuid shared:2 master:1 - tmpfs tmpfs rw
33 22 0:31 / /mnt/a\040b rw - vfat /dev/sda1 rw
34 22 0:32 / /mnt/twice rw,noatime - ext4 /dev/sdb1 rw
35 22 0:33 / /mnt/twice rw,relatime - xfs /dev/sdc1 rw
broken
`
	for path, want := range map[string]struct {
		at, says string
		ok, mend bool
	}{
		"/var/lib/carrel":        {"/var/lib/carrel", "has noatime", true, false},
		"/var/lib/carrel/backup": {"/var/lib/carrel", "has noatime", true, false},
		"/var/lib/carrel2":       {"/", "relatime: the first reading after each write", true, true},
		"/home":                  {"/", "relatime", true, true},
		"/run/x":                 {"/run", "without power the ledger is gone", true, true},
		"/mnt/a b/c":             {"/mnt/a b", "strictatime", false, true},
		"/mnt/twice/x":           {"/mnt/twice", "(xfs) has relatime", true, true},
	} {
		m, ok := mountOf([]byte(info), path)
		f := m.finding()
		if !ok || m.At != want.at || f.OK != want.ok || (f.Mend != "") != want.mend || !strings.Contains(f.Says, want.says) {
			t.Errorf("%s is on %+v: %+v; want %+v", path, m, f, want)
		}
	}
	if m, ok := mountOf([]byte("nothing\n"), "/x"); ok {
		t.Errorf("in no table there is %+v", m)
	}
}

// TestJournal: files are read in systemd's order, and what the journal takes of
// the card is said.
func TestJournal(t *testing.T) {
	const kept = "var/log/journal/x"
	conf := func(lines string) string { return "# text\n[Other]\nSystemMaxUse=1\n[Journal]\n" + lines + "\n" }
	for name, tt := range map[string]struct {
		files fstest.MapFS
		says  string
		mend  bool
	}{
		"no files":          {fstest.MapFS{}, "in memory", false},
		"auto, with folder": {fstest.MapFS{kept: {}}, "a tenth of it, or 4 GB", true},
		"ours": {fstest.MapFS{kept: {}, "usr/lib/systemd/journald.conf.d/carrel.conf": {Data: []byte(conf("SystemMaxUse=64M"))}},
			"64M at most", false},
		"ours hidden": {fstest.MapFS{kept: {}, "usr/lib/systemd/journald.conf.d/carrel.conf": {Data: []byte(conf("SystemMaxUse=64M"))},
			"etc/systemd/journald.conf.d/carrel.conf": {}}, "a tenth", true},
		"a later name wins": {fstest.MapFS{kept: {}, "etc/systemd/journald.conf": {Data: []byte(conf("SystemMaxUse=1M"))},
			"etc/systemd/journald.conf.d/a.conf": {Data: []byte(conf("SystemMaxUse = 2G"))}, "usr/lib/systemd/journald.conf.d/b.conf": {Data: []byte(conf(";SystemMaxUse=3M\nStorage=persistent"))}},
			"may grow to 2G", true},
		"volatile":   {fstest.MapFS{kept: {}, "etc/systemd/journald.conf": {Data: []byte(conf("Storage=volatile"))}}, "in memory", false},
		"none":       {fstest.MapFS{"etc/systemd/journald.conf": {Data: []byte(conf("Storage=none"))}}, "nobody can look up", true},
		"taken back": {fstest.MapFS{kept: {}, "etc/systemd/journald.conf": {Data: []byte(conf("SystemMaxUse=64M\nSystemMaxUse="))}}, "a tenth", true},
		"in bytes":   {fstest.MapFS{kept: {}, "etc/systemd/journald.conf": {Data: []byte(conf("SystemMaxUse=1000000"))}}, "1000000 at most", false},
		"nonsense":   {fstest.MapFS{kept: {}, "etc/systemd/journald.conf": {Data: []byte(conf("SystemMaxUse=lots"))}}, "a tenth", true},
	} {
		f := readJournal(tt.files).finding()
		if !f.OK || !strings.Contains(f.Says, tt.says) || (f.Mend != "") != tt.mend {
			t.Errorf("%s: %+v; want %q, to be mended: %v", name, f, tt.says, tt.mend)
		}
	}
}
