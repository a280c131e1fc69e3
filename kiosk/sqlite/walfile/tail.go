package walfile

// room is the most that gathers before it goes to the file, in bytes. A loan
// is some 15 kB; a list of a million rows comes in more than memory has.
const room = 64 << 10

// tail is what was written to a file and has not gone there yet.
type tail struct {
	bytes  []byte
	begins int64 // its place in the file
	synced bool  // the file has been synced before
}

// write adds b at its place. Only what follows upon the rest waits. Codes are
// SQLite's, 0 is well.
func (t *tail) write(b []byte, at int64, to func([]byte, int64) int32) int32 {
	if len(t.bytes) > 0 && (at != t.begins+int64(len(t.bytes)) || len(t.bytes)+len(b) > room) {
		if rc := t.flush(to); rc != 0 {
			return rc
		}
	}
	if len(b) >= room {
		return to(b, at)
	}
	if len(t.bytes) == 0 {
		t.begins = at
	}
	t.bytes = append(t.bytes, b...)
	return 0
}

// flush writes what waits. What the disk refuses is forgotten: whoever is told
// so takes it back.
func (t *tail) flush(to func([]byte, int64) int32) int32 {
	if len(t.bytes) == 0 {
		return 0
	}
	b := t.bytes
	t.bytes = t.bytes[:0]
	return to(b, t.begins)
}
