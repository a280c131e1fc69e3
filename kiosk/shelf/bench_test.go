package shelf

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var sizes = []int{10_000, 100_000, 1_000_000}

// library is a range with Dewey numbers as a library has them, and its scans
// with 3% of the books elsewhere.
func library(b *testing.B, n int) (books []Copy, scans []kiosk.Barcode) {
	b.Helper()
	o := order(b, Rules{})
	books = make([]Copy, n)
	for i := range books {
		key, err := o.Key("ddc", fmt.Sprintf("%03d.%d A%d", i*1000/n, i%977, i%89))
		if err != nil {
			b.Fatal(err)
		}
		books[i] = Copy{Barcode: kiosk.Barcode(fmt.Sprintf("3041%010d", i)), Key: key, Out: i%20 == 3}
	}
	NewWalk(books) // sorts
	r := rand.New(rand.NewPCG(9, uint64(n)))
	stray := map[int]bool{}
	for len(stray) < n*3/100 {
		stray[r.IntN(n)] = true
	}
	strays := slices.Collect(maps.Keys(stray))
	slices.Sort(strays)
	r.Shuffle(len(strays), func(i, j int) { strays[i], strays[j] = strays[j], strays[i] })
	scans = make([]kiosk.Barcode, 0, n)
	for i := range books {
		if !books[i].Out && i%50 != 1 && !stray[i] {
			scans = append(scans, books[i].Barcode)
		}
		if i%33 == 7 && len(strays) > 0 {
			scans = append(scans, books[strays[0]].Barcode)
			strays = strays[1:]
		}
	}
	return books, scans
}

// BenchmarkScan is one scan of a walk through a range, its answer included.
func BenchmarkScan(b *testing.B) {
	for _, n := range sizes {
		b.Run(itoa(n), func(b *testing.B) {
			books, scans := library(b, n)
			var p *Path
			i := len(scans)
			b.ReportAllocs()
			for b.Loop() {
				if i == len(scans) {
					b.StopTimer()
					p, i = NewWalk(books).Start(0), 0
					b.StartTimer()
				}
				p.Add(scans[i], "")
				i++
			}
		})
	}
}

// BenchmarkReport is the report of a whole range that was walked; B/range is
// what the walk keeps, without the barcodes and keys themselves.
func BenchmarkReport(b *testing.B) {
	for _, n := range sizes {
		b.Run(itoa(n), func(b *testing.B) {
			books, scans := library(b, n)
			before := heap()
			w := NewWalk(books)
			p := w.Start(0)
			for _, s := range scans {
				p.Add(s, "")
			}
			kept := heap() - before
			var r Report
			b.ReportAllocs()
			for b.Loop() {
				r = w.Report(true)
			}
			b.ReportMetric(float64(kept), "B/range")
			b.ReportMetric(float64(len(r.Moves)), "moves")
		})
	}
}

// BenchmarkNewWalk is the start of a session; the books come sorted.
func BenchmarkNewWalk(b *testing.B) {
	for _, n := range sizes {
		b.Run(itoa(n), func(b *testing.B) {
			books, _ := library(b, n)
			for b.Loop() {
				NewWalk(books)
			}
		})
	}
}

func BenchmarkKey(b *testing.B) {
	o := order(b, Rules{})
	for _, tt := range []struct{ scheme, number string }{
		{"ddc", "REF 813.54 S31s2 1989 v.2 c.3"}, {"lcc", "PR9199.3 .L33 B6 1982 v.2"}, {"udc", `622.341.1(430)"18"=30 GOE`},
	} {
		b.Run(tt.scheme, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := o.Key(tt.scheme, tt.number); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkUndo takes the newest scan of a walk back, and scans it again.
func BenchmarkUndo(b *testing.B) {
	for _, n := range sizes {
		b.Run(itoa(n), func(b *testing.B) {
			books, scans := library(b, n)
			s := NewSession(books)
			line := kiosk.ShelfLine{Kind: kiosk.ShelfScan, Who: "ann"}
			for _, item := range scans[:len(scans)/2] {
				line.N, line.Item = line.N+1, item
				s.Take(line, "")
			}
			for b.Loop() {
				if _, ok := s.Undo(line.N); !ok {
					b.Fatal("it is forgotten")
				}
				s.Take(line, "")
			}
		})
	}
}
