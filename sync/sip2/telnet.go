package sip2

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The telnet transport of SIPServer and of what descends from it (Koha,
// Evergreen), on port 8023 by custom: the server asks for user and password by
// prompts, and only then the protocol begins, without a 93. As recorded from
// Evergreen's:
//
//	login: kiosk1
//	password: secret
//	Login OK.  Initiating SIP
const (
	promptUser     = "login:"
	promptPassword = "password:"
	protocolBegins = "initiating sip"
)

// errPrompt is what a raw line meets where the telnet transport is spoken.
var errPrompt = errors.New("sip2: a prompt of the telnet transport")

// maxPrompt bounds what is read until a prompt, in bytes; some machines greet.
const maxPrompt = 4096

// prompted logs in at the prompts of a telnet server. Its errors are offline.
func (l *line) prompted(ctx context.Context) error {
	done, err := l.timed(ctx)
	if err != nil {
		return err
	}
	defer done()
	for _, at := range []struct{ prompt, reply string }{{promptUser, l.User}, {promptPassword, l.Password}} {
		if _, err := l.hear(at.prompt); err != nil {
			return offline(err)
		}
		raw, err := Field{ID: "CO", Value: at.reply}.fit(l.Charset) // as it is, and no end of line in it
		if err != nil {
			return offline(err)
		}
		if _, err := l.conn.Write(append(raw, "\r\n"...)); err != nil {
			return offline(err)
		}
	}
	text, err := l.hear(protocolBegins, promptUser)
	switch {
	case strings.HasSuffix(text, promptUser), err != nil && strings.Contains(text, "invalid"):
		return l.refused()
	case err != nil:
		return offline(err)
	}
	return nil
}

// hear reads until what the server has said ends with one of the words, and
// gives it in lower case.
func (l *line) hear(words ...string) (string, error) {
	var text strings.Builder
	for text.Len() < maxPrompt {
		c, err := l.in.ReadByte()
		if err != nil {
			return text.String(), fmt.Errorf("sip2: the telnet transport's %q does not come: %w", words[0], err)
		}
		text.WriteString(strings.ToLower(string(rune(c))))
		for _, w := range words {
			if strings.HasSuffix(text.String(), w) {
				return text.String(), nil
			}
		}
	}
	return text.String(), errors.New("sip2: no prompt comes: is this the telnet transport?")
}
