package shelf

import (
	"errors"
	"fmt"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Bounds are a range of keys. To takes in every key that it begins; empty sets
// no bound.
type Bounds struct{ From, To Key }

// Reversed is the error for a range that ends before it begins.
type Reversed struct{ From, To string }

func (r *Reversed) Error() string {
	return fmt.Sprintf("shelf: the range is reversed: %s stands behind %s; change the two", r.From, r.To)
}

// Bounds makes those of a range. A range that is reversed, and a call number
// that fits no scheme, are errors.
func (o *Order) Bounds(r kiosk.ShelfRange) (b Bounds, err error) {
	var errs []error
	for _, x := range []struct {
		name, number string
		to           *Key
	}{{"from", r.From, &b.From}, {"to", r.To, &b.To}} {
		if x.number == "" {
			continue
		}
		key, err := o.Key(r.Scheme, x.number)
		if *x.to = key; err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", x.name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Bounds{}, err
	}
	if b.From != "" && b.To != "" && b.From > b.end() {
		return Bounds{}, &Reversed{r.From, r.To}
	}
	return b, nil
}

// end is behind all that belongs to the bounds.
func (b Bounds) end() Key { return b.To + "\xff" }

// Has tells whether a key belongs to the bounds.
func (b Bounds) Has(k Key) bool {
	return k >= b.From && (b.To == "" || k <= b.To || strings.HasPrefix(string(k), string(b.To)))
}

// Overlap tells whether two ranges may have books in common.
func (o *Order) Overlap(x, y kiosk.ShelfRange) bool {
	apart := func(a, b string) bool { return a != "" && b != "" && a != b }
	if apart(x.Library, y.Library) || apart(x.Location, y.Location) {
		return false
	}
	a, err1 := o.Bounds(x)
	b, err2 := o.Bounds(y)
	if err1 != nil || err2 != nil {
		return true // nobody knows
	}
	return (b.To == "" || a.From <= b.end()) && (a.To == "" || b.From <= a.end())
}

// Out tells whether a copy should not be on the shelf, by what is known of it.
// The status "other" is that of what is ordered, bound or being prepared:
// where it is, nobody here can say.
func Out(c kiosk.Shelved) bool {
	return c.OnLoan || c.Status != kiosk.StatusAvailable && c.Status != ""
}

// Copy makes a Copy; with a *Misfit it stands behind all that fit.
func (o *Order) Copy(c kiosk.Shelved) (Copy, error) {
	key, err := o.Key(c.Scheme, c.CallNumber)
	return Copy{Barcode: c.Barcode, Key: key, Out: Out(c)}, err
}
