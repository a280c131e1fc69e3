package daemon

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/escpos"
	"github.com/carrel-kiosk/carrel/drivers/escpos/escpossim"
	"github.com/carrel-kiosk/carrel/drivers/link"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
)

// spool is the receipts of a daemon with a printer on a pty.
func spool(t *testing.T, sim *escpossim.Printer) *receipts {
	t.Helper()
	d := &Daemon{Options: Options{Config: &config.Config{Location: time.UTC}, Log: slog.New(slog.DiscardHandler)}}
	d.Config.Kiosk.Data, d.Config.Kiosk.Title, d.Config.Kiosk.Languages = t.TempDir(), "Maple", []string{"en", "ar"}
	d.desk = desk.New(desk.Config{NewID: newID, Log: d.Log}) // for its faults
	r, err := newReceipts(d)
	if err != nil {
		t.Fatal(err)
	}
	l := drivertest.Plug(t, link.Config{Baud: 115200, DataBits: 8}, func(rw io.ReadWriter) error { return sim.Serve(rw) })
	p, err := escpos.Open(l, *escpos.Driver.NewConfig().(*escpos.Config))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.run(ctx, "printer", p) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run() = %v", err)
		}
	})
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		r.mu.Lock()
		open := r.printers
		r.mu.Unlock()
		if open > 0 {
			return r
		}
	}
	t.Fatal("the printer is not used")
	return nil
}

func borrowed(language, title string) kiosk.Deliver {
	return kiosk.Deliver{How: kiosk.Print, Receipt: kiosk.Receipt{Visit: "v1", Mode: kiosk.Borrowing, Language: language, At: time.Now(),
		Lines: []kiosk.Line{{Item: "31", Title: title, Kind: kiosk.Checkout, State: kiosk.LineLent, Due: time.Now().AddDate(0, 0, 21)}}}}
}

// TestReceiptOnPaper: a receipt comes out of the printer in its language; what
// it has no letters for comes as a picture.
func TestReceiptOnPaper(t *testing.T) {
	sim := escpossim.New(escpossim.Options{})
	r := spool(t, sim)
	if err := r.deliver(t.Context(), borrowed("en", "Dune")); err != nil {
		t.Fatal(err)
	}
	got := sim.Slips()[0].String()
	for _, want := range []string{"Maple", "Borrowed", "Dune", "Due "} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not on paper:\n%s", want, got)
		}
	}
	if err := r.deliver(t.Context(), borrowed("ar", "كتاب")); err != nil {
		t.Fatal(err)
	}
	if got := sim.Slips()[1].String(); strings.Contains(got, "?") || strings.Count(got, "[picture]") < 1 {
		t.Errorf("in Arabic:\n%s", got)
	}
	if u := sim.Unknown(); len(u) > 0 {
		t.Errorf("the printer did not know %x", u)
	}
}

// TestPaperOut: without paper the patron is told, staff sees a fault, and what
// was to be printed is gone when there is paper again.
func TestPaperOut(t *testing.T) {
	sim := escpossim.New(escpossim.Options{})
	r := spool(t, sim)
	sim.Set(escpossim.State{NoPaper: true})
	if err := r.deliver(t.Context(), borrowed("en", "Secret")); !errors.Is(err, kiosk.ErrNoPaper) {
		t.Errorf("deliver() = %v; want ErrNoPaper", err)
	}
	sim.Set(escpossim.State{})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := r.deliver(t.Context(), borrowed("en", "Dune"))
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("with paper again: %v", err)
		}
	}
	for _, s := range sim.Slips() {
		if strings.Contains(s.String(), "Secret") {
			t.Errorf("it came out later: %s", s)
		}
	}
}

// TestNoPrinter: where none works nobody waits.
func TestNoPrinter(t *testing.T) {
	r := &receipts{jobs: make(chan printJob)}
	if err := r.print(t.Context(), drivers.Slip{}); err == nil {
		t.Error("print() without a printer succeeds")
	}
}

// TestPreview: it takes the library's own template at once, and says what is
// wrong with one.
func TestPreview(t *testing.T) {
	r := spool(t, escpossim.New(escpossim.Options{}))
	k := borrowed("ar", "Dune").Receipt
	before := r.Preview(k, kiosk.Patron{}, r.Style())
	if before.Broken != nil || before.Paper.Rect.Dy() < 200 || !strings.Contains(before.Mail, "Dune") || !strings.Contains(before.Code, "Dune") {
		t.Errorf("Preview() = %v, %v, %q, %q", before.Broken, before.Paper.Rect, before.Mail, before.Code)
	}
	dir := filepath.Join(r.Config.Kiosk.Data, "receipts")
	os.Mkdir(dir, 0o700)
	os.WriteFile(filepath.Join(dir, "code.txt"), []byte("Ours: {{.Library}}"), 0o600)
	os.WriteFile(filepath.Join(dir, "mail.txt"), []byte("{{"), 0o600)
	if after := r.Preview(k, kiosk.Patron{}, r.Style()); after.Code != "Ours: Maple" || after.Broken == nil || after.Mail != before.Mail {
		t.Errorf("with templates: %q, %v, %q", after.Code, after.Broken, after.Mail)
	}
	rows, err := r.Code(k)
	if err != nil || len(rows) < 21 || len(rows) != len(rows[0]) || !rows[0][0] {
		t.Errorf("Code() = %d rows, %v", len(rows), err)
	}
}

// TestStyledPreview: the library's lines and logo stand on the paper, dates and
// the code where they are wanted.
func TestStyledPreview(t *testing.T) {
	r := spool(t, escpossim.New(escpossim.Options{}))
	k, style := borrowed("en", "Dune").Receipt, r.Style()
	before := r.Preview(k, kiosk.Patron{}, style)
	m := image.NewNRGBA(image.Rect(0, 0, 480, 120))
	draw.Draw(m, m.Rect, image.NewUniform(color.NRGBA{0xF0, 0xD0, 0x60, 0xFF}), image.Point{}, draw.Src) // paler than half grey
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	logo := kiosk.Brand{Name: "Elm Street", Logo: base64.StdEncoding.EncodeToString(b.Bytes())}
	r.brands = newBrands(r.Daemon)
	r.brands.up.Store(&logo)
	style.Head, style.Foot, style.Dates, style.Code = "# Hours: 9 to 5", "Come again", false, false
	after := r.Preview(k, kiosk.Patron{}, style)
	if after.Code != "" || after.Dots != nil || !strings.Contains(after.Mail, "Elm Street\n# Hours: 9 to 5\n") || !strings.Contains(after.Mail, "Come again") || strings.Contains(after.Mail, "Due") || before.Mail == after.Mail {
		t.Errorf("Preview() = %q, %q", after.Code, after.Mail)
	}
	inked := 0
	for _, v := range after.Paper.Pix[:120*after.Paper.Stride] {
		if v < 0x80 {
			inked++
		}
	}
	if all := 480 * 120; inked < all/20 || inked > all/2 {
		t.Errorf("the pale logo has %d dots of %d", inked, all)
	}
	for _, bad := range []string{"", "!", base64.StdEncoding.EncodeToString([]byte("no picture"))} {
		if paperLogo(bad) != nil {
			t.Errorf("%q is a logo", bad)
		}
	}
}
