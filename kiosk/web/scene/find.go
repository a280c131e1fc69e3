package scene

import (
	"fmt"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// The catalogue: nothing typed, much, little and nothing found, one title, and
// what may become of a reservation.
func init() {
	for name, s := range map[string]func(now time.Time) kiosk.Screen{
		"find": func(now time.Time) kiosk.Screen { return find(now, kiosk.Finding{}) },
		"find-many": func(now time.Time) kiosk.Screen {
			return find(now, kiosk.Finding{Text: "dragon", Page: 1, Findings: kiosk.Findings{Titles: onShelf(now), Total: 27}})
		},
		"find-near": func(now time.Time) kiosk.Screen {
			return find(now, kiosk.Finding{Text: "hary poter", Findings: kiosk.Findings{Titles: onShelf(now)[:2], Total: 2, Near: true, Meant: "harry potter", Unread: 900}})
		},
		"find-none": func(now time.Time) kiosk.Screen {
			return find(now, kiosk.Finding{Text: "qqqqqq"})
		},
		"find-hostile": func(now time.Time) kiosk.Screen {
			var ts []kiosk.Title
			for i, l := range hostile(now) {
				ts = append(ts, kiosk.Title{Title: l.Title, Author: l.Title, Copies: []kiosk.Whereabouts{{Item: kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprint("h", i)), Title: l.Title, Location: l.Title, CallNumber: "<b>" + strings.Repeat("9", 90)}}}})
			}
			return find(now, kiosk.Finding{Text: "<script>alert(1)</script>" + strings.Repeat("W", 90), Findings: kiosk.Findings{Titles: ts, Total: len(ts), Meant: strings.Repeat("Wolfeschlegelsteinhausen", 5)}})
		},
		"find-title": func(now time.Time) kiosk.Screen { return title(now, 0, kiosk.Holding{}) },
		"find-title-out": func(now time.Time) kiosk.Screen {
			return title(now, 1, kiosk.Holding{State: kiosk.HoldOffline})
		},
		"find-title-hostile": func(now time.Time) kiosk.Screen {
			h := hostile(now)[0].Title
			t := kiosk.Title{Title: h, Author: h, Copies: []kiosk.Whereabouts{{Item: kiosk.Item{Barcode: "H1", Location: h, CallNumber: h, Subjects: h + "; <b>Dragons</b> -- ألف ليلة; " + strings.Repeat("Donaudampfschifffahrt", 9)}, Out: true, Due: now.AddDate(1, 0, 0)}}}
			return find(now, kiosk.Finding{Text: "x", Open: "H1", Holds: true, Hold: kiosk.Holding{State: kiosk.HoldPlaced, Placed: kiosk.Placed{Place: 9999, Pickup: h}}, Findings: kiosk.Findings{Titles: []kiosk.Title{t}, Total: 1}})
		},
		"find-reserved": func(now time.Time) kiosk.Screen {
			return mineToo(title(now, 1, kiosk.Holding{State: kiosk.HoldPlaced, Placed: kiosk.Placed{Place: 3, Pickup: "Main desk"}}))
		},
		"find-refused": func(now time.Time) kiosk.Screen {
			return mineToo(title(now, 1, kiosk.Holding{State: kiosk.HoldRefused, Reason: kiosk.ReasonFees}))
		},
		"find-mine": func(now time.Time) kiosk.Screen {
			return mineToo(find(now, kiosk.Finding{Text: "a", Findings: kiosk.Findings{Titles: onShelf(now)[:1], Total: 1}}))
		},
		"card-hold": func(now time.Time) kiosk.Screen {
			return kiosk.Screen{View: kiosk.ViewCard, Want: kiosk.ViewFind, Online: true, EndsAt: now.Add(time.Minute)}
		},
	} {
		scenes[name] = s
	}
}

func find(now time.Time, f kiosk.Finding) kiosk.Screen {
	return kiosk.Screen{View: kiosk.ViewFind, Online: true, Find: &f, EndsAt: now.Add(time.Minute), WarnAt: now.Add(40 * time.Second)}
}

func title(now time.Time, n int, h kiosk.Holding) kiosk.Screen {
	ts := onShelf(now)
	return find(now, kiosk.Finding{Text: "a", Open: ts[n].Copies[0].Barcode, Holds: true, Hold: h, Findings: kiosk.Findings{Titles: ts, Total: len(ts)}})
}

func mineToo(sc kiosk.Screen) kiosk.Screen {
	sc.Patron, sc.Card = "Amélie", "20417000010019"
	return sc
}

// onShelf are titles in each state that a copy may be in.
func onShelf(now time.Time) (ts []kiosk.Title) {
	item := func(n int, call, at string, s kiosk.ItemStatus) kiosk.Item {
		return kiosk.Item{Barcode: kiosk.Barcode(fmt.Sprintf("312340000007%02d", n)), CallNumber: call, Location: at, Status: s}
	}
	in, other := kiosk.StatusAvailable, kiosk.StatusOnLoan
	soon := now.AddDate(0, 0, 6)
	about := func(i kiosk.Item, subjects string) kiosk.Item {
		i.Subjects = subjects
		return i
	}
	ts = []kiosk.Title{
		{Title: "Charlotte’s Web", Author: "White, E. B.", Copies: []kiosk.Whereabouts{{Item: about(item(0, "FIC WHI", "Fiction", in), "Pigs -- Fiction; Spiders -- Fiction; Friendship; Farm life -- Maine")}, {Item: item(1, "FIC WHI", "Fiction", in)}, {Item: item(2, "FIC WHI", "Fiction", other), Out: true, Due: soon}}},
		{Title: "The Very Hungry Caterpillar", Author: "Carle, Eric", Copies: []kiosk.Whereabouts{{Item: item(3, "E CAR", "Picture Books", other), Out: true, Due: soon}, {Item: item(4, "E CAR", "Picture Books", other), Out: true, Due: now.AddDate(0, 0, -3)}}},
		{Title: "红楼梦", Author: "曹雪芹", Copies: []kiosk.Whereabouts{{Item: item(5, "895.1 CAO", "World Languages", in)}}},
		{Title: "ألف ليلة وليلة", Copies: []kiosk.Whereabouts{{Item: item(6, "892.7 ALF", "World Languages", kiosk.StatusOnHold)}}},
		{Title: "The World Almanac", Copies: []kiosk.Whereabouts{{Item: kiosk.Item{Barcode: "31234000000777", CallNumber: "R 031 WOR", Location: "Reference", Reference: true, Status: in}}}},
		{Title: "Dragons", Author: "A name that goes on and on, and after that goes on, and does not end before the line does", Copies: []kiosk.Whereabouts{{Item: item(8, "", "", kiosk.StatusInTransit)}}},
		{Title: "A title that needs two lines on the smallest of panels because it goes on, and on, and on, until the end", Copies: []kiosk.Whereabouts{{Item: item(9, "398.2 TIT", "", kiosk.StatusMissing)}}},
		{Title: "Momo", Author: "Ende, Michael", Copies: []kiosk.Whereabouts{{Item: item(10, "FIC END", "Fiction", other), Out: true}}},
	}
	return ts
}
