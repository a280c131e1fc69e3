package daemon

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/drivers/sim/port"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// counter is a kiosk that runs, with its scanner on a pty.
type counter struct {
	*testing.T
	*Daemon
	scanner *port.Port
	base    string
	logged  *safeBuffer
}

// safeBuffer is a log for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func newCounter(t *testing.T) *counter { return newCounterOf(t, "2[0-9]{13}", "3[0-9]{13}") }

// newCounterOf is a kiosk with these patterns of cards and items.
func newCounterOf(t *testing.T, card, item string) *counter {
	p, err := port.Open("")
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	conf, err := config.Parse(filepath.Join(data, "kiosk.toml"), fmt.Appendf(nil, `
[kiosk]
name = "test"
data = %q
[[device]]
name = "scanner"
driver = "serialscan"
path = %q
[upstream]
driver = "none"
[barcodes]
patron = [%q]
item = [%q]
`, data, p.Path, card, item))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{T: t, scanner: p, base: "http://" + ln.Addr().String(), logged: &safeBuffer{}}
	ready, ended := make(chan bool), make(chan error, 1)
	c.Daemon = &Daemon{since: time.Now(), Options: Options{Config: conf, Listener: ln, Log: slog.New(slog.NewTextHandler(c.logged, nil)), Ready: func() { close(ready) }}}
	ctx, cancel := context.WithCancel(context.Background())
	c.starting(ctx)
	if err := c.open(ctx); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- c.serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve() = %v", err)
		}
		if err := c.store.Close(); err != nil {
			t.Error(err)
		}
		p.Close()
	})
	<-ready
	return c
}

// until waits for something, and says what never was.
func (c *counter) until(what string, ok func() bool) {
	c.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			c.Fatalf("never: %s; the screen is %+v, the log %s", what, c.desk.Screen(), c.logged)
		}
	}
}

func (c *counter) scan(code string) { fmt.Fprint(c.scanner, code+"\r") }

// atDesk scans something that the desk is to take.
func (c *counter) atDesk(what, code string, ok func(kiosk.Screen) bool) {
	c.Helper()
	was := c.desk.Screen().Seq
	c.scan(code)
	c.until(what, func() bool { sc := c.desk.Screen(); return sc.Seq > was && ok(sc) })
}

// door opens a page at the door; read is the next badge that it gets, empty
// when it is no longer waited for.
func (c *counter) door() (read func() string, leave func()) {
	c.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), time.Minute)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/staff/badge", nil)
	if err != nil {
		c.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.Fatal(resp, err)
	}
	lines := bufio.NewReader(resp.Body)
	leave = func() { cancel(); resp.Body.Close() }
	c.Cleanup(leave)
	return func() string {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return ""
		}
		if _, err := lines.ReadString('\n'); err != nil {
			c.Error(err)
		}
		return strings.TrimPrefix(strings.TrimSpace(line), "data: ")
	}, leave
}

// TestBadgeAtTheDoor: a badge that the kiosk's scanner reads goes to the page
// at the door that waits for one, the newest, and all else to the desk as ever.
func TestBadgeAtTheDoor(t *testing.T) {
	c := newCounter(t)
	ctx := t.Context()
	patron := kiosktest.Patron(1)
	patron.Card, patron.Expires = "20000000000001", time.Time{}
	if _, err := c.store.PutPatrons(ctx, []kiosk.Patron{patron}); err != nil {
		t.Fatal(err)
	}
	const ann, ben = "20000000000099", "STAFF-BEN" // looks like a patron's card; like nothing
	for _, badge := range []kiosk.Card{ann, ben} {
		if err := c.store.PutMember(ctx, kiosk.Member{Badge: badge, Name: "Ann", Role: kiosk.Helper, Hash: "x"}, kiosk.Act{What: "account", At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	c.until("the scanner works", func() bool { return c.devices.status()[0].Working })

	first, _ := c.door()
	seq := c.desk.Screen().Seq
	c.scan(ann)
	if got := first(); got != ann {
		t.Errorf("the page has read %q; want %q", got, ann)
	}
	second, leave := c.door()
	if got := first(); got != "" {
		t.Errorf("a page that another one took over from has read %q", got)
	}
	c.scan(" " + ben)
	if got := second(); got != ben {
		t.Errorf("the newer page has read %q; want %q", got, ben)
	}
	if sc := c.desk.Screen(); sc.Seq != seq || sc.View != kiosk.ViewWelcome {
		t.Errorf("the desk has seen a badge: %+v", sc)
	}
	if text := c.logged.String(); strings.Contains(text, ann) || strings.Contains(text, ben) {
		t.Errorf("a badge is in the log: %s", text)
	}
	if acts, err := c.store.Acts(ctx, kiosk.ActFilter{Badge: ann}); err != nil || len(acts) != 0 {
		t.Errorf("a badge alone is in the audit log: %+v, %v", acts, err)
	}

	unknown := func(sc kiosk.Screen) bool {
		return sc.View == kiosk.ViewWelcome && sc.Notice.Reason == kiosk.ReasonUnknownCard
	}
	c.atDesk("an unknown card is refused", "20000000000077", unknown)
	leave()
	c.until("the page that went away is not waited for", func() bool { return !c.staff.badges.Wanted() })
	c.atDesk("without a page a badge is a card", ann, unknown)

	c.atDesk("a patron is there", "20000000000001", func(sc kiosk.Screen) bool { return sc.View == kiosk.ViewItems })
	third, _ := c.door()
	c.atDesk("meanwhile a badge is a card", ann, func(kiosk.Screen) bool { return true })
	c.until("the desk is free", func() bool {
		if sc := c.desk.Screen(); sc.View != kiosk.ViewWelcome {
			c.desk.Send(ctx, kiosk.Finish{}) //nolint:errcheck // tried again
			return false
		}
		return true
	})
	c.scan(ben)
	if got := third(); got != ben {
		t.Errorf("the page has read %q; want %q alone", got, ben)
	}
	fourth, _ := c.door()
	if c.staff.takesBadge(ctx, "", "E004015000000007") || !c.staff.takesBadge(ctx, ann, "E004015000000007") {
		t.Error("of what lies on the pad all is taken, or a badge is not")
	}
	if got := fourth(); got != ann {
		t.Errorf("the page has read %q off the pad; want %q", got, ann)
	}
	fifth, _ := c.door()
	if !c.staff.scannedBadge(ctx, "*"+ann+"*", kiosk.EitherRead{Code: ann}) {
		t.Error("a badge whose number might be a book's is not taken as the cards here are read")
	}
	if got := fifth(); got != ann {
		t.Errorf("the page has read %q of a badge between signs; want %q", got, ann)
	}
	if err := c.staff.lease(time.Minute); err != nil {
		t.Fatal(err)
	}
	if c.door(); c.staff.takesBadge(ctx, ben) {
		t.Error("the door takes what is scanned for staff's work")
	}
}
