package cardnumber

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
)

// table is a reader with cards, by a function of the time since it was opened.
type table struct {
	begin  time.Time
	at     func(d time.Duration) []string // UIDs, as their bytes
	fail   time.Duration                  // the reader fails from then on; 0: never
	closed int
}

func (r *table) Cards() (uids [][]byte, err error) {
	time.Sleep(20 * time.Millisecond)
	d := time.Since(r.begin)
	if r.fail > 0 && d >= r.fail {
		return nil, drivers.ErrSilent
	}
	for _, s := range r.at(d) {
		uids = append(uids, []byte(s))
	}
	return uids, nil
}

func (r *table) Close() error { r.closed++; return nil }

// scan gives what is scanned within ten seconds.
func scan(t *testing.T, r *table) (scans []drivers.Scan, err error) {
	t.Helper()
	r.begin = time.Now()
	s, err := New(r, Format{Number: "hex", Bytes: "all"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = s.Scans(ctx, func(sc drivers.Scan) {
		if age := time.Since(sc.At); age != 0 {
			t.Errorf("%q is of %v ago", sc.Text, age)
		}
		scans = append(scans, sc)
	})
	if r.closed != 1 {
		t.Errorf("the reader was closed %d times; want once", r.closed)
	}
	return scans, err
}

const (
	a     = "\x04\x01\x02\x03\x04\x05\x06"
	b     = "\xDE\xAD\xBE\xEF"
	textA = "04010203040506"
	textB = "DEADBEEF"
)

func TestScanner(t *testing.T) {
	between := func(d, from, to time.Duration) bool { return from <= d && d < to }
	const s, ms = time.Second, time.Millisecond
	for name, tt := range map[string]struct {
		at   func(d time.Duration) []string
		want []string
	}{
		"nothing": {func(time.Duration) []string { return nil }, nil},
		"it stays": {func(d time.Duration) []string {
			if d > s {
				return []string{a}
			}
			return nil
		}, []string{textA}},
		"taken away and laid on again": {func(d time.Duration) []string {
			if between(d, s, 2*s) || between(d, 4*s, 5*s) {
				return []string{a}
			}
			return nil
		}, []string{textA, textA}},
		"lifted for a moment": {func(d time.Duration) []string {
			if between(d, s, 3*s) || between(d, 3*s+700*ms, 5*s) {
				return []string{a}
			}
			return nil
		}, []string{textA}},
		"at the edge, seen by one look of four": {func(d time.Duration) []string {
			if d > s && int(d/ms)/170%4 == 0 {
				return []string{a}
			}
			return nil
		}, []string{textA}},
		"two at once": {func(d time.Duration) []string {
			if d > s {
				return []string{a, b}
			}
			return nil
		}, []string{textA, textB}},
		"two of which the reader tells one at a time": {func(d time.Duration) []string {
			if d < s {
				return nil
			}
			return []string{[]string{a, b}[int(d/ms)/170%2]}
		}, []string{textA, textB}},
		"one told twice": {func(d time.Duration) []string {
			if d > s {
				return []string{a, a}
			}
			return nil
		}, []string{textA}},
		"a card on another": {func(d time.Duration) []string {
			switch {
			case d > 2*s:
				return []string{b}
			case d > s:
				return []string{a}
			}
			return nil
		}, []string{textA, textB}},
		"there before": {func(time.Duration) []string { return []string{a} }, nil},
		"there before, and laid on again": {func(d time.Duration) []string {
			if between(d, s, 3*s) {
				return nil
			}
			return []string{a}
		}, []string{textA}},
		"a phone, another number each time": {func(d time.Duration) []string {
			if d > s {
				return []string{string([]byte{8, byte(d >> 16), byte(d >> 24), byte(d >> 32)})}
			}
			return nil
		}, []string{"\x00" + ErrRandom.Error()}},
		"a phone twice": {func(d time.Duration) []string {
			if between(d, s, 2*s) || between(d, 4*s, 5*s) {
				return []string{"\x08abc"}
			}
			return nil
		}, []string{"\x00" + ErrRandom.Error(), "\x00" + ErrRandom.Error()}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				scans, err := scan(t, &table{at: tt.at})
				var got []string
				for _, sc := range scans {
					got = append(got, sc.Text)
				}
				if slices.Sort(got); !slices.Equal(got, tt.want) || err != nil {
					t.Errorf("scans = %q, %v; want %q", got, err, tt.want)
				}
			})
		})
	}
}

// TestSoon: a card is scanned at once, and the end is not waited for.
func TestSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &table{at: func(d time.Duration) []string {
			if d > 5*time.Second {
				return []string{a}
			}
			return nil
		}}
		scans, _ := scan(t, r)
		if len(scans) != 1 || scans[0].At.Sub(r.begin) > 5250*time.Millisecond {
			t.Errorf("scans = %+v, the reader was opened at %v", scans, r.begin)
		}
		if took := time.Since(r.begin); took > 10100*time.Millisecond {
			t.Errorf("Scans() ended after %v; want 10 s", took)
		}
	})
}

func TestFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nothing := func(time.Duration) []string { return nil }
		if _, err := scan(t, &table{at: nothing, fail: time.Second}); !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("Scans() = %v; want ErrSilent", err)
		}
		if _, err := New(&table{begin: time.Now().Add(-time.Second), at: nothing, fail: 1}, Format{}); !errors.Is(err, drivers.ErrSilent) {
			t.Errorf("New() = %v; want ErrSilent", err)
		}
	})
}
