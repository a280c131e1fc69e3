package web

import (
	"cmp"
	"hash/fnv"
	"strings"
	"unicode"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Hello greets whose account it is.
func (v view) Hello() string {
	if v.Patron == "" {
		return v.T("account.title")
	}
	return v.T("items.borrow.hello", "name", v.Patron)
}

// Aged says as of when the account is, where the library's system has not
// told it; else "".
func (v view) Aged() string {
	a := v.Account
	switch {
	case a == nil || !a.Local:
		return ""
	case a.Seen.IsZero():
		return v.T("account.local.unknown")
	}
	at := a.Seen.In(v.zone)
	return v.T("account.local", "date", v.Date(at, v.now.In(v.zone)), "time", at.Format("15:04"))
}

// accountNews is what there is in short, each thing a line, as each is told by
// itself: none of the titles, which the list has.
func (v view) accountNews() string {
	said := []string{cmp.Or(v.Aged(), v.T("account.lead"))}
	if len(v.Listed())+len(v.Nameless()) == 0 {
		said[0] = v.T("account.none")
	}
	if owes := v.Owes(); owes != "" {
		said = append(said, owes, v.T("account.owed.step"))
	}
	if m := v.Message(); m != "" {
		said = append(said, v.T("account.messages"), m)
	}
	return strings.TrimSpace(strings.Join(append(said, v.Barred()), "\n"))
}

// Listed are the lines of the account's loans.
func (v view) Listed() (ls []line) {
	for _, l := range v.Lines {
		if l.Line.Listed {
			ls = append(ls, l)
		}
	}
	return ls
}

// Unlisted are the lines of an account of what was put down.
func (v view) Unlisted() (ls []line) {
	for _, l := range v.Lines {
		if !l.Line.Listed {
			ls = append(ls, l)
		}
	}
	return ls
}

// Under tells whether the line stands below a heading of its part.
func (l line) Under() bool { return l.Line.Listed && l.v.View == kiosk.ViewAccount }

// Nameless are loans that the ILS told without a number: they can be shown and
// not renewed.
func (v view) Nameless() (ts []borrowed) {
	for _, b := range v.Account.Loans {
		if b.Item == "" {
			ts = append(ts, borrowed{b, &v})
		}
	}
	return ts
}

type borrowed struct {
	kiosk.Borrowed
	v *view
}

// Name is the title, as well as it is known.
func (b borrowed) Name() string { return b.v.named(b.Title, b.Item) }

// Said is the due date, if it was told.
func (b borrowed) Said() string {
	if b.Due.IsZero() {
		return b.v.T("line.no-due")
	}
	return b.v.T("line.due", "date", b.v.Date(b.Due.In(b.v.zone), b.v.now.In(b.v.zone)))
}

func (v view) named(title string, b kiosk.Barcode) string {
	switch t := clean(title); {
	case t != "":
		return t
	case b != "":
		return v.T("line.item", "barcode", clean(string(b)))
	}
	return v.T("account.unknown")
}

// Renewables counts the loans that offer to be renewed.
func (v view) Renewables() (n int) {
	for _, l := range v.Lines {
		if l.Renewable() {
			n++
		}
	}
	return n
}

// Renewable tells whether the line offers to renew.
func (l line) Renewable() bool { return l.Offers() && (!l.Line.Listed || l.Renewals != 0) }

// Overdue tells whether the time of a loan is over.
func (l line) Overdue() bool {
	return l.Line.Listed && l.Offers() && !l.Due.IsZero() && l.v.now.After(l.Due)
}

// listed is what the account says of a loan that nothing was done with.
func (l line) listed() string {
	switch {
	case l.Due.IsZero():
		return l.v.T("line.no-due")
	case l.Overdue():
		return l.v.T("account.overdue", "date", l.v.Date(l.Due.In(l.v.zone), l.v.now.In(l.v.zone)))
	}
	return l.DueText()
}

// renewals says how often a loan can still be renewed, if that is known.
func (l line) renewals() string {
	switch {
	case l.Renewals < 0:
		return ""
	case l.Renewals == 0:
		return l.v.T("account.left.none")
	}
	return l.v.N("account.left", l.Renewals)
}

// hold is a Hold with words.
type hold struct {
	kiosk.Hold
	v *view
}

// Holds are the account's, with words.
func (v view) Holds() (hs []hold) {
	for _, h := range v.Account.Holds {
		hs = append(hs, hold{h, &v})
	}
	return hs
}

// Name: see borrowed.Name.
func (h hold) Name() string { return h.v.named(h.Title, h.Item) }

// Cover: see line.Cover.
func (h hold) Cover() uint32 { return binding(h.Name()) }

// Initial: see line.Initial.
func (h hold) Initial() string { return initial(h.Title) }

// Said is where it is.
func (h hold) Said() string {
	at := shortened(clean(h.At), 60)
	switch {
	case h.Ready && at != "":
		return h.v.T("account.hold.ready.at", "at", at)
	case h.Ready:
		return h.v.T("account.hold.ready")
	case h.Place > 0:
		return h.v.T("account.hold.place", "n", h.v.Number(h.Place))
	}
	return h.v.T("account.hold.waiting")
}

// Label is Said in a word.
func (h hold) Label() string {
	if h.Ready {
		return h.v.T("state.ready")
	}
	return h.v.T("state.held")
}

// Owes is what is to be paid, in words; "" for nothing.
func (v view) Owes() string {
	if sum := strings.TrimSpace(clean(v.Account.Owed)); sum != "" {
		return v.T("account.owed", "amount", shortened(sum, 24))
	}
	return ""
}

// Message is what the library has written to the patron. It is nobody's words
// but the library's: a child hears that there is one.
func (v view) Message() string {
	text := clean(v.Account.Message)
	if text != "" && v.Child() {
		return v.T("account.messages.child")
	}
	return shortened(text, 160)
}

// Barred says why nothing is lent to the patron, and what to do; "" if it is.
func (v view) Barred() string {
	if v.Account.Blocked == "" {
		return ""
	}
	return v.Because(v.Account.Blocked) + " " + v.Then(v.Account.Blocked)
}

// binding gives every title one of eight bindings, always the same.
func binding(title string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(title))
	return h.Sum32() % 8
}

// initial is the letter on the binding.
func initial(title string) string {
	for _, r := range clean(title) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return ""
}

// Renewing names the button of a line among others of its kind.
func (l line) Renewing() string { return l.v.T("line.renew") + ": " + l.Title() }
