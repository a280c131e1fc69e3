package password

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestPassword(t *testing.T) {
	for _, bad := range []string{"", "12345", strings.Repeat("x", Most+1)} {
		if _, err := Make(bad); err == nil {
			t.Errorf("%.10q is taken", bad)
		}
	}
	line, err := Make("größer6")
	if err != nil || strings.Contains(line, "größer") || !strings.HasPrefix(line, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatal(line, err)
	}
	if again, _ := Make("größer6"); again == line {
		t.Error("the same password has the same line twice: there is no salt")
	}
	h, err := Parse(line + "\n")
	if err != nil || !h.Check("größer6") || h.Check("größer7") || h.Check("") || h.Check(strings.Repeat("x", Most+1)) {
		t.Error("the password is not told from others", err)
	}
	if (Hash{}).Check("") {
		t.Error("no hash takes a password")
	}
}

// TestKnown holds both kinds of line against values of others: argon2id of
// the reference implementation's tests (test.c: t=2, m=2^16 and 2^8 KiB, p=1),
// PBKDF2 of Python's hashlib.pbkdf2_hmac.
func TestKnown(t *testing.T) {
	salt := base64.RawStdEncoding.EncodeToString([]byte("somesalt"))
	for _, tt := range []struct{ line, secret string }{
		{"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"},
		{"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"},
		{"pbkdf2-sha512$1000$" + salt + "$M2RuVif51HL2MP1udbnAMXFiNC3mdIdv8TJufxAiuKM", "größer6"},
	} {
		h, err := Parse(tt.line)
		if err != nil || !h.Check(tt.secret) || h.Check(tt.secret+"x") {
			t.Errorf("%s: %v, not %q's", tt.line, err, tt.secret)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good, _ := Make("größer6")
	for _, line := range []string{"", "größer6", "$$$$$", good + "$x", strings.Replace(good, "m=19456", "m=99999999", 1), strings.Replace(good, "t=2", "t=0", 1),
		strings.Replace(good, "p=1", "p=255", 1), strings.Replace(good, "m=19456", "m=7", 1), strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1), strings.Replace(good, "t=2,p=1", "p=1,t=2", 1), "pbkdf2-sha512$1$c2FsdHNhbHQ$" + strings.Repeat("A", 43)} {
		if _, err := Parse(line); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("pbkdf2-sha512$210000$c2FsdHNhbHRzYWx0$" + strings.Repeat("A", 43))
	f.Add("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Add("$$$")
	f.Fuzz(func(t *testing.T, line string) {
		if h, err := Parse(line); err == nil && (h.again == nil || len(h.sum) != hashSize) {
			t.Errorf("%q = %+v", line, h)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	line, _ := Make("größer6")
	h, _ := Parse(line)
	for b.Loop() {
		h.Check("größer7")
	}
}
