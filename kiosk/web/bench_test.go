package web

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// BenchmarkScreen renders what one more loan on a pile of ten brings to each
// browser, and to each program.
func BenchmarkScreen(b *testing.B) {
	sc := kiosk.Screen{View: kiosk.ViewItems, Mode: kiosk.Borrowing, Patron: "Ada", Card: "2999", Online: true, Now: noon}
	for i := range 10 {
		sc.Lines = append(sc.Lines, kiosk.Line{ID: kiosk.ID(fmt.Sprint("line", i)), Item: kiosk.Barcode(fmt.Sprintf("3%013d", i)),
			Title: "The book of many titles", Kind: kiosk.Checkout, State: kiosk.LineLent, Due: noon.AddDate(0, 0, 21)})
	}
	h, _ := newSite(b, sc)
	for name, path := range map[string]string{"page": "/", "api": "/api/v1/screen"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if w := get(h, path); w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
