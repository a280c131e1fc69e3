package config

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A staff password is kept as
//
//	pbkdf2-sha512$iterations$salt$hash
//
// with salt and hash in base64 without padding. PBKDF2 is RFC 8018, section
// 5.2; the number of iterations is OWASP's for HMAC-SHA-512, about a third of
// a second on a Raspberry Pi 4.
const (
	hashName       = "pbkdf2-sha512"
	hashIterations = 210_000
	hashSize       = 32 // bytes
	saltSize       = 16 // bytes
	maxIterations  = 10_000_000
	minPassword    = 6 // characters: a PIN at least
)

// HashPassword makes the line that a password file holds.
func HashPassword(password string) (string, error) {
	if len([]rune(password)) < minPassword || len(password) > 256 {
		return "", fmt.Errorf("a staff password has %d characters or more, up to 256 bytes", minPassword)
	}
	salt := make([]byte, saltSize)
	rand.Read(salt)
	sum, err := pbkdf2.Key(sha512.New, password, salt, hashIterations, hashSize)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding.EncodeToString
	return strings.Join([]string{hashName, strconv.Itoa(hashIterations), b64(salt), b64(sum)}, "$"), nil
}

// hash is a password file's line.
type hash struct {
	iterations int
	salt, sum  []byte
}

var errHash = errors.New("is no staff password: set one with kioskctl staff password")

func parseHash(line string) (h hash, err error) {
	parts := strings.Split(strings.TrimSpace(line), "$")
	if len(parts) != 4 || parts[0] != hashName {
		return h, errHash
	}
	b64 := base64.RawStdEncoding.DecodeString
	var e1, e2, e3 error
	h.iterations, e1 = strconv.Atoi(parts[1])
	h.salt, e2 = b64(parts[2])
	h.sum, e3 = b64(parts[3])
	if e1 != nil || e2 != nil || e3 != nil || h.iterations < 1000 || h.iterations > maxIterations || len(h.salt) < 8 || len(h.sum) != hashSize {
		return h, errHash
	}
	return h, nil
}

func (h hash) check(password string) bool {
	sum, err := pbkdf2.Key(sha512.New, password, h.salt, h.iterations, hashSize)
	return err == nil && subtle.ConstantTimeCompare(sum, h.sum) == 1
}

// Staff are the pages for staff.
type Staff struct {
	PasswordFile string `toml:"password_file"` // as kioskctl staff password writes it; empty: there are no pages

	hash *hash
}

// check reads the password file. One that is not there yet is not set yet:
// kioskctl, which sets it, reads the same configuration.
func (s *Staff) check(p *Problems) {
	if s.PasswordFile == "" {
		return
	}
	if !filepath.IsAbs(s.PasswordFile) {
		s.PasswordFile = filepath.Join(filepath.Dir(p.File), s.PasswordFile)
	}
	raw, err := os.ReadFile(s.PasswordFile)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		p.add("staff.password_file", s.PasswordFile, "%v", err)
		return
	}
	h, err := parseHash(string(raw))
	if err != nil {
		p.add("staff.password_file", s.PasswordFile, "%v", err)
		return
	}
	s.hash = &h
}

// Password tells whether a password is right; nil where none is set.
func (s *Staff) Password() func(string) bool {
	if s.hash == nil {
		return nil
	}
	return s.hash.check
}
