package shelf

import (
	"slices"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// taken is a line that was taken, with how to undo it.
type taken struct {
	line kiosk.ShelfLine
	key  Key
	back []func()
}

// maxTaken is how many lines can be undone at least: what people take back, they
// take back soon.
const maxTaken = 256

// keep notes a line that was taken; what is old is forgotten.
func (s *Session) keep(t taken) {
	if len(s.taken) == 2*maxTaken {
		n := copy(s.taken, s.taken[maxTaken:])
		clear(s.taken[n:])
		s.taken, s.first = s.taken[:n], true
	}
	s.taken = append(s.taken, t)
}

// put puts a value into a map, so that it can be undone.
func put[K comparable, V any](w *Walk, m map[K]V, k K, v V) {
	was, ok := m[k]
	w.undoes(func() {
		if m[k] = was; !ok {
			delete(m, k)
		}
	})
	m[k] = v
}

// undoesScan notes how to undo what a scan is about to change of a path and of
// the books.
func (s *Session) undoesScan(p *path, scan int) {
	lines, again, heard, scans, last, count := len(s.lines), p.again, p.heard, p.scans, s.last, s.count
	b := s.scans[scan].book
	var found []string
	if scan < lines {
		found = s.lines[scan].Found
	}
	var pass int32
	var times uint8
	if b >= 0 {
		pass, times = s.pass[b], s.times[b]
	}
	s.undoes(func() {
		s.lines, p.again, p.heard, p.scans, s.last, s.count = s.lines[:lines], again, heard, scans, last, count
		if scan < lines {
			s.lines[scan].Found = found
		}
		if b >= 0 {
			s.pass[b], s.times[b] = pass, times
		}
		s.clock = s.clock[:max(0, len(s.clock)-1)] // the oldest may be forgotten
	})
}

// Undo undoes a line, as if it had not been taken, and gives it. It costs as
// much as the lines that were taken since. False: that is too long ago, the log
// has to be taken anew.
func (s *Session) Undo(n int64) (kiosk.ShelfLine, bool) {
	i := slices.IndexFunc(s.taken, func(t taken) bool { return t.line.N == n })
	if i < 0 || s.first && len(s.taken) <= maxTaken/2 {
		return kiosk.ShelfLine{}, false
	}
	since := slices.Clone(s.taken[i:])
	for _, t := range slices.Backward(since) {
		for _, f := range slices.Backward(t.back) {
			f()
		}
	}
	s.taken = s.taken[:i]
	for _, t := range since[1:] {
		s.Take(t.line, t.key)
	}
	return since[0].line, true
}

// Newest are the newest scans that were taken, the oldest first, at most so
// many.
func (s *Session) Newest(most int) (list []kiosk.ShelfLine) {
	for _, t := range slices.Backward(s.taken) {
		if len(list) == most {
			break
		}
		if t.line.Kind == kiosk.ShelfScan {
			list = append(list, t.line)
		}
	}
	slices.Reverse(list)
	return list
}
