package sip2_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
)

// prompting is a server whose telnet transport says what Evergreen's SIPServer
// was recorded to say. It notes what it is answered.
func prompting(t *testing.T, c net.Conn, said *[]string) {
	defer c.Close()
	r := bufio.NewReader(c)
	ask := func(prompt string) string {
		for _, part := range []string{prompt[:3], prompt[3:]} { // in pieces, as networks do
			io.WriteString(c, part)
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return ""
		}
		*said = append(*said, line)
		return line
	}
	for strikes := 3; ; strikes-- {
		if strikes == 0 {
			return
		}
		if ask("login: ") == "scclient\r\n" && ask("password: ") == "clientpwd\r\n" {
			break
		}
		io.WriteString(c, "Invalid login\r\n")
	}
	io.WriteString(c, "Login OK.  Initiating SIP\r\n")
	for {
		q, err := r.ReadString('\r')
		if err != nil {
			return
		}
		*said = append(*said, q)
		io.WriteString(c, summed(by(nil))(q))
	}
}

// telnet is a client in a bubble, of a server that does as it is told.
func telnet(t *testing.T, password string, far func(net.Conn)) *sip2.Upstream {
	t.Helper()
	u, err := sip2.NewUpstream(sip2.Config{Address: "ils:8023", Transport: "telnet", User: "scclient", Password: password, Connections: 1, Institution: "CPL",
		Dial: func(context.Context, string) (net.Conn, error) {
			near, other := net.Pipe()
			go far(other)
			return near, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

func TestTelnet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		u := telnet(t, "clientpwd", func(c net.Conn) { prompting(t, c, &said) })
		for range 2 { // the second on the same line
			if _, err := u.Tell(t.Context(), checkout("B1", "C1")); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if len(said) != 5 || said[0] != "scclient\r\n" || said[1] != "clientpwd\r\n" || !strings.HasPrefix(said[2], "9900802.00") || !strings.HasPrefix(said[4], "11") {
			t.Errorf("the server was told %q; want user, password, a 99 and two 11, and no 93", said)
		}
	})
}

func TestTelnetRefused(t *testing.T) {
	hangsUp := func(text string) func(net.Conn) {
		return func(c net.Conn) { io.WriteString(c, text); c.Close() }
	}
	var said []string
	for name, tt := range map[string]struct {
		password string
		far      func(net.Conn)
		want     error
	}{
		"a wrong password":        {"wrong", func(c net.Conn) { prompting(t, c, &said) }, sip2.ErrLogin},
		"a last try":              {"wrong", func(c net.Conn) { lastTry(c) }, sip2.ErrLogin},
		"silence":                 {"x", func(c net.Conn) { io.Copy(io.Discard, c) }, os.ErrDeadlineExceeded},
		"silence after the user":  {"x", func(c net.Conn) { io.WriteString(c, "login: "); io.Copy(io.Discard, c) }, os.ErrDeadlineExceeded},
		"the end":                 {"x", hangsUp(""), io.EOF},
		"the end in a prompt":     {"x", hangsUp("logi"), io.EOF},
		"the protocol at once":    {"x", hangsUp("98YYYYYN100003" + date + "2.00AOx|\r"), io.EOF},
		"a greeting without end":  {"x", func(c net.Conn) { chatter(c) }, nil},
		"a password with a break": {"x\r9300", func(c net.Conn) { prompting(t, c, &said) }, sip2.ErrField},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := telnet(t, tt.password, tt.far).Probe(t.Context())
				if kiosk.CodeOf(err) != kiosk.CodeOffline || tt.want != nil && !errors.Is(err, tt.want) {
					t.Errorf("Probe() = %v; want offline, for %v", err, tt.want)
				}
				if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, "clientpwd") || strings.Contains(text, "9300") {
					t.Errorf("the error tells a password: %s", text)
				}
			})
		})
	}
	for _, s := range said {
		if strings.Contains(s, "9300") {
			t.Errorf("%q was sent: part of a password as a line of its own", s)
		}
	}
}

// TestTelnetTakenForRaw: the answer says what to set.
func TestTelnetTakenForRaw(t *testing.T) {
	for _, user := range []string{"", "scclient"} {
		synctest.Test(t, func(t *testing.T) {
			s := speak(t, by(map[string]string{"93": "login: ", "99": "login: "}), func(c *sip2.Config) { c.User = user })
			err := s.Probe(t.Context())
			if e, ok := errors.AsType[*kiosk.Error](err); !ok || e.Code != kiosk.CodeOffline || !strings.Contains(e.Text, "telnet") {
				t.Errorf("user %q: Probe() = %v; want a word of telnet", user, err)
			}
		})
	}
}

// lastTry is a server that hangs up instead of asking again.
func lastTry(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for _, prompt := range []string{"login: ", "password: "} {
		io.WriteString(c, prompt)
		r.ReadString('\n')
	}
	io.WriteString(c, "Invalid login\r\n")
}

func chatter(c net.Conn) {
	for {
		if _, err := io.WriteString(c, "Welcome to the library. "); err != nil {
			return
		}
	}
}

func TestTelnetConfig(t *testing.T) {
	for _, tt := range []struct{ transport, user, want string }{
		{"telnet", "", "user: "}, {"ssh", "k", "transport: "}, {"telnet", "k", ""}, {"raw", "", ""},
	} {
		c, want := sip2.Config{Address: "ils:8023", Transport: tt.transport, User: tt.user}, tt.want
		if err := c.Check(); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Check(%s, user %q) = %v; want %q", c.Transport, c.User, err, want)
		}
	}
}
