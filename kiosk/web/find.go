package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Spot is a place on the plan of the library, in percent of the picture's width
// and height, from its left and top.
type Spot struct{ X, Y float64 }

// Plan knows where things stand.
type Plan interface {
	// Spot is where a copy stands; false if that is not known.
	Spot(i kiosk.Item) (Spot, bool)
	// Picture is the plan itself, an image, and its media type.
	Picture() ([]byte, string)
}

// maxText bounds what may be looked for, in bytes.
const maxText = 4 * 200

// maxAbout is how many subjects are shown.
const maxAbout = 6

// searched is what was typed, and the page of what was found.
func (*site) searched(form url.Values) (kiosk.Event, bool) {
	page, err := strconv.Atoi(form.Get("page"))
	text := form.Get("q")
	return kiosk.Search{Text: text, Page: page}, len(text) <= maxText && utf8.ValidString(text) && (err == nil && page >= 0 && page < 1000 || !form.Has("page"))
}

// titled is the title to open; none goes back to the list.
func (*site) titled(form url.Values) (kiosk.Event, bool) {
	item := kiosk.Barcode(form.Get("item"))
	return kiosk.OpenTitle{Item: item}, len(item) <= kiosk.MaxCode
}

// held is the title to reserve.
func (*site) held(form url.Values) (kiosk.Event, bool) {
	item := kiosk.Barcode(form.Get("item"))
	return kiosk.PlaceHold{Item: item}, item != "" && len(item) <= kiosk.MaxCode
}

// Mine tells whether somebody is at the desk whose card is known.
func (v view) Mine() bool { return v.Card != "" }

// Opened is the title that is shown alone, or nil.
func (v view) Opened() *found {
	if t := v.Find.Title(); t != nil {
		return &found{*t, &v}
	}
	return nil
}

// Hits are the titles that were found.
func (v view) Hits() (fs []found) {
	for _, t := range v.Find.Titles {
		fs = append(fs, found{t, &v})
	}
	return fs
}

// Count says how many there are.
func (v view) Count() string {
	switch f := v.Find; {
	case f.Text == "" || f.Failed || f.Busy && f.Total == 0:
		return ""
	case f.Total == 0:
		return v.T("find.none.title")
	case f.More:
		return v.T("find.more", "n", v.Number(f.Total))
	default:
		return v.N("find.count", f.Total)
	}
}

// Meant is the question whether something else was meant, or "".
func (v view) Meant() string {
	if v.Find.Meant == "" {
		return ""
	}
	return v.T("find.meant", "text", v.Find.Meant)
}

// Pages is how many there are.
func (v view) Pages() int { return (v.Find.Total + kiosk.FindPage - 1) / kiosk.FindPage }

// PageSaid is which one this is.
func (v view) PageSaid() string {
	return v.T("find.page", "n", v.Number(v.Find.Page+1), "of", v.Number(v.Pages()))
}

// Before and After are the pages beside this one; -1 means that there is none.
func (v view) Before() int { return v.Find.Page - 1 }

// After: see Before.
func (v view) After() int {
	if n := v.Find.Page + 1; n < v.Pages() {
		return n
	}
	return -1
}

// found is a Title with words.
type found struct {
	kiosk.Title
	v *view
}

// Key names it to the desk.
func (f found) Key() string { return string(f.Copies[0].Barcode) }

// Name is the title, as well as it is known.
func (f found) Name() string { return f.v.named(f.Title.Title, f.Copies[0].Barcode) }

// By is the author.
func (f found) By() string { return shortened(clean(f.Author), 120) }

// About are a few of its subjects.
func (f found) About() []string {
	list := []string{}
	for _, h := range f.Headings() {
		if h = shortened(strings.ReplaceAll(clean(h), " -- ", " – "), 80); h != "" && len(list) < maxAbout {
			list = append(list, h)
		}
	}
	return list
}

// Cover: see line.Cover.
func (f found) Cover() uint32 { return binding(f.Name()) }

// Initial: see line.Initial.
func (f found) Initial() string { return initial(f.Title.Title) }

// At is the place of the first copy.
func (f found) At() string { return shelved(f.Copies[0].Item) }

// Here tells whether one can be taken from its shelf.
func (f found) Here() bool { return f.In() > 0 }

// State says in a few words whether it is in.
func (f found) State() string {
	n := len(f.Copies)
	switch in := f.In(); {
	case in > 0 && n > 1:
		return f.v.T("find.in.of", "n", f.v.Number(in), "of", f.v.Number(n))
	case in > 0:
		return f.v.T("find.in")
	}
	if back := f.Back(f.v.now); !back.IsZero() {
		return f.v.out(back)
	}
	return f.v.where(f.Copies[0])
}

// Waits tells whether it can be reserved.
func (f found) Waits() bool { return f.v.Find.Holds && f.Lendable() }

// Copied are its copies, those alike together.
func (f found) Copied() (cs []copies) {
	for _, c := range f.Copies {
		w := copies{Place: shelved(c.Item), State: f.v.where(c), In: c.In(), N: 1}
		if c.Reference || c.NoLoan {
			w.Stays = f.v.T("find.stays")
		}
		if n := len(cs); n > 0 && cs[n-1].Place == w.Place && cs[n-1].State == w.State && cs[n-1].Stays == w.Stays {
			cs[n-1].N++
			continue
		}
		cs = append(cs, w)
	}
	return cs
}

// copies are some that stand at one place, in one state.
type copies struct {
	Place, State, Stays string
	In                  bool
	N                   int
}

// Spot is where it stands on the plan, or nil.
func (f found) Spot() *Spot {
	if f.v.plan == nil {
		return nil
	}
	for _, c := range f.Copies {
		if s, ok := f.v.plan.Spot(c.Item); ok {
			return &s
		}
	}
	return nil
}

// MapSaid is what the plan shows, for who does not see it.
func (f found) MapSaid() string { return f.v.T("find.map.alt", "place", f.At()) }

// shelved is the shelf and the call number of a copy.
func shelved(i kiosk.Item) string {
	place, call := shortened(clean(i.Location), 60), shortened(clean(i.CallNumber), 60)
	if place != "" && call != "" {
		return place + " · " + call
	}
	return place + call
}

// where says where a copy is. Who has it, nobody is told.
func (v *view) where(c kiosk.Whereabouts) string {
	switch {
	case c.Out && c.Due.IsZero():
		return v.T("find.out.unknown")
	case c.Out:
		return v.out(c.Due)
	case c.In():
		return v.T("find.in")
	}
	switch c.Status {
	case kiosk.StatusOnHold:
		return v.T("find.held")
	case kiosk.StatusInTransit:
		return v.T("find.transit")
	}
	return v.T("find.gone")
}

// out says when what is lent is due.
func (v *view) out(due time.Time) string {
	if v.now.After(due) {
		return v.T("find.out.late", "date", v.Date(due.In(v.zone), v.now.In(v.zone)))
	}
	return v.T("find.out", "date", v.Date(due.In(v.zone), v.now.In(v.zone)))
}

// HoldSaid is how the reservation of the open title stands, "" if nobody has
// asked.
func (v view) HoldSaid() string {
	switch h := v.Find.Hold; h.State {
	case kiosk.HoldAsking:
		return v.T("find.hold.asking")
	case kiosk.HoldPlaced:
		said := v.T("find.hold.placed")
		if h.Place > 0 {
			said += " " + v.T("find.hold.place", "n", v.Number(h.Place))
		}
		if at := shortened(clean(h.Pickup), 60); at != "" {
			said += " " + v.T("find.hold.at", "at", at)
		}
		return said
	case kiosk.HoldOffline:
		return v.T("find.hold.offline")
	case kiosk.HoldUnsure:
		return v.T("find.hold.unsure")
	case kiosk.HoldRefused:
		said := v.T("find.hold.refused")
		if h.Reason == kiosk.ReasonAskStaff {
			return said + " " + v.reason(h.Reason, "step")
		}
		return said + " " + v.reason(h.Reason, "title") + " " + v.reason(h.Reason, "step")
	}
	return ""
}

// HoldOpen tells whether the button for it is of use.
func (v view) HoldOpen() bool { return !v.Find.Hold.State.Stands() }

// HoldIcon is its picture.
func (v view) HoldIcon() string {
	if v.Find.Hold.State == kiosk.HoldPlaced {
		return "check"
	}
	return "hand"
}

// V is the view that the title stands in.
func (f found) V() *view { return f.v }

// Reserves tells whether the card is asked for to reserve something.
func (v view) Reserves() bool { return v.Want == kiosk.ViewFind }

// picture is the plan of the library. Whoever drew it could have put anything
// into an SVG: it is shown as an image, in which a browser runs no script and
// loads nothing; and asked for by itself it may do neither.
func (s *site) picture(w http.ResponseWriter, r *http.Request) {
	if s.Plan == nil {
		http.NotFound(w, r)
		return
	}
	b, kind := s.Plan.Picture()
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	w.Header().Set("Content-Type", kind)
	w.Write(b) //nolint:errcheck // the browser is gone
}

// apiFind is what was found, for programs. What was typed for it is nobody's
// business but the screen's.
type apiFind struct {
	Page   int        `json:"page"`
	Total  int        `json:"total"`
	More   bool       `json:"more"`
	Near   bool       `json:"near"`
	Busy   bool       `json:"busy"`
	Open   string     `json:"open"`
	Hold   string     `json:"hold"`
	Text   string     `json:"text"`
	Titles []apiTitle `json:"titles"`
}

type apiTitle struct {
	Item   string   `json:"item"`
	Title  string   `json:"title"`
	Author string   `json:"author"`
	About  []string `json:"about"`
	Shelf  string   `json:"shelf"`
	Copies int      `json:"copies"`
	In     int      `json:"in"`
	Text   string   `json:"text"`
}

func (v view) apiFind() *apiFind {
	f := v.Find
	a := &apiFind{Page: f.Page, Total: f.Total, More: f.More, Near: f.Near, Busy: f.Busy, Open: string(f.Open), Hold: string(f.Hold.State), Text: v.HoldSaid(), Titles: []apiTitle{}}
	for _, t := range v.Hits() {
		a.Titles = append(a.Titles, apiTitle{t.Key(), clean(t.Title.Title), t.By(), t.About(), t.At(), len(t.Copies), t.In(), t.State()})
	}
	return a
}
