package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestTwoDashes(t *testing.T) {
	got := TwoDashes([]string{"-config", "FILE", "--json", "-h", "-5", "-", "loans", "-open=true", "--", "-x1"})
	want := []string{"--config", "FILE", "--json", "-h", "-5", "-", "loans", "--open=true", "--", "-x1"}
	if !slices.Equal(got, want) {
		t.Errorf("TwoDashes() = %q; want %q", got, want)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 entries", 1: "1 entry", 2: "2 entries", 21: "21 entries"} {
		if got := Count(n, "entry", "entries"); got != want {
			t.Errorf("Count(%d) = %q; want %q", n, got, want)
		}
	}
}

func TestExit(t *testing.T) {
	var g struct {
		Go goCmd `cmd:"" help:"x"`
	}
	for _, tt := range []struct {
		args []string
		want int
	}{{[]string{"go", "-how", "ok"}, OK}, {[]string{"go", "-how", "bad"}, Failed}, {[]string{"nosuch"}, Usage},
		{[]string{"go", "-nosuch"}, Usage}, {[]string{"go", "-how", "usage"}, Usage}} {
		if got := Main("test", "doc", &g, tt.args); got != tt.want {
			t.Errorf("Main(%q) = %d; want %d", tt.args, got, tt.want)
		}
	}
}

// TestInHand: who has a command wrong is told of that command's help.
func TestInHand(t *testing.T) {
	var g struct {
		Go   goCmd `cmd:"" help:"x"`
		Some struct {
			All  goCmd `cmd:"" default:"1" hidden:"" help:"x"`
			More goCmd `cmd:"" help:"x"`
		} `cmd:"" help:"x"`
	}
	for _, tt := range []struct {
		args []string
		want string
	}{{[]string{"nosuch"}, "test"}, {[]string{"go", "--nosuch"}, "test go"}, {[]string{"go", "nosuch"}, "test go"},
		{[]string{"some", "--nosuch"}, "test some"}, {[]string{"some", "more", "--nosuch"}, "test some more"}} {
		_, err := kong.Must(&g).Parse(tt.args)
		if got := inHand("test", err); err == nil || got != tt.want {
			t.Errorf("inHand(%q) = %q, %v; want %q", tt.args, got, err, tt.want)
		}
	}
}

// TestWrongly: who leaves something out is told what, and how it is written.
func TestWrongly(t *testing.T) {
	var g struct {
		Config string `placeholder:"FILE"`
		Give   struct {
			Card string `placeholder:"CARD"`
			All  bool
			What string `arg:""`
		} `cmd:""`
		Go goCmd `cmd:"" help:"x"`
	}
	for line, want := range map[string]string{
		"give book -card":        "-card needs a value: -card CARD",
		"give --card -all book":  "-card needs a value: -card CARD",
		"give -card -config a x": "-card needs a value: -card CARD",
		"go -config":             "-config needs a value: -config FILE",
		"give":                   "<what> is missing",
		"give -cart 1":           `unknown flag -cart, did you mean "-card"?`,
		"give a -- -card":        "unexpected argument -card",
	} {
		args := strings.Fields(line)
		_, err := kong.Must(&g).Parse(TwoDashes(args))
		if err == nil || wrongly(err, args) != want {
			t.Errorf("%s: %v says %q; want %q", line, err, wrongly(err, args), want)
		}
	}
}

type goCmd struct {
	How string `default:"ok"`
}

func (g *goCmd) Run() error {
	switch g.How {
	case "bad":
		return errors.New("bad")
	case "usage":
		return fmt.Errorf("how: %w", ErrUsage)
	}
	return nil
}
