package browsertest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/catalog"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web"
	"github.com/carrel-kiosk/carrel/kiosk/web/browsertest"
)

// shelves are inventories of a library of 60 books.
type shelves struct{ *inventory.Service }

func (shelves) Hold(kiosk.ID) error { return errors.New("no scanner here") }

func (shelves) Elsewhere(context.Context, kiosk.ID) error { return nil }

func TestInventory(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	titles := []string{"A brief history of nearly everything that can be weighed", "Frogs", "Stars and how to count them"}
	var items []kiosk.Item
	for i := range 60 {
		items = append(items, kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprintf("B%02d", i)), Title: titles[i%3], CallNumber: fmt.Sprintf("%d A", 500+i), Scheme: "ddc",
			Library: "MAIN", Location: "Stacks", Status: kiosk.StatusAvailable})
	}
	items[9].Status = kiosk.StatusLost
	if _, err := s.PutItems(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	if err := s.Want(t.Context(), "hold", []kiosk.Wanted{{Item: "B04"}, {Item: "B33"}}); err != nil {
		t.Fatal(err)
	}
	order, err := shelf.NewOrder(shelf.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	ids := 0
	v := inventory.New(inventory.Config{Store: s, Ledger: s, Order: order, Tells: "update", Ends: true, Now: time.Now, NewID: func() kiosk.ID { ids++; return kiosk.ID(fmt.Sprint("0190a", ids)) },
		File: func(file io.Reader) iter.Seq2[inventory.FileRow, error] {
			return func(yield func(inventory.FileRow, error) bool) {
				for s, err := range catalog.Scans(file, time.UTC) {
					if !yield(inventory.FileRow(s), err) {
						return
					}
				}
			}
		},
		Read: func(text string) inventory.Code {
			if strings.ContainsAny(text, "?") {
				return inventory.Code{Why: "no item number"}
			}
			return inventory.Code{Item: kiosk.Barcode(text)}
		}})
	h, err := web.New(web.Config{Desk: newDesk(kiosk.Screen{View: kiosk.ViewWelcome}), Name: "front-desk", Languages: []string{"en", "de", "ar"},
		Staff: &web.Staff{Password: func(p string) bool { return p == "letmein" }, Inventories: shelves{v}}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	browsertest.Run(t, "inventory.cjs", "BASE="+srv.URL, "PASSWORD=letmein")
}
