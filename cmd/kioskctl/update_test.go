package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpdatePack makes a key and a bundle with it; a key is never overwritten,
// and without one in the configuration no bundle is taken.
func TestUpdatePack(t *testing.T) {
	dir := t.TempDir()
	key, to, conf := filepath.Join(dir, "key"), filepath.Join(dir, "x.carrel"), filepath.Join(dir, "kiosk.toml")
	for _, name := range []string{"kioskd", "kioskctl"} {
		os.WriteFile(filepath.Join(dir, name), []byte(name), 0o700)
	}
	os.WriteFile(conf, []byte("[kiosk]\nname = \"k\"\ndata = \""+dir+"\"\n"), 0o600)
	var out bytes.Buffer
	for _, step := range []struct {
		args []string
		want int
	}{
		{[]string{"update", "new-key", key}, 0},
		{[]string{"update", "new-key", key}, 1},
		{[]string{"update", "pack", "-key", key, "-version", "1.2", dir, to}, 0},
		{[]string{"update", "pack", "-key", key, "-version", "new", dir, to}, 1},
		{[]string{"update", "pack", "-key", conf, "-version", "1", dir, to}, 2},
		{[]string{"-config", conf, "update", "take", "-root", dir, to}, 2},
		{[]string{"-config", conf, "update", "take", "-root", dir, "-remove", to}, 2},
	} {
		if got := run(step.args, &out); got != step.want {
			t.Errorf("%q = %d; want %d", step.args, got, step.want)
		}
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a bundle that is to be removed and is refused lies there for ever")
	}
	if !strings.Contains(out.String(), "[update]\nkey = [") {
		t.Errorf("it says %s", out.String())
	}
}
