package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// library is a library's system over TCP: C1 has nothing, C2 has B2.
func library(t *testing.T, r upstreamtest.Rules, c sip2.ServerConfig) (ils *upstreamtest.ILS, addr string) {
	t.Helper()
	ils = upstreamtest.New(r)
	ils.AddUser("kiosk1", "secret")
	ils.AddPatron(kiosk.Patron{Card: "C1", FamilyName: "Trial"}, "1234")
	ils.AddPatron(kiosk.Patron{Card: "C2", FamilyName: "Reader"}, "")
	ils.AddItems(kiosk.Item{Barcode: "B1", Title: "Émile"}, kiosk.Item{Barcode: "B2", Title: "Dune"})
	if err := ils.AddLoan(kiosk.Loan{Item: "B2", Patron: "C2", At: time.Now(), Due: time.Now().AddDate(0, 0, 14)}); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sip2.Serve(ctx, ln, ils, c) }()
	t.Cleanup(func() { cancel(); <-ended })
	return ils, ln.Addr().String()
}

// upstream has the kiosk ask a server.
func (s *site) upstream(addr, more string) {
	s.Helper()
	raw, err := os.ReadFile(s.conf)
	if err != nil {
		s.Fatal(err)
	}
	own, _, _ := strings.Cut(string(raw), "[upstream]")
	s.write("sip2.password", "secret\n")
	s.write("kiosk.toml", own+"[upstream]\ndriver = \"sip2\"\naddress = \""+addr+"\"\nuser = \"kiosk1\"\npassword_file = \"sip2.password\"\n"+more)
	os.MkdirAll(filepath.Join(s.dir, "data"), 0o750)
}

// TestDoctorUpstream: a server is tried out beside a running daemon and
// without one, and what was found out is used from then on.
func TestDoctorUpstream(t *testing.T) {
	for _, running := range []bool{false, true} {
		ils, addr := library(t, upstreamtest.Rules{DueIsLoanDate: true}, sip2.ServerConfig{NoStatusUpdate: true, NoCancel: true})
		s := newSite(t)
		s.ctl(1, "doctor", "upstream") // no server
		s.upstream(addr, "")
		if running {
			s.start()
		}
		contains(t, s.ctl(0, "doctor", "upstream"), "profile generic", "nothing has been found out yet")
		pin := s.write("pin", "1234\n")
		contains(t, s.ctl(0, "doctor", "upstream", "-probe", "-card", "C1", "-item", "B1", "-pin-file", pin), "the PIN is right",
			"ok         checkout: lent until", "different  no block:", "different  cancelled return", "different  item status update",
			"ok         end: the item is back", "stored in "+filepath.Join(s.dir, "data", daemon.ProfileFile), "next start")
		if n := len(ils.Loans()); n != 1 {
			t.Errorf("%d loans after the trial; want 1", n)
		}
		contains(t, s.ctl(0, "doctor", "upstream"), "profile probed, found out on 20", "loan date", "unanswered", "utf-8")
		contains(t, s.ctl(0, "doctor"), "ok   upstream profile: probed, found out on")
		s.upstream(addr, "profile = \"evergreen\"\n")
		contains(t, s.ctl(0, "doctor", "upstream"), "profile evergreen, as configured")
		contains(t, s.ctl(0, "doctor", "upstream", "-probe", "-card", "C1", "-item", "B1"), "It is not used: the profile is evergreen")
		s.upstream("127.0.0.1:1", "")
		contains(t, s.ctl(1, "doctor", "upstream"), "profile generic")
		s.upstream(addr, "")
		s.write("data/"+daemon.ProfileFile, "{")
		contains(t, s.ctl(1, "doctor", "upstream"), "profile generic")
		contains(t, s.ctl(1, "doctor"), "BAD  upstream profile: generic is used", "find it out again")
	}
}

// TestDoctorUpstreamRefuses: what is somebody's is left alone, and a trial
// that is not understood does not begin.
func TestDoctorUpstreamRefuses(t *testing.T) {
	ils, addr := library(t, upstreamtest.Rules{}, sip2.ServerConfig{})
	s := newSite(t)
	s.upstream(addr, "")
	for _, args := range [][]string{
		{"-probe"}, {"-probe", "-card", "C1"}, {"-probe", "-item", "B1"}, {"-card", "C1"},
		{"-probe", "-card", "C1", "-item", "B1", "-pin-file", filepath.Join(s.dir, "missing")},
		{"-probe", "-card", "C1", "-item", "B1", "-pin-file", s.write("two", "1\n2\n")},
	} {
		s.ctl(2, append([]string{"doctor", "upstream"}, args...)...)
	}
	contains(t, s.ctl(1, "doctor", "upstream", "-probe", "-card", "C1", "-item", "B2"), "failed", "it is somebody's loan")
	out := s.ctl(1, "doctor", "upstream", "-probe", "-card", "C2", "-item", "B1")
	contains(t, out, "failed", "looks like somebody's")
	if strings.Contains(out, "Reader") {
		t.Errorf("it tells whose:\n%s", out)
	}
	if h := ils.History(); len(h) != 0 {
		t.Errorf("it did %+v", h)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "data", daemon.ProfileFile)); err == nil {
		t.Error("a profile is stored")
	}
}

func TestDoctorUpstreamJSON(t *testing.T) {
	_, addr := library(t, upstreamtest.Rules{}, sip2.ServerConfig{})
	s := newSite(t)
	s.upstream(addr, "")
	var last map[string]any
	steps := 0
	for _, args := range [][]string{{"-probe", "-card", "C1", "-item", "B1"}, nil} {
		for line := range strings.Lines(s.ctl(0, append([]string{"-json", "doctor", "upstream"}, args...)...)) {
			last = nil
			if err := json.Unmarshal([]byte(line), &last); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if last["step"] != nil && last["verdict"] != nil && last["words"] != nil {
				steps++
			}
		}
		if p, ok := last["profile"].(map[string]any); !ok || p["name"] != "probed" || p["no_block"] != "honoured" {
			t.Errorf("the last line of %v is %v", args, last)
		}
	}
	if steps < 15 {
		t.Errorf("%d steps", steps)
	}
}
