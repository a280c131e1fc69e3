package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStaffPassword(t *testing.T) {
	for _, bad := range []string{"", "12345", strings.Repeat("x", 257)} {
		if _, err := HashPassword(bad); err == nil {
			t.Errorf("%.10q is taken", bad)
		}
	}
	line, err := HashPassword("größer6")
	if err != nil || strings.Contains(line, "größer") {
		t.Fatal(line, err)
	}
	if again, _ := HashPassword("größer6"); again == line {
		t.Error("the same password has the same line twice: there is no salt")
	}
	dir := t.TempDir()
	load := func() (*Config, error) {
		return Parse(filepath.Join(dir, "kiosk.toml"), []byte(good+"[staff]\npassword_file = \"staff\"\n"))
	}
	c, err := load()
	if err != nil || c.Staff.Password() != nil || c.Staff.PasswordFile != filepath.Join(dir, "staff") {
		t.Fatalf("without a file: %+v, %v", c, err)
	}
	for content, ok := range map[string]bool{line + "\n": true, "größer6": false, "": false, strings.Replace(line, "210000", "1", 1): false,
		line + "$x": false, strings.Replace(line, "sha512", "md5", 1): false, strings.Replace(line, "210000", "999999999", 1): false} {
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

func FuzzParseHash(f *testing.F) {
	f.Add("pbkdf2-sha512$210000$c2FsdHNhbHRzYWx0$" + strings.Repeat("A", 43))
	f.Add("$$$")
	f.Fuzz(func(t *testing.T, line string) {
		if h, err := parseHash(line); err == nil && (h.iterations > maxIterations || len(h.sum) != hashSize) {
			t.Errorf("%q = %+v", line, h)
		}
	})
}
