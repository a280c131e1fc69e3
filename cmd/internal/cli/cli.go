// Package cli reads the command line of all three programs in one way, and
// tells what was built.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Exit statuses.
const (
	OK     = 0
	Failed = 1 // while running
	Usage  = 2 // wrong usage or configuration
)

// ErrUsage, wrapped, makes Main exit with Usage: the command or the
// configuration is wrong.
var ErrUsage = errors.New("wrong usage")

// Wrong makes an error one of usage or configuration. Its words stand alone.
func Wrong(err error) error { return wrong{err} }

type wrong struct{ error }

func (w wrong) Unwrap() []error { return []error{w.error, ErrUsage} }

// Version is set when a release is built (-ldflags -X).
var Version = "development"

// Main parses args into grammar (a pointer to a kong struct), runs the chosen
// command's Run method with the given bindings, and returns the exit status.
// Long options may be written with one dash or with two.
//
// Every program also knows, for those who package it, -man, which writes its
// manual page, and -complete WORD..., which writes what the last word may
// become, one a line.
func Main(name, doc string, grammar any, args []string, bind ...any) int {
	parser, err := kong.New(grammar, kong.Name(name), kong.Description(doc), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		panic(err) // the grammar itself is wrong
	}
	if len(args) > 0 && tell(parser.Model, strings.TrimLeft(args[0], "-"), args[1:]) {
		return OK
	}
	ctx, err := parser.Parse(TwoDashes(args))
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s\nTry: %s -help\n", name, wrongly(err, args), inHand(name, err))
		return Usage
	}
	if err := ctx.Run(bind...); err != nil {
		tellError(name, grammar, err)
		if errors.Is(err, ErrUsage) {
			return Usage
		}
		return Failed
	}
	return OK
}

// teller is a grammar that tells of an error itself, for scripts; false: it does
// not.
type teller interface{ TellError(error) bool }

func tellError(name string, grammar any, err error) {
	if t, ok := grammar.(teller); ok && t.TellError(err) {
		return
	}
	if w, alone := errors.AsType[wrong](err); alone {
		fmt.Fprintln(os.Stderr, w)
		return
	}
	fmt.Fprintf(os.Stderr, "%s: %s\n", name, kiosk.Words(err))
}

// tell writes what packages take from the program itself, if that was asked.
func tell(app *kong.Application, what string, words []string) bool {
	switch what {
	case "man":
		_ = man(os.Stdout, app) // whoever reads it, sees that it is not whole
	case "complete":
		for _, w := range complete(app, words) {
			fmt.Println(w)
		}
	default:
		return false
	}
	return true
}

// inHand is the program and the command of it that was written wrongly.
func inHand(name string, err error) string {
	wrong, ok := errors.AsType[*kong.ParseError](err)
	if !ok {
		return name
	}
	for _, p := range wrong.Context.Path {
		if p.Command != nil {
			name += " " + p.Command.Name
		}
	}
	return name
}

// wrongly says what is wrong with a command line, as options are written.
func wrongly(err error, args []string) string {
	wrong, ok := errors.AsType[*kong.ParseError](err)
	if !ok {
		return err.Error()
	}
	if f := valueless(wrong.Context.Flags(), TwoDashes(args)); f != nil {
		return fmt.Sprintf("-%s needs a value: -%s %s", f.Name, f.Name, f.FormatPlaceHolder())
	}
	says := strings.NewReplacer(" --", " -", `"--`, `"-`).Replace(" " + err.Error())[1:]
	if lacks, ok := strings.CutPrefix(says, `expected "<`); ok {
		return "<" + strings.TrimSuffix(lacks, `"`) + " is missing"
	}
	return says
}

// valueless finds the option that is written last, or before another, without
// the value that it takes.
func valueless(flags []*kong.Flag, args []string) *kong.Flag {
	for i, a := range args {
		if a == "--" {
			break
		}
		for _, f := range flags {
			if a == "--"+f.Name && !f.IsBool() && (i+1 == len(args) || strings.HasPrefix(args[i+1], "--")) {
				return f
			}
		}
	}
	return nil
}

// TwoDashes writes -option as --option: the documented form has one dash, and
// no option has a one-letter name.
func TwoDashes(args []string) []string {
	out := make([]string, len(args))
	plain := false
	for i, a := range args {
		plain = plain || a == "--"
		if !plain && len(a) > 2 && a[0] == '-' && a[1] != '-' && (a[1] < '0' || a[1] > '9') {
			a = "-" + a
		}
		out[i] = a
	}
	return out
}

// Count says how many there are: "1 entry", "2 entries".
func Count(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", several)
}

// PrintVersion writes version, commit, Go version and whether cgo is in,
// then one line for each driver.
func PrintVersion(w io.Writer, name string, cgo bool, drivers []string) {
	commit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	with := "without cgo"
	if cgo {
		with = "with cgo"
	}
	fmt.Fprintf(w, "%s %s, commit %s, %s %s/%s, %s\n", name, Version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH, with)
	fmt.Fprintf(w, "drivers: %s\n", strings.Join(drivers, ", "))
}
