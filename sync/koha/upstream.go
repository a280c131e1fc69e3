package koha

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// lines is how many questions are under way at most.
const lines = 4

// Upstream is a Koha.
type Upstream struct {
	Config
	client *client
	told   atomic.Pointer[kiosk.Reading]
}

var (
	_ kiosk.Upstream   = (*Upstream)(nil)
	_ kiosk.TimeTeller = (*Upstream)(nil)
	_ kiosk.Holder     = (*Upstream)(nil)
	_ kiosk.Undoer     = (*Upstream)(nil)
)

// New makes an Upstream; nothing is connected yet.
func New(c Config) (*Upstream, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("koha: %w", err)
	}
	return &Upstream{Config: c, client: newClient(&c)}, nil
}

// Holds implements kiosk.Holder, by the way that returns go.
func (u *Upstream) Holds() bool {
	by, ok := u.Happened.(kiosk.Holder)
	return ok && by.Holds()
}

// PlaceHold implements kiosk.Holder.
func (u *Upstream) PlaceHold(ctx context.Context, c kiosk.Card, item kiosk.Barcode) (kiosk.Placed, error) {
	if by, ok := u.Happened.(kiosk.Holder); ok {
		return by.PlaceHold(ctx, c, item)
	}
	return kiosk.Placed{}, &kiosk.Error{Code: kiosk.CodeInvalid, Text: "koha: reservations are taken by SIP2 only"}
}

// Undoes implements kiosk.Undoer, by the way that returns go.
func (u *Upstream) Undoes() bool {
	by, ok := u.Happened.(kiosk.Undoer)
	return ok && by.Undoes()
}

// Undo implements kiosk.Undoer.
func (u *Upstream) Undo(ctx context.Context, e kiosk.Entry) error {
	if by, ok := u.Happened.(kiosk.Undoer); ok {
		return by.Undo(ctx, e)
	}
	return &kiosk.Error{Code: kiosk.CodeInvalid, Text: "koha: what was lent is taken back by SIP2 only"}
}

// HeedsNoBlock tells whether what has happened already is lent where it would
// else be refused: by the way that it goes.
func (u *Upstream) HeedsNoBlock() bool {
	by, ok := u.Happened.(interface{ HeedsNoBlock() bool })
	return ok && by.HeedsNoBlock()
}

// Lines is how many questions can be under way at once.
func (u *Upstream) Lines() int { return lines }

// Close closes idle connections.
func (u *Upstream) Close() error {
	u.client.http.CloseIdleConnections()
	return nil
}

// Probe implements kiosk.Upstream, by a list that every user may see. Where
// returns go another way, that must be open too: a kiosk that could lend and
// not take back would go on and off with every return.
func (u *Upstream) Probe(ctx context.Context) error {
	a, err := u.client.call(ctx, false, http.MethodGet, "/libraries", url.Values{"_per_page": {"1"}}, nil, new([]struct{}))
	if err == nil && !a.date.IsZero() {
		way := a.got.Sub(a.sent) / 2 // seconds are cut off
		u.told.Store(&kiosk.Reading{Time: a.date.Add(time.Second / 2), At: a.sent.Add(way), Within: way + time.Second/2})
	}
	if err == nil && u.Happened != nil {
		err = u.Happened.Probe(ctx)
	}
	return invalid(err)
}

// Time implements kiosk.TimeTeller, by the Date of the last probe's answer.
func (u *Upstream) Time() (kiosk.Reading, bool) {
	r := u.told.Load()
	if r == nil {
		return kiosk.Reading{}, false
	}
	return *r, true
}

// invalid makes a kiosk.Error of an answer that nothing is known of.
func invalid(err error) error {
	if f, ok := err.(*failure); ok {
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: f.text, Err: f}
	}
	return err
}

// patron is what Koha tells of one, as far as it matters here.
type patron struct {
	ID           int    `json:"patron_id"`
	Card         string `json:"cardnumber"`
	First        string `json:"firstname"`
	Family       string `json:"surname"`
	Category     string `json:"category_id"`
	Library      string `json:"library_id"`
	Lang         string `json:"lang"`
	Email        string `json:"email"`
	Note         string `json:"opac_notes"` // that the library has written for the patron
	Born         string `json:"date_of_birth"`
	Expires      string `json:"expiry_date"`
	Restricted   bool   `json:"restricted"`
	Lost         bool   `json:"patron_card_lost"`
	WrongAddress bool   `json:"incorrect_address"`
}

// patron finds one by card; ErrUnknown.
func (u *Upstream) patron(ctx context.Context, card kiosk.Card) (patron, error) {
	var list []patron
	q := url.Values{"q": {fmt.Sprintf(`{"cardnumber":%s}`, strconv.QuoteToASCII(string(card)))}}
	if _, err := u.client.call(ctx, false, http.MethodGet, "/patrons", q, nil, &list); err != nil {
		return patron{}, invalid(err)
	}
	for _, p := range list {
		if strings.EqualFold(p.Card, string(card)) {
			return p, nil
		}
	}
	return patron{}, kiosk.ErrUnknown
}

func (p patron) number() int { return p.ID }

// kiosk gives a patron in the kiosk's words.
func (p patron) kiosk(card kiosk.Card, zone *time.Location, now time.Time) kiosk.Patron {
	k := kiosk.Patron{Card: card, FamilyName: p.Family, FirstName: p.First, Category: p.Category, Library: p.Library, Email: strings.TrimSpace(p.Email), Seen: now}
	if p.Lang != "default" {
		k.Language = p.Lang
	}
	k.Born, _ = time.ParseInLocation(time.DateOnly, p.Born, zone)
	if t, err := time.ParseInLocation(time.DateOnly, p.Expires, zone); err == nil {
		k.Expires = t.AddDate(0, 0, 1) // good to the end of that day
	}
	switch {
	case p.Lost:
		k.Blocked, k.BlockText = kiosk.ReasonCardLost, "card is lost"
	case p.Restricted:
		k.Blocked, k.BlockText = kiosk.ReasonCardBlocked, "patron is restricted"
	case p.WrongAddress:
		k.Blocked, k.BlockText = kiosk.ReasonCardBlocked, "address is wrong"
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		k.Blocked, k.BlockText = kiosk.ReasonCardExpired, "card has expired"
	}
	return k
}

// Identify implements kiosk.Upstream. What is owed shows only when something
// is lent.
func (u *Upstream) Identify(ctx context.Context, card kiosk.Card, pin string) (kiosk.Patron, error) {
	unknown := &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonUnknownCard, Text: "no patron with this card"}
	if card == "" {
		return kiosk.Patron{}, unknown
	}
	p, err := u.patron(ctx, card)
	if errors.Is(err, kiosk.ErrUnknown) {
		return kiosk.Patron{}, unknown
	}
	if err != nil {
		return kiosk.Patron{}, err
	}
	k := p.kiosk(card, u.zone(), u.clock())
	if pin == "" {
		return k, nil
	}
	var who struct {
		ID int `json:"patron_id"`
	}
	_, err = u.client.call(ctx, false, http.MethodPost, "/auth/password/validation", nil, map[string]string{"identifier": p.Card, "password": pin}, &who)
	if f, ok := err.(*failure); ok && f.status == http.StatusBadRequest {
		return k, &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonWrongPIN, Text: f.text}
	}
	if err != nil {
		return k, invalid(err)
	}
	if k.PINChecked = who.ID == p.ID; !k.PINChecked {
		return k, &kiosk.Error{Code: kiosk.CodeRefused, Reason: kiosk.ReasonWrongPIN, Text: "the PIN is another patron's"}
	}
	return k, nil
}

// item is a copy.
type item struct {
	ID         int     `json:"item_id"`
	Barcode    string  `json:"external_id"`
	CallNumber string  `json:"callnumber"`
	Title      int     `json:"biblio_id"`
	Home       string  `json:"home_library_id"`
	Type       string  `json:"effective_item_type_id"`
	Location   string  `json:"location"`
	Source     string  `json:"call_number_source"`
	Out        *string `json:"checked_out_date"` // the day it is due (items.onloan)
	NotForLoan number  `json:"effective_not_for_loan_status"`
	Lost       number  `json:"lost_status"`
	Withdrawn  number  `json:"withdrawn"`
	Restricted number  `json:"restricted_status"`
	Seen       string  `json:"timestamp"`
	Biblio     struct {
		Title     string `json:"title"`
		Subtitle  string `json:"subtitle"`
		Author    string `json:"author"`
		ISBN      string `json:"isbn"`
		Copyright number `json:"copyright_date"`   // of MARC 21's 260 $c, or null
		Published string `json:"publication_year"` // of UNIMARC's, or null
	} `json:"biblio"`
}

// number is a number that may be null, or written as a text.
type number int

func (n *number) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if s == "null" || s == "" {
		*n = 0
		return nil
	}
	v, err := strconv.Atoi(s)
	*n = number(v)
	return err
}

func (u *Upstream) item(ctx context.Context, b kiosk.Barcode) (item, error) {
	var list []item
	if _, err := u.client.call(ctx, false, http.MethodGet, "/items", url.Values{"external_id": {string(b)}}, nil, &list); err != nil {
		return item{}, invalid(err)
	}
	for _, i := range list {
		if strings.EqualFold(i.Barcode, string(b)) {
			return i, nil
		}
	}
	return item{}, kiosk.ErrUnknown
}

func (i item) number() int { return i.ID }

// status is where a copy is; a hold that waits does not show in it.
func (i item) status() kiosk.ItemStatus {
	switch {
	case i.Withdrawn != 0:
		return kiosk.StatusWithdrawn
	case i.Lost != 0:
		return kiosk.StatusLost
	case i.Out != nil:
		return kiosk.StatusOnLoan
	}
	return kiosk.StatusAvailable
}

// checkout is a loan.
type checkout struct {
	ID     int    `json:"checkout_id"`
	Patron int    `json:"patron_id"`
	Item   int    `json:"item_id"`
	At     string `json:"checkout_date"`
	Due    string `json:"due_date"`
}

func (c checkout) number() int { return c.ID }

func (c checkout) due(zone *time.Location) time.Time {
	t, err := time.Parse(time.RFC3339, c.Due)
	if err != nil {
		return time.Time{}
	}
	return t.In(zone)
}

// since is when it began; zero if that can't be read.
func (c checkout) since() time.Time {
	t, _ := time.Parse(time.RFC3339, c.At)
	return t
}

// checkout finds the loan of an item by a patron; ErrUnknown.
func (u *Upstream) checkout(ctx context.Context, p, i int) (c checkout, err error) {
	err = pages(ctx, u.client, "/checkouts", url.Values{"patron_id": {strconv.Itoa(p)}}, func(list []checkout) error {
		for _, x := range list {
			if x.Item == i {
				c = x
				return errStop
			}
		}
		return nil
	})
	if err == nil {
		err = kiosk.ErrUnknown
	}
	if errors.Is(err, errStop) {
		err = nil
	}
	return c, err
}

// Look implements kiosk.Upstream.
func (u *Upstream) Look(ctx context.Context, b kiosk.Barcode, card kiosk.Card) (st kiosk.Standing, err error) {
	i, err := u.item(ctx, b)
	if errors.Is(err, kiosk.ErrUnknown) {
		return kiosk.Standing{Holds: -1}, nil
	}
	if err != nil {
		return st, err
	}
	st = kiosk.Standing{Known: true, Title: i.title(), Status: i.status(), Mine: kiosk.No, Holds: -1}
	if i.Out != nil {
		st.Mine = kiosk.Unknown
		if t, err := time.ParseInLocation(time.DateOnly, *i.Out, u.zone()); err == nil {
			st.Due = t.AddDate(0, 0, 1).Add(-time.Minute)
		}
	}
	if card == "" {
		return st, nil
	}
	p, err := u.patron(ctx, card)
	if errors.Is(err, kiosk.ErrUnknown) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	if i.Out == nil {
		if a, err := u.available(ctx, p.ID, i.ID); err == nil && a.Confirms["RESERVE_WAITING"] != nil && st.Status == kiosk.StatusAvailable {
			st.Status, st.Others = kiosk.StatusOnHold, true // it is not said of who it waits for
		}
		return st, nil
	}
	c, err := u.checkout(ctx, p.ID, i.ID)
	switch {
	case errors.Is(err, kiosk.ErrUnknown):
		st.Mine = kiosk.No
		st.Since, err = u.since(ctx, i.ID)
		return st, err
	case err != nil:
		return st, err
	}
	st.Mine, st.Since, st.Due = kiosk.Yes, c.since(), c.due(u.zone())
	return st, nil
}

// since is when the loan of an item began, whoever has it; zero if that is not
// told. Where q is not heeded the item is not among the first, as a rule.
func (u *Upstream) since(ctx context.Context, i int) (t time.Time, err error) {
	var list []checkout
	q := url.Values{"q": {fmt.Sprintf(`{"item_id":%d}`, i)}}
	_, err = u.client.call(ctx, false, http.MethodGet, "/checkouts", q, nil, &list)
	if err = invalid(err); err != nil && kiosk.CodeOf(err) != kiosk.CodeInvalid {
		return t, err
	}
	for _, c := range list {
		if c.Item == i {
			return c.since(), nil
		}
	}
	return t, nil
}

// availability tells what is in the way of a loan. Who else is concerned, it
// tells as well; that is not read.
type availability struct {
	Blockers map[string]any `json:"blockers"`
	Confirms map[string]any `json:"confirms"`
}

func (u *Upstream) available(ctx context.Context, p, i int) (a availability, err error) {
	q := url.Values{"patron_id": {strconv.Itoa(p)}, "item_id": {strconv.Itoa(i)}}
	_, err = u.client.call(ctx, false, http.MethodGet, "/checkouts/availability", q, nil, &a)
	return a, invalid(err)
}

// Tell implements kiosk.Upstream.
func (u *Upstream) Tell(ctx context.Context, e kiosk.Entry) (kiosk.Answer, error) {
	happened := e.State == kiosk.Offline || e.State == kiosk.Unsure
	if u.Happened != nil && (happened || e.Kind == kiosk.Checkin) {
		return u.Happened.Tell(ctx, e)
	}
	if e.Kind != kiosk.Checkout && e.Kind != kiosk.Renew {
		return kiosk.Answer{}, &kiosk.Error{Code: kiosk.CodeInvalid, Reason: kiosk.ReasonAskStaff,
			Text: "Koha takes no returns by REST: set address, for SIP2, under [upstream]; or hand it the outbox as a .koc file"}
	}
	if e.Item == "" || e.Patron == "" {
		return kiosk.Answer{}, &kiosk.Error{Code: kiosk.CodeInvalid, Text: "an entry without card or item"}
	}
	p, err := u.patron(ctx, e.Patron)
	if err != nil {
		return kiosk.Answer{}, orUnknown(err, kiosk.ReasonUnknownCard, "no patron with this card")
	}
	i, err := u.item(ctx, e.Item)
	if err != nil {
		return kiosk.Answer{}, orUnknown(err, kiosk.ReasonUnknownItem, "no item with this barcode")
	}
	if e.Kind == kiosk.Renew {
		return u.renew(ctx, p, i)
	}
	return u.lend(ctx, p, i)
}

func orUnknown(err error, r kiosk.Reason, text string) error {
	if errors.Is(err, kiosk.ErrUnknown) {
		return &kiosk.Error{Code: kiosk.CodeRefused, Reason: r, Text: text}
	}
	return err
}

// lend asks at once, and finds out what is to be confirmed only if something
// is. What the patron has already is renewed by its own question: confirmed
// in this one, Koha answers 500 although it was done.
func (u *Upstream) lend(ctx context.Context, p patron, i item) (kiosk.Answer, error) {
	var c checkout
	a, err := u.client.call(ctx, true, http.MethodPost, "/checkouts", nil, map[string]int{"patron_id": p.ID, "item_id": i.ID}, &c)
	f, ok := err.(*failure)
	switch {
	case err == nil:
		return kiosk.Answer{Due: c.due(u.zone()), Title: i.title(), Time: a.date}, nil
	case !ok:
		return kiosk.Answer{}, err
	case f.status == http.StatusPreconditionFailed:
		why, err := u.available(ctx, p.ID, i.ID)
		if err != nil {
			return kiosk.Answer{}, offline(err) // the loan was not made, this much is known
		}
		if len(why.Blockers) == 0 && only(why.Confirms, "RENEW_ISSUE") {
			answer, err := u.renew(ctx, p, i)
			answer.Renewed = true
			return answer, err
		}
		return kiosk.Answer{}, refused(codes(why))
	}
	return kiosk.Answer{}, refusal(f)
}

// offline says that nothing has happened.
func offline(err error) error {
	if kiosk.CodeOf(err) == kiosk.CodeUnsure {
		return &kiosk.Error{Code: kiosk.CodeOffline, Err: err}
	}
	return err
}

func (u *Upstream) renew(ctx context.Context, p patron, i item) (kiosk.Answer, error) {
	c, err := u.checkout(ctx, p.ID, i.ID)
	if err != nil {
		return kiosk.Answer{}, orUnknown(err, kiosk.ReasonNotOnLoan, "not checked out to this patron")
	}
	a, err := u.client.call(ctx, true, http.MethodPost, fmt.Sprintf("/checkouts/%d/renewals", c.ID), nil, nil, &c)
	if f, ok := err.(*failure); ok {
		return kiosk.Answer{}, refusal(f)
	}
	if err != nil {
		return kiosk.Answer{}, err
	}
	return kiosk.Answer{Due: c.due(u.zone()), Title: i.title(), Time: a.date}, nil
}
