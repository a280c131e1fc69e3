package koha

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	answerTime = 10 * time.Second // longest wait for one answer, unless the context ends earlier
	dialTime   = 4 * time.Second
	maxAnswer  = 8 << 20 // bytes; a page of a hundred items with their titles has some hundred thousand
	maxWords   = 200     // bytes of an answer that is no JSON, for staff
)

// client asks questions. Connections are kept and shared.
type client struct {
	base  string
	user  string
	pass  string
	oauth *clientcredentials.Config
	http  *http.Client

	mu    sync.Mutex
	token oauth2.TokenSource
}

func newClient(c *Config) *client {
	t := &http.Transport{
		DialContext:     (&net.Dialer{Timeout: dialTime, KeepAlive: 20 * time.Second}).DialContext,
		IdleConnTimeout: 30 * time.Second, MaxIdleConnsPerHost: lines, MaxConnsPerHost: lines,
		TLSHandshakeTimeout: dialTime, MaxResponseHeaderBytes: 64 << 10,
		Proxy: http.ProxyFromEnvironment,
		// By the machine's clock of 1970 no certificate would be good.
		TLSClientConfig: &tls.Config{Time: c.clock}, ForceAttemptHTTP2: true,
	}
	cl := &client{base: c.base(), user: c.User, pass: c.Password, http: &http.Client{Transport: t, CheckRedirect: noRedirect}}
	if c.ClientID != "" {
		cl.oauth = &clientcredentials.Config{ClientID: c.ClientID, ClientSecret: c.Password, TokenURL: cl.base + "/oauth/token",
			AuthStyle: oauth2.AuthStyleInParams}
		cl.forget()
	}
	return cl
}

// forget lets go of the token: the next question gets another.
func (c *client) forget() {
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient,
		&http.Client{Transport: c.http.Transport, CheckRedirect: noRedirect, Timeout: answerTime})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = c.oauth.TokenSource(ctx)
}

// ticket gives a token, the one there is while it is good. Fetching one goes
// on when ctx has ended, for the next question.
func (c *client) ticket(ctx context.Context) (*oauth2.Token, error) {
	c.mu.Lock()
	source := c.token
	c.mu.Unlock()
	type result struct {
		t   *oauth2.Token
		err error
	}
	got := make(chan result, 1)
	go func() {
		t, err := source.Token()
		got <- result{t, err}
	}()
	select {
	case r := <-got:
		return r.t, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// noRedirect keeps the password from going to another place.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// answer is what came back.
type answer struct {
	status int
	date   time.Time // the server's clock
	sent   time.Time // when the question went
	got    time.Time // when the answer came
	total  int       // X-Total-Count; -1 if not told
	body   []byte
}

// call asks one question. Its error is an offline or unsure kiosk.Error, a
// *failure for a status that is no success, or an invalid one for an answer
// that is no JSON. acts says that the question changes something.
func (c *client) call(ctx context.Context, acts bool, method, path string, query url.Values, body, into any) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var sent atomic.Bool
	fail := func(err error) error {
		code := kiosk.CodeOffline
		if acts && sent.Load() {
			code = kiosk.CodeUnsure
		}
		return &kiosk.Error{Code: code, Err: plain(err)}
	}
	req, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return a, err
	}
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}))
	if err := c.sign(req); err != nil {
		return a, err
	}
	start := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		return a, fail(err)
	}
	defer resp.Body.Close()
	a = answer{status: resp.StatusCode, total: -1, sent: start, got: time.Now()}
	a.date, _ = http.ParseTime(resp.Header.Get("Date"))
	fmt.Sscan(resp.Header.Get("X-Total-Count"), &a.total) //nolint:errcheck // it stays -1
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1)); err != nil || len(a.body) > maxAnswer {
		return a, fail(errors.Join(err, errors.New("the answer breaks off or has no end")))
	}
	if a.status == http.StatusUnauthorized && c.oauth != nil {
		c.forget() // it was taken back before its time
	}
	if a.status < 200 || a.status > 299 {
		return a, failed(acts, a)
	}
	if into == nil {
		return a, nil
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		if acts {
			return a, fail(err) // it was done, or not: who knows
		}
		return a, &kiosk.Error{Code: kiosk.CodeInvalid, Text: words(a.body), Err: fmt.Errorf("%s %s: %w", method, path, err)}
	}
	return a, nil
}

func (c *client) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, &kiosk.Error{Code: kiosk.CodeInvalid, Reason: kiosk.ReasonUnreadable, Err: err}
		}
		r = bytes.NewReader(b)
	}
	at := c.base + path
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, at, r)
	if err != nil {
		return nil, &kiosk.Error{Code: kiosk.CodeInvalid, Reason: kiosk.ReasonUnreadable, Err: err}
	}
	req.Header.Set("Accept", "application/json")
	if path == "/items" {
		req.Header.Set("x-koha-embed", "biblio") // their titles
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// sign says who asks.
func (c *client) sign(req *http.Request) error {
	if c.oauth == nil {
		req.SetBasicAuth(c.user, c.pass)
		return nil
	}
	t, err := c.ticket(req.Context())
	if err != nil {
		if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok && e.Response != nil && e.Response.StatusCode < 500 {
			return &kiosk.Error{Code: kiosk.CodeInternal, Text: words(e.Body), Err: errors.New("koha does not take this client_id with its secret")}
		}
		return &kiosk.Error{Code: kiosk.CodeOffline, Err: plain(err)}
	}
	t.SetAuthHeader(req)
	return nil
}

// plain is an error without the address it was for, which may hold a card.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// failure is an answer that is no success.
type failure struct {
	status int
	text   string // Koha's words
}

func (f *failure) Error() string { return fmt.Sprintf("koha answers %d: %s", f.status, f.text) }

// failed makes an error of an answer. 5xx of a question that acts leaves open
// whether it did; 401, and 403 for want of a permission, are a matter of
// configuration.
func failed(acts bool, a answer) error {
	var b struct {
		Error       string          `json:"error"`
		Permissions json.RawMessage `json:"required_permissions"`
		Errors      []struct {
			Message string `json:"message"`
			Path    string `json:"path"`
		} `json:"errors"`
	}
	f := &failure{status: a.status, text: words(a.body)}
	if json.Unmarshal(a.body, &b) == nil {
		if b.Error != "" {
			f.text = b.Error
		}
		for _, e := range b.Errors {
			f.text = strings.TrimSpace(e.Path + " " + e.Message)
		}
	}
	permissions := a.status == http.StatusForbidden && bytes.Contains(a.body, []byte(`"required_permissions"`))
	switch {
	case a.status == http.StatusUnauthorized || permissions:
		text := "koha does not take this user with its password"
		if permissions && len(b.Permissions) > 0 && string(b.Permissions) != "null" {
			text = "koha's user lacks a permission: one of " + words(b.Permissions)
		}
		return &kiosk.Error{Code: kiosk.CodeInternal, Text: f.text, Err: errors.New(text)}
	case a.status >= 500 && acts:
		return &kiosk.Error{Code: kiosk.CodeUnsure, Text: f.text, Err: f}
	case a.status >= 500 || a.status == http.StatusTooManyRequests:
		return &kiosk.Error{Code: kiosk.CodeOffline, Text: f.text, Err: f}
	}
	return f
}

// words is the beginning of an answer in one line.
func words(b []byte) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(b), "?")), " ")
	if len(s) > maxWords {
		s = strings.ToValidUTF8(s[:maxWords], "") + " ..."
	}
	return s
}
