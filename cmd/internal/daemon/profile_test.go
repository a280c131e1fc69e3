package daemon

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// TestStoredProfile: what was found out is used for the server that it is of,
// if the configuration leaves it to that; and what can't be read is told, and
// does no harm.
func TestStoredProfile(t *testing.T) {
	found := sip2.Profile{Name: "probed", NoBlock: sip2.Honoured, Due: sip2.DueLoanDate, Tested: time.Now().UTC().Truncate(time.Second), Address: "ils.example.org:6001"}
	const none = "\x00"
	for _, tt := range []struct {
		name, profile, address string
		file                   string // none: as StoreProfile leaves it
		want, log              string
	}{
		{"used", "", "ils.example.org:6001", none, "probed", "name=probed"},
		{"used by name", "auto", "ILS.example.org:6001", none, "probed", "name=probed"},
		{"the configuration is stronger", "koha", "ils.example.org:6001", none, "koha", "as configured"},
		{"of another server", "", "ils.example.org:6002", none, "generic", "it is of the server at ils.example.org:6001"},
		{"empty", "", "ils.example.org:6001", "", "generic", "not used, but generic"},
		{"cut off", "", "ils.example.org:6001", `{"name":"probed","no_blo`, "generic", "not used, but generic"},
		{"foreign", "", "ils.example.org:6001", `{"name":"something else"}`, "generic", "not used, but generic"},
		{"huge", "", "ils.example.org:6001", strings.Repeat("{", 3<<20), "generic", "not used, but generic"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &config.Config{Kiosk: config.Kiosk{Data: t.TempDir()}, Location: time.UTC}
			c.Upstream.SIP2 = &sip2.Config{Address: tt.address, Profile: tt.profile, Zone: time.UTC}
			for range 2 { // the second takes the place of the first
				if _, err := StoreProfile(c, found); err != nil {
					t.Fatal(err)
				}
			}
			if tt.file != none {
				if err := os.WriteFile(filepath.Join(c.Kiosk.Data, ProfileFile), []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if list, _ := os.ReadDir(c.Kiosk.Data); len(list) != 1 {
				t.Errorf("the folder holds %v", list)
			}
			var log bytes.Buffer
			u, err := OpenUpstream(c, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer u.Close()
			got := u.Upstream.(*sip2.Upstream).Habits()
			if got.Name != tt.want || tt.want == "probed" && got != found || !strings.Contains(log.String(), tt.log) {
				t.Errorf("the profile is %+v; want %s\n%s", got, tt.want, log.String())
			}
		})
	}
	c := &config.Config{Kiosk: config.Kiosk{Data: filepath.Join(t.TempDir(), "missing")}}
	if _, err := StoreProfile(c, found); err == nil {
		t.Error("stored in a folder that is not there")
	}
}
