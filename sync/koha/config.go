package koha

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Config is how to reach a Koha and who one is there.
type Config struct {
	URL      string `toml:"url"`       // of the staff interface or the OPAC; /api/v1 is added
	User     string `toml:"user"`      // basic authentication (RESTBasicAuth)
	ClientID string `toml:"client_id"` // OAuth2 client credentials, instead of user

	Password string         `toml:"-"` // of the user, or the client's secret
	Zone     *time.Location `toml:"-"` // of the library; nil means time.Local
	Log      *slog.Logger   `toml:"-"` // nil means slog.Default
	Clock    *kiosk.Clock   `toml:"-"` // the kiosk's; nil: the machine's

	// Happened carries out returns, and tells what happened already; nil: see
	// the package.
	Happened kiosk.Upstream `toml:"-"`
}

// Check tells what is wrong; its error begins with the key.
func (c *Config) Check() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil:
		return fmt.Errorf("url: %q: must be as https://koha.example.org", c.URL)
	case (c.User == "") == (c.ClientID == ""):
		return errors.New("user: either user (basic authentication) or client_id (OAuth2) must be set")
	}
	return nil
}

// base is where the interface begins.
func (c *Config) base() string {
	return strings.TrimSuffix(strings.TrimSuffix(c.URL, "/"), "/api/v1") + "/api/v1"
}

// clock is the time for dates.
func (c *Config) clock() time.Time {
	if c.Clock != nil {
		return c.Clock.Now()
	}
	return time.Now()
}

func (c *Config) zone() *time.Location { return cmp.Or(c.Zone, time.Local) }
