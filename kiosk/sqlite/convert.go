package sqlite

import (
	"database/sql"
	"time"
)

// ms is how a time is stored: unix milliseconds, NULL for the zero time.
func ms(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// instant is a time as it is read, in UTC.
type instant struct{ time.Time }

// Scan takes unix milliseconds or NULL.
func (i *instant) Scan(v any) error {
	var n sql.NullInt64
	if err := n.Scan(v); err != nil {
		return err
	}
	i.Time = fromMS(n)
	return nil
}

func fromMS(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMilli(n.Int64).UTC()
}

// instantOf is a time as it will be read back.
func instantOf(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}
