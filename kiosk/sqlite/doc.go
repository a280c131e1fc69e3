// Package sqlite keeps the ledger, the outbox and the mirror in one SQLite
// file: it is a kiosk.Ledger, kiosk.Outbox, kiosk.Mirror and kiosk.Loader.
//
// What is promised rests on two settings: journal_mode=WAL with
// synchronous=FULL syncs the log at each commit (https://www.sqlite.org/pragma.html,
// synchronous; https://www.sqlite.org/wal.html, section 2), so a write that
// has returned nil survives a loss of power.
//
// A commit costs one flush of the disk and, beside it, the pages it touches:
// each index one more. Hence the shape of the tables in migration, and a page
// of 2 kB: the log takes whole pages, a checkout's rows are short, and half
// the bytes are half the checksums. A smaller page still would push the long
// rows of the catalogue to overflow pages. Package walfile has a transaction's
// pages written by one call.
//
// There is one writer. Writes that arrive while another is being synced go
// together into the next transaction, each in a savepoint of its own, so that
// one that fails takes no other with it. Readers are separate connections
// that never wait for a flush.
//
// Foreign keys are declared and not enforced per row: the code writes parent
// and child in one transaction, and an enforced key would look the parent up
// again at each write. Open checks the outbox's, Check checks all.
//
// The log is folded into the file by Run while the desk is quiet, because the
// checkpoint that SQLite does by itself makes some patron wait for two more
// flushes. It remains as a limit, at 4,000 pages or 8 MB. Run also makes the log
// so long beforehand, and it stays: a commit that lets a file grow waits for the
// file system's own journal, which took ten times its flush on a busy disk.
//
// The cache stays at its default and no file is mapped into memory: both cost
// resident memory and gain no time on a point lookup. Bulk has more for a
// while, for lists of a million rows.
package sqlite
