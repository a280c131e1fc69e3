package config

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"
)

// DefaultFile is the configuration where none is named.
const DefaultFile = "/etc/carrel/kiosk.toml"

// mark is a line of the configuration that the package brings. As long as it
// is there, the set-up page's own file counts, and until there is one the
// kiosk is not set up.
const mark = "# This kiosk is not set up yet."

// ErrNotSetUp is of a kiosk for which nobody has written a configuration.
var ErrNotSetUp = errors.New("this kiosk is not set up yet: start kioskd, and its screen leads on; or write the configuration, and take the line \"" + mark + "\" out")

// StateFolder is where the kiosk keeps what is its own.
func StateFolder() string { return cmp.Or(os.Getenv("STATE_DIRECTORY"), "/var/lib/carrel") }

// StateFile is the configuration that the set-up page has written: the service
// may not write to /etc.
func StateFile() string { return filepath.Join(StateFolder(), "kiosk.toml") }

// Locate gives the file that counts for a configuration that is named; ErrNotSetUp
// if that is the one that the package brings, or none at its place, and the
// set-up page has written none.
func Locate(file string) (string, error) {
	raw, err := os.ReadFile(file)
	switch {
	case err == nil && !marked(raw):
		return file, nil
	case errors.Is(err, fs.ErrNotExist) && file != DefaultFile, err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	if _, err := os.Stat(StateFile()); err == nil {
		return StateFile(), nil
	}
	return "", ErrNotSetUp
}

func marked(raw []byte) bool {
	for line := range bytes.Lines(raw) {
		if string(bytes.TrimSpace(line)) == mark {
			return true
		}
	}
	return false
}

// Listen is the address that a configuration which is not set up names.
func Listen(file string) string {
	var c struct {
		Kiosk Kiosk `toml:"kiosk"`
	}
	if raw, err := os.ReadFile(file); err == nil {
		toml.Unmarshal(raw, &c) //nolint:errcheck // then it names none
	}
	return cmp.Or(c.Kiosk.Listen, "127.0.0.1:8480")
}
