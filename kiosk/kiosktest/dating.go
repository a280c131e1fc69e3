package kiosktest

import (
	"context"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Undated is kiosk.Dater's.
func (m *Memory) Undated(ctx context.Context, boot string) ([]kiosk.Undated, error) {
	err := m.begin(ctx)
	defer m.mu.Unlock()
	var list []kiosk.Undated
	var after time.Time
	for i, r := range m.entries {
		if r.Up.Boot != boot {
			after = r.At
			continue
		}
		u := kiosk.Undated{Entry: r.Entry, After: after}
		u.Tags = nil
		for _, o := range m.entries[i+1:] {
			if o.Up.Boot != boot {
				u.Before = o.At
				break
			}
		}
		list = append(list, u)
	}
	return list, err
}

// Date is kiosk.Dater's.
func (m *Memory) Date(ctx context.Context, boot string, now time.Time, list []kiosk.Dating) error {
	err := m.beginWrite(ctx)
	defer m.mu.Unlock()
	if err != nil {
		return err
	}
	if now.IsZero() {
		return &kiosk.Error{Code: kiosk.CodeInvalid, Text: "no time"}
	}
	for _, d := range list {
		if r := m.find(d.Entry); r != nil && r.Up.Boot != "" {
			m.date(r, d, now)
		}
	}
	for _, r := range m.entries {
		if r.Up.Boot != boot {
			r.Up = kiosk.Uptime{}
		}
	}
	return nil
}

func (m *Memory) date(r *record, d kiosk.Dating, now time.Time) {
	r.Up = kiosk.Uptime{}
	if d.At.IsZero() {
		return
	}
	if l, out := m.loans[r.Item]; out && l.by == r {
		if l.At.Equal(r.At) {
			l.At = kept(d.At)
		}
		if !d.Due.IsZero() {
			l.Due = kept(d.Due)
		}
		m.loans[r.Item] = l
	}
	r.At, r.Doubt, r.right = kept(d.At), false, true
	if !d.Due.IsZero() {
		r.Due = kept(d.Due)
	}
	m.seen(now)
}
