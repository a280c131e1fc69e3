package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"filippo.io/age"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/drivers/all"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/catalog"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// site is a configured kiosk in a folder of its own.
type site struct {
	*testing.T
	dir, conf string
}

func newSite(t *testing.T) *site {
	dir := t.TempDir()
	s := &site{t, dir, filepath.Join(dir, "kiosk.toml")}
	s.write("kiosk.toml", fmt.Sprintf("[kiosk]\nname = \"test\"\ndata = %q\nlisten = \"127.0.0.1:0\"\ntimezone = \"UTC\"\n", filepath.Join(dir, "data")))
	return s
}

func (s *site) write(name, text string) string {
	s.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

// ctl runs a command and gives what it printed.
func (s *site) ctl(want int, args ...string) string {
	s.Helper()
	var out bytes.Buffer
	if got := run(append([]string{"-config", s.conf}, args...), &out); got != want {
		s.Fatalf("kioskctl %s = exit %d; want %d\n%s", strings.Join(args, " "), got, want, out.String())
	}
	return out.String()
}

// wrong runs a command that fails as a script does, and gives the class and the
// words of its error.
func (s *site) wrong(want int, args ...string) string {
	s.Helper()
	out, errs := s.both(want, append([]string{"-json"}, args...)...)
	var says struct{ Error, Code string }
	if err := json.Unmarshal([]byte(errs), &says); err != nil || out != "" {
		s.Errorf("kioskctl -json %s says %q, prints %q; want an error as JSON alone", strings.Join(args, " "), errs, out)
	}
	return says.Code + ": " + says.Error
}

// both runs a command and gives what it printed, and what it said beside that.
func (s *site) both(want int, args ...string) (out, errs string) {
	s.Helper()
	f, err := os.Create(filepath.Join(s.TempDir(), "stderr"))
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	was := os.Stderr
	os.Stderr = f
	out = s.ctl(want, args...)
	os.Stderr = was
	raw, err := os.ReadFile(f.Name())
	if err != nil {
		s.Fatal(err)
	}
	return out, string(raw)
}

// start starts the daemon, which ends with the test if nobody stops it before.
func (s *site) start() (stop func()) {
	s.Helper()
	conf, err := config.Load(s.conf)
	if err != nil {
		s.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan bool, 1), make(chan error, 1)
	go func() {
		ended <- daemon.Run(ctx, daemon.Options{Config: conf, Listener: ln, Log: slog.New(slog.DiscardHandler), Ready: func() { ready <- true }})
	}()
	select {
	case <-ready:
	case err := <-ended:
		s.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.Errorf("daemon: %v", err)
		}
	})
	s.Cleanup(stop)
	return stop
}

// record puts entries into the ledger, as the desk would.
func (s *site) record(entries ...kiosk.Entry) {
	s.Helper()
	st, err := sqlite.Open(s.Context(), filepath.Join(s.dir, "data", daemon.LedgerFile))
	if err != nil {
		s.Fatal(err)
	}
	defer st.Close()
	for _, e := range entries {
		if err := st.Record(s.Context(), e); err != nil {
			s.Fatal(err)
		}
	}
}

func (s *site) conclude(o kiosk.Outcome) {
	s.Helper()
	st, err := sqlite.Open(s.Context(), filepath.Join(s.dir, "data", daemon.LedgerFile))
	if err != nil {
		s.Fatal(err)
	}
	defer st.Close()
	if err := st.Conclude(s.Context(), o); err != nil {
		s.Fatal(err)
	}
}

const items = "barcode,title\n31,Dune\n32,Emma\n,no barcode\n"

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("the output lacks %q:\n%s", p, text)
		}
	}
}

// bare is a record of which the library has no copy.
const bare = `<collection xmlns="http://www.loc.gov/MARC21/slim"><record><leader>00000nam a2200000 a 4500</leader>` +
	`<datafield tag="245" ind1="0" ind2="0"><subfield code="a">Dune</subfield></datafield></record></collection>`

// TestImport: with a daemon and without, twice the same.
func TestImport(t *testing.T) {
	for _, running := range []bool{false, true} {
		s := newSite(t)
		file := s.write("items.csv", items)
		if running {
			s.start()
		}
		contains(t, s.ctl(0, "import", "items", file), "row 3 not taken: has no barcode", "3 rows read: 2 new, 0 changed, 0 the same")
		contains(t, s.ctl(0, "import", "items", file), "0 new, 0 changed, 2 the same")
		contains(t, s.ctl(0, "import", "items", s.write("bare.marcxml", bare)), "1 skipped", "records without a copy")
		contains(t, s.ctl(0, "import", "loans", s.write("over.csv", "patron_barcode,item_barcode,due_at,in_at\n2,31,2026-12-01,2026-11-01\n")), "1 skipped", "loans that are over")
		s.ctl(1, "import", "items", s.write("bad.bin", "\x00\x01"))
		s.ctl(2, "import", "chairs", file)
		for _, other := range []string{"patrons", "loans"} {
			s.ctl(1, "import", other, file)
		}
		var last map[string]any
		for line := range strings.Lines(s.ctl(0, "-json", "import", "items", file)) {
			if err := json.Unmarshal([]byte(line), &last); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
		if _, ok := last["report"]; !ok {
			t.Errorf("the last line of JSON is no report: %v", last)
		}
	}
}

// TestImportRoster: a school's archive, with a daemon and without; the card is
// asked for where it can't be told.
func TestImportRoster(t *testing.T) {
	const users = "sourcedId,status,enabledUser,role,username,givenName,familyName,identifier,grades\n" +
		"u1,,true,student,oda,Oda,Holm,18090,03\nu2,,true,student,wei,Wei,Li,%s,04\nu3,,true,parent,ada,Ada,Holm,,\nu4,tobedeleted,true,student,jo,Jo,Roe,18040,05\n"
	archive := func(card string) string {
		var b strings.Builder
		w := zip.NewWriter(&b)
		f, err := w.Create("users.csv")
		if err == nil {
			_, err = fmt.Fprintf(f, users, card)
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, running := range []bool{false, true} {
		s := newSite(t)
		whole, lacking, double := s.write("roster.zip", archive("18091")), s.write("lacking.zip", archive("")), s.write("double.zip", archive("18090"))
		if running {
			s.start()
		}
		contains(t, s.ctl(0, "import", "patrons", whole), "(oneroster): 4 rows read: 3 new, 0 changed, 0 the same, 1 skipped, 0 not taken", "skipped are parents")
		contains(t, s.ctl(0, "import", "patrons", whole), "0 new, 0 changed, 3 the same")
		s.ctl(1, "import", "patrons", lacking)
		contains(t, s.ctl(0, "import", "patrons", "-card", "username", lacking), "3 new")
		contains(t, s.ctl(0, "import", "patrons", double), "row 1 not taken: 18090: is the card of Oda Holm (row 1) and Wei Li (row 2)", "2 not taken")
		s.ctl(1, "import", "items", "-card", "username", s.write("items.csv", items))
		s.ctl(1, "import", "items", whole)
	}
}

// TestImportHelp: the help names the columns, and its examples can be imported.
func TestImportHelp(t *testing.T) {
	s := newSite(t)
	help := (*importCmd)(nil).Help()
	contains(t, help, "barcode *", "itemcallnumber", "family_name *", "first_name *", "due_at *", "issuedate")
	for _, x := range examples {
		contains(t, help, x.head, x.row)
		known := catalog.Columns(x.list)
		for name := range strings.SplitSeq(x.head, ",") {
			if !slices.ContainsFunc(known, func(c catalog.Column) bool { return c.Name == name }) {
				t.Errorf("the example of %s has %s, which is no column", x.list, name)
			}
		}
		contains(t, s.ctl(0, "import", x.list, s.write(x.list+".csv", x.head+"\n"+x.row+"\n")), "1 row read: 1 new")
	}
}

// TestImportAllLoans: with -full a loan that the list lacks is over, but not
// by a list with rows that can't be read.
func TestImportAllLoans(t *testing.T) {
	for _, running := range []bool{false, true} {
		s := newSite(t)
		s.ctl(0, "import", "items", s.write("items.csv", items))
		exit := 1 // because no daemon runs
		if running {
			s.start()
			exit = 0
		}
		const head = "patron_barcode,item_barcode,due_at\n"
		s.ctl(0, "import", "loans", s.write("loans.csv", head+"2,31,2026-12-01\n2,32,2026-12-01\n"))
		one := s.write("one.csv", head+"2,31,2026-12-01\n2,31,2026-12-02\n")
		s.ctl(0, "import", "loans", one)
		contains(t, s.ctl(1, "import", "loans", "-full", s.write("bad.csv", head+"2,31,2026-12-01\n,32,2026-12-01\n")), "row 2 not taken")
		s.ctl(1, "import", "loans", "-full", s.write("none.csv", head))
		contains(t, s.ctl(exit, "status"), "2 loans")
		contains(t, s.ctl(0, "import", "loans", "-full", one), "1 loan is over")
		contains(t, s.ctl(exit, "status"), "1 loan;")
		s.ctl(1, "import", "items", "-full", s.write("items.csv", items))
	}
}

func TestLoansAndOutbox(t *testing.T) {
	s := newSite(t)
	s.ctl(1, "loans") // no ledger yet
	s.ctl(0, "import", "items", s.write("items.csv", items))
	e := kiosktest.As(kiosktest.Checkout(1, 31, 1), kiosk.Offline, kiosktest.Morning.AddDate(0, 0, 14))
	e.Title = "Dune"
	s.record(e)
	contains(t, s.ctl(0, "loans", "-open"), "Dune", "checkout", "offline", "1 entry")
	contains(t, s.ctl(0, "loans", "-patron", "nobody"), "0 entries")
	var l loan
	if err := json.Unmarshal([]byte(s.ctl(0, "-json", "loans", "-item", string(e.Item))), &l); err != nil {
		t.Fatal(err)
	}
	if l.Entry != e.ID || l.Kind != kiosk.Checkout || l.State != kiosk.Offline || !l.Due.Equal(e.Due) || !l.At.Equal(e.At) {
		t.Errorf("loan = %+v; want %+v", l, e)
	}
	contains(t, s.ctl(0, "outbox"), "Dune", "1 entry waits")
	s.ctl(1, "outbox", "retry") // no daemon
	s.start()
	s.ctl(1, "outbox", "retry") // a daemon without an upstream
}

// TestRetry says what happens next.
func TestRetry(t *testing.T) {
	s := newSite(t)
	raw, _ := os.ReadFile(s.conf)
	s.write("kiosk.toml", string(raw)+"[upstream]\ndriver = \"sip2\"\naddress = \"127.0.0.1:1\"\n")
	s.ctl(0, "import", "items", s.write("items.csv", items))
	s.record(kiosktest.As(kiosktest.Checkout(1, 31, 1), kiosk.Offline, kiosktest.Morning))
	s.start()
	contains(t, s.ctl(0, "outbox", "retry"), "is away", "1 entry will be told", "kioskctl doctor")
	up := control.Status{Outbox: 2, Upstream: control.Upstream{Up: true}}
	contains(t, afterRetry(up), "2 entries are being told", "kioskctl outbox", "kioskctl exceptions")
	up.Outbox = 0
	contains(t, afterRetry(up), "nothing waits")
}

func TestExceptions(t *testing.T) {
	for _, running := range []bool{false, true} {
		s := newSite(t)
		s.ctl(0, "import", "items", s.write("items.csv", items))
		var entries []kiosk.Entry
		for n := range 3 {
			e := kiosktest.As(kiosktest.Checkout(n+1, n+1, 1), kiosk.Offline, kiosktest.Morning)
			entries = append(entries, e)
			s.record(e)
			o := kiosktest.After(e, kiosk.Exception)
			o.Reason, o.Text = kiosk.ReasonOnHold, "Item is on hold for another patron."
			s.conclude(o)
		}
		if running {
			s.start()
		}
		contains(t, s.ctl(0, "exceptions"), string(entries[0].ID), "Item is on hold for another patron.")
		contains(t, s.ctl(0, "-json", "exceptions"), `"advice":"bring"`)
		s.ctl(2, "exceptions", "resolve", string(entries[0].ID), "-how", "forget", "-note", "x")
		contains(t, s.wrong(1, "exceptions", "resolve", "nosuch", "-how", "retry", "-note", "x"), "invalid: no entry nosuch: kioskctl exceptions lists them")
		for n, how := range []string{"retry", "override", "dismiss"} {
			s.ctl(0, "exceptions", "resolve", string(entries[n].ID), "-how", how, "-note", "by hand")
		}
		contains(t, s.wrong(1, "exceptions", "resolve", string(entries[1].ID), "-how", "retry", "-note", "x"), "invalid: entry ", "is settled, not an exception")
		contains(t, s.ctl(0, "history", string(entries[1].ID)), "offline", "exception", "Item is on hold for another patron.", "settled", "override: by hand")
		s.ctl(1, "history", "nosuch")
		contains(t, s.ctl(0, "exceptions"), "nothing to settle")
		want := []kiosk.State{kiosk.Unsure, kiosk.Settled, kiosk.Dismissed}
		for n, e := range entries {
			var l loan
			if err := json.Unmarshal([]byte(s.ctl(0, "-json", "loans", "-item", string(e.Item))), &l); err != nil || l.State != want[n] || !strings.HasSuffix(l.Text, ": by hand") {
				t.Errorf("entry %d is %s %q, %v; want %s", n, l.State, l.Text, err, want[n])
			}
		}
	}
}

func TestBackupRestore(t *testing.T) {
	s := newSite(t)
	s.ctl(0, "import", "items", s.write("items.csv", items))
	s.record(kiosktest.As(kiosktest.Checkout(1, 31, 1), kiosk.Offline, kiosktest.Morning))
	copied := filepath.Join(s.dir, "copy.db")
	s.ctl(0, "backup", copied)
	s.ctl(1, "backup", copied) // it is there already
	s.record(kiosktest.As(kiosktest.Checkout(2, 32, 1), kiosk.Offline, kiosktest.Morning))
	s.ctl(2, "restore", copied)
	contains(t, s.ctl(0, "restore", "-force", copied), "before-", "is in place")
	contains(t, s.ctl(0, "loans"), "1 entry")
	kept, _ := filepath.Glob(filepath.Join(s.dir, "data", "*.before-*"))
	if len(kept) != 1 {
		t.Errorf("the ledger that was overwritten is not kept: %v", kept)
	}
	s.ctl(1, "restore", "-force", s.write("rubbish.db", strings.Repeat("x", 5000)))
	s.start()
	s.ctl(1, "restore", "-force", copied)
}

// TestSealedBackup: a copy that is encrypted to a key holds no title in plain,
// and comes back with the other half of the key, on another machine too.
func TestSealedBackup(t *testing.T) {
	s, other := newSite(t), newSite(t)
	k, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	secret := other.write("secret.txt", k.String()+"\n")
	s.ctl(0, "import", "items", s.write("items.csv", items))
	s.record(kiosktest.As(kiosktest.Checkout(1, 31, 1), kiosk.Offline, kiosktest.Morning))
	copied := filepath.Join(s.dir, "copy.age")
	s.ctl(2, "backup", "-key", k.String(), copied) // the secret half
	contains(t, s.ctl(0, "backup", "-key", k.Recipient().String(), copied), "encrypted")
	raw, err := os.ReadFile(copied)
	if err != nil || bytes.Contains(raw, []byte("SQLite")) || bytes.Contains(raw, []byte("31234000010064")) {
		t.Errorf("the copy can be read (%v)", err)
	}
	left, _ := filepath.Glob(filepath.Join(s.dir, "data", ".copy-*"))
	if len(left) > 0 {
		t.Errorf("left in plain: %q", left)
	}
	other.ctl(2, "restore", copied) // it does not say how to open it
	other.ctl(1, "restore", "-secret", other.write("rubbish.txt", "x"), copied)
	contains(t, other.ctl(0, "restore", "-secret", secret, copied), "is in place")
	contains(t, other.ctl(0, "loans"), "1 entry")
	conf, _ := os.ReadFile(s.conf)
	s.write("kiosk.toml", string(conf)+"[backup]\nkey = [\""+k.Recipient().String()+"\"]\n")
	contains(t, s.ctl(0, "backup", filepath.Join(s.dir, "by-configuration")), "encrypted")
	s.write("kiosk.toml", string(conf)+"[backup]\nkey = [\"age1x\"]\n")
	s.ctl(2, "backup", filepath.Join(s.dir, "never"))
}

func TestStatusAndDoctor(t *testing.T) {
	s := newSite(t)
	contains(t, s.ctl(1, "status"), "not running")
	os.MkdirAll(filepath.Join(s.dir, "data"), 0o750)
	contains(t, s.ctl(1, "loans"))
	s.start()
	out := s.ctl(0, "status")
	contains(t, out, "running since", "none: everything is decided here", "nothing waits")
	var st map[string]any
	if err := json.Unmarshal([]byte(s.ctl(0, "-json", "status")), &st); err != nil || st["running"] != true {
		t.Errorf("status = %v, %v", st, err)
	}
	contains(t, s.ctl(0, "doctor"), "ok   configuration", "ok   data folder", "ok   ledger", "ok   daemon")
	raw, _ := os.ReadFile(s.conf)
	s.write("kiosk.toml", string(raw)+"[screen]\nclass_file = \"class.csv\"\n")
	s.write("class.csv", "1,cut.png\n")
	s.write("cut.png", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x08\x00\x00\x00\x08\x08\x00\x00\x00\x00\xE1\x64\xE1\x57")
	contains(t, s.ctl(1, "doctor"), "BAD  configuration", `row 1: "cut.png": the picture is damaged`)
	s.ctl(0, "status") // does not draw it
	s.write("kiosk.toml", "[kiosk]\nnmae = 1\n")
	contains(t, s.ctl(1, "doctor"), "BAD  configuration", "kiosk.nmae")
	s.ctl(2, "status")
}

// TestDoctorTriesWhatIsConfigured: without a daemon it opens devices and
// upstream itself, with one it asks; either way it says how to mend each.
func TestDoctorTriesWhatIsConfigured(t *testing.T) {
	s := newSite(t)
	raw, _ := os.ReadFile(s.conf)
	s.write("kiosk.toml", string(raw)+"[[device]]\nname = \"scanner\"\ndriver = \"serialscan\"\npath = \"/dev/no-such-port\"\n"+
		"[[device]]\nname = \"gate\"\ndriver = \"feig\"\npath = \"tcp://127.0.0.1:1\"\n"+
		"[[device]]\nname = \"chip\"\ndriver = \"pn532\"\nspi = \"NONE9.9\"\n"+
		"[[device]]\nname = \"other chip\"\ndriver = \"pn532\"\ni2c = \"99\"\n"+
		"[upstream]\ndriver = \"sip2\"\naddress = \"127.0.0.1:1\"\n")
	contains(t, s.ctl(1, "doctor"), "BAD  data folder", "kioskd makes it")
	s.ctl(0, "import", "items", s.write("items.csv", items))
	want := []string{"BAD  device scanner", "plug the device in", "check cable", "BAD  device gate", "127.0.0.1:1 is its address and port",
		"BAD  device chip", "switch SPI on", "BAD  device other chip", "switch I2C on", "i2cdetect -y 99", "BAD  upstream", "check address", "connection refused"}
	contains(t, s.ctl(1, "doctor"), want...)
	s.start()
	waitFor(t, func() bool {
		return strings.Contains(s.ctlAny("doctor"), "away since") && !strings.Contains(s.ctlAny("doctor"), "is being opened")
	})
	contains(t, s.ctl(1, "doctor"), want...)
}

func TestMendFolder(t *testing.T) {
	for err, want := range map[error]string{
		os.ErrNotExist: "make /x", os.ErrPermission: "give it to the user", unix.ENOSPC: "free some space", unix.EROFS: "takes no writes", unix.ENOTDIR: "must be a folder",
	} {
		contains(t, mendFolder("/x", &os.PathError{Op: "open", Path: "/x/y", Err: err}), want)
	}
	if daemon.DiskFree(filepath.Join(t.TempDir(), "not", "yet")) == 0 {
		t.Error("a folder that is not there yet has no room")
	}
}

func TestDriversAndDevices(t *testing.T) {
	s := newSite(t)
	contains(t, s.ctl(0, "drivers"), "serialscan", "suffix", "hidscan", "baud", "9600")
	for line := range strings.Lines(s.ctl(0, "-json", "drivers")) {
		var d map[string]any
		if err := json.Unmarshal([]byte(line), &d); err != nil || d["driver"] == "" {
			t.Errorf("%q: %v", line, err)
		}
	}
	one := s.ctl(0, "drivers", "feig")
	contains(t, one, "feig", "frames", "baud")
	if strings.Contains(one, "serialscan") || strings.Count(s.ctl(0, "-json", "drivers", "feig"), "\n") != 1 {
		t.Errorf("drivers feig shows more than one:\n%s", one)
	}
	if said := strings.Contains(s.ctl(0, "drivers", "hidscan"), "NOT IN THIS BUILD"); said == link.HIDSupported() {
		t.Errorf("drivers says that hidscan is not in this build: %v; HID is in it: %v", said, link.HIDSupported())
	}
	s.ctl(2, "drivers", "nosuch")
	for name, want := range map[string]string{"Feig ": "perhaps feig", "serial": "perhaps serialscan", "bibliotheca": "perhaps rfid3m", "zzz": `"zzz": known are cfrh320, chafonuhf, escpos`} {
		contains(t, noDriver(strings.TrimSpace(name), all.Drivers()).Error(), want)
	}
	s.ctl(0, "devices")
	contains(t, s.ctl(0, "version"), "kioskctl", "drivers:")
}
