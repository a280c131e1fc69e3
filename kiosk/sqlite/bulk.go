package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

const (
	bulkCache = 32 << 10 // kB that Bulk takes: room for the indexes of a million items
	bulkPuts  = 50       // writes in one transaction of Bulk
)

// bulk is how writes are put together, beside those that come at once.
type bulk struct {
	puts  int // writes in one transaction; 0 means one
	under int // writes in the transaction under way; 0 means that none is
}

// Bulk does what puts big lists in big batches, for a program that has the
// ledger to itself. A list in no order, and ISBNs are in none, would else move
// every page of the indexes to the disk and back with each batch. What is
// written meanwhile is durable when Bulk returns, and not before; an error
// takes back what was written since the last commit.
func (s *Store) Bulk(ctx context.Context, do func() error) error {
	var before int
	if err := s.conn.QueryRowContext(ctx, "PRAGMA cache_size").Scan(&before); err != nil {
		return wrap("bulk", err)
	}
	if err := s.setBulk(bulkPuts, -bulkCache); err != nil {
		return wrap("bulk", err)
	}
	if err := s.unindex(ctx); err != nil {
		return wrap("bulk", err)
	}
	return errors.Join(do(), wrap("bulk", s.setBulk(0, before)), wrap("bulk", s.reindex()), wrap("bulk", s.fold()))
}

// unindex takes the index of ISBNs away while there are no items: to sort them
// once is less work than to put each in its place, which is nowhere near that
// of the one before.
func (s *Store) unindex(ctx context.Context) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	var items bool
	if err := s.conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM items)").Scan(&items); err != nil || items {
		return err
	}
	_, err := s.conn.ExecContext(ctx, "DROP INDEX IF EXISTS items_isbn")
	return err
}

// reindex makes it again, and sorts in a file: a million ISBNs would take much
// memory. Where there is no place for files, it does.
func (s *Store) reindex() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	ctx := context.Background()
	if _, err := s.conn.ExecContext(ctx, "PRAGMA temp_store = FILE"); err != nil {
		return err
	}
	inFile := indexISBNs(ctx, s.conn)
	if _, err := s.conn.ExecContext(ctx, "PRAGMA temp_store = MEMORY"); err != nil || inFile == nil {
		return err
	}
	return indexISBNs(ctx, s.conn)
}

// indexISBNs makes the index of migration 2 where it is missing: a program may
// have ended within Bulk.
func indexISBNs(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, "CREATE INDEX IF NOT EXISTS items_isbn ON items (isbn) WHERE isbn <> ''")
	return err
}

// setBulk commits what is under way, and sets how it goes on.
func (s *Store) setBulk(puts, cache int) (err error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.bulk.under > 0 {
		if err = s.w.commit.run(); err != nil {
			s.w.undoAll()
		}
	}
	s.bulk = bulk{puts: puts}
	_, sets := s.conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA cache_size = %d", cache))
	return errors.Join(err, sets)
}

// fold folds the log into the file, and cuts it down: it has grown.
func (s *Store) fold() error {
	_, err := s.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}
