package control

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// broken is a daemon of which each question fails.
type broken struct {
	Daemon
	Inventories
	Walker
	err error
}

func (b broken) Status(context.Context) (Status, error) { return Status{}, b.err }
func (b broken) Retry(context.Context) error            { return b.err }
func (b broken) Import(context.Context, List, io.Reader, func(Line)) error {
	return b.err
}
func (b broken) SeenRescue(context.Context, kiosk.Act) error { return b.err }
func (b broken) Pause(context.Context, kiosk.ID) error       { return b.err }
func (b broken) Load(_ context.Context, _ kiosk.ID, who, name string, file io.Reader) (inventory.Taken, error) {
	rows := len(who + name) // no more of it is read
	_, err := io.CopyN(io.Discard, file, 1000)
	return inventory.Taken{Rows: rows}, cmp.Or(b.err, err)
}
func (b broken) Walk(context.Context, kiosk.ID, func(inventory.Said)) error {
	return b.err
}

// TestFailures: an error comes over the socket with its class, however the question
// is asked; in the words of who asked, or of the other side.
func TestFailures(t *testing.T) {
	for _, fails := range []error{&kiosk.Error{Code: kiosk.CodeRefused, Text: "on hold"}, &kiosk.Error{Code: kiosk.CodeOffline}, &kiosk.Error{Code: kiosk.CodeUnsure},
		&kiosk.Error{Code: kiosk.CodeInvalid, Text: "the range is reversed"}, errors.New("disk"), kiosk.ErrUnknown} {
		b := broken{err: fails}
		srv := httptest.NewUnstartedServer(InventoryHandler(b, b, Handler(b, nil)))
		path := filepath.Join(t.TempDir(), "s")
		serveAt(t, srv, path)
		c := clientOf(path, time.Minute)
		_, status := c.Status(t.Context())
		taken, load := c.Inventories().Load(t.Context(), "v1", "ann", "a & b.txt", strings.NewReader(strings.Repeat("1\n", 1<<20)))
		if taken.Rows != len("anna & b.txt") {
			t.Errorf("of a file that was cut off %+v is told", taken)
		}
		watched := inventory.WithProgress(t.Context(), func(inventory.Reading, int) {})
		for name, err := range map[string]error{"status": status, "retry": c.Retry(t.Context()), "import": c.Import(t.Context(), List{What: "items"}, nil, nil),
			"rescue": c.SeenRescue(t.Context(), kiosk.Act{}), "pause": c.Inventories().Pause(t.Context(), "v1"), "pause, watched": c.Inventories().Pause(watched, "v1"),
			"walk": c.Walk(t.Context(), "v1", nil), "load": load} {
			if kiosk.CodeOf(err) != kiosk.CodeOf(fails) || errors.Is(err, kiosk.ErrUnknown) != errors.Is(fails, kiosk.ErrUnknown) || kiosk.Words(err) != kiosk.Words(fails) {
				t.Errorf("%s: %v; want %v, as %s", name, err, fails, kiosk.CodeOf(fails))
			}
		}
	}
}

// TestLost: what was not asked can be asked again, and of what was asked and not
// answered nobody knows.
func TestLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), Socket)
	if err := clientOf(path, time.Minute).Retry(t.Context()); kiosk.CodeOf(err) != kiosk.CodeOffline {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := Dial(t.TempDir()); kiosk.CodeOf(err) != kiosk.CodeOffline || !errors.Is(err, ErrNotRunning) {
		t.Errorf("Dial() = %v", err)
	}
	serveAt(t, httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })), path)
	if err := clientOf(path, time.Minute).Retry(t.Context()); kiosk.CodeOf(err) != kiosk.CodeUnsure {
		t.Errorf("broken off: %v", err)
	}
}

// TestStrangeAnswer: an answer of another shape, as of another version, is an error.
func TestStrangeAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), Socket)
	serveAt(t, httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"answer":"many"}`) //nolint:errcheck // the test sees
	})), path)
	if taken, err := clientOf(path, time.Minute).Inventories().Load(t.Context(), "v1", "ann", "f", strings.NewReader("1\n")); err == nil {
		t.Errorf("Load() = %+v; want an error", taken)
	}
}
