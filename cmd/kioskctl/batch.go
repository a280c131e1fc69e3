package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/station"
)

type tagBatch struct {
	Convert bool   `help:"Convert tags of older models, each with its own number; no barcodes are read."`
	Parts   int    `help:"Each item is a set of so many parts; which part it is, is asked." default:"1" placeholder:"M"`
	Lock    bool   `help:"Lock the numbers, for ever."`
	Model   string `help:"iso28560-3 or iso28560-2; the configuration's if not given." enum:",iso28560-3,iso28560-2" default:""`
}

// Run is a station on a terminal. What a scanner types is a barcode; y and n
// answer a question, a small number says which part, u undoes, r redoes, q
// ends.
func (c *tagBatch) Run(g *grammar, p *printer) error {
	return withPad(g, func(ctx context.Context, conf *config.Config, pad pad) error {
		ctx, end := context.WithCancel(ctx)
		defer end()
		b := station.NewBench(inModel{pad, tagdata.Model(c.Model)})
		ended := make(chan error, 2)
		go func() { ended <- b.Run(ctx) }()
		defer func() { end(); <-ended }()
		steps := []station.Step{station.Set{Parts: c.Parts}, station.SetLock{On: c.Lock}}
		if c.Convert {
			steps = append(steps, station.SetMode{Mode: station.Convert})
		}
		for _, s := range steps {
			if err := b.Send(ctx, s); err != nil {
				return err
			}
		}
		typed := make(chan error, 1)
		go func() { typed <- c.listen(ctx, b, conf) }() // it ends with the input, or with the program
		return c.watch(ctx, b, p, typed)
	})
}

// inModel asks for one model always.
type inModel struct {
	station.Ops
	model tagdata.Model
}

func (m inModel) Put(ctx context.Context, w station.Wish) (station.Result, error) {
	w.Model = m.model
	return m.Ops.Put(ctx, w)
}

// listen passes on what is typed. Of a list that is fed in, the next barcode
// waits until the book before is done; a person may change their mind.
func (c *tagBatch) listen(ctx context.Context, b *station.Bench, conf *config.Config) error {
	f, ok := stdin.(*os.File)
	person := ok && isTerminal(f)
	in := bufio.NewScanner(stdin)
	for in.Scan() {
		word := strings.TrimSpace(in.Text())
		var s station.Step
		v := b.View()
		n, err := strconv.Atoi(word)
		switch {
		case word == "":
			continue
		case word == "q":
			return nil
		case word == "u":
			s = station.Undo{}
		case word == "r":
			s = station.Redo{}
		case word == "n":
			s = station.Drop{}
		case word == "y":
			s = station.Sure{Tag: v.Result.UID}
		case err == nil && v.Stage == station.Part && n <= c.Parts:
			s = station.Chosen{Part: n}
		case !conf.Intake.Item(word):
			s = station.Misread{Code: word}
		default:
			if !person {
				if err := c.turn(ctx, b); err != nil {
					return err
				}
			}
			s = station.Scanned{Item: kiosk.Barcode(word)}
		}
		if err := b.Send(ctx, s); err != nil {
			return nil
		}
		if s, ok := s.(station.Scanned); ok {
			taken(ctx, b, s.Item)
		}
	}
	if in.Err() == nil {
		return c.turn(ctx, b) // the last book
	}
	return in.Err()
}

// taken waits until the station has taken a barcode.
func taken(ctx context.Context, b *station.Bench, item kiosk.Barcode) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for v := b.View(); v.Item != item && (len(v.Done) == 0 || v.Done[0].Item != item); {
		var err error
		if v, err = b.Next(ctx, v.Seq); err != nil {
			return
		}
	}
}

// turn waits until no barcode waits for its tag. A question that comes up then
// is one that nobody answers any more.
func (c *tagBatch) turn(ctx context.Context, b *station.Bench) error {
	for v := b.View(); ; {
		switch {
		case v.Item == "" && v.Stage != station.Working:
			return nil
		case v.Stage == station.Ask, v.Stage == station.Part:
			return fmt.Errorf("%s: the question about its tag was not answered: the next line is no answer, or there is none", v.Item)
		}
		next, err := b.Next(ctx, v.Seq)
		if err != nil {
			return nil // it is over
		}
		v = next
	}
}

// watch prints what happens, until the input ends.
func (c *tagBatch) watch(ctx context.Context, b *station.Bench, p *printer, typed <-chan error) error {
	var last station.View
	for {
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		v, err := b.Next(short, last.Seq)
		cancel()
		if err == nil {
			if err := c.show(p, last, v); err != nil {
				return err
			}
			last = v
			continue
		}
		select {
		case err := <-typed:
			if v := b.View(); v.Seq > last.Seq {
				c.show(p, last, v)
				last = v
			}
			p.say("%d done", last.Count)
			return err
		default:
		}
	}
}

// show prints what is new in a view. The bell rings for what needs a person.
func (c *tagBatch) show(p *printer, was, v station.View) error {
	if len(v.Done) > 0 && (len(was.Done) == 0 || !v.Done[0].At.Equal(was.Done[0].At)) {
		if *p.json {
			return p.row(v.Done[0].Result)
		}
		p.say("%s   (%d, %d an hour)", done(v.Done[0].Result, did(v.Done[0].Result, c.Lock)), v.Count, v.Rate)
	} else if len(v.Done) > 0 && v.Done[0].Undone != was.Done[0].Undone {
		p.say("%s: %s", v.Done[0].Item, map[bool]string{true: "undone", false: "done again"}[v.Done[0].Undone])
	}
	bell := ""
	switch {
	case v.Err != "" && v.Err != was.Err:
		bell = v.Err
	case v.Needs != "" && v.Needs != was.Needs:
		bell = fmt.Sprintf("put %s back on the pad first", v.Needs)
	case v.Code != "" && v.Code != was.Code:
		bell = fmt.Sprintf("%q is no item number of this library", v.Code)
	case len(v.Open) > len(was.Open):
		bell = fmt.Sprintf("%s was lifted too early: put it back", v.Open[len(v.Open)-1].Item)
	case v.Stage == was.Stage:
	case v.Stage == station.Ask:
		bell = v.Result.Says + ". Overwrite it? y or n"
	case v.Stage == station.Part:
		bell = fmt.Sprintf("which part of %s is this? %s", v.Item, strings.Trim(fmt.Sprint(v.Result.Missing), "[]"))
	case v.Stage == station.Trouble:
		bell = fmt.Sprintf("%s: %s", v.Result.Verdict, v.Result.Says)
	case v.Stage == station.Place && v.Item != "":
		p.say("%s: put it on the pad", v.Item)
	}
	if bell != "" {
		p.say("\a%s", bell)
	}
	return nil
}
