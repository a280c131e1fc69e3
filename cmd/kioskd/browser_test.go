package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/carrel-kiosk/carrel/cmd/internal/demo"
	"github.com/carrel-kiosk/carrel/kiosk/web/browsertest"
)

// TestDemoInBrowser lends and returns as a person would: two windows, clicks
// only. CARREL_PICTURES, if set, is where README's pictures go.
func TestDemoInBrowser(t *testing.T) { inBrowser(t, "desk.cjs") }

// TestStackInBrowser puts a stack of twelve on the pad, with a set, a stranger
// and a book that is lifted too early, from welcome to receipt.
func TestStackInBrowser(t *testing.T) { inBrowser(t, "stack.cjs") }

// TestStaffInBrowser prepares tags as staff would.
func TestStaffInBrowser(t *testing.T) { inBrowser(t, "staff.cjs") }

// TestOfficeInBrowser walks through the other pages for staff, in every size.
func TestOfficeInBrowser(t *testing.T) { inBrowser(t, "office.cjs") }

// TestAccountInBrowser sees to a patron's account, also with the library's
// system away.
func TestAccountInBrowser(t *testing.T) { inBrowser(t, "account.cjs") }

// TestReceiptInBrowser reads the code off the screen as a phone does, and
// prints; when the time is up, nothing of the patron is left.
func TestReceiptInBrowser(t *testing.T) { inBrowser(t, "receipt.cjs") }

// inBrowser runs a script against a demo of its own.
func inBrowser(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- demo.Run(ctx, demo.Options{Listen: "127.0.0.1:0", Data: t.TempDir(), Log: slog.New(slog.DiscardHandler),
			Ready: func(addr string) { ready <- addr }})
	}()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the demo ends with %v", err)
		}
	}()
	var addr string
	select {
	case addr = <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	shots := os.Getenv("CARREL_SCREENSHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	script, err := filepath.Abs(filepath.Join("browser", name))
	if err != nil {
		t.Fatal(err)
	}
	browsertest.Run(t, script, "CARREL_DEMO=http://"+addr, "CARREL_SCREENSHOTS="+shots, "CARREL_PICTURES="+os.Getenv("CARREL_PICTURES"), "CARREL_STAFF_BADGE="+demo.StaffBadge, "CARREL_STAFF_PASSWORD="+demo.StaffPassword)
}
