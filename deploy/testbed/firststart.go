package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/deploy/testbed/vm"
)

// shown says the code on the kiosk's own screen, which no other shows.
const shown = `bash -c 'set -o pipefail; exec 3<>/dev/tcp/127.0.0.1/8480; printf "GET / HTTP/1.0\r\nHost: 127.0.0.1:8480\r\n\r\n" >&3; ` +
	`grep -Eo "id=\"shown\"[^>]*>[0-9]{4} [0-9]{4}" <&3 | tail -c 10' 2>/dev/null`

// firstStart sets a kiosk up from another computer, as deploy/README.md says.
func (s *site) firstStart(ctx context.Context) error {
	if err := s.each(ctx, `sed -i 's/^listen = .*/listen = "0.0.0.0:8480"/' /etc/carrel/kiosk.toml`, "systemctl restart kioskd"); err != nil {
		return err
	}
	if err := s.comes(ctx, shown); err != nil {
		return err
	}
	code, err := s.sh(ctx, shown)
	if err != nil {
		return err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	p := &page{client: &http.Client{Jar: jar, Timeout: vm.Patience}, url: "http://" + s.Web}
	if said, err := p.ask(ctx, http.MethodGet, "/", nil); err != nil || strings.Contains(said, code) {
		return errors.Join(errors.New("the code is shown to another computer, or the page is not there"), err)
	}
	if _, err := p.ask(ctx, http.MethodGet, "/setup/devices", nil); err == nil {
		return errors.New("the set-up answers without the code")
	}
	if _, err := p.ask(ctx, http.MethodPost, "/setup/code", map[string]string{"code": code}); err != nil {
		return fmt.Errorf("code %q: %w", code, err)
	}
	scanner := map[string]any{"name": "scanner", "driver": "serialscan", "path": "/dev/carrel/0c2e-0b6a-L1"}
	answers := map[string]any{"name": "bench", "library": "BENCH", "languages": []string{"en"}, "devices": []any{scanner},
		"cards": "^2[0-9]{13}$", "items": "^3[0-9]{13}$",
		"upstream": map[string]any{"driver": "sip2", "address": fmt.Sprintf("10.0.2.2:%d", s.upstream)},
		"staff":    map[string]any{"badge": "S1", "name": "Ann", "secret": "long enough"}}
	if err := s.tried(ctx, p, answers); err != nil {
		return err
	}
	said, err := p.ask(ctx, http.MethodPost, "/setup/save", answers)
	if err != nil || said != "{\"problems\":null}\n" {
		return errors.Join(fmt.Errorf("save: %s", said), err)
	}
	if err := s.comes(ctx, "kioskctl status"); err != nil {
		return err
	}
	if err := s.each(ctx, "test -s /var/lib/carrel/ledger.db"); err != nil {
		return err
	}
	return s.watch(ctx)
}

// tried tries the devices and the library's system on the page.
func (s *site) tried(ctx context.Context, p *page, answers map[string]any) error {
	if _, err := p.ask(ctx, http.MethodPost, "/setup/try", map[string]any{"devices": answers["devices"]}); err != nil {
		return err
	}
	if err := p.shows(ctx, "/setup/reads", `"working":true`); err != nil {
		return err
	}
	if err := s.read(item(0)); err != nil {
		return err
	}
	if err := p.shows(ctx, "/setup/reads", item(0)); err != nil {
		return err
	}
	said, err := p.ask(ctx, http.MethodPost, "/setup/upstream", answers)
	if err == nil && !strings.Contains(said, `"ok":true`) {
		err = fmt.Errorf("the library's system: %s", said)
	}
	return err
}

// page is the set-up as another computer sees it.
type page struct {
	client *http.Client
	url    string
}

func (p *page) ask(ctx context.Context, method, path string, v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, method, p.url+path, bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, said)
	}
	return string(said), err
}

// shows asks until the answer holds text.
func (p *page) shows(ctx context.Context, path, text string) error {
	for end := time.Now().Add(vm.Patience); ; time.Sleep(100 * time.Millisecond) {
		said, err := p.ask(ctx, http.MethodGet, path, nil)
		if err != nil || strings.Contains(said, text) {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%w: %s never says %s, but %s", vm.ErrLate, path, text, said)
		}
	}
}

// byHand has the kiosk ask anew, and writes its configuration by hand.
func (s *site) byHand(ctx context.Context) error {
	s.cancel()
	if err := s.each(ctx, "cp -a /etc/carrel/kiosk.toml /run/shipped.toml && cp -a /var/lib/carrel/kiosk.toml /run/asked.toml",
		"rm /var/lib/carrel/kiosk.toml && rm -f /var/lib/carrel/kiosk.toml.good && systemctl restart kioskd"); err != nil {
		return err
	}
	if err := s.comes(ctx, shown); err != nil {
		return err
	}
	if err := s.each(ctx, "was=$(systemctl show -P MainPID kioskd)", "sed -i '/^# This kiosk is not set up yet/d' /etc/carrel/kiosk.toml",
		`printf '[[device]]\nname = "scanner"\ndriver = "serialscan"\npath = "/dev/carrel/0c2e-0b6a-L1"\n' >>/etc/carrel/kiosk.toml`,
		fmt.Sprintf(`printf '[upstream]\ndriver = "sip2"\naddress = "10.0.2.2:%d"\n[barcodes]\npatron = ["^2[0-9]{13}$"]\nitem = ["^3[0-9]{13}$"]\ncheck = "none"\n' >>/etc/carrel/kiosk.toml`, s.upstream),
		"kioskd -check", "systemctl reload kioskd"); err != nil {
		return err
	}
	if err := s.comes(ctx, "kioskctl status && test $(systemctl show -P MainPID kioskd) = $was"); err != nil {
		return err
	}
	if err := s.knows(ctx); err != nil {
		return err
	}
	s.cancel()
	return s.each(ctx, "cp -a /run/shipped.toml /etc/carrel/kiosk.toml && cp -a /run/asked.toml /var/lib/carrel/kiosk.toml && systemctl restart kioskd")
}

// read has the scanner read a code.
func (s *site) read(code string) error {
	_, err := s.scanner.line.Write([]byte(code + "\r"))
	return err
}

// loan is a visit with one loan, of which the library's system must hear.
func (s *site) loan(ctx context.Context) error {
	if _, err := s.shows(ctx, "a desk that works", func(sc screen) bool { return sc.View == "welcome" && sc.Online && len(sc.Faults) == 0 }); err != nil {
		return err
	}
	if err := s.read(card(1)); err != nil {
		return err
	}
	if _, err := s.shows(ctx, "the patron", func(sc screen) bool { return sc.View == "items" }); err != nil {
		return err
	}
	s.lent++
	book := item(s.lent)
	if err := s.read(book); err != nil {
		return err
	}
	if err := s.desk.lent(ctx, book); err != nil {
		return err
	}
	if err := told(s.ils, book); err != nil {
		return err
	}
	return s.leave(ctx)
}

// knows counts the loans in the kiosk, and lends once more.
func (s *site) knows(ctx context.Context) error {
	for n := 1; n <= s.lent; n++ {
		if _, err := s.sh(ctx, "kioskctl loans | grep -q "+item(n)); err != nil {
			return fmt.Errorf("loan %d of %d: %w", n, s.lent, err)
		}
	}
	if err := s.watch(ctx); err != nil {
		return err
	}
	return s.loan(ctx)
}
