package koha

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Backend is the library behind a server.
type Backend interface {
	Login(user, password string) bool
	Patron(c kiosk.Card, pin string) (p kiosk.Patron, loans []kiosk.Loan, err error)
	Item(b kiosk.Barcode) (i kiosk.Item, s kiosk.Standing, holder kiosk.Card, err error)
	Do(e kiosk.Entry, noBlock bool) (kiosk.Answer, error)
}

// Server is Koha's half, for tests and demonstrations: what Upstream asks, as
// Koha 23.11 answers it. Everything has its number from the first time it is
// asked for.
type Server struct {
	Backend Backend
	// Cards and Barcodes are what a list of everything shows; nil shows none.
	Cards    func() []kiosk.Card
	Barcodes func() []kiosk.Barcode
	// Changed tells when what is known by a card or barcode has changed last;
	// nil: just now.
	Changed func(name string) time.Time

	mu     sync.Mutex
	ids    map[string]int
	names  []string
	tokens map[string]time.Time
	denied map[asked]kiosk.Reason // the last refusal, by item and patron
}

// asked is what a loan is about.
type asked struct {
	item   kiosk.Barcode
	patron kiosk.Card
}

// id gives the number of a card ("card C1"), an item or a loan.
func (s *Server) id(kind, name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		s.ids = map[string]int{}
	}
	key := kind + " " + name
	if s.ids[key] == 0 {
		s.names = append(s.names, key)
		s.ids[key] = len(s.names)
	}
	return s.ids[key]
}

// name is id's other way.
func (s *Server) name(kind string, id int) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > len(s.names) {
		return "", false
	}
	return strings.CutPrefix(s.names[id-1], kind+" ")
}

// Handler serves /api/v1.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request){
		"GET /api/v1/libraries":                 s.libraries,
		"GET /api/v1/patrons":                   s.patrons,
		"POST /api/v1/auth/password/validation": s.password,
		"GET /api/v1/items":                     s.items,
		"GET /api/v1/checkouts":                 s.checkouts,
		"GET /api/v1/checkouts/availability":    s.availability,
		"POST /api/v1/checkouts":                s.lend,
		"POST /api/v1/checkouts/{id}/renewals":  s.renew,
	} {
		mux.HandleFunc(pattern, s.signed(h))
	}
	mux.HandleFunc("POST /api/v1/oauth/token", s.token)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusNotFound, map[string]any{"errors": []any{map[string]any{"message": "Not Found.", "path": "/"}}, "status": 404})
	})
	return http.MaxBytesHandler(mux, 64<<10)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) //nolint:errcheck // the client is gone
}

func says(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]any{"error": text})
}

// signed lets in who has a password or a token.
func (s *Server) signed(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); ok {
			if !s.Backend.Login(user, password) {
				reply(w, http.StatusForbidden, map[string]any{"error": "Invalid password", "required_permissions": nil})
				return
			}
			h(w, r)
			return
		}
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.mu.Lock()
		end := s.tokens[token]
		s.mu.Unlock()
		if !time.Now().Before(end) {
			says(w, http.StatusUnauthorized, "Authentication failure.")
			return
		}
		h(w, r)
	}
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("grant_type") != "client_credentials" || !s.Backend.Login(r.PostFormValue("client_id"), r.PostFormValue("client_secret")) {
		says(w, http.StatusForbidden, "unauthorized_client")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil {
		s.tokens = map[string]time.Time{}
	}
	t := fmt.Sprintf("token-%d", len(s.tokens)+1)
	s.tokens[t] = time.Now().Add(time.Hour)
	reply(w, http.StatusOK, map[string]any{"access_token": t, "expires_in": 3600, "token_type": "Bearer"})
}

func (s *Server) libraries(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusOK, []any{map[string]any{"library_id": "CPL", "name": "Centerville"}})
}

// question is what q asks for, of a list whose rows have their number in a
// field: {"field": "text"}, {"item_id": 1}, {"field": [1, 2]}, {"field": {">": 1}} and what has
// changed {">=": "time"}, all of which must hold.
type question struct {
	texts   map[string]string
	numbers []int // nil means any
	above   int
	since   time.Time
	item    int // of loans; 0 means any
}

// asks reads q; false if it makes no sense.
func asks(r *http.Request, number string) (q question, ok bool) {
	var fields map[string]json.RawMessage
	raw := r.URL.Query().Get("q")
	if raw == "" {
		return q, true
	}
	if json.Unmarshal([]byte(raw), &fields) != nil {
		return q, false
	}
	q.texts = map[string]string{}
	for name, value := range fields {
		var text string
		var above struct {
			N int `json:">"`
		}
		var since struct {
			T time.Time `json:">="`
		}
		switch {
		case json.Unmarshal(value, &text) == nil:
			q.texts[name] = text
		case name == number && json.Unmarshal(value, &q.numbers) == nil:
		case name == number && json.Unmarshal(value, &above) == nil:
			q.above = above.N
		case name == "item_id" && json.Unmarshal(value, &q.item) == nil:
		case json.Unmarshal(value, &since) == nil && !since.T.IsZero():
			q.since = since.T
		default:
			return q, false
		}
	}
	return q, true
}

// rows gives what is asked for of all names of a kind, in the order of their
// numbers.
func rows[N ~string](s *Server, kind string, all []N, q question) []N {
	numbers := map[N]int{}
	for _, n := range all {
		numbers[n] = s.id(kind, string(n))
	}
	list := slices.DeleteFunc(slices.Clone(all), func(n N) bool {
		id := numbers[n]
		return id <= q.above || q.numbers != nil && !slices.Contains(q.numbers, id) || s.Changed != nil && s.Changed(string(n)).Before(q.since)
	})
	slices.SortFunc(list, func(a, b N) int { return numbers[a] - numbers[b] })
	return list
}

// page cuts a list as asked, and says how long it is.
func page[T any](w http.ResponseWriter, r *http.Request, list []T) []T {
	n, size := 1, 20
	fmt.Sscan(r.URL.Query().Get("_page"), &n)        //nolint:errcheck // it stays
	fmt.Sscan(r.URL.Query().Get("_per_page"), &size) //nolint:errcheck // it stays
	w.Header().Set("X-Total-Count", strconv.Itoa(len(list)))
	begin := min(max(0, (n-1)*size), len(list))
	return list[begin:min(begin+max(size, 1), len(list))]
}

func (s *Server) patrons(w http.ResponseWriter, r *http.Request) {
	q, ok := asks(r, "patron_id")
	if !ok {
		says(w, http.StatusBadRequest, "Malformed query")
		return
	}
	var cards []kiosk.Card
	switch card := q.texts["cardnumber"]; {
	case card != "":
		cards = []kiosk.Card{kiosk.Card(card)}
	case q.numbers != nil:
		cards = page(w, r, named[kiosk.Card](s, "card", q.numbers))
	case s.Cards != nil:
		cards = page(w, r, rows(s, "card", s.Cards(), q))
	}
	list := []any{}
	for _, c := range cards {
		p, _, err := s.Backend.Patron(c, "")
		if err != nil {
			continue
		}
		m := map[string]any{"patron_id": s.id("card", string(c)), "cardnumber": c, "firstname": p.FirstName, "surname": p.FamilyName, "category_id": p.Category,
			"library_id": p.Library, "lang": "default", "date_of_birth": nil, "expiry_date": nil,
			"restricted":       p.Blocked != "" && p.Blocked != kiosk.ReasonCardLost && p.Blocked != kiosk.ReasonCardExpired,
			"patron_card_lost": p.Blocked == kiosk.ReasonCardLost, "incorrect_address": false}
		if !p.Expires.IsZero() {
			m["expiry_date"] = p.Expires.Add(-time.Second).Format(time.DateOnly)
		}
		if p.Email != "" {
			m["email"] = p.Email
		}
		if p.Language != "" {
			m["lang"] = p.Language
		}
		list = append(list, m)
	}
	reply(w, http.StatusOK, list)
}

// named is what some numbers stand for.
func named[N ~string](s *Server, kind string, numbers []int) (list []N) {
	for _, id := range numbers {
		if name, ok := s.name(kind, id); ok {
			list = append(list, N(name))
		}
	}
	return list
}

func (s *Server) password(w http.ResponseWriter, r *http.Request) {
	var b struct{ Identifier, Password string }
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		says(w, http.StatusBadRequest, "Malformed JSON")
		return
	}
	p, _, err := s.Backend.Patron(kiosk.Card(b.Identifier), b.Password)
	if err != nil || !p.PINChecked {
		says(w, http.StatusBadRequest, "Validation failed")
		return
	}
	reply(w, http.StatusCreated, map[string]any{"cardnumber": p.Card, "patron_id": s.id("card", b.Identifier), "userid": b.Identifier})
}

func (s *Server) items(w http.ResponseWriter, r *http.Request) {
	q, ok := asks(r, "item_id")
	if !ok {
		says(w, http.StatusBadRequest, "Malformed query")
		return
	}
	var barcodes []kiosk.Barcode
	switch b := r.URL.Query().Get("external_id"); {
	case b != "":
		barcodes = []kiosk.Barcode{kiosk.Barcode(b)}
	case q.numbers != nil:
		barcodes = page(w, r, named[kiosk.Barcode](s, "item", q.numbers))
	case s.Barcodes != nil:
		barcodes = page(w, r, rows(s, "item", s.Barcodes(), q))
	}
	list := []any{}
	for _, b := range barcodes {
		i, st, _, err := s.Backend.Item(b)
		if err != nil {
			continue
		}
		flag := func(on bool) int {
			if on {
				return 1
			}
			return 0
		}
		m := map[string]any{"item_id": s.id("item", string(b)), "external_id": b, "callnumber": i.CallNumber, "home_library_id": i.Library,
			"effective_item_type_id": i.Type, "location": i.Location, "call_number_source": nil, "checked_out_date": nil,
			"effective_not_for_loan_status": flag(i.NoLoan || i.Reference), "lost_status": flag(st.Status == kiosk.StatusLost),
			"withdrawn": flag(st.Status == kiosk.StatusWithdrawn), "restricted_status": nil, "timestamp": time.Now().UTC().Format(time.RFC3339)}
		if st.Status == kiosk.StatusOnLoan {
			m["checked_out_date"] = st.Due.Format(time.DateOnly)
		}
		if r.Header.Get("x-koha-embed") == "biblio" {
			m["biblio"] = map[string]any{"title": i.Title, "subtitle": nil, "author": i.Author, "isbn": i.ISBN}
		}
		list = append(list, m)
	}
	reply(w, http.StatusOK, list)
}

func (s *Server) loan(l kiosk.Loan) map[string]any {
	return map[string]any{"checkout_id": s.id("loan", string(l.Item)), "patron_id": s.id("card", string(l.Patron)), "item_id": s.id("item", string(l.Item)),
		"checkout_date": l.At.Format(time.RFC3339), "due_date": l.Due.Format(time.RFC3339)}
}

func (s *Server) checkouts(w http.ResponseWriter, r *http.Request) {
	var cards []kiosk.Card
	if q := r.URL.Query().Get("patron_id"); q != "" {
		id, _ := strconv.Atoi(q)
		if name, ok := s.name("card", id); ok {
			cards = []kiosk.Card{kiosk.Card(name)}
		}
	} else if s.Cards != nil {
		cards = s.Cards()
	}
	q, ok := asks(r, "checkout_id")
	if !ok {
		says(w, http.StatusBadRequest, "Malformed query")
		return
	}
	out := map[kiosk.Barcode]kiosk.Loan{}
	for _, c := range cards {
		_, loans, err := s.Backend.Patron(c, "")
		if err != nil {
			continue
		}
		for _, l := range loans {
			if q.item == 0 || q.item == s.id("item", string(l.Item)) {
				out[l.Item] = l
			}
		}
	}
	list := []any{}
	for _, b := range page(w, r, rows(s, "loan", slices.Sorted(maps.Keys(out)), q)) {
		list = append(list, s.loan(out[b]))
	}
	reply(w, http.StatusOK, list)
}

// entry finds what a question is about.
func (s *Server) entry(patron, item int, k kiosk.Kind) (e kiosk.Entry, missing string) {
	card, ok := s.name("card", patron)
	if !ok {
		return e, "Patron not found"
	}
	barcode, ok := s.name("item", item)
	if !ok {
		return e, "Item not found"
	}
	return kiosk.Entry{Kind: k, Item: kiosk.Barcode(barcode), Patron: kiosk.Card(card), At: time.Now().Truncate(time.Second), State: kiosk.Asked}, ""
}

// kohaCodes are the codes for the kiosk's reasons, and whether they can be
// confirmed.
var kohaCodes = map[kiosk.Reason]struct {
	code     string
	confirms bool
}{
	kiosk.ReasonCardBlocked: {"DEBARRED", false}, kiosk.ReasonCardExpired: {"EXPIRED", false}, kiosk.ReasonCardLost: {"CARD_LOST", false},
	kiosk.ReasonFees: {"DEBT", false}, kiosk.ReasonNotForLoan: {"NOT_FOR_LOAN", false}, kiosk.ReasonOnLoanOther: {"ISSUED_TO_ANOTHER", true},
	kiosk.ReasonOnHold: {"RESERVED", true}, kiosk.ReasonTooMany: {"TOO_MANY", true}, kiosk.ReasonFeeRequired: {"RENTALCHARGE", true},
}

// concern is what is in the way of a loan, found out without lending.
func (s *Server) concern(e kiosk.Entry) (reason kiosk.Reason, mine bool) {
	i, st, holder, err := s.Backend.Item(e.Item)
	if err != nil {
		return kiosk.ReasonUnknownItem, false
	}
	p, loans, err := s.Backend.Patron(e.Patron, "")
	switch {
	case err != nil:
		return kiosk.ReasonUnknownCard, false
	case p.Blocked != "":
		return p.Blocked, false
	case holder == e.Patron && holder != "":
		return "", true
	case i.NoLoan || i.Reference || st.Status == kiosk.StatusWithdrawn:
		return kiosk.ReasonNotForLoan, false
	case holder != "":
		return kiosk.ReasonOnLoanOther, false
	case st.Status == kiosk.StatusOnHold, st.Holds > 0:
		return kiosk.ReasonOnHold, false
	case len(loans) > 0 && st.Status != kiosk.StatusAvailable:
		return kiosk.ReasonAskStaff, false
	}
	return "", false
}

func (s *Server) availability(w http.ResponseWriter, r *http.Request) {
	patron, _ := strconv.Atoi(r.URL.Query().Get("patron_id"))
	item, _ := strconv.Atoi(r.URL.Query().Get("item_id"))
	e, missing := s.entry(patron, item, kiosk.Checkout)
	if missing != "" {
		says(w, http.StatusConflict, missing)
		return
	}
	reason, mine := s.concern(e)
	if reason == "" && !mine {
		s.mu.Lock()
		reason = s.denied[asked{e.Item, e.Patron}]
		s.mu.Unlock()
	}
	blockers, confirms := map[string]any{}, map[string]any{}
	switch c := kohaCodes[reason]; {
	case mine:
		confirms["RENEW_ISSUE"] = 1
	case reason == kiosk.ReasonOnHold:
		code := "RESERVED"
		if _, st, _, _ := s.Backend.Item(e.Item); st.Status == kiosk.StatusOnHold {
			code = "RESERVE_WAITING"
		}
		confirms[code], confirms["rescardnumber"], confirms["ressurname"] = 1, "23529000000109", "Holds"
	case c.confirms:
		confirms[c.code] = 1
	case c.code != "":
		blockers[c.code] = 1
	}
	reply(w, http.StatusOK, map[string]any{"blockers": blockers, "confirms": confirms, "warnings": map[string]any{}, "confirmation_token": "-"})
}

func (s *Server) lend(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Patron int `json:"patron_id"`
		Item   int `json:"item_id"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		reply(w, http.StatusBadRequest, map[string]any{"errors": []any{map[string]any{"message": err.Error(), "path": "/body"}}, "status": 400})
		return
	}
	e, missing := s.entry(b.Patron, b.Item, kiosk.Checkout)
	if missing != "" {
		says(w, http.StatusConflict, missing)
		return
	}
	if _, mine := s.concern(e); mine {
		says(w, http.StatusPreconditionFailed, "Confirmation error")
		return
	}
	a, err := s.Backend.Do(e, false)
	if refused, ok := errors.AsType[*kiosk.Error](err); ok && refused.Code == kiosk.CodeRefused {
		s.deny(e, refused.Reason)
		switch c := kohaCodes[refused.Reason]; {
		case refused.Reason == kiosk.ReasonUnknownItem:
			says(w, http.StatusConflict, "Item not found")
		case refused.Reason == kiosk.ReasonUnknownCard:
			says(w, http.StatusConflict, "Patron not found")
		case c.confirms:
			says(w, http.StatusPreconditionFailed, "Confirmation error")
		default:
			says(w, http.StatusForbidden, "Checkout not authorized ("+c.code+")")
		}
		return
	}
	if err != nil {
		says(w, http.StatusInternalServerError, "Unknown error during checkout")
		return
	}
	reply(w, http.StatusCreated, s.loan(kiosk.Loan{Item: e.Item, Patron: e.Patron, At: e.At, Due: a.Due}))
}

// deny remembers a refusal, for who asks why.
func (s *Server) deny(e kiosk.Entry, r kiosk.Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.denied == nil {
		s.denied = map[asked]kiosk.Reason{}
	}
	s.denied[asked{e.Item, e.Patron}] = r
}

func (s *Server) renew(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	barcode, ok := s.name("loan", id)
	_, st, holder, err := s.Backend.Item(kiosk.Barcode(barcode))
	if !ok || err != nil || st.Status != kiosk.StatusOnLoan {
		says(w, http.StatusNotFound, "Checkout doesn't exist")
		return
	}
	e := kiosk.Entry{Kind: kiosk.Renew, Item: kiosk.Barcode(barcode), Patron: holder, At: time.Now().Truncate(time.Second), State: kiosk.Asked}
	a, err := s.Backend.Do(e, false)
	if refused, ok := errors.AsType[*kiosk.Error](err); ok && refused.Code == kiosk.CodeRefused {
		code := "too_many"
		if refused.Reason == kiosk.ReasonOnHold {
			code = "on_reserve"
		}
		says(w, http.StatusForbidden, "Renewal not authorized ("+code+")")
		return
	}
	if err != nil {
		says(w, http.StatusInternalServerError, "Something went wrong")
		return
	}
	reply(w, http.StatusCreated, s.loan(kiosk.Loan{Item: e.Item, Patron: holder, At: e.At, Due: a.Due}))
}
