package sip2

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func TestChecksum(t *testing.T) {
	for text, want := range map[string]string{"9900802.00AY1AZ": "FCA0", "941AY0AZ": "FDFD", "97AZ": "FEF5", "96AZ": "FEF6", "990 402.00AY1AZ": "FCB4"} {
		if got := checksum([]byte(text)); got != want {
			t.Errorf("checksum(%q) = %s; want %s", text, got, want)
		}
	}
	// invenio's 98, in UTF-8; and the same counted in code points.
	line := "98YYYYYY 10 1020261123    0801532.00AOselfcheck_location|BXYYYNYYYYYYYNYNYN|AMBibliothèque de test|AY1AZ"
	for sum, want := range map[string]Sum{"DE73": SumGood, "DEF6": SumLoose, "0000": SumBad} {
		m, err := Parse([]byte(line+sum+"\r\n"), UTF8)
		if err != nil || m.Sum != want || m.Value("AM") != "Bibliothèque de test" || m.Seq != '1' {
			t.Errorf("Parse(…%s) = %+v, %v; want sum %d", sum, m, err, want)
		}
	}
}

// TestGolden writes messages and compares with bytes that real servers took.
func TestGolden(t *testing.T) {
	zone := time.FixedZone("", -5*3600)
	at := time.Date(2026, 11, 23, 7, 58, 33, 0, zone)
	d := formatDate(at, zone)
	base := func(id, fixed string) Message { return Message{ID: id, Fixed: fixed}.With("AO", "UWOLS") }
	seq := func(m Message, n byte) Message { m.Seq = n; return m }
	tests := []struct {
		m    Message
		want string
	}{
		{seq(Message{ID: "93", Fixed: "00"}.With("CN", "scclient").With("CO", "clientpwd").With("CP", "UWOLS"), '0'),
			"9300CNscclient|COclientpwd|CPUWOLS|AY0AZF1EC\r"},
		{seq(Message{ID: "99", Fixed: "00802.00"}, '1'), "9900802.00AY1AZFCA0\r"},
		{seq(base("17", d).With("AB", "1565921879").With("AC", ""), '3'), "1720261123    075833AOUWOLS|AB1565921879|AC|AY3AZF42B\r"},
		{seq(base("11", "NN"+d+blankDate).With("AA", "djfiander").With("AB", "1565921879").With("AC", "").With("AD", "6789").
			With("BO", "N").With("BI", "N"), '6'),
			"11NN20261123    075833                  AOUWOLS|AAdjfiander|AB1565921879|AC|AD6789|BON|BIN|AY6AZE81E\r"},
		{seq(Message{ID: "09", Fixed: "N" + d + d}.With("AP", "").With("AO", "UWOLS").With("AB", "660").With("AC", "").With("CH", "").
			With("BI", "N"), '9'), "09N20261123    07583320261123    075833AP|AOUWOLS|AB660|AC|CH|BIN|AY9AZEE9B\r"},
		{seq(base("65", d).With("AA", "djfiander").With("AD", "6789").With("AC", "").With("BO", "N"), '6'),
			"6520261123    075833AOUWOLS|AAdjfiander|AD6789|AC|BON|AY6AZEF5A\r"},
		{Message{ID: "97"}, "97AZFEF5\r"},
	}
	for _, tt := range tests {
		got, err := tt.m.Encode(UTF8, true)
		if err != nil || string(got) != tt.want {
			t.Errorf("Encode(%s) = %q, %v; want %q", tt.m.ID, got, err, tt.want)
		}
		back, err := Parse(got, UTF8)
		back.Sum = 0
		if err != nil || !reflect.DeepEqual(back, tt.m) {
			t.Errorf("Parse(Encode(%s)) = %+v, %v; want %+v", tt.m.ID, back, err, tt.m)
		}
	}
}

func TestLengths(t *testing.T) {
	for id, n := range map[string]int{"11": 38, "09": 37, "29": 38, "64": 59, "98": 34, "12": 22, "18": 24, "63": 31} {
		if lengths[id] != n {
			t.Errorf("%s has %d characters of fixed fields; want %d", id, lengths[id], n)
		}
	}
}

func TestNoInjection(t *testing.T) {
	for _, f := range []Field{{"AB", "1|AAother"}, {"AA", "x\r99"}, {"AD", "1\n"}, {"AB", "\x00"}, {"AB", strings.Repeat("9", 256)}, {"A", "x"}, {"a1", "x"}, {"AB", "\xff"}} {
		m := Message{ID: "17", Fixed: blankDate, Seq: '1'}.With(f.ID, f.Value)
		if raw, err := m.Encode(UTF8, true); !errors.Is(err, ErrField) {
			t.Errorf("Encode of %q = %q, %v; want ErrField", f, raw, err)
		}
	}
	if _, err := (Message{ID: "17", Fixed: blankDate, Seq: '1'}).With("AB", "книга").Encode(Latin1, true); !errors.Is(err, ErrField) {
		t.Errorf("a barcode that Latin-1 lacks: %v; want ErrField", err)
	}
	raw, err := Message{ID: "38", Fixed: "Y" + blankDate, Seq: '1'}.With("AF", "pay | here\x07").Encode(UTF8, true)
	if err != nil || !bytes.Contains(raw, []byte("AFpay   here |")) {
		t.Errorf("a text with | is sent as %q, %v", raw, err)
	}
}

func TestCharsets(t *testing.T) {
	for _, c := range []Charset{UTF8, Latin1, CP850} {
		m := Message{ID: "18", Fixed: "030201" + blankDate, Seq: '1'}.With("AB", "660").With("AJ", "Harry Potter y el cáliz")
		raw, err := m.Encode(c, true)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(raw, c)
		if err != nil || back.Value("AJ") != "Harry Potter y el cáliz" || back.Sum != SumGood {
			t.Errorf("%s: Parse(%q) = %+v, %v", c, raw, back, err)
		}
	}
	m, err := Parse([]byte("18030201"+blankDate+"ABx|AJc\xe1liz|"), UTF8) // not UTF-8 after all
	if err != nil || m.Value("AJ") != "cáliz" {
		t.Errorf("Latin-1 where UTF-8 was said: %+v, %v", m, err)
	}
}

// TestLoose parses what servers were seen to send in place of what the
// standard says.
func TestLoose(t *testing.T) {
	tests := map[string]func(Message) bool{
		"94100|AY0AZFD21":                                    func(m Message) bool { return m.Part(0, 1) == "1" && m.Seq == '0' },              // fsip2
		"1620261123    080249|AOx|ABy|":                      func(m Message) bool { return m.Value("AB") == "y" },                             // fsip2
		"18030201" + blankDate + "|ABx|AY0":                  func(m Message) bool { return m.Value("AB") == "x" && m.Seq == '0' },             // fsip2
		"\n12" + "1NNY" + blankDate + "ABx|":                 func(m Message) bool { return m.ID == "12" },                                     // LF of the message before
		"64" + strings.Repeat(" ", 59) + "BLYBV7.00|":        func(m Message) bool { return strings.HasPrefix(m.Value("BL"), "Y") },            // no delimiter
		"18030201" + blankDate + "ABx|AJ1984 | a novel|CF2|": func(m Message) bool { return m.Value("AJ") == "1984 " && m.Value("CF") == "2" }, // not escaped
		"24": func(m Message) bool { return m.Part(0, 14) == "" },
	}
	for text, ok := range tests {
		if m, err := Parse([]byte(text+"\r"), UTF8); err != nil || !ok(m) {
			t.Errorf("Parse(%q) = %+v, %v", text, m, err)
		}
	}
	for _, text := range []string{"", "1", "00", "hello", "None64", "12" + strings.Repeat("é", 22), "17" + blankDate + "ABx|?", "17" + blankDate + "ABx|?|AY1AZ0000"} {
		if m, err := Parse([]byte(text), UTF8); err == nil || !errors.Is(err, ErrSyntax) {
			t.Errorf("Parse(%q) = %+v, %v; want ErrSyntax", text, m, err)
		}
	}
}

func TestDates(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip("needs the zone database of this machine")
	}
	at := time.Date(2026, 12, 7, 7, 57, 25, 0, zone)
	tests := map[string]time.Time{
		"20261207    075725":        at,
		"20261207   Z125725":        at,
		"2026-12-07 07:57:25":       at,
		"2026-12-07T12:57:25Z":      at,
		"2026-12-07":                time.Date(2026, 12, 7, 23, 59, 59, 0, zone),
		"20261207":                  time.Date(2026, 12, 7, 23, 59, 59, 0, zone),
		"":                          {},
		blankDate:                   {},
		"000000000000000000":        {},
		"soon":                      {},
		"20261399    000000":        {},
		"Due back Monday, Dec. 7th": {},
	}
	for s, want := range tests {
		if got := parseDue(s, zone); !got.Equal(want) {
			t.Errorf("parseDue(%q) = %v; want %v", s, got, want)
		}
	}
	if s := formatDate(at.UTC(), zone); s != "20261207    075725" {
		t.Errorf("formatDate = %q", s)
	}
	if s := formatDate(time.Time{}, zone); s != blankDate {
		t.Errorf("formatDate(zero) = %q", s)
	}
}

func TestReasons(t *testing.T) {
	for text, want := range map[string]kiosk.Reason{
		"Item checked out to another patron": kiosk.ReasonOnLoanOther, "Issue failed : NOT_FOR_LOAN": kiosk.ReasonNotForLoan,
		"Patron expired on 2026-01-01": kiosk.ReasonCardExpired, "Item cannot be issued: TOO_MANY": kiosk.ReasonTooMany,
		"Patron has fines - You owe 12.50.": kiosk.ReasonFees, "Item is on hold for another patron.": kiosk.ReasonOnHold,
		"Item not checked out": kiosk.ReasonNotOnLoan, "Item lost, return not allowed": kiosk.ReasonAskStaff, "<script>": kiosk.ReasonAskStaff, "": kiosk.ReasonAskStaff,
	} {
		if got := reasonOf(text); got != want {
			t.Errorf("reasonOf(%q) = %s; want %s", text, got, want)
		}
	}
	for status, want := range map[string]kiosk.Reason{
		"              ": "", "  Y           ": "", "YYYY          ": kiosk.ReasonCardBlocked, "YYYYY         ": kiosk.ReasonCardLost,
		"YYYY      Y   ": kiosk.ReasonFees, "": "", "Y": kiosk.ReasonCardBlocked,
	} {
		if got := blockOf(status, ""); got != want {
			t.Errorf("blockOf(%q) = %q; want %q", status, got, want)
		}
	}
}

func sharedDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "testdata")
	if _, err := os.Stat(dir); err != nil {
		if strings.Contains(os.Getenv("CARREL_REQUIRE"), "shared") {
			t.Fatal("the test data beside the checkout is missing")
		}
		t.Skip("needs the test data in ../shared, which is not here")
	}
	return dir
}

// pythonBytes is how the one kind of recordings writes bytes, escapes the other.
var (
	pythonBytes = regexp.MustCompile(`^(>>|<<) b(?:'(.*)'|"(.*)")`)
	escaped     = regexp.MustCompile(`^([<>]) (.*)$`)
)

// recorded reads the messages of a recording: direction and bytes.
func recorded(t *testing.T, file string) (list []string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimRight(line, "\n")
		var dir, text string
		if m := pythonBytes.FindStringSubmatch(line); m != nil {
			dir, text = m[1][:1], m[2]+m[3]
		} else if m := escaped.FindStringSubmatch(line); m != nil && !strings.HasPrefix(m[2], "<") { // "<EOF>" is a remark
			dir, text = m[1], m[2]
		} else {
			continue
		}
		text = strings.ReplaceAll(text, `\'`, `'`)
		s, err := strconv.Unquote(`"` + strings.ReplaceAll(strings.ReplaceAll(text, `\"`, `"`), `"`, `\"`) + `"`)
		if err != nil {
			t.Fatalf("%s: %q: %v", file, text, err)
		}
		list = append(list, dir+s)
	}
	return list
}

// unparsable are the recorded answers that are no SIP2, and why.
var unparsable = []struct{ text, why string }{
	{"login:", "the telnet transport's prompt"}, {"password:", "the telnet transport's prompt"}, {"Login", "the telnet transport"},
	{"HASH(0x", "a Perl reference printed in place of a delimiter"},
	{"None", "invenio's answer to a message that it does not support"},
}

// TestRecorded parses every message that was recorded from real servers and
// their clients, and checks the checksums.
func TestRecorded(t *testing.T) {
	dir := sharedDir(t)
	files, _ := filepath.Glob(filepath.Join(dir, "sip2", "*.txt"))
	more, _ := filepath.Glob(filepath.Join(dir, "koha", "*.txt"))
	total, good := 0, 0
	for _, file := range append(files, more...) {
		for _, msg := range recorded(t, file) {
			answer, text := msg[0] == '<', msg[1:]
			for one := range strings.SplitSeq(strings.Trim(text, "\r\n"), "\r") {
				if one = strings.Trim(one, "\n"); one == "" {
					continue
				}
				total++
				m, err := Parse([]byte(one), UTF8)
				if err != nil {
					excused := !answer // a client that tries bad things
					for _, u := range unparsable {
						excused = excused || strings.Contains(one, u.text)
					}
					if !excused {
						t.Errorf("%s: %v", filepath.Base(file), err)
					}
					continue
				}
				if m.Sum == SumGood {
					good++
				}
				if answer && m.Sum == SumBad && !strings.Contains(one, "AZ0000") {
					t.Errorf("%s: the checksum of a recorded answer is bad: %q", filepath.Base(file), one)
				}
			}
		}
	}
	if total < 500 || good < 300 {
		t.Errorf("%d messages, %d with a good checksum: the recordings were not found", total, good)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("98YNNYNN60000320261123    0758332.00AOUWOLS|BXYYYYYYYYYNYNYYYY|AY1AZEDD5\r\n"), false)
	f.Add([]byte("121NNY20261123    075833AOUWOLS|AAd|AB1|AJP\xe9|AH|AY6AZDF9C"), true)
	f.Add([]byte("96AZFEF6"), false)
	f.Add([]byte("980000000000000000000000000000AZ0000\r"), false)
	f.Add([]byte("121NNY20261123    075833|"), false) // a delimiter, and no field
	f.Fuzz(func(t *testing.T, raw []byte, latin bool) {
		c := UTF8
		if latin {
			c = Latin1
		}
		m, err := Parse(raw, c)
		if err != nil {
			if !errors.Is(err, ErrSyntax) || len(err.Error()) > 2000 {
				t.Errorf("Parse(%q): %v", raw, err)
			}
			return
		}
		if m.Part(0, 1<<20) != m.Fixed || m.Part(1<<20, 1) != "" {
			t.Errorf("Part of %q", m.Fixed)
		}
		// What can be sent again comes back the same.
		out, err := m.Encode(c, m.Seq != 0)
		if err != nil {
			return
		}
		back, err := Parse(out, c)
		if err != nil {
			t.Fatalf("Parse(%q) after Parse(%q): %v", out, raw, err)
		}
		for i := range m.Fields {
			v := m.Fields[i].Value
			if len([]rune(v)) > 255 || strings.ContainsRune(v, '\uFFFD') || c != UTF8 {
				return
			}
		}
		m.Sum, back.Sum = 0, 0
		if !reflect.DeepEqual(m, back) {
			t.Errorf("%q came back as %+v; want %+v", out, back, m)
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add("17", "31234", "A|B\r", byte('3'))
	f.Fuzz(func(t *testing.T, id, barcode, text string, seq byte) {
		m := Message{ID: id, Fixed: strings.Repeat(" ", lengths[id]), Seq: '0' + seq%10}.With("AB", barcode).With("AF", text)
		out, err := m.Encode(UTF8, true)
		if err != nil {
			return
		}
		back, err := Parse(out, UTF8)
		if err != nil || len(back.Fields) != 2 || back.Value("AB") != barcode || back.Sum != SumGood {
			t.Errorf("Encode(%q, %q) = %q, read as %+v, %v", barcode, text, out, back, err)
		}
	})
}
