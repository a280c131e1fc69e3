package sip2

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Config is how to reach a server and how it speaks.
type Config struct {
	Address   string  `toml:"address"`   // host:port; 6001 by custom
	TLS       bool    `toml:"tls"`       // the protocol has none of its own
	CAFile    string  `toml:"ca_file"`   // PEM; empty: the machine's
	User      string  `toml:"user"`      // empty: no login is sent
	Location  string  `toml:"location"`  // CP at login
	Transport string  `toml:"transport"` // raw: the protocol from the first byte on; telnet: user and password at prompts before it
	Charset   Charset `toml:"charset"`   // utf-8, latin-1, cp850; empty: as Habits has it, or else utf-8
	Checksum  string  `toml:"checksum"`  // auto: send them, take what comes; strict: ask again for bad ones, and take none; off: send none
	Profile   string  `toml:"profile"`   // what the server does: auto (Probed, or else generic), generic, koha, evergreen, folio
	Seen      string  `toml:"seen"`      // how what stood on the shelf in an inventory is told: update (item status update), checkin (with no block); empty: not at all

	// Connections is how many questions may be under way at once, each on a
	// connection of its own; 0 means 4. Fewer where the server takes no more.
	Connections int `toml:"connections"`

	Password         string         `toml:"-"`
	TerminalPassword string         `toml:"-"` // AC, of each request; few servers look at it
	Institution      string         `toml:"-"` // AO
	Zone             *time.Location `toml:"-"` // of dates; nil means time.Local
	Clock            *kiosk.Clock   `toml:"-"` // the kiosk's; nil: the machine's
	Log              *slog.Logger   `toml:"-"` // nil means slog.Default
	Probed           *Profile       `toml:"-"` // what was found out with Conform; nil means nothing was

	// Dial connects to Address; nil means TCP. Tests put their own network here.
	Dial func(ctx context.Context, address string) (net.Conn, error) `toml:"-"`

	quirks *quirks // of the server that have been logged; nil: none are
}

// Check tells what is wrong; its error begins with the key.
func (c *Config) Check() error {
	host, port, err := net.SplitHostPort(c.Address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("address: %q: must be host:port, as ils.example.org:6001", c.Address)
	}
	one := func(key, v string, choices ...string) error {
		for _, x := range append(choices, "") {
			if v == x {
				return nil
			}
		}
		return fmt.Errorf("%s: %q: must be %s", key, v, strings.Join(choices, " or "))
	}
	if c.Connections < 0 || c.Connections > mostLines {
		return fmt.Errorf("connections: %d: must be 1 to %d", c.Connections, mostLines)
	}
	if c.Transport == "telnet" && c.User == "" {
		return errors.New("user: must be set: with transport telnet the server asks for it")
	}
	if _, err := c.roots(); err != nil {
		return err
	}
	return cmp.Or(one("charset", string(c.Charset), "utf-8", "latin-1", "cp850"),
		one("seen", c.Seen, "update", "checkin"),
		one("checksum", c.Checksum, "auto", "strict", "off"),
		one("transport", c.Transport, "raw", "telnet"),
		one("profile", c.Profile, profileNames()...))
}

const (
	dialTime   = 4 * time.Second
	answerTime = 10 * time.Second // longest wait for one answer, unless the context ends earlier
)

// errStale is a line that holds bytes nobody asked for: what comes late must
// never be taken for the next answer.
var errStale = errors.New("sip2: the line has an answer that nobody waits for")

// line is one connection to a server, logged in. One goroutine uses it at a
// time, with one question under way.
type line struct {
	*Config
	conn   net.Conn
	in     *bufio.Reader
	seq    byte
	heard  bool          // there has been a good answer
	status Message       // 98, as last told
	told   kiosk.Reading // of the server's clock; zero: none could be read
	used   time.Time     // last
}

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTime, KeepAlive: 20 * time.Second}
	return d.DialContext(ctx, "tcp", address)
}

// dial connects and logs in.
func dial(ctx context.Context, c *Config) (*line, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	connect := c.Dial
	if connect == nil {
		connect = dialTCP
	}
	conn, err := connect(ctx, c.Address)
	if err != nil {
		return nil, offline(err)
	}
	if c.TLS {
		if conn, err = secure(ctx, conn, c); err != nil {
			return nil, offline(err)
		}
	}
	l := &line{Config: c, conn: conn, in: bufio.NewReaderSize(conn, 4096), seq: '9'}
	if err := l.hello(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return l, nil
}

// roots are who vouches for the server; nil: whoever this machine trusts.
func (c *Config) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file: %q: holds no certificate", c.CAFile)
	}
	return roots, nil
}

func secure(ctx context.Context, conn net.Conn, c *Config) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(c.Address)
	// By the machine's clock of 1970 no certificate would be good.
	roots, err := c.roots()
	if err != nil {
		conn.Close()
		return nil, err
	}
	t := tls.Client(conn, &tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12, Time: c.clock})
	if err := t.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return t, nil
}

// hello logs in and asks for the status. A refused login is fatal for the
// connection: some servers go on as somebody else, or answer rubbish.
func (l *line) hello(ctx context.Context) error {
	if l.Transport == "telnet" {
		if err := l.prompted(ctx); err != nil {
			return err
		}
	} else if l.User != "" {
		m := Message{ID: "93", Fixed: "00"}.With("CN", l.User).With("CO", l.Password)
		if l.Location != "" {
			m = m.With("CP", l.Location)
		}
		a, err := l.ask(ctx, m, "94")
		if err != nil {
			return mute(err)
		}
		if a.Part(0, 1) != "1" {
			return l.refused()
		}
	}
	err := l.askStatus(ctx)
	if l.User == "" {
		return mute(err)
	}
	return asOffline(err)
}

// refused is the error of a login that the server does not take.
func (l *line) refused() error {
	return &kiosk.Error{Code: kiosk.CodeOffline, Reason: kiosk.ReasonAskStaff, Text: "the library's system refuses the login of user " + l.User, Err: ErrLogin}
}

// mute is asOffline for the first question: fsip2, for one, says nothing to a
// checksum that is missing or wrong.
func mute(err error) error {
	err = asOffline(err)
	e, ok := errors.AsType[*kiosk.Error](err)
	switch {
	case ok && errors.Is(err, errPrompt):
		e.Text = "the library's system asks for user and password by telnet: set transport to telnet under [upstream]"
	case ok && errors.Is(err, os.ErrDeadlineExceeded):
		e.Text = "the library's system takes the connection and says nothing: does it want checksums, or none?"
	}
	return err
}

// ErrLogin says that the server does not take user and password.
var ErrLogin = errors.New("sip2: login refused")

func (l *line) askStatus(ctx context.Context) error {
	sent := time.Now()
	a, err := l.ask(ctx, Message{ID: "99", Fixed: "00802.00"}, "98")
	if err != nil {
		return err
	}
	l.status = a
	l.told, _ = reading(a, cmp.Or(l.Zone, time.Local), sent, time.Now())
	if a.Part(0, 1) == "N" {
		return &kiosk.Error{Code: kiosk.CodeOffline, Text: "the library's system says that it is not on-line: " + strings.Join(a.All("AF"), " ")}
	}
	return nil
}

// supports reads BX, the list of messages that a server takes; a server that
// sends none takes all.
func (l *line) supports(pos int) bool {
	bx := l.status.Value("BX")
	return pos >= len(bx) || bx[pos] != 'N'
}

// fresh tells whether the line is there and quiet. What was closed while idle
// is found here, before anything is written, and so costs no doubt.
func (l *line) fresh() error {
	if l.in.Buffered() > 0 {
		return errStale
	}
	if tcp, ok := l.conn.(*net.TCPConn); ok {
		return peek(tcp)
	}
	// Under TLS what has come may be the protocol's own: it must be read to
	// know. A millisecond is enough for what lies there already.
	if err := l.conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return err
	}
	_, err := l.in.Peek(1)
	if l.dropLF(); err == nil && l.in.Buffered() == 0 {
		return nil
	}
	switch {
	case err == nil:
		return errStale
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	}
	return err
}

// peek looks without waiting whether something has come, or the end.
func peek(c *net.TCPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var n int
	var got error
	b := make([]byte, 2)
	err = raw.Read(func(fd uintptr) bool {
		n, _, got = unix.Recvfrom(int(fd), b, unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return true
	})
	switch {
	case err != nil:
		return err
	case got == unix.EAGAIN:
		return nil
	case got != nil:
		return got
	case n == 0:
		return io.EOF
	case n == 1 && b[0] == '\n': // of a CRLF; read passes over it
		return nil
	}
	return errStale
}

// ask sends one question and reads until its answer, the message want. The
// error is a *kiosk.Error: CodeOffline if not a byte was written, else
// CodeUnsure; then the line must be closed.
func (l *line) ask(ctx context.Context, m Message, want string) (Message, error) {
	sum := l.Checksum != "off"
	if sum {
		l.seq = '0' + (l.seq-'0'+1)%10
		m.Seq = l.seq
	} else {
		m = m.endingPlain()
	}
	raw, err := m.Encode(l.Charset, sum)
	if err != nil {
		return Message{}, &kiosk.Error{Code: kiosk.CodeInvalid, Reason: kiosk.ReasonUnreadable, Err: err}
	}
	done, err := l.timed(ctx)
	if err != nil {
		return Message{}, err
	}
	defer done()
	if n, err := l.conn.Write(raw); err != nil {
		if n == 0 {
			return Message{}, offline(err)
		}
		return Message{}, unsure(err)
	}
	a, err := l.answer(m, raw, want)
	if err != nil {
		return Message{}, unsure(err)
	}
	return a, nil
}

// timed bounds what is written and read until done is called: by ctx, and by
// the longest wait for one answer. Its error is offline.
func (l *line) timed(ctx context.Context) (done func(), err error) {
	end := time.Now().Add(answerTime)
	if t, ok := ctx.Deadline(); ok && t.Before(end) {
		end = t
	}
	if err := ctx.Err(); err != nil {
		return nil, offline(err)
	}
	if err := l.conn.SetDeadline(end); err != nil {
		return nil, offline(err)
	}
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(cut); l.conn.SetDeadline(time.Unix(1, 0)) })
	return func() {
		if !stop() {
			<-cut // else it would cut the next question
		}
		l.conn.SetDeadline(time.Time{}) // of this question; an idle line is looked at with none
	}, nil
}

// answer reads until the answer to m. What answers something else is stale
// and passed over. A 96 says that the server has not taken the question: it
// is sent once more. With strict checksums one 97 asks for a bad answer again.
func (l *line) answer(m Message, raw []byte, want string) (Message, error) {
	resent, asked97 := false, false
	for {
		text, err := l.read()
		if err != nil {
			return Message{}, err
		}
		a, err := Parse(text, l.Charset)
		if err != nil {
			if behind, ok := l.behind(text, m, want); ok {
				l.quirk("text before an answer", text)
				a, err = behind, nil
			}
		}
		bad := l.Checksum == "strict" && (err != nil || a.Sum == SumBad || a.Sum == SumLoose)
		switch {
		case bad && !asked97 && l.resends():
			asked97 = true
			if _, err := l.conn.Write([]byte("97AZFEF5\r")); err != nil {
				return Message{}, err
			}
			continue
		case err != nil:
			l.quirk(fmt.Sprintf("message that begins with %.2q", text), text)
			return Message{}, err
		case a.ID == "96" && !resent && !asked97:
			resent = true
			if _, err := l.conn.Write(raw); err != nil {
				return Message{}, err
			}
			continue
		case a.ID == "96":
			return Message{}, errors.New("sip2: the server asks again and again for the same message")
		case bad:
			return Message{}, fmt.Errorf("sip2: bad checksum in a %s of %d bytes", a.ID, len(text))
		case l.torn(a):
			l.quirk("answer "+a.ID+" without the checksum that others have", text)
			return Message{}, fmt.Errorf("sip2: the end is missing of a %s of %d bytes", a.ID, len(text))
		case a.ID != want || !answers(a, m):
			l.quirk("answer "+a.ID+" to another question than "+m.ID, text)
			continue
		}
		l.heard = true
		for _, kind := range oddities(a, text) {
			l.quirk(kind, text)
		}
		return a, nil
	}
}

// behind finds an answer that another text is stuck in front of: invenio says
// None, without an end, to what it does not know. Only checksum, number and
// what is asked for together show that it is no accident.
func (l *line) behind(text []byte, m Message, want string) (Message, bool) {
	const most = 64 // bytes of such a text
	for i := 1; i < min(most, len(text)); i++ {
		if !bytes.HasPrefix(text[i:], []byte(want)) {
			continue
		}
		if a, err := Parse(text[i:], l.Charset); err == nil && a.Sum == SumGood && a.Seq == m.Seq && answers(a, m) {
			return a, true
		}
	}
	return Message{}, false
}

// resends tells whether 97 may be sent. Before it has answered on a connection
// a server may repeat what it last told to somebody else.
func (l *line) resends() bool {
	habit := l.Habits().Resend
	return l.heard && (habit == HabitUnknown || habit == Honoured)
}

// torn tells that an answer has lost its checksum on the way: the server sends
// one, and not with this. fsip2 leaves it out of 20 and 36.
func (l *line) torn(a Message) bool {
	return l.status.Sum != SumNone && l.Checksum != "off" && a.Sum == SumNone && a.ID != "20" && a.ID != "36" && a.ID != "96"
}

// answers tells whether a is the answer to m and not to an earlier question
// of the same kind: the item must be the same, and the sequence number. A
// server that always says 0, or has been sent 97, must name card or item.
func answers(a, m Message) bool {
	item, card := names(a, m, "AB"), names(a, m, "AA")
	switch {
	case item == kiosk.No:
		return false
	case a.Seq == 0 || m.Seq == 0 || a.Seq == m.Seq:
		return true // a card may be told in another form
	case a.Seq != '0' || card == kiosk.No:
		return false
	}
	_, ofItem := m.Get("AB")
	_, ofCard := m.Get("AA")
	return item == kiosk.Yes || card == kiosk.Yes || !ofItem && !ofCard
}

// names tells whether a has the same in a field as m, if both have it.
func names(a, m Message, id string) kiosk.Tri {
	asked, ok := m.Get(id)
	told, ok2 := a.Get(id)
	switch {
	case !ok || !ok2:
		return kiosk.Unknown
	case strings.EqualFold(strings.TrimSpace(told), strings.TrimSpace(asked)):
		return kiosk.Yes
	}
	return kiosk.No
}

// read reads one message, up to CR; a LF that follows belongs to it.
func (l *line) read() ([]byte, error) {
	var b []byte
	for {
		part, err := l.in.ReadSlice('\r')
		b = append(b, part...)
		switch {
		case len(b) > MaxMessage:
			return nil, syntax(b, "too long a message")
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			switch {
			case bytes.HasSuffix(b, []byte(promptUser+" ")):
				err = fmt.Errorf("%w: %w", errPrompt, err)
			case len(b) > 0:
				err = fmt.Errorf("%w after %d bytes", err, len(b))
			}
			return nil, err
		}
		if msg := bytes.Trim(b, "\r\n"); len(msg) > 0 {
			l.dropLF()
			return msg, nil
		}
		b = b[:0]
	}
}

// dropLF takes the LF of a CRLF if it has come along, so that the line counts
// as quiet. It never waits for one; one that comes later is skipped by read.
func (l *line) dropLF() {
	if l.in.Buffered() > 0 {
		if c, err := l.in.Peek(1); err == nil && c[0] == '\n' {
			l.in.Discard(1)
		}
	}
}

func (c *Config) log() *slog.Logger { return cmp.Or(c.Log, slog.Default()) }

func offline(err error) error { return &kiosk.Error{Code: kiosk.CodeOffline, Err: err} }

func unsure(err error) error { return &kiosk.Error{Code: kiosk.CodeUnsure, Err: err} }

// asOffline is for questions that change nothing: unanswered, they have had no
// effect.
func asOffline(err error) error {
	if e, ok := errors.AsType[*kiosk.Error](err); ok && e.Code == kiosk.CodeUnsure {
		return &kiosk.Error{Code: kiosk.CodeOffline, Reason: e.Reason, Text: e.Text, Err: e.Err}
	}
	return err
}
