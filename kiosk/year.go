package kiosk

// Bounds of the years that YearIn takes. What lies below is a year of the
// Hijra, as long as that is before 1501, or a book that nobody weeds.
const (
	firstYear = 1501
	lastYear  = 2199
)

// YearIn finds the year in which a book was published in what is written of
// that: the latest of several ("1425 [2004]", "2010, c1998", "1998-2001"), in
// digits of any script; 0 if there is none ("19--").
func YearIn(text string) (year int) {
	n, digits := 0, 0
	end := func() {
		if digits == 4 && n >= firstYear && n <= lastYear {
			year = max(year, n)
		}
		n, digits = 0, 0
	}
	for _, r := range text {
		d := digit(r)
		if d < 0 {
			end()
			continue
		}
		if digits++; digits <= 4 {
			n = n*10 + d
		}
	}
	end()
	return year
}

// digit is the value of a decimal digit, as Arabic, Persian and Western
// letterpress have them; -1 for what is none.
func digit(r rune) int {
	for _, zero := range []rune{'0', '٠', '۰', '０'} {
		if r >= zero && r <= zero+9 {
			return int(r - zero)
		}
	}
	return -1
}
