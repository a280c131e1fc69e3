package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/all"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/sync/koha"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// Device is one configured device.
type Device struct {
	Name    string
	Driver  drivers.Driver
	Link    link.Config
	Options any // of the driver
}

// devices reads the [[device]] entries.
func (c *Config) devices(p *Problems, raw any) {
	if raw == nil {
		return
	}
	list, ok := raw.([]any)
	if !ok {
		p.add("device", nil, "must be written as [[device]], one for each")
		return
	}
	names := map[string]bool{}
	for i, entry := range list {
		table, ok := entry.(map[string]any)
		if !ok {
			p.add("device", nil, "must be written as [[device]], one for each")
			continue
		}
		name, _ := table["name"].(string)
		key := fmt.Sprintf("device %q", name)
		switch {
		case name == "":
			key = fmt.Sprintf("device %d", i+1)
			p.add(key+".name", nil, "must be set: faults on the screen name it")
		case names[name]:
			p.add(key+".name", name, "is the name of another device too")
		}
		names[name] = true
		if d, ok := device(p, key, name, table); ok {
			c.Devices = append(c.Devices, d)
		}
	}
}

func device(p *Problems, key, name string, table map[string]any) (Device, bool) {
	driver, _ := table["driver"].(string)
	d, ok := all.ByName(driver)
	if !ok {
		var known []string
		for _, x := range all.Drivers() {
			known = append(known, x.Name)
		}
		p.add(key+".driver", driver, "must be one of %s", strings.Join(known, ", "))
		return Device{}, false
	}
	before := len(p.List)
	dev := Device{Name: name, Driver: d, Options: d.NewConfig(), Link: link.Defaults(d)}
	linkKeys, own := map[string]any{}, map[string]any{}
	if d.Needs != drivers.NeedsNothing {
		for _, o := range drivers.OptionsOf(&dev.Link) {
			if v, ok := table[o.Key]; ok {
				linkKeys[o.Key] = v
			}
		}
	}
	for k, v := range table {
		if _, taken := linkKeys[k]; !taken && k != "name" && k != "driver" {
			own[k] = v
		}
	}
	p.strict(key, linkKeys, &dev.Link)
	p.strict(key, own, dev.Options)
	p.checked(key, errors.Join(dev.Link.Check(d.Needs), d.Check(dev.Options)), p.List[before:])
	return dev, true
}

// upstream reads the [upstream] table.
func (c *Config) upstream(p *Problems, raw any, folder string) {
	c.Upstream = Upstream{Driver: "none", Deadline: 2500 * time.Millisecond}
	if raw == nil {
		return
	}
	table, ok := raw.(map[string]any)
	if !ok {
		p.add("upstream", nil, "must be a table")
		return
	}
	var common struct {
		Driver       string    `toml:"driver"`
		Deadline     *Duration `toml:"deadline"`
		PasswordFile string    `toml:"password_file"`
	}
	shared := map[string]any{}
	for _, k := range []string{"driver", "deadline", "password_file"} {
		if v, ok := table[k]; ok {
			shared[k] = v
			delete(table, k)
		}
	}
	p.strict("upstream", shared, &common)
	if common.Deadline != nil {
		c.Upstream.Deadline = common.Deadline.Duration
		if d := common.Deadline.Duration; d < 100*time.Millisecond || d > time.Minute {
			p.add("upstream.deadline", d, "must be 100ms to 1m")
		}
	}
	c.Upstream.Driver = common.Driver
	switch common.Driver {
	case "none":
		for _, k := range slices.Sorted(maps.Keys(table)) {
			p.add("upstream."+k, nil, "means nothing with driver none")
		}
	case "sip2":
		c.sip2(p, "upstream", table, common.PasswordFile, folder)
	case "koha":
		c.koha(p, table, common.PasswordFile, folder)
	default:
		p.add("upstream.driver", common.Driver, "must be sip2, koha or none")
	}
}

func (c *Config) sip2(p *Problems, key string, table map[string]any, passwordFile, folder string) {
	s := &sip2.Config{Institution: c.Kiosk.Library}
	if file, ok := table["ca_file"].(string); ok {
		table["ca_file"] = p.beside(file)
	}
	const terminal = "terminal_password_file"
	if file, ok := table[terminal].(string); ok {
		delete(table, terminal)
		s.TerminalPassword = p.secret(key+"."+terminal, file, folder)
	}
	s.Password = p.server(key, table, passwordFile, folder, s)
	c.Upstream.SIP2 = s
}

// koha reads a Koha's own keys, and the SIP2 table within.
func (c *Config) koha(p *Problems, table map[string]any, passwordFile, folder string) {
	if raw, ok := table["sip2"]; ok {
		delete(table, "sip2")
		if sub, ok := raw.(map[string]any); ok {
			file, _ := sub["password_file"].(string)
			delete(sub, "password_file")
			c.sip2(p, "upstream.sip2", sub, file, folder)
			if s := c.Upstream.SIP2; s.Profile == "" {
				s.Profile = "koha"
			}
		} else {
			p.add("upstream.sip2", raw, "must be a table")
		}
	}
	var own struct {
		Refresh Duration `toml:"refresh"`
	}
	if v, ok := table["refresh"]; ok {
		delete(table, "refresh")
		p.strict("upstream", map[string]any{"refresh": v}, &own)
	}
	if d := own.Refresh.Duration; d != 0 && (d < time.Minute || d > 24*time.Hour) {
		p.add("upstream.refresh", d, "must be 1m to 24h, or 0s: never")
	}
	c.Upstream.Refresh = own.Refresh.Duration
	k := &koha.Config{}
	k.Password = p.server("upstream", table, passwordFile, folder, k)
	c.Upstream.Koha = k
}

// server reads how to reach a server into a configuration, and gives the
// password.
func (p *Problems) server(key string, table map[string]any, passwordFile, folder string, into interface{ Check() error }) (password string) {
	before := len(p.List)
	p.strict(key, table, into)
	if passwordFile != "" {
		password = p.secret(key+".password_file", passwordFile, folder)
	}
	p.checked(key, into.Check(), p.List[before:])
	return password
}

// secret reads the file that a key names.
func (p *Problems) secret(key, file, folder string) string {
	s, err := secret(file, folder)
	if err != nil {
		p.add(key, file, "%v", err)
	}
	return s
}

// maxSecret is the longest password taken from a file, in bytes.
const maxSecret = 1024

// secret reads a file of one line.
func secret(file, folder string) (string, error) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(folder, file)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	s := strings.TrimRight(string(raw), "\r\n")
	if s == "" || len(s) > maxSecret || strings.ContainsAny(s, "\r\n") {
		return "", fmt.Errorf("must hold one line of at most %d bytes", maxSecret)
	}
	return s, nil
}
