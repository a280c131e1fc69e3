// Package config reads the configuration of a kiosk: one TOML file, strict,
// every problem reported at once as "FILE: key: value: why". Devices and the
// upstream bring their own keys; the driver named by an entry says which.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/intake"
	"github.com/carrel-kiosk/carrel/kiosk/web"
	"github.com/carrel-kiosk/carrel/sync/koha"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// Config is a whole configuration, checked.
type Config struct {
	Kiosk    Kiosk    `toml:"kiosk"`
	Barcodes Barcodes `toml:"barcodes"`
	Patrons  Patrons  `toml:"patrons"`
	Loans    Loans    `toml:"loans"`
	Tags     Tags     `toml:"tags"`
	Screen   Screen   `toml:"screen"`
	Staff    Staff    `toml:"staff"`
	Shelf    Shelf    `toml:"shelf"`
	Find     Find     `toml:"find"`
	Backup   Backup   `toml:"backup"`
	Receipts Receipts `toml:"receipts"`
	Update   Update   `toml:"update"`
	Phones   Phones   `toml:"phones"`

	Devices  []Device `toml:"-"`
	Upstream Upstream `toml:"-"`

	Location *time.Location `toml:"-"`
	Intake   *intake.Intake `toml:"-"`

	file string // that it was read from
}

// Kiosk is what this kiosk is.
type Kiosk struct {
	Name      string   `toml:"name"`      // unique within the library's fleet
	Library   string   `toml:"library"`   // institution id, sent upstream (SIP2 AO)
	Title     string   `toml:"title"`     // the library's name as patrons know it; empty: library
	Data      string   `toml:"data"`      // the ledger's folder
	Listen    string   `toml:"listen"`    // address of the screen, staff pages and API
	Hosts     []string `toml:"hosts"`     // names by which browsers may ask for them, beside localhost, the machine's own and its addresses
	Timezone  string   `toml:"timezone"`  // IANA name; empty: the machine's
	Languages []string `toml:"languages"` // BCP 47; the first is the default
}

// Phones are those of staff, on the library's network.
type Phones struct {
	Listen string `toml:"listen"` // address of their pages, over HTTPS; empty: they are not served
}

// Barcodes are the library's conventions for codes; see package intake.
type Barcodes struct {
	Patron []string `toml:"patron"`
	Item   []string `toml:"item"`
	Check  string   `toml:"check"` // mod10, mod43, none
	Wrong  string   `toml:"wrong"` // what a wrong check digit does: refuse (default) or warn

	PatronCheck string `toml:"patron_check"` // that of cards, and
	ItemCheck   string `toml:"item_check"`   // of items, where they differ from Check
}

// Patrons are the rules for cards.
type Patrons struct {
	PIN        bool   `toml:"pin"`
	PINOffline string `toml:"pin_offline"` // refuse (default) or accept
	PINKeys    string `toml:"pin_keys"`    // what the screen has to type one: letters (default) or digits
	Unknown    string `toml:"unknown"`     // offline: refuse (default) or accept
	Name       string `toml:"name"`        // first (default), initials, full, none

	Children []string `toml:"children"` // patron categories of children, who are spoken to in words of their own

	// How old what is known of a patron may be while upstream is away.
	TrustFull *Duration `toml:"trust_full"` // in full; 1h
	Trust     *Duration `toml:"trust"`      // as usual; 24h, 0s has no bounds
	TrustFew  *Duration `toml:"trust_few"`  // for a few loans; 168h
	Usual     int       `toml:"usual"`      // loans as usual; 0, what the other rules allow
	Few       int       `toml:"few"`        // 3
}

// Loans are the rules for loans that are decided here.
type Loans struct {
	Days     int            `toml:"days"` // 21
	TypeDays map[string]int `toml:"type_days"`
	Max      int            `toml:"max"`     // 0: no limit
	Unknown  string         `toml:"unknown"` // offline, item not in the mirror: refuse (default) or accept
}

// Tags are the library's conventions for RFID tags.
type Tags struct {
	Security string   `toml:"security"` // the AFI pair that gates look at: iso (default), german-old, 3m, none
	EAS      bool     `toml:"eas"`      // gates look at the EAS bit
	Owners   []string `toml:"owners"`   // ISILs whose tags are taken; none: all. The first is written on new tags
	Model    string   `toml:"model"`    // of new tags: iso28560-3 (default), iso28560-2
	Sets     string   `toml:"sets"`     // a set of which parts are missing: refuse (default) or accept
	Count    bool     `toml:"count"`    // the patron counts what lies on the pad

	AFI tagdata.Security `toml:"-"`
}

// Screen are the times of the touch screen.
type Screen struct {
	Idle    Duration `toml:"idle"`    // 60s
	Warn    Duration `toml:"warn"`    // 20s
	Receipt Duration `toml:"receipt"` // 15s
	Mode    string   `toml:"mode"`    // unless the patron chooses another: standard, with ".large" and ".contrast" as wanted

	// Switch is how long each thing is lit for who chooses by a switch; 1.5s.
	Switch Duration `toml:"switch"`

	Words string `toml:"words"` // adult (default); child: for everybody, as in a primary school

	Volume *float64 `toml:"volume"` // of its tones, 0 to 1; 0.5
	Quiet  []string `toml:"quiet"`  // hours without tones, as "20:00-08:00"
	Speak  bool     `toml:"speak"`  // what is on the screen, to who uses keys or a switch

	// ClassFile is a CSV file of cards, each with an animal or the name of a
	// photo beside it: who may borrow by touching one, in the pre-reader mode.
	ClassFile string `toml:"class_file"`

	// Remember keeps what a patron chooses with the card, in the ledger's file.
	Remember bool `toml:"remember"`

	Manner web.Manner  `toml:"-"`
	Class  []web.Pupil `toml:"-"` // its photos are there after Draw
	Sound  web.Sound   `toml:"-"`
}

// Upstream is the library's system. SIP2 is nil unless Driver is "sip2".
type Upstream struct {
	Driver   string        // sip2, koha or none
	Deadline time.Duration // longest a patron waits for it
	SIP2     *sip2.Config  // with driver koha: for returns and what has happened already; nil without
	Koha     *koha.Config
	Refresh  time.Duration // how often what has changed there is read into the mirror; 0: never by itself
}

// Duration is a time.Duration that TOML writes as "2.5s".
type Duration struct{ time.Duration }

// UnmarshalText reads Go's notation; negative times are refused.
func (d *Duration) UnmarshalText(b []byte) (err error) {
	if d.Duration, err = time.ParseDuration(string(b)); err == nil && d.Duration < 0 {
		err = errors.New("must not be negative")
	}
	return err
}

// Problem is one thing wrong with a configuration.
type Problem struct{ Key, Value, Why string }

// has tells whether one of the problems is a key's.
func has(list []Problem, key string) bool {
	return slices.ContainsFunc(list, func(p Problem) bool { return p.Key == key })
}

// Problems is everything wrong with one file.
type Problems struct {
	File string
	List []Problem
}

func (p *Problems) Error() string {
	var lines []string
	for _, x := range p.List {
		s := p.File + ": " + x.Key + ": "
		if x.Value != "" {
			s += x.Value + ": "
		}
		lines = append(lines, s+x.Why)
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(key string, value any, why string, args ...any) {
	v := ""
	if value != nil {
		v = fmt.Sprintf("%v", value)
		if s, ok := value.(string); ok {
			v = fmt.Sprintf("%q", s)
		}
	}
	p.List = append(p.List, Problem{key, v, fmt.Sprintf(why, args...)})
}

// Load reads and checks a file, or the one that Locate gives for it. The error is a *Problems if the file could be
// read at all; nothing but the file and the secrets it names is opened.
func Load(file string) (*Config, error) {
	file, err := Locate(file)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, raw)
}

// Parse is Load of a file's content; secrets are found beside file if their
// path is relative.
func Parse(file string, raw []byte) (*Config, error) {
	p := &Problems{File: file}
	var all map[string]any
	if err := toml.Unmarshal(raw, &all); err != nil {
		p.syntax(err)
		return nil, p
	}
	devices, upstream := all["device"], all["upstream"]
	delete(all, "device")
	delete(all, "upstream")
	c := Config{file: file}
	p.strict("", all, &c)
	c.devices(p, devices)
	c.upstream(p, upstream, filepath.Dir(file))
	c.check(p)
	if len(p.List) > 0 {
		return nil, p
	}
	return &c, nil
}

func (p *Problems) syntax(err error) {
	key := "TOML"
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, _ := e.Position()
		key = fmt.Sprintf("line %d", row)
	}
	p.add(key, nil, "%s", strings.TrimPrefix(err.Error(), "toml: "))
}

// filled tells of a list that is there and empty: left out, it has a default.
func (p *Problems) filled(key string, list []string) {
	if list != nil && len(list) == 0 {
		p.add(key, "[]", "must name at least one; left out, it has a default")
	}
}

// strict decodes a table into a struct; what does not fit is a problem each.
func (p *Problems) strict(prefix string, table map[string]any, into any) {
	for _, bad := range Decode(table, into) {
		if prefix != "" {
			bad.Key = prefix + "." + bad.Key
		}
		p.List = append(p.List, bad)
	}
}

// checked adds each "key: why" of a check; "key, key: why" is of several. What
// is of a key among had is left out: its value could not be read, so that what
// was checked is not what is written.
func (p *Problems) checked(prefix string, err error, had []Problem) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range several.Unwrap() {
			p.checked(prefix, err, had)
		}
	} else if err != nil {
		keys, why, _ := strings.Cut(err.Error(), ": ")
		for key := range strings.SplitSeq(keys, ", ") {
			if has(had, prefix+"."+key) {
				return
			}
		}
		p.add(prefix+"."+keys, nil, "%s", why)
	}
}

// check gives every zero its meaning, and tells of all that is wrong.
func (c *Config) check(p *Problems) {
	c.Kiosk.check(p)
	c.addresses(p)
	c.zone(p)
	c.Screen.check(p)
	c.Patrons.check(p)
	c.Loans.check(p)
	c.Tags.check(p)
	c.Staff.check(p)
	c.Shelf.check(p)
	if c.Shelf.Rules != nil {
		c.Find.plan(p, c.Shelf.Rules)
	}
	c.Update.check(p)
	c.Backup.check(p)
	c.Receipts.check(p)
	c.barcodes(p)
}

func (k *Kiosk) check(p *Problems) {
	if k.Name == "" && !has(p.List, "kiosk.name") {
		p.add("kiosk.name", k.Name, "must be set: it names this kiosk in the fleet")
	}
	if k.Data == "" && !has(p.List, "kiosk.data") {
		p.add("kiosk.data", k.Data, "must be set: the folder of the ledger")
	}
	for _, h := range k.Hosts {
		if h == "" || strings.ContainsAny(h, ":/*? ") {
			p.add("kiosk.hosts", h, "must be a name alone, as \"kiosk1.school.lan\"")
		}
	}
	p.filled("kiosk.languages", k.Languages)
	if len(k.Languages) == 0 {
		k.Languages = []string{"en"}
	}
	known := web.Languages()
	for _, l := range k.Languages {
		if !slices.Contains(known, l) {
			p.add("kiosk.languages", l, "must be of %s", strings.Join(known, ", "))
		}
	}
}

// addresses are those that are listened on.
func (c *Config) addresses(p *Problems) {
	k := &c.Kiosk
	if k.Listen == "" {
		k.Listen = "127.0.0.1:8480"
	}
	p.address("kiosk.listen", k.Listen, "127.0.0.1:8480")
	if l := c.Phones.Listen; l != "" {
		p.address("phones.listen", l, "0.0.0.0:8443")
		if l == k.Listen {
			p.add("phones.listen", l, "must be another than kiosk.listen: it is served to the library's network")
		}
	}
}

// zone is that of the library, and of its system.
func (c *Config) zone(p *Problems) {
	c.Location = time.Local
	if name := c.Kiosk.Timezone; name != "" {
		loc, err := time.LoadLocation(name)
		if err != nil {
			p.add("kiosk.timezone", name, "is not a zone that this machine knows, as \"America/New_York\"")
		} else {
			c.Location = loc
		}
	}
	if c.Upstream.SIP2 != nil {
		c.Upstream.SIP2.Zone = c.Location
	}
	if c.Upstream.Koha != nil {
		c.Upstream.Koha.Zone = c.Location
	}
}

func (c *Patrons) check(p *Problems) {
	p.oneOf("patrons.pin_offline", c.PINOffline, "refuse", "accept")
	p.oneOf("patrons.pin_keys", c.PINKeys, "letters", "digits")
	p.oneOf("patrons.unknown", c.Unknown, "refuse", "accept")
	p.oneOf("patrons.name", c.Name, "first", "initials", "full", "none")
	if c.Few < 0 {
		p.add("patrons.few", c.Few, "must be 1 or more")
	}
	if c.Usual < 0 {
		p.add("patrons.usual", c.Usual, "must be 0 (what the other rules allow) or more")
	}
	if full, usual := c.TrustFull, c.Trust; full != nil && usual != nil && usual.Duration > 0 && full.Duration > usual.Duration {
		p.add("patrons.trust_full", full.Duration, "must be no longer than patrons.trust, which is %v", usual.Duration)
	}
}

// maxDays is the longest loan.
const maxDays = 3660

func (l *Loans) check(p *Problems) {
	p.oneOf("loans.unknown", l.Unknown, "refuse", "accept")
	if l.Days < 0 || l.Days > maxDays {
		p.add("loans.days", l.Days, "must be 1 to %d", maxDays)
	}
	for kind, n := range l.TypeDays {
		if n < 0 || n > maxDays {
			p.add("loans.type_days."+kind, n, "must be 0 to %d", maxDays)
		}
	}
	if l.Max < 0 {
		p.add("loans.max", l.Max, "must be 0 (no limit) or more")
	}
}

func (c *Config) barcodes(p *Problems) {
	b := c.Barcodes
	p.filled("barcodes.patron", b.Patron)
	p.filled("barcodes.item", b.Item)
	p.oneOf("barcodes.wrong", b.Wrong, "refuse", "warn")
	in, err := intake.New(intake.Config{Patron: b.Patron, Item: b.Item, Check: b.Check, Warn: b.Wrong == "warn",
		PatronCheck: b.PatronCheck, ItemCheck: b.ItemCheck})
	p.checked("barcodes", err, nil)
	c.Intake = in
}

// address checks what is listened on.
func (p *Problems) address(key, value, as string) {
	if _, port, err := net.SplitHostPort(value); err != nil {
		p.add(key, value, "must be host:port, as %s", as)
	} else if _, err := net.LookupPort("tcp", port); err != nil {
		p.add(key, value, "must end with a port, as %s", as)
	}
}

func (s *Screen) check(p *Problems) {
	if idle, warn := cmp.Or(s.Idle.Duration, time.Minute), cmp.Or(s.Warn.Duration, 20*time.Second); warn >= idle {
		p.add("screen.warn", warn, "must be less than screen.idle, which is %v", idle)
	}
	var ok bool
	if s.Manner, ok = web.ParseManner(cmp.Or(s.Mode, string(web.Standard))); !ok {
		var all []string
		for _, m := range web.Manners() {
			all = append(all, m.String())
		}
		p.add("screen.mode", s.Mode, "must be of %s", strings.Join(all, ", "))
	}
	if d := s.Switch.Duration; d != 0 && (d < 300*time.Millisecond || d > 10*time.Second) {
		p.add("screen.switch", d, "must be from 300ms to 10s")
	}
	p.oneOf("screen.words", s.Words, "adult", "child")
	if s.ClassFile != "" {
		s.class(p)
	}
	s.sound(p)
}

func (s *Screen) sound(p *Problems) {
	s.Sound.Volume, s.Sound.Speaks = 0.5, s.Speak
	if s.Volume != nil {
		s.Sound.Volume = *s.Volume
	}
	if v := s.Sound.Volume; !(v >= 0 && v <= 1) {
		p.add("screen.volume", v, "must be 0 (silent) to 1")
	}
	for _, text := range s.Quiet {
		h, err := web.ParseHours(text)
		if err != nil {
			p.add("screen.quiet", nil, "%v", err)
		}
		s.Sound.Quiet = append(s.Sound.Quiet, h)
	}
}

// class reads the list of cards with animals and photos.
func (s *Screen) class(p *Problems) {
	file := p.beside(s.ClassFile)
	f, err := os.Open(file)
	if err != nil {
		p.add("screen.class_file", s.ClassFile, "%v", err)
		return
	}
	defer f.Close()
	if s.Class, err = web.ReadClass(f, os.DirFS(filepath.Dir(file))); err != nil {
		p.rows("screen.class_file", s.ClassFile, err)
	}
}

// rows adds an error that has a line for each row of a file.
func (p *Problems) rows(key, file string, err error) {
	p.add(key, file, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
}

// Draw makes ready what takes a while and only the screen needs, the photos of
// the class; a *Problems if one is damaged.
func (c *Config) Draw() error {
	s, p := &c.Screen, &Problems{File: c.file}
	if err := web.DrawClass(s.Class, os.DirFS(filepath.Dir(p.beside(s.ClassFile)))); err != nil {
		p.rows("screen.class_file", s.ClassFile, err)
		return p
	}
	return nil
}

// check gives every zero its meaning, too.
func (t *Tags) check(p *Problems) {
	t.Security, t.Model = cmp.Or(t.Security, "iso"), cmp.Or(t.Model, string(tagdata.ISO3))
	p.oneOf("tags.sets", t.Sets, "refuse", "accept")
	p.oneOf("tags.model", t.Model, string(tagdata.ISO3), string(tagdata.ISO2))
	var names []string
	for _, s := range tagdata.Securities {
		names = append(names, s.Name)
		if s.Name == t.Security {
			t.AFI = s
		}
	}
	p.oneOf("tags.security", t.Security, append(names, "none")...)
	for _, o := range t.Owners {
		if o == "" {
			p.add("tags.owners", o, "must be ISILs, as \"US-RPLS\"")
		}
	}
}

func (p *Problems) oneOf(key, value string, choices ...string) {
	if value == "" {
		return
	}
	for _, c := range choices {
		if value == c {
			return
		}
	}
	p.add(key, value, "must be %s", strings.Join(choices, " or "))
}

// Rules are the library's rules as the desk wants them.
func (c *Config) Rules() kiosk.Rules {
	trust := kiosk.Trust{Full: time.Hour, Usual: 24 * time.Hour, Few: 7 * 24 * time.Hour, UsualItems: c.Patrons.Usual, Items: cmp.Or(c.Patrons.Few, 3)}
	for to, d := range map[*time.Duration]*Duration{&trust.Full: c.Patrons.TrustFull, &trust.Usual: c.Patrons.Trust, &trust.Few: c.Patrons.TrustFew} {
		if d != nil {
			*to = d.Duration
		}
	}
	trust.Full = min(trust.Full, trust.Usual)
	if c.Upstream.Driver == "none" {
		trust = kiosk.Trust{} // what is known here is all there is
	}
	return kiosk.Rules{
		Trust:    trust,
		Location: c.Location,
		PIN:      c.Patrons.PIN, PINOffline: c.Patrons.PINOffline == "accept",
		UnknownCards: c.Patrons.Unknown == "accept", UnknownItems: c.Loans.Unknown == "accept",
		AnyParts: c.Tags.Sets == "accept", Count: c.Tags.Count,
		LoanDays: c.Loans.Days, TypeDays: c.Loans.TypeDays, MaxLoans: c.Loans.Max,
		Name: kiosk.NameStyle(c.Patrons.Name), Children: c.Patrons.Children, Receipts: c.receipts(),
		Idle: c.Screen.Idle.Duration, Warn: c.Screen.Warn.Duration, Receipt: c.Screen.Receipt.Duration,
	}
}
