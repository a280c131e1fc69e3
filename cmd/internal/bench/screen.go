package bench

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/demo"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web/browsertest"
)

// ScreenOptions say how much to measure.
type ScreenOptions struct {
	Dir    string        // where the demo's data goes; empty: a temporary folder
	Rounds int           // visits of each kind, and stacks of ten
	Slow   float64       // how many times slower the browser is made than this machine
	Pace   time.Duration // between the books of a stack; 0 means 600ms: nobody is quicker
	Log    io.Writer     // progress, and what the browser complains of; nil means none
}

// What a practised hand needs, by the keystroke-level model (Card, Moran and
// Newell, 1980): it homes in 0.4 s, points in 1.1 s, presses in 0.1 s. A scan is
// homing and pointing, with a card or a book.
const (
	handScan  = 1500 * time.Millisecond
	handTouch = 1200 * time.Millisecond
)

//go:embed screen.cjs
var screenScript []byte

// Screen measures the touch screen of the whole desk: the daemon's share of
// each tap, what a visit costs from idle to "lent", and what script costs in a
// browser that is made as slow as a Pi's.
func Screen(ctx context.Context, o ScreenOptions) (figures []Figure, err error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	dir, err := os.MkdirTemp(o.Dir, "carrel-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "screen.cjs")
	if err := os.WriteFile(script, screenScript, 0o600); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	browser, err := browsertest.Command(ctx, script)
	if err != nil {
		return nil, fmt.Errorf("the screen is measured in a browser: %w", err)
	}
	addr, ended, err := openDemo(ctx, filepath.Join(dir, "demo"))
	if err != nil {
		return nil, err
	}
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	p, err := people(o.Rounds)
	if err != nil {
		return nil, err
	}
	taps, err := taps(ctx, addr, o.Rounds, p)
	if err != nil {
		return nil, fmt.Errorf("taps: %w", err)
	}
	fmt.Fprintf(o.Log, "taps: %d measured; now the browser, slower by %g\n", len(taps), o.Slow)
	ten, visits := p.stacks(o.Rounds), p.visits(o.Rounds)
	browser.Env = append(browser.Env, "BASE=http://"+addr, "PACE="+strconv.FormatInt(cmp.Or(o.Pace, 600*time.Millisecond).Milliseconds(), 10), "SLOW="+strconv.FormatFloat(o.Slow, 'g', -1, 64), "VISITS="+asText(visits), "TEN="+asText(ten))
	browser.Stderr = o.Log
	said, err := browser.Output()
	if err != nil {
		return nil, fmt.Errorf("browser: %w", err)
	}
	var got seenByBrowser
	if err := json.Unmarshal(bytes.TrimSpace(said), &got); err != nil {
		return nil, fmt.Errorf("browser: %w", err)
	}
	figures = []Figure{
		{Name: "tap to the new screen sent, the daemon's share, median", Value: taps.at(50), Unit: "ms", Aim: 100},
		{Name: "tap to the new screen sent, the daemon's share, slowest", Value: taps.at(100), Unit: "ms", Aim: 100},
	}
	return append(figures, got.figures(o.Slow, visits)...), nil
}

// openDemo starts the demo; ended tells how it ended.
func openDemo(ctx context.Context, data string) (addr string, ended chan error, err error) {
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- demo.Run(ctx, demo.Options{Listen: "127.0.0.1:0", Data: data, Log: slog.New(slog.DiscardHandler), Ready: func(at string) { ready <- at }})
	}()
	select {
	case addr = <-ready:
		return addr, ended, nil
	case err := <-ended:
		return "", nil, errors.Join(errors.New("the demo did not start"), err)
	}
}

func asText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers
	}
	return string(b)
}

// step is one thing that a visitor does, and what must be seen then.
type step struct {
	Scan  string `json:"scan,omitempty"`  // a code
	Touch string `json:"touch,omitempty"` // a selector
	View  string `json:"view,omitempty"`  // empty: not waited for
	Lent  int    `json:"lent,omitempty"`  // lines, at least
}

// journey is a way from idle to "lent".
type journey struct {
	Name  string `json:"name"`
	Mode  string `json:"mode,omitempty"`
	Steps []step `json:"steps"`
}

// hand is what the visitor's hand needs for it.
func (j journey) hand() (d time.Duration) {
	for _, s := range j.Steps {
		if s.Touch != "" {
			d += handTouch
		} else {
			d += handScan
		}
	}
	return d
}

// crowd are the patrons and books of the demo with whom nothing is special.
type crowd struct {
	cards []kiosk.Card
	books []kiosk.Barcode
}

// stackOf is how many lines script is measured with.
const stackOf = 10

func people(rounds int) (*crowd, error) {
	lib, err := demo.Load(time.Now())
	if err != nil {
		return nil, err
	}
	c, busy := &crowd{}, map[string]bool{}
	for _, l := range lib.Loans {
		busy[string(l.Item)], busy[string(l.Patron)] = true, true
	}
	for _, h := range lib.Holds {
		busy[string(h.Item)], busy[string(h.Patron)] = true, true
	}
	for _, i := range lib.Items {
		if b := string(i.Barcode); !busy[b] && lib.Notes[b] == "" && lib.Parts[i.Barcode] < 2 && i.Status == kiosk.StatusAvailable && !i.Reference {
			c.books = append(c.books, i.Barcode)
		}
	}
	for _, p := range lib.Patrons {
		if k := string(p.Card); !busy[k] && lib.Notes[k] == "" && p.Blocked == "" && lib.Owed[p.Card] == 0 && lib.PINs[p.Card] == "" {
			c.cards = append(c.cards, p.Card)
		}
	}
	if need := rounds * (stackOf + len(journeys) + 1); len(c.books) < need || len(c.cards) < 2*rounds {
		return nil, fmt.Errorf("%d rounds need %d books and %d patrons: the sample library has %d and %d to lend", rounds, need, 2*rounds, len(c.books), len(c.cards))
	}
	return c, nil
}

// book takes the next that nobody has borrowed.
func (c *crowd) book() kiosk.Barcode {
	b := c.books[0]
	c.books = c.books[1:]
	return b
}

// card takes the next, round and round.
func (c *crowd) card() kiosk.Card {
	k := c.cards[0]
	c.cards = append(c.cards[1:], k)
	return k
}

// journeys are the ways, with a card and a book.
var journeys = []func(card, book string) journey{
	func(card, book string) journey {
		return journey{Name: "card, book", Steps: []step{{Scan: card, View: "items"}, {Scan: book, View: "items", Lent: 1}}}
	},
	func(card, book string) journey {
		return journey{Name: "book, card", Steps: []step{{Scan: book, View: "welcome"}, {Scan: card, View: "items", Lent: 1}}}
	},
	func(card, book string) journey {
		return journey{Name: "Borrow, card, book", Steps: []step{{Touch: "#borrow"}, {Scan: card, View: "items"}, {Scan: book, View: "items", Lent: 1}}}
	},
	func(_, book string) journey {
		return journey{Name: "animal, book", Mode: "pre-reader", Steps: []step{{Touch: ".animal >> nth=0", View: "items"}, {Scan: book, View: "items", Lent: 1}}}
	},
}

func (c *crowd) visits(rounds int) (js []journey) {
	for range rounds {
		for _, j := range journeys {
			js = append(js, j(string(c.card()), string(c.book())))
		}
	}
	return js
}

type stackOfBooks struct {
	Card  kiosk.Card      `json:"card"`
	Books []kiosk.Barcode `json:"books"`
}

func (c *crowd) stacks(rounds int) (list []stackOfBooks) {
	for range rounds {
		s := stackOfBooks{Card: c.card()}
		for range stackOf {
			s.Books = append(s.Books, c.book())
		}
		list = append(list, s)
	}
	return list
}

// seenByBrowser is what the script says; times in milliseconds.
type seenByBrowser struct {
	Visits []struct {
		Name    string    `json:"name"`
		Touches int       `json:"touches"`
		Waits   []float64 `json:"waits"` // for each step that is waited for
	} `json:"visits"`
	Lines []struct {
		Landing traced `json:"landing"` // ten books, one after the other
		One     traced `json:"one"`     // one more screen of ten lines
		Load    traced `json:"load"`    // the page with ten lines, anew
		First   traced `json:"first"`   // and the first screen after that, with script that has never run
	} `json:"lines"`
}

type traced struct {
	Script  float64 `json:"script"`  // of the page's main thread
	Longest float64 `json:"longest"` // task of it: so long no tap is heard
	Screens int     `json:"screens"`
}

func ms(f float64) time.Duration { return time.Duration(f * float64(time.Millisecond)) }

func (s seenByBrowser) figures(slow float64, visits []journey) (fs []Figure) {
	for i := range journeys {
		var machine, all times
		touches := 0
		for n := i; n < len(s.Visits); n += len(journeys) {
			v, sum := s.Visits[n], 0.0
			for _, w := range v.Waits {
				sum += w
			}
			touches = max(touches, v.Touches)
			machine, all = append(machine, ms(sum)), append(all, ms(sum)+visits[n].hand())
		}
		name := "idle to lent (" + visits[i].Name + "), "
		fs = append(fs, Figure{Name: name + "touches", Value: float64(touches), Unit: "", Aim: 3},
			Figure{Name: name + "waited for the machine", Value: machine.at(50), Unit: "ms"},
			Figure{Name: name + "with a practised hand", Value: all.at(50) / 1000, Unit: "s", Aim: 5})
	}
	var landing, each, load, one, first, longest times
	for _, l := range s.Lines {
		landing, load = append(landing, ms(l.Landing.Script)), append(load, ms(l.Load.Script))
		one, first = append(one, ms(l.One.Script)), append(first, ms(l.First.Script))
		each, longest = append(each, ms(l.Landing.Script/float64(max(l.Landing.Screens, 1)))), append(longest, ms(max(l.Landing.Longest, l.One.Longest)))
	}
	at := fmt.Sprintf(", browser slower by %g", slow)
	return append(fs,
		Figure{Name: "script for a screen of ten lines" + at, Value: one.at(50), Unit: "ms", Aim: 100},
		Figure{Name: "longest task of the page, when no tap is heard" + at, Value: longest.at(50), Unit: "ms", Aim: 100},
		Figure{Name: "script for each screen while ten lines land" + at, Value: each.at(50), Unit: "ms", Aim: 100},
		Figure{Name: "script for all of these screens" + at, Value: landing.at(50), Unit: "ms"},
		Figure{Name: "script for the page with ten lines, loaded" + at, Value: load.at(50), Unit: "ms"},
		Figure{Name: "script for the first screen after that" + at, Value: first.at(50), Unit: "ms"})
}
