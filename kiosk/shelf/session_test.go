package shelf

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func sessionOf(n int, out ...int) *Session { return NewSession(walkOf(n, out...).books) }

// met makes the lines of somebody's scans.
func met(who string, books ...int) (lines []kiosk.ShelfLine) {
	for _, b := range books {
		lines = append(lines, kiosk.ShelfLine{Kind: kiosk.ShelfScan, Who: who, At: day, Item: kiosk.Barcode(itoa(b))})
	}
	return lines
}

func (s *Session) takeAll(lines ...kiosk.ShelfLine) (a Answer) {
	for _, l := range lines {
		a, _ = s.Take(l, "")
	}
	return a
}

func (s *Session) marksOf(n int) string {
	var b strings.Builder
	for _, x := range s.Strip(n) {
		c := ".=~!o-"[x.Mark : x.Mark+1]
		if x.Here {
			c = "[" + c + "]"
		}
		b.WriteString(c)
	}
	return b.String()
}

func TestStrip(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []kiosk.ShelfLine
		want  string
	}{
		{"nothing yet", nil, "....o..............."},
		{"a walk", met("a", 0, 1, 2, 5), "===-o[=].............."},
		{"a stray", met("a", 0, 1, 9, 2, 3), "===[=]o....~.........."},
		{"taken off", append(met("a", 0), kiosk.ShelfLine{Kind: kiosk.ShelfScan, Who: "a", At: day, Item: "1", Found: []string{"wanted"}}), "=[!]..o..............."},
		{"one who is out was met", met("a", 3, 4), "...=[=]..............."},
		{"a hole that is none", append(met("a", 0), met("a", 19)...), "=...o..............[=]"},
		{"two people", append(met("a", 0, 1), met("b", 10, 12)...), "==--o-----=-[=]......."},
	} {
		s := sessionOf(20, 4)
		if tt.name == "a hole that is none" {
			s = sessionOf(40, 4)
			tt.lines = met("a", 0, 39)
			s.takeAll(tt.lines...)
			if got, want := s.marksOf(40), "="+"...o"+strings.Repeat(".", 34)+"[=]"; got != want {
				t.Errorf("%s: %s; want %s", tt.name, got, want)
			}
			continue
		}
		s.takeAll(tt.lines...)
		if got := s.marksOf(20); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
}

// TestStripIsAWindow: a piece of the shelf looks as it does in the whole.
func TestStripIsAWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		s := sessionOf(80, 7, 33)
		at := r.IntN(80)
		for range r.IntN(60) {
			at = min(79, max(0, at+r.IntN(6)-1))
			s.takeAll(met("a", at)...)
		}
		whole, piece := s.Strip(80), s.Strip(20)
		i := slices.IndexFunc(whole, func(x Spot) bool { return x.Book == piece[0].Book })
		if len(piece) != 20 || !reflect.DeepEqual(whole[i:i+20], piece) {
			t.Fatalf("%s is not in %s", s.marksOf(20), s.marksOf(80))
		}
		buckets, here := s.Overview(8)
		sum := Bucket{}
		for _, b := range buckets {
			for m, n := range b {
				sum[m] += n
			}
		}
		for _, x := range whole {
			sum[x.Mark]--
		}
		if sum != (Bucket{}) || (here < 0) != (s.last < 0) {
			t.Fatalf("Overview() = %v, %d", buckets, here)
		}
	}
}

// TestSessionAgain: the same lines come to the same, also when only the whole
// log is read again.
func TestSessionAgain(t *testing.T) {
	lines := append([]kiosk.ShelfLine{{Kind: kiosk.ShelfStart, Who: "a", At: day}}, met("a", 0, 1, 7, 2, 3)...)
	lines = append(lines, kiosk.ShelfLine{Kind: kiosk.ShelfPause, At: day}, kiosk.ShelfLine{Kind: kiosk.ShelfResume, At: day},
		kiosk.ShelfLine{Kind: kiosk.ShelfLabel, Who: "b", At: day, Text: "12"})
	lines = append(lines, met("b", 4, 5, 6, 8, 2)...)
	lines = append(lines, kiosk.ShelfLine{Kind: kiosk.ShelfNote, At: day, Item: "5", Text: "damaged"})
	one, two := sessionOf(10), sessionOf(10)
	one.takeAll(lines...)
	two.takeAll(lines...)
	if got, want := one.Report(false).String(), two.Report(false).String(); got != want {
		t.Errorf("%s; want %s", got, want)
	}
	if got, want := one.Report(false).String(), "move 7 from 1|2 to 6|8@12; move 2 from 8|@12 to 1|3; walked 0-3; walked 4-8"; got != want {
		t.Errorf("Report: %s; want %s", got, want)
	}
	if one.Passes("2") != 2 || one.Passes("5") != 1 || one.Passes("9") != 0 || one.Note("5") != "damaged" || one.Scans() != 10 {
		t.Errorf("passes %d, %d, %d; note %q; %d scans", one.Passes("2"), one.Passes("5"), one.Passes("9"), one.Note("5"), one.Scans())
	}
}

func TestDouble(t *testing.T) {
	s := sessionOf(40)
	s.takeAll(met("a", 0, 1, 2, 3)...)
	if s.Double("a", "3", "", 0) || s.Double("a", "2", "", 0) || s.Double("b", "0", "", 0) {
		t.Error("a book that is scanned again soon, or by another, is no double")
	}
	s.takeAll(met("a", 4, 5, 6, 7)...)
	if !s.Double("a", "1", "", 0) {
		t.Error("the same label among new books is not found")
	}
	s.takeAll(met("a", 1)...)
	if s.Double("a", "2", "", 0) {
		t.Error("who goes back along a shelf meets all of it again")
	}
	tag := func(item, uid string, part int) {
		s.takeAll(kiosk.ShelfLine{Kind: kiosk.ShelfScan, Who: "w", At: day, Item: kiosk.Barcode(item), Tag: kiosk.TagID(uid), Part: part})
	}
	tag("20", "T1", 1)
	if !s.Met("w", "T1") || s.Met("w", "T2") || s.Met("a", "T1") {
		t.Error("Met is wrong about who met what")
	}
	for _, tt := range []struct {
		uid  kiosk.TagID
		part int
		want bool
	}{{"T1", 1, false}, {"T2", 1, true}, {"T2", 2, false}} {
		if got := s.Double("w", "20", tt.uid, tt.part); got != tt.want {
			t.Errorf("Double(%s, part %d) = %v", tt.uid, tt.part, got)
		}
	}
	s.takeAll(kiosk.ShelfLine{Kind: kiosk.ShelfStart, Who: "w", At: day})
	if s.Met("w", "T1") {
		t.Error("a new start begins with tags that were not met")
	}
}

func TestRate(t *testing.T) {
	s := sessionOf(2000)
	for i := range 1000 {
		s.takeAll(kiosk.ShelfLine{Kind: kiosk.ShelfScan, Who: "a", At: day.Add(time.Duration(i) * time.Second / 2), Item: kiosk.Barcode(itoa(i))})
	}
	if got := s.Rate(day.Add(500 * time.Second)); got < 7100 || got > 7300 {
		t.Errorf("Rate() = %d an hour; want 7200", got)
	}
	if len(s.clock) > 1000 || s.Rate(day.Add(time.Hour)) != 0 {
		t.Errorf("%d times are kept, Rate() = %d after an hour", len(s.clock), s.Rate(day.Add(time.Hour)))
	}
}

func TestExcuse(t *testing.T) {
	s := sessionOf(10)
	s.takeAll(met("a", 0, 1, 3, 4)...)
	s.Excuse([]kiosk.Barcode{"2", "none"})
	if _, expected := s.Progress(); expected != 9 {
		t.Errorf("%d expected; want 9", expected)
	}
	if got := fmt.Sprint(s.Report(false)); got != "walked 0-4" {
		t.Errorf("Report: %s; nothing is missing", got)
	}
}
