package sqlite

import "context"

const (
	probeSQL   = `INSERT INTO probe (room) VALUES (zeroblob(16384))`
	unprobeSQL = `DELETE FROM probe`
)

// Probe makes a durable write that needs as much room as a loan and leaves
// nothing behind: nil means that the disk takes loans, again.
func (s *Store) Probe(ctx context.Context) error {
	return s.write(ctx, "probe", func(w *writer) error {
		if err := w.probe.run(); err != nil {
			return err
		}
		return w.unprobe.run()
	})
}
