// Package setup is the first start of a kiosk that nobody has configured: a
// page that asks what the configuration must say, tries the devices and the
// library's system, and writes it. It is reached with a code that the kiosk's
// own screen shows.
package setup

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/cmd/internal/password"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

//go:embed page.html page.js page.css words/*.json
var files embed.FS

// Options are what the set-up stands on.
type Options struct {
	Listen string // address of the page, and of the kiosk afterwards
	Data   string // folder of the ledger, to which the configuration goes too
	Log    *slog.Logger
	Ready  func() // called once the page is served
}

// probeTime is the longest wait for the library's system.
const probeTime = 20 * time.Second

// guessEvery is between two guesses of an account.
const guessEvery = 2 * time.Second

// server is the page.
type server struct {
	Options
	ctx   context.Context
	gate  gate
	trial trial
	page  *template.Template
	words map[string]words
	speak func(tag string) web.Words // for the keyboard's keys
	done  chan struct{}              // closed once the configuration is written
	once  sync.Once
}

// Run serves the page until the configuration is written, or ctx ends.
func Run(ctx context.Context, o Options) error {
	if err := writable(o.Data); err != nil {
		return err
	}
	s := &server{Options: o, done: make(chan struct{})}
	var err error
	if s.words, err = readWords(); err != nil {
		return err
	}
	if s.speak, err = web.Speaker(web.Languages()); err != nil {
		return err
	}
	if s.page, err = template.ParseFS(files, "page.html"); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("set-up page: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.ctx = ctx
	srv := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	defer s.trial.end()
	o.Log.Info("this kiosk is not set up yet: its screen shows a code", "screen", "http://"+ln.Addr().String())
	if o.Ready != nil {
		o.Ready()
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	case <-s.done:
	}
	end, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	if srv.Shutdown(end) != nil {
		srv.Close()
	}
	<-ended
	return nil
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.show)
	mux.HandleFunc("GET /setup", s.show)
	mux.HandleFunc("GET /setup/page.js", s.file("text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /setup/page.css", s.file("text/css; charset=utf-8"))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { answer(w, map[string]any{"ok": true}) })
	mux.HandleFunc("GET /healthz/display", func(w http.ResponseWriter, r *http.Request) { answer(w, map[string]any{"ok": true}) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "this kiosk is not set up yet", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("POST /setup/code", s.enter)
	mux.HandleFunc("GET /setup/devices", s.inside(func(*http.Request) (any, error) { return plugged() }))
	mux.HandleFunc("GET /setup/reads", s.inside(func(*http.Request) (any, error) { return s.trial.reads(), nil }))
	mux.HandleFunc("POST /setup/try", s.inside(s.try))
	mux.HandleFunc("POST /setup/upstream", s.inside(s.probe))
	mux.HandleFunc("POST /setup/save", s.inside(s.save))
	return web.Guard(mux, nil)
}

// problems are an answer that says what to change.
type problems struct {
	Problems []config.Problem `json:"problems"`
}

// answer sends JSON.
func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // who asked is gone
}

const cookie = "carrel-setup"

func (s *server) in(r *http.Request) bool {
	c, err := r.Cookie(cookie)
	return err == nil && s.gate.In(c.Value)
}

// inside serves who has come in.
func (s *server) inside(do func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.in(r) {
			http.Error(w, "the code first", http.StatusForbidden)
			return
		}
		v, err := any(nil), slow(w)
		if r.Body = http.MaxBytesReader(w, r.Body, 1<<16); err == nil {
			v, err = do(r)
		}
		if err != nil {
			v = problems{[]config.Problem{{Key: "setup", Why: err.Error()}}}
		}
		answer(w, v)
	}
}

// bodyTime is the longest wait for what was typed, with what is done about it.
const bodyTime = time.Minute

// slow sets it; a test's recorder has no such wait.
func slow(w http.ResponseWriter) error {
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

func (s *server) file(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := files.ReadFile(filepath.Base(r.URL.Path))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Write(b) //nolint:errcheck // who asked is gone
	}
}

// here tells whether somebody asks from the kiosk's own screen.
func here(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	at, e2 := netip.ParseAddr(host)
	return err == nil && e2 == nil && at.Unmap().IsLoopback()
}

// view is what the page is made of.
type view struct {
	T         words
	Language  string
	Names     map[string]string // of languages, by themselves
	Languages []string
	In, Here  bool
	Code      string
	At        string
	Zone      string
	Keys      web.Words
}

// moreKeys are on the keyboard beside those of the language: what patterns of
// numbers and passwords need.
const moreKeys = "^ $ [ ] { } \\ | ~ = < > ;"

// More gives them.
func (v view) More() []string { return strings.Fields(moreKeys) }

// show serves the page: the code on the kiosk's own screen, a question for it,
// and who has answered sees the rest.
func (s *server) show(w http.ResponseWriter, r *http.Request) {
	lang := s.language(r)
	v := view{T: s.words[lang], Language: lang, Languages: web.Languages(), Names: map[string]string{}, In: s.in(r), Here: here(r), At: s.at(), Zone: zone(), Keys: s.speak(lang)}
	for l, t := range s.words {
		v.Names[l] = t["name"]
	}
	if v.Here && !v.In {
		v.Code = s.gate.Code()
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := s.page.Execute(w, v); err != nil {
		s.Log.Error("set-up page", "err", err)
	}
}

// at is where another computer finds the page; empty where none can.
func (s *server) at() string {
	host, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return ""
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return ""
	} else if err == nil && !ip.IsUnspecified() {
		return "http://" + s.Listen + "/"
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return "http://" + net.JoinHostPort(n.IP.String(), port) + "/"
		}
	}
	return ""
}

// enter takes the code.
func (s *server) enter(w http.ResponseWriter, r *http.Request) {
	var q struct{ Code string }
	if err := slow(w); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<10)).Decode(&q); err != nil {
		http.Error(w, "no code", http.StatusBadRequest)
		return
	}
	digits := strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, q.Code)
	session, err := s.gate.Try(digits)
	switch {
	case errors.Is(err, errSoon):
		http.Error(w, "soon", http.StatusTooManyRequests)
	case err != nil:
		s.Log.Warn("set-up: a wrong code", "from", r.RemoteAddr)
		http.Error(w, "wrong", http.StatusForbidden)
	default:
		http.SetCookie(w, &http.Cookie{Name: cookie, Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		w.WriteHeader(http.StatusNoContent)
	}
}

// read takes the answers.
func read(r *http.Request) (a Answers, err error) {
	err = json.NewDecoder(r.Body).Decode(&a)
	return a, err
}

// try opens the only device of the answers.
func (s *server) try(r *http.Request) (any, error) {
	a, err := read(r)
	if err != nil || len(a.Devices) != 1 {
		return nil, errors.Join(errors.New("one device at a time"), err)
	}
	a = Answers{Name: "kiosk", Devices: a.Devices, Upstream: Upstream{Driver: "none"}}
	c, _, bad := a.check(s.Listen, s.Data)
	if len(bad) > 0 {
		return problems{bad}, nil
	}
	s.trial.begin(s.ctx, c.Devices[0])
	return problems{}, nil
}

// said is what came of asking the library's system, one way.
type said struct {
	Driver string `json:"driver"`
	OK     bool   `json:"ok"`
	Says   string `json:"says"`
}

// probe asks the library's system in each way that the kiosk will, in all of them
// at the same time, since the page does not wait much longer than for one; and
// gives its words.
func (s *server) probe(r *http.Request) (any, error) {
	a, err := read(r)
	if err != nil {
		return nil, err
	}
	var all []said
	var ways []*config.Config
	for _, u := range a.Upstream.parts() {
		c, _, bad := (&Answers{Name: "kiosk", Library: a.Library, Timezone: a.Timezone, Upstream: u}).check(s.Listen, s.Data)
		if len(bad) > 0 {
			return problems{bad}, nil
		}
		all, ways = append(all, said{Driver: u.Driver}), append(ways, c)
	}
	var wg sync.WaitGroup
	for i, c := range ways {
		wg.Go(func() { all[i].OK, all[i].Says = s.ask(r.Context(), c) })
	}
	wg.Wait()
	return all, nil
}

// ask asks a system.
func (s *server) ask(ctx context.Context, c *config.Config) (ok bool, says string) {
	up, err := daemon.OpenUpstream(c, s.Log)
	if err != nil || up == nil {
		return err == nil, fmt.Sprint(err)
	}
	defer up.Close()
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	if err := up.Probe(ctx); err != nil {
		return false, err.Error()
	}
	says = up.Where
	if t, ok := up.Time(); ok {
		says += ", " + t.Time.Format(time.DateTime)
	}
	return true, says
}

// save writes everything, the configuration last: with it the kiosk is set up.
func (s *server) save(r *http.Request) (any, error) {
	a, err := read(r)
	if err != nil {
		return nil, err
	}
	c, raw, bad := a.check(s.Listen, s.Data)
	m, more := a.member()
	if bad = append(bad, more...); len(bad) > 0 {
		return problems{bad}, nil
	}
	s.trial.end()
	store, err := sqlite.Open(r.Context(), filepath.Join(c.Kiosk.Data, daemon.LedgerFile))
	if err != nil {
		return nil, err
	}
	list, err := store.Members(r.Context())
	if err == nil {
		err = owned(list, m.Badge, a.Staff.Secret)
	}
	if err != nil {
		s.Log.Warn("set-up: not saved", "err", err, "from", r.RemoteAddr)
		s.pause() // with the ledger in hand, so that nobody else tries meanwhile
		return nil, errors.Join(err, store.Close())
	}
	m.Since = time.Now()
	err = store.PutMember(r.Context(), m, kiosk.Act{At: m.Since, Name: m.Name, What: "account", About: string(m.Badge), Note: m.Name + ", " + string(m.Role), From: "set-up page"})
	if err = errors.Join(err, store.Close()); err != nil {
		return nil, err
	}
	if err := config.Write(config.StateFile(), raw); err != nil {
		return nil, err
	}
	s.Log.Info("the kiosk is set up", "configuration", config.StateFile(), "from", r.RemoteAddr)
	s.once.Do(func() { close(s.done) })
	return problems{}, nil
}

// owned refuses a ledger in which staff has accounts to who has none: only a
// manager among them sets such a kiosk up again, or who has begun to and was
// cut off.
func owned(list []kiosk.Member, badge kiosk.Card, secret string) error {
	if len(list) == 0 {
		return nil
	}
	for _, m := range list {
		if h, err := password.Parse(m.Hash); err == nil && m.Badge == badge && m.Role == kiosk.Manager && h.Check(secret) {
			return nil
		}
	}
	return errors.New("staff has accounts at this kiosk already: give badge and password of a manager among them, or put the lost configuration back, of which kiosk.toml.good in the data folder is a copy")
}

// pause is what a wrong guess of an account costs.
func (s *server) pause() {
	select {
	case <-s.ctx.Done():
	case <-time.After(guessEvery):
	}
}

// zone is the machine's, as far as it has a name.
func zone() string {
	if path, err := filepath.EvalSymlinks("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(path, "/zoneinfo/"); ok && !slices.Contains([]string{"Etc/UTC", "UTC"}, name) {
			return name
		}
	}
	return ""
}
