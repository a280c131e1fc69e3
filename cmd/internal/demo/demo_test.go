package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/watch"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/intake"
)

// desk is a running demo with its scanner and its screen.
type desk struct {
	*testing.T
	addr   string
	screen *watch.Stream
	lib    Library
	used   int
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Listen: "127.0.0.1:0", Data: t.TempDir(), Log: slog.New(slog.DiscardHandler),
			Ready: func(addr string) { ready <- addr }})
	}()
	d := &desk{T: t}
	select {
	case d.addr = <-ready:
	case err := <-ended:
		t.Fatalf("the demo does not start: %v", err)
	}
	t.Cleanup(func() {
		d.screen.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the demo ends with %v", err)
		}
	})
	var err error
	if d.screen, err = watch.Open(ctx, d.addr, nil); err != nil {
		t.Fatal(err)
	}
	if d.lib, err = Load(time.Now()); err != nil {
		t.Fatal(err)
	}
	d.until("a line to the library's system", func(s watch.Screen) bool { return s.Online })
	d.bench("a scanner that is read", func(s sim.State) bool { return s.Read })
	return d
}

// bench waits for what the page of the hardware shows.
func (d *desk) bench(what string, fits func(sim.State) bool) sim.State {
	d.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		resp, err := http.Get("http://" + d.addr + "/sim/state")
		if err != nil {
			d.Fatal(err)
		}
		var s sim.State
		err = json.NewDecoder(resp.Body).Decode(&s)
		resp.Body.Close()
		if err == nil && fits(s) {
			return s
		}
		if time.Now().After(end) {
			d.Fatalf("%s: it stays %+v, %v", what, s, err)
		}
	}
}

// works waits until a device is open: the desk lends without it.
func (d *desk) works(device string) {
	d.Helper()
	up := fmt.Sprintf(`carrel_device_up{device=%q`, device)
	d.bench("a "+device+" that works", func(sim.State) bool {
		resp, err := http.Get("http://" + d.addr + "/metrics")
		if err != nil {
			d.Fatal(err)
		}
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if l := lines.Text(); strings.HasPrefix(l, up) && strings.HasSuffix(l, " 1") {
				return true
			}
		}
		return false
	})
}

func (d *desk) post(path string, form url.Values) {
	d.Helper()
	resp, err := http.PostForm("http://"+d.addr+path, form)
	if err != nil {
		d.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		text, _ := io.ReadAll(resp.Body)
		d.Fatalf("POST %s: %s %s", path, resp.Status, text)
	}
}

func (d *desk) scan(code string) { d.Helper(); d.post("/sim/scan", url.Values{"code": {code}}) }

func (d *desk) turn(name string, on string) {
	d.Helper()
	d.post("/sim/switch", url.Values{"name": {name}, "on": {on}})
}

func (d *desk) until(what string, fits func(watch.Screen) bool) watch.Screen {
	d.Helper()
	s, err := d.screen.Until(20*time.Second, fits)
	if err != nil {
		d.Fatalf("%s: %v", what, err)
	}
	return s
}

// by finds a card or barcode by what the library notes of it.
func (d *desk) by(note string) string {
	d.Helper()
	for code, n := range d.lib.Notes {
		if strings.Contains(n, note) {
			return code
		}
	}
	d.Fatalf("the library has nothing that is %q", note)
	return ""
}

// reader is a patron about whom nothing is special and who has nothing.
func (d *desk) reader(n int) string {
	has := map[kiosk.Card]bool{}
	for _, l := range d.lib.Loans {
		has[l.Patron] = true
	}
	for _, p := range d.lib.Patrons {
		if d.lib.Notes[string(p.Card)] == "" && d.lib.PINs[p.Card] == "" && !has[p.Card] {
			if n == 0 {
				return string(p.Card)
			}
			n--
		}
	}
	d.Fatal("no such reader")
	return ""
}

// book is the next one that anybody may borrow.
func (d *desk) book() string {
	i := 0
	for _, it := range d.lib.Items {
		if it.Status == kiosk.StatusAvailable && !it.Reference && !it.NoLoan && d.lib.Notes[string(it.Barcode)] == "" {
			if i++; i > d.used {
				d.used++
				return string(it.Barcode)
			}
		}
	}
	d.Fatal("no book is left")
	return ""
}

func (d *desk) open(card string) {
	d.Helper()
	d.scan(card)
	d.until("a session", func(s watch.Screen) bool { return s.View == "items" && len(s.Lines) == 0 })
}

func (d *desk) finish() {
	d.Helper()
	d.post("/touch/finish", nil)
	d.until("the end", func(s watch.Screen) bool { return s.View == "welcome" || s.View == "receipt" })
	d.post("/touch/cancel", nil)
	d.until("welcome", func(s watch.Screen) bool { return s.View == "welcome" && len(s.Lines) == 0 })
}

// refused waits for the item's refusal and looks at the words.
func (d *desk) refused(item string, want kiosk.Reason) {
	d.Helper()
	s := d.until("a refusal", func(s watch.Screen) bool {
		st := s.State(kiosk.Barcode(item))
		return st != "" && st != "waiting"
	})
	l, _ := s.Line(kiosk.Barcode(item))
	if l.State != "refused" || l.Reason != want || len(l.Text) < 10 {
		d.Errorf("%s: %+v; want it refused as %s, in words", item, l, want)
	}
}

// TestBadCards: each is turned away with words, and nobody's name is shown.
func TestBadCards(t *testing.T) {
	d := newDesk(t)
	for name, card := range map[string]string{
		"unknown": checked("2999900000001"), "expired": d.by("expired a month ago"), "barred": d.by("barred by the office"),
		"lost": d.by("reported lost"), "owing": d.by("owes 14.75"), "wrong check digit": wrong(checked("2999900000001")),
	} {
		d.scan(card)
		s := d.until(name, func(s watch.Screen) bool { return s.View == "welcome" && s.Notice != "" })
		if s.Patron != "" || len(s.Notice) < 20 {
			t.Errorf("%s: the screen shows %+v", name, s)
		}
		d.post("/touch/cancel", nil)
		d.until(name+": the notice's end", func(s watch.Screen) bool { return s.Notice == "" })
	}
}

func TestBadBooks(t *testing.T) {
	d := newDesk(t)
	d.open(d.reader(0))
	onLoan := ""
	for _, l := range d.lib.Loans {
		onLoan = string(l.Item)
	}
	d.scan(d.lib.barcodeOf("withdrawn"))
	d.refused(d.lib.barcodeOf("withdrawn"), kiosk.ReasonNotForLoan)
	for item, why := range map[string]kiosk.Reason{
		checked("3999900000001"): kiosk.ReasonUnknownItem, d.by("for use in the library"): kiosk.ReasonNotForLoan,
		onLoan: kiosk.ReasonOnLoanOther, d.by("on the hold shelf"): kiosk.ReasonOnHold, "30417000010018": kiosk.ReasonCheckDigit,
		"%C123H": kiosk.ReasonForeign, "📚🤖": kiosk.ReasonUnreadable,
	} {
		d.scan(item)
		d.refused(item, why)
	}
	for name, code := range map[string]string{"control characters": "3\x1b[2J1", "10 kB": strings.Repeat("9", 10_000), "an address": "https://example.org/"} {
		before := 0
		d.until(name, func(s watch.Screen) bool { before = len(s.Lines); return true })
		d.scan(code)
		s := d.until(name, func(s watch.Screen) bool { return len(s.Lines) > before })
		if l := s.Lines[len(s.Lines)-1]; l.State != "refused" || len(l.Barcode) > 200 {
			t.Errorf("%s: %+v", name, l)
		}
	}
	// One bad book never stops the others.
	good := d.book()
	d.scan(good)
	d.until("a loan after all that", func(s watch.Screen) bool { return s.State(kiosk.Barcode(good)) == "lent" })
}

// checked adds the check digit.
func checked(number string) string {
	for c := '0'; ; c++ {
		if intake.Mod10(number + string(c)) {
			return number + string(c)
		}
	}
}

// wrong changes the check digit.
func wrong(number string) string {
	last := number[len(number)-1]
	return number[:len(number)-1] + string('0'+(last-'0'+1)%10)
}

func (l Library) barcodeOf(note string) string {
	for code, n := range l.Notes {
		if strings.Contains(n, note) {
			return code
		}
	}
	return ""
}

// TestAgain: what this patron has already is offered for renewal, in this
// session it is simply there.
func TestAgain(t *testing.T) {
	d := newDesk(t)
	book := d.book()
	lent := func(s watch.Screen) bool { return s.State(kiosk.Barcode(book)) == "lent" }
	d.open(d.reader(0))
	d.scan(book)
	d.until("a loan", lent)
	d.scan(book)
	d.scan("%C1A") // comes after it
	if s := d.until("both", func(s watch.Screen) bool { return len(s.Lines) == 2 }); !lent(s) {
		t.Errorf("the same scan twice: %+v", s.Lines)
	}
	d.finish()
	d.open(d.reader(0))
	d.scan(book)
	d.until("an offer to renew", func(s watch.Screen) bool {
		l, _ := s.Line(kiosk.Barcode(book))
		return l.State == "action" && l.Reason == kiosk.ReasonOnLoanYou
	})
	d.finish()
	d.open(d.reader(1))
	d.scan(book)
	d.refused(book, kiosk.ReasonOnLoanOther)
}

// TestSecondCard: it ends the session of the first; a code during the receipt
// is nobody's.
func TestSecondCard(t *testing.T) {
	d := newDesk(t)
	first, second, third := d.book(), d.book(), d.book()
	d.open(d.reader(0))
	d.scan(first)
	d.scan(d.reader(1)) // at once: the first book is still being worked on
	d.scan(second)
	s := d.until("the second reader's loan", func(s watch.Screen) bool { return s.State(kiosk.Barcode(second)) == "lent" })
	if len(s.Lines) != 1 {
		t.Errorf("the second reader sees %+v", s.Lines)
	}
	d.post("/touch/finish", nil)
	d.until("a receipt", func(s watch.Screen) bool { return s.View == "receipt" })
	d.scan(third)
	s = d.until("a book that waits", func(s watch.Screen) bool { return s.State(kiosk.Barcode(third)) == "action" })
	if s.View != "welcome" || s.Patron != "" || len(s.Lines) != 1 {
		t.Errorf("a code during the receipt: %+v", s)
	}
}

// TestILSTrouble: rubbish, silence, a cut line: the patron is served all the
// same, within the deadline, and the ILS hears of it when it is back.
func TestILSTrouble(t *testing.T) {
	for _, trouble := range []string{"garbage", "late", "cut"} {
		t.Run(trouble, func(t *testing.T) {
			d := newDesk(t)
			book := d.book()
			d.open(d.reader(0))
			d.turn(trouble, "true")
			start := time.Now()
			d.scan(book)
			d.until("a loan", func(s watch.Screen) bool { return s.State(kiosk.Barcode(book)) == "lent" })
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("the patron waited %v", took)
			}
			d.until("offline", func(s watch.Screen) bool { return !s.Online || trouble == "garbage" })
			d.turn(trouble, "false")
			d.told(book)
		})
	}
}

// told waits until the ILS has the loan.
func (d *desk) told(book string) {
	d.Helper()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); {
		resp, err := http.Get("http://" + d.addr + "/sim/state")
		if err != nil {
			d.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if strings.Contains(string(text), book) {
			return
		}
		<-time.After(100 * time.Millisecond)
	}
	d.Errorf("the ILS never hears of %s", book)
}

func TestUnplugged(t *testing.T) {
	d := newDesk(t)
	d.post("/sim/plug", url.Values{"on": {"false"}})
	d.until("a fault", func(s watch.Screen) bool { return len(s.Faults) == 1 })
	d.post("/sim/plug", url.Values{"on": {"true"}})
	d.until("no fault", func(s watch.Screen) bool { return len(s.Faults) == 0 })
	book := d.book()
	d.open(d.reader(0))
	d.scan(book)
	d.until("a loan", func(s watch.Screen) bool { return s.State(kiosk.Barcode(book)) == "lent" })
}

// TestReceipt: the demo's printer, at the end of its line, prints what was
// lent; without paper the session goes on, and the light says so.
func TestReceipt(t *testing.T) {
	d := newDesk(t)
	d.bench("a light", func(s sim.State) bool { return s.Panel != nil && s.Panel.Light == drivers.LightReady })
	paper := func(s sim.State) (text string) {
		for _, slip := range s.Paper {
			for _, l := range slip.Lines {
				text += l.Text + "\n"
			}
		}
		return text
	}
	borrow := func() (title string) {
		book := d.book()
		d.open(d.reader(0))
		d.scan(book)
		d.until("a loan", func(s watch.Screen) bool { return s.State(kiosk.Barcode(book)) == "lent" })
		d.post("/touch/finish", nil)
		d.until("the receipt", func(s watch.Screen) bool { return s.View == "receipt" })
		for _, i := range d.lib.Items {
			if string(i.Barcode) == book {
				return i.Title
			}
		}
		return "?"
	}
	title := borrow()
	d.works("printer")
	d.post("/touch/print", nil)
	got := paper(d.bench("paper", func(s sim.State) bool { return len(s.Paper) == 1 && s.Paper[0].Cut }))
	if !strings.Contains(got, title[:min(len(title), 20)]) || !strings.Contains(got, "Borrowed") || strings.Contains(got, d.reader(0)) {
		t.Errorf("printed %q; want %q, and no number of a card", got, title)
	}
	d.turn("no-paper", "true")
	d.post("/touch/cancel", nil)
	d.until("the welcome", func(s watch.Screen) bool { return s.View == "welcome" })
	d.bench("the light", func(s sim.State) bool { return s.Panel.Light == drivers.LightAttention })
	d.post("/sim/panel", url.Values{"what": {"help"}})
	d.bench("the light", func(s sim.State) bool { return s.Panel.Light == drivers.LightHelp })
	d.post("/sim/panel", url.Values{"what": {"help"}})
	d.turn("no-paper", "false")
	d.bench("the light", func(s sim.State) bool { return s.Panel.Light == drivers.LightReady })
}
