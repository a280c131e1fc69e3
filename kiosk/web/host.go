package web

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// hosts are the names that this server goes by, in lower case.
type hosts map[string]bool

// namesOf gives the names of this machine and those that the library gave it.
func namesOf(own string, more []string) hosts {
	h := hosts{"localhost": true}
	if own = strings.TrimSuffix(plainName(own), ".local"); own != "" {
		h[own], h[own+".local"] = true, true
	}
	for _, name := range more {
		h[plainName(name)] = true
	}
	delete(h, "") // a request without a name is for nobody
	return h
}

// Names are those that a server with these hosts goes by, sorted.
func Names(hosts []string) []string { return slices.Sorted(maps.Keys(namesOf(hostname(), hosts))) }

// plainName is a name as it is compared: in lower case, without the dot that
// may end it.
func plainName(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// ours tells whether a Host header names this server. A literal address can't
// be led elsewhere by DNS, and is always taken.
func (h hosts) ours(host string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	if h[plainName(name)] {
		return true
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	return err == nil
}

// only answers what was asked of this server by a name of its own. A page from
// elsewhere may have its own name led here by DNS (rebinding), and would then
// be of the same origin as the screen.
func (h hosts) only(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.ours(r.Host) {
			http.Error(w, "this kiosk does not go by that name; its names are hosts in [kiosk] of its configuration", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname is the machine's own name; without one it has none.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
