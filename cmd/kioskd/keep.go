package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
)

// keptConfig is the copy of the last configuration that worked, in the data
// folder. A card that loses its power while a file is written leaves half of it.
const keptConfig = "kiosk.toml.good"

// load reads the configuration; where it can't be used, or is not there any
// more, the copy of the last one that worked, with a note for staff: whoever
// stands before a kiosk that has lost its configuration is not led to set it up. What the copy names by a relative
// path is looked for beside the configuration itself.
func load(file string) (c *config.Config, note string, err error) {
	c, err = drawn(config.Load(file))
	if err == nil {
		return c, "", nil
	}
	good := filepath.Join(config.StateFolder(), keptConfig)
	raw, e2 := os.ReadFile(good)
	if e2 != nil {
		return nil, "", err
	}
	c, e2 = drawn(config.Parse(file, raw))
	if e2 != nil {
		return nil, "", err
	}
	if errors.Is(err, config.ErrNotSetUp) {
		return c, fmt.Sprintf("the configuration is gone; the last good copy of it holds. Copy %s to %s; or, to set this kiosk up anew, take that copy away", good, config.StateFile()), nil
	}
	return c, fmt.Sprintf("%s can't be used; the last good copy of it is, %s. Put it right, or copy that file over it: %v", file, good, err), nil
}

// drawn makes a configuration that was read ready to be served.
func drawn(c *config.Config, err error) (*config.Config, error) {
	if err == nil {
		err = c.Draw()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// keep copies a configuration that works into the data folder, whole or not at all.
func keep(file string, c *config.Config) (err error) {
	if file, err = config.Locate(file); err != nil {
		return err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if _, err := config.Parse(file, raw); err != nil {
		return nil // it was changed since
	}
	good := filepath.Join(c.Kiosk.Data, keptConfig)
	if was, err := os.ReadFile(good); err == nil && bytes.Equal(was, raw) {
		return nil
	}
	return config.Write(good, raw)
}
