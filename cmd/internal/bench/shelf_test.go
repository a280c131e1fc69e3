package bench

import (
	"strings"
	"testing"
)

// TestShelf: the figures are there, whatever they are.
func TestShelf(t *testing.T) {
	figures, err := Shelf(t.Context(), ShelfOptions{Dir: t.TempDir(), Sizes: []int{300, 900}, Scans: 40})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range figures {
		if f.Value <= 0 && !strings.HasPrefix(f.Name, "memory") {
			t.Errorf("%s is %v %s", f.Name, f.Value, f.Unit)
		}
		names = append(names, f.Name)
	}
	if all := strings.Join(names, "\n"); len(figures) != 14 || !strings.Contains(all, "a scan decided, beside 300") || !strings.Contains(all, "order report of 900") {
		t.Errorf("%d figures:\n%s", len(figures), all)
	}
}
