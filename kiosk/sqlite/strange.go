package sqlite

import (
	"context"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// mostStrange is how many texts are told.
const mostStrange = 50

// Strange lists what the ILS has said after a time in refusing, and that no
// reason is known for; what was said last comes first.
func (r *Reader) Strange(ctx context.Context, after time.Time) ([]kiosk.Strange, error) {
	rows, err := r.db.QueryContext(ctx, `
SELECT text, count(*), max(at) FROM outcomes
WHERE state = 'refused' AND reason = 'ask-staff' AND at > ? AND text <> '' AND dated IS NULL
GROUP BY text ORDER BY max(at) DESC, text LIMIT ?`, after.UnixMilli(), mostStrange)
	return all("strange words", rows, err, func(r row) (s kiosk.Strange, err error) {
		var last instant
		err = r.Scan(&s.Text, &s.N, &last)
		s.Last = last.Time
		return s, err
	})
}
