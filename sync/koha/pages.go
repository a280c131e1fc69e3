package koha

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// perPage is how many rows are asked for at once: a page takes Koha a second
// or so.
const perPage = 100

// maxPages bounds a list: ten million rows.
const maxPages = 100_000

// errStop ends a list early.
var errStop = errors.New("found")

// pages reads a short list page by page and gives each to do. Rows that come
// or go meanwhile may be missed or come twice.
func pages[T any](ctx context.Context, c *client, path string, query url.Values, do func([]T) error) error {
	query = maps.Clone(query)
	query.Set("_per_page", strconv.Itoa(perPage))
	got := 0
	for n := 1; n <= maxPages; n++ {
		query.Set("_page", strconv.Itoa(n))
		var list []T
		a, err := c.call(ctx, false, http.MethodGet, path, query, nil, &list)
		if err != nil {
			return invalid(err)
		}
		if err := do(list); err != nil {
			return err
		}
		if got += len(list); last(a, len(list), got) {
			return nil
		}
	}
	return endless(path)
}

// last tells whether a page of some rows is the last, after got rows in all. A
// server may give fewer rows at once than it was asked for.
func last(a answer, rows, got int) bool {
	return rows == 0 || a.total >= 0 && got >= a.total || a.total < 0 && rows < perPage
}

func endless(path string) error {
	return &kiosk.Error{Code: kiosk.CodeInvalid, Err: fmt.Errorf("%s has no end", path)}
}

// numbered is a row with Koha's number.
type numbered interface{ number() int }

// ordered reads a long list in the order of its rows' numbers, those above a
// number, and gives each page to do with the number of its last row: where the
// list goes on if it breaks off. Each page begins behind the last row of the
// one before, so no row is missed because others go: if pages were counted,
// each return would move the loans behind it.
func ordered[T numbered](ctx context.Context, c *client, path, field string, q map[string]any, after int, do func([]T, int) error) error {
	query := url.Values{"_per_page": {strconv.Itoa(perPage)}, "_order_by": {"+" + field}}
	q = maps.Clone(q)
	for range maxPages {
		if after > 0 {
			q[field] = map[string]int{">": after}
		}
		if len(q) > 0 {
			text, _ := json.Marshal(q) // numbers and texts can't fail
			query.Set("q", string(text))
		}
		var list []T
		a, err := c.call(ctx, false, http.MethodGet, path, query, nil, &list)
		if err != nil {
			return invalid(err)
		}
		for _, row := range list {
			if row.number() <= after {
				return &kiosk.Error{Code: kiosk.CodeInvalid, Err: fmt.Errorf("%s: row %d comes after row %d", path, row.number(), after)}
			}
			after = row.number()
		}
		if err := do(list, after); err != nil {
			return err
		}
		if last(a, len(list), len(list)) {
			return nil
		}
		select {
		case <-time.After(Pause):
		case <-ctx.Done():
			return &kiosk.Error{Code: kiosk.CodeOffline, Err: ctx.Err()}
		}
	}
	return endless(path)
}

// zones is how far the time of a change may be off, in hours: Koha keeps it
// without a zone, and compares it with the letters of ours.
const zones = 24 * time.Hour

// since asks for what has changed from a time on; the zero time asks for all.
func since(t time.Time, field string) map[string]any {
	q := map[string]any{}
	if !t.IsZero() {
		q[field] = map[string]string{">=": t.Add(-zones).UTC().Format(time.RFC3339)}
	}
	return q
}

// Pause is between two pages, so that patrons' questions are not held up.
const Pause = 50 * time.Millisecond

// Items gives all copies, or those that have changed since a time, page by
// page in the order of Koha's numbers, from the one behind after on; do is told
// the last. REST does not show what waits on the hold shelf or is in transit,
// so what is in the house has no status; nor what a title is about. What was
// heard of either stays, see kiosk.Item.Over.
func (u *Upstream) Items(ctx context.Context, changed time.Time, after int, do func([]kiosk.Item, int) error) error {
	return ordered(ctx, u.client, "/items", "item_id", since(changed, "me.timestamp"), after, func(list []item, last int) error {
		var items []kiosk.Item
		for _, i := range list {
			if i.Barcode != "" {
				items = append(items, i.kiosk())
			}
		}
		return do(items, last)
	})
}

func (i item) title() string {
	return strings.TrimSpace(strings.TrimRight(i.Biblio.Title, " /:") + " " + i.Biblio.Subtitle)
}

func (i item) kiosk() kiosk.Item {
	k := kiosk.Item{Barcode: kiosk.Barcode(i.Barcode), Title: i.title(), Author: i.Biblio.Author, ISBN: isbn(i.Biblio.ISBN), CallNumber: i.CallNumber,
		Scheme: i.Source, Location: i.Location, Library: i.Home, Type: i.Type, Status: i.status(), NoLoan: i.NotForLoan > 0 || i.Restricted > 0}
	k.Year = kiosk.YearIn(strconv.Itoa(int(i.Biblio.Copyright)) + " " + i.Biblio.Published)
	k.Seen, _ = time.Parse(time.RFC3339, i.Seen)
	if k.Status == kiosk.StatusAvailable {
		k.Status = ""
	}
	return k
}

// isbn takes the first number of a list as Koha joins them.
func isbn(s string) string {
	s, _, _ = strings.Cut(s, "|")
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	if len(s) != 13 {
		return ""
	}
	return s
}

// Patrons gives patrons, as Items does copies.
func (u *Upstream) Patrons(ctx context.Context, changed time.Time, after int, do func([]kiosk.Patron, int) error) error {
	return ordered(ctx, u.client, "/patrons", "patron_id", since(changed, "updated_on"), after, func(list []patron, last int) error {
		now := u.clock()
		var patrons []kiosk.Patron
		for _, p := range list {
			if p.Card != "" {
				patrons = append(patrons, p.kiosk(kiosk.Card(p.Card), u.zone(), now))
			}
		}
		return do(patrons, last)
	})
}

// Loans gives all that is out, as Items does copies. Koha tells numbers of its
// own for patron and copy; whose they are is asked for page by page. The patron
// is empty where Koha does not tell.
func (u *Upstream) Loans(ctx context.Context, after int, do func([]kiosk.Loan, int) error) error {
	return ordered(ctx, u.client, "/checkouts", "checkout_id", map[string]any{}, after, func(list []checkout, last int) error {
		if len(list) == 0 {
			return nil
		}
		cards, barcodes := map[int]string{}, map[int]string{}
		for _, c := range list {
			cards[c.Patron], barcodes[c.Item] = "", ""
		}
		err := pages(ctx, u.client, "/patrons", among("patron_id", cards), func(list []patron) error {
			for _, p := range list {
				cards[p.ID] = p.Card
			}
			return nil
		})
		if err != nil {
			return err
		}
		err = pages(ctx, u.client, "/items", among("item_id", barcodes), func(list []item) error {
			for _, i := range list {
				barcodes[i.ID] = i.Barcode
			}
			return nil
		})
		if err != nil {
			return err
		}
		var loans []kiosk.Loan
		for _, c := range list {
			card, item := cards[c.Patron], barcodes[c.Item]
			if item == "" {
				continue // gone since, or without a label
			}
			at, _ := time.Parse(time.RFC3339, c.At)
			loans = append(loans, kiosk.Loan{Item: kiosk.Barcode(item), Patron: kiosk.Card(card), At: at, Due: c.due(u.zone())})
		}
		return do(loans, last)
	})
}

// among asks for rows with one of some numbers.
func among(field string, numbers map[int]string) url.Values {
	q, _ := json.Marshal(map[string][]int{field: slices.Sorted(maps.Keys(numbers))}) // numbers can't fail
	return url.Values{"q": {string(q)}}
}
