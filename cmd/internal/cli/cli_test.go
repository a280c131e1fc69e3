package cli

import (
	"errors"
	"fmt"
	"slices"
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
