// Package walfile is a file system for SQLite (a VFS) that is the system's own
// but for the write-ahead log of those who open a database with vfs=carrel.
//
// SQLite writes a transaction into the log in pieces, two for each page: a
// header of 24 bytes, then the page (https://www.sqlite.org/fileformat2.html,
// section 4.1). A loan of seven pages makes fourteen system calls, which cost
// a third of the flush that follows them. Here the pieces gather in memory and
// go to the file as one write when SQLite asks for the flush, which is before
// it tells anybody, itself included, that the transaction is there
// (walFrames in wal.c: the index is changed after the sync). Until then
// nothing is promised, so a crash loses nothing that was. An error of the late
// write is the error of the flush, and the transaction is rolled back.
//
// So this must only be used with synchronous=FULL or EXTRA, where each commit
// flushes the log: with less, other connections would look for a transaction
// that is still in memory.
//
// The flush is fdatasync(2), which leaves out the time of the last change. In
// SQLite's C it is so too; modernc.org/sqlite calls fsync(2), and on ext4 that
// is a commit of the file system's journal more.
package walfile

import (
	"fmt"
	"sync"
	"syscall"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Name is what a connection's parameter vfs must say.
const Name = "carrel"

// Register makes the file system known to SQLite; again is no error.
func Register() error { return register() }

var register = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	base := lib.Xsqlite3_vfs_find(tls, 0)
	if base == 0 {
		return fmt.Errorf("walfile: SQLite has no file system")
	}
	name, err := libc.CString(Name)
	if err != nil {
		return fmt.Errorf("walfile: %w", err)
	}
	system = *at[lib.Tsqlite3_vfs](base)
	ours = system
	ours.FpNext, ours.FzName, ours.FxOpen = 0, name, code(open)
	if rc := lib.Xsqlite3_vfs_register(tls, uintptr(unsafe.Pointer(&ours)), 0); rc != lib.SQLITE_OK {
		return fmt.Errorf("walfile: SQLite does not take a file system: %s", libc.GoString(lib.Xsqlite3_errstr(tls, rc)))
	}
	return nil
})

// What SQLite points to; package variables stay where they are.
var (
	system, ours lib.Tsqlite3_vfs

	once    sync.Once
	file    uintptr                 // the system's methods of a file
	methods lib.Tsqlite3_io_methods // the same, and ours of a log

	mu   sync.Mutex
	logs = map[uintptr]*tail{} // of open files, by SQLite's pointer to each
)

// at is the thing at an address that SQLite gave.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// code is how SQLite is told of a function: the address of a Go function that
// captures nothing, as in modernc.org/sqlite/vfs.
func code(f any) uintptr { return (*[2]uintptr)(unsafe.Pointer(&f))[1] }

// function is the reverse: T is the type of a Go function.
func function[T any](code uintptr) T { return *(*T)(unsafe.Pointer(&code)) }

type (
	openFunc = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	dataFunc = func(*libc.TLS, uintptr, uintptr, int32, int64) int32
	sizeFunc = func(*libc.TLS, uintptr, int64) int32
	flagFunc = func(*libc.TLS, uintptr, int32) int32
	askFunc  = func(*libc.TLS, uintptr, uintptr) int32
	fileFunc = func(*libc.TLS, uintptr) int32
)

// open is the system's, and gives a log our methods.
func open(tls *libc.TLS, vfs, name, f uintptr, flags int32, out uintptr) int32 {
	rc := function[openFunc](system.FxOpen)(tls, vfs, name, f, flags, out)
	if rc != lib.SQLITE_OK || flags&lib.SQLITE_OPEN_WAL == 0 {
		return rc
	}
	table := at[uintptr](f) // the first word of a file points to its methods
	once.Do(func() {
		file = *table
		methods = *at[lib.Tsqlite3_io_methods](file)
		methods.FxClose, methods.FxRead, methods.FxWrite = code(closeLog), code(readLog), code(writeLog)
		methods.FxTruncate, methods.FxSync, methods.FxFileSize = code(truncateLog), code(syncLog), code(sizeLog)
	})
	if *table != file { // another kind of file, on a strange file system, stays as it is
		return rc
	}
	mu.Lock()
	defer mu.Unlock()
	logs[f] = &tail{}
	*table = uintptr(unsafe.Pointer(&methods))
	return rc
}

// plain are the system's methods.
func plain() *lib.Tsqlite3_io_methods { return at[lib.Tsqlite3_io_methods](file) }

// logOf is what is not yet in a file. One connection has the file open, and
// SQLite never uses a connection from two threads at once.
func logOf(f uintptr) *tail {
	mu.Lock()
	defer mu.Unlock()
	return logs[f]
}

// settle brings a file up to date.
func settle(tls *libc.TLS, f uintptr) int32 { return logOf(f).flush(into(tls, f)) }

// into writes to a file, by the system's method: it goes on after a short
// write, and tells a full disk from other troubles.
func into(tls *libc.TLS, f uintptr) func(b []byte, at int64) int32 {
	return func(b []byte, at int64) int32 {
		return function[dataFunc](plain().FxWrite)(tls, f, uintptr(unsafe.Pointer(unsafe.SliceData(b))), int32(len(b)), at)
	}
}

func writeLog(tls *libc.TLS, f, from uintptr, n int32, offset int64) int32 {
	return logOf(f).write(unsafe.Slice(at[byte](from), n), offset, into(tls, f))
}

func syncLog(tls *libc.TLS, f uintptr, flags int32) int32 {
	l := logOf(f)
	if rc := l.flush(into(tls, f)); rc != lib.SQLITE_OK {
		return rc
	}
	if !l.synced { // the first sync of a new file is of its folder too
		rc := function[flagFunc](plain().FxSync)(tls, f, flags)
		l.synced = rc == lib.SQLITE_OK
		return rc
	}
	for {
		switch err := syscall.Fdatasync(int(at[lib.TunixFile](f).Fh)); err {
		case nil:
			return lib.SQLITE_OK
		case syscall.EINTR:
		default:
			return lib.SQLITE_IOERR_FSYNC
		}
	}
}

func readLog(tls *libc.TLS, f, to uintptr, n int32, offset int64) int32 {
	if rc := settle(tls, f); rc != lib.SQLITE_OK {
		return rc
	}
	return function[dataFunc](plain().FxRead)(tls, f, to, n, offset)
}

func truncateLog(tls *libc.TLS, f uintptr, size int64) int32 {
	if rc := settle(tls, f); rc != lib.SQLITE_OK {
		return rc
	}
	return function[sizeFunc](plain().FxTruncate)(tls, f, size)
}

func sizeLog(tls *libc.TLS, f, size uintptr) int32 {
	if rc := settle(tls, f); rc != lib.SQLITE_OK {
		return rc
	}
	return function[askFunc](plain().FxFileSize)(tls, f, size)
}

// closeLog forgets what no commit has asked for.
func closeLog(tls *libc.TLS, f uintptr) int32 {
	mu.Lock()
	delete(logs, f)
	mu.Unlock()
	return function[fileFunc](plain().FxClose)(tls, f)
}
