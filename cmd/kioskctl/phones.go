package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

type phonesCmd struct {
	List   phonesList   `cmd:"" default:"1" help:"Which phones are let in."`
	Forget phonesForget `cmd:"" help:"Let a phone in no more. What it has scanned and not handed over stays on it."`
	Check  phonesCheck  `cmd:"" help:"Whether phones can reach the kiosk, and how long its certificates last."`
}

// phones does something with the phones of the running kiosk, or without one
// with those in the ledger's file.
func phones(g *grammar, do func(context.Context, control.Phones) error) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	if d := running(conf); d != nil {
		return do(context.Background(), d)
	}
	return writing(conf, func(s *sqlite.Store) error { return do(context.Background(), keptPhones{s, conf}) })
}

// keptPhones are those in the ledger's file while no daemon runs.
type keptPhones struct {
	*sqlite.Store
	conf *config.Config
}

func (k keptPhones) PhonesNow(ctx context.Context) (control.PhonesNow, error) {
	var all kiosk.Phones
	raw, err := k.Setting(ctx, daemon.PhonesSetting, 0)
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	if errors.Is(err, kiosk.ErrUnknown) {
		err = nil // none was ever let in
	}
	return control.PhonesNow{On: k.conf.Phones.Listen != "", List: all.List}, err
}

func (k keptPhones) ForgetPhone(ctx context.Context, key string, by kiosk.Act) error {
	now, err := k.PhonesNow(ctx)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(kiosk.Phones{List: now.List}.Without(key))
	if err != nil {
		return err
	}
	by.At = time.Now()
	return k.PutSetting(ctx, daemon.PhonesSetting, raw, by)
}

type phonesList struct{}

func (phonesList) Run(g *grammar, p *printer) error {
	return phones(g, func(ctx context.Context, v control.Phones) error {
		now, err := v.PhonesNow(ctx)
		if err != nil {
			return err
		}
		if !now.On {
			p.say("phones are not served: [phones] listen in the configuration says where")
		}
		if len(now.List) == 0 {
			p.say("no phone is let in: the page for phones at /staff makes a code for one")
			return nil
		}
		p.head("KEY", "PAIRED", "BY", "NAME")
		for _, x := range now.List {
			if err := p.row(x, shortKey(x), x.Paired, x.By, x.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// shortKey is enough of a phone's key to name it.
func shortKey(p kiosk.Phone) string { return p.Key[:min(12, len(p.Key))] }

type phonesForget struct {
	Phone string `arg:"" help:"Its name, or the begin of its key as list shows it."`
}

func (c *phonesForget) Run(g *grammar, p *printer) error {
	return phones(g, func(ctx context.Context, v control.Phones) error {
		now, err := v.PhonesNow(ctx)
		if err != nil {
			return err
		}
		x, err := c.find(now.List)
		if err != nil {
			return err
		}
		if err := v.ForgetPhone(ctx, x.Key, byShell("phone.forget", x.Name, "")); err != nil {
			return err
		}
		p.say("%s is let in no more", x.Name)
		return nil
	})
}

// find finds the one phone that is meant.
func (c *phonesForget) find(list []kiosk.Phone) (kiosk.Phone, error) {
	const least = 4 // digits of a key: fewer may be meant as a name
	var meant []kiosk.Phone
	for _, x := range list {
		if x.Name == c.Phone || len(c.Phone) >= least && strings.HasPrefix(x.Key, strings.ToLower(c.Phone)) {
			meant = append(meant, x)
		}
	}
	switch len(meant) {
	case 0:
		return kiosk.Phone{}, cli.Wrong(fmt.Errorf("no phone is called %q, and none has a key that begins so: kioskctl phones lists them", c.Phone))
	case 1:
		return meant[0], nil
	}
	return kiosk.Phone{}, cli.Wrong(fmt.Errorf("%d phones are meant by %q: name one by its key, see kioskctl phones", len(meant), c.Phone))
}

type phonesCheck struct{}

func (phonesCheck) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	d := running(conf)
	if d == nil {
		return control.ErrNotRunning
	}
	list := phoneFindings(context.Background(), conf, d)
	if len(list) == 0 {
		p.say("phones are not served: [phones] listen in the configuration says where")
	}
	for _, f := range list {
		f.show(p)
	}
	if slices.ContainsFunc(list, func(f finding) bool { return !f.OK }) {
		return errNeeds
	}
	return nil
}

// Bounds of what the doctor finds about phones.
const (
	reachTime = 5 * time.Second
	rootSoon  = 60 * 24 * time.Hour // until phones have to trust another root
)

// phoneFindings look whether phones are served: the certificates, and each
// address as a phone that trusts the kiosk sees it. A firewall beyond this
// machine can't be seen from here.
func phoneFindings(ctx context.Context, conf *config.Config, d control.Phones) []finding {
	if conf.Phones.Listen == "" {
		return nil
	}
	now, err := d.PhonesNow(ctx)
	if err != nil {
		return []finding{{"phones", false, err.Error(), "restart the daemon: systemctl restart kioskd"}}
	}
	if len(now.Addresses) == 0 {
		return []finding{{"phones", false, "are not served at " + conf.Phones.Listen,
			"see that the address is this machine's, that nothing else listens there, and that the data folder can be written; kioskctl status tells the fault"}}
	}
	root, err := x509.ParseCertificate(now.Root)
	if err != nil {
		return []finding{{"phones", false, "the certificate can't be read: " + err.Error(), "restart the daemon: systemctl restart kioskd"}}
	}
	list := []finding{{What: "phones", OK: true, Says: cli.Count(len(now.List), "is", "are") + " let in; they trust a certificate that lasts until " + root.NotAfter.Local().Format(time.DateOnly)}}
	if left := time.Until(root.NotAfter); left < rootSoon {
		list[0].OK, list[0].Mend = false, "the kiosk makes another one by itself; each phone has to trust it then: the page for phones says how"
	}
	for _, at := range now.Addresses {
		list = append(list, reach(ctx, at, root))
	}
	return list
}

// reach opens an address as a phone does.
func reach(ctx context.Context, at string, root *x509.Certificate) finding {
	f := finding{What: "phones at " + at}
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	pool := x509.NewCertPool()
	pool.AddCert(root)
	t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer t.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at+"/phone/", nil)
	if err != nil {
		f.Says = err.Error()
		return f
	}
	resp, err := (&http.Client{Transport: t}).Do(req)
	if err != nil {
		f.Says, f.Mend = err.Error(), mendReach(err)
		return f
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.TLS == nil {
		f.Says, f.Mend = "answers "+resp.Status, "another program answers there: give [phones] listen another port"
		return f
	}
	f.OK, f.Says = true, "answers; its certificate lasts until "+resp.TLS.PeerCertificates[0].NotAfter.Local().Format(time.DateOnly)+" and is renewed by itself"
	return f
}

// mendReach says what to do about an address that phones can't open.
func mendReach(err error) string {
	var host x509.HostnameError
	var not *tls.CertificateVerificationError
	switch {
	case errors.As(err, &host):
		return "the certificate does not name it: hosts under [kiosk] are the names by which phones may call this kiosk; addresses have to be private ones"
	case errors.As(err, &not):
		return "see that the clock is right, and restart the daemon"
	case strings.Contains(err.Error(), "no such host"):
		return "the library's name server does not know this name: have it entered, or take it out of hosts under [kiosk]"
	}
	return "see that the network is up and that no firewall on this machine closes the port"
}
