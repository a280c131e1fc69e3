package daemon

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/station"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// stationPage is the staff's station as the pages see it.
type stationPage struct{ *staff }

var _ web.Station = stationPage{}

// staffPages are the pages for staff.
func (d *Daemon) staffPages() *web.Staff {
	s := &web.Staff{Password: d.Config.Staff.Password(), Station: stationPage{d.staff}, Inventories: shelves{d.inventories, d.staff},
		Accounts: accounts{d}, Audit: accounts{d}, Now: d.now, Figures: d.figures.between, Board: d.boards, Brand: d.brands, Directory: directory{d}, Rescues: rescues{d}}
	if d.upstream != nil {
		s.Exceptions, s.Strange = exceptions{d}, d.strange
	}
	if d.phones != nil {
		s.Phones = d.phones
	}
	if d.devices.scan() {
		s.Badges = &d.staff.badges
	}
	return s
}

// Hold implements web.Station. The first one starts the bench.
func (s stationPage) Hold() error {
	s.mu.Lock()
	walks := s.walk != nil
	s.mu.Unlock()
	if walks {
		return web.ErrDeskBusy
	}
	if err := s.lease(benchLease); errors.Is(err, errBusy) {
		return web.ErrDeskBusy
	} else if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bench != nil || s.until.IsZero() {
		return nil
	}
	ctx, stop := context.WithCancel(s.ctx)
	b := station.NewBench(noted(s))
	s.bench, s.stop = b, stop
	s.benches.Go(func() { b.Run(ctx) }) //nolint:errcheck // it only ends with ctx
	return nil
}

// Release implements web.Station.
func (s stationPage) Release() { s.release() }

func (s stationPage) running() *station.Bench {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bench
}

// View implements web.Station.
func (s stationPage) View() web.StationView {
	if b := s.running(); b != nil {
		return s.view(b.View())
	}
	return s.view(station.View{Batch: *station.NewBatch()})
}

// Next implements web.Station.
func (s stationPage) Next(ctx context.Context, seq uint64) (web.StationView, error) {
	b := s.running()
	if b == nil {
		<-ctx.Done()
		return web.StationView{}, ctx.Err()
	}
	v, err := b.Next(ctx, seq)
	return s.view(v), err
}

// Tell implements web.Station.
func (s stationPage) Tell(ctx context.Context, what, value string) error {
	b := s.running()
	if b == nil {
		return errors.New("the station does not run")
	}
	step, err := s.step(ctx, what, value)
	if err != nil {
		return err
	}
	return b.Send(ctx, step)
}

// step makes what happens of what staff did on the page.
func (s stationPage) step(ctx context.Context, what, value string) (station.Step, error) {
	number := func(most int) (int, error) {
		n, err := strconv.Atoi(value)
		if err == nil && (n < 0 || n > most) {
			err = fmt.Errorf("%d is more than %d", n, most)
		}
		return n, err
	}
	switch what {
	case "scan":
		ev, _ := s.Config.Intake.Event(drivers.Scan{Text: value})
		return codeOf(ctx, s.store, ev), nil
	case "sure":
		return station.Sure{Tag: kiosk.TagID(value)}, nil
	case "part":
		n, err := number(255)
		return station.Chosen{Part: n}, err
	case "set":
		n, err := number(255)
		return station.Set{Parts: n}, err
	case "drop":
		return station.Drop{}, nil
	case "mode":
		return station.SetMode{Mode: station.Mode(value)}, nil
	case "lock":
		return station.SetLock{On: value == "true"}, nil
	case "undo":
		return station.Undo{}, nil
	case "redo":
		return station.Redo{}, nil
	}
	return nil, fmt.Errorf("%q can't be done", what)
}

// codeOf makes a step of a code that was scanned or typed. One that may be a
// card's is an item's if there is such a copy.
func codeOf(ctx context.Context, m kiosk.Mirror, ev kiosk.Event) station.Step {
	switch ev := ev.(type) {
	case kiosk.ItemPlaced:
		return station.Scanned{Item: ev.Item}
	case kiosk.EitherRead:
		if _, err := m.Item(ctx, kiosk.Barcode(ev.Code)); err == nil {
			return station.Scanned{Item: kiosk.Barcode(ev.Code)}
		}
	case kiosk.Unreadable:
		return station.Misread{Code: ev.Code}
	case kiosk.ISBNRead:
		return station.Misread{Code: ev.ISBN}
	}
	return station.Misread{Code: "…"} // a card: whose it is, nobody needs to see
}

// view makes a page's view.
func (s stationPage) view(v station.View) web.StationView {
	r := v.Result
	w := web.StationView{Seq: v.Seq, Mode: string(v.Mode), Stage: string(v.Stage), Parts: v.Parts, Lock: v.Lock, Item: string(v.Item),
		Verdict: string(r.Verdict), UID: string(r.UID), Says: r.Says, Missing: r.Missing, Err: v.Err, Code: v.Code, PutBack: string(v.Needs),
		Tags: v.Tags, Count: v.Count, Rate: v.Rate}
	if r.Before != nil {
		c := r.Before.Contents
		w.Was = web.StationTag{Item: c.Item, Owner: c.Owner, Model: string(c.Model), Part: c.Part, Parts: c.Parts}
	}
	if v.Item != "" {
		i, err := s.store.Item(s.ctx, v.Item)
		w.Title, w.Unknown = i.Title, errors.Is(err, kiosk.ErrUnknown)
	}
	for _, e := range v.Done {
		w.Done = append(w.Done, s.book(e))
	}
	for _, e := range v.Open {
		w.Open = append(w.Open, s.book(e))
	}
	return w
}

func (s stationPage) book(e station.Entry) web.StationBook {
	_, err := s.store.Loan(s.ctx, e.Item)
	return web.StationBook{Item: string(e.Item), Title: e.Title, Part: e.Part, Parts: e.Parts, Dropped: strings.Join(e.Dropped, ", "),
		Unknown: e.Unknown, Undone: e.Undone, Lent: err == nil}
}
