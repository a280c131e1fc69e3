package web

import (
	"regexp"
	"strings"
)

// parts knows what a stream has sent of the newest screen, so that the next
// one need not say it again: a slow browser reads ten lines, and compares them
// with those it has, for longer than a tap may wait. A part is an element that
// has an id and, in the template, the attribute data-part.
type parts struct {
	screen string            // the id of the screen; another one is sent whole
	sent   map[string]string // by the part's id
}

var (
	screenID = regexp.MustCompile(`<div class="screen" id="([^"]*)"`)
	partTag  = regexp.MustCompile(`<([a-z]+) [^>]*\bid="([^"]+)" data-part[ >]`)
)

// spare gives a screen with each part that is still as it was sent left out:
// in its place is an empty element of its name and id, with the attribute
// data-same, at which the page leaves what it has.
func (p *parts) spare(screen string) string {
	id, was := "", p.sent
	if m := screenID.FindStringSubmatch(screen); m != nil {
		id = m[1]
	}
	if id == "" || id != p.screen {
		was = nil
	}
	p.screen, p.sent = id, map[string]string{}
	var b strings.Builder
	b.Grow(len(screen))
	for {
		m := partTag.FindStringSubmatchIndex(screen)
		if m == nil {
			b.WriteString(screen)
			return b.String()
		}
		tag, id := screen[m[2]:m[3]], screen[m[4]:m[5]]
		part := element(screen[m[0]:], tag)
		b.WriteString(screen[:m[0]])
		if was[id] == part {
			b.WriteString("<" + tag + ` id="` + id + `" data-same></` + tag + ">")
		} else {
			b.WriteString(part)
		}
		p.sent[id] = part
		screen = screen[m[0]+len(part):]
	}
}

// element is what html begins with: the element of that name, with others of
// the same name that lie in it.
func element(html, tag string) string {
	open, end := "<"+tag, "</"+tag+">"
	for at, depth := 0, 0; ; {
		closes := strings.Index(html[at:], end)
		if closes < 0 {
			return html // no template leaves one open
		}
		depth += opened(html[at:at+closes], open) - 1
		at += closes + len(end)
		if depth <= 0 {
			return html[:at]
		}
	}
}

// opened counts the tags that open is the beginning of.
func opened(html, open string) (n int) {
	for {
		_, rest, ok := strings.Cut(html, open)
		if !ok {
			return n
		}
		if rest != "" && strings.ContainsRune(" >\n\t", rune(rest[0])) {
			n++
		}
		html = rest
	}
}
