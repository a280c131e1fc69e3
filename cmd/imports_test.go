// Package cmd holds only the test that keeps the house in order: who may
// import whom.
package cmd

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/carrel-kiosk/carrel/"

// rules say what the Go files of a folder may import of this module, by
// path.Match patterns; the first rule that fits a folder holds. std means:
// nothing but the standard library. Test files may import anything.
var rules = []struct {
	folder string
	may    []string
	std    bool
}{
	{"cmd", nil, false},
	{"cmd/*", []string{"**"}, false},
	{"cmd/internal/*", []string{"**"}, false},
	{"deploy/*", []string{"**"}, false},
	{"deploy/testbed/device", []string{"deploy/testbed/usbredir"}, false},
	{"deploy/testbed/*", nil, false},

	{"drivers", nil, true},
	{"drivers/tagdata", nil, true},
	{"drivers/cardnumber", []string{"drivers"}, false},
	{"drivers/link", []string{"drivers"}, false},
	{"drivers/iso15693", []string{"drivers"}, false},
	{"drivers/drivertest", []string{"drivers", "drivers/link", "drivers/sim/*"}, false},
	{"drivers/all", []string{"drivers", "drivers/*"}, false},
	{"drivers/sim", []string{"drivers", "drivers/tagdata", "drivers/sim/*"}, false},
	{"drivers/sim/field", []string{"drivers", "drivers/iso15693"}, false},
	{"drivers/sim/uhf", []string{"drivers"}, false},
	{"drivers/sim/port", []string{"drivers/link"}, false},
	{"drivers/*/*sim", []string{"drivers", "drivers/iso15693", "drivers/sim/field", "drivers/sim/uhf"}, false},
	{"drivers/*", []string{"drivers", "drivers/tagdata", "drivers/cardnumber", "drivers/link", "drivers/iso15693"}, false},

	{"kiosk", nil, true},
	{"kiosk/intake", []string{"kiosk", "drivers", "drivers/tagdata"}, false},
	{"kiosk/station", []string{"kiosk", "drivers", "drivers/tagdata"}, false},
	{"kiosk/web/static/fonts", nil, true},
	{"kiosk/typeset", []string{"kiosk/web/static/fonts"}, false},
	{"kiosk/web/browsertest", nil, false},
	{"kiosk/web/scene", []string{"kiosk"}, false},
	// Its pages show what the inventories say, in their own words, and print it
	// in their own fonts.
	{"kiosk/web", []string{"kiosk", "kiosk/inventory", "kiosk/shelf", "kiosk/typeset", "kiosk/web/scene"}, false},
	{"kiosk/inventory", []string{"kiosk", "kiosk/shelf"}, false},
	{"kiosk/search", nil, false},
	{"kiosk/sqlite", []string{"kiosk", "kiosk/search", "kiosk/sqlite/walfile", "kiosk/sqlite/carve"}, false},
	{"kiosk/sqlite/carve", nil, true},
	{"kiosk/sqlite/walfile", nil, false},
	{"kiosk/*", []string{"kiosk"}, false},

	{"sync/upstreamtest/seeds", nil, true},
	// The simulation is a test that kiosksim runs too: it puts the parts together.
	{"sync/upstreamtest/simulation", []string{"kiosk", "kiosk/desk", "kiosk/kiosktest", "sync/outbox", "sync/sip2", "sync/upstreamtest"}, false},
	{"sync/*", []string{"kiosk"}, false},
	{"sync/*/*", []string{"kiosk"}, false},
}

func TestImports(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && file != ".." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		files++
		folder := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(file, ".."+string(filepath.Separator))))
		check(t, folder, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Fatalf("saw only %d Go files: the test looks in the wrong place", files)
	}
}

func check(t *testing.T, folder, file string) {
	t.Helper()
	for _, r := range rules {
		if ok, _ := path.Match(r.folder, folder); !ok {
			continue
		}
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			return
		}
		for _, imp := range f.Imports {
			p, _ := strconv.Unquote(imp.Path.Value)
			if !allowed(p, r.may, r.std) {
				t.Errorf("%s imports %s: the house does not allow that (cmd/imports_test.go)", file, p)
			}
		}
		return
	}
	t.Errorf("%s: folder %s has no rule in cmd/imports_test.go", file, folder)
}

func allowed(imp string, may []string, std bool) bool {
	inside, ok := strings.CutPrefix(imp, module)
	if !ok {
		return !std || !strings.Contains(strings.Split(imp, "/")[0], ".")
	}
	for _, m := range may {
		if fits, _ := path.Match(m, inside); fits || m == "**" {
			return true
		}
	}
	return false
}
