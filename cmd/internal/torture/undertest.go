package torture

import (
	"errors"
	"flag"
	"io"
	"reflect"
	"testing"
	"time"
)

// underTest runs f as a test: virtual time (testing/synctest) is to be had
// from a *testing.T only, and a program outside of go test makes one in the
// way that the mains do which go test writes.
func underTest(f func(*testing.T)) (passed bool) {
	if testing.Testing() {
		panic("torture: a test has a *testing.T already") // and MainStart would take its flags
	}
	m := testing.MainStart(deps{}, []testing.InternalTest{{Name: "torture", F: f}}, nil, nil, nil)
	if err := flag.CommandLine.Parse(nil); err != nil { // our command line is none of its
		return false
	}
	return m.Run() == 0
}

// deps is what package testing wants of go test: it has nothing to give.
type deps struct{}

var errNone = errors.New("torture: not under go test")

// corpusEntry is testing's, which it does not name.
type corpusEntry = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}

func (deps) ImportPath() string                          { return "torture" }
func (deps) ModulePath() string                          { return "" }
func (deps) MatchString(string, string) (bool, error)    { return true, nil }
func (deps) SetPanicOnExit0(bool)                        {}
func (deps) StartCPUProfile(io.Writer) error             { return errNone }
func (deps) StopCPUProfile()                             {}
func (deps) StartTestLog(io.Writer)                      {}
func (deps) StopTestLog() error                          { return errNone }
func (deps) WriteProfileTo(string, io.Writer, int) error { return errNone }

func (deps) CoordinateFuzzing(time.Duration, int64, time.Duration, int64, int, []corpusEntry, []reflect.Type, string, string) error {
	return errNone
}
func (deps) RunFuzzWorker(func(corpusEntry) error) error              { return errNone }
func (deps) ReadCorpus(string, []reflect.Type) ([]corpusEntry, error) { return nil, errNone }
func (deps) CheckCorpus([]any, []reflect.Type) error                  { return errNone }
func (deps) ResetCoverage()                                           {}
func (deps) SnapshotCoverage()                                        {}

func (deps) InitRuntimeCoverage() (string, func(string, string) (string, error), func() float64) {
	return "", nil, nil
}
