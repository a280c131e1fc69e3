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

// pages reads a list page by page, until one is not full, and gives each to
// do. Rows that come or go meanwhile may be missed or come twice: the next
// time makes that good. pause is between two pages.
func pages[T any](ctx context.Context, c *client, path string, query url.Values, pause time.Duration, do func([]T) error) error {
	query = maps.Clone(query)
	query.Set("_per_page", strconv.Itoa(perPage))
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
		if len(list) < perPage && (a.total < 0 || (n-1)*perPage+len(list) >= a.total) || len(list) == 0 {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return &kiosk.Error{Code: kiosk.CodeOffline, Err: ctx.Err()}
		}
	}
	return &kiosk.Error{Code: kiosk.CodeInvalid, Err: fmt.Errorf("%s has no end", path)}
}

// since asks for what has changed from a time on; the zero time asks for all.
func since(t time.Time, field string) url.Values {
	q := url.Values{}
	if !t.IsZero() {
		q.Set("q", fmt.Sprintf(`{"%s":{">=":"%s"}}`, field, t.UTC().Format(time.RFC3339)))
	}
	return q
}

// Pause is between two pages, so that patrons' questions are not held up.
const Pause = 50 * time.Millisecond

// Items gives all copies, or those that have changed since a time. REST does not show
// what waits on the hold shelf or is in transit.
func (u *Upstream) Items(ctx context.Context, changed time.Time, do func([]kiosk.Item) error) error {
	q := since(changed, "me.timestamp")
	q.Set("_order_by", "+item_id")
	return pages(ctx, u.client, "/items", q, Pause, func(list []item) error {
		var items []kiosk.Item
		for _, i := range list {
			if i.Barcode != "" {
				items = append(items, i.kiosk())
			}
		}
		return do(items)
	})
}

func (i item) title() string {
	return strings.TrimSpace(strings.TrimRight(i.Biblio.Title, " /:") + " " + i.Biblio.Subtitle)
}

func (i item) kiosk() kiosk.Item {
	k := kiosk.Item{Barcode: kiosk.Barcode(i.Barcode), Title: i.title(), Author: i.Biblio.Author, ISBN: isbn(i.Biblio.ISBN), CallNumber: i.CallNumber,
		Scheme: i.Source, Location: i.Location, Library: i.Home, Type: i.Type, Status: i.status(), NoLoan: i.NotForLoan > 0 || i.Restricted > 0}
	k.Seen, _ = time.Parse(time.RFC3339, i.Seen)
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

// Patrons gives all patrons, or those that have changed since a time.
func (u *Upstream) Patrons(ctx context.Context, changed time.Time, do func([]kiosk.Patron) error) error {
	q := since(changed, "updated_on")
	q.Set("_order_by", "+patron_id")
	now := time.Now()
	return pages(ctx, u.client, "/patrons", q, Pause, func(list []patron) error {
		var patrons []kiosk.Patron
		for _, p := range list {
			if p.Card != "" {
				patrons = append(patrons, p.kiosk(kiosk.Card(p.Card), u.zone(), now))
			}
		}
		return do(patrons)
	})
}

// Loans gives what is out. Koha tells numbers of its own for patron and copy;
// whose they are is asked for page by page.
func (u *Upstream) Loans(ctx context.Context, do func([]kiosk.Loan) error) error {
	return pages(ctx, u.client, "/checkouts", url.Values{"_order_by": {"+checkout_id"}}, Pause, func(list []checkout) error {
		cards, barcodes := map[int]string{}, map[int]string{}
		for _, c := range list {
			cards[c.Patron], barcodes[c.Item] = "", ""
		}
		err := pages(ctx, u.client, "/patrons", among("patron_id", cards), 0, func(list []patron) error {
			for _, p := range list {
				cards[p.ID] = p.Card
			}
			return nil
		})
		if err != nil {
			return err
		}
		err = pages(ctx, u.client, "/items", among("item_id", barcodes), 0, func(list []item) error {
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
			if card == "" || item == "" {
				continue // gone since, or without a label
			}
			at, _ := time.Parse(time.RFC3339, c.At)
			loans = append(loans, kiosk.Loan{Item: kiosk.Barcode(item), Patron: kiosk.Card(card), At: at, Due: c.due(u.zone())})
		}
		return do(loans)
	})
}

// among asks for rows with one of some numbers.
func among(field string, numbers map[int]string) url.Values {
	q, _ := json.Marshal(map[string][]int{field: slices.Sorted(maps.Keys(numbers))}) // numbers can't fail
	return url.Values{"q": {string(q)}}
}
