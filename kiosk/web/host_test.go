package web

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestNames(t *testing.T) {
	h := namesOf("Desk1", []string{"kiosk1.School.lan"})
	for host, want := range map[string]bool{
		"localhost": true, "localhost:8480": true, "LOCALHOST.:8480": true,
		"127.0.0.1": true, "127.0.0.1:8480": true, "10.1.2.3:80": true, "[::1]": true, "[::1]:8480": true, "[fe80::1%25eth0]:8480": true,
		"desk1": true, "Desk1:8480": true, "desk1.local": true, "desk1.local.:8480": true,
		"kiosk1.school.lan": true, "KIOSK1.school.lan:8480": true,
		"": false, ":8480": false, "evil.example": false, "evil.example:8480": false, "localhost.evil.example": false,
		"desk1.evil.example": false, "desk1.local.local": false, "127.0.0.1.evil.example": false, "127.1": false, "0x7f000001": false,
		"kiosk1.school.lan.evil.example": false, "school.lan": false, ".local": false, "[evil.example]:80": false,
	} {
		if got := h.ours(host); got != want {
			t.Errorf("ours(%q) = %v; want %v", host, got, want)
		}
	}
	if h := namesOf("", nil); h.ours("") || h.ours(".local") || h.ours(":80") {
		t.Error("a machine without a name goes by no name")
	}
	if h := namesOf("desk1.local", nil); !h.ours("desk1") || !h.ours("desk1.local") {
		t.Error("desk1.local does not go by desk1")
	}
}

// TestRebinding: a page whose name DNS has led here reads nothing and touches
// nothing, though to its browser all of it is one origin.
func TestRebinding(t *testing.T) {
	reached := false
	h, d := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Patron: "Zoë", Lines: sample()}, func(c *Config) {
		c.Hosts = []string{"kiosk1.school.lan"}
		c.Pages = map[string]http.Handler{"/sim": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })}
	})
	ask := func(method, path, host string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://"+host+path, nil)
		r.Header.Set("Origin", "http://"+host)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		return serve(h, r)
	}
	for _, path := range []string{"/", "/stream", "/api/v1/screen", "/api/v1/events", "/healthz", "/sim", "/sim/x", "/nothing"} {
		if w := ask("GET", path, "evil.example:8480"); w.Code != http.StatusMisdirectedRequest || reached {
			t.Errorf("GET %s as evil.example: %d; want 421", path, w.Code)
		}
	}
	for _, path := range []string{"/touch/finish", "/language", "/sim/scan"} {
		if w := ask("POST", path, "evil.example:8480"); w.Code != http.StatusMisdirectedRequest || reached || len(d.sent) > 0 {
			t.Errorf("POST %s as evil.example: %d, %v; want 421", path, w.Code, d.sent)
		}
	}
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost:8480", "127.0.0.1:8480", "[::1]:8480", own, "kiosk1.school.lan"} {
		if w := ask("GET", "/api/v1/screen", host); w.Code != http.StatusOK {
			t.Errorf("as %s: %d; want 200", host, w.Code)
		}
	}
}
