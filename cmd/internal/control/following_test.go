package control

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// slow is an inventory that takes long to report.
type slow struct {
	Inventories
	err error
}

func (s slow) Report(ctx context.Context, id kiosk.ID, whole bool) (inventory.Report, error) {
	if told := inventory.ProgressOf(ctx); told != nil {
		told(inventory.ReadingBooks, 10_000)
		told(inventory.ReadingTitles, 20_000)
	}
	return inventory.Report{Seen: 7, Whole: whole, Inventory: kiosk.Inventory{ID: id}}, s.err
}

// serveAt serves at a socket until the test ends.
func serveAt(t *testing.T, srv *httptest.Server, path string) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv.Listener.Close()
	srv.Listener = ln
	srv.Start()
	t.Cleanup(srv.Close)
}

// TestFollowing: who wants to know how far it is, is told, and gets the answer or
// the error all the same.
func TestFollowing(t *testing.T) {
	for name, fails := range map[string]error{"good": nil, "bad": &kiosk.Error{Code: kiosk.CodeInvalid, Text: "the range is reversed"},
		"broken": errors.New("the range is reversed")} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			serveAt(t, httptest.NewUnstartedServer(InventoryHandler(slow{err: fails}, nil, http.NotFoundHandler())), path)
			v := clientOf(path, time.Minute).Inventories()
			var told []string
			watched := inventory.WithProgress(t.Context(), func(what inventory.Reading, n int) {
				told = append(told, string(what))
			})
			for _, ctx := range []context.Context{t.Context(), watched} {
				r, err := v.Report(ctx, "v1", true)
				if fails != nil && (err == nil || kiosk.Words(err) != "the range is reversed") || fails == nil && (err != nil || r.Seen != 7 || !r.Whole || r.Inventory.ID != "v1") {
					t.Errorf("Report() = %+v, %v", r, err)
				}
				if kiosk.CodeOf(err) != kiosk.CodeOf(fails) {
					t.Errorf("Report(): %v; want its class, %q", err, kiosk.CodeOf(fails))
				}
			}
			if got := strings.Join(told, " "); got != "books titles" {
				t.Errorf("told of %q", got)
			}
		})
	}
}

// TestFollowingBreaksOff: an answer without its end is none.
func TestFollowingBreaksOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	serveAt(t, httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"reading":"books","n":10000}` + "\n{\"ans")) //nolint:errcheck // the test sees
	})), path)
	ctx := inventory.WithProgress(t.Context(), func(inventory.Reading, int) {})
	if _, err := clientOf(path, time.Minute).Inventories().Report(ctx, "v1", false); err == nil || errors.Is(err, kiosk.ErrUnknown) || kiosk.CodeOf(err) != kiosk.CodeUnsure || !strings.Contains(err.Error(), "broke off") {
		t.Errorf("Report() = %v; want that the daemon broke off", err)
	}
}
