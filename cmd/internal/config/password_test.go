package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/cmd/internal/password"
)

func TestStaffPassword(t *testing.T) {
	line, err := password.Make("größer6")
	if err != nil {
		t.Fatal(err)
	}
	const older = "pbkdf2-sha512$1000$c29tZXNhbHQ$M2RuVif51HL2MP1udbnAMXFiNC3mdIdv8TJufxAiuKM" // of the versions before Argon2
	dir := t.TempDir()
	load := func() (*Config, error) {
		return Parse(filepath.Join(dir, "kiosk.toml"), []byte(good+"[staff]\npassword_file = \"staff\"\n"))
	}
	c, err := load()
	if err != nil || c.Staff.Password() != nil || c.Staff.PasswordFile != filepath.Join(dir, "staff") {
		t.Fatalf("without a file: %+v, %v", c, err)
	}
	for content, ok := range map[string]bool{line + "\n": true, older: true, "größer6": false, "": false, line + "$x": false} {
		if err := os.WriteFile(filepath.Join(dir, "staff"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := load()
		if (err == nil) != ok || !ok && !strings.Contains(err.Error(), "staff.password_file") {
			t.Errorf("%q: %v", content, err)
		}
		if ok && (!c.Staff.Password()("größer6") || c.Staff.Password()("größer7") || c.Staff.Password()("")) {
			t.Error("the password is not told from others")
		}
	}
}
