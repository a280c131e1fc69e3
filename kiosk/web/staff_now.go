package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Now is how a kiosk is, for staff: a plain value.
type Now struct {
	Since      time.Time // when the program was started
	Devices    []NowDevice
	Upstream   NowUpstream
	Door       bool      // the kiosk's door is open
	Outbox     int       // entries that the library's system has not confirmed
	Oldest     time.Time // of them
	Exceptions int
	Strange    int // texts of the library's system that nobody knows or has read
	Work       int // tags whose security is not yet what the ledger says
	Entries    int
	Items      int
	Patrons    int
	Loans      int
	Clock      kiosk.ClockState
	DiskFree   uint64 // bytes
	Lists      []NowList
	Rescue     *NowRescue // nil: the ledger was never damaged, or staff knows
}

// NowRescue is what became of a ledger that was damaged.
type NowRescue struct {
	At            time.Time
	Entries, Lost int
}

// NowDevice is a configured device.
type NowDevice struct {
	Name, Driver string
	Working      bool
	Since        time.Time // zero: never
	Err          string
}

// NowUpstream is the library's system.
type NowUpstream struct {
	Driver string // empty: there is none
	Up     bool
	Since  time.Time // zero: it was not tried yet
	Err    string
}

// NowList is one of the library's lists in the mirror.
type NowList struct {
	Name  string    // items, patrons, loans
	Since time.Time // what has changed until then is known; zero: nothing is
	Err   string    // what a person must see to
}

// leastDisk is how much room there must be for the ledger, in bytes.
const leastDisk = 50 << 20

// nowView is Now with words.
type nowView struct {
	Now
	*language
	screen kiosk.Screen
	at     time.Time
	zone   *time.Location
	may    kiosk.Role
}

// need is something that a person must see to.
type need struct {
	ID   string // the same as long as it is the same need
	Text string
	More string    // what the program says about it
	Path string    // the page on which it is settled; empty: none
	Help bool      // somebody waits at the kiosk, and nobody is on the way
	Acts []helpAct // what can be done from here
}

// Needs lists what a person must see to, the most urgent first.
func (v nowView) Needs() (list []need) {
	add := func(id, text, more, path string) {
		list = append(list, need{ID: id, Text: text, More: clean(more), Path: path})
	}
	list = v.care()
	if v.Door {
		add("door", v.T("staff.now.need.door"), "", "")
	}
	for _, f := range v.screen.Faults {
		if f.Source != "upstream" && !slices.Contains(ownFaults, f.Source) {
			add("fault-"+f.Source, v.T("staff.now.need.fault", "source", clean(f.Source)), f.Text, "")
		}
	}
	if u := v.Upstream; u.Driver != "" && !u.Up && !u.Since.IsZero() {
		add("upstream", v.T("staff.now.need.upstream", "since", v.Moment(u.Since)), u.Err, "")
	}
	librarians := func(path string) string {
		if v.may.May(kiosk.Librarian) {
			return path
		}
		return ""
	}
	if v.Exceptions > 0 {
		add("exceptions-"+strconv.Itoa(v.Exceptions), v.N("staff.now.need.exceptions", v.Exceptions), "", librarians("/staff/exceptions"))
	}
	if v.Strange > 0 && v.may.May(kiosk.Librarian) {
		add("strange-"+strconv.Itoa(v.Strange), v.T("staff.now.need.strange"), "", "/staff/exceptions#strange")
	}
	if v.Work > 0 {
		add("work", v.N("staff.now.need.work", v.Work), "", "")
	}
	if v.Clock.Doubt != "" || v.Clock.Warning != "" {
		add("clock", v.T("staff.now.need.clock"), strings.Trim(v.Clock.Doubt+"; "+v.Clock.Warning, "; "), "")
	}
	if r := v.Rescue; r != nil {
		add("rescue", v.T("staff.now.need.rescue", "at", v.Moment(r.At), "entries", v.Number(r.Entries), "lost", v.Number(r.Lost)), "", librarians("/staff/rescue"))
	}
	if v.DiskFree < leastDisk {
		add("disk", v.T("staff.now.need.disk", "free", v.Disk()), "", "")
	}
	for _, l := range v.Lists {
		if l.Err != "" {
			add("list-"+l.Name, v.T("staff.now.need.list", "list", v.T("staff.now.list."+slug(l.Name))), l.Err, "")
		}
	}
	return list
}

// ownFaults are what staff does itself.
var ownFaults = []string{"staff is working here", OutOfOrder}

// OutOfOrder is the source of the fault by which staff closes the kiosk.
const OutOfOrder = "out of order"

// Desk says who is at the kiosk, without saying who.
func (v nowView) Desk() string {
	switch {
	case slices.ContainsFunc(v.screen.Faults, func(f kiosk.Fault) bool { return slices.Contains(ownFaults, f.Source) }):
		return v.T("staff.now.desk.staff")
	case v.screen.View == kiosk.ViewWelcome && len(v.screen.Lines) == 0:
		return v.T("staff.now.desk.free")
	}
	return v.T("staff.now.desk.busy")
}

// Disk is the room on the disk, in words.
func (v nowView) Disk() string {
	if v.DiskFree >= 10<<30 {
		return v.Number(int(v.DiskFree>>30)) + " GB"
	}
	return v.Number(int(v.DiskFree>>20)) + " MB"
}

// Moment is a time in the library's zone; without the date where that is today's.
func (v nowView) Moment(t time.Time) string {
	t = t.In(v.zone)
	if now := v.at.In(v.zone); t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04")
	}
	return v.moment(t, v.at, v.zone)
}

// Time is the kiosk's clock.
func (v nowView) Time() string { return v.moment(v.Clock.Now, v.at, v.zone) }

// List is the name of one of the library's lists.
func (v nowView) List(l NowList) string { return v.T("staff.now.list." + slug(l.Name)) }

// Count is a number in the language's way.
func (v nowView) Count(n int) string { return v.Number(n) }

// nowView asks how the kiosk is.
func (s *site) nowView(ctx context.Context, l *language, may kiosk.Role) (*nowView, error) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	n, err := s.Staff.Now(ctx)
	return &nowView{Now: n, language: l, screen: s.Desk.Screen(), at: s.Clock(), zone: s.Location, may: may}, err
}

// nowPage shows how the kiosk is; the stream keeps it right.
func (s *site) nowPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if s.Staff.Now == nil {
		http.NotFound(w, r)
		return
	}
	p := s.staffPage(r, who)
	var err error
	if p.Now, err = s.nowView(r.Context(), p.language, who.Role); err != nil {
		s.unread(w, r, "staff: now", err)
		return
	}
	s.showStaff(w, http.StatusOK, "staff-now", p)
}

// nowStream sends the page's inside whenever the screen changes, and looks at
// the rest with each beat.
func (s *site) nowStream(w http.ResponseWriter, r *http.Request) {
	l, seq := s.staffLanguage(r), uint64(0)
	s.staffStream(w, r, kiosk.Helper, s.Staff.Now != nil, func(who kiosk.Member) (string, error) {
		seq = s.Desk.Screen().Seq
		v, err := s.nowView(r.Context(), l, who.Role)
		if err != nil {
			return "", err
		}
		var b strings.Builder
		err = s.pages.ExecuteTemplate(&b, "now", v)
		return b.String(), err
	}, func(ctx context.Context) {
		s.Desk.Next(ctx, seq) //nolint:errcheck // the screen is asked for again
	})
}

// staffStream sends to somebody of the staff what show makes: at once, after
// each wait, and at least with each beat, but the same only once. It ends
// with the session, which an open page does not renew.
func (s *site) staffStream(w http.ResponseWriter, r *http.Request, need kiosk.Role, there bool, show func(kiosk.Member) (string, error), wait func(context.Context)) {
	who, ok := s.door.in(r, false)
	if !ok || !who.Role.May(need) || !there {
		http.Error(w, s.staffLanguage(r).T("staff.wrong.signin"), http.StatusForbidden)
		return
	}
	select {
	case s.open <- struct{}{}:
		defer func() { <-s.open }()
	default:
		http.Error(w, "too many streams", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out := http.NewResponseController(w)
	send := func(m message) bool {
		if err := out.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return false
		}
		_, err := w.Write(m.encode())
		return err == nil && out.Flush() == nil
	}
	for last := ""; ; {
		if who, ok = s.door.in(r, false); !ok {
			send(message{event: "gone", data: "-"})
			return
		}
		text, err := show(who)
		if err != nil {
			s.Log.Error("web: staff's stream", "path", r.URL.Path, "err", err)
			return
		}
		if !send(message{event: "version", data: version}) || text != last && !send(message{data: text}) {
			return
		}
		last = text
		ctx, cancel := context.WithTimeout(r.Context(), stationBeat)
		wait(ctx)
		cancel()
		if r.Context().Err() != nil {
			return
		}
	}
}
