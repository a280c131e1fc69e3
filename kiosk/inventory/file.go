package inventory

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// FileRow is a row of the file of a handheld collector.
type FileRow struct {
	Row  int // the line of the file with which it begins, from 1
	Code string
	At   time.Time // zero: not told
	Why  string    // why there is no Code, or no time although one is written
}

// Odd is a row of a file of which not all is taken.
type Odd struct {
	Row  int
	Code string
	Kind OddKind
	Why  string // in English
}

// OddKind is what is odd.
type OddKind string

// What is odd.
const (
	OddRow  OddKind = "row"  // it has no code that can be read
	OddCode OddKind = "code" // it is no number of this library's items
	OddTime OddKind = "time" // its time can't be read: it is taken as of now
)

// mostOdd is how many odd rows are named; all are counted.
const mostOdd = 1000

// Taken is what a file comes to.
type Taken struct {
	Rows        int
	Scans       int // rows with the number of an item
	Shelves     int // rows with the label of a shelf
	Odd         []Odd
	Odds        int       // all of them
	Good        int       // scans that leave nothing to be looked at; of a file that is only looked through, none
	First, Last time.Time // of the times that it tells; zero: it tells none
}

// Looked is what a file would come to. Books count once.
type Looked struct {
	Taken
	Inside  int // of the range, and not seen by now
	Before  int // of the range, and seen by now
	Outside int // other books of the library
	Unknown int // not in the catalogue
}

// Load is a file that was taken.
type Load struct {
	Line  int64 // of the log, by which it is taken back
	Who   string
	File  string
	At    time.Time
	Scans int   // that were not taken back
	end   int64 // the line behind it; 0: none
}

// Look tells what a file would come to. It changes nothing.
func (s *Service) Look(ctx context.Context, id kiosk.ID, file io.Reader) (look Looked, err error) {
	known := map[kiosk.Barcode]bool{}
	err = s.rows(ctx, file, &look.Taken, func(_ []Read, items []kiosk.Barcode) error {
		fresh := slices.DeleteFunc(items, func(b kiosk.Barcode) bool {
			was := known[b]
			known[b] = true
			return was
		})
		return s.look(ctx, id, fresh, &look)
	})
	return look, err
}

// look counts books that the file did not name before.
func (s *Service) look(ctx context.Context, id kiosk.ID, items []kiosk.Barcode, look *Looked) error {
	l, err := s.taking(ctx, id)
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	var others []kiosk.Barcode
	for _, b := range items {
		switch {
		case l.s.Seen(b):
			look.Before++
		case l.s.Has(b):
			look.Inside++
		default:
			others = append(others, b)
		}
	}
	met, err := s.Store.Meet(ctx, others)
	if err != nil {
		return err
	}
	for _, m := range met {
		if look.Unknown++; m.Known {
			look.Unknown--
			look.Outside++
		}
	}
	return nil
}

// Load takes a file, as somebody's walk, which can be taken back at once. Where it
// is cut off, what was taken is told, and stays.
func (s *Service) Load(ctx context.Context, id kiosk.ID, who, name string, file io.Reader) (taken Taken, err error) {
	if err := s.line(ctx, id, kiosk.ShelfLine{Kind: kiosk.ShelfStart, Who: who, Text: name}); err != nil {
		return taken, err
	}
	good := 0
	err = s.rows(ctx, file, &taken, func(reads []Read, _ []kiosk.Barcode) error {
		said, err := s.Scan(ctx, id, who, reads...)
		for _, x := range said {
			if x.Why == "" && x.Shelf == "" && (x.Tone == shelf.Good || x.Tone == shelf.Twice || x.Tone == shelf.Sought) {
				good++
			}
		}
		return err
	})
	taken.Good = good
	return taken, err
}

// rows reads a file: some rows at once, as what was read and as the numbers of
// the items among it. They count when they were done.
func (s *Service) rows(ctx context.Context, file io.Reader, taken *Taken, do func([]Read, []kiosk.Barcode) error) error {
	if s.File == nil {
		return invalid("files of collectors are not read here")
	}
	told, now := counting(ctx, ReadingFile), *taken
	var reads []Read
	var items []kiosk.Barcode
	done := func() error {
		if err := do(reads, items); err != nil {
			return err
		}
		*taken, reads, items = now, reads[:0], items[:0]
		told(taken.Rows)
		return nil
	}
	for row, err := range s.File(file) {
		if err = cmp.Or(err, ctx.Err()); err != nil { // bad rows ask the store nothing
			return err
		}
		code := s.Read(row.Code)
		if now.count(row, code); row.Code == "" || code == (Code{Why: code.Why}) {
			continue
		}
		if reads = append(reads, Read{Text: row.Code, At: row.At}); code.Item != "" {
			items = append(items, code.Item)
		}
		if len(reads) == maxReads {
			if err := done(); err != nil {
				return err
			}
		}
	}
	return done()
}

// count counts a row.
func (t *Taken) count(row FileRow, code Code) {
	odd := Odd{Row: row.Row, Code: row.Code, Why: row.Why}
	t.Rows++
	switch {
	case row.Code == "":
		odd.Kind = OddRow
	case code.Shelf != "":
		t.Shelves++
	case code.Item == "":
		odd.Kind, odd.Why = OddCode, code.Why
	default:
		t.Scans++
	}
	if odd.Kind == "" && row.Why != "" {
		odd.Kind = OddTime
	}
	if odd.Kind != "" {
		if t.Odds++; len(t.Odd) < mostOdd {
			t.Odd = append(t.Odd, odd)
		}
	}
	if at := row.At; !at.IsZero() {
		if t.First.IsZero() || at.Before(t.First) {
			t.First = at
		}
		if at.After(t.Last) {
			t.Last = at
		}
	}
}

// started takes a line with which somebody starts.
func (l *live) started(line kiosk.ShelfLine) {
	for i := range l.loads {
		if x := &l.loads[i]; x.Who == line.Who && x.end == 0 {
			x.end = line.N
		}
	}
	if line.Text != "" {
		l.loads = append(l.loads, Load{Line: line.N, Who: line.Who, File: line.Text, At: line.At})
	}
}

// scansOf are the lines of the scans of a file, the oldest first.
func (l *live) scansOf(x Load) []int64 {
	mine := l.mine[x.Who]
	from, _ := slices.BinarySearch(mine, x.Line)
	to := len(mine)
	if x.end > 0 {
		to, _ = slices.BinarySearch(mine, x.end)
	}
	return mine[from:to]
}

// Loads lists the files that were taken and not taken back, the newest first.
func (s *Service) Loads(ctx context.Context, id kiosk.ID) (list []Load, err error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	for _, x := range slices.Backward(l.loads) {
		if x.Scans = len(l.scansOf(x)); x.Scans > 0 {
			list = append(list, x)
		}
	}
	return list, nil
}

// Unload takes back all scans of a file, by its line; 0 is the newest file, and
// with them what is planned of books that nobody else has met. It tells how many
// scans.
func (s *Service) Unload(ctx context.Context, id kiosk.ID, who string, line int64) (n int, err error) {
	l, err := s.taking(ctx, id)
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	var scans []int64
	for _, x := range slices.Backward(l.loads) {
		if list := l.scansOf(x); len(list) > 0 && (line == 0 || x.Line == line) {
			scans = slices.Clone(list)
			break
		}
	}
	if len(scans) == 0 {
		return 0, wrong("noload", "there is no such file to take back")
	}
	defer l.tell()
	told := counting(ctx, ReadingFile)
	for part := range slices.Chunk(scans, maxReads) {
		var lines []kiosk.ShelfLine
		for _, of := range part {
			lines = append(lines, kiosk.ShelfLine{Kind: kiosk.ShelfUndo, Who: who, At: s.Now(), Of: of})
		}
		if err := s.writeAll(ctx, l, lines); err != nil {
			l.s = nil // the next one reads what was taken back
			return n, err
		}
		n += len(part)
		told(n)
	}
	l.s = l.s.Afresh()
	if err := s.fold(ctx, l); err != nil {
		l.s = nil
		return n, err
	}
	return n, s.forsake(ctx, l, who)
}
