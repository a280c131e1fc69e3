package inventory

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// readRows reads a code a line, and behind a comma "late" for a time that can't
// be read or the hour of one.
func readRows(file io.Reader) iter.Seq2[FileRow, error] {
	return func(yield func(FileRow, error) bool) {
		in := bufio.NewScanner(file)
		for n := 1; in.Scan(); n++ {
			row := FileRow{Row: n}
			code, at, _ := strings.Cut(in.Text(), ",")
			if row.Code = code; code == "" {
				row.Why = "no code"
			}
			if at == "late" {
				row.Why = "no time"
			} else if at != "" {
				hour := 0
				fmt.Sscan(at, &hour) //nolint:errcheck // 0 is as good
				row.At = day.Add(-time.Duration(hour) * time.Hour)
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := in.Err(); err != nil {
			yield(FileRow{}, err)
		}
	}
}

const collected = "SHELF:12\nB00,3\nB01,2\nB02\nB01\n\nno number,1\nB40,late\nBRANCH\nX9\n"

// TestFile looks at a collector's file, which changes nothing, takes it, and
// takes it back.
func TestFile(t *testing.T) {
	w := newWorld(t)
	w.File = readRows
	id, ctx := w.begin(stacks), t.Context()
	w.scan(id, "ann", "B02", "B03")
	state := func() string {
		t.Helper()
		r, err := w.Report(ctx, id, false)
		if err != nil {
			t.Fatal(err)
		}
		v, err := w.View(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(r.Seen, r.Scans, rowsOf(r.Moves), "/", rowsOf(r.Missing), "/", rowsOf(r.Surprises), r.Passes, v.Counts)
	}
	before := state()
	look, err := w.Look(ctx, id, strings.NewReader(collected))
	if err != nil || look.Rows != 10 || look.Scans != 7 || look.Shelves != 1 || look.Inside != 3 || look.Before != 1 || look.Outside != 1 || look.Unknown != 1 {
		t.Errorf("Look() = %+v, %v", look, err)
	}
	if look.Odds != 3 || fmt.Sprint(look.Odd) != "[{6  row no code} {7 no number code no item's number} {8 B40 time no time}]" {
		t.Errorf("odd are %d, %v", look.Odds, look.Odd)
	}
	if !look.First.Equal(day.Add(-3*time.Hour)) || !look.Last.Equal(day.Add(-time.Hour)) {
		t.Errorf("the file is from %v to %v", look.First, look.Last)
	}
	if after := state(); after != before {
		t.Errorf("who looks changes %s to %s", before, after)
	}
	for range 2 {
		taken, err := w.Load(ctx, id, "bob: a.txt", "a.txt", strings.NewReader(collected))
		if err != nil || taken.Scans != 7 || taken.Odds != 3 || taken.Good != 4 {
			t.Fatalf("Load() = %+v, %v", taken, err)
		}
	}
	w.scan(id, "ann", "B04")
	if err := w.Start(ctx, id, "bob: a.txt", 0); err != nil {
		t.Fatal(err)
	}
	w.scan(id, "bob: a.txt", "B05") // by hand, after the file
	loads := func(want string) []Load {
		t.Helper()
		list, err := w.Loads(ctx, id)
		var got []string
		for _, x := range list {
			got = append(got, fmt.Sprint(x.File, " ", x.Scans))
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("Loads() = %v, %v; want %s", got, err, want)
		}
		return list
	}
	with := state()
	list := loads("[a.txt 7 a.txt 7]")
	w.open() // and after a restart
	if after := state(); after != with {
		t.Errorf("after a restart %s; before %s", after, with)
	}
	loads("[a.txt 7 a.txt 7]")
	for _, x := range list {
		if n, err := w.Unload(ctx, id, "ann", x.Line); err != nil || n != 7 {
			t.Errorf("Unload(%d) = %d, %v", x.Line, n, err)
		}
	}
	loads("[]")
}

// TestUnload takes files back: what others have scanned meanwhile stays.
func TestUnload(t *testing.T) {
	w := newWorld(t)
	w.File = readRows
	id, ctx := w.begin(stacks), t.Context()
	report := func() string {
		t.Helper()
		r, err := w.Report(ctx, id, false)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(r.Seen, " ", rowsOf(r.Moves), "/", rowsOf(r.Missing), "/", rowsOf(r.Surprises), r.Passes)
	}
	w.scan(id, "ann", numbers(0, 1, 2)...)
	var many strings.Builder
	for i := range 2 * maxReads {
		fmt.Fprintf(&many, "%s\n", number(i%60))
	}
	if _, err := w.Load(ctx, id, "bob", "first.txt", strings.NewReader(many.String())); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Load(ctx, id, "bob", "second.txt", strings.NewReader("B10\nB12\n")); err != nil {
		t.Fatal(err)
	}
	w.scan(id, "ann", numbers(3, 5)...)
	list, err := w.Loads(ctx, id)
	if err != nil || len(list) != 2 || list[0].File != "second.txt" || list[1].Scans != 2*maxReads {
		t.Fatalf("Loads() = %+v, %v", list, err)
	}
	if n, err := w.Unload(ctx, id, "ann", list[1].Line); err != nil || n != 2*maxReads {
		t.Fatalf("Unload() = %d, %v", n, err)
	}
	want := "7 /B04 B11/[7 0 0]"
	for range 2 {
		if got := report(); got != want {
			t.Errorf("without the first file: %s; want %s", got, want)
		}
		w.open()
		w.File = readRows
	}
	if n, err := w.Unload(ctx, id, "ann", 0); err != nil || n != 2 {
		t.Errorf("the newest: %d, %v", n, err)
	}
	if got := report(); got != "5 /B04/[5 0 0]" {
		t.Errorf("without files: %s", got)
	}
	var bad *Wrong
	if _, err := w.Unload(ctx, id, "ann", 0); !errors.As(err, &bad) || bad.What != "noload" {
		t.Errorf("there is none: %v", err)
	}
	if err := w.Pause(ctx, id); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"Load": func() error { _, err := w.Load(ctx, id, "bob", "f", strings.NewReader("B1\n")); return err }(),
		"Look": func() error { _, err := w.Look(ctx, id, strings.NewReader("B1\n")); return err }(),
	} {
		if !errors.As(err, &bad) || bad.What != "paused" || kiosk.CodeOf(err) != kiosk.CodeInvalid {
			t.Errorf("%s while it pauses: %v", what, err)
		}
	}
}

// TestFileTooLong: a file is not read on when its time is over, whatever is in it.
func TestFileTooLong(t *testing.T) {
	w := newWorld(t)
	id := w.begin(stacks)
	for name, code := range map[string]string{"items": "B00", "nothing": ""} {
		ctx, cancel := context.WithCancel(t.Context())
		read := 0
		w.File = func(io.Reader) iter.Seq2[FileRow, error] {
			return func(yield func(FileRow, error) bool) {
				for read < 10 && yield(FileRow{Row: read, Code: code, Why: "odd"}, nil) {
					if read++; read == 3 {
						cancel()
					}
				}
			}
		}
		if look, err := w.Look(ctx, id, nil); !errors.Is(err, context.Canceled) || read != 3 {
			t.Errorf("%s: %d rows read, %+v, %v; want 3, and that it was cancelled", name, read, look, err)
		}
	}
}

// TestFileCutOff: what was taken before a file broke off is told, and there.
func TestFileCutOff(t *testing.T) {
	w := newWorld(t)
	w.File = readRows
	id := w.begin(stacks)
	text := strings.Repeat("B00\n", maxReads) + "B01\n"
	taken, err := w.Load(t.Context(), id, "bob", "f", io.MultiReader(strings.NewReader(text), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if !errors.Is(err, io.ErrUnexpectedEOF) || taken.Rows != maxReads || taken.Scans != maxReads {
		t.Errorf("Load() = %+v, %v; want what was taken", taken, err)
	}
	if list, err := w.Loads(t.Context(), id); err != nil || len(list) != 1 || list[0].Scans != maxReads {
		t.Errorf("Loads() = %+v, %v", list, err)
	}
	told := 0
	ctx := WithProgress(context.Background(), func(what Reading, n int) {
		if what == ReadingFile {
			told = n
		}
	})
	if _, err := w.Look(ctx, id, strings.NewReader(strings.Repeat("B00\n", 2*fileStep))); err != nil || told != 2*fileStep {
		t.Errorf("told of %d rows, %v", told, err)
	}
}

// TestWrong: what is wrong keeps its class, its English and what it is about.
func TestWrong(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		r    kiosk.ShelfRange
		what string
		args string
	}{
		{kiosk.ShelfRange{Scheme: "ddc", From: "599", To: "500"}, "reversed", "[from 599 to 500]"},
		{kiosk.ShelfRange{Scheme: "ddc", From: "?!"}, "misfit", "[number ?! scheme ddc]"},
		{kiosk.ShelfRange{Library: "NONE"}, "library", "[library NONE places BRANCH, MAIN]"},
	} {
		_, _, err := w.Begin(t.Context(), "", tt.r)
		var bad *Wrong
		if !errors.As(err, &bad) || bad.What != tt.what || fmt.Sprint(bad.Args) != tt.args || kiosk.CodeOf(err) != kiosk.CodeInvalid || kiosk.Words(err) == err.Error() {
			t.Errorf("%+v: %v, %+v; want %s %s", tt.r, err, bad, tt.what, tt.args)
		}
	}
}
