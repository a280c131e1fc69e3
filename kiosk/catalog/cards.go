package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// cardColumn is what the column with the card numbers is called here.
const cardColumn = "card"

// userIDs is the column that has identifiers of several types.
const userIDs = "userIds"

// cardsKnown are the columns that may have card numbers, the likeliest first.
// A sourcedId is the roster's own: it is on a card only if somebody says so.
var cardsKnown = []string{"identifier", "username", "userMasterIdentifier", "email", "sourcedId"}

// maxServe is how many columns and types of identifiers are named.
const maxServe = 24

// column is the name of the column that has the cards.
func (ro *roster) column() string {
	name, _, _ := strings.Cut(ro.card, ":")
	return name
}

// kind is the type of identifier that is the card; "" where it is a column's.
func (ro *roster) kind() string {
	if name, kind, ok := strings.Cut(ro.card, ":"); ok && strings.EqualFold(name, userIDs) {
		return kind
	}
	return ""
}

// cardOf is the card number in a row.
func (ro *roster) cardOf(c *csvRow) string {
	kind := ro.kind()
	if kind == "" {
		return c.get(cardColumn)
	}
	for t, id := range identifiers(c.get(userIDs)) {
		if strings.EqualFold(t, kind) {
			return id
		}
	}
	return ""
}

// identifiers reads "{TYPE:ID},{TYPE:ID}".
func identifiers(list string) func(yield func(kind, id string) bool) {
	return func(yield func(kind, id string) bool) {
		for part := range strings.SplitSeq(list, "}") {
			kind, id, ok := strings.Cut(strings.TrimLeft(part, ", {"), ":")
			if ok && !yield(strings.TrimSpace(kind), strings.TrimSpace(id)) {
				return
			}
		}
	}
}

// survey counts which columns have something in how many rows.
type survey struct {
	names  []string
	filled [2][]int // of students who are there, and of all who are
	of     [2]int
}

func (s *survey) name(n string) int {
	if i := slices.Index(s.names, n); i >= 0 {
		return i
	}
	if len(s.names) >= maxServe {
		return -1
	}
	s.names = append(s.names, strings.Clone(n))
	for k := range s.filled {
		s.filled[k] = append(s.filled[k], 0)
	}
	return len(s.names) - 1
}

// count counts a user who is there.
func (s *survey) count(student bool, names []string) {
	for k := range s.of {
		if k == 0 && !student {
			continue
		}
		s.of[k]++
		for _, n := range names {
			if i := s.name(n); i >= 0 {
				s.filled[k][i]++
			}
		}
	}
}

// serve tells which columns could serve.
func (s *survey) serve() string {
	k, who := 0, "students"
	if s.of[0] == 0 {
		k, who = 1, "users"
	}
	var list []string
	for i, n := range s.names {
		if s.filled[k][i] > 0 {
			list = append(list, fmt.Sprintf("%s %d", n, s.filled[k][i]))
		}
	}
	if list == nil {
		return "no column of users.csv has a number of theirs"
	}
	return fmt.Sprintf("say by -card which column has the numbers on the cards. Rows that have one, of %s who are there (%d): %s", who, s.of[k], strings.Join(list, ", "))
}

// may names what a row has that may be a card number.
func (ro *roster) may(c *csvRow) (names []string) {
	for _, n := range cardsKnown {
		if c.get(n) != "" {
			names = append(names, n)
		}
	}
	for kind, id := range identifiers(c.get(userIDs)) {
		if kind = clean(kind, maxText); kind != "" && id != "" && !slices.Contains(names, userIDs+":"+kind) && len(names) < maxServe {
			names = append(names, userIDs+":"+kind)
		}
	}
	for i, h := range ro.users.head {
		if i < len(c.cells) && strings.HasPrefix(strings.ToLower(h), "metadata.") && strings.TrimSpace(c.cells[i]) != "" && len(names) < maxServe {
			names = append(names, clean(h, maxText))
		}
	}
	return names
}

// choice is what the rows say of the cards.
type choice struct {
	survey
	got   int // users who are there and have one
	lacks int // students who are there and have none
	again doubles
	seen  *keys
}

// cards looks at all users before any is taken: where their cards are, and
// which are of several. Chosen says that somebody has said where they are.
func (ro *roster) cards(ctx context.Context, chosen bool) (doubles, error) {
	ch := &choice{again: doubles{}, seen: newKeys()}
	if err := ro.each(ctx, &ro.users, func(c *csvRow, why string, _ float64) error { return ro.look(ch, c, why) }); err != nil {
		return nil, err
	}
	role := has(ro.users.head, "role")
	ro.sds = !role && !has(ro.users.head, "enabledUser")
	bare := strings.EqualFold(ro.card, userIDs)
	switch {
	case !role && ro.roles == nil:
		return nil, errors.New("users.csv has no column role, and the archive no roles.csv: export the roles too")
	case !chosen && (ch.lacks > 0 || ch.got == 0):
		return nil, fmt.Errorf("not every student has an identifier: %s", ch.serve())
	case bare || strings.EqualFold(ro.card, "password") || !has(ro.users.head, ro.column()):
		return nil, fmt.Errorf("users.csv has no column %.100q that could be of card numbers: %s", ro.card, ch.serve())
	case ch.got == 0:
		return nil, fmt.Errorf("nobody who is there has a %.100s: %s", ro.card, ch.serve())
	}
	return ch.again, ro.whose(ctx, ch.again)
}

// look counts a row.
func (ro *roster) look(ch *choice, c *csvRow, why string) error {
	u, err := ro.user(c, why)
	if errors.Is(err, errWords) {
		return err
	}
	if u.active && !errors.Is(err, errSkip) {
		ch.count(u.student, ro.may(c))
		switch {
		case u.card != "":
			ch.got++
		case u.student:
			ch.lacks++
		}
	}
	if u.card == "" || err != nil || !ch.seen.add(u.card) {
		return nil
	}
	ch.again[ro.hash(u.card)] = &double{}
	if len(ch.again) > maxDouble {
		return fmt.Errorf("%.100s is no card number: more than %d are of several users; %s", ro.card, maxDouble, ch.serve())
	}
	return nil
}

// has tells whether a header has a column.
func has(head []string, name string) bool {
	return slices.ContainsFunc(head, func(h string) bool { return plainName(h) == plainName(name) })
}

// doubles are the cards of several rows, by their hashes.
type doubles map[uint64]*double

// double is a card, and whose it is: a few of them, and who are there before
// who have left.
type double struct {
	people []person
	active int
}

// person is a user of a card.
type person struct {
	id     uint64
	row    int
	name   string
	active bool
}

// maxPeople is how many users of a card are kept.
const maxPeople = 4

// whose finds the users of cards that are of several.
func (ro *roster) whose(ctx context.Context, all doubles) error {
	if len(all) == 0 {
		return nil
	}
	row := 0
	return ro.each(ctx, &ro.users, func(c *csvRow, why string, _ float64) error {
		row++
		u, err := ro.user(c, why)
		if d := all[ro.hash(u.card)]; d != nil && err == nil {
			d.add(person{ro.hash(u.id), row, strings.Clone(u.name()), u.active})
		}
		return nil
	})
}

func (d *double) add(p person) {
	if slices.ContainsFunc(d.people, func(o person) bool { return o.id == p.id }) {
		return
	}
	at := len(d.people)
	if p.active {
		at = min(d.active, at)
		d.active++
	}
	d.people = slices.Insert(d.people, at, p)
	d.people = d.people[:min(len(d.people), maxPeople)]
}

// judge tells why a user of a card can't have it: nobody is lent to or blamed
// by a card that may be somebody else's.
func (d *double) judge(id uint64, row int) error {
	if d == nil || len(d.people) == 0 {
		return nil
	}
	own := slices.IndexFunc(d.people, func(p person) bool { return p.id == id })
	switch first := d.people[0]; {
	case own >= 0 && d.people[own].row != row:
		return fmt.Errorf("is in the file a second time: the first, row %d, counts", d.people[own].row)
	case d.active > 1:
		return fmt.Errorf("is the card of %s: none of them was taken; mend it in the school's system", d.list())
	case own != 0 && d.active == 1:
		return fmt.Errorf("has left, and the card is now that of %s (row %d)", first.name, first.row)
	case own != 0:
		return fmt.Errorf("is also the card of %s (row %d), who has left too: the first counts", first.name, first.row)
	}
	return nil
}

// list names who has a card.
func (d *double) list() string {
	var names []string
	for _, p := range d.people {
		names = append(names, fmt.Sprintf("%s (row %d)", p.name, p.row))
	}
	return strings.Join(names, " and ")
}
