package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/cmd/internal/watch"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// envConfig makes this test binary a kioskd with that configuration.
const envConfig = "CARREL_TEST_KIOSKD"

func TestMain(m *testing.M) {
	if file := os.Getenv(envConfig); file != "" {
		if err := child(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if builtIn != "" {
		os.RemoveAll(builtIn)
	}
	os.Exit(code)
}

// child runs the daemon and tells where its screen is.
func child(file string) error {
	conf, err := config.Load(file)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return daemon.Run(context.Background(), daemon.Options{
		Config: conf, Listener: ln, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Ready: func() { fmt.Println("ready", ln.Addr()) },
	})
}

// shared finds the test data beside the checkout.
func shared(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "testdata")
	if _, err := os.Stat(dir); err != nil {
		if strings.Contains(os.Getenv("CARREL_REQUIRE"), "shared") {
			t.Fatal("the test data beside the checkout is missing")
		}
		t.Skip("needs the test data in ../shared, which is not here")
	}
	return dir
}

// town is a library with its ILS on a cuttable line, and one kiosk: the daemon
// as a process of its own with a scanner on a pty.
type town struct {
	t       *testing.T
	ils     *upstreamtest.ILS
	proxy   *upstreamtest.Proxy
	scanner *os.File        // the far end
	books   []kiosk.Barcode // w.books[n] goes to card n/perUser
	config  string
	data    string

	cmd    *exec.Cmd
	screen *watch.Stream

	mu   sync.Mutex
	lent map[kiosk.Barcode]bool // shown as lent at any time
}

const (
	users    = 20
	perUser  = 10
	deadline = 20 * time.Second // for one screen; a loaded machine, race detector on
)

func newTown(t *testing.T) *town {
	dir := shared(t)
	w := &town{t: t, data: t.TempDir(), lent: map[kiosk.Barcode]bool{}}
	far, near, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close(); near.Close() })
	w.scanner = far
	w.ils = upstreamtest.New(upstreamtest.Rules{Days: 21}) // as the kiosk promises
	w.ils.AddUser("kiosk1", "secret")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sip2.Serve(ctx, ln, w.ils, sip2.ServerConfig{}) }()
	t.Cleanup(func() { cancel(); <-served })
	if w.proxy, err = upstreamtest.Listen("127.0.0.1:0", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.proxy.Close)
	w.writeConfig(near.Name())
	w.load(dir)
	return w
}

func (w *town) writeConfig(port string) {
	w.config = filepath.Join(w.data, "kiosk.toml")
	text := fmt.Sprintf(`
[kiosk]
name = "test"
library = "RPLS-WEPL"
data = %q
timezone = "America/New_York"
[[device]]
name = "scanner"
driver = "serialscan"
path = %q
[upstream]
driver = "sip2"
address = %q
user = "kiosk1"
password_file = "password"
deadline = "1s"
[barcodes]
patron = ["99999[0-9]{6}"]
item = ["CONC[0-9]+"]
`, w.data, port, w.proxy.Addr())
	for name, content := range map[string]string{"kiosk.toml": text, "password": "secret\n"} {
		if err := os.WriteFile(filepath.Join(w.data, name), []byte(content), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

// load imports the library into the kiosk, and gives the ILS the same.
func (w *town) load(dir string) {
	ctx := w.t.Context()
	s, err := sqlite.Open(ctx, filepath.Join(w.data, daemon.LedgerFile))
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	for _, what := range []string{"items", "patrons"} {
		f, err := os.Open(filepath.Join(dir, "concerto", what+".csv"))
		if err != nil {
			w.t.Fatal(err)
		}
		err = daemon.ImportAlone(ctx, control.List{What: what}, f, time.UTC, s, func(control.Line) {})
		f.Close()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	for i := range users {
		w.ils.AddPatron(kiosk.Patron{Card: w.card(i), FirstName: "Reader", FamilyName: fmt.Sprint(i)}, "")
		if _, err := s.PutPatrons(ctx, []kiosk.Patron{{Card: w.card(i), FirstName: "Reader", Seen: time.Now()}}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.books = lendable(w.t, dir, users*perUser)
	for _, b := range w.books {
		it, err := s.Item(ctx, b)
		if err != nil {
			w.t.Fatal(err)
		}
		it.Status = kiosk.StatusAvailable
		w.ils.AddItems(it)
	}
}

// lendable are the first n items of that library that circulate.
func lendable(t *testing.T, dir string, n int) (list []kiosk.Barcode) {
	f, err := os.Open(filepath.Join(dir, "concerto", "items.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	const barcode, circulates, reference = 0, 9, 10
	for _, r := range rows[1:] {
		if r[circulates] == "1" && r[reference] == "0" && len(list) < n {
			list = append(list, kiosk.Barcode(r[barcode]))
		}
	}
	if len(list) < n {
		t.Fatalf("found %d items to lend; want %d", len(list), n)
	}
	return list
}

func (w *town) card(i int) kiosk.Card { return kiosk.Card(fmt.Sprintf("99999%06d", 900_000+i)) }

// start starts the daemon and waits until it is ready.
func (w *town) start() {
	w.cmd = exec.Command(os.Args[0])
	w.cmd.Env = append(os.Environ(), envConfig+"="+w.config)
	log, err := os.OpenFile(filepath.Join(w.data, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	defer log.Close()
	w.cmd.Stderr = log
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		w.t.Fatalf("kioskd said %q: %v\n%s", line, err, w.log())
	}
	if w.screen, err = watch.Open(context.Background(), addr, w.seen); err != nil {
		w.t.Fatal(err)
	}
}

// seen keeps what the screen has ever called lent.
func (w *town) seen(s watch.Screen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range s.Lines {
		if l.State == "lent" {
			w.lent[l.Barcode] = true
		}
	}
}

func (w *town) kill() {
	w.cmd.Process.Kill()
	w.cmd.Wait()
	w.screen.Close()
}

func (w *town) log() string {
	raw, _ := os.ReadFile(filepath.Join(w.data, "log"))
	return string(raw[max(0, len(raw)-8000):])
}

func (w *town) scan(code string) {
	if _, err := io.WriteString(w.scanner, code+"\r"); err != nil {
		w.t.Fatal(err)
	}
}

// session opens a session of a patron, whatever the screen shows.
func (w *town) session(user int) {
	w.t.Helper()
	for range 5 { // a scan into a daemon that is just starting may come before its scanner is open
		w.scan(string(w.card(user)))
		if _, err := w.screen.Until(deadline/4, func(s watch.Screen) bool { return s.View == "items" && len(s.Lines) == 0 }); err == nil {
			return
		}
	}
	w.t.Fatalf("the session of reader %d does not open\n%s", user, w.log())
}

// online waits until the daemon has found the ILS.
func (w *town) online() {
	w.t.Helper()
	if _, err := w.screen.Until(deadline, func(s watch.Screen) bool { return s.Online }); err != nil {
		w.t.Fatalf("the ILS is not found: %v\n%s", err, w.log())
	}
}

// done tells whether the patron may take the book: it is lent, or was lent to
// the same patron before the daemon was killed.
func done(s watch.Screen, b kiosk.Barcode) bool {
	st := s.State(b)
	return st == "lent" || st == "action" || st == "renewed"
}

// TestTwoHundredLoans: 20 cards, 200 loans, the line cut and restored three
// times, the daemon killed twice. The ILS must end with exactly these loans,
// each lent once.
func TestTwoHundredLoans(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	w := newTown(t)
	w.start()
	defer func() { w.kill() }()
	cut := map[int]bool{25: true, 90: true, 160: true}
	restore := map[int]bool{45: true, 105: true, 170: true}
	killed := map[int]bool{60: true, 130: true}
	for n := 0; n < users*perUser; n++ {
		user := n / perUser
		if n%perUser == 0 {
			w.session(user)
		}
		if cut[n] {
			w.proxy.Cut()
		}
		if restore[n] {
			if err := w.proxy.Restore(); err != nil {
				t.Fatal(err)
			}
			w.online()
		}
		book := w.books[n]
		if killed[n] {
			w.online()
			// Anywhere between the scan and the loan, also while the ILS thinks.
			w.proxy.Always(upstreamtest.Fault{Mishap: upstreamtest.DelayAnswer, Match: "11", Delay: 10 * time.Millisecond})
		}
		w.scan(string(book))
		if killed[n] {
			time.Sleep(rand.N(16 * time.Millisecond))
			w.kill()
			w.proxy.Clear()
			w.start()
			w.session(user)
			w.scan(string(book)) // the patron saw no loan, or does not know
		}
		if _, err := w.screen.Until(deadline, func(s watch.Screen) bool { return done(s, book) }); err != nil {
			t.Fatalf("loan %d of %s: %v\n%s", n, book, err, w.log())
		}
	}
	w.settle()
	w.compare()
}

// settle waits until the outbox is empty.
func (w *town) settle() {
	c, err := control.Dial(w.data)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		s, err := c.Status(ctx)
		if err != nil {
			w.t.Fatalf("the outbox does not empty: %v\n%s", err, w.log())
		}
		if s.Outbox == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// compare holds the ILS, the ledger and the screen against each other.
func (w *town) compare() {
	t := w.t
	told := map[kiosk.Barcode]int{}
	for _, e := range w.ils.History() {
		if e.Did != upstreamtest.DidCheckout {
			t.Errorf("the ILS did %+v; want checkouts only", e)
		}
		told[e.Item]++
	}
	out := map[kiosk.Barcode]kiosk.Card{}
	for _, l := range w.ils.Loans() {
		out[l.Item] = l.Patron
	}
	r, err := sqlite.OpenReadOnly(t.Context(), filepath.Join(w.data, daemon.LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	held := map[kiosk.Barcode]bool{}
	for row, err := range r.Entries(t.Context(), sqlite.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		switch row.State {
		case kiosk.Granted, kiosk.Settled:
			held[row.Item] = true
			if out[row.Item] != row.Patron {
				t.Errorf("ledger: %s lent to %s; ILS: to %q", row.Item, row.Patron, out[row.Item])
			}
		case kiosk.Dismissed:
		default:
			t.Errorf("entry %+v; want it granted or settled", row)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for n, b := range w.books {
		if told[b] != 1 || out[b] != w.card(n/perUser) || !held[b] {
			t.Errorf("%s: lent %d times, out to %q, in the ledger %v; want once to %s", b, told[b], out[b], held[b], w.card(n/perUser))
		}
		if w.lent[b] && !held[b] {
			t.Errorf("%s was shown as lent, and the ledger has no such loan", b)
		}
	}
	if len(out) != users*perUser || len(held) != users*perUser {
		t.Errorf("%d loans in the ILS, %d in the ledger; want %d", len(out), len(held), users*perUser)
	}
	if wrong, err := r.Check(t.Context()); err != nil || len(wrong) > 0 {
		t.Errorf("ledger: %v %v", wrong, err)
	}
}

func listenLoopback() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
