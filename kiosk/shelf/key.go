// Package shelf knows the order of books on shelves: keys that sort call
// numbers as they stand, and, from the order in which books were scanned, what
// is out of place, where it belongs, and what is missing. It is pure: it reads
// no clock and does no I/O.
//
// Sources of the orders, by scheme:
//
//   - ddc: Dewey numbers digit by digit as decimals, then the cutter (Allen
//     County Public Library, shelving skills study guide); segmentation marks of
//     MARC 082 $a and the "[E]" and "[Fic]" of Dewey's records are read too.
//     Koha has the same in C4::ClassSortRoutine::Dewey.
//   - lcc: Library of Congress, Subject Cataloging Manual: Shelflisting, G 55
//     (parts of a call number), G 63 (cutters are decimals), G 65 (order of
//     dates and work letters), G 100 (diacritics are ignored, digits stand
//     before letters), and Yale's "Shelflist order".
//   - nlm: NLM, "Shelflisting Procedures for Monographs and Classed Serials",
//     2 and 4, and Fundamentals of the NLM Classification, "Class Number
//     Format"; QS to QZ and W stand vacant in LC's schedules, so both
//     make one order.
//   - udc: the filing order of the standard edition; see udc.go.
//
// Two rules hold in all: nothing stands before something, and of what goes on
// at the same place dates come first, then volumes and copies, then letters.
package shelf

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Key puts a call number in order: of two keys, the one that is less by its
// bytes stands first, and equal keys may stand either way. It is valid UTF-8
// without NUL, so that SQLite's BINARY collation sorts and indexes it. Keys of
// different Rules have no order among them, so one that is kept must be made
// anew when the rules change.
type Key string

// Rules say how the call numbers of a library are read. The zero Rules serve
// most.
type Rules struct {
	// Order has the schemes as they stand one after the other; "lcc|nlm" makes
	// one order of two. Empty means DefaultOrder. Schemes that it lacks follow
	// by name.
	Order []string
	// Prefixes are, by scheme, the words that may stand before a number, in
	// shelf order; "FIC|F" are two ways to write one, and "" is the place of
	// what has none. A scheme that is not here has its default.
	Prefixes map[string][]string
	// Unnamed is the scheme of items that name none; empty means ddc.
	Unnamed string
	// Schemes are the library's own, by name. One that is called local, which is
	// what imports call every scheme they don't know, is in natural order where
	// it is not here.
	Schemes map[string]Local
}

// DefaultOrder is Rules.Order where nothing is configured.
var DefaultOrder = []string{"ddc", "lcc|nlm", "udc", "local"}

// DefaultPrefixes are those of Rules.Prefixes. Schools have no common order;
// this one goes from the youngest readers' shelves to those of the staff.
var DefaultPrefixes = map[string][]string{
	"ddc": {"E|EASY", "ER", "FIC|F", "SC", "GN", "", "B|BIO", "REF|R", "PRO"},
	"lcc": {"", "REF"},
	"nlm": {"", "REF"},
	"udc": {"", "REF"},
}

// Misfit is the error for a call number that its scheme can't read. It still
// has a Key, after all those that fit.
type Misfit struct {
	Scheme, CallNumber, Why string
}

func (m *Misfit) Error() string {
	if m.CallNumber == "" {
		return "shelf: " + m.Why
	}
	return fmt.Sprintf("shelf: %.80q does not fit %s: %s", m.CallNumber, m.Scheme, m.Why)
}

// Order makes keys. It may be used by several goroutines.
type Order struct {
	unnamed string
	schemes map[string]scheme
}

// scheme reads a call number; why is empty if it fits.
type scheme struct {
	rank int
	as   string // the scheme it takes its rank from, or empty
	read func(k *builder, callNumber string) (why string)
}

// NewOrder checks rules and makes their Order. The error names every mistake.
func NewOrder(r Rules) (*Order, error) {
	o := &Order{unnamed: cmp.Or(r.Unnamed, "ddc"), schemes: map[string]scheme{}}
	order := r.Order
	if len(order) == 0 {
		order = DefaultOrder
	}
	ranks, err := newRanks("order", order)
	errs := []error{err}
	for name, read := range map[string]func(prefixes, *builder, string) string{
		"ddc": readDDC, "lcc": readLCC, "nlm": readNLM, "udc": readUDC,
	} {
		words, ok := r.Prefixes[name]
		if !ok {
			words = DefaultPrefixes[name]
		}
		p, err := newPrefixes("prefixes of "+name, words)
		errs = append(errs, err)
		o.schemes[name] = scheme{read: func(k *builder, s string) string { return read(p, k, s) }}
	}
	o.schemes["local"] = scheme{read: readNatural}
	errs = append(errs, o.addLocal(r.Schemes))
	for name := range r.Prefixes {
		if _, ok := DefaultPrefixes[name]; !ok {
			errs = append(errs, fmt.Errorf("prefixes: there is no scheme %q to have them", name))
		}
	}
	for name := range ranks {
		if _, ok := o.schemes[strings.ToLower(name)]; !ok {
			errs = append(errs, fmt.Errorf("order: there is no scheme %q", strings.ToLower(name)))
		}
	}
	o.rank(ranks)
	if _, ok := o.schemes[o.unnamed]; !ok {
		errs = append(errs, fmt.Errorf("unnamed: there is no scheme %q", o.unnamed))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("shelf: %w", err)
	}
	return o, nil
}

// rank gives each scheme its place; those without one follow by name.
func (o *Order) rank(ranks map[string]int) {
	next := 0
	for _, r := range ranks {
		next = max(next, r+1)
	}
	names := sorted(o.schemes)
	for _, name := range names {
		s := o.schemes[name]
		r, ok := ranks[strings.ToUpper(name)]
		if !ok {
			r, next = next, next+1
		}
		s.rank = r
		o.schemes[name] = s
	}
	for _, name := range names {
		if s := o.schemes[name]; s.as != "" {
			s.rank = o.schemes[s.as].rank
			o.schemes[name] = s
		}
	}
}

// Schemes names the schemes, as they stand one after the other.
func (o *Order) Schemes() []string {
	names := sorted(o.schemes)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(o.schemes[a].rank, o.schemes[b].rank) })
	return names
}

// Key is the place of a call number of a scheme. If it fits none the error is
// a *Misfit, and the Key is after all that fit, by natural order.
func (o *Order) Key(scheme, callNumber string) (Key, error) {
	name := cmp.Or(scheme, o.unnamed)
	why := ""
	var k builder
	switch s, ok := o.schemes[name]; {
	case strings.TrimSpace(callNumber) == "":
		return "~~", &Misfit{Scheme: name, Why: "there is no call number"}
	case !ok:
		why = "there is no such scheme"
	default:
		k.number(s.rank)
		if why = s.read(&k, callNumber); why == "" {
			return k.key(), nil
		}
	}
	k.reset("~")
	k.natural(callNumber)
	return k.key(), &Misfit{Scheme: name, CallNumber: callNumber, Why: why}
}

// InOrder tells whether two books may stand so, left before right. With an
// error it still answers, by where call numbers that fit no scheme stand.
func (o *Order) InOrder(left, right kiosk.Item) (bool, error) {
	l, err1 := o.Key(left.Scheme, left.CallNumber)
	r, err2 := o.Key(right.Scheme, right.CallNumber)
	return l <= r, errors.Join(err1, err2)
}
