package config

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"os"
	"syscall"

	"github.com/pelletier/go-toml/v2"
)

// Update is of whom updates are taken.
type Update struct {
	Key []string `toml:"key"` // public keys, 32 bytes in base64; none: no updates are taken but the system's

	Keys []ed25519.PublicKey `toml:"-"`
}

// UpdateKeys are those that a file itself names, whether or not it is the one
// that counts: the set-up page's is the service's own, and who has the service
// must not be able to say whose programs root takes. For root it must be root's.
func UpdateKeys(file string) ([]ed25519.PublicKey, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 && (!ok || st.Uid != 0 || info.Mode().Perm()&0o022 != 0) {
		return nil, fmt.Errorf("%s: update.key counts only in a file that root alone can write", file)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := struct {
		Update Update `toml:"update"`
	}{}
	p := &Problems{File: file}
	if err := toml.Unmarshal(raw, &c); err != nil {
		p.syntax(err)
	}
	if c.Update.check(p); len(p.List) > 0 {
		return nil, p
	}
	if len(c.Update.Keys) == 0 {
		return nil, fmt.Errorf("%s: update.key names no key of whom updates are taken", file)
	}
	return c.Update.Keys, nil
}

func (u *Update) check(p *Problems) {
	for _, text := range u.Key {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(b) != ed25519.PublicKeySize {
			p.add("update.key", text, "is no public key: kioskctl update new-key says one")
			continue
		}
		u.Keys = append(u.Keys, b)
	}
}
