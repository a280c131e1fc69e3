package control

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDaemonThatHangs: who asks a daemon that takes the question and says nothing
// is told so, and does not wait for ever.
func TestDaemonThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), Socket)
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close() // nobody accepts: the kernel does
	if _, err := clientOf(path, time.Millisecond).Status(t.Context()); err == nil || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("Status() = %v; want that it took too long", err)
	}
}

// TestLongAnswerBegins: what takes long is begun at once, so that the wait for its
// first line has no end by the clock.
func TestLongAnswerBegins(t *testing.T) {
	begun := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		telling(w, func(tell func(Line)) error {
			<-begun
			tell(Line{Report: &Report{Rows: 7}})
			return nil
		})
	}))
	defer srv.Close()
	resp, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	close(begun)
	rows := 0
	if err := lines(resp, func(l Line) { rows = l.Report.Rows }); err != nil || rows != 7 {
		t.Errorf("%d rows, %v", rows, err)
	}
}
