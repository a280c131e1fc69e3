package config

import (
	"errors"
	"os"

	"github.com/carrel-kiosk/carrel/cmd/internal/password"
)

// Staff are the pages for staff.
type Staff struct {
	PasswordFile string `toml:"password_file"` // as kioskctl staff password writes it; empty: staff have accounts of their own only

	hash *password.Hash
}

// check reads the password file. One that is not there yet is not set yet:
// kioskctl, which sets it, reads the same configuration.
func (s *Staff) check(p *Problems) {
	if s.PasswordFile == "" {
		return
	}
	s.PasswordFile = p.beside(s.PasswordFile)
	raw, err := os.ReadFile(s.PasswordFile)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		p.add("staff.password_file", s.PasswordFile, "%v", err)
		return
	}
	h, err := password.Parse(string(raw))
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
	return s.hash.Check
}
