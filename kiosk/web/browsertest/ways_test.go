package browsertest_test

import (
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk/web/browsertest"
)

// TestWays looks for words where there should be pictures.
func TestWays(t *testing.T) {
	b := newBench(t, "en", "es", "de", "ar")
	browsertest.Run(t, "ways.cjs", "BASE="+b.srv.URL, "SCENES="+sceneNames())
}
