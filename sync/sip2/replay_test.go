package sip2_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// recorded is an answer, and the question that it was for.
type recorded struct {
	line int
	q, a []byte // q is empty for what came unasked; a where nothing came
}

// notMessages are what the telnet transport says before the protocol begins.
var notMessages = []string{"login: ", "password: ", "Login OK.  Initiating SIP\r\n"}

// TestReplay has the client hear what real servers have said: each answer of
// each recorded conversation, to the question that it was for. What the client
// makes of it stands in testdata/replay.txt, a row each. A conversation that
// is not there, or a row without a conversation, is an error.
func TestReplay(t *testing.T) {
	var got strings.Builder
	got.WriteString("# What the client makes of the answers of real servers, in the order recorded.\n" +
		"# By go test ./sync/sip2 -run Replay -update\n")
	rows := 0
	for _, file := range recordings(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(file)) + "/" + strings.TrimSuffix(filepath.Base(file), ".txt")
		fmt.Fprintf(&got, "\n%s\n", name)
		profile := "generic"
		if strings.HasPrefix(name, "koha/") {
			profile = "koha"
		}
		for _, x := range exchanges(string(raw)) {
			where := fmt.Sprintf("%s:%d", name, x.line)
			if x.a == nil {
				fmt.Fprintf(&got, "%s: no answer\n", id(x.q))
				continue
			}
			if slices.Contains(notMessages, string(x.a)) {
				if m, err := sip2.Parse(x.a, sip2.UTF8); err == nil {
					t.Errorf("%s: %q is read as a message: %+v", where, x.a, m)
				}
				continue
			}
			rows++
			intact(t, where, x.a)
			var row string
			synctest.Test(t, func(t *testing.T) { row = meaning(t, profile, x) })
			fmt.Fprintf(&got, "%s>%s %s\n", cmp.Or(id(x.q), "--"), id(x.a), row)
		}
	}
	if rows < 300 {
		t.Errorf("%d answers were found; more were recorded", rows)
	}
	file := filepath.Join("testdata", "replay.txt")
	if *update && !t.Failed() {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sameLines(t, file, got.String(), string(want))
}

// recordings are the conversations beside the repository.
func recordings(t *testing.T) (all []string) {
	for _, dir := range []string{"koha", "sip2"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "testdata", dir, "*.txt"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			if strings.Contains(os.Getenv("CARREL_REQUIRE"), "shared") {
				t.Fatalf("the conversations in ../shared/testdata/%s are missing", dir)
			}
			t.Skipf("needs the conversations in ../shared/testdata/%s", dir)
		}
		all = append(all, files...)
	}
	return all
}

// exchanges reads a recording: > and < with escapes, or >> and << with bytes
// as Python writes them.
func exchanges(text string) (all []recorded) {
	var asked []byte // and not answered yet
	next := func() []byte {
		q, rest, ok := bytes.Cut(asked, []byte("\r"))
		if !ok {
			return asked
		}
		asked = bytes.TrimLeft(rest, "\n")
		return q
	}
	for i, l := range strings.Split(text, "\n") {
		mark, rest, _ := strings.Cut(l, " ")
		switch {
		case mark == "---" || mark == "!!":
			asked = nil
		case mark == ">" || mark == ">>":
			if b := bytesOf(rest); len(b) > 0 {
				asked = append(asked, b...)
			}
		case mark == ".." || mark == "<" && strings.HasPrefix(rest, "<"):
			if q := next(); len(q) > 0 && !bytes.Equal(q, asked) { // else it is half a question
				all = append(all, recorded{i + 1, q, nil})
			}
		case mark == "<" || mark == "<<":
			all = append(all, recorded{i + 1, next(), bytesOf(rest)})
		}
	}
	return all
}

var python = regexp.MustCompile(`^b('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")`)

// bytesOf reads one recorded text.
func bytesOf(s string) (b []byte) {
	quote := byte(0)
	if m := python.FindStringSubmatch(s); m != nil {
		quote, s = m[1][0], m[1][1:len(m[1])-1]
	}
	for s != "" {
		c, multibyte, rest, err := strconv.UnquoteChar(s, quote)
		switch {
		case err != nil:
			panic(fmt.Sprintf("%q: %v", s, err))
		case multibyte:
			b = append(b, string(c)...)
		default:
			b = append(b, byte(c))
		}
		s = rest
	}
	return b
}

// id is a message's, if it has one.
func id(b []byte) string {
	if len(b) < 2 || b[0] < '0' || b[0] > '9' {
		return ""
	}
	return string(b[:2])
}

var trailer = regexp.MustCompile(`(AY[0-9])?(AZ[0-9A-F]{4})?$`)

// intact: of an answer every field is kept, as it was and in its order, and its
// checksum is right. What is more than the standard's fixed fields is not.
func intact(t *testing.T, where string, a []byte) {
	t.Helper()
	m, err := sip2.Parse(a, sip2.UTF8)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	line := strings.TrimRight(string(a), "\r\n")
	if summed := strings.Contains(line, "AZ"); m.Sum != sip2.SumGood && summed || m.Sum != sip2.SumNone && !summed {
		t.Errorf("%s: checksum %v in %q", where, m.Sum, line)
	}
	rest, ok := strings.CutPrefix(trailer.ReplaceAllString(line, ""), m.ID+m.Fixed)
	if !ok {
		t.Errorf("%s: %q does not begin with %q", where, line, m.ID+m.Fixed)
	}
	var fields []string
	for _, f := range m.Fields {
		fields = append(fields, f.ID+f.Value)
	}
	got := slices.DeleteFunc(strings.Split(rest, "|"), func(f string) bool { return strings.Trim(f, "0") == "" })
	if !slices.Equal(fields, got) {
		t.Errorf("%s: read as\n got %q\nwant %q", where, fields, got)
	}
}

// meaning asks a client the recorded question, as far as it asks such at all,
// and tells what it makes of the answer.
func meaning(t *testing.T, profile string, x recorded) string {
	a := bytes.TrimRight(x.a, "\r\n")
	q, _ := sip2.Parse(x.q, sip2.UTF8)
	ids := map[string]string{"94": "93", "98": "99", "64": "63", "24": "23", "18": "17", "12": "11", "10": "09", "30": "29", "36": "35", "16": "15"}
	ask, ok := ids[id(a)]
	if !ok || id(x.q) == "01" || id(x.q) == "15" && q.Part(0, 1) != "+" {
		return "not asked for"
	}
	m, err := sip2.Parse(a, sip2.UTF8)
	if err != nil {
		return err.Error()
	}
	answers := map[string]string{ask: string(a) + "\r"}
	if ask == "23" { // a server that does not take 63
		answers["99"] = "98YYYYNN10000520261123    0854082.00AOCPL|BXYYYYYYYNYYYNYYYY|\r"
	}
	says := by(answers)
	if m.Sum == sip2.SumGood { // the number is another question's
		plain := by(answers)
		says = func(q string) string {
			line := plain(q)
			if q[:2] != ask {
				return line
			}
			return numbered(line[:strings.LastIndex(line, "AY")]+"\r", seq(q))
		}
	}
	s := speak(t, says, func(c *sip2.Config) { c.User, c.Password, c.Profile = "kiosk1", "secret", profile })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	switch ask {
	case "93":
		return outcome(s.Probe(ctx), "logged in")
	case "99":
		err := s.Probe(ctx)
		r, _ := s.Time()
		return outcome(err, "there%s", notes("time", stamped(r.Time)))
	case "63", "23":
		p, err := s.Identify(ctx, kiosk.Card(cmp.Or(q.Value("AA"), m.Value("AA"))), q.Value("AD"))
		return outcome(err, "patron%s", notes("blocked", p.Blocked, "PIN checked", p.PINChecked, "until", stamped(p.Expires), "category", p.Category, "language", p.Language))
	case "17":
		st, err := s.Look(ctx, kiosk.Barcode(cmp.Or(q.Value("AB"), m.Value("AB"))), "")
		return outcome(err, "item%s", notes("known", st.Known, "status", st.Status, "due", stamped(st.Due), "holds", max(0, st.Holds)))
	case "15":
		p, err := s.PlaceHold(ctx, kiosk.Card(cmp.Or(q.Value("AA"), m.Value("AA"))), kiosk.Barcode(cmp.Or(q.Value("AB"), m.Value("AB"))))
		return outcome(err, "reserved%s", notes("place", p.Place, "at", p.Pickup, "with words", p.Text != ""))
	case "35":
		return outcome(s.EndSession(ctx, "C1"), "ended")
	}
	e := kiosk.Entry{ID: "e", Kind: map[string]kiosk.Kind{"11": kiosk.Checkout, "09": kiosk.Checkin, "29": kiosk.Renew}[ask],
		Item: kiosk.Barcode(cmp.Or(m.Value("AB"), q.Value("AB"), "B1")), Patron: kiosk.Card(cmp.Or(m.Value("AA"), q.Value("AA"), "C1")), At: time.Now(), State: kiosk.Asked}
	if noBlock := q.Part(1, 1); ask == "09" && q.Part(0, 1) == "Y" || ask != "09" && noBlock == "Y" {
		e.State, e.Due = kiosk.Offline, time.Now().AddDate(0, 0, 14)
	}
	got, err := s.Tell(ctx, e)
	return outcome(err, "%s%s", e.Kind, notes("due", stamped(got.Due), "due in words", got.DueText, "renewed", got.Renewed, "alert", got.Alert, "for", got.Route.For, "to", got.Route.To, "bin", got.Route.Bin, "with words", got.Text != ""))
}

// notes are names with values, but for what is empty.
func notes(list ...any) (text string) {
	for i := 0; i < len(list); i += 2 {
		switch v := fmt.Sprint(list[i+1]); v {
		case "", "false", "0":
		case "true":
			text += fmt.Sprintf(", %s", list[i])
		default:
			text += fmt.Sprintf(", %s %s", list[i], v)
		}
	}
	return text
}

func stamped(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02 15:04")
}

func outcome(err error, format string, args ...any) string {
	if err == nil {
		return fmt.Sprintf(format, args...)
	}
	if r := reason(err); r != "" {
		return string(kiosk.CodeOf(err)) + " " + string(r)
	}
	return string(kiosk.CodeOf(err))
}
