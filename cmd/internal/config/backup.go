package config

import (
	"filippo.io/age"

	"github.com/carrel-kiosk/carrel/cmd/internal/seal"
)

// Backup is what becomes of copies of the ledger.
type Backup struct {
	Key []string `toml:"key"` // copies are encrypted to these public keys of age; none: they are not

	Keys []age.Recipient `toml:"-"`
}

func (b *Backup) check(p *Problems) {
	var err error
	if b.Keys, err = seal.Keys(b.Key); err != nil {
		p.add("backup.key", nil, "%v", err)
	}
}
