package koha

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var _ kiosk.Accountant = (*Upstream)(nil)

// reserve is what is left of the time for an account when nothing more is
// asked for: what is known by then is told.
const reserve = 200 * time.Millisecond

// Account implements kiosk.Accountant: by the way that returns go, and over
// REST what that way does not tell, as long as there is time: how often each
// loan can still be renewed, the place in the queue, where a hold waits, the
// library's note. What Koha does not let this user see is left out.
func (u *Upstream) Account(ctx context.Context, c kiosk.Card) (kiosk.Account, error) {
	by, ok := u.Happened.(kiosk.Accountant)
	if !ok {
		return kiosk.Account{}, &kiosk.Error{Code: kiosk.CodeInvalid, Text: "koha: accounts are told by SIP2 only"}
	}
	a, err := by.Account(ctx, c)
	if err != nil {
		return a, err
	}
	if end, bounded := ctx.Deadline(); bounded {
		short, cancel := context.WithDeadline(ctx, end.Add(-reserve))
		defer cancel()
		ctx = short
	}
	p, err := u.patron(ctx, c)
	if err != nil {
		return a, nil
	}
	if note := strings.TrimSpace(p.Note); note != "" {
		a.Message = note
	}
	u.waits(ctx, p, a.Holds)
	u.left(ctx, p, a.Loans)
	return a, nil
}

// get reads one answer; false where there is none, for whatever reason.
func (u *Upstream) get(ctx context.Context, path string, q url.Values, into any) bool {
	if ctx.Err() != nil {
		return false
	}
	_, err := u.client.call(ctx, false, http.MethodGet, path, q, nil, into)
	return err == nil
}

// left tells of each loan how often it can still be renewed.
func (u *Upstream) left(ctx context.Context, p patron, loans []kiosk.Borrowed) {
	var list []checkout
	if len(loans) == 0 || !u.get(ctx, "/checkouts", url.Values{"patron_id": {strconv.Itoa(p.ID)}, "_per_page": {strconv.Itoa(perPage)}}, &list) {
		return
	}
	of := map[int]int{} // the checkout of an item
	for _, c := range list {
		of[c.Item] = c.ID
	}
	for i := range loans {
		if ctx.Err() != nil || loans[i].Item == "" {
			continue
		}
		it, err := u.item(ctx, loans[i].Item)
		var may struct {
			Allows bool    `json:"allows_renewal"`
			Most   *number `json:"max_renewals"`
			Now    number  `json:"current_renewals"`
		}
		if err != nil || of[it.ID] == 0 || !u.get(ctx, fmt.Sprintf("/checkouts/%d/allows_renewal", of[it.ID]), nil, &may) {
			continue
		}
		switch {
		case !may.Allows:
			loans[i].Renewals = 0
		case may.Most != nil:
			loans[i].Renewals = max(int(*may.Most-may.Now), 1) // it says that it can be
		}
	}
}

// waits tells of each hold its place in the queue, or where it waits. A hold
// is known again by its copy, or by its title where no copy is set aside.
func (u *Upstream) waits(ctx context.Context, p patron, holds []kiosk.Hold) {
	var list []struct {
		Title    int    `json:"biblio_id"`
		Item     number `json:"item_id"`
		Status   string `json:"status"` // W waits for the patron, T is on its way
		Priority int    `json:"priority"`
		At       string `json:"pickup_library_id"`
	}
	if len(holds) == 0 || !u.get(ctx, fmt.Sprintf("/patrons/%d/holds", p.ID), nil, &list) {
		return
	}
	for i := range holds {
		h := &holds[i]
		if ctx.Err() != nil || h.Item == "" {
			continue
		}
		it, err := u.item(ctx, h.Item)
		if err != nil {
			continue
		}
		for _, row := range list {
			if int(row.Item) != it.ID && (row.Item != 0 || row.Title != it.Title) || (row.Status == "W") != h.Ready {
				continue
			}
			if h.Ready {
				h.At = u.library(ctx, row.At)
			} else if row.Status == "" {
				h.Place = max(row.Priority, 0)
			}
			break
		}
	}
}

// library is the name of one, or "".
func (u *Upstream) library(ctx context.Context, id string) string {
	var l struct {
		Name string `json:"name"`
	}
	if id == "" || !u.get(ctx, "/libraries/"+url.PathEscape(id), nil, &l) {
		return ""
	}
	return strings.TrimSpace(l.Name)
}
