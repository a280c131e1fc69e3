package setup

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/password"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// Files of the data folder that hold the kiosk's passwords at the library's system.
const (
	sip2Password = "sip2.password"
	kohaPassword = "koha.password"
)

// Answers are what the page asks.
type Answers struct {
	Name      string           `json:"name"`
	Title     string           `json:"title"`
	Library   string           `json:"library"`
	Timezone  string           `json:"timezone"`
	Cards     string           `json:"cards"` // patterns of numbers, RE2; empty: the usual ones
	Items     string           `json:"items"`
	Languages []string         `json:"languages"`
	Devices   []map[string]any `json:"devices"`
	Upstream  Upstream         `json:"upstream"`
	Staff     Staff            `json:"staff"`
}

// Upstream is the library's system. A Koha is asked by REST, and by SIP2 for
// returns where that has an address.
type Upstream struct {
	Driver   string `json:"driver"` // none, sip2, koha
	Address  string `json:"address"`
	TLS      bool   `json:"tls"`
	User     string `json:"user"`
	Password string `json:"password"`
	Location string `json:"location"`
	Koha     Koha   `json:"koha"`
}

// Koha is how its REST interface is reached.
type Koha struct {
	URL    string `json:"url"`
	As     string `json:"as"` // client_id: OAuth2; user: basic authentication
	Name   string `json:"name"`
	Secret string `json:"secret"`
}

// Staff is the first account.
type Staff struct {
	Badge  string `json:"badge"`
	Name   string `json:"name"`
	Secret string `json:"secret"`
}

// deviceKeys are those that the page may set of a device, in their order.
var deviceKeys = []string{"name", "driver", "path", "baud", "vid", "pid", "serial", "mode"}

// TOML writes the configuration, with what a person who opens it should know.
func (a *Answers) TOML(listen, data string) []byte {
	var b strings.Builder
	b.WriteString("# Written by the set-up page. All keys, with what they mean:\n# /usr/share/doc/carrel/examples/kiosk.toml\n#\n" +
		"# kioskd -check names every problem in it; systemctl reload kioskd takes it.\n\n[kiosk]\n")
	line := func(key string, value any, why string) {
		if value == "" || value == false {
			return
		}
		text, err := toml.Marshal(map[string]any{key: value})
		if err != nil { // of a value that TOML does not have: the check says what is missing
			return
		}
		b.WriteString(strings.TrimSpace(string(text)))
		if why != "" {
			b.WriteString(" # " + why)
		}
		b.WriteString("\n")
	}
	line("name", a.Name, "unique within the library")
	line("library", a.Library, "institution id, sent to the library's system (SIP2 AO)")
	line("title", a.Title, "the name that patrons see")
	line("data", data, "the ledger's folder")
	line("listen", listen, "touch screen, staff pages, API")
	line("timezone", a.Timezone, "")
	if len(a.Languages) > 0 {
		line("languages", a.Languages, "the first is the default")
	}
	if a.Cards+a.Items != "" {
		b.WriteString("\n[barcodes]\n")
		for _, p := range [][2]string{{"patron", a.Cards}, {"item", a.Items}} {
			if p[1] != "" {
				line(p[0], p[1:], "")
			}
		}
	}
	for _, d := range a.Devices {
		b.WriteString("\n[[device]]\n")
		for _, k := range deviceKeys {
			switch v := d[k].(type) {
			case float64: // JSON has no other numbers
				if v == math.Trunc(v) && math.Abs(v) < 1<<31 {
					line(k, int64(v), "")
				}
			case string:
				line(k, v, "")
			}
		}
	}
	a.Upstream.toml(&b, line, data)
	return []byte(b.String())
}

// toml writes the part for the library's system, with line for each key.
func (u Upstream) toml(b *strings.Builder, line func(key string, value any, why string), data string) {
	b.WriteString("\n[upstream]\n")
	bySIP2 := func() {
		line("address", u.Address, "")
		line("tls", u.TLS, "")
		line("user", u.User, "")
		if u.Password != "" {
			line("password_file", filepath.Join(data, sip2Password), "")
		}
		line("location", u.Location, "")
	}
	switch u.Driver {
	case "sip2":
		line("driver", u.Driver, "")
		bySIP2()
	case "koha":
		line("driver", u.Driver, "")
		line("url", u.Koha.URL, "")
		if u.Koha.As == "user" {
			line("user", u.Koha.Name, "basic authentication")
		} else {
			line("client_id", u.Koha.Name, "OAuth2")
		}
		if u.Koha.Secret != "" {
			line("password_file", filepath.Join(data, kohaPassword), "")
		}
		line("refresh", "1h", "so often what has changed is read into the mirror")
		if u.Address != "" {
			b.WriteString("\n[upstream.sip2] # for returns, which REST does not have\n")
			bySIP2()
		}
	default:
		line("driver", u.Driver, "none: everything is decided here")
	}
}

// secrets are the files that the configuration only names, by name.
func (u Upstream) secrets() map[string]string {
	files := map[string]string{}
	if u.Password != "" && (u.Driver == "sip2" || u.Driver == "koha" && u.Address != "") {
		files[sip2Password] = u.Password
	}
	if u.Koha.Secret != "" && u.Driver == "koha" {
		files[kohaPassword] = u.Koha.Secret
	}
	return files
}

// parts are the ways to the library's system, each to be tried by itself.
func (u Upstream) parts() []Upstream {
	if u.Driver != "koha" || u.Address == "" {
		return []Upstream{u}
	}
	rest, returns := u, u
	rest.Address, returns.Driver = "", "sip2"
	return []Upstream{rest, returns}
}

// check writes the passwords, which the configuration only names, and reads the
// configuration as kioskd will.
func (a *Answers) check(listen, data string) (*config.Config, []byte, []config.Problem) {
	for name, secret := range a.Upstream.secrets() {
		if err := config.Write(filepath.Join(data, name), []byte(secret+"\n")); err != nil {
			return nil, nil, []config.Problem{{Key: "upstream.password", Why: err.Error()}}
		}
	}
	raw := a.TOML(listen, data)
	c, err := config.Parse(config.StateFile(), raw)
	if p, ok := errors.AsType[*config.Problems](err); ok {
		return nil, raw, p.List
	}
	if err != nil {
		return nil, raw, []config.Problem{{Key: "TOML", Why: err.Error()}}
	}
	return c, raw, nil
}

// member is the first account, which may do everything.
func (a *Answers) member() (kiosk.Member, []config.Problem) {
	m := kiosk.Member{Badge: kiosk.Card(strings.TrimSpace(a.Staff.Badge)), Name: strings.TrimSpace(a.Staff.Name), Role: kiosk.Manager}
	if err := m.Valid(); err != nil {
		return m, []config.Problem{{Key: "staff", Why: err.Error()}}
	}
	var err error
	if m.Hash, err = password.Make(a.Staff.Secret); err != nil {
		return m, []config.Problem{{Key: "staff.secret", Why: err.Error()}}
	}
	return m, nil
}

// writable tells whether the configuration can be written at the end, before
// anybody has typed it.
func writable(data string) error {
	if err := os.MkdirAll(data, 0o750); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	f, err := os.CreateTemp(data, ".setup-")
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
