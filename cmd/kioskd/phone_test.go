package main

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/codabar"
	"github.com/boombuler/barcode/code128"
	"github.com/boombuler/barcode/code39"
	"github.com/boombuler/barcode/ean"
	"github.com/boombuler/barcode/qr"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/cmd/internal/ownca"
	"github.com/carrel-kiosk/carrel/cmd/internal/password"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web/browsertest"
)

const phoneConfig = `
[kiosk]
name = "front-desk"
library = "MAIN"
data = %q
languages = ["en", "de", "ar"]
[upstream]
driver = "none"
[barcodes]
patron = ["99999[0-9]{6}"]
item = ["B[0-9]{2}", "2[0-9]{12,13}"]
[staff]
password_file = "staff.password"
[phones]
listen = "127.0.0.1:0"
`

// labels are codes of every kind that a library has on its books, by the
// place of the book on the shelf.
func labels(t *testing.T) (codes []barcode.Barcode, numbers []kiosk.Barcode) {
	t.Helper()
	add := func(number string, b barcode.Barcode, err error) {
		if err != nil {
			t.Fatal(err)
		}
		codes, numbers = append(codes, b), append(numbers, kiosk.Barcode(number))
	}
	b, err := code128.Encode("B00")
	add("B00", b, err)
	e, err := ean.Encode("200000000001")
	add(e.Content(), e, err)
	c39, err := code39.Encode("B02", false, false)
	add("B02", c39, err)
	cb, err := codabar.Encode("A29999001234567B")
	add("29999001234567", cb, err)
	q, err := qr.Encode("B04", qr.M, qr.Unicode)
	add("B04", q, err)
	return codes, numbers
}

// film writes what a camera sees that is led along the labels: for a while
// each, with nothing between them (YUV4MPEG2, five pictures a second).
func film(t *testing.T, file string, codes []barcode.Barcode) {
	t.Helper()
	const width, height, nothing, each, between = 640, 360, 5, 7, 3
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(f)
	fmt.Fprintf(out, "YUV4MPEG2 W%d H%d F5:1 Ip A1:1 C420\n", width, height)
	grey := make([]byte, width*height/2)
	for i := range grey {
		grey[i] = 128
	}
	show := func(b barcode.Barcode, times int) {
		img := image.NewGray(image.Rect(0, 0, width, height))
		draw.Draw(img, img.Rect, image.NewUniform(color.Gray{200}), image.Point{}, draw.Src)
		if b != nil {
			w, h := 3*b.Bounds().Dx(), 120
			if b.Bounds().Dy() > 1 {
				w, h = 8*b.Bounds().Dx(), 8*b.Bounds().Dy()
			}
			big, err := barcode.Scale(b, w, h)
			if err != nil {
				t.Fatal(err)
			}
			at := image.Rect(0, 0, w, h).Add(image.Pt((width-w)/2, (height-h)/2))
			draw.Draw(img, at.Inset(-40), image.White, image.Point{}, draw.Src) // the label
			draw.Draw(img, at, big, image.Point{}, draw.Src)
		}
		for range times {
			out.WriteString("FRAME\n")
			out.Write(img.Pix)
			out.Write(grey)
		}
	}
	show(nil, nothing)
	for _, b := range codes {
		show(b, each)
		show(nil, between)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestPhoneInBrowser walks along a shelf with a phone: it is paired and
// trusted, its camera, which sees a film, scans over HTTPS into a running
// inventory, and what it scans without a network it hands over later.
func TestPhoneInBrowser(t *testing.T) {
	data := t.TempDir()
	codes, numbers := labels(t)
	shelve(t, data, numbers)
	video := filepath.Join(t.TempDir(), "shelf.y4m")
	film(t, video, codes)
	base := runWithPhones(t, data)
	script, err := filepath.Abs(filepath.Join("browser", "phone.cjs"))
	if err != nil {
		t.Fatal(err)
	}
	browsertest.Run(t, script, "BASE="+base, "PASSWORD=letmein", "FILM="+video, "PICTURE="+photo(t), "LEDGER="+data)
}

// runWithPhones runs a kiosk with phones until the end of the test, and gives
// the address of its screen.
func runWithPhones(t *testing.T, data string) (base string) {
	t.Helper()
	hash, err := password.Make("letmein")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(data, "kiosk.toml")
	for name, text := range map[string]string{file: fmt.Sprintf(phoneConfig, data), filepath.Join(data, "staff.password"): hash} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- daemon.Run(ctx, daemon.Options{Config: c, Log: slog.New(slog.DiscardHandler), Listener: ln, Ready: func() { close(ready) }})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the daemon ends with %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	return "http://" + ln.Addr().String()
}

// TestKioskWithoutPhones: what keeps phones from being served keeps nobody from
// borrowing.
func TestKioskWithoutPhones(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, ownca.RootFile), []byte("cut off"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := http.Get(runWithPhones(t, data))
	if err != nil {
		t.Fatal(err)
	}
	if r.Body.Close(); r.StatusCode != http.StatusOK {
		t.Errorf("the screen: %s", r.Status)
	}
}

// photo is a picture as a camera makes it.
func photo(t *testing.T) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 2000, 1500))
	for y := range 1500 {
		for x := range 2000 {
			img.SetRGBA(x, y, color.RGBA{uint8(x / 8), uint8(y / 6), uint8(x ^ y), 255})
		}
	}
	file := filepath.Join(t.TempDir(), "cover.jpg")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := jpeg.Encode(f, img, nil); err != nil {
		t.Fatal(err)
	}
	return file
}

// shelve fills a library: the numbers stand first, others follow.
func shelve(t *testing.T, data string, numbers []kiosk.Barcode) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(data, daemon.LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	titles := []string{"A brief history of nearly everything that can be weighed", "Frogs", "كتاب الأدغال"}
	var items []kiosk.Item
	for i := range 60 {
		number := kiosk.Barcode(fmt.Sprintf("B%02d", i))
		if i < len(numbers) {
			number = numbers[i]
		}
		items = append(items, kiosk.Item{Barcode: number, Title: titles[i%3], CallNumber: fmt.Sprintf("%d A", 500+i), Scheme: "ddc", Library: "MAIN", Location: "Stacks", Status: kiosk.StatusAvailable})
	}
	if _, err := store.PutItems(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	if err := store.Want(t.Context(), "hold", []kiosk.Wanted{{Item: "B08"}}); err != nil {
		t.Fatal(err)
	}
}
