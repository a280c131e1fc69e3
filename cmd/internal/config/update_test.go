package config

import (
	"os"
	"path/filepath"
	"testing"
)

// TestUpdateKeys: keys count in the file that is named, also where another is
// in force, and for root only if root alone can write it.
func TestUpdateKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kiosk.toml")
	const good = mark + "\n[kiosk]\nname = \"k\"\n[update]\nkey = [\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]\n"
	for text, want := range map[string]int{good: 1, mark: 0, "[update]\nkey = [\"AAAA\"]\n": 0, "[update": 0} {
		os.WriteFile(file, []byte(text), 0o644)
		if keys, err := UpdateKeys(file); len(keys) != want || (err == nil) != (want > 0) {
			t.Errorf("UpdateKeys of %q = %d keys, %v", text, len(keys), err)
		}
	}
	if os.Geteuid() != 0 {
		return
	}
	os.WriteFile(file, []byte(good), 0o644)
	os.Chmod(file, 0o666)
	if keys, err := UpdateKeys(file); err == nil {
		t.Errorf("of a file that all can write: %d keys", len(keys))
	}
	os.Chmod(file, 0o644)
	os.Chown(file, 12345, 0)
	if keys, err := UpdateKeys(file); err == nil {
		t.Errorf("of a file of somebody else: %d keys", len(keys))
	}
}
