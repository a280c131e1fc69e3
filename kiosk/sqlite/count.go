package sqlite

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

const (
	addCountSQL = `
INSERT INTO counters (day, hour, what, n) VALUES (?, ?, ?, ?)
ON CONFLICT (day, hour, what) DO UPDATE SET n = n + excluded.n`

	// Entries lie in the order in which they were recorded, which is that of
	// their times but for those of a wrong clock: reading begins behind the last
	// one that is older by a day.
	happenedSQL = `
SELECT kind, at FROM ledger
WHERE seq > coalesce((SELECT seq FROM entries WHERE at < ?1 - 86400000 ORDER BY seq DESC LIMIT 1), 0)
  AND at >= ?1 AND at < ?2 AND state IN ('granted', 'offline', 'unsure', 'settled', 'differs')`
)

// AddCounts adds to what was counted.
func (s *Store) AddCounts(ctx context.Context, counts []kiosk.Count) error {
	return s.write(ctx, "count", func(w *writer) error {
		for _, c := range counts {
			if _, err := w.conn.ExecContext(context.Background(), addCountSQL, c.Day, c.Hour, c.What, c.N); err != nil {
				return err
			}
		}
		return nil
	})
}

// CountsBetween gives counts by hour from one day on and before another, both 00:00 in the zone
// they are given in: what was counted, and by their kinds the entries of the
// ledger that took effect. They come in order.
func (r *Reader) CountsBetween(ctx context.Context, since, until time.Time) ([]kiosk.Count, error) {
	rows, err := r.db.QueryContext(ctx, "SELECT day, hour, what, n FROM counters WHERE day >= ? AND day < ?",
		since.Format(time.DateOnly), until.Format(time.DateOnly))
	counts, err := all("counts", rows, err, func(r row) (c kiosk.Count, err error) {
		err = r.Scan(&c.Day, &c.Hour, &c.What, &c.N)
		return c, err
	})
	if err != nil {
		return nil, err
	}
	happened, err := r.happened(ctx, since, until)
	if err != nil {
		return nil, err
	}
	for c, n := range happened {
		c.N = n
		counts = append(counts, c)
	}
	slices.SortFunc(counts, func(a, b kiosk.Count) int {
		if c := strings.Compare(a.Day, b.Day); c != 0 {
			return c
		}
		if a.Hour != b.Hour {
			return a.Hour - b.Hour
		}
		return strings.Compare(a.What, b.What)
	})
	return counts, nil
}

// happened counts entries; the keys have no N.
func (r *Reader) happened(ctx context.Context, since, until time.Time) (map[kiosk.Count]int, error) {
	rows, err := r.db.QueryContext(ctx, happenedSQL, since.UnixMilli(), until.UnixMilli())
	if err != nil {
		return nil, wrap("counts", err)
	}
	defer rows.Close()
	counts := map[kiosk.Count]int{}
	for rows.Next() {
		var kind kiosk.Kind
		var at instant
		if err := rows.Scan(&kind, &at); err != nil {
			return nil, wrap("counts", err)
		}
		t := at.In(since.Location())
		counts[kiosk.Count{Day: t.Format(time.DateOnly), Hour: t.Hour(), What: string(kind)}]++
	}
	return counts, wrap("counts", rows.Err())
}
