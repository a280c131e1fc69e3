package web

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// mostChanges are shown at once.
const mostChanges = 200

// outgoingLook is the time between two looks how far the library's system is.
const outgoingLook = 3 * time.Second

// outgoingView is what the library's system is told of an inventory, with words.
type outgoingView struct {
	inventory.Outgoing
	*language
	Done string // what has just been done
}

// Title is what is told, in a few words.
func (v outgoingView) Title(w inventory.What) string { return v.T("staff.inv.tell.what." + string(w)) }

// How is how it is told, or why it can't be.
func (v outgoingView) How(w inventory.What) string {
	switch {
	case w == inventory.Return && v.Ends:
		return v.T("staff.inv.tell.how.return")
	case !v.Ends:
		return v.T("staff.inv.tell.how.nobody")
	case v.Tells == "":
		return v.T("staff.inv.tell.how.none")
	}
	return v.T("staff.inv.tell.how." + v.Tells)
}

// Can tells whether it can be planned: a return that nobody takes waits.
func (v outgoingView) Can(w inventory.What) bool { return w == inventory.Return || v.Tells != "" }

// Steps are how far changes may have come, but for what is planned.
func (v outgoingView) Steps() []inventory.Progress {
	return []inventory.Progress{inventory.Waiting, inventory.Told, inventory.Refused, inventory.Passed}
}

// Step is one in a word or two.
func (v outgoingView) Step(p inventory.Progress) string {
	return v.T("staff.inv.tell.step." + string(p))
}

// In counts the changes of a kind that have come so far.
func (v outgoingView) In(k inventory.Telling, p inventory.Progress) int { return k.In[p] }

// All counts those of all kinds.
func (v outgoingView) All(p inventory.Progress) (n int) {
	for _, k := range v.Kinds {
		n += k.In[p]
	}
	return n
}

// outgoing gives what there is now.
func (s *site) outgoing(ctx context.Context, l *language, id kiosk.ID) (*outgoingView, error) {
	o, err := s.Staff.Inventories.Outgoing(ctx, id, mostChanges)
	return &outgoingView{Outgoing: o, language: l}, err
}

// outgoingPage shows it.
func (s *site) outgoingPage(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	x, r := s.watched(w, r, who)
	p := x.page
	v, err := s.outgoing(r.Context(), p.language, kiosk.ID(r.PathValue("id")))
	if x.over(err, again(r)) {
		return
	}
	switch did := r.URL.Query().Get("did"); did {
	case "plan", "takeback", "send":
		if n, err := strconv.Atoi(r.URL.Query().Get("n")); err == nil {
			v.Done = p.T("staff.inv.tell.done."+did, "n", p.Number(n))
		}
	}
	p.Outgoing = v
	s.showStaff(w, http.StatusOK, "staff-outgoing", p)
}

// outgoingStream sends it as the library's system takes it.
func (s *site) outgoingStream(w http.ResponseWriter, r *http.Request) {
	l, id := s.staffLanguage(r), kiosk.ID(r.PathValue("id"))
	s.staffStream(w, r, kiosk.Librarian, s.Staff.Inventories != nil, func(kiosk.Member) (string, error) {
		ctx, cancel := context.WithTimeout(r.Context(), inventoryTime)
		defer cancel()
		v, err := s.outgoing(ctx, l, id)
		if err != nil {
			return "", err
		}
		var b strings.Builder
		err = s.pages.ExecuteTemplate(&b, "outgoing", v)
		return b.String(), err
	}, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, outgoingLook)
		defer cancel()
		<-ctx.Done()
	})
}

// outgoingTouch plans, takes back and sends.
func (s *site) outgoingTouch(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if !takeForm(w, r) {
		return
	}
	id, what, value := kiosk.ID(r.PathValue("id")), r.PathValue("what"), strings.TrimSpace(r.PostForm.Get("value"))
	do := map[string]func() (int, error){
		"plan": func() (int, error) {
			return s.Staff.Inventories.Plan(r.Context(), id, walker(r, who), inventory.What(value))
		},
		"takeback": func() (int, error) {
			return s.Staff.Inventories.TakeBack(r.Context(), id, walker(r, who), inventory.What(value))
		},
		"drop": func() (int, error) { return 1, s.touchInventory(r, id, "undo", value, walker(r, who)) },
		"send": func() (int, error) { return s.Staff.Inventories.Send(r.Context(), id, walker(r, who)) },
	}[what]
	if do == nil {
		http.Error(w, "no such touch", http.StatusBadRequest)
		return
	}
	if what == "drop" {
		what = "takeback"
	}
	if !s.note(w, r, who, "inventory."+what, string(id), value) {
		return
	}
	n, err := do()
	if err != nil {
		s.failTouch(w, r, err)
		return
	}
	http.Redirect(w, r, "/staff/inventory/"+string(id)+"/tell?did="+what+"&n="+strconv.Itoa(n), http.StatusSeeOther)
}

// seenFile gives the numbers of what was seen and may stand there, as Koha's
// inventory tool takes them: one a line.
func (s *site) seenFile(w http.ResponseWriter, r *http.Request, _ kiosk.Member) {
	list, err := s.Staff.Inventories.Seen(r.Context(), kiosk.ID(r.PathValue("id")), false)
	if err != nil {
		s.failInventory(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="carrel-seen-`+s.Clock().In(s.Location).Format(time.DateOnly)+`.txt"`)
	b := bufio.NewWriter(w)
	defer b.Flush()
	for _, item := range list {
		b.WriteString(string(item) + "\r\n")
	}
}
