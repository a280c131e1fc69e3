package daemon

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/desk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// TestPutStyleDeskBusy: what is stored of receipts is said to be set, even where
// the desk takes nothing.
func TestPutStyleDeskBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), LedgerFile))
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		d := &Daemon{Options: Options{Config: &config.Config{Location: time.UTC}, Log: slog.New(slog.DiscardHandler)}, store: store}
		d.clock = &timekeeper{Clock: newClock(time.UTC)}
		d.desk = desk.New(desk.Config{NewID: newID, Log: d.Log}) // it does not run
		full, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for d.desk.Send(full, kiosk.ReceiptsSet{}) == nil {
		}
		r := &receipts{Daemon: d}
		r.style = setting[kiosk.ReceiptStyle]{Daemon: d, name: "receipts", show: func(kiosk.ReceiptStyle) {}}
		style := r.Style()
		style.Set, style.Head = true, "Hello"
		if err := r.PutStyle(t.Context(), style, kiosk.Act{Name: "ann", What: "receipts.set"}); err != nil {
			t.Errorf("PutStyle() = %v", err)
		}
		if s := r.Style(); s.Head != "Hello" {
			t.Errorf("Style() = %+v", s)
		}
		r.style.take(kiosk.ReceiptStyle{})
		if err := r.style.load(t.Context()); err != nil || r.Style().Head != "Hello" {
			t.Errorf("stored is %+v, %v", r.Style(), err)
		}
	})
}
