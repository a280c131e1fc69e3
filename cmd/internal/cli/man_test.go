package cli

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

type pages struct {
	Config string `help:"File to read." placeholder:"FILE"`
	Loud   bool
	Secret string `hidden:""`
	List   struct {
		All bool `help:"All of it."`
		One struct {
			What string `arg:"" help:"What it is."`
			How  string `enum:"slow,fast" default:"slow" help:"How it goes."`
		} `cmd:"" help:"List one."`
		Two hard `cmd:"" help:"List two."`
	} `cmd:"" help:"List things."`
	Lose struct{} `cmd:"" help:"Lose them."`
	Dark struct{} `cmd:"" hidden:""`
}

type hard struct{}

// Help is kong's HelpProvider.
func (hard) Help() string {
	return ".TH is no request here, nor is\n'tis; \\fB stays.\n\n    a table   with\n    columns   -1\n"
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	p, err := kong.New(&pages{}, kong.Name("prog"), kong.Description("Do it -- well."))
	if err != nil {
		t.Fatal(err)
	}
	return p.Model
}

func TestMan(t *testing.T) {
	var b strings.Builder
	if err := man(&b, model(t)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		".TH PROG 8 ", "\n" + `prog \- do it \-\- well` + "\n", "\n.B \\-config \\fIFILE\\fR\nFile to read.\n",
		".SS \"list one <what>\"\n", "\n.B \\-how \\fI\"slow\"\\fR\nHow it goes.\n", "\n.B \\-all\nAll of it.\n", ".SS \"lose\"\n",
		"\n\\&.TH is no", "\n\\&'tis; \\efB stays.\n", ".nf\n    a table   with\n    columns   \\-1\n.fi\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q:\n%s", want, b.String())
		}
	}
	for _, no := range []string{"secret", "dark"} {
		if strings.Contains(b.String(), no) {
			t.Errorf("the page tells of %s, which is hidden", no)
		}
	}
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip("groff is missing: apt-get install groff-base; it would have read the page")
	}
	cmd := exec.Command("groff", "-man", "-Tutf8", "-ww")
	cmd.Stdin = strings.NewReader(b.String())
	var wrong strings.Builder
	cmd.Stderr = &wrong
	if err := cmd.Run(); err != nil || wrong.Len() > 0 {
		t.Errorf("groff: %v\n%s", err, wrong.String())
	}
}

func TestComplete(t *testing.T) {
	m := model(t)
	for words, want := range map[string]string{
		"":                        "list lose",
		"lo":                      "lose",
		"x":                       "",
		"list ":                   "one two",
		"-config ":                "", // a file
		"-config lose ":           "list lose",
		"-loud ":                  "list lose",
		"-":                       "-config -help -loud",
		"list one --a":            "-all",
		"list one -":              "-all -config -help -how -loud",
		"list one x -how ":        "fast slow",
		"list one x --how f":      "fast",
		"list one x -how=fast -l": "-loud",
		"list one ":               "",
		"-what? \x00 list t":      "two",
	} {
		if got := strings.Join(complete(m, strings.Split(words, " ")), " "); got != want {
			t.Errorf("complete(%q) = %q; want %q", words, got, want)
		}
	}
	if got := complete(m, nil); !slices.Equal(got, []string{"list", "lose"}) {
		t.Errorf("complete() = %q", got)
	}
}
