package shelf

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// TestLongest compares with trying everything.
func TestLongest(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		class := make([]int32, r.IntN(11))
		for i := range class {
			class[i] = r.Int32N(8)
		}
		chain := longest(class)
		got := make([]int32, len(chain))
		for i, at := range chain {
			got[i] = class[at]
		}
		if want, _ := best(class); len(chain) != want || !slices.IsSorted(got) || !slices.IsSorted(chain) {
			t.Fatalf("longest(%v) takes %v; want %d", class, got, want)
		}
	}
	for _, tt := range []struct{ class, want []int32 }{
		{nil, nil},
		{[]int32{10, 3, 11, 12}, []int32{0, 2, 3}}, // 10, 11 follow each other, 3, 11 do not
		{[]int32{1, 2, 9, 3, 20}, []int32{0, 1, 3, 4}},
		{[]int32{5, 5, 5}, []int32{0, 1, 2}},
	} {
		if got := longest(tt.class); !slices.Equal(got, tt.want) {
			t.Errorf("longest(%v) = %v; want %v", tt.class, got, tt.want)
		}
	}
}

// best tries every part of class: how long the longest is that does not
// descend, and how many are so long.
func best(class []int32) (long, many int) {
	for set := range 1 << len(class) {
		last, n := int32(-1), 0
		for i, c := range class {
			if set>>i&1 == 1 {
				if c < last {
					n = -1
					break
				}
				last, n = c, n+1
			}
		}
		switch {
		case n > long:
			long, many = n, 1
		case n == long:
			many++
		}
	}
	return long, many
}

// walkOf is a range of n books with the barcodes 0 to n-1 in shelf order.
func walkOf(n int, out ...int) *Walk {
	books := make([]Copy, n)
	for i := range books {
		books[i] = Copy{Barcode: kiosk.Barcode(itoa(i)), Key: Key(fmt.Sprintf("%09d", i)), Out: slices.Contains(out, i)}
	}
	return NewWalk(books)
}

func (p *Path) scan(books ...int) (a Answer) {
	for _, b := range books {
		a = p.Add(kiosk.Barcode(itoa(b)), "")
	}
	return a
}

func span(from, to int) (list []int) {
	for ; from <= to; from++ {
		list = append(list, from)
	}
	return list
}

// show writes a report as short as possible.
func (r Report) String() string {
	var b strings.Builder
	place := func(p Place) string {
		s := "|"
		if p.After != nil {
			s = string(p.After.Barcode) + s
		}
		if p.Before != nil {
			s += string(p.Before.Barcode)
		}
		if p.Shelf != "" {
			s += "@" + p.Shelf
		}
		return s
	}
	for _, m := range r.Moves {
		fmt.Fprintf(&b, "move %s from %s to %s; ", m.Book.Barcode, place(m.From), place(m.To))
	}
	for _, c := range r.Missing {
		fmt.Fprintf(&b, "missing %s; ", c.Barcode)
	}
	for _, c := range r.Found {
		fmt.Fprintf(&b, "found %s; ", c.Barcode)
	}
	for _, s := range r.Foreign {
		fmt.Fprintf(&b, "foreign %s at %s to %s; ", s.Barcode, place(s.From), place(s.To))
	}
	for _, s := range r.Spans {
		fmt.Fprintf(&b, "walked %s-%s; ", s.First.Barcode, s.Last.Barcode)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func TestReport(t *testing.T) {
	for _, tt := range []struct {
		name string
		walk func() *Walk
		want string
	}{
		{"nothing", func() *Walk { return walkOf(5) }, ""},
		{"no range", func() *Walk {
			w := walkOf(0)
			w.Start(0).scan(1)
			return w
		}, "foreign 1 at | to |"},
		{"all in order", func() *Walk {
			w := walkOf(20)
			w.Start(0).scan(span(0, 19)...)
			return w
		}, "walked 0-19"},
		{"one stray blames no neighbour, wherever it is", func() *Walk {
			w := walkOf(30)
			w.Start(0).scan(slices.Concat([]int{20}, span(0, 9), []int{25}, span(10, 19), span(21, 24), []int{3}, span(26, 29))...)
			return w
		}, "move 20 from |0 to 19|21; move 25 from 9|10 to 24|26; walked 0-29"},
		{"a moved run", func() *Walk {
			w := walkOf(40)
			w.Start(0).scan(slices.Concat(span(0, 4), span(20, 22), span(5, 19), span(23, 39))...)
			return w
		}, "move 20 from 4|5 to 19|23; move 21 from 4|5 to 19|23; move 22 from 4|5 to 19|23; walked 0-39"},
		{"a partial walk invents nothing missing", func() *Walk {
			w := walkOf(100)
			w.Start(0).scan(slices.Concat(span(20, 29), span(32, 40))...)
			return w
		}, "missing 30; missing 31; walked 20-40"},
		{"a piece of shelf that was passed over is not missing", func() *Walk {
			w := walkOf(100)
			w.Start(0).scan(slices.Concat(span(10, 20), span(60, 70))...)
			return w
		}, "walked 10-20; walked 60-70"},
		{"a second start is another span, even close by", func() *Walk {
			w := walkOf(100)
			w.Start(0).scan(span(50, 60)...)
			w.Start(0).scan(span(40, 47)...)
			return w
		}, "walked 40-47; walked 50-60"},
		{"a book on loan is neither missing nor a neighbour", func() *Walk {
			w := walkOf(12, 4, 6)
			w.Start(0).scan(0, 1, 2, 5, 3, 6, 7, 9, 8, 10, 11)
			return w
		}, "move 5 from 2|3 to 3|6; move 9 from 7|8 to 8|10; found 6; walked 0-11"},
		{"strangers", func() *Walk {
			w := walkOf(10)
			p := w.Start(0)
			p.scan(span(0, 3)...)
			p.Add("X", "")
			p.Add("Y", "0000000071")
			p.scan(span(4, 9)...)
			return w
		}, "foreign X at 3|4 to |; foreign Y at 3|4 to 7|8; walked 0-9"},
		{"put right while walking", func() *Walk {
			w := walkOf(10)
			w.Start(0).scan(0, 1, 2, 3, 8, 4, 5, 6, 7, 8, 9)
			return w
		}, "walked 0-9"},
		{"the same book many times", func() *Walk {
			w := walkOf(10)
			w.Start(0).scan(slices.Concat([]int{0, 1, 2}, slices.Repeat([]int{9}, 500), span(3, 8))...)
			return w
		}, "move 9 from 2|3 to 8|; walked 0-8"},
		{"labels name the shelves of where and whither", func() *Walk {
			w := walkOf(30)
			p := w.Start(0)
			p.At("A")
			p.scan(slices.Concat(span(0, 4), []int{22}, span(5, 9))...)
			p.At("B")
			p.scan(span(11, 19)...)
			p.At("C")
			p.scan(2)
			p.scan(slices.Concat(span(20, 21), span(23, 29))...)
			return w
		}, "move 22 from 4|5@A to 21|23@C; move 2 from 19|20@C to 1|3@A; missing 10; walked 0-29"},
		{"shelves in another order than the books", func() *Walk {
			w := walkOf(30)
			p := w.Start(0)
			p.At("C")
			p.scan(span(20, 29)...)
			p.At("A")
			p.scan(slices.Concat(span(0, 4), []int{27}, span(5, 9))...)
			p.At("B")
			p.scan(10, 15, 11, 12, 13, 14, 17, 18)
			return w
		}, "move 27 from 4|5@A to 26|28@C; move 15 from 10|11@B to 14|17@B; missing 16; walked 0-18; walked 20-29"},
		{"two people, one after the other in time and not in place", func() *Walk {
			w := walkOf(20)
			a, b := w.Start(0), w.Start(0)
			for i := range 10 {
				a.scan(i)
				b.scan(10 + i)
			}
			return w
		}, "walked 0-9; walked 10-19"},
		{"a second pass finds some of the missing", func() *Walk {
			w := walkOf(12)
			w.Start(0).scan(0, 1, 3, 4, 5, 7, 9, 10, 11)
			w.Start(0).scan(2, 8)
			return w
		}, "missing 6; walked 0-11"},
		{"a shelf is begun again by its label", func() *Walk {
			w := walkOf(40)
			p := w.Start(0)
			p.At("A")
			p.scan(span(0, 9)...)
			p.At("B")
			p.scan(slices.Concat(span(10, 15), []int{35}, span(16, 20))...)
			p.At("B")
			p.scan(span(12, 29)...)
			return w
		}, "move 35 from 11|12@B to 34|36; walked 0-29"},
		{"a wand reads what is near in any order", func() *Walk {
			w := walkOf(20)
			w.Start(3).scan(1, 0, 2, 5, 4, 3, 6, 7, 17, 9, 8, 11, 10, 12, 13, 14, 15, 16, 18, 19)
			return w
		}, "move 17 from 7|8 to 16|18; walked 1-19"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.walk().Report(false).String(); got != tt.want {
				t.Errorf("Report:\n%s; want\n%s", got, tt.want)
			}
		})
	}
}

func TestWholeRange(t *testing.T) {
	w := walkOf(60, 59)
	w.Start(0).scan(span(1, 20)...)
	r := w.Report(true)
	if len(r.Missing) != 39 || r.Expected != 59 || r.Seen != 20 || r.InPlace != 20 {
		t.Errorf("Report: %d missing of %d, %d seen, %d in place; want 39, 59, 20, 20", len(r.Missing), r.Expected, r.Seen, r.InPlace)
	}
}

// TestSameKey: where several books have one key, the end of a walk among them
// says nothing of the rest.
func TestSameKey(t *testing.T) {
	var books []Copy
	for i, key := range []Key{"A", "B", "B", "B", "C", "C", "D", "D"} {
		books = append(books, Copy{Barcode: kiosk.Barcode(itoa(i)), Key: key})
	}
	w := NewWalk(books)
	w.Start(0).scan(0, 3, 1, 5, 6)
	if got, want := w.Report(false).String(), "missing 2; missing 4; walked 0-6"; got != want {
		t.Errorf("Report: %s; want %s", got, want)
	}
}

func TestAnswers(t *testing.T) {
	w := walkOf(100, 41)
	p := w.Start(0)
	for _, tt := range []struct {
		book         int
		state        State
		left, joined string
		place        string
	}{
		{book: 30, state: InPlace},
		{book: 31, state: InPlace},
		{book: 33, state: InPlace},
		{book: 20, state: OutOfOrder, place: "19|21"},
		{book: 31, state: Again},
		{book: 34, state: InPlace},
		{book: 80, state: Ahead, place: "79|81"},
		{book: 35, state: InPlace, left: "[5]", joined: "[]"},
		{book: 40, state: InPlace},
		{book: 41, state: InPlace},
		{book: 36, state: OutOfOrder, place: "35|37"},
		{book: 37, state: InPlace, left: "[8 7]", joined: "[9]"},
		{book: 42, state: InPlace},
		{book: 42, state: Again},
		{book: 21, state: OutOfOrder, place: "19|22"},
		{book: 500, state: Foreign, place: "|"},
	} {
		a := p.scan(tt.book)
		left, joined := fmt.Sprint(a.Left), fmt.Sprint(a.Joined)
		if tt.left == "" {
			tt.left, tt.joined = "[]", "[]"
		}
		place := ""
		if tt.place != "" {
			place = strings.TrimSuffix(strings.TrimPrefix(Report{Foreign: []Stranger{{To: a.Place}}}.String(), "foreign  at | to "), "; ")
		}
		if a.State != tt.state || left != tt.left || joined != tt.joined || place != tt.place {
			t.Errorf("%d: %s, %s left, %s joined, belongs at %q; want %+v", tt.book, a.State, left, joined, place, tt)
		}
	}
	if seen, expected := w.Progress(); seen != 13 || expected != 99 {
		t.Errorf("Progress() = %d of %d; want 13 of 99", seen, expected)
	}
}

// TestPlanted puts some books elsewhere. Where only one set of so few explains
// what was scanned, exactly those have to move.
func TestPlanted(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	decided := 0
	for range 4000 {
		n, k := 6+r.IntN(6), 1+r.IntN(3)
		list, planted := plant(r, span(0, n-1), k)
		class := make([]int32, n)
		for i, b := range list {
			class[i] = int32(b)
		}
		w := walkOf(n)
		w.Start(0).scan(list...)
		report := w.Report(false)
		long, many := best(class)
		if len(report.Moves) != n-long {
			t.Fatalf("%v: %s; want %d moves", list, report, n-long)
		}
		if many != 1 || long != n-k {
			continue
		}
		decided++
		for _, m := range report.Moves {
			if !slices.Contains(planted, int(m.Book.Key[7]-'0')*10+int(m.Book.Key[8]-'0')) {
				t.Fatalf("%v: %s; want %v", list, report, planted)
			}
		}
		if len(report.Missing) > 0 {
			t.Fatalf("%v: %s; nothing is missing", list, report)
		}
	}
	if decided < 1000 {
		t.Errorf("only %d walks were decidable", decided)
	}
}

// plant moves k books of a list to other places.
func plant(r *rand.Rand, list []int, k int) (now, planted []int) {
	now = slices.Clone(list)
	for len(planted) < k {
		b := list[r.IntN(len(list))]
		if slices.Contains(planted, b) {
			continue
		}
		planted = append(planted, b)
		at := slices.Index(now, b)
		now = slices.Delete(now, at, at+1)
		now = slices.Insert(now, r.IntN(len(now)+1), b)
	}
	return now, planted
}

// TestConcertoWalk is an inventory of 1,255 books of the test data with faults.
func TestConcertoWalk(t *testing.T) {
	o := order(t, Rules{Schemes: map[string]Local{"dewey": {As: "ddc"}}})
	var books []Copy
	for _, row := range concerto(t) {
		if row["call_number_scheme"] != "generic" && len(books) < 1255 {
			key, err := o.Key(row["call_number_scheme"], row["call_number"])
			if err != nil {
				t.Fatal(err)
			}
			books = append(books, Copy{Barcode: kiosk.Barcode(row["barcode"]), Key: key})
		}
	}
	r := rand.New(rand.NewPCG(7, 8))
	for _, i := range r.Perm(len(books))[:10] {
		books[i].Out = true
	}
	w := NewWalk(books)
	n := len(w.books)
	var there, gone []int
	for i := range n {
		switch {
		case w.books[i].Out:
		case i > 0 && i < n-1 && i%50 == 7: // 2%
			gone = append(gone, i)
		default:
			there = append(there, i)
		}
	}
	list, planted := plantFar(r, there, n*3/100)
	p := w.Start(0)
	for i, b := range list {
		if i%240 == 100 {
			p.Add(kiosk.Barcode("FOREIGN"+itoa(i)), "")
		}
		p.Add(w.books[b].Barcode, "")
	}
	rep := w.Report(true)
	var moved, lost []int
	for _, m := range rep.Moves {
		moved = append(moved, int(w.find[m.Book.Barcode]))
	}
	for _, c := range rep.Missing {
		lost = append(lost, int(w.find[c.Barcode]))
	}
	slices.Sort(moved)
	slices.Sort(planted)
	if !slices.Equal(moved, planted) || !slices.Equal(lost, gone) || len(rep.Foreign) != 5 || len(rep.Found) != 0 {
		t.Errorf("moves %v; want %v\nmissing %v; want %v\n%d foreign, %d found; want 5, 0", moved, planted, lost, gone, len(rep.Foreign), len(rep.Found))
	}
	if len(books) != 1255 || len(planted) != 37 || len(gone) != 25 {
		t.Errorf("%d books, %d planted, %d gone", len(books), len(planted), len(gone))
	}
}

// plantFar moves k books by at least 5 places.
func plantFar(r *rand.Rand, list []int, k int) (now, planted []int) {
	chosen := map[int]bool{}
	for _, i := range r.Perm(len(list))[:k] {
		chosen[list[i]] = true
		planted = append(planted, list[i])
	}
	rest := slices.DeleteFunc(slices.Clone(list), func(b int) bool { return chosen[b] })
	to := map[int][]int{}
	for _, b := range planted {
		home, _ := slices.BinarySearch(rest, b)
		at := home
		for at-home < 5 && home-at < 5 {
			at = r.IntN(len(rest))
		}
		to[at] = append(to[at], b)
	}
	for i, b := range rest {
		now = append(append(now, to[i]...), b)
	}
	return now, planted
}

// FuzzWalk takes any scans: what is said adds up.
func FuzzWalk(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 4, 255, 5, 254, 9, 9, 9, 3})
	f.Fuzz(func(t *testing.T, scans []byte) {
		w := walkOf(100, 7, 50)
		p := w.Start(len(scans) % 3)
		for _, b := range scans {
			switch b {
			case 255:
				p.At(itoa(len(w.scans)))
			case 254:
				p = w.Start(0)
			default:
				p.scan(int(b))
			}
		}
		r := w.Report(len(scans)%2 == 1)
		if r.InPlace+len(r.Moves) != r.Seen {
			t.Errorf("%d in place, %d to move, %d seen", r.InPlace, len(r.Moves), r.Seen)
		}
		in := 0
		for _, s := range r.Spans {
			in += s.Missing
		}
		if in != len(r.Missing) || r.Seen+len(r.Missing)-len(r.Found) > r.Expected {
			t.Errorf("%d missing, %d by spans, %d seen, %d expected", len(r.Missing), in, r.Seen, r.Expected)
		}
	})
}
