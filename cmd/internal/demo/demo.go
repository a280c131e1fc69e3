package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/cmd/internal/password"
	"github.com/carrel-kiosk/carrel/drivers/sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// Options are what can be said about the demo.
type Options struct {
	Listen string       // address of the screen
	Data   string       // empty: a new temporary folder, removed at the end
	Log    *slog.Logger //
	Out    io.Writer    // where to say what to open; nil says nothing
	Ready  func(addr string)
}

const (
	user         = "kiosk1"
	userPassword = "demo"
	// StaffBadge and StaffPassword open the demo's pages for staff; the password
	// does so alone too, as the one that all share.
	StaffBadge    = "20417000990012"
	StaffName     = "Robin Vega"
	StaffPassword = "demo-staff"
)

// Run runs the whole desk in this process until ctx ends: sample library,
// demo library system on SIP2 over TCP, simulated scanner, daemon.
func Run(ctx context.Context, o Options) error {
	if o.Data == "" {
		dir, err := os.MkdirTemp("", "carrel-demo")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.Data = dir
	}
	var err error
	if o.Data, err = filepath.Abs(o.Data); err != nil {
		return err
	}
	lib, err := Load(time.Now())
	if err != nil {
		return err
	}
	ils, err := NewILS(lib, upstreamtest.Rules{})
	if err != nil {
		return err
	}
	defer ils.Close()
	if err := os.MkdirAll(o.Data, 0o750); err != nil {
		return err
	}
	if err := ils.Keep(filepath.Join(o.Data, "ils.journal")); err != nil {
		return err
	}
	if err := fill(ctx, o.Data, lib); err != nil {
		return err
	}
	ilsAt, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	proxy, err := upstreamtest.Listen("127.0.0.1:0", ilsAt.Addr().String())
	if err != nil {
		return errors.Join(err, ilsAt.Close())
	}
	defer proxy.Close()
	ln, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("screen: %w (-listen ADDR names another address)", err), ilsAt.Close())
	}
	paper, err := newPrinter(o.Data)
	if err != nil {
		return errors.Join(fmt.Errorf("printer: %w", err), ilsAt.Close(), ln.Close())
	}
	defer paper.plug(false)
	conf, err := settings(o.Data, proxy.Addr())
	if err != nil {
		return errors.Join(err, ilsAt.Close(), ln.Close())
	}
	bench, err := newBench(lib, ils, proxy)
	if err != nil {
		return errors.Join(err, ilsAt.Close(), ln.Close())
	}
	paper.onto(bench)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return sip2.Serve(ctx, ilsAt, ils, sip2.ServerConfig{Institution: Institution, Log: o.Log})
	})
	g.Go(func() error {
		return daemon.Run(ctx, daemon.Options{Config: conf, Log: o.Log, Listener: ln, Gallery: true,
			Pages: map[string]http.Handler{"/sim": bench.Handler()},
			Ready: func() { o.ready(ln.Addr().String(), proxy.Addr()) }})
	})
	return g.Wait()
}

func (o Options) ready(screen, ils string) {
	if o.Out != nil {
		host := strings.Replace(strings.Replace(screen, "[::]", "localhost", 1), "0.0.0.0", "localhost", 1)
		fmt.Fprintf(o.Out, `
  %s is open.

  The kiosk's screen      http://%s/
  Cards, books, trouble   http://%s/sim   (keep it beside the screen)
  Every view and mode     http://%s/gallery
  Pages for staff         http://%s/staff   badge %s, PIN or password %s
  The library's system    SIP2 on %s, user %s, password %s
  Data                    %s
  What it knows           kioskctl -config %s status

  Click a card, then a book, on the second page. Ctrl-C ends it.

`, Name, host, host, host, host, StaffBadge, StaffPassword, ils, user, userPassword, o.Data, filepath.Join(o.Data, ConfigFile))
		if at, _, err := net.SplitHostPort(screen); err == nil && (net.ParseIP(at) == nil || !net.ParseIP(at).IsLoopback()) {
			fmt.Fprint(o.Out, "  Careful: who can reach this machine can use the demo, and move its hardware.\n\n")
		}
	}
	if o.Ready != nil {
		o.Ready(screen)
	}
}

// NewILS is the demo library's system, with all that the library knows. Its
// numbers are the library's; the rest of its rules are as given.
func NewILS(lib Library, r upstreamtest.Rules) (*upstreamtest.ILS, error) {
	r.Days, r.MaxLoans, r.MaxOwed = LoanDays, MaxLoans, MaxOwed
	ils := upstreamtest.New(r)
	ils.AddUser(user, userPassword)
	ils.AddItems(lib.Items...)
	for _, p := range lib.Patrons {
		ils.AddPatron(p, lib.PINs[p.Card])
	}
	var errs []error
	for _, l := range lib.Loans {
		errs = append(errs, ils.AddLoan(l))
	}
	for _, h := range lib.Holds {
		errs = append(errs, ils.AddHold(h.Item, h.Patron))
	}
	for c, owes := range lib.Owed {
		errs = append(errs, ils.SetOwed(c, owes))
	}
	return ils, errors.Join(errs...)
}

// fill puts the library into the kiosk's mirror.
func fill(ctx context.Context, data string, lib Library) error {
	s, err := sqlite.Open(ctx, filepath.Join(data, daemon.LedgerFile))
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	for i := range lib.Patrons {
		lib.Patrons[i].Seen = time.Now()
	}
	_, e1 := s.PutItems(ctx, lib.Items)
	for more := e1 == nil; more && e1 == nil; {
		more, e1 = s.Index(ctx) // found from the first moment on
	}
	_, e2 := s.PutPatrons(ctx, lib.Patrons)
	c, e3 := s.Counts(ctx)
	var e4 error
	if c.Entries == 0 { // later the ledger knows better than the sample
		_, e4 = s.PutLoans(ctx, lib.Loans)
	}
	return errors.Join(e1, e2, e3, e4, hire(ctx, s), s.Close())
}

// hire makes the account of the demo's staff.
func hire(ctx context.Context, s *sqlite.Store) error {
	if _, err := s.Member(ctx, StaffBadge); !errors.Is(err, kiosk.ErrUnknown) {
		return err
	}
	hash, err := password.Make(StaffPassword)
	if err != nil {
		return err
	}
	return s.PutMember(ctx, kiosk.Member{Badge: StaffBadge, Name: StaffName, Role: kiosk.Manager, Hash: hash, Since: time.Now()},
		kiosk.Act{At: time.Now(), What: "account", About: StaffBadge, Note: StaffName, From: "the demo"})
}

// settings is the demo's configuration, as a file would have it.
func settings(data, ils string) (*config.Config, error) {
	secret := filepath.Join(data, "sip2.password")
	if err := os.WriteFile(secret, []byte(userPassword+"\n"), 0o600); err != nil {
		return nil, err
	}
	hash, err := password.Make(StaffPassword)
	if err != nil {
		return nil, err
	}
	staff := filepath.Join(data, "staff.password")
	if err := os.WriteFile(staff, []byte(hash+"\n"), 0o600); err != nil {
		return nil, err
	}
	class := filepath.Join(data, "class.csv")
	if err := os.WriteFile(class, []byte(classList), 0o600); err != nil {
		return nil, err
	}
	file := filepath.Join(data, ConfigFile)
	text := fmt.Appendf(nil, `# The demo's configuration, made anew at each start.
[kiosk]
name = "demo"
library = %q
title = %q
data = %q
languages = ["en", "es", "fr", "de", "ar", "zh-Hans", "vi", "uk"]
[[device]]
name = "scanner"
driver = "sim"
[[device]]
name = "pad"
driver = "simpad"
[[device]]
name = "panel"
driver = "simpanel"
[[device]]
name = "printer"
driver = "escpos"
path = %q
[receipts]
name = "first"
card = true
[tags]
eas = true
owners = [%q]
[upstream]
driver = "sip2"
address = %q
user = %q
password_file = %q
deadline = "2.5s"
[barcodes]
check = "mod10"
[loans]
days = %d
max = %d
[screen]
class_file = %q
remember = true
speak = true
[staff]
password_file = %q
`, Institution, Name, data, filepath.Join(data, printerPort), Owner, ils, user, secret, LoanDays, MaxLoans, class, staff)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	return config.Parse(file, text)
}

// classList are the kindergarten's children, who borrow by their animals.
const classList = `card,animal
20417000020018,fox
20417000020026,owl
20417000020034,frog
20417000020042,hedgehog
20417000020059,lion
20417000020067,panda
20417000020075,rabbit
20417000020083,elephant
`

// ConfigFile is the configuration within the demo's data folder, for kioskctl.
const ConfigFile = "kiosk.toml"

// newBench lays the library on a bench, and adds the switches of the line to
// the library's system.
func newBench(lib Library, ils *upstreamtest.ILS, proxy *upstreamtest.Proxy) (*sim.Bench, error) {
	b := sim.New("demo")
	b.Field, b.Alarms = field.New(uint64(time.Now().UnixNano())), Alarms
	b.Field.Wait = time.Sleep
	titles := map[kiosk.Barcode]string{}
	badge, err := badge()
	if err != nil {
		return nil, err
	}
	b.Things = append(b.Things, sim.Thing{Kind: "Staff", Code: StaffBadge, Label: StaffName, Note: "signs in at /staff with PIN " + StaffPassword, Tags: []*field.Tag{badge}})
	for _, p := range lib.Patrons {
		note := lib.Notes[string(p.Card)]
		if note == "" {
			note = p.Category
		}
		b.Things = append(b.Things, sim.Thing{Kind: "Cards", Code: string(p.Card), Label: strings.TrimSpace(p.FirstName + " " + p.FamilyName), Note: note})
	}
	for n, i := range lib.Items {
		tags, err := Tagged(i, max(1, lib.Parts[i.Barcode]), n)
		if err != nil {
			return nil, err
		}
		titles[i.Barcode] = i.Title
		note := strings.Trim(i.Author+" · "+i.CallNumber, " ·")
		if n := lib.Notes[string(i.Barcode)]; n != "" {
			note = n
		}
		b.Things = append(b.Things, sim.Thing{Kind: "Books and equipment", Code: string(i.Barcode), Label: i.Title, Note: note, Tags: tags})
	}
	others, err := strangers()
	if err != nil {
		return nil, err
	}
	b.Things = append(b.Things, others...)
	slow := func(m upstreamtest.Mishap, d time.Duration) func(bool) error {
		return func(on bool) error {
			proxy.Clear()
			if on {
				proxy.Always(upstreamtest.Fault{Mishap: m, Delay: d})
			}
			return nil
		}
	}
	b.Switches = []sim.Switch{
		{Name: "cut", Label: "Cut the line to the library's system", Help: "Lending goes on; what happens is told when the line is back.",
			Set: func(on bool) error {
				if on {
					proxy.Cut()
					return nil
				}
				return proxy.Restore()
			}},
		{Name: "slow", Group: "answers", Label: "Slow answers", Help: "Each answer takes 1.5 seconds.", Set: slow(upstreamtest.DelayAnswer, 1500*time.Millisecond)},
		{Name: "late", Group: "answers", Label: "Answers that come too late", Help: "Each answer takes 6 seconds; nobody waits so long.", Set: slow(upstreamtest.DelayAnswer, 6*time.Second)},
		{Name: "garbage", Group: "answers", Label: "Rubbish for answers", Help: "The line is there and sends nonsense.", Set: slow(upstreamtest.Garbage, 0)},
	}
	b.Panel = func() []sim.Row {
		var rows []sim.Row
		loans := ils.Loans()
		for i := len(loans) - 1; i >= 0; i-- {
			l := loans[i]
			rows = append(rows, sim.Row{Title: titles[l.Item], Item: string(l.Item), Patron: string(l.Patron), Due: l.Due.Format(time.DateOnly)})
		}
		return rows
	}
	return b, nil
}
