package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim/port"
	"github.com/carrel-kiosk/carrel/drivers/sim/uhf"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/drivers/thingmagic/thingmagicsim"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// A wand hears the books that are so near, and is moved on by some at once.
const (
	wandNear = 8
	wandStep = 12
)

const wandConfig = `
[[device]]
name = "wand"
driver = "thingmagic"
path = %q
round = "20ms"
[shelf]
reach = 16
`

// wandFar is how far off what is moved stands: of books in a stir of 20 about
// eight are in order, so that a reach of 16 of those is 40 on the shelf.
const wandFar = 80

// TestStocktakeByWand walks along 1,255 books with UHF tags with a wand on a
// pty, which hears those near it in any order, most of them many times, and
// kills the daemon in the middle. Every planted fault is found, and nothing
// else; nothing that was acknowledged is lost. With CARREL_SCANS the time of the
// air passes: 300 tags a second.
func TestStocktakeByWand(t *testing.T) {
	p, err := port.Open("")
	if err != nil {
		t.Fatal(err)
	}
	f := uhf.New(5)
	if pace(t) > 0 {
		f.Wait = time.Sleep
	}
	ended := make(chan error, 1)
	go func() { ended <- thingmagicsim.Serve(p, f, thingmagicsim.Options{}) }()
	defer func() { p.Close(); <-ended }()
	s := newStocktake(t, wandFar, fmt.Sprintf(wandConfig, p.Path))
	s.start()
	defer func() { s.kill() }()
	c, err := control.Dial(s.data)
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := c.Inventories().Begin(t.Context(), "", kiosk.ShelfRange{Library: "RPLS-WEPL"})
	if err != nil {
		t.Fatal(err)
	}
	s.id = v.ID
	s.walk()
	s.wave(f)
	s.walks()
	s.found()
}

// wave moves the wand along the shelf, and on when all near it was heard.
func (s *stocktake) wave(f *uhf.Field) {
	begin := time.Now()
	var tags []*uhf.Tag
	for n, item := range s.shelf {
		u, err := tagdata.EncodeUHF(tagdata.Contents{Item: string(item), Owner: "US-RPLS"}, tagdata.ISO4, false)
		if err != nil {
			s.t.Fatal(err)
		}
		t := uhf.NewTag(uint32(n), u.PC, u.UII, 32)
		t.Set(drivers.BankUser, u.User)
		tags = append(tags, t)
	}
	u, err := tagdata.EncodeUHF(tagdata.Contents{Item: "SHELF-9", Owner: "US-RPLS"}, tagdata.ISO4, false)
	if err != nil {
		s.t.Fatal(err)
	}
	f.Place(uhf.NewTag(99999, u.PC, u.UII, 0), uhf.Coupling{}) // the label on the shelf's end is a tag as well
	for x := (inventory.Said{}); x.Shelf != "9"; {
		select {
		case x = <-s.said:
		case <-time.After(deadline):
			s.t.Fatalf("the shelf's label is not heard\n%s", s.log())
		}
	}
	killed := false
	for at := 0; at < len(tags)+wandStep; at += wandStep {
		f.Clear()
		from, to := max(0, at-wandNear), min(len(tags), at+wandNear)
		for _, t := range tags[min(from, to):to] {
			f.Place(t, uhf.Coupling{Miss: 0.2})
		}
		if at > len(tags)/2 && !killed && s.strayAmong(to, from+wandFresh) {
			killed = true
			s.listen(s.shelf[from : from+wandNear/2]) // while the others near it are on their way
			s.killed()
		}
		s.listen(s.shelf[min(from, to):to])
	}
	if !killed {
		s.t.Error("the daemon was never killed")
	}
	s.t.Logf("%d books heard in %v, %v of it on the air", len(s.met), time.Since(begin), f.Airtime())
}

// wandFresh is where a wand that starts could not tell yet what stands off: as far
// as its reach, and what it hears at once. One that goes on can.
const wandFresh = 16 + 2*wandNear

// strayAmong tells whether a moved book stands in a piece of the shelf.
func (s *stocktake) strayAmong(from, to int) bool {
	return slices.ContainsFunc(s.shelf[from:min(to, len(s.shelf))], func(b kiosk.Barcode) bool { return slices.Contains(s.moved, b) })
}

// listen waits until something was said of all these.
func (s *stocktake) listen(items []kiosk.Barcode) {
	s.t.Helper()
	for _, item := range items {
		for !s.met[item] {
			select {
			case x := <-s.said:
				if x.Why != "" || x.Who != "wand" {
					s.t.Fatalf("said %+v\n%s", x, s.log())
				}
				s.note(x)
			case <-time.After(deadline):
				s.t.Fatalf("%s is not heard\n%s", item, s.log())
			}
		}
	}
}
