package config

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/drivers/hidscan"
	"github.com/carrel-kiosk/carrel/drivers/serialscan"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/koha"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// TestExample loads the living example, with its password file beside it.
func TestExample(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "example", "kiosk.toml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte("geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"plan.svg": drawn, "places.csv": "location,x,y\nStacks,1,2\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "class.csv"), []byte("card,animal\n20417000020018,fox\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ils.pem"), certificate(t), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(raw), "/etc/carrel/sip2.password", "pw", 1)
	text = strings.NewReplacer("/etc/carrel/terminal.password", "pw", "/etc/carrel/ils.pem", "ils.pem").Replace(text)
	for _, line := range []string{text, uncomment(text)} {
		c, err := Parse(filepath.Join(dir, "kiosk.toml"), []byte(line))
		if err != nil {
			t.Fatal(err)
		}
		s := c.Upstream.SIP2
		if s == nil || s.Password != "geheim" || !s.TLS || s.Institution != "RPLS-WEPL" || s.Zone != c.Location || c.Upstream.Deadline != 2500*time.Millisecond {
			t.Errorf("upstream = %+v", c.Upstream)
		}
		if len(c.Devices) != 2 || c.Devices[0].Options.(*serialscan.Config).Suffix != "auto" || c.Devices[0].Link.Baud != 9600 ||
			c.Devices[1].Options.(*hidscan.Config).Mode != "keyboard" || c.Devices[1].Link.VID != 0x0c2e {
			t.Errorf("devices = %+v", c.Devices)
		}
		r := c.Rules()
		if r.LoanDays != 21 || r.TypeDays["laptop"] != 1 || r.MaxLoans != 50 || r.Idle != time.Minute || r.PINOffline || r.Location.String() != "America/New_York" {
			t.Errorf("rules = %+v", r)
		}
		if want := (kiosk.Trust{Full: time.Hour, Usual: 24 * time.Hour, Few: 7 * 24 * time.Hour, Items: 3}); r.Trust != want {
			t.Errorf("trust = %+v; want %+v", r.Trust, want)
		}
		if len(c.Kiosk.Hosts) != 1 || c.Kiosk.Hosts[0] != "kiosk1.school.lan" {
			t.Errorf("hosts = %q", c.Kiosk.Hosts)
		}
		if ev, _ := c.Intake.Event(scan("31234000010064")); ev != (kiosk.ItemPlaced{Item: "31234000010064"}) {
			t.Errorf("intake = %#v", ev)
		}
	}
}

// TestExampleShowsEveryKey: who can't find a key there does not know of it.
func TestExampleShowsEveryKey(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "example", "kiosk.toml"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, v := range []any{Config{}, sip2.Config{}, koha.Config{}} {
		for _, key := range keysOf(reflect.TypeOf(v)) {
			n++
			if shown := regexp.MustCompile(`(?m)^[# ]*` + key + ` = |^[# ]*\[([a-z]+\.)*` + key + `[].]`); !shown.Match(raw) {
				t.Errorf("%T: %s is not in the example", v, key)
			}
		}
	}
	if n < 80 {
		t.Errorf("only %d keys were found", n)
	}
}

// keysOf are the keys of a table and of those in it.
func keysOf(t reflect.Type) (keys []string) {
	for f := range t.Fields() {
		key := f.Tag.Get("toml")
		if key == "" || key == "-" {
			continue
		}
		keys = append(keys, key)
		if f.Type.Kind() == reflect.Struct && f.Type.PkgPath() == t.PkgPath() {
			keys = append(keys, keysOf(f.Type)...)
		}
	}
	return keys
}

// uncomment takes in the lines that show a default: "# key = value".
func uncomment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "# "); ok && !strings.HasPrefix(rest, " ") && strings.Contains(rest, " = ") && !strings.Contains(rest, "kioskctl") {
			line = rest
		}
		b.WriteString(line)
	}
	return b.String()
}

const good = `
[kiosk]
name = "k"
data = "/x"
`

func TestEveryProblemAtOnce(t *testing.T) {
	_, err := Parse("kiosk.toml", []byte(`
[kiosk]
nmae = "k"
timezone = "Mars/Olympus"
listen = "nowhere"
languages = ["xx"]
hosts = ["https://kiosk1.school.lan", ""]
[[device]]
driver = "serialscan"
baud = "fast"
[[device]]
name = "s"
driver = "nosuch"
[[device]]
name = "s"
driver = "serialscan"
path = "/dev/x"
parity = "mark"
suffix = "dot"
colour = "red"
[[device]]
name = "kb"
driver = "hidscan"
[upstream]
driver = "sip2"
address = "nowhere"
deadline = "1ms"
password_file = "missing"
[barcodes]
item = ["(", ".*"]
check = "mod11"
patron = []
wrong = "shrug"
[patrons]
pin_keys = "emoji"
[screen]
switch = "100ms"
mode = "loud"
class_file = "nowhere.csv"
volume = 2
quiet = ["late"]
idle = "10s"
[loans]
days = -1
max = "many"
[phones]
listen = "0.0.0.0"
[nonsense]
x = 1
`))
	if err == nil {
		t.Fatal("a wrong configuration is taken")
	}
	for _, want := range []string{
		"kiosk.toml: kiosk.nmae: is not a key", `kiosk.name: "": must be set`, "kiosk.data",
		`kiosk.hosts: "https://kiosk1.school.lan": must be a name alone`, `kiosk.hosts: "": must be`, `kiosk.timezone: "Mars/Olympus"`,
		"device 1.name", "baud", `device "s".driver: "nosuch": must be one of`, `is the name of another device`,
		`device "s".colour: is not a key`, `device "s".parity: "mark": must be`, `device "s".suffix: "dot": must be`, `device "kb"`,
		`device 1.path: must be set`, "upstream.deadline", `upstream.address: "nowhere"`, "upstream.password_file",
		`barcodes.item: "(": is no pattern: missing closing )`, `barcodes.item: ".*": matches an empty code`, `barcodes.check: "mod11": must be`, `barcodes.patron: "[]"`, `kiosk.listen: "nowhere": must be host:port`, `phones.listen: "0.0.0.0": must be host:port`,
		`kiosk.languages: "xx": must be of `, "screen.switch: 100ms: must be from", "screen.warn: 20s: must be less than screen.idle", `screen.mode: "loud": must be of standard, `, `screen.class_file: "nowhere.csv": open `, "screen.volume: 2: must be 0", `screen.quiet: "late": must be as`, `barcodes.wrong: "shrug": must be refuse or warn`, `patrons.pin_keys: "emoji": must be letters or digits`, "loans.max", "nonsense",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the problems do not name %s:\n%v", want, err)
		}
	}
	for line := range strings.Lines(err.Error()) {
		if !strings.HasPrefix(line, "kiosk.toml: ") || strings.Count(line, ": ") < 2 {
			t.Errorf("problem %q is not FILE: key: value: why", line)
		}
	}
}

// TestWrongKinds: values of the wrong kind are told each by its key, also where
// the reading of one ends the reading of all; in words of the configuration.
func TestWrongKinds(t *testing.T) {
	_, err := Parse("f", []byte(`
kiosk = {name = 5, data = "/x", languages = "en"}
loans = {days = "x", type_days = 3}
screen = {idle = 5, warn = "soon", receipt = true}
tags = {count = "yes", owners = [5]}
device = [{name = "h", driver = "hidscan", vid = 99999, pid = 1}]
`))
	p, ok := errors.AsType[*Problems](err)
	if !ok {
		t.Fatal(err)
	}
	want := map[string]string{
		"kiosk.name": "must be text in quotes, not a TOML integer", "kiosk.languages": "must be a list", "loans.days": "must be a number",
		"loans.type_days": "must be a table", "screen.idle": "missing unit", "screen.warn": `invalid duration "soon"`, "screen.receipt": `invalid duration "true"`,
		"tags.count": "must be true or false", "tags.owners": "must be text", `device "h".vid`: "99999 is out of range",
	}
	for _, x := range p.List {
		if w, ok := want[x.Key]; !ok || !strings.Contains(x.Why, w) {
			t.Errorf("%s: %s; want %q", x.Key, x.Why, w)
		}
		delete(want, x.Key)
	}
	if len(want) > 0 {
		t.Errorf("not told: %v\n%v", want, err)
	}
}

// TestTrust: no fact is trusted in full for longer than as usual.
func TestTrust(t *testing.T) {
	sip := "[upstream]\ndriver = \"sip2\"\naddress = \"ils:6001\"\n"
	for text, want := range map[string]kiosk.Trust{
		"trust = \"30m\"\nusual = 10":  {Full: 30 * time.Minute, Usual: 30 * time.Minute, Few: 7 * 24 * time.Hour, UsualItems: 10, Items: 3},
		"trust = \"0s\"":               {Few: 7 * 24 * time.Hour, Items: 3},
		"trust_full = \"2h\"\nfew = 5": {Full: 2 * time.Hour, Usual: 24 * time.Hour, Few: 7 * 24 * time.Hour, Items: 5},
	} {
		c, err := Parse("f", []byte(good+sip+"[patrons]\n"+text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := c.Rules().Trust; got != want {
			t.Errorf("%s: %+v; want %+v", text, got, want)
		}
	}
	_, err := Parse("f", []byte(good+sip+"[patrons]\ntrust = \"1h\"\ntrust_full = \"2h\"\nusual = -1\n"))
	for _, want := range []string{"patrons.trust_full: 2h0m0s: must be no longer", "patrons.usual: -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

func TestSecondLookAtADevice(t *testing.T) {
	for text, want := range map[string]string{
		`path = "/dev/x"` + "\n" + `parity = "mark"`: `device "s".parity: "mark": must be none, odd or even`,
		`path = "/dev/x"` + "\n" + `suffix = "dot"`:  `device "s".suffix: "dot"`,
		`suffix = "cr"`: `device "s".path: must be set`,
	} {
		_, err := Parse("f", []byte(good+"[[device]]\nname = \"s\"\ndriver = \"serialscan\"\n"+text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", text, err, want)
		}
	}
}

// TestEveryProblemOfADevice: one of a driver's options, of its connection, of
// a value that can't be read; and that value is not spoken of twice.
func TestEveryProblemOfADevice(t *testing.T) {
	for text, want := range map[string][]string{
		"driver = \"serialscan\"\npath = 5\nparity = \"mark\"\nstop_bits = \"3\"\nsuffix = \"dot\"\ngap = \"1h\"\ncolour = 1": {"path", "colour", "parity", "stop_bits", "suffix", "gap"},
		"driver = \"hidscan\"\nvid = \"0c2e\"\nmode = \"x\"\nlayout = \"y\"":                                                  {"vid", "mode", "layout"},
		"driver = \"twn4\"\nmode = \"x\"\nnumber = \"y\"\ndigits = 99":                                                        {"path", "mode", "number", "digits"},
		"driver = \"pn532\"\nspi = \"SPI0.0\"\nspeed = 1\nreply = \"1ms\"\nbytes = \"few\"":                                   {"speed", "reply", "bytes"},
	} {
		_, err := Parse("f", []byte(good+"[[device]]\nname = \"s\"\n"+text))
		p, ok := errors.AsType[*Problems](err)
		if !ok {
			t.Fatalf("%s: %v", text, err)
		}
		var got []string
		for _, x := range p.List {
			got = append(got, strings.TrimPrefix(x.Key, `device "s".`))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: problems of %q; want %q\n%v", text, got, want, err)
		}
	}
}

func TestKoha(t *testing.T) {
	const koha = good + "[upstream]\ndriver = \"koha\"\n"
	c, err := Parse("f", []byte(koha+"url = \"https://koha.example\"\nclient_id = \"x\"\nrefresh = \"1h\"\n[upstream.sip2]\naddress = \"koha.example:6001\"\nuser = \"kiosk1\""))
	if err != nil {
		t.Fatal(err)
	}
	if u := c.Upstream; u.Koha.URL != "https://koha.example" || u.SIP2.User != "kiosk1" || u.SIP2.Profile != "koha" || u.Koha.Zone == nil || u.SIP2.Zone == nil || u.Refresh != time.Hour {
		t.Errorf("upstream is %+v, %+v", u.Koha, u.SIP2)
	}
	for text, want := range map[string]string{
		"user = \"x\"":                   "upstream.url",
		"refresh = \"1s\"":               "upstream.refresh: 1s: must be",
		"url = \"https://koha.example\"": "upstream.user",
		"url = \"https://k.example\"\nuser = \"x\"\nsip2 = 1":                         "upstream.sip2",
		"url = \"https://k.example\"\nuser = \"x\"\n[upstream.sip2]\naddress = \"x\"": "upstream.sip2.address",
	} {
		if _, err := Parse("f", []byte(koha+text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", text, err, want)
		}
	}
}

func TestSyntax(t *testing.T) {
	_, err := Parse("f", []byte("[kiosk]\nname = \"x\nlisten = 1"))
	if err == nil || !strings.HasPrefix(err.Error(), "f: line 2: ") {
		t.Errorf("a syntax error is told as %v", err)
	}
}

func TestDefaults(t *testing.T) {
	c, err := Parse("f", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if c.Kiosk.Listen != "127.0.0.1:8480" || c.Kiosk.Languages[0] != "en" || c.Upstream.Driver != "none" || c.Upstream.SIP2 != nil {
		t.Errorf("defaults = %+v", c)
	}
}

// certificate is one as PEM.
func certificate(t *testing.T) []byte {
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// TestCAFile: it lies beside the configuration, as passwords may, and is read before the line is.
func TestCAFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string][]byte{"ils.pem": certificate(t), "empty.pem": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for file, ok := range map[string]bool{"ils.pem": true, filepath.Join(dir, "ils.pem"): true, "empty.pem": false, "none.pem": false} {
		_, err := Parse(filepath.Join(dir, "kiosk.toml"), fmt.Appendf(nil, "%s[upstream]\ndriver = \"sip2\"\naddress = \"ils:6001\"\ntls = true\nca_file = %q", good, file))
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "upstream.ca_file") {
			t.Errorf("ca_file %s: %v", file, err)
		}
	}
}

func TestTerminalPassword(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"login": "geheim\n", "terminal": "desk 3\n", "two": "a\nb\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parse := func(file string) (*Config, error) {
		return Parse(filepath.Join(dir, "kiosk.toml"), []byte(good+"[upstream]\ndriver = \"sip2\"\naddress = \"ils:6001\"\npassword_file = \"login\"\nterminal_password_file = "+file))
	}
	c, err := parse(`"terminal"`)
	if err != nil || c.Upstream.SIP2.TerminalPassword != "desk 3" || c.Upstream.SIP2.Password != "geheim" {
		t.Errorf("upstream = %+v, %v", c, err)
	}
	for _, file := range []string{`"none"`, `"two"`, "3"} {
		if _, err := parse(file); err == nil || !strings.Contains(err.Error(), "upstream.terminal_password_file") {
			t.Errorf("a terminal password in %s: %v", file, err)
		}
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	for content, ok := range map[string]bool{"pw\n": true, "pw": true, "": false, "a\nb\n": false, strings.Repeat("x", 2000): false} {
		if err := os.WriteFile(filepath.Join(dir, "s"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := secret("s", dir); (err == nil) != ok || ok && s != "pw" {
			t.Errorf("secret of %.20q = %q, %v", content, s, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good + "[[device]]\nname = \"s\"\ndriver = \"sim\"\n[upstream]\ndriver = \"none\""))
	f.Add([]byte("device = 3\nupstream = []"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := Parse("f", raw); (c == nil) == (err == nil) {
			t.Errorf("Parse = %v, %v", c, err)
		}
	})
}
