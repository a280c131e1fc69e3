package inventory

import (
	"errors"
	"fmt"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/shelf"
)

// Wrong says what somebody has asked wrongly. Its text is English; What and
// Args are for who says it in other words.
type Wrong struct {
	What string   // of Wrongs
	Args []string // names and values in turn
	err  kiosk.Error
}

// Wrongs are all that a Wrong can say, with the names of its Args.
var Wrongs = map[string]string{
	"reversed":  "from to",       // the range ends before it begins
	"misfit":    "number scheme", // a call number
	"library":   "library places",
	"empty":     "places", // of what there is instead
	"noitems":   "",       // in the catalogue
	"paused":    "name",
	"ended":     "name",
	"stage":     "name stage",
	"noscan":    "", // to be taken back
	"noload":    "", // the same
	"note":      "n",
	"nonumber":  "code why",
	"unlisted":  "item",
	"nocall":    "item",
	"apart":     "left right", // places of two books
	"norule":    "",           // for weeding
	"unmet":     "item",
	"lent":      "item",
	"notlent":   "item",
	"untold":    "", // the library's system is told nothing
	"large":     "n most",
	"nopicture": "",
	"pixels":    "width height",
	"damaged":   "",
	"nobook":    "",
	"photos":    "n",
}

func (w *Wrong) Error() string { return w.err.Error() }

// Unwrap gives the same with its class.
func (w *Wrong) Unwrap() error { return &w.err }

// wrong makes one; the format takes the values of the pairs.
func wrong(what, format string, pairs ...any) *Wrong {
	w := &Wrong{What: what, err: kiosk.Error{Code: kiosk.CodeInvalid}}
	var values []any
	for i, p := range pairs {
		if w.Args = append(w.Args, fmt.Sprint(p)); i%2 == 1 {
			values = append(values, p)
		}
	}
	w.err.Text = fmt.Sprintf(format, values...)
	return w
}

// ofShelf says what is wrong with call numbers or with a range.
func ofShelf(err error) *Wrong {
	w := wrong("", "%s", "text", strings.TrimPrefix(err.Error(), "shelf: "))
	if r, ok := errors.AsType[*shelf.Reversed](err); ok {
		w.What, w.Args = "reversed", []string{"from", r.From, "to", r.To}
	} else if m, ok := errors.AsType[*shelf.Misfit](err); ok {
		w.What, w.Args = "misfit", []string{"number", m.CallNumber, "scheme", m.Scheme}
	}
	return w
}
