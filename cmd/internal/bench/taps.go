package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// shown is a screen as the page's own stream brings it.
type shown struct {
	view string
	at   time.Time
}

var viewIn = regexp.MustCompile(`data-view="([a-z]*)"`)

// follow reads the page's stream until ctx ends. A screen counts when its last
// byte is here.
func follow(ctx context.Context, addr string) (<-chan shown, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+addr+"/stream", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, errors.New(resp.Status)
	}
	screens := make(chan shown, 256)
	go func() {
		defer close(screens)
		defer resp.Body.Close()
		in, view := bufio.NewScanner(resp.Body), ""
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			switch found := viewIn.FindStringSubmatch(in.Text()); {
			case found != nil:
				view = found[1]
			case in.Text() == "" && view != "":
				screens <- shown{view: view, at: time.Now()}
				view = ""
			}
		}
	}()
	return screens, nil
}

// tapper taps the desk as its page does.
type tapper struct {
	addr    string
	screens <-chan shown
	took    times
}

func (t *tapper) post(path string, form url.Values) error {
	resp, err := http.PostForm("http://"+t.addr+path, form)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return nil
}

// until waits for a view, and gives when the first screen came.
func (t *tapper) until(view string) (first time.Time, err error) {
	late := time.After(10 * time.Second)
	for {
		select {
		case s, ok := <-t.screens:
			if !ok {
				return first, errors.New("the stream ended")
			}
			if first.IsZero() {
				first = s.at
			}
			if s.view == view {
				return first, nil
			}
		case <-late:
			return first, fmt.Errorf("the view %s did not come", view)
		}
	}
}

// settle passes over screens that nobody's tap brought.
func (t *tapper) settle() {
	for {
		select {
		case <-t.screens:
		case <-time.After(60 * time.Millisecond):
			return
		}
	}
}

// tap measures one, to the first screen that came of it.
func (t *tapper) tap(what, view string) error {
	t.settle()
	from := time.Now()
	if err := t.post("/touch/"+what, nil); err != nil {
		return err
	}
	first, err := t.until(view)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	t.took = append(t.took, first.Sub(from))
	return nil
}

func (t *tapper) scan(code, view string) error {
	if err := t.post("/sim/scan", url.Values{"code": {code}}); err != nil {
		return err
	}
	_, err := t.until(view)
	return err
}

// taps measures every tap of a visit, round after round: from the request to
// the last byte of the screen that answers it.
func taps(ctx context.Context, addr string, rounds int, c *crowd) (times, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	screens, err := follow(ctx, addr)
	if err != nil {
		return nil, err
	}
	t := &tapper{addr: addr, screens: screens}
	if _, err := t.until("welcome"); err != nil {
		return nil, err
	}
	for range rounds {
		card, book := string(c.card()), string(c.book())
		for _, s := range []string{"return items", "finish welcome", "account card", "cancel welcome", "scan items " + card, "stay items",
			"account account", "stay account", "borrow items", "scan items " + book, "finish receipt", "cancel welcome"} {
			words := strings.Fields(s)
			if words[0] == "scan" {
				err = t.scan(words[2], words[1])
			} else {
				err = t.tap(words[0], words[1])
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s, err)
			}
		}
	}
	return t.took, ctx.Err()
}
