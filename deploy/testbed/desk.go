package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/deploy/testbed/usbredir"
	"github.com/carrel-kiosk/carrel/deploy/testbed/vm"
)

// screen is what kioskd's API says of its screen.
type screen struct {
	View   string  `json:"view"`
	Visit  string  `json:"visit"`
	Lines  []line  `json:"lines"`
	Notice string  `json:"notice"`
	Busy   bool    `json:"busy"`
	Online bool    `json:"online"`
	Faults []fault `json:"faults"`
	Tray   tray    `json:"tray"`
}

type line struct {
	Barcode string `json:"barcode"`
	State   string `json:"state"`
	Text    string `json:"text"`
	Reason  string `json:"reason"`
}

type tray struct {
	Tags    int  `json:"tags"`
	Items   int  `json:"items"`
	Settled bool `json:"settled"`
}

type fault struct {
	Source string `json:"source"`
	Text   string `json:"text"`
}

// state is that of an item's line, or "".
func (s screen) state(item string) string {
	for _, l := range s.Lines {
		if l.Barcode == item {
			return l.State
		}
	}
	return ""
}

// faulty tells whether a device is at fault.
func (s screen) faulty(source string) bool {
	for _, f := range s.Faults {
		if strings.Contains(f.Source, source) {
			return true
		}
	}
	return false
}

// desk is a machine in which kioskd runs, and its screen as the host sees it.
type desk struct {
	*vm.VM
	cancel context.CancelFunc
	still  sync.WaitGroup // while the screen is followed

	mu   sync.Mutex
	last screen
	more chan struct{} // closed when last changes
	err  error         // why the screen is not followed any more
	seen func(screen)
}

// setup is a machine with a kiosk.
type setup struct {
	root   []byte // bench's if nil
	config string // kiosk.toml
	files  []vm.File
	slots  int
	disk   string // socket
	mount  string // options
	seen   func(screen)
}

const webPort = 8480

// boot starts a machine and mounts its disk; kioskd does not run yet.
func (b *bench) boot(ctx context.Context, s setup) (*desk, error) {
	root := s.root
	if root == nil {
		root = b.root
	}
	files := append([]vm.File{{Path: "etc/kiosk.toml", Mode: 0o644, Data: []byte(s.config)}}, s.files...)
	file := filepath.Join(b.dir, "root.cpio")
	if err := os.WriteFile(file, vm.With(root, files), 0o600); err != nil {
		return nil, err
	}
	m, err := vm.Start(ctx, vm.Config{Kernel: b.kernel, Root: file, Slots: s.slots, Disk: s.disk, Web: webPort, Log: b.console()})
	if err != nil {
		return nil, err
	}
	d := &desk{VM: m, more: make(chan struct{}), seen: s.seen, cancel: func() {}}
	if s.disk != "" {
		options := s.mount
		if options == "" {
			options = "-"
		}
		if err := d.Do(ctx, "mount", options); err != nil {
			d.Kill()
			return nil, err
		}
	}
	return d, nil
}

// open starts kioskd and follows its screen; again after kioskd has ended.
func (d *desk) open(ctx context.Context) error {
	from := d.Here()
	if err := d.Do(ctx, "run", "kioskd", "/bin/kioskd", "-verbose", "-config", "/etc/kiosk.toml"); err != nil {
		return err
	}
	if _, err := d.AwaitFrom(ctx, from, "kioskd| "); err != nil {
		return err
	}
	return d.watch(ctx)
}

// watch follows the screen of a kioskd that runs.
func (d *desk) watch(ctx context.Context) error {
	d.cancel()
	d.still.Wait()
	d.mu.Lock()
	d.last, d.err = screen{}, nil
	d.mu.Unlock()
	ctx, d.cancel = context.WithCancel(ctx)
	resp, err := d.connect(ctx)
	if err != nil {
		return err
	}
	d.still.Go(func() { d.follow(resp) })
	return nil
}

// connect tries until the screen's stream is open.
func (d *desk) connect(ctx context.Context) (*http.Response, error) {
	for end := time.Now().Add(vm.Patience); ; {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.Web+"/api/v1/events", nil)
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil && resp.StatusCode == http.StatusOK {
			return resp, nil
		}
		if err == nil {
			resp.Body.Close()
			err = errors.New(resp.Status)
		}
		if time.Now().After(end) || ctx.Err() != nil {
			lines := d.Console()
			return nil, fmt.Errorf("the kiosk's screen: %w\n  %s", err, strings.Join(lines[max(0, len(lines)-15):], "\n  "))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// follow keeps the screen up to date until the stream ends.
func (d *desk) follow(resp *http.Response) {
	defer resp.Body.Close()
	lines := bufio.NewReaderSize(resp.Body, 1<<16)
	for {
		text, err := lines.ReadString('\n')
		var s screen
		if data, ok := strings.CutPrefix(text, "data:"); ok && err == nil {
			if err = json.Unmarshal([]byte(data), &s); err == nil && d.seen != nil {
				d.seen(s)
			}
		} else if err == nil {
			continue
		}
		d.mu.Lock()
		if err == nil {
			d.last = s
		}
		d.err = err
		close(d.more)
		d.more = make(chan struct{})
		d.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// shows waits until the screen fits. what says in words what is waited for.
func (d *desk) shows(ctx context.Context, what string, fits func(screen) bool) (screen, error) {
	limit := time.NewTimer(vm.Patience)
	defer limit.Stop()
	for {
		d.mu.Lock()
		last, more, err := d.last, d.more, d.err
		d.mu.Unlock()
		if fits(last) {
			return last, nil
		}
		if err != nil {
			return last, fmt.Errorf("the screen has ended (%w) before %s", err, what)
		}
		select {
		case <-more:
		case <-ctx.Done():
			return last, ctx.Err()
		case <-limit.C:
			lines := d.Console()
			last.Lines = last.Lines[max(0, len(last.Lines)-2):]
			return last, fmt.Errorf("%w: the screen never showed %s; it is, with its last lines, %+v\n  %s", vm.ErrLate, what, last, strings.Join(lines[max(0, len(lines)-15):], "\n  "))
		}
	}
}

// lent waits until the screen calls an item lent.
func (d *desk) lent(ctx context.Context, item string) error {
	s, err := d.shows(ctx, item+" as lent", func(s screen) bool { return s.state(item) == "lent" || s.state(item) == "refused" })
	if err == nil && s.state(item) != "lent" {
		err = fmt.Errorf("%s was refused: %+v", item, s.Lines)
	}
	return err
}

// touch presses a button of the screen.
func (d *desk) touch(ctx context.Context, what string) error {
	d.mu.Lock()
	form := url.Values{"visit": {d.last.Visit}}
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, vm.Patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.Web+"/touch/"+what, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", what, resp.Status)
	}
	return nil
}

// leave ends a visit, and its receipt.
func (d *desk) leave(ctx context.Context) error {
	if err := d.touch(ctx, "finish"); err != nil {
		return err
	}
	s, err := d.shows(ctx, "the end of a visit", func(s screen) bool { return s.View == "receipt" || s.View == "welcome" })
	if err != nil || s.View == "welcome" {
		return err
	}
	if err := d.touch(ctx, "finish"); err != nil {
		return err
	}
	_, err = d.shows(ctx, "the welcome", func(s screen) bool { return s.View == "welcome" })
	return err
}

// plug puts a device into a slot.
func (d *desk) plug(slot int, dev *usbredir.Device) (*usbredir.Port, error) {
	conn, err := d.Slot(slot)
	if err != nil {
		return nil, err
	}
	return usbredir.Plug(conn, dev)
}

// cut pulls the machine's plug.
func (d *desk) cut() {
	d.Kill()
	d.cancel()
	d.still.Wait()
}
