package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestLocate: the package's own file leads to that of the set-up page, one of a
// person's hand counts itself, and a name that is no file is no reason to set up.
func TestLocate(t *testing.T) {
	state, dir := t.TempDir(), t.TempDir()
	t.Setenv("STATE_DIRECTORY", state)
	shipped, own := filepath.Join(dir, "shipped.toml"), filepath.Join(dir, "own.toml")
	raw, err := os.ReadFile("../../../deploy/debian/kiosk.toml")
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(shipped, raw, 0o600)
	os.WriteFile(own, []byte("[kiosk]\nname = \"k\"\n"), 0o600)
	try := func(file, want string, wantErr error) {
		t.Helper()
		if got, err := Locate(file); got != want || !errors.Is(err, wantErr) {
			t.Errorf("Locate(%s) = %q, %v; want %q, %v", file, got, err, want, wantErr)
		}
	}
	try(shipped, "", ErrNotSetUp)
	try(own, own, nil)
	try(filepath.Join(dir, "nothing"), "", os.ErrNotExist)
	if _, err := Load(shipped); !errors.Is(err, ErrNotSetUp) {
		t.Errorf("Load() = %v", err)
	}
	if at := Listen(shipped); at != "127.0.0.1:8480" {
		t.Errorf("Listen() = %s", at)
	}
	os.WriteFile(StateFile(), []byte("[kiosk]\nname = \"set\"\ndata = \"/x\"\n"), 0o600)
	try(shipped, StateFile(), nil)
	try(own, own, nil)
	if c, err := Load(shipped); err != nil || c.Kiosk.Name != "set" {
		t.Errorf("Load() = %v, %v", c, err)
	}
}

// TestWrite: there is the old file or the new one, and nothing beside.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x")
	for _, text := range []string{"one", "two"} {
		if err := Write(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(file); string(b) != text {
			t.Errorf("it holds %q, %v", b, err)
		}
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("there are %d files", len(list))
	}
	if err := Write(filepath.Join(dir, "none", "x"), nil); err == nil {
		t.Error("into no folder: no error")
	}
}
