package kiosktest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// secure puts the tags of r on the work list, as its new stage wants.
func (m *Memory) secure(r *record, was kiosk.Stage, at time.Time) {
	if len(r.Tags) == 0 || m.outdated(r) {
		return
	}
	_, out := m.loans[r.Item]
	want := kiosk.Wants(r.Kind, was, kiosk.Stage{State: r.State, Due: r.Due}, out)
	if want == kiosk.Leave {
		return
	}
	for _, t := range r.Tags {
		m.work[t] = kiosk.Work{Tag: t, Want: want, Entry: r.ID, Item: r.Item, Title: r.Title, Since: kept(at)}
	}
}

// unsecured tells whether r is a return whose tags are not all secured.
func (m *Memory) unsecured(r *record) bool {
	for _, w := range m.work {
		if w.Entry == r.ID && w.Want == kiosk.Secured {
			return true
		}
	}
	return false
}

// Attach is kiosk.Ledger's.
func (m *Memory) Attach(ctx context.Context, id kiosk.ID, tag kiosk.TagID, at time.Time) error {
	err := m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	r := m.find(id)
	if r == nil {
		return kiosk.ErrUnknown
	}
	if tag == "" || at.IsZero() {
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: "a tag without a name or a time"}
	}
	if !slices.Contains(r.Tags, tag) {
		r.Tags = append(r.Tags, tag)
	}
	m.secure(r, kiosk.Stage{}, at)
	return nil
}

// Work is kiosk.Ledger's.
func (m *Memory) Work(ctx context.Context, tag kiosk.TagID) (kiosk.Work, error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	w, ok := m.work[tag]
	if err == nil && !ok {
		err = kiosk.ErrUnknown
	}
	return w, err
}

// WorkList is the whole work list.
func (m *Memory) WorkList(ctx context.Context, limit int) (list []kiosk.Work, _ error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	for _, w := range m.work {
		list = append(list, w)
	}
	slices.SortFunc(list, func(a, b kiosk.Work) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(string(a.Tag), string(b.Tag))
	})
	return list[:min(len(list), limit)], err
}

// Done is kiosk.Ledger's.
func (m *Memory) Done(ctx context.Context, w kiosk.Work, at time.Time) error {
	err := m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	if at.IsZero() {
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: "no time"}
	}
	if has, ok := m.work[w.Tag]; ok && has.Want == w.Want && has.Entry == w.Entry {
		delete(m.work, w.Tag)
	}
	return nil
}

// tagOf tells whether an entry is of a copy and has tags.
func tagOf(b kiosk.Barcode) func(*record) bool {
	return func(r *record) bool { return r.Item == b && len(r.Tags) > 0 }
}

// Tags is kiosk.Mirror's. They come in their order.
func (m *Memory) Tags(ctx context.Context, b kiosk.Barcode) (list []kiosk.TagID, _ error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	had := tagOf(b)
	for i := len(m.entries) - 1; i >= 0; i-- {
		if !had(m.entries[i]) {
			continue
		}
		for _, t := range m.entries[i].Tags {
			if !slices.ContainsFunc(m.entries[i+1:], func(r *record) bool { return r.Item != b && slices.Contains(r.Tags, t) }) {
				list = append(list, t)
			}
		}
		break
	}
	slices.Sort(list)
	return list, err
}
