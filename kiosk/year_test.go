package kiosk

import "testing"

func TestYearIn(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "1998": 1998, "c1998.": 1998, "[2005?]": 2005, "1998-2001": 2001, "2010, c1998": 2010, "Meiji 10 [1877]": 1877,
		"1425 [2004]": 2004, "1425 هـ": 0, "٢٠٠٤": 2004, "۱۳۸۳ [۲۰۰۴]": 2004, "２００４年": 2004, "19--": 0, "199-?": 0, "MCMXCVIII": 0,
		"19981": 0, "9999": 0, "2199": 2199, "2200": 0, "1501": 1501, "1500": 0, "n.d.": 0, "1998年": 1998, "\xff1998\xff": 1998, "99999999999999999999": 0,
	} {
		if got := YearIn(text); got != want {
			t.Errorf("YearIn(%q) = %d; want %d", text, got, want)
		}
	}
}
