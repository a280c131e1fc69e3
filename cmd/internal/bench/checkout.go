package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/cmd/internal/watch"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// CheckoutOptions say how much to measure.
type CheckoutOptions struct {
	Dir   string    // where the ledgers go, on the disk to be measured; empty: a temporary folder
	Scans int       // loans measured for each size
	Sizes []int     // items in the mirror
	Log   io.Writer // progress; nil means none
	// Start runs a daemon with a configuration as a process of its own.
	Start func(configFile string) *exec.Cmd
}

// Checkout measures the durable checkout alone, the way of a scan from the
// scanner's last byte to the durable loan and to the screen, with mirrors of
// different sizes, and what the daemon needs to start and to run.
func Checkout(ctx context.Context, o CheckoutOptions) ([]Figure, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	dir, err := os.MkdirTemp(o.Dir, "carrel-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var all []Figure
	var first float64
	for i, n := range o.Sizes {
		r := &run{CheckoutOptions: o, data: filepath.Join(dir, strconv.Itoa(n)), items: n}
		figures, median, err := r.measure(ctx)
		if err != nil {
			return nil, fmt.Errorf("%d items: %w", n, err)
		}
		all = append(all, figures...)
		if i == 0 {
			first = median
		} else {
			all = append(all, Figure{Name: fmt.Sprintf("scan to durable loan, in bare writes, %d items beside %d", n, o.Sizes[0]),
				Value: median, Unit: "x", Limit: first, Aim: 1.2})
		}
		if err := os.RemoveAll(r.data); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// run is the measurement with one size of the mirror.
type run struct {
	CheckoutOptions
	data  string
	items int
}

func barcode(n int) kiosk.Barcode { return kiosk.Barcode(fmt.Sprintf("3%013d", n)) }

// perPatron is how many books a patron takes in the measurement; a big pile.
const perPatron = 20

const card = kiosk.Card("20000000000001")

func (r *run) measure(ctx context.Context) ([]Figure, float64, error) {
	if err := r.fill(ctx); err != nil {
		return nil, 0, err
	}
	figures, bytes, err := r.ledger(ctx)
	if err != nil {
		return nil, 0, err
	}
	more, median, err := r.scans(ctx, bytes)
	if err != nil {
		return nil, 0, err
	}
	figures = append(figures, more...)
	if r.Start != nil {
		more, err = r.process(ctx)
		figures = append(figures, more...)
	}
	return figures, median, err
}

// fill makes the mirror.
func (r *run) fill(ctx context.Context) error {
	if err := os.MkdirAll(r.data, 0o750); err != nil {
		return err
	}
	s, err := sqlite.Open(ctx, r.path())
	if err != nil {
		return err
	}
	defer s.Close()
	start := time.Now()
	const batch = 1000
	items := make([]kiosk.Item, 0, batch)
	for n := 0; n < r.items; {
		for items = items[:0]; len(items) < batch && n < r.items; n++ {
			items = append(items, kiosk.Item{
				Barcode: barcode(n), Title: fmt.Sprintf("The book of many titles, volume %d", n), Author: "Somebody, Anybody",
				CallNumber: fmt.Sprintf("FIC %d", n%900), Library: "BENCH", Type: "book", Status: kiosk.StatusAvailable,
			})
		}
		if _, err := s.PutItems(ctx, items); err != nil {
			return err
		}
		if n%100_000 == 0 {
			fmt.Fprintf(r.Log, "mirror: %d of %d items\n", n, r.items)
		}
	}
	fmt.Fprintf(r.Log, "mirror: %d items in %v\n", r.items, time.Since(start).Round(time.Millisecond))
	defer unix.Sync() // what the load has left to write must not disturb the measurement
	_, err = s.PutPatrons(ctx, []kiosk.Patron{{Card: card, FirstName: "Ada", Seen: time.Now()}})
	return err
}

func (r *run) path() string { return filepath.Join(r.data, daemon.LedgerFile) }

// spread walks over the items without order, each once.
func (r *run) spread(n int) kiosk.Barcode {
	return barcode(int((int64(n)*7_368_787 + 11) % int64(r.items)))
}

// ledger measures Record alone, beside the bare write of as many bytes as it
// adds to the log.
func (r *run) ledger(ctx context.Context) ([]Figure, int, error) {
	s, err := sqlite.Open(ctx, r.path())
	if err != nil {
		return nil, 0, err
	}
	defer s.Close()
	bytes, err := r.logged(ctx)
	if err != nil {
		return nil, 0, err
	}
	record := r.recorder(ctx, s)
	for range 200 { // so that the log is written round and round
		if err := record(); err != nil {
			return nil, 0, err
		}
	}
	if err := s.Tidy(ctx); err != nil {
		return nil, 0, err
	}
	b, err := newBare(r.data, bytes)
	if err != nil {
		return nil, 0, err
	}
	defer b.close()
	var ours, theirs times
	for range r.Scans {
		d, err := timed(b.write)
		if err != nil {
			return nil, 0, err
		}
		theirs = append(theirs, d)
		if d, err = timed(record); err != nil {
			return nil, 0, err
		}
		ours = append(ours, d)
	}
	size := fmt.Sprintf(", %d items", r.items)
	return []Figure{
		{Name: "bytes a checkout adds to the log" + size, Value: float64(bytes), Unit: "B"},
		{Name: "durable checkout beside bare write, median" + size, Value: ours.at(50), Unit: "ms", Limit: theirs.at(50), Aim: 1.5},
		{Name: "durable checkout beside bare write, p99" + size, Value: ours.at(99), Unit: "ms", Limit: theirs.at(99)},
	}, bytes, nil
}

// recorder gives a function that records one loan after the other.
func (r *run) recorder(ctx context.Context, s *sqlite.Store) func() error {
	n := 0
	return func() error {
		n++
		now := time.Now()
		return s.Record(ctx, kiosk.Entry{ID: kiosk.ID(fmt.Sprintf("0190aaaa-bbbb-7ccc-8ddd-%012d", n)), Session: "bench", Kind: kiosk.Checkout,
			Item: r.spread(r.items/2 + n), Patron: card, At: now, Due: now.AddDate(0, 0, 21), State: kiosk.Offline, Title: "The book of many titles"})
	}
}

// logged measures how many bytes a checkout adds to the log: in a ledger of
// its own, whose log still grows.
func (r *run) logged(ctx context.Context) (int, error) {
	path := filepath.Join(r.data, "bytes.db")
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	const warm, counted = 200, 100
	record := r.recorder(ctx, s)
	var before, after int64
	for i := range warm + counted {
		if i == warm {
			if before, err = logSize(path); err != nil {
				return 0, err
			}
		}
		if err := record(); err != nil {
			return 0, err
		}
	}
	if after, err = logSize(path); err != nil {
		return 0, err
	}
	if after <= before {
		return 0, fmt.Errorf("the log did not grow: %d, then %d bytes", before, after)
	}
	return int(after-before) / counted, nil
}

func timed(f func() error) (time.Duration, error) {
	start := time.Now()
	err := f()
	return time.Since(start), err
}

// logSize is the length of the write-ahead log's file.
func logSize(path string) (int64, error) {
	fi, err := os.Stat(path + "-wal")
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

// timing notes when an entry was on disk.
type timing struct {
	kiosk.Ledger
	stored chan<- time.Time
}

func (t timing) Record(ctx context.Context, e kiosk.Entry) error {
	err := t.Ledger.Record(ctx, e)
	t.stored <- time.Now()
	return err
}

// scans measures the whole way: a scanner on a pty, the driver, the desk, the
// ledger, and the event stream of the screen.
func (r *run) scans(ctx context.Context, bytes int) ([]Figure, float64, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, 0, err
	}
	defer master.Close()
	defer slave.Close()
	conf, err := r.config(slave.Name())
	if err != nil {
		return nil, 0, err
	}
	ctx, stop := context.WithCancel(ctx)
	ready, ended := make(chan string, 1), make(chan error, 1)
	stored := make(chan time.Time, 16)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		stop()
		return nil, 0, err
	}
	go func() {
		ended <- daemon.Run(ctx, daemon.Options{Config: conf, Listener: ln,
			Log:    slog.New(slog.NewTextHandler(io.Discard, nil)),
			Ready:  func() { ready <- ln.Addr().String() },
			Ledger: func(l kiosk.Ledger) kiosk.Ledger { return timing{l, stored} }})
	}()
	defer func() { stop(); <-ended }()
	select {
	case err := <-ended:
		ended <- err
		return nil, 0, err
	case <-ready:
	}
	h := &hand{scanner: master}
	if h.screen, err = watch.Open(ctx, ln.Addr().String(), nil); err != nil {
		return nil, 0, err
	}
	defer h.screen.Close()
	if err := h.begin(); err != nil {
		return nil, 0, err
	}
	b, err := newBare(r.data, bytes)
	if err != nil {
		return nil, 0, err
	}
	defer b.close()
	var durable, shown, plain times
	for n := range r.Scans {
		if n > 0 && n%perPatron == 0 {
			if err := h.another(); err != nil {
				return nil, 0, err
			}
		}
		d, err := timed(b.write)
		if err != nil {
			return nil, 0, err
		}
		plain = append(plain, d)
		code := r.spread(n)
		if _, err := io.WriteString(master, string(code)); err != nil {
			return nil, 0, err
		}
		start := time.Now()
		lent, err := h.scan("\r", func(s watch.Screen) bool { return s.State(code) == "lent" })
		if err != nil {
			return nil, 0, fmt.Errorf("scan %d of %s: %w", n, code, err)
		}
		shown = append(shown, lent.At.Sub(start))
		durable = append(durable, (<-stored).Sub(start))
	}
	size := fmt.Sprintf(", %d items", r.items)
	return []Figure{
		{Name: "scan to durable loan beside bare write, median" + size, Value: durable.at(50), Unit: "ms", Limit: plain.at(50), Aim: 3},
		{Name: "scan to durable loan beside bare write, p99" + size, Value: durable.at(99), Unit: "ms", Limit: plain.at(99)},
		{Name: "scan to screen event beside bare write, median" + size, Value: shown.at(50), Unit: "ms", Limit: plain.at(50), Aim: 3},
		{Name: "scan to screen event beside bare write, p99" + size, Value: shown.at(99), Unit: "ms", Limit: plain.at(99)},
	}, durable.at(50) / plain.at(50), nil
}

func (r *run) toml(path string) string {
	return fmt.Sprintf(`[kiosk]
name = "bench"
library = "BENCH"
data = %q
listen = "127.0.0.1:0"
[[device]]
name = "scanner"
driver = "serialscan"
path = %q
suffix = "cr"
[upstream]
driver = "none"
[screen]
idle = "10m"
`, r.data, path)
}

func (r *run) config(path string) (*config.Config, error) {
	return config.Parse("bench.toml", []byte(r.toml(path)))
}

// process starts a daemon of its own and measures the time until it answers,
// and the memory it holds after some work.
func (r *run) process(ctx context.Context) ([]Figure, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	defer master.Close()
	defer slave.Close()
	file := filepath.Join(r.data, "kiosk.toml")
	if err := os.WriteFile(file, []byte(r.toml(slave.Name())), 0o600); err != nil {
		return nil, err
	}
	var starts times
	var rss float64
	const rounds = 11
	for i := range rounds {
		took, mem, err := r.once(file, i == rounds-1, master)
		if err != nil {
			return nil, err
		}
		starts = append(starts, took)
		rss = max(rss, mem)
	}
	size := fmt.Sprintf(", %d items", r.items)
	return []Figure{
		{Name: "start to ready, median of 11" + size, Value: starts.at(50) / 1000, Unit: "s", Aim: 0.15},
		{Name: "resident memory after 150 loans" + size, Value: rss, Unit: "MB", Aim: 60},
	}, nil
}

// once starts the daemon, waits for its word that it is ready, and if work is
// wanted lends 150 items.
func (r *run) once(file string, work bool, scanner io.Writer) (time.Duration, float64, error) {
	cmd := r.Start(file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	took := time.Since(start)
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		return 0, 0, fmt.Errorf("the daemon said %q: %v", line, err)
	}
	if !work {
		return took, 0, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	h := &hand{scanner: scanner}
	if h.screen, err = watch.Open(ctx, addr, nil); err != nil {
		return 0, 0, err
	}
	defer h.screen.Close()
	if err := h.begin(); err != nil {
		return 0, 0, err
	}
	for n := range 150 {
		code := r.spread(r.items*3/4 + n)
		done := func(s watch.Screen) bool { st := s.State(code); return st != "" && st != "waiting" }
		if _, err := h.scan(string(code)+"\r", done); err != nil {
			return 0, 0, err
		}
	}
	mem, err := resident(cmd.Process.Pid)
	return took, mem, err
}

// resident is the memory a process holds, in MB of 10^6 bytes (proc(5), VmRSS).
func resident(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("process %d tells no VmRSS", pid)
}

// hand scans and looks at the screen.
type hand struct {
	scanner io.Writer
	screen  *watch.Stream
}

// scan sends text and waits for a screen that fits.
func (h *hand) scan(text string, fits func(watch.Screen) bool) (watch.Screen, error) {
	if _, err := io.WriteString(h.scanner, text); err != nil {
		return watch.Screen{}, err
	}
	return h.screen.Until(20*time.Second, fits)
}

// begin opens a session. What is scanned before the scanner was opened is
// lost with a pty, so it is tried again.
func (h *hand) begin() (err error) {
	for range 10 {
		if _, err = io.WriteString(h.scanner, string(card)+"\r"); err != nil {
			return err
		}
		_, err = h.screen.Until(2*time.Second, func(s watch.Screen) bool { return s.View == "items" && len(s.Lines) == 0 })
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("the session does not open: %w", err)
}

// another begins a new session by way of an unknown card.
func (h *hand) another() error {
	if _, err := h.scan("29999999999999\r", func(s watch.Screen) bool { return s.View == "welcome" }); err != nil {
		return err
	}
	return h.begin()
}
