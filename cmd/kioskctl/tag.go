package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
	"github.com/carrel-kiosk/carrel/kiosk/station"
)

type tagCmd struct {
	Read    tagRead    `cmd:"" help:"Show all that the tags on the pad say."`
	Write   tagWrite   `cmd:"" help:"Write an item's number on the tag on the pad, read back."`
	Verify  tagVerify  `cmd:"" help:"Check the tags on the pad; exit status 1 if one is not right."`
	Lock    tagLock    `cmd:"" help:"Make the item's number on the tag unwritable, for ever."`
	Convert tagConvert `cmd:"" help:"Write what the tag says anew, in the library's model."`
	Batch   tagBatch   `cmd:"" help:"One book after the other: barcodes from the standard input."`
}

// stdin is where answers and barcodes come from.
var stdin io.Reader = os.Stdin

// pad is a pad, the daemon's or one's own.
type pad interface {
	station.Ops
	Look(ctx context.Context) ([]station.Found, error)
	Lock(ctx context.Context, tag kiosk.TagID) (station.Result, error)
}

// withPad works with the daemon's pad, or with the configured one where no
// daemon runs.
func withPad(g *grammar, do func(ctx context.Context, c *config.Config, p pad) error) (err error) {
	conf, err := g.load()
	if err != nil {
		return err
	}
	ctx := context.Background()
	if d := running(conf); d != nil {
		defer d.Done(ctx) //nolint:errcheck // else the lease ends by itself, later
		return do(ctx, conf, d)
	}
	dev, err := daemon.OpenPad(ctx, conf)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dev.Close()) }()
	var titles station.Titles
	if r, err := sqlite.OpenReadOnly(ctx, ledger(conf)); err == nil { // without a catalogue there are no titles
		defer r.Close()
		titles = r
	}
	return do(ctx, conf, station.New(daemon.TagSettings(conf), dev, titles))
}

type tagRead struct {
	Raw bool `help:"The memory, too, in hexadecimal."`
}

func (c *tagRead) Run(g *grammar, p *printer) error {
	return withPad(g, func(ctx context.Context, conf *config.Config, pad pad) error {
		found, err := pad.Look(ctx)
		if err != nil {
			return err
		}
		check := station.New(daemon.TagSettings(conf), nil, nil)
		for _, f := range found {
			if err := p.tag(f, check.Check(f, ""), c.Raw); err != nil {
				return err
			}
		}
		if len(found) == 0 {
			return errNoTag
		}
		return nil
	})
}

var errNoTag = errors.New("no tag lies on the pad: lay a book on it and try again")

// tagView is a tag for scripts.
type tagView struct {
	UID      kiosk.TagID   `json:"uid"`
	Model    tagdata.Model `json:"model"`
	Likely   tagdata.Model `json:"likely,omitempty"`
	Item     string        `json:"item,omitempty"`
	Hint     string        `json:"hint,omitempty"`
	Owner    string        `json:"owner,omitempty"`
	Usage    tagdata.Usage `json:"usage,omitempty"`
	Part     int           `json:"part,omitempty"`
	Parts    int           `json:"parts,omitempty"`
	Reversed bool          `json:"reversed,omitempty"`
	AFI      *station.Byte `json:"afi,omitempty"`
	DSFID    *station.Byte `json:"dsfid,omitempty"`
	EAS      *bool         `json:"eas,omitempty"`
	Locked   []int         `json:"locked"` // blocks
	Block    int           `json:"block_size"`
	Elements []tagElement  `json:"elements"`
	Damage   []string      `json:"damage"`
	Wrong    []string      `json:"wrong"` // for this library, damage included
	Memory   station.Hex   `json:"memory"`
}

type tagElement struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Text string `json:"text"`
	Raw  string `json:"raw"`
	At   int    `json:"at"`
	Size int    `json:"size"`
}

func viewTag(f station.Found, wrong []string) tagView {
	c := f.Contents
	v := tagView{UID: f.UID, Model: c.Model, Likely: c.Likely, Item: c.Item, Hint: c.Hint, Owner: c.Owner, Usage: c.Usage, Part: c.Part,
		Parts: c.Parts, Reversed: c.Reversed, AFI: f.AFI, DSFID: f.DSFID, EAS: f.EAS, Block: f.Block, Memory: f.Memory,
		Locked: []int{}, Elements: []tagElement{}, Damage: []string{}, Wrong: append([]string{}, wrong...)}
	for b, locked := range f.Locked {
		if locked {
			v.Locked = append(v.Locked, b)
		}
	}
	for _, e := range c.Elements {
		v.Elements = append(v.Elements, tagElement{e.ID, e.Name, e.Text, hex.EncodeToString(e.Raw), e.At, e.Size})
	}
	for _, d := range c.Damage {
		v.Damage = append(v.Damage, d.Text)
	}
	return v
}

// tag prints one.
func (p *printer) tag(f station.Found, wrong []string, raw bool) error {
	v := viewTag(f, wrong)
	if *p.json {
		return p.row(v)
	}
	p.say("%s", f.UID)
	line := func(name string, value any) {
		if s := fmt.Sprint(value); s != "" {
			p.row(nil, "  "+name, s)
		}
	}
	model := string(v.Model)
	if v.Likely != "" {
		model += ", probably " + string(v.Likely)
	}
	if v.Reversed {
		model += ", bytes of each block turned round"
	}
	line("model", model)
	line("item", v.Item)
	if v.Item == "" && v.Hint != "" {
		line("perhaps", fmt.Sprintf("%q (not to be trusted)", v.Hint))
	}
	line("owner", v.Owner)
	line("usage", v.Usage)
	if v.Parts > 0 {
		line("part", fmt.Sprintf("%d of %d", v.Part, v.Parts))
	}
	line("AFI", shown(v.AFI, afiName))
	line("DSFID", shown(v.DSFID, nil))
	eas := "not told"
	if v.EAS != nil {
		eas = map[bool]string{true: "on", false: "off"}[*v.EAS]
	}
	line("EAS", eas)
	line("size", fmt.Sprintf("%d blocks of %d bytes", len(f.Memory)/max(f.Block, 1), f.Block))
	line("locked", cmp.Or(strings.Trim(fmt.Sprint(v.Locked), "[]"), "nothing"))
	for _, e := range v.Elements {
		line("element "+e.ID, fmt.Sprintf("%s: %q  %s", e.Name, e.Text, e.Raw))
	}
	for _, d := range wrong {
		line("NOT RIGHT", d)
	}
	if len(wrong) == 0 {
		line("right", "as this library's tags are")
	}
	if raw && f.Block > 0 {
		for at := 0; at < len(f.Memory); at += f.Block {
			line(fmt.Sprintf("block %d", at/f.Block), hex.EncodeToString(f.Memory[at:min(at+f.Block, len(f.Memory))]))
		}
	}
	p.flush()
	return nil
}

func shown(b *station.Byte, name func(byte) string) string {
	if b == nil {
		return "not told"
	}
	s := fmt.Sprintf("%02X", byte(*b))
	if name != nil {
		s += name(byte(*b))
	}
	return s
}

func afiName(b byte) string {
	switch b {
	case tagdata.AFIInStock:
		return " (in stock)"
	case tagdata.AFIOnLoan:
		return " (on loan, or gates do not use it)"
	}
	return ""
}

type tagWrite struct {
	Item  string `arg:"" name:"barcode" help:"The item's barcode."`
	Part  int    `help:"Which part of a set this is." placeholder:"N"`
	Parts int    `help:"Of how many parts the set is." placeholder:"M"`
	Model string `help:"iso28560-3 or iso28560-2; the configuration's if not given." enum:",iso28560-3,iso28560-2" default:""`
	Owner string `help:"ISIL to write; the configuration's first if not given." placeholder:"ISIL"`
	Lock  bool   `help:"Lock the number afterwards, for ever."`
	Force bool   `help:"Overwrite whatever is on the tag, without asking."`
}

func (c *tagWrite) Run(g *grammar, p *printer) error {
	if c.Parts < 0 || c.Part < 0 || c.Part > c.Parts {
		return cli.Wrong(fmt.Errorf("part %d of %d: can't be", c.Part, c.Parts))
	}
	return withPad(g, func(ctx context.Context, _ *config.Config, pad pad) error {
		return put(ctx, p, pad, station.Wish{Item: kiosk.Barcode(c.Item), Part: c.Part, Parts: c.Parts, Model: tagdata.Model(c.Model),
			Owner: c.Owner, Lock: c.Lock, Force: c.Force})
	})
}

type tagConvert struct {
	Model string `help:"iso28560-3 or iso28560-2; the configuration's if not given." enum:",iso28560-3,iso28560-2" default:""`
	Owner string `help:"ISIL to write; the configuration's first if not given." placeholder:"ISIL"`
	Lock  bool   `help:"Lock the number afterwards, for ever."`
	Force bool   `help:"Also a tag of another library, without asking."`
}

func (c *tagConvert) Run(g *grammar, p *printer) error {
	return withPad(g, func(ctx context.Context, _ *config.Config, pad pad) error {
		return put(ctx, p, pad, station.Wish{Convert: true, Model: tagdata.Model(c.Model), Owner: c.Owner, Lock: c.Lock, Force: c.Force})
	})
}

// errTag makes the exit status 1 for a tag that is not as was wished.
var errTag = errors.New("not done")

// put has a wish fulfilled, and asks where staff must be sure.
func put(ctx context.Context, p *printer, pad pad, w station.Wish) error {
	r, err := pad.Put(ctx, w)
	if err != nil {
		return err
	}
	if r.Verdict.Question() && !*p.json && confirm(p, r.Says+". Overwrite it?") {
		w.Sure = r.UID
		if r, err = pad.Put(ctx, w); err != nil {
			return err
		}
	}
	return p.result(r, did(r, w.Lock))
}

// result prints what became of a wish; did says it of one that is fulfilled.
func (p *printer) result(r station.Result, did string) error {
	if *p.json {
		if err := p.row(r); err != nil {
			return err
		}
	} else if r.Verdict.Done() {
		p.say("%s", done(r, did))
	}
	if r.Verdict.Done() {
		return nil
	}
	why := r.Says
	switch {
	case why == "" && len(r.Missing) > 0:
		why = fmt.Sprintf("-part N says which part this is, of %s", strings.Trim(fmt.Sprint(r.Missing), "[]"))
	case r.Verdict.Question():
		why += " (-force overwrites it)"
	}
	return fmt.Errorf("%w: %s: %s", errTag, r.Verdict, why)
}

// did is what was done to a tag that was to be written.
func did(r station.Result, lock bool) string {
	if lock {
		return string(r.Verdict) + " and locked"
	}
	return string(r.Verdict)
}

// done tells in a line what was done to a tag, and what it now says.
func done(r station.Result, did string) string {
	s := fmt.Sprintf("%s %s", r.UID, did)
	if r.Item != "" {
		s += ": " + string(r.Item)
	}
	if r.Parts > 1 {
		s += fmt.Sprintf(", part %d of %d", r.Part, r.Parts)
	}
	if r.Title != "" {
		s += ", " + r.Title
	}
	if r.Unknown {
		s += ", NOT IN THE CATALOGUE"
	}
	if len(r.Dropped) > 0 {
		s += "; left out: " + strings.Join(r.Dropped, ", ")
	}
	if len(r.Unset) > 0 {
		s += "; this reader can't write: " + strings.Join(r.Unset, ", ")
	}
	return s
}

// confirm asks for a yes; the end of the input is a no.
func confirm(p *printer, question string) bool {
	p.flush()
	fmt.Fprintf(p.out, "%s [y/N] ", question)
	line, _ := bufio.NewReader(stdin).ReadString('\n')
	return slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(line)))
}

type tagVerify struct {
	Item string `arg:"" optional:"" name:"barcode" help:"What the tag must say; any item of this library if not given."`
}

func (c *tagVerify) Run(g *grammar, p *printer) error {
	return withPad(g, func(ctx context.Context, conf *config.Config, pad pad) error {
		found, err := pad.Look(ctx)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errNoTag
		}
		check, bad := station.New(daemon.TagSettings(conf), nil, nil), 0
		for _, f := range found {
			wrong := check.Check(f, kiosk.Barcode(c.Item))
			bad += min(len(wrong), 1)
			if *p.json {
				if err := p.row(viewTag(f, wrong)); err != nil {
					return err
				}
				continue
			}
			says := "right"
			if len(wrong) > 0 {
				says = "NOT RIGHT: " + strings.Join(wrong, "; ")
			}
			p.row(nil, f.UID, cmp.Or(f.Contents.Item, "-"), says)
		}
		p.flush()
		if bad > 0 {
			return fmt.Errorf("%d of %s not right: kioskctl tag write BARCODE writes one anew, tag convert keeps its number",
				bad, cli.Count(len(found), "tag is", "tags are"))
		}
		return nil
	})
}

type tagLock struct {
	Yes bool `help:"Don't ask."`
}

func (c *tagLock) Run(g *grammar, p *printer) error {
	return withPad(g, func(ctx context.Context, conf *config.Config, pad pad) error {
		found, err := pad.Look(ctx)
		switch {
		case err != nil:
			return err
		case len(found) == 0:
			return errNoTag
		case len(found) > 1:
			return fmt.Errorf("%d tags lie on the pad: leave only the one to be locked", len(found))
		}
		f := found[0]
		if wrong := station.New(daemon.TagSettings(conf), nil, nil).Check(f, ""); len(wrong) > 0 {
			return fmt.Errorf("%w: %s", errTag, strings.Join(wrong, "; "))
		}
		if !c.Yes && !confirm(p, fmt.Sprintf("Lock %s on %s for ever?", f.Contents.Item, f.UID)) {
			return fmt.Errorf("%w: nothing was locked (-yes does not ask)", errTag)
		}
		r, err := pad.Lock(ctx, f.UID)
		if err != nil {
			return err
		}
		return p.result(r, map[station.Verdict]string{station.Written: "locked", station.Right: "locked already"}[r.Verdict])
	})
}
