package kiosktest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Memory is a ledger with outbox and mirror that forgets everything when it
// is dropped. It passes TestLedger. The zero value is empty and ready.
type Memory struct {
	mu      sync.Mutex
	entries []*record
	loans   map[kiosk.Barcode]lent
	items   map[kiosk.Barcode]kiosk.Item
	patrons map[kiosk.Card]kiosk.Patron
	work    map[kiosk.TagID]kiosk.Work
	list    *loanList // the newest list of loans; nil means that none is under way
	fresh   map[kiosk.List]kiosk.Freshness
	told    time.Time // the newest outcome
	fail    error
}

// record is an entry with its newest state, and its place in the outbox.
type record struct {
	kiosk.Queued
	reason kiosk.Reason
	newest time.Time // of this and all earlier ones, when it was recorded
	right  bool      // it was put right: newest does not count
	had    *lent     // the loan of the item when this was recorded
}

// lent is a loan and the entry that made it; nil means the library's list.
type lent struct {
	kiosk.Loan
	by *record
}

var _ Store = (*Memory)(nil)

// Fail makes every write fail with err, as a full disk does, until it is
// called with nil.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// Entries gives a copy of the ledger in the order of recording, each entry
// with its newest state.
func (m *Memory) Entries() []kiosk.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []kiosk.Entry
	for _, r := range m.entries {
		list = append(list, r.Entry)
	}
	return list
}

// Close does nothing.
func (m *Memory) Close() error { return nil }

// begin starts a call; the caller unlocks.
func (m *Memory) begin(ctx context.Context) error {
	m.mu.Lock()
	if m.loans == nil {
		m.loans = map[kiosk.Barcode]lent{}
		m.items = map[kiosk.Barcode]kiosk.Item{}
		m.patrons = map[kiosk.Card]kiosk.Patron{}
		m.work = map[kiosk.TagID]kiosk.Work{}
		m.fresh = map[kiosk.List]kiosk.Freshness{}
	}
	return ctx.Err()
}

// beginWrite is begin for what Fail makes fail.
func (m *Memory) beginWrite(ctx context.Context) error {
	if err := m.begin(ctx); err != nil {
		return err
	}
	return m.fail
}

func (m *Memory) find(id kiosk.ID) *record {
	i := slices.IndexFunc(m.entries, func(r *record) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return m.entries[i]
}

// Record is kiosk.Ledger's.
func (m *Memory) Record(ctx context.Context, e kiosk.Entry) error {
	err := m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	if err := sensible(e); err != nil {
		return err
	}
	if m.find(e.ID) != nil {
		return nil
	}
	e.At, e.Due, e.WasDue = kept(e.At), kept(e.Due), kept(e.WasDue)
	r := &record{Queued: kiosk.Queued{Entry: e}}
	if l, ok := m.loans[e.Item]; ok {
		r.had = &l
	}
	if e.Up.For = e.Up.For.Truncate(time.Millisecond); e.Up.Boot == "" {
		e.Up = kiosk.Uptime{}
	}
	r.Up, r.newest = e.Up, e.At
	if n := len(m.entries); n > 0 {
		last := m.entries[n-1].newest
		if m.entries[n-1].right {
			last = m.told
		}
		if last.After(e.At) {
			r.newest = last
		}
	}
	m.entries = append(m.entries, r)
	m.touch(e.Item)
	r.Tags = slices.Clone(r.Tags)
	if e.State.Holds() {
		m.take(r)
	}
	m.secure(r, kiosk.Stage{}, e.At)
	return nil
}

func sensible(e kiosk.Entry) error {
	kinds := []kiosk.Kind{kiosk.Checkout, kiosk.Checkin, kiosk.Renew, kiosk.Seen}
	first := []kiosk.State{kiosk.Asked, kiosk.Granted, kiosk.Denied, kiosk.Offline, kiosk.Unsure, kiosk.Settled, kiosk.Dismissed}
	if e.ID == "" || e.Item == "" || e.At.IsZero() || !slices.Contains(kinds, e.Kind) ||
		!slices.Contains(first, e.State) || e.Patron == "" && e.Kind.Lends() {
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: fmt.Sprintf("entry %+v", e)}
	}
	return nil
}

// next lists what may follow a state.
var next = map[kiosk.State][]kiosk.State{
	kiosk.Asked:     {kiosk.Granted, kiosk.Denied, kiosk.Offline, kiosk.Unsure, kiosk.Settled, kiosk.Exception, kiosk.Differs, kiosk.Dismissed},
	kiosk.Offline:   {kiosk.Granted, kiosk.Denied, kiosk.Unsure, kiosk.Settled, kiosk.Exception, kiosk.Differs, kiosk.Dismissed},
	kiosk.Unsure:    {kiosk.Granted, kiosk.Denied, kiosk.Offline, kiosk.Settled, kiosk.Exception, kiosk.Differs, kiosk.Dismissed},
	kiosk.Exception: {kiosk.Offline, kiosk.Unsure, kiosk.Settled, kiosk.Differs, kiosk.Dismissed},
	kiosk.Differs:   {kiosk.Unsure, kiosk.Settled, kiosk.Exception, kiosk.Dismissed},
	kiosk.Granted:   {kiosk.Exception, kiosk.Dismissed},
	kiosk.Settled:   {kiosk.Exception, kiosk.Dismissed},
}

// Conclude is kiosk.Ledger's.
func (m *Memory) Conclude(ctx context.Context, o kiosk.Outcome) error {
	err := m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	return m.conclude(o)
}

func (m *Memory) conclude(o kiosk.Outcome) error {
	r := m.find(o.Entry)
	switch {
	case o.At.IsZero():
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: "no time"}
	case r == nil:
		return kiosk.ErrUnknown
	case r.State == o.State:
		return nil
	case !slices.Contains(next[r.State], o.State):
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: fmt.Sprintf("%s after %s", o.State, r.State)}
	}
	m.touch(r.Item)
	before, was := r.State, kiosk.Stage{State: r.State, Due: r.Due}
	r.State, r.reason = o.State, o.Reason
	if !o.Due.IsZero() {
		r.Due = kept(o.Due)
	}
	if o.Text != "" {
		r.Text = o.Text
	}
	if !before.Queued() {
		r.Attempts, r.RetryAt = 0, time.Time{}
	}
	m.seen(o.At)
	m.shift(r, before, !o.Due.IsZero())
	m.secure(r, was, o.At)
	return nil
}

// shift changes the loans after r has gone from one state to another.
func (m *Memory) shift(r *record, before kiosk.State, newDue bool) {
	l, out := m.loans[r.Item]
	mine := out && l.by == r
	switch {
	case r.Kind == kiosk.Seen:
	case !before.Holds() && r.State.Holds():
		if !m.outdated(r) {
			m.take(r)
		}
	case before.Holds() && r.State.Holds():
		if mine && newDue {
			l.Due = r.Due
			m.loans[r.Item] = l
		}
	case before.Holds():
		if mine || r.Kind == kiosk.Checkin && !out && !m.outdated(r) {
			m.undo(r)
		}
	case r.State == kiosk.Denied && r.reason == kiosk.ReasonNotOnLoan && !m.outdated(r):
		delete(m.loans, r.Item) // the ILS knows of none
	}
}

func (m *Memory) take(r *record) {
	old, out := m.loans[r.Item]
	now := lent{kiosk.Loan{Item: r.Item, Patron: r.Patron, At: r.At, Due: r.Due}, r}
	switch {
	case r.Kind == kiosk.Seen:
		return
	case r.Kind == kiosk.Checkin:
		delete(m.loans, r.Item)
		return
	case r.Kind == kiosk.Renew && out && old.Patron == r.Patron:
		now.At = old.At
		if now.Due.IsZero() {
			now.Due = old.Due
		}
	}
	m.loans[r.Item] = now
}

func (m *Memory) undo(r *record) {
	if r.had != nil && (r.had.by == nil || r.had.by.State.Holds()) {
		m.loans[r.Item] = *r.had
		return
	}
	delete(m.loans, r.Item)
}

// outdated tells whether an entry recorded after r holds for its item. That it
// was seen says nothing of it.
func (m *Memory) outdated(r *record) bool {
	later := m.entries[slices.Index(m.entries, r)+1:]
	return slices.ContainsFunc(later, func(o *record) bool { return o.Item == r.Item && o.Kind != kiosk.Seen && o.State.Holds() })
}

func (m *Memory) seen(t time.Time) {
	if t = kept(t); t.After(m.told) {
		m.told = t
	}
}

// kept is a time as a ledger gives it back: whole milliseconds, UTC.
func kept(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// Newest is kiosk.Ledger's.
func (m *Memory) Newest(ctx context.Context) (time.Time, error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	if n := len(m.entries); n > 0 {
		if last := m.entries[n-1]; !last.right && last.newest.After(m.told) {
			return last.newest, err
		}
	}
	return m.told, err
}

// Queue is kiosk.Outbox's.
func (m *Memory) Queue(ctx context.Context, limit int) (list []kiosk.Queued, _ error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	for _, r := range m.entries {
		if r.State.Queued() && len(list) < limit {
			list = append(list, r.Queued)
		}
	}
	return list, err
}

// Postpone is kiosk.Outbox's.
func (m *Memory) Postpone(ctx context.Context, id kiosk.ID, retryAt time.Time) error {
	err := m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	r := m.find(id)
	if r == nil || !r.State.Queued() {
		return kiosk.ErrUnknown
	}
	r.Attempts++
	r.RetryAt = kept(retryAt)
	return nil
}

// Interrupted is kiosk.Outbox's.
func (m *Memory) Interrupted(ctx context.Context, now time.Time) (n int, err error) {
	err = m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	for _, r := range m.entries {
		if r.State == kiosk.Asked {
			o := kiosk.Outcome{Entry: r.ID, State: kiosk.Unsure, At: now}
			if m.unsecured(r) {
				o.State = kiosk.Dismissed
			}
			if err := m.conclude(o); err != nil {
				return 0, err
			}
			n++
		}
	}
	return n, nil
}

func (m *Memory) unsettled(b kiosk.Barcode) bool {
	return slices.ContainsFunc(m.entries, func(r *record) bool { return r.Item == b && r.State.Queued() })
}

func byBarcode(a, b kiosk.Item) int { return strings.Compare(string(a.Barcode), string(b.Barcode)) }

func byTime(a, b kiosk.Loan) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	return strings.Compare(string(a.Item), string(b.Item))
}
