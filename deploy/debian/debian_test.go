package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestChange(t *testing.T) {
	if _, err := readChange("changelog"); err != nil {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "changelog")
	for text, want := range map[string]string{
		"carrel (1.2~rc1+x) bookworm; urgency=low\n\n  * x\n\n -- A B <a@b.c>  Sun, 29 Nov 2026 12:00:00 +0100\n\ncarrel (1.1) old; u=l\n": "1.2~rc1+x 2026-11-29T11:00:00Z A B <a@b.c>",
		"": "", "carrel (1)": "", "carrel (1) x\n\n -- A <a@b>  yesterday\n": "", "other (1) x\n -- A <a@b>  Sun, 29 Nov 2026 12:00:00 +0100\n": "",
	} {
		os.WriteFile(file, []byte(text), 0o600)
		c, err := readChange(file)
		got := ""
		if err == nil {
			got = c.version + " " + c.at.UTC().Format(time.RFC3339) + " " + c.maintainer
		}
		if got != want {
			t.Errorf("readChange(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
}

func need(t *testing.T, program, pack string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is missing: apt-get install %s", program, pack)
	}
}

// TestSameBytes: a package is the same to the byte whenever and wherever it is
// made. The one with programs in it is compared where all are built (.ci/run).
func TestSameBytes(t *testing.T) {
	need(t, "dpkg-deb", "dpkg")
	var made [2][]byte
	for i := range made {
		out := t.TempDir()
		if err := run(out, []string{"all"}); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(out + "/carrel-browser_*_all.deb")
		if len(files) != 1 {
			t.Fatalf("made %q", files)
		}
		made[i], _ = os.ReadFile(files[0])
		list, err := exec.Command("dpkg-deb", "--contents", files[0]).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"-rwxr-xr-x root/root", "./usr/lib/carrel/browser", "./lib/systemd/system/carrel-browser.service"} {
			if !strings.Contains(string(list), want) {
				t.Errorf("the package has no %s:\n%s", want, list)
			}
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("two packages of the same source differ")
	}
}

func TestTargets(t *testing.T) {
	if err := run(t.TempDir(), []string{"mips"}); err == nil || !strings.Contains(err.Error(), "armhf") {
		t.Errorf("run(mips) = %v; want what there is", err)
	}
}

// TestConfiguration: the one that is installed is good as it is.
func TestConfiguration(t *testing.T) {
	out, err := exec.Command("go", "run", "../../cmd/kioskd", "-check", "-config", "kiosk.toml").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSecurity: what systemd has to say against the units, from 0 to 10.
func TestSecurity(t *testing.T) {
	need(t, "systemd-analyze", "systemd")
	level := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)
	for _, unit := range []string{"kioskd", "carrel-backup"} {
		out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "../systemd/"+unit+".service").CombinedOutput()
		m := level.FindSubmatch(out)
		if m == nil {
			t.Fatalf("systemd-analyze: %v\n%s", err, out)
		}
		if v, err := strconv.ParseFloat(string(m[1]), 64); err != nil || v > 2 {
			t.Errorf("%s.service is exposed by %s (%v); want 2.0 at most", unit, m[1], err)
		}
	}
}

// TestRules: the rules of udev lead where they say, and know every scanner,
// pad and bridge that is known.
func TestRules(t *testing.T) {
	text, err := os.ReadFile("../udev/70-carrel.rules")
	if err != nil {
		t.Fatal(err)
	}
	rules := strings.ReplaceAll(string(text), "\\\n", "")
	labels := map[string]bool{}
	for _, m := range regexp.MustCompile(`LABEL="(\w+)"`).FindAllStringSubmatch(rules, -1) {
		labels[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`GOTO="(\w+)"`).FindAllStringSubmatch(rules, -1) {
		if !labels[m[1]] {
			t.Errorf("GOTO %s leads nowhere", m[1])
		}
	}
	word := regexp.MustCompile(`^[A-Z_]+(\{\w+\})?(==|!=|\+=|=)"[^"]*"$`)
	for line := range strings.SplitSeq(rules, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for part := range strings.SplitSeq(line, ", ") {
			if !word.MatchString(strings.TrimSpace(part)) {
				t.Errorf("%q is no part of a rule, in %q", part, line)
			}
		}
	}
	file, err := os.ReadFile("../../../shared/testdata/devices/usb-ids.json")
	if err != nil {
		if strings.Contains(os.Getenv("CARREL_REQUIRE"), "shared") {
			t.Fatal(err)
		}
		t.Skip("the list of devices is missing: ", err)
	}
	var known struct {
		IDs []struct{ VID, Kind, Name string }
	}
	if err := json.Unmarshal(file, &known); err != nil || len(known.IDs) == 0 {
		t.Fatalf("usb-ids.json: %v", err)
	}
	for _, id := range known.IDs {
		if !strings.Contains(rules, id.VID) && id.Kind != "printer" { // which go by what they are
			t.Errorf("no rule for %s (%s, %s)", id.VID, id.Kind, id.Name)
		}
	}
}

// TestStick: kiosks of one image that share a stick, and a name, overwrite none of
// each other's copies; where the stick takes none, nothing of it is left there,
// and the kiosk's own copy counts. The ledger is made elsewhere (try).
func TestStick(t *testing.T) {
	need(t, "od", "coreutils")
	dir, stick := t.TempDir(), t.TempDir()
	os.WriteFile(filepath.Join(dir, "kioskctl"), []byte(`#!/bin/sh
case $* in
*status) echo '{"kiosk":"front-desk","version":"1"}' ;;
*) echo age-encryption.org/v1 ledger >"$4" ;;
esac
`), 0o700)
	os.WriteFile(filepath.Join(dir, "date"), []byte("#!/bin/sh\n[ \"$LC_ALL\" = C ] && echo Mon || echo Mo\n"), 0o700)
	backup := func(kiosk string) string {
		t.Helper()
		c := exec.Command("sh", "../systemd/backup")
		c.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "STATE_DIRECTORY="+filepath.Join(dir, kiosk), "CARREL_STICK="+stick, "LC_ALL=de_DE.UTF-8")
		said, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("backup of kiosk %s: %v: %s", kiosk, err, said)
		}
		return string(said)
	}
	copies := func() []string { files, _ := filepath.Glob(stick + "/*"); return files }
	backup("a")
	one := copies()
	if len(one) != 1 || !regexp.MustCompile(`/front-desk-[0-9a-f]{6}-Mon\.age$`).MatchString(one[0]) {
		t.Fatalf("the stick has %q", one)
	}
	backup("a")
	backup("b")
	if two := copies(); len(two) != 2 {
		t.Errorf("the stick has %q of two kiosks", two)
	}
	if err := os.Symlink("/dev/full", one[0]+".new"); err != nil {
		t.Fatal(err)
	}
	if said := backup("a"); !strings.Contains(said, "did not get the copy") || len(copies()) != 2 {
		t.Errorf("a full stick: %q, and it has %q", said, copies())
	}
	if own, _ := filepath.Glob(filepath.Join(dir, "a/backup/ledger-Mon.db")); len(own) != 1 {
		t.Errorf("the kiosk has %q", own)
	}
}
