package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// ErrNotRunning says that no daemon answers at the data folder.
var ErrNotRunning error = &said{"kioskd is not running", []error{&kiosk.Error{Code: kiosk.CodeOffline}}}

// Client is a Daemon at the other end of the socket.
type Client struct{ http http.Client }

var _ Daemon = (*Client)(nil)

// answerTime is the longest that a daemon takes for an answer, or for the begin of
// a long one: what it asks of devices and of the library's system has deadlines
// that are shorter.
const answerTime = 2 * time.Minute

// Dial finds the daemon of a data folder; ErrNotRunning if there is none.
func Dial(data string) (*Client, error) {
	path := filepath.Join(data, Socket)
	c, err := net.DialTimeout("unix", path, dialTime)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNotRunning, err)
	}
	c.Close()
	return clientOf(path, answerTime), nil
}

// clientOf asks at a socket, and waits so long for each answer to begin.
func clientOf(path string, wait time.Duration) *Client {
	return &Client{http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			d := net.Dialer{Timeout: dialTime}
			return d.DialContext(ctx, "unix", path)
		},
		ResponseHeaderTimeout: wait,
	}}}
}

func (c *Client) call(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://kioskd"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, lost(err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, failed(resp)
	}
	return resp, nil
}

// SeenRescue implements Daemon.
func (c *Client) SeenRescue(ctx context.Context, by kiosk.Act) error {
	_, err := ask[struct{}](ctx, c, "/rescue/seen", by)
	return err
}

// Status implements Daemon.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	resp, err := c.call(ctx, "GET", "/status", nil)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		return s, brokeOff(err)
	}
	return s, nil
}

// Import implements Daemon: it sends the file while the answers come in.
func (c *Client) Import(ctx context.Context, l List, r io.Reader, tell func(Line)) error {
	q := url.Values{}
	if l.Whole {
		q.Set("whole", "")
	}
	if l.Card != "" {
		q.Set("card", l.Card)
	}
	resp, err := c.call(ctx, "POST", "/import/"+url.PathEscape(l.What)+"?"+q.Encode(), r)
	if err != nil {
		return err
	}
	return lines(resp, tell)
}

// lines tells each line of an answer.
func lines(resp *http.Response, tell func(Line)) error {
	defer resp.Body.Close()
	dec := json.NewDecoder(resp.Body)
	for done := false; ; {
		var l Line
		if err := dec.Decode(&l); errors.Is(err, io.EOF) && done {
			return nil
		} else if err != nil {
			return brokeOff(err)
		}
		if l.Failed != nil {
			return l.Failed.err()
		}
		done = done || l.Report != nil || l.Lists != nil
		tell(l)
	}
}

// Retry implements Daemon.
func (c *Client) Retry(ctx context.Context) error {
	return c.post(ctx, "/outbox/retry", nil)
}

// Resolve implements Daemon.
func (c *Client) Resolve(ctx context.Context, id kiosk.ID, r Resolution) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return c.post(ctx, "/exceptions/"+url.PathEscape(string(id)), bytes.NewReader(body))
}

func (c *Client) post(ctx context.Context, path string, body io.Reader) error {
	resp, err := c.call(ctx, "POST", path, body)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
