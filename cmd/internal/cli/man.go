package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// man writes the manual page of a program from its grammar, for section 8
// (man-pages(7)). Options are written with one dash, as in all that is said of
// them.
func man(w io.Writer, app *kong.Application) error {
	p := &page{}
	p.line(`.TH %s 8 "" "Carrel %s" "Carrel"`, strings.ToUpper(app.Name), Version)
	p.line(".SH NAME")
	p.line(`%s \- %s`, roff(app.Name), roff(lower(app.Help)))
	p.line(".SH SYNOPSIS")
	p.line(".B %s", roff(app.Name))
	p.line(`[\fIoptions\fR] %s`, roff(strings.TrimSpace(strings.TrimPrefix(app.Summary(), "[flags]"))))
	p.line(".SH DESCRIPTION")
	p.text(app.Help + "\n\n" + app.Detail)
	p.line(".SH OPTIONS")
	p.flags(app.Flags)
	if leaves := app.Leaves(true); len(leaves) > 0 {
		p.line(".SH COMMANDS")
		for _, n := range leaves {
			p.command(n)
		}
	}
	p.line(".SH EXIT STATUS")
	for _, s := range []struct {
		n   int
		why string
	}{{OK, "Done."}, {Failed, "It failed while it ran, or something needs a person."}, {Usage, "Wrong usage or configuration."}} {
		p.line(".TP\n.B %d\n%s", s.n, s.why)
	}
	p.line(".SH FILES")
	p.line(".TP\n.I /etc/carrel/kiosk.toml\nThe configuration.")
	p.line(".TP\n.I /var/lib/carrel\nThe ledger, if the configuration names no other folder.")
	p.line(".SH SEE ALSO")
	p.line(".BR kioskd (8),\n.BR kioskctl (8)")
	_, err := io.WriteString(w, p.String())
	return err
}

// page is a manual page as it grows.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// text writes paragraphs, which an empty line parts; one that is indented
// stays as it is, as in Go's comments.
func (p *page) text(s string) {
	for para := range strings.SplitSeq(strings.Trim(s, "\n"), "\n\n") {
		begin, end := ".PP", ""
		if strings.HasPrefix(para, " ") {
			begin, end = ".PP\n.nf", ".fi\n"
		}
		p.line("%s", begin)
		for l := range strings.SplitSeq(para, "\n") {
			p.line("%s", roff(l))
		}
		p.WriteString(end)
	}
}

func (p *page) command(n *kong.Node) {
	p.line(`.SS "%s"`, strings.ReplaceAll(roff(strings.TrimSuffix(n.Summary(), " [flags]")), `"`, `\(dq`))
	p.text(n.Help + "\n\n" + n.Detail)
	for _, a := range n.Positional {
		if a.Help != "" {
			p.line(".TP\n.I %s\n%s", roff(a.Summary()), roff(a.Help))
		}
	}
	// A command between the program and this one may have options too.
	for m := n; m.Parent != nil; m = m.Parent {
		p.flags(m.Flags)
	}
}

func (p *page) flags(flags []*kong.Flag) {
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		value := ""
		if !f.IsBool() {
			value = ` \fI` + roff(f.FormatPlaceHolder()) + `\fR`
		}
		p.line(".TP\n.B %s%s\n%s", roff("-"+f.Name), value, roff(f.Help))
	}
}

// roff writes text so that troff takes none of it for its own: its escapes,
// its requests at the begin of a line, and dashes that are to be copied.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

func lower(s string) string {
	s = strings.TrimSuffix(s, ".")
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
