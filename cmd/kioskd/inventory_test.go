package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/carrel-kiosk/carrel/cmd/internal/control"
	"github.com/carrel-kiosk/carrel/cmd/internal/daemon"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
	"github.com/carrel-kiosk/carrel/kiosk/sqlite"
)

// stocktake is a library whose shelves are walked with the kiosk's scanner.
type stocktake struct {
	*town
	id     kiosk.ID
	shelf  []kiosk.Barcode // as the books stand, faults and all
	moved  []kiosk.Barcode
	gone   []kiosk.Barcode
	lent   []kiosk.Barcode // on the shelf although on loan
	away   []kiosk.Barcode // on loan and away
	others []kiosk.Barcode // another library's
	far    int             // places that what is moved stands off, at least

	walks context.CancelFunc
	said  chan inventory.Said
	acked map[int64]kiosk.Barcode
	met   map[kiosk.Barcode]bool // that something was said of
}

const inventoryConfig = `
[kiosk]
name = "cart"
library = "RPLS-WEPL"
data = %q
[[device]]
name = "scanner"
driver = "serialscan"
path = %q
[upstream]
driver = "none"
[barcodes]
patron = ["99999[0-9]{6}"]
item = ["[A-Z]+[0-9]+"]
`

// newStocktake makes one with the kiosk's configuration and more devices. What
// is moved stands at least far places off.
func newStocktake(t *testing.T, far int, devices string) *stocktake {
	dir := shared(t)
	s := &stocktake{town: &town{t: t, data: t.TempDir(), lent: map[kiosk.Barcode]bool{}}, acked: map[int64]kiosk.Barcode{}, met: map[kiosk.Barcode]bool{}, far: far}
	end, near, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end.Close(); near.Close() })
	s.scanner, s.config = end, filepath.Join(s.data, "kiosk.toml")
	if err := os.WriteFile(s.config, fmt.Appendf(nil, inventoryConfig+devices, s.data, near.Name()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.fill(dir)
	return s
}

// fill imports the library with all its books available, and plants the
// faults: 3% stand at least some places off, 2% are gone, ten are on loan and
// stand there, ten are on loan and away, and five are another library's.
func (s *stocktake) fill(dir string) {
	ctx := s.t.Context()
	store, err := sqlite.Open(ctx, filepath.Join(s.data, daemon.LedgerFile))
	if err != nil {
		s.t.Fatal(err)
	}
	defer store.Close()
	f, err := os.Open(filepath.Join(dir, "concerto", "items.csv"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		s.t.Fatal(err)
	}
	order, err := shelf.NewOrder(shelf.Rules{})
	if err != nil {
		s.t.Fatal(err)
	}
	scheme := map[string]string{"lcc": "lcc", "dewey": "ddc", "generic": "local"}
	var items []kiosk.Item
	var books []shelf.Copy
	for _, r := range rows[1:] {
		i := kiosk.Item{Barcode: kiosk.Barcode(r[0]), Title: r[1], CallNumber: r[4], Scheme: scheme[r[5]], Location: r[6], Library: r[7], Status: kiosk.StatusAvailable}
		items = append(items, i)
		key, err := order.Key(i.Scheme, i.CallNumber)
		if err != nil {
			s.t.Fatal(err)
		}
		if i.Library == "RPLS-WEPL" {
			books = append(books, shelf.Copy{Barcode: i.Barcode, Key: key})
		} else if len(s.others) < 5 && len(items)%97 == 0 {
			s.others = append(s.others, i.Barcode)
		}
	}
	if len(books) != 1255 || len(s.others) != 5 {
		s.t.Fatalf("%d books of the library, %d of others; want 1255, 5", len(books), len(s.others))
	}
	shelf.NewWalk(books) // sorts
	loans := s.plant(rand.New(rand.NewPCG(11, 12)), books)
	if _, err := store.PutItems(ctx, items); err != nil {
		s.t.Fatal(err)
	}
	if _, err := store.PutLoans(ctx, loans); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stocktake) plant(r *rand.Rand, books []shelf.Copy) (loans []kiosk.Loan) {
	n := len(books)
	var stand []int // the books that stand there, by their place
	lots := r.Perm(n - 2)
	lot := func(k int) (list []int) {
		for _, i := range lots[:k] {
			list = append(list, i+1) // what is at an end could be behind it
		}
		lots = lots[k:]
		slices.Sort(list)
		return list
	}
	moved, gone, lent, away := lot(n*3/100), lot(n*2/100), lot(10), lot(10)
	number := func(list []int) (all []kiosk.Barcode) {
		for _, i := range list {
			all = append(all, books[i].Barcode)
		}
		return all
	}
	s.moved, s.gone = number(moved), number(gone)
	s.lent, s.away = number(lent), number(away)
	for _, b := range slices.Concat(s.lent, s.away) {
		loans = append(loans, kiosk.Loan{Item: b, Patron: "99999355250", At: time.Now().AddDate(0, 0, -7)})
	}
	for i := range n {
		if !slices.Contains(moved, i) && !slices.Contains(gone, i) && !slices.Contains(away, i) {
			stand = append(stand, i)
		}
	}
	at := map[int][]kiosk.Barcode{}
	for _, i := range moved {
		from, _ := slices.BinarySearchFunc(stand, i, func(j, i int) int { return cmp.Compare(books[j].Key, books[i].Key) })
		past := from // all of the same call number
		for past < len(stand) && books[stand[past]].Key == books[i].Key {
			past++
		}
		to := from
		for from-s.far < to && to < past+s.far {
			to = r.IntN(len(stand))
		}
		at[to] = append(at[to], books[i].Barcode)
	}
	for j, b := range s.others {
		at[100+200*j] = append(at[100+200*j], b)
	}
	for j, i := range stand {
		s.shelf = append(append(s.shelf, at[j]...), books[i].Barcode)
	}
	return loans
}

// walk has the kiosk's scanner scan for the inventory.
func (s *stocktake) walk() {
	s.t.Helper()
	c, err := control.Dial(s.data)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	said, ended := make(chan inventory.Said, 5000), make(chan error, 1)
	s.said = said
	go func() { ended <- c.Walk(ctx, s.id, func(x inventory.Said) { said <- x }) }()
	s.walks = func() { cancel(); <-ended }
	// The scanner is opened a moment after the daemon is ready.
	for range 20 {
		s.scan("SHELF-1")
		select {
		case x := <-said:
			s.note(x)
			s.drain(time.Second / 2)
			return
		case err := <-ended:
			s.t.Fatalf("the walk ended: %v\n%s", err, s.log())
		case <-time.After(deadline / 20):
		}
	}
	s.t.Fatalf("nothing is said of a shelf's label\n%s", s.log())
}

// drain takes what is still said.
func (s *stocktake) drain(quiet time.Duration) {
	for {
		select {
		case x := <-s.said:
			s.note(x)
		case <-time.After(quiet):
			return
		}
	}
}

func (s *stocktake) note(x inventory.Said) {
	if x.Book.Item != "" && x.Line > 0 {
		s.acked[x.Line] = x.Book.Item
		s.met[x.Book.Item] = true
	}
}

// heard waits until something is said of a scan.
func (s *stocktake) heard() {
	s.t.Helper()
	select {
	case x := <-s.said:
		if x.Why != "" {
			s.t.Fatalf("said %+v\n%s", x, s.log())
		}
		s.note(x)
	case <-time.After(deadline):
		s.t.Fatalf("a scan is not answered\n%s", s.log())
	}
}

// ahead is how many scans may be on their way.
const ahead = 20

// pace is the time between two scans: none, or what CARREL_SCANS a second
// leave.
func pace(t *testing.T) time.Duration {
	if n := os.Getenv("CARREL_SCANS"); n != "" {
		rate, err := strconv.ParseFloat(n, 64)
		if err != nil || rate <= 0 {
			t.Fatalf("CARREL_SCANS=%s: must be scans a second", n)
		}
		return time.Duration(float64(time.Second) / rate)
	}
	return 0
}

// TestStocktake walks along 1,255 books with a scanner on a pty, and kills the
// daemon in the middle. Every planted fault is found, and nothing else; no
// scan that was acknowledged is lost.
func TestStocktake(t *testing.T) {
	s := newStocktake(t, 5, "")
	s.start()
	defer func() { s.kill() }()
	c, err := control.Dial(s.data)
	if err != nil {
		t.Fatal(err)
	}
	v, overlap, err := c.Inventories().Begin(t.Context(), "", kiosk.ShelfRange{Library: "RPLS-WEPL"})
	if err != nil || len(overlap) > 0 {
		t.Fatal(err, overlap)
	}
	s.id = v.ID
	s.walk()
	under, wait, killed := 0, pace(t), false
	for i := 0; i < len(s.shelf); i++ {
		s.scan(string(s.shelf[i]))
		if under++; under > ahead {
			s.heard()
			under--
		}
		time.Sleep(wait)
		if i == len(s.shelf)/2 && !killed {
			killed = true
			i -= s.killed()
			under = 0
		}
	}
	for range under {
		s.heard()
	}
	s.walks()
	s.found()
}

// killed kills the daemon and starts it again. It tells how many of the last
// scans nobody has acknowledged: they are scanned again.
func (s *stocktake) killed() (unheard int) {
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s.walks()
	s.screen.Close()
	s.drain(0)
	store, err := sqlite.Open(s.t.Context(), filepath.Join(s.data, daemon.LedgerFile))
	if err != nil {
		s.t.Fatal(err)
	}
	kept := map[int64]kiosk.Barcode{}
	for l, err := range store.Lines(s.t.Context(), s.id) {
		if err != nil {
			s.t.Fatal(err)
		}
		kept[l.N] = l.Item
	}
	if err := store.Close(); err != nil {
		s.t.Fatal(err)
	}
	for n, item := range s.acked {
		if kept[n] != item {
			s.t.Errorf("line %d of %s was acknowledged and is lost", n, item)
		}
	}
	if len(s.acked) < len(s.shelf)/2-2*ahead {
		s.t.Errorf("only %d scans were acknowledged before the kill", len(s.acked))
	}
	s.start()
	s.walk()
	return len(s.shelf)/2 + 1 - len(s.acked)
}

// found holds the report against what was planted.
func (s *stocktake) found() {
	t := s.t
	c, err := control.Dial(s.data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Inventories().End(t.Context(), s.id, true)
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string, got []inventory.Row, want ...kiosk.Barcode) {
		t.Helper()
		var list []string
		for _, x := range got {
			list = append(list, string(x.Item))
		}
		var wanted []string
		for _, b := range want {
			wanted = append(wanted, string(b))
		}
		slices.Sort(list)
		slices.Sort(wanted)
		if !slices.Equal(list, wanted) {
			t.Errorf("%s: %s; want %s", what, strings.Join(list, " "), strings.Join(wanted, " "))
		}
	}
	same("misplaced", r.Moves, s.moved...)
	same("missing", r.Missing, s.gone...)
	same("surprises", r.Surprises, slices.Concat(s.lent, s.others)...)
	for _, x := range r.Surprises {
		want := shelf.OnLoan
		if slices.Contains(s.others, x.Item) {
			want = shelf.WrongLibrary
		}
		if !slices.Equal(x.Found, []shelf.Finding{want}) {
			t.Errorf("%s: %q; want %s", x.Item, x.Found, want)
		}
	}
	if len(s.moved) != 37 || len(s.gone) != 25 || r.Expected != 1255-20 || r.Seen != 1255-25-10 {
		t.Errorf("%d moved, %d gone; %d expected, %d seen", len(s.moved), len(s.gone), r.Expected, r.Seen)
	}
}
