package kiosktest

import (
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Morning is a time to begin with; whole seconds, UTC.
var Morning = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// ID makes the nth ID: of the form of a UUID of version 7, and in order.
func ID(n int) kiosk.ID {
	return kiosk.ID(fmt.Sprintf("019ca000-%04x-7000-8000-%012x", n>>16&0xffff, n))
}

// Barcode makes the nth item number: 14 digits, the last the mod 10 check digit.
func Barcode(n int) kiosk.Barcode { return kiosk.Barcode(mod10(fmt.Sprintf("3%012d", n))) }

// Card makes the nth card number: 14 digits, the last the mod 10 check digit.
func Card(n int) kiosk.Card { return kiosk.Card(mod10(fmt.Sprintf("2%012d", n))) }

// mod10 adds the check digit of ISO/IEC 7812-1, annex B.
func mod10(digits string) string {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

// Item makes the nth copy: available and for loan, two copies to an ISBN.
func Item(n int) kiosk.Item {
	return kiosk.Item{
		Barcode: Barcode(n), Title: fmt.Sprintf("Title %d", n), Author: "Author, Ann",
		ISBN: fmt.Sprintf("978%010d", n/2), CallNumber: fmt.Sprintf("%03d.5 AUT", n%1000), Scheme: "ddc",
		Location: "STACKS", Library: "MAIN", Type: "BOOK", Status: kiosk.StatusAvailable,
	}
}

// Patron makes the nth patron, who may borrow.
func Patron(n int) kiosk.Patron {
	return kiosk.Patron{
		Card: Card(n), FamilyName: fmt.Sprintf("Family%d", n), FirstName: "Sam", Category: "CHILD",
		Library: "MAIN", Language: "en",
		Born: time.Date(1961, time.May, 4, 0, 0, 0, 0, time.UTC), Expires: Morning.AddDate(1, 0, 0),
	}
}

// Checkout makes entry n: item is lent to card, Asked, at Morning plus n seconds.
func Checkout(n, item, card int) kiosk.Entry {
	return kiosk.Entry{
		ID: ID(n), Session: ID(1 << 20), Kind: kiosk.Checkout, Item: Barcode(item), Patron: Card(card),
		At: Morning.Add(time.Duration(n) * time.Second), State: kiosk.Asked, Title: fmt.Sprintf("Title %d", item),
	}
}

// Checkin makes entry n: item comes back; who had it is not known.
func Checkin(n, item int) kiosk.Entry {
	e := Checkout(n, item, 0)
	e.Kind, e.Patron = kiosk.Checkin, ""
	return e
}

// Renew makes entry n: card keeps item longer.
func Renew(n, item, card int) kiosk.Entry {
	e := Checkout(n, item, card)
	e.Kind = kiosk.Renew
	return e
}

// As gives the entry another state and due date.
func As(e kiosk.Entry, s kiosk.State, due time.Time) kiosk.Entry {
	e.State, e.Due = s, due
	return e
}

// After makes an outcome of e, a minute later.
func After(e kiosk.Entry, s kiosk.State) kiosk.Outcome {
	return kiosk.Outcome{Entry: e.ID, State: s, At: e.At.Add(time.Minute)}
}
