package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// read parses one event of a stream, as HTML section 9.2.6 says; comments are
// events with their text as data and the name ":".
func read(r *bufio.Reader) (m message, err error) {
	var data []string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return m, err
		}
		line = strings.TrimSuffix(line, "\n")
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			m.data = strings.Join(data, "\n")
			return m, nil
		case field == "":
			m.event = ":"
		case field == "data":
			data = append(data, value)
		case field == "event":
			m.event = value
		case field == "id":
			m.id, err = strconv.ParseUint(value, 10, 64)
			if err != nil {
				return m, err
			}
		default:
			return m, fmt.Errorf("field %q", field)
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add("one\ntwo")
	f.Add("a\r\n\r\nevent: x\rid: 7\n\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, data string) {
		in := message{id: 7, event: "x", data: data}
		r := bufio.NewReader(strings.NewReader(string(in.encode())))
		out, err := read(r)
		if err != nil {
			t.Fatal(err)
		}
		in.data = strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")
		if out != in {
			t.Errorf("read(encode(%q)) = %+v", data, out)
		}
		if rest, _ := io.ReadAll(r); len(rest) > 0 {
			t.Errorf("%q makes more than one event: %q is left", data, rest)
		}
	})
}

// connect opens a stream on a server of its own; it ends with the test.
func connect(t *testing.T, h http.Handler, path string) *bufio.Reader {
	t.Helper()
	srv := httptest.NewServer(h)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	r, _ := http.NewRequestWithContext(ctx, "GET", srv.URL+path, nil)
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); resp.Body.Close(); srv.Close() })
	if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/event-stream") {
		t.Fatalf("%s is %s, status %s", path, ct, resp.Status)
	}
	return bufio.NewReader(resp.Body)
}

func next(t *testing.T, r *bufio.Reader) message {
	t.Helper()
	m, err := read(r)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestStreamShowsTheNewest(t *testing.T) {
	h, d := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome})
	r := connect(t, h, "/stream?lang=es")
	if m := next(t, r); m.event != "version" || m.data != version {
		t.Fatalf("first %+v; want the version", m)
	}
	if m := next(t, r); m.event != "" || m.id != 1 || !strings.Contains(seen(m.data), "Bienvenidos") {
		t.Fatalf("then %+v; want the welcome in Spanish", m)
	}
	seq := d.show(kiosk.Screen{View: kiosk.ViewItems, Patron: "Zoë", Lines: sample()})
	next(t, r)
	m := next(t, r)
	if m.id != seq || !strings.Contains(seen(m.data), "Hola, Zoë") {
		t.Fatalf("then %+v; want the items", m)
	}
	// What is streamed is what a reload gives.
	page := get(h, "/?lang=es").Body.String()
	if !strings.Contains(page, strings.TrimSpace(m.data)) {
		t.Error("the stream and the page differ")
	}
}

func TestEventsAreTheScreen(t *testing.T) {
	h, d := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome})
	r := connect(t, h, "/api/v1/events")
	for _, sc := range []kiosk.Screen{{}, {View: kiosk.ViewItems, Lines: sample(), Now: noon}} {
		if sc.View != "" {
			d.show(sc)
		}
		m := next(t, r)
		want := strings.TrimSpace(get(h, "/api/v1/screen").Body.String())
		if m.data != want || m.event != "" || m.id != d.Screen().Seq {
			t.Errorf("event %+v; want %s", m, want)
		}
	}
}

// recorder is a browser in a bubble: what is written arrives at once.
type recorder struct {
	header http.Header
	w      io.Writer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(int)             {}
func (r *recorder) Flush()                      {}
func (r *recorder) Write(b []byte) (int, error) { return r.w.Write(b) }

func TestBeats(t *testing.T) {
	for path, want := range map[string]message{"/stream": {event: "beat", data: version}, "/api/v1/events": {event: ":"}} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Beat = 4 * time.Second })
			ctx, cancel := context.WithCancel(t.Context())
			in, out := io.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				h.ServeHTTP(&recorder{http.Header{}, out}, httptest.NewRequestWithContext(ctx, "GET", path, nil))
				out.Close()
			}()
			r := bufio.NewReader(in)
			for m := next(t, r); m.id == 0; m = next(t, r) { // to the first screen
			}
			for range 3 {
				at := time.Now()
				if m := next(t, r); m != want || time.Since(at) != 4*time.Second {
					t.Errorf("%s: after %v %+v; want %+v after 4s", path, time.Since(at), m, want)
				}
			}
			cancel()
			<-done
		})
	}
}

// TestSlowBrowser: one that reads nothing holds nobody up, and when it reads
// again it soon has the newest.
func TestSlowBrowser(t *testing.T) {
	h, d := newSite(t, kiosk.Screen{View: kiosk.ViewItems, Lines: sample()})
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		c.(*net.TCPConn).SetWriteBuffer(4 << 10) //nolint:errcheck // only makes the test quicker
		return ctx
	}
	srv.Start()
	defer srv.Close()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.(*net.TCPConn).SetReadBuffer(4 << 10) //nolint:errcheck // the same
	fmt.Fprintf(c, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")

	const changes = 5000
	quick := connect(t, h, "/api/v1/events")
	var last uint64
	for range changes { // must not wait for c
		last = d.show(kiosk.Screen{View: kiosk.ViewItems, Lines: sample(), Now: noon})
	}
	for m := next(t, quick); m.id != last; m = next(t, quick) { // another browser is served meanwhile
	}

	c.SetDeadline(time.Now().Add(10 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	r, n := bufio.NewReader(resp.Body), 0
	for m := next(t, r); m.id != last; m = next(t, r) {
		var sc apiScreen
		if m.data != "" && json.Unmarshal([]byte(m.data), &sc) != nil {
			t.Fatalf("cut off: %q", m.data)
		}
		n++
	}
	if n > changes/2 {
		t.Errorf("%d of %d screens reached a browser that did not read; want most left out", n, changes)
	}
}

func TestStreamsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newSite(t, kiosk.Screen{}, func(c *Config) { c.Streams = 2 })
		ctx, cancel := context.WithCancel(t.Context())
		for range 2 {
			go h.ServeHTTP(&recorder{http.Header{}, io.Discard}, httptest.NewRequestWithContext(ctx, "GET", "/api/v1/events", nil))
		}
		synctest.Wait()
		if w := get(h, "/stream"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("a third of two: %d; want 503", w.Code)
		}
		cancel()
		synctest.Wait()
		ctx, cancel = context.WithCancel(t.Context())
		go func() { synctest.Wait(); cancel() }()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/stream", nil))
		if w.Code != http.StatusOK {
			t.Errorf("after the others went: %d; want 200", w.Code)
		}
	})
}

// closing is a browser that goes away at the first word.
type closing struct{ recorder }

func (closing) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestStreamEndsWithItsBrowser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newSite(t, kiosk.Screen{})
		h.ServeHTTP(&closing{recorder{header: http.Header{}}}, httptest.NewRequest("GET", "/stream", nil))
	})
}

// patientRecorder is a recorder with deadlines.
type patientRecorder struct {
	*httptest.ResponseRecorder
	write time.Time
}

func (r *patientRecorder) SetWriteDeadline(t time.Time) error { r.write = t; return nil }

// TestAnswerEnds: who asks for a page and does not read it holds nothing for ever.
func TestAnswerEnds(t *testing.T) {
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome})
	w := &patientRecorder{ResponseRecorder: httptest.NewRecorder()}
	begin := time.Now()
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = "localhost"
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.write.Before(begin.Add(answerTime)) || w.write.After(time.Now().Add(answerTime)) {
		t.Errorf("GET / = %d, to be written until %v; want within %v", w.Code, w.write, answerTime)
	}
	if answerTime < inventoryTime+patience {
		t.Errorf("an inventory may take %v, and nothing can be said of it after %v", inventoryTime, answerTime)
	}
	v, _ := newShelves(t)
	site := &site{Config: Config{Staff: &Staff{Inventories: v}}}
	site.shelvedFor(loadTime, func(http.ResponseWriter, *http.Request, kiosk.Member) {})(w, r, kiosk.Member{})
	if w.write.Before(begin.Add(loadTime + patience)) {
		t.Errorf("a file may take %v, and what became of it must be read until %v", loadTime, w.write.Sub(begin))
	}
}
