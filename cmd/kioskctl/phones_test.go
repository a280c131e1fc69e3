package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// TestPhones lists the phones that are let in and forgets some, without a
// daemon and beside one, and looks whether they can reach it.
func TestPhones(t *testing.T) {
	s := newSite(t)
	s.has(s.ctl(cli.OK, "phones"), "phones are not served", "no phone is let in")
	raw, err := os.ReadFile(s.conf)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(raw), "127.0.0.1:0", "127.0.0.1:1", 1) // the test gives the daemon its listener
	s.write("kiosk.toml", other+"[phones]\nlisten = \"127.0.0.1:0\"\n")
	key := func(n int) string { return strings.Repeat(fmt.Sprint(n), 64) }
	conf, err := config.Load(s.conf)
	if err != nil {
		t.Fatal(err)
	}
	list := kiosk.Phones{List: []kiosk.Phone{{Key: key(1), Name: "Ann", By: "Lin"}, {Key: key(2), Name: "iPad"}, {Key: key(3), Name: "iPad"}, {Key: key(4), Name: "1111"}}}
	value, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	err = writing(conf, func(x *sqlite.Store) error {
		return x.PutSetting(t.Context(), daemon.PhonesSetting, value, kiosk.Act{What: "phone.pair", At: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	s.has(s.ctl(cli.OK, "phones"), "111111111111", "Ann", "Lin", "iPad")
	s.ctl(cli.Usage, "phones", "forget", "iPad") // two are
	s.ctl(cli.Usage, "phones", "forget", "111")  // too short for a key
	s.ctl(cli.Usage, "phones", "forget", "1111") // a name and the begin of a key
	s.ctl(cli.Usage, "phones", "forget", "none")
	s.has(s.ctl(cli.OK, "phones", "forget", "2222"), "iPad is let in no more")
	s.ctl(cli.Failed, "phones", "check") // no daemon runs

	s.start()
	s.has(s.ctl(cli.OK, "phones", "forget", "iPad"), "iPad is let in no more")
	if out := s.ctl(cli.OK, "phones"); strings.Contains(out, "iPad") || !strings.Contains(out, "Ann") {
		t.Errorf("the phones are\n%s", out)
	}
	s.has(s.ctl(cli.OK, "phones", "check"), "ok   phones: 2 are let in; they trust a certificate that lasts until 20", "ok   phones at https://127.0.0.1:", "renewed by itself")
	s.has(s.ctl(cli.OK, "doctor"), "ok   phones at https://127.0.0.1:")
	s.has(s.ctl(cli.OK, "staff", "audit"), "phone.forget", "kioskctl")
}
