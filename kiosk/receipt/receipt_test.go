package receipt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// words are keys with their values, so that a test sees what was asked for.
type words struct{ right bool }

func (w words) T(key string, pairs ...string) string {
	return strings.TrimSpace(key + " " + strings.Join(pairs, " "))
}
func (w words) N(key string, n int, pairs ...string) string {
	return w.T(fmt.Sprint(key, ".", n), pairs...)
}
func (w words) Date(t, now time.Time) string { return t.Format("Mon 2 Jan 15:04") }
func (w words) RightToLeft() bool            { return w.right }
func (w words) Reason(r kiosk.Reason) string { return "why " + string(r) }

var place = Place{Library: "Maple", Zone: time.FixedZone("", -5*3600)}

func lent(titles ...string) kiosk.Receipt {
	r := kiosk.Receipt{Mode: kiosk.Borrowing, Patron: "A.L.", Card: "…6788", At: time.Date(2026, 12, 1, 2, 30, 0, 0, time.UTC)}
	for i, t := range titles {
		r.Lines = append(r.Lines, kiosk.Line{Item: kiosk.Barcode(fmt.Sprint("30", i)), Title: t, Kind: kiosk.Checkout, State: kiosk.LineLent,
			Due: time.Date(2026, 12, 22, 4, 59, 59, 0, time.UTC)})
	}
	return r
}

func builtIn(t testing.TB) *Templates {
	ts, err := Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// flat writes lines of paper as a template would.
func flat(lines []Line) string {
	var out []string
	for _, l := range lines {
		mark := ""
		switch {
		case l.Rule:
			mark = "---"
		case l.Big:
			mark = "# "
		case l.Bold:
			mark = "* "
		case l.Center:
			mark = "= "
		case l.End:
			mark = "> "
		}
		out = append(out, mark+l.Text)
	}
	return strings.Join(out, "\n")
}

// TestPaper: all of a receipt, in the library's own day and zone.
func TestPaper(t *testing.T) {
	r := lent("Dune", "")
	r.Lines = append(r.Lines, kiosk.Line{Item: "309", Title: "Emma", Kind: kiosk.Checkout, State: kiosk.LineRefused, Reason: kiosk.ReasonOnHold})
	want := `# Maple
= Mon 30 Nov 21:30 · 21:30
= A.L.
= …6788
---
* receipt.paper.lent
Dune
> line.due date Mon 21 Dec 23:59
line.item barcode 301
> line.due date Mon 21 Dec 23:59
---
* receipt.paper.look
Emma
> why on-hold
---
= receipt.paper.bye`
	if got := flat(builtIn(t).Paper(New(r, place, words{}))); got != want {
		t.Errorf("paper:\n%s\nwant\n%s", got, want)
	}
	r = lent("Dune")
	r.Mode, r.Patron, r.Card = kiosk.Returning, "", ""
	r.Lines[0].Kind, r.Lines[0].State = kiosk.Checkin, kiosk.LineReturned
	want = "# Maple\n= Mon 30 Nov 21:30 · 21:30\n---\n* receipt.paper.returned\nDune\n---\n= receipt.paper.bye"
	if got := flat(builtIn(t).Paper(New(r, place, words{}))); got != want {
		t.Errorf("paper of a return:\n%s\nwant\n%s", got, want)
	}
}

// TestHostileTitles: a title is one line, and never a mark, whatever it holds.
func TestHostileTitles(t *testing.T) {
	for _, title := range []string{"# big", "---", ".", "* b", "= c", "> d", "a\n# b", "a\r\n---\r\nb", "\x1b@x", "a\u2028b", strings.Repeat("x", 1000), "{{.Card}}"} {
		lines := builtIn(t).Paper(New(lent(title), place, words{}))
		if len(lines) != 10 || lines[6].Big || lines[6].Bold || lines[6].Rule || lines[6].Center || lines[6].End || lines[6].Text == "" {
			t.Errorf("%.20q: %d lines:\n%s", title, len(lines), flat(lines))
		}
		subject, body := builtIn(t).Mail(New(lent(title), Place{Library: title, Zone: time.UTC}, words{}))
		if strings.ContainsAny(subject, "\r\n\x1b") || strings.ContainsAny(body, "\r\x1b") || subject == "" {
			t.Errorf("%.20q: mail %q, %q", title, subject, body)
		}
	}
}

func TestMail(t *testing.T) {
	subject, body := builtIn(t).Mail(New(lent("Dune"), place, words{}))
	if subject != "receipt.paper.subject library Maple" || !strings.Contains(body, "- Dune\n  line.due date Mon 21 Dec") || strings.HasPrefix(body, "\n") {
		t.Errorf("mail %q\n%s", subject, body)
	}
}

// TestCodeFits: a code holds what phones can read, whole titles where they
// have room, and says how many had none.
func TestCodeFits(t *testing.T) {
	ts := builtIn(t)
	if got := ts.Code(New(lent("Dune"), place, words{})); got != "Maple, Mon 30 Nov 21:30\nDune: line.due date Mon 21 Dec 23:59" {
		t.Errorf("code = %q", got)
	}
	for n, title := range map[int]string{10: "A title of some forty letters, or nearly", 40: "西游记的故事和其他很长很长的名字", 200: "Ж"} {
		titles := make([]string, n)
		for i := range titles {
			titles[i] = title
		}
		got := ts.Code(New(lent(titles...), place, words{}))
		if len(got) > maxCode || !utf8.ValidString(got) || !strings.Contains(got, "Maple") {
			t.Errorf("%d titles make a code of %d bytes: %q", n, len(got), got)
		}
		if shown := strings.Count(got, "line.due"); shown < n && !strings.HasSuffix(got, fmt.Sprintf("\n+ %d", n-shown)) {
			t.Errorf("%d of %d titles are in the code, and it does not say so: %q", shown, n, got)
		}
	}
}

// TestOwnTemplates: the library's are used; one that is broken is told, and
// ours stands in.
func TestOwnTemplates(t *testing.T) {
	dir := t.TempDir()
	put := func(kind, text string) {
		if err := os.WriteFile(filepath.Join(dir, kind+".txt"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("paper", "{{range .Done}}{{.Title}} {{.Due}}{{end}}\n.\n* Come again!")
	ts, err := Load(dir)
	if got := flat(ts.Paper(New(lent("Dune"), place, words{}))); err != nil || got != "Dune line.due date Mon 21 Dec 23:59\n\n* Come again!" {
		t.Errorf("own template: %v\n%s", err, got)
	}
	for name, text := range map[string]string{"syntax": "{{range .Done}}", "field": "{{.Patrons}}", "late": "{{range .Done}}{{.Nothing}}{{end}}", "large": strings.Repeat("x", maxTemplate+1),
		"endless": "{{define \"a\"}}x{{template \"a\"}}{{end}}{{template \"a\"}}"} {
		put("paper", text)
		ts, err := Load(dir)
		if err == nil || !strings.Contains(err.Error(), "paper.txt") {
			t.Errorf("%s: Load() = %v; want an error that names the file", name, err)
		}
		if got := flat(ts.Paper(New(lent("Dune"), place, words{}))); !strings.Contains(got, "receipt.paper.bye") {
			t.Errorf("%s: printed %q; want ours", name, got)
		}
	}
}

// FuzzReceipt: whatever titles and names hold, paper keeps its lines and the
// code its size.
func FuzzReceipt(f *testing.F) {
	f.Add("Dune", "Maple", 3)
	f.Add("---\n# x\u202e", "*\x00", 90)
	ts := builtIn(f)
	f.Fuzz(func(t *testing.T, title, library string, n int) {
		titles := make([]string, min(max(n, 0), 100))
		for i := range titles {
			titles[i] = title
		}
		d := New(lent(titles...), Place{Library: library, Zone: time.UTC}, words{})
		if code := ts.Code(d); len(code) > maxCode || !utf8.ValidString(code) {
			t.Errorf("code of %d bytes", len(code))
		}
		rules := 0
		for _, l := range ts.Paper(d) {
			if l.Rule {
				rules++
			}
			if strings.ContainsAny(l.Text, "\n\r\x1b\x10") {
				t.Errorf("line %q", l.Text)
			}
		}
		if rules != 2 {
			t.Errorf("%q and %q make %d rules; want 2", title, library, rules)
		}
	})
}
