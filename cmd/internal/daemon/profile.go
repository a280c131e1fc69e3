package daemon

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// ProfileFile is the name, in the data folder, of what was found out about the
// library's system.
const ProfileFile = "upstream-profile.json"

// probed tells whether the configuration leaves the profile of a SIP2 server
// to what was found out about it.
func probed(s *sip2.Config) bool { return s.Profile == "" || s.Profile == "auto" }

// Profile is the profile in use with a SIP2 server, and where it comes from. A
// stored one that can't be used is an error beside the one that is used.
func Profile(c *config.Config, s sip2.Config) (p sip2.Profile, from string, err error) {
	if !probed(&s) {
		return s.Habits(), "as configured", nil
	}
	s.Probed, err = readProfile(filepath.Join(c.Kiosk.Data, ProfileFile), s.Address)
	switch p = s.Habits(); {
	case err != nil:
		return p, "what is stored can't be used", err
	case s.Probed == nil:
		return p, "nothing has been found out yet", nil
	}
	return p, "found out on " + p.Tested.In(c.Location).Format("2006-01-02 15:04"), nil
}

// readProfile reads what is stored of a server; nil if nothing is.
func readProfile(file, address string) (*sip2.Profile, error) {
	f, err := os.Open(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, err
	}
	p, err := sip2.ParseProfile(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if !strings.EqualFold(p.Address, address) {
		return nil, fmt.Errorf("%s: it is of the server at %s, and not of %s", file, p.Address, address)
	}
	return &p, nil
}

// withProfile completes the configuration of a SIP2 server.
func withProfile(c *config.Config, s sip2.Config, log *slog.Logger) sip2.Config {
	p, from, err := Profile(c, s)
	if err != nil {
		log.Warn("the stored profile of upstream is not used, but "+p.Name, "err", err)
		return s
	}
	if probed(&s) && p.Address != "" {
		s.Probed = &p
	}
	log.Info("profile of upstream", "name", p.Name, "from", from)
	return s
}

// StoreProfile writes what was found out into the data folder, for whoever
// runs the daemon to read: the old file or the new one is there, and nothing
// between.
func StoreProfile(c *config.Config, p sip2.Profile) (file string, err error) {
	file = filepath.Join(c.Kiosk.Data, ProfileFile)
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return file, err
	}
	f, err := os.CreateTemp(c.Kiosk.Data, ".upstream-profile")
	if err != nil {
		return file, err
	}
	defer os.Remove(f.Name()) // nothing, once it has its name
	_, err = f.Write(append(raw, '\n'))
	if err = cmp.Or(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return file, err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return file, err
	}
	return file, syncFolder(c.Kiosk.Data)
}

// syncFolder makes a new name in a folder last.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
