package shelf

import (
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var day = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// TestJudge goes through all that a scan can say.
func TestJudge(t *testing.T) {
	policy := Policy{Range: kiosk.ShelfRange{Library: "MAIN", Location: "Stacks"}, Weed: Weeding{Unlent: 5 * 365 * 24 * time.Hour, Years: 10, Copies: 2}}
	ours := func(change func(*Facts)) Facts {
		f := Facts{Item: kiosk.Item{Barcode: "B1", Library: "MAIN", Location: "Stacks", Status: kiosk.StatusAvailable}, Known: true, Fits: true, Inside: true}
		change(&f)
		return f
	}
	status := func(s kiosk.ItemStatus) Facts { return ours(func(f *Facts) { f.Item.Status = s }) }
	old := func(f *Facts) { f.LastLoan, f.Year, f.Copies = day.AddDate(-6, 0, 0), 2010, 3 }
	tagged := policy
	tagged.Tagged = true
	for _, tt := range []struct {
		name   string
		facts  Facts
		policy Policy
		want   []Finding
	}{
		{"in place", ours(func(f *Facts) {}), policy, nil},
		{"no status is told", status(""), policy, nil},
		{"what nobody can say", status(kiosk.StatusOther), policy, nil},
		{"unknown", Facts{Item: kiosk.Item{Barcode: "X"}}, policy, []Finding{Unknown}},
		{"tag and label", ours(func(f *Facts) { f.TagItem = "B2" }), policy, []Finding{TagDiffers}},
		{"tag and label agree", ours(func(f *Facts) { f.TagItem = "B1" }), tagged, nil},
		{"double", ours(func(f *Facts) { f.Double = true }), policy, []Finding{Double}},
		{"wanted", ours(func(f *Facts) { f.Wanted = true }), policy, []Finding{Wanted}},
		{"should be on the hold shelf", status(kiosk.StatusOnHold), policy, []Finding{Wanted}},
		{"on loan by a loan", ours(func(f *Facts) { f.OnLoan = true }), policy, []Finding{OnLoan}},
		{"on loan by its status", status(kiosk.StatusOnLoan), policy, []Finding{OnLoan}},
		{"wanted and on loan", ours(func(f *Facts) { f.OnLoan, f.Wanted = true, true }), policy, []Finding{Wanted, OnLoan}},
		{"withdrawn", status(kiosk.StatusWithdrawn), policy, []Finding{Withdrawn}},
		{"lost", status(kiosk.StatusLost), policy, []Finding{FoundLost}},
		{"missing", status(kiosk.StatusMissing), policy, []Finding{FoundMissing}},
		{"in transit", status(kiosk.StatusInTransit), policy, []Finding{InTransit}},
		{"another library's", ours(func(f *Facts) { f.Item.Library, f.Item.Location, f.Inside = "BRANCH", "Display", false }), policy, []Finding{WrongLibrary}},
		{"another location's", ours(func(f *Facts) { f.Item.Location, f.Inside = "Display", false }), policy, []Finding{WrongLocation}},
		{"any location is right", ours(func(f *Facts) { f.Item.Location = "Display" }), Policy{Range: kiosk.ShelfRange{Library: "MAIN"}}, nil},
		{"outside the range", ours(func(f *Facts) { f.Inside = false }), policy, []Finding{OutsideRange}},
		{"not secured", ours(func(f *Facts) { f.ByTag, f.Security = true, kiosk.Released }), tagged, []Finding{Unsecured}},
		{"secured", ours(func(f *Facts) { f.ByTag, f.Security = true, kiosk.Secured }), tagged, nil},
		{"released and on loan is as it must be", ours(func(f *Facts) { f.ByTag, f.OnLoan, f.Security = true, true, kiosk.Released }), tagged, []Finding{OnLoan}},
		{"no tag", ours(func(f *Facts) {}), tagged, []Finding{NoTag}},
		{"may go", ours(old), policy, []Finding{Weed}},
		{"wanted does not go", ours(func(f *Facts) { old(f); f.Wanted = true }), policy, []Finding{Wanted}},
		{"lent too lately", ours(func(f *Facts) { old(f); f.LastLoan = day.AddDate(-1, 0, 0) }), policy, nil},
		{"too young", ours(func(f *Facts) { old(f); f.Year = 2020 }), policy, nil},
		{"the only copy", ours(func(f *Facts) { old(f); f.Copies = 1 }), policy, nil},
		{"nothing is known of its loans", ours(func(f *Facts) { old(f); f.LastLoan = time.Time{} }), policy, nil},
		{"no rule", ours(old), Policy{}, nil},
		{"no order", ours(func(f *Facts) { f.Fits = false }), policy, []Finding{Misplaceable}},
		{"not for loan", ours(func(f *Facts) { f.Item.NoLoan = true }), policy, []Finding{NotForLoan}},
	} {
		if got := Judge(tt.facts, tt.policy, day); !slices.Equal(got, tt.want) {
			t.Errorf("%s: Judge() = %q; want %q", tt.name, got, tt.want)
		}
	}
}

func TestTone(t *testing.T) {
	for _, tt := range []struct {
		state State
		found []Finding
		want  Tone
	}{
		{InPlace, nil, Good}, {InPlace, []Finding{NotForLoan, NoTag, Unsecured}, Good}, {Ahead, nil, Elsewhere},
		{OutOfOrder, nil, Elsewhere}, {Foreign, nil, Elsewhere}, {Again, nil, Twice},
		{InPlace, []Finding{NotForLoan, OnLoan}, Take}, {OutOfOrder, []Finding{Wanted}, Take}, {Again, []Finding{Double}, Take},
		{Foreign, []Finding{Unknown}, Take}, {InPlace, []Finding{Weed}, Take},
	} {
		if got := ToneOf(tt.state, tt.found); got != tt.want {
			t.Errorf("ToneOf(%s, %q) = %s; want %s", tt.state, tt.found, got, tt.want)
		}
	}
}

func TestBounds(t *testing.T) {
	o := order(t, Rules{})
	key := func(number string) Key {
		k, err := o.Key("ddc", number)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for _, tt := range []struct {
		from, to string
		in, out  []string
	}{
		{"", "", []string{"001 A", "FIC A", "999.9 Z"}, nil},
		{"500", "599", []string{"500", "500 A", "550.1 B", "599 Z", "599.9 Z"}, []string{"499.9 Z", "600", "FIC A"}},
		{"", "FIC M", []string{"E A", "FIC A", "FIC MAR"}, []string{"FIC N", "500"}},
		{"900", "", []string{"900", "973.9"}, []string{"899.9", "FIC A"}},
		{"599 B", "599 B", []string{"599 B", "599 B34"}, []string{"599 A", "599 C"}},
	} {
		b, err := o.Bounds(kiosk.ShelfRange{Scheme: "ddc", From: tt.from, To: tt.to})
		if err != nil {
			t.Errorf("Bounds(%s, %s): %v", tt.from, tt.to, err)
		}
		for _, n := range tt.in {
			if !b.Has(key(n)) {
				t.Errorf("%s to %s lacks %s", tt.from, tt.to, n)
			}
		}
		for _, n := range tt.out {
			if b.Has(key(n)) {
				t.Errorf("%s to %s has %s", tt.from, tt.to, n)
			}
		}
	}
	for _, r := range []kiosk.ShelfRange{{Scheme: "ddc", From: "600", To: "500"}, {Scheme: "ddc", From: "no number"}, {Scheme: "none", To: "500"}} {
		if _, err := o.Bounds(r); err == nil {
			t.Errorf("Bounds(%+v) has no error", r)
		}
	}
}

func TestOverlap(t *testing.T) {
	o := order(t, Rules{})
	r := func(library, location, from, to string) kiosk.ShelfRange {
		return kiosk.ShelfRange{Library: library, Location: location, Scheme: "ddc", From: from, To: to}
	}
	for _, tt := range []struct {
		x, y kiosk.ShelfRange
		want bool
	}{
		{r("M", "S", "", ""), r("M", "S", "500", "599"), true},
		{r("M", "S", "400", "499"), r("M", "S", "500", "599"), false},
		{r("M", "S", "400", "500"), r("M", "S", "500.5", "599"), true}, // 500 takes in 500.5
		{r("M", "S", "", "499"), r("M", "S", "500", ""), false},
		{r("M", "S", "", ""), r("B", "S", "", ""), false},
		{r("M", "S", "", ""), r("M", "D", "", ""), false},
		{r("M", "", "", ""), r("M", "D", "", ""), true},
		{r("", "", "", ""), r("M", "D", "100", "200"), true},
	} {
		if got := o.Overlap(tt.x, tt.y); got != tt.want {
			t.Errorf("Overlap(%+v, %+v) = %v", tt.x, tt.y, got)
		}
		if got := o.Overlap(tt.y, tt.x); got != tt.want {
			t.Errorf("the other way round, Overlap(%+v, %+v) = %v", tt.y, tt.x, got)
		}
	}
}
