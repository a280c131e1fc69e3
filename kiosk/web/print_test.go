package web

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// TestPrinted: report and list as PDF, in every language, read back where a
// reader is there.
func TestPrinted(t *testing.T) {
	v, store := newShelves(t)
	h, _ := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) {
		c.Name = "front-desk"
		c.Languages = Languages()
		c.Staff = &Staff{Password: func(p string) bool { return p == right }, Inventories: v}
	})
	_, c := enter(t, h, right)
	id := "v1"
	if _, _, err := v.Begin(t.Context(), "Upstairs", kiosk.ShelfRange{Library: "MAIN", Location: "Stacks"}); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"B00", "B01", "B20", "B02", "B04", "B05"} {
		if _, err := v.Scan(t.Context(), kiosk.ID(id), "ann", inventory.Read{Text: code}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Want(t.Context(), "hold", []kiosk.Wanted{{Item: "B07"}, {Item: "B03"}}); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"en": {"Shelf inventory: Upstairs", "503 A", "between 502 A and 504 A", "Lost, and found", "Page 1 of 1", "front-desk"}, "de": {"503 A"}, "ar": {"503 A"}, "zh-Hans": {"503 A"}}
	for _, lang := range Languages() {
		w := do(h, "GET", "/staff/inventory/"+id+"/report.pdf?lang="+lang, nil, c)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(w.Body.Bytes(), []byte("%PDF-")) {
			t.Fatalf("report.pdf in %s = %d %s", lang, w.Code, w.Header())
		}
		text := pdfText(t, w.Body.Bytes(), lang+"-report")
		for _, x := range want[lang] {
			if text != "" && !strings.Contains(text, x) {
				t.Errorf("the report in %s lacks %q:\n%s", lang, x, text)
			}
		}
	}
	w := do(h, "GET", "/staff/inventory/picks.pdf", nil, c)
	if text := pdfText(t, w.Body.Bytes(), "picks"); text != "" && !regexp.MustCompile(`(?s)503 A.*507 A`).MatchString(text) {
		t.Errorf("the list is not in shelf order:\n%s", text)
	}
	if w := do(h, "GET", "/staff/inventory/none/report.pdf", nil, c); w.Code != http.StatusNotFound {
		t.Errorf("of no inventory: %d", w.Code)
	}
	if w := do(h, "GET", "/staff/inventory/"+id+"/report.pdf", nil, nil); w.Code != http.StatusSeeOther {
		t.Errorf("a stranger gets %d", w.Code)
	}
}

// pdfText is what poppler reads in a PDF; empty where it is not installed.
func pdfText(t *testing.T, b []byte, name string) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Log("not read back: no pdftotext (Debian: poppler-utils)")
		return ""
	}
	dir := os.Getenv("CARREL_LOOK")
	if dir == "" {
		dir = t.TempDir()
	}
	file := filepath.Join(dir, name+".pdf")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdftotext", "-layout", file, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.NewReplacer("\u2068", "", "\u2069", "").Replace(string(out))
}

// TestPrintedIsCut: of more than anybody carries the first are printed, and
// the sheet says so.
func TestPrintedIsCut(t *testing.T) {
	en, _ := all(t)
	r := inventory.Report{Inventory: kiosk.Inventory{Name: "All"}}
	for i := range maxPrinted + 5 {
		r.Missing = append(r.Missing, inventory.Row{Book: inventory.Book{Item: kiosk.Barcode(fmt.Sprint("B", i))}})
	}
	v := shelfView{language: en, zone: noon.Location(), now: noon, Report: &r}
	sh := v.reportSheet("desk")
	if len(sh.Parts[0].Rows) != maxPrinted+5 || sh.Parts[0].Rows[0][0] != "–" || sh.Parts[0].Rows[0][1] != "B0" {
		t.Fatalf("the first row is %q of %d", sh.Parts[0].Rows[0], len(sh.Parts[0].Rows))
	}
	if trim(&sh, en); len(sh.Parts[0].Rows) != maxPrinted || !strings.Contains(strings.Join(sh.Lead, "\n"), "4,000 of 4,005") {
		t.Errorf("%d rows; %q", len(sh.Parts[0].Rows), sh.Lead)
	}
}
