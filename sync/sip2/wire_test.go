package sip2_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

var update = flag.Bool("update", false, "write what is said on the wire to testdata/wire")

// dialect is a library's system with the ways that a profile tells of.
type dialect struct {
	rules  upstreamtest.Rules
	server sip2.ServerConfig
}

// wireDialects are the systems by profile. Each charset is that of one at
// least: edge-sip2 of FOLIO writes code page 850 if it is not told otherwise.
var wireDialects = map[string]dialect{
	"generic": {},
	"koha":    {upstreamtest.Rules{DueIsLoanDate: true}, sip2.ServerConfig{CRLF: true, NoCancel: true, NoResend: true}},
	"evergreen": {upstreamtest.Rules{IgnoreNoBlock: true},
		sip2.ServerConfig{Charset: sip2.Latin1, NoCancel: true, NoStatusUpdate: true}},
	"folio": {upstreamtest.Rules{IgnoreNoBlock: true}, sip2.ServerConfig{Charset: sip2.CP850}},
}

// wirePairs are the codec's messages, as what the client says (>) and then the
// server (<). A 97 is answered by whatever was said last, and a 96 by the same
// question once more.
var wirePairs = strings.Fields(">01<24 >09<10 >11<12 >15<16 >17<18 >19<20 >23<24 >25<26 >29<30 >35<36 >37<38 >63<64 >65<66 " +
	">93<94 >99<98 >97< <96>")

// TestWireGolden compares the whole conversation of client and server, byte for
// byte, with the one in testdata/wire, for each profile.
func TestWireGolden(t *testing.T) {
	for _, profile := range wireProfiles(t) {
		t.Run(profile, func(t *testing.T) {
			d, ok := wireDialects[profile]
			if !ok {
				t.Fatal("there is no server for this profile")
			}
			file := filepath.Join("testdata", "wire", profile+".txt")
			var got string
			synctest.Test(t, func(t *testing.T) { got = converse(t, profile, d) })
			if *update && !t.Failed() {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sameLines(t, file, got, string(want))
			said := saidIn(t, file, string(want))
			roundTrip(t, said, d.server.Charset)
			everyPair(t, said)
		})
	}
}

// wireProfiles are those that a configuration may choose, as its error has
// them. Auto is none of its own.
func wireProfiles(t *testing.T) (names []string) {
	c := sip2.Config{Address: "ils:6001", Profile: "?"}
	_, list, ok := strings.Cut(c.Check().Error(), "must be auto or ")
	if !ok {
		t.Fatalf("the profiles are not told: %v", c.Check())
	}
	return strings.Split(list, " or ")
}

func sameLines(t *testing.T, file, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		line := func(list []string) string {
			if i < len(list) {
				return list[i]
			}
			return "the end"
		}
		if line(g) != line(w) {
			t.Errorf("%s:%d:\n got %s\nwant %s", file, i+1, line(g), line(w))
			return
		}
	}
}

// said is one message of a golden file.
type said struct {
	dir  byte // > or <
	raw  []byte
	line int
}

func saidIn(t *testing.T, file, text string) (list []said) {
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		rest, ok := strings.CutPrefix(line[1:], " ")
		s := said{dir: line[0], line: i + 1}
		for ok && rest != "" {
			c, _, tail, err := strconv.UnquoteChar(rest, 0)
			ok = err == nil && c <= 0xFF
			s.raw, rest = append(s.raw, byte(c)), tail
		}
		if !ok || s.dir != '>' && s.dir != '<' {
			t.Fatalf("%s:%d: %q is no message", file, i+1, line)
		}
		list = append(list, s)
	}
	return list
}

// roundTrip: each message has a good checksum, and is written as it is read.
func roundTrip(t *testing.T, list []said, c sip2.Charset) {
	for _, s := range list {
		m, err := sip2.Parse(s.raw, c)
		if err != nil || m.Sum != sip2.SumGood {
			t.Errorf("line %d: Parse(%q) = %+v, %v; want a good checksum", s.line, s.raw, m, err)
			continue
		}
		want := strings.TrimSuffix(string(s.raw), "\n") // after CR it is of the line, not of the message
		if again, err := m.Encode(c, true); err != nil || string(again) != want {
			t.Errorf("line %d: Encode(Parse(%q)) = %q, %v", s.line, s.raw, again, err)
		}
	}
}

// everyPair: whatever the codec knows is asked and answered.
func everyPair(t *testing.T, list []said) {
	seen := map[string]bool{}
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		seen[fmt.Sprintf("%c%.2s%c%.2s", a.dir, a.raw, b.dir, b.raw)] = true
		switch id := string(a.raw[:2]); {
		case id == "97", id == "96" && i > 1 && string(list[i-2].raw) == string(b.raw):
			seen[fmt.Sprintf("%c%s%c", a.dir, id, b.dir)] = true
		}
	}
	for _, p := range wirePairs {
		if !seen[p] {
			t.Errorf("pair %s is not in the file", p)
		}
	}
	all := strings.Join(wirePairs, "")
	for n := range 100 {
		id := fmt.Sprintf("%02d", n)
		if _, err := sip2.Parse([]byte(id), sip2.UTF8); err == nil && !strings.Contains(all, id) {
			t.Errorf("the codec knows message %s, which is in no pair", id)
		}
	}
}

// wire is a network of one server that keeps what is said.
type wire struct {
	*testing.T
	text  strings.Builder
	conns chan net.Conn
	hurt  byte // of the next message of that direction a letter is another
}

// pipes is where the server waits for connections.
type pipes struct {
	conns chan net.Conn
	done  <-chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (w *wire) dial(context.Context, string) (net.Conn, error) {
	near, far := net.Pipe()
	w.conns <- far
	return &recorder{near, w}, nil
}

// recorder is the client's end of a connection.
type recorder struct {
	net.Conn
	w *wire
}

func (r *recorder) Write(b []byte) (int, error) {
	return r.Conn.Write(r.w.pass('>', b))
}

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	if n > 0 {
		copy(b, r.w.pass('<', b[:n]))
	}
	if err == io.EOF {
		r.w.text.WriteString("# The server hangs up.\n")
	}
	return n, err
}

// pass keeps a message as it is written, and gives it as it arrives.
func (w *wire) pass(dir byte, b []byte) []byte {
	fmt.Fprintf(&w.text, "%c %s\n", dir, escape(b))
	if w.hurt != dir {
		return b
	}
	w.hurt = 0
	out := strings.Replace(string(b), "|ABB1|", "|ABB7|", 1)
	if out == string(b) {
		w.Errorf("there is no item to be hurt in %q", b)
	}
	return []byte(out)
}

// escape leaves printable ASCII as it is.
func escape(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		switch {
		case c == '\r':
			s.WriteString(`\r`)
		case c == '\n':
			s.WriteString(`\n`)
		case c == '\\':
			s.WriteString(`\\`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&s, `\x%02x`, c)
		default:
			s.WriteByte(c)
		}
	}
	return s.String()
}

func (w *wire) heading(format string, args ...any) {
	fmt.Fprintf(&w.text, "\n# "+format+"\n", args...)
}

// converse says all that client and codec have to say, from the first second of
// 2000 on, and gives what went over the wire.
func converse(t *testing.T, profile string, d dialect) string {
	ctx, cancel := context.WithCancel(t.Context())
	w := &wire{T: t, conns: make(chan net.Conn)}
	fmt.Fprintf(&w.text, "# Profile %s: > what the client writes, < what the server writes.\n"+
		"# What is changed on the way stands as it was written.\n"+
		"# By go test ./sync/sip2 -run Wire -update\n", profile)
	d.rules.Location = time.UTC
	d.server.Institution, d.server.Zone, d.server.Log = "CPL", time.UTC, slog.New(slog.DiscardHandler)
	ended := make(chan error, 1)
	go func() { ended <- sip2.Serve(ctx, pipes{w.conns, ctx.Done()}, wireLibrary(t, d.rules), d.server) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve() = %v", err)
		}
	}()
	c := sip2.Config{Address: "ils:6001", Profile: profile, User: "kiosk1", Password: "secret", Location: "DESK",
		TerminalPassword: "desk", Institution: "CPL", Charset: d.server.Charset, Connections: 1, Zone: time.UTC,
		Dial: w.dial, Log: slog.New(slog.DiscardHandler)}
	w.client(c)
	w.damage(c)
	w.codec(c)
	return w.text.String()
}

func wireLibrary(t *testing.T, r upstreamtest.Rules) *upstreamtest.ILS {
	ils, now := upstreamtest.New(r), time.Now().UTC()
	ils.AddUser("kiosk1", "secret")
	ils.AddPatron(kiosk.Patron{Card: "C1", FirstName: "Ada", FamilyName: "Lin", Expires: now.AddDate(1, 0, 0)}, "1234")
	ils.AddPatron(kiosk.Patron{Card: "C2", FirstName: "Zoë", FamilyName: "Müller"}, "")
	ils.AddPatron(kiosk.Patron{Card: "BARRED", Blocked: kiosk.ReasonCardBlocked, BlockText: "Patron debarred"}, "")
	ils.AddItems(kiosk.Item{Barcode: "B1", Title: "The one", Library: "MAIN"}, kiosk.Item{Barcode: "B2", Title: "Le deuxième", Library: "MAIN"},
		kiosk.Item{Barcode: "B3", Title: `C:\> 3`}, kiosk.Item{Barcode: "B4", Title: "Out to C2"})
	if err := errors.Join(ils.AddLoan(kiosk.Loan{Item: "B4", Patron: "C2", At: now.AddDate(0, 0, -7), Due: now.AddDate(0, 0, 7)}),
		ils.AddHold("B4", "C1")); err != nil {
		t.Fatal(err)
	}
	return ils
}

// step is one thing that the kiosk does, a minute after the last one. Its error
// has the class want.
func (w *wire) step(what string, want kiosk.Code, do func() error) {
	w.Helper()
	time.Sleep(time.Minute)
	w.heading("%s", what)
	if err := do(); kiosk.CodeOf(err) != want {
		w.Errorf("%s: %v; want %q", what, err, want)
	}
}

// client is a day of a kiosk.
func (w *wire) client(c sip2.Config) {
	u, err := sip2.NewUpstream(c)
	if err != nil {
		w.Fatal(err)
	}
	defer u.Close()
	ctx := w.Context()
	patron := func(card kiosk.Card, pin string) func() error {
		return func() error { return second(u.Identify(ctx, card, pin)) }
	}
	look := func(b kiosk.Barcode, card kiosk.Card) func() error {
		return func() error { return second(u.Look(ctx, b, card)) }
	}
	tell := func(k kiosk.Kind, b kiosk.Barcode, card kiosk.Card, s kiosk.State) func() error {
		return func() error {
			e := kiosk.Entry{ID: "e", Kind: k, Item: b, Patron: card, At: time.Now().UTC(), State: s}
			if s == kiosk.Offline {
				e.At = e.At.AddDate(0, 0, -2)
				if k != kiosk.Checkin {
					e.Due = time.Date(2000, 1, 20, 23, 59, 59, 0, time.UTC)
				}
			}
			return second(u.Tell(ctx, e))
		}
	}
	w.step("login, and whether the server is there", "", func() error { return u.Probe(ctx) })
	w.step("patron, without PIN", "", patron("C2", ""))
	w.step("patron, with PIN", "", patron("C1", "1234"))
	w.step("patron, with a wrong PIN", kiosk.CodeRefused, patron("C1", "4321"))
	w.step("patron who is barred", "", patron("BARRED", ""))
	w.step("patron who is not known", kiosk.CodeRefused, patron("NOBODY", ""))
	w.step("item on its shelf", "", look("B2", "C1"))
	w.step("item that is out, and whether to this card", "", look("B4", "C1"))
	w.step("item that is not known", "", look("NOTHING", ""))
	w.step("checkout", "", tell(kiosk.Checkout, "B2", "C1", kiosk.Asked))
	w.step("checkout of the same once more", "", tell(kiosk.Checkout, "B2", "C1", kiosk.Asked))
	w.step("checkout of what somebody else has", kiosk.CodeRefused, tell(kiosk.Checkout, "B4", "C1", kiosk.Asked))
	w.step("renew", "", tell(kiosk.Renew, "B2", "C1", kiosk.Asked))
	w.step("renew of what is not out", kiosk.CodeRefused, tell(kiosk.Renew, "B3", "C1", kiosk.Asked))
	w.step("item that is out to this card", "", look("B2", "C1"))
	w.step("checkin", "", tell(kiosk.Checkin, "B2", "", kiosk.Asked))
	w.step("checkin of what is not out", kiosk.CodeRefused, tell(kiosk.Checkin, "B2", "", kiosk.Asked))
	w.step("checkout that has happened two days ago, due on 20 January", "", tell(kiosk.Checkout, "B3", "C1", kiosk.Offline))
	w.step("renew that has happened two days ago, due on 20 January", "", tell(kiosk.Renew, "B3", "C1", kiosk.Offline))
	w.step("checkin that has happened two days ago", "", tell(kiosk.Checkin, "B3", "C1", kiosk.Offline))
	w.step("end of the session", "", func() error { return u.EndSession(ctx, "C1") })
}

// damage has letters changed on the way. Only with strict checksums an answer
// is asked for again, and only of a server that can say it again.
func (w *wire) damage(c sip2.Config) {
	c.Checksum = "strict"
	u, err := sip2.NewUpstream(c)
	if err != nil {
		w.Fatal(err)
	}
	defer u.Close()
	ctx := w.Context()
	doubt := map[bool]kiosk.Code{true: kiosk.CodeUnsure}[c.Habits().Resend == sip2.Refused]
	w.step("item, asked on a new connection with strict checksums", "", func() error { return second(u.Look(ctx, "B1", "")) })
	w.step("item, of whose question a letter is changed on the way", "", func() error {
		w.hurt = '>'
		return second(u.Look(ctx, "B1", ""))
	})
	w.step("checkout, of whose answer a letter is changed on the way", doubt, func() error {
		w.hurt = '<'
		return second(u.Tell(ctx, checkout("B1", "C1")))
	})
	w.step("item, after that", "", func() error { return second(u.Look(ctx, "B1", "C1")) })
	w.step("checkin, after that", "", func() error {
		return second(u.Tell(ctx, kiosk.Entry{ID: "e", Kind: kiosk.Checkin, Item: "B1", At: time.Now(), State: kiosk.Asked}))
	})
}

// exchange is what the client does not say. The answer is given by the server,
// or else by the codec.
type exchange struct {
	what          string
	asked, answer sip2.Message
}

// message builds one of fields like "AAC1".
func message(id, fixed string, fields ...string) sip2.Message {
	m := sip2.Message{ID: id, Fixed: fixed}
	for _, f := range fields {
		m = m.With(f[:2], f[2:])
	}
	return m
}

// unsaid is what the client does not say. Who does not take 19 hangs up, so it
// is last.
func unsaid() []exchange {
	now := time.Now().UTC().Format("20060102    150405")
	const blank, good = "                  ", "              001"
	return []exchange{
		{"patron status", message("23", "001"+now, "AOCPL", "AAC2", "ACdesk", "AD"), message("24", "")},
		{"checkout", message("11", "NN"+now+blank, "AOCPL", "AAC1", "ABB1", "ACdesk", "BON", "BIN"), message("12", "")},
		{"checkin", message("09", "N"+now+now, "AP", "AOCPL", "ABB1", "ACdesk", "BIN"), message("10", "")},
		{"checkout that cancels the checkin", message("11", "NN"+now+blank, "AOCPL", "AAC1", "ABB1", "ACdesk", "BON", "BIY"), message("12", "")},
		{"checkin that cancels the checkout", message("09", "N"+now+now, "AP", "AOCPL", "ABB1", "ACdesk", "BIY"), message("10", "")},
		{"resend of the last answer", message("97", ""), message("96", "")},
		{"block patron", message("01", "N"+now, "AOCPL", "ALcard left behind", "AAC2", "ACdesk"),
			message("24", "YYYY          001"+now, "AOCPL", "AAC2", "AEZoë Müller", "BLY")},
		{"hold", message("15", "+"+now, "AOCPL", "AAC1", "ABB4", "ACdesk", "BSMAIN", "BY3"),
			message("16", "1N"+now, "AOCPL", "AAC1", "ABB4", "AJOut to C2", "BSMAIN", "BR1")},
		{"patron enable", message("25", now, "AOCPL", "AAC2", "ACdesk"), message("26", good+now, "AOCPL", "AAC2", "AEZoë Müller", "BLY")},
		{"fee paid", message("37", now+"0400EUR", "BV2.50", "AOCPL", "AAC1", "ACdesk", "BK1"),
			message("38", "Y"+now, "AOCPL", "AAC1", "BK1")},
		{"renew all", message("65", now, "AOCPL", "AAC2", "ACdesk", "BON"), message("66", "100010000"+now, "AOCPL", "BMB4")},
		{"item status update", message("19", now, "AOCPL", "ABB2", "ACdesk", "CHspine torn"),
			message("20", "1"+now, "ABB2", "AJLe deuxième", "CHspine torn")},
	}
}

// codec says what the client does not. Questions that the server does not take
// are said again to somebody who answers by the codec alone.
func (w *wire) codec(c sip2.Config) {
	time.Sleep(time.Minute)
	conn, err := w.dial(w.Context(), "")
	if err != nil {
		w.Fatal(err)
	}
	defer conn.Close()
	seq := byte('0')
	ask := func(conn net.Conn, m sip2.Message) sip2.Message {
		if m.ID != "97" {
			m.Seq, seq = seq, '0'+(seq-'0'+1)%10
		}
		return w.ask(conn, m, c.Charset)
	}
	w.heading("question by the codec: login")
	ask(conn, message("93", "00", "CNkiosk1", "COsecret", "CPDESK"))
	var left []exchange
	for _, e := range unsaid() {
		w.heading("question by the codec: %s", e.what)
		if a := ask(conn, e.asked); a.ID != e.answer.ID && e.asked.ID != "97" {
			left = append(left, e)
		}
	}
	for _, e := range left {
		w.heading("question and answer by the codec: %s", e.what)
		near, far := net.Pipe()
		go reply(w.T, far, e.answer, c.Charset)
		ask(&recorder{near, w}, e.asked)
		near.Close()
	}
}

// ask writes a question and reads its answer; none if the server hangs up.
func (w *wire) ask(conn net.Conn, m sip2.Message, c sip2.Charset) sip2.Message {
	raw, err := m.Encode(c, true)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := conn.Write(raw); err != nil {
		w.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := conn.Read(b)
	if err == io.EOF {
		return sip2.Message{}
	}
	a, parseErr := sip2.Parse(b[:n], c)
	if err := errors.Join(err, parseErr); err != nil {
		w.Fatal(err)
	}
	return a
}

// reply answers one question.
func reply(t *testing.T, conn net.Conn, a sip2.Message, c sip2.Charset) {
	b := make([]byte, 4096)
	n, err := conn.Read(b)
	q, parseErr := sip2.Parse(b[:n], c)
	a.Seq = q.Seq
	raw, encodeErr := a.Encode(c, true)
	if err := errors.Join(err, parseErr, encodeErr); err != nil {
		t.Error(err)
	}
	conn.Write(raw)
}
