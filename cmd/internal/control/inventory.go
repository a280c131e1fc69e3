package control

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// Inventories are what kioskctl does with inventories: those of the running
// kiosk, or without one an inventory.Service of its own.
type Inventories interface {
	Begin(ctx context.Context, name string, r kiosk.ShelfRange) (kiosk.Inventory, []kiosk.Inventory, error)
	List(ctx context.Context) ([]kiosk.Inventory, error)
	Start(ctx context.Context, id kiosk.ID, who string, loose int) error
	Load(ctx context.Context, id kiosk.ID, who, name string, file io.Reader) (inventory.Taken, error)
	Unload(ctx context.Context, id kiosk.ID, who string, line int64) (n int, err error)
	Scan(ctx context.Context, id kiosk.ID, who string, reads ...inventory.Read) ([]inventory.Said, error)
	Note(ctx context.Context, id kiosk.ID, who string, item kiosk.Barcode, text string) error
	Undo(ctx context.Context, id kiosk.ID, who string, line int64) (int64, error)
	Pause(ctx context.Context, id kiosk.ID) error
	Resume(ctx context.Context, id kiosk.ID) error
	Search(ctx context.Context, id kiosk.ID) error
	End(ctx context.Context, id kiosk.ID, whole bool) (inventory.Report, error)
	Report(ctx context.Context, id kiosk.ID, whole bool) (inventory.Report, error)
	Seen(ctx context.Context, id kiosk.ID, all bool) ([]kiosk.Barcode, error)
	Want(ctx context.Context, why string, list []kiosk.Wanted) error
	Picks(ctx context.Context, r kiosk.ShelfRange, why string) ([]inventory.Pick, error)
	Weeds(ctx context.Context, r kiosk.ShelfRange) ([]inventory.Pick, error)
	Neighbours(ctx context.Context, left, right string) (inventory.Pair, error)
	Return(ctx context.Context, id kiosk.ID, who string, item kiosk.Barcode) error
	Tell(ctx context.Context, id kiosk.ID, who string, items []kiosk.Barcode) (planned int, err error)
	Plan(ctx context.Context, id kiosk.ID, who string, what inventory.What) (planned int, err error)
	TakeBack(ctx context.Context, id kiosk.ID, who string, what inventory.What) (n int, err error)
	Changes(ctx context.Context, id kiosk.ID) ([]inventory.Change, error)
	Send(ctx context.Context, id kiosk.ID, who string) (int, error)
}

var (
	_ Inventories = (*inventory.Service)(nil)
	_ Walker      = (*Client)(nil)
)

// Walker lets the kiosk's own scanner and pad scan for an inventory.
type Walker interface {
	// Walk does so until ctx ends, and tells what is said.
	Walk(ctx context.Context, id kiosk.ID, tell func(inventory.Said)) error
}

// question is a question about an inventory; each uses what it needs.
type question struct {
	ID    kiosk.ID         `json:"id,omitempty"`
	Name  string           `json:"name,omitempty"`
	Who   string           `json:"who,omitempty"`
	Range kiosk.ShelfRange `json:"range,omitzero"`
	Reads []inventory.Read `json:"reads,omitempty"`
	Item  kiosk.Barcode    `json:"item,omitempty"`
	Items []kiosk.Barcode  `json:"items,omitempty"`
	Text  string           `json:"text,omitempty"`
	Right string           `json:"right,omitempty"`
	Line  int64            `json:"line,omitempty"`
	Loose int              `json:"loose,omitempty"`
	All   bool             `json:"all,omitempty"`
	Want  []kiosk.Wanted   `json:"want,omitempty"`
}

// begun is the answer to begin.
type begun struct {
	Inventory kiosk.Inventory   `json:"inventory"`
	Overlap   []kiosk.Inventory `json:"overlap,omitempty"`
}

// walked is a line of what a walk says.
type walked struct {
	inventory.Said
	Failed *failure `json:"failed,omitempty"` // and it has ended
}

// InventoryHandler serves inventories, and all else by next.
func InventoryHandler(v Inventories, w Walker, next http.Handler) http.Handler {
	none := func(err error) (any, error) { return struct{}{}, err }
	mux := http.NewServeMux()
	mux.Handle("/", next)
	for what, do := range map[string]func(context.Context, question) (any, error){
		"begin": func(ctx context.Context, q question) (any, error) {
			i, overlap, err := v.Begin(ctx, q.Name, q.Range)
			return begun{i, overlap}, err
		},
		"list":   func(ctx context.Context, _ question) (any, error) { return v.List(ctx) },
		"start":  func(ctx context.Context, q question) (any, error) { return none(v.Start(ctx, q.ID, q.Who, q.Loose)) },
		"unload": func(ctx context.Context, q question) (any, error) { return v.Unload(ctx, q.ID, q.Who, q.Line) },
		"scan":   func(ctx context.Context, q question) (any, error) { return v.Scan(ctx, q.ID, q.Who, q.Reads...) },
		"note": func(ctx context.Context, q question) (any, error) {
			return none(v.Note(ctx, q.ID, q.Who, q.Item, q.Text))
		},
		"undo":   func(ctx context.Context, q question) (any, error) { return v.Undo(ctx, q.ID, q.Who, q.Line) },
		"pause":  func(ctx context.Context, q question) (any, error) { return none(v.Pause(ctx, q.ID)) },
		"resume": func(ctx context.Context, q question) (any, error) { return none(v.Resume(ctx, q.ID)) },
		"search": func(ctx context.Context, q question) (any, error) { return none(v.Search(ctx, q.ID)) },
		"end":    func(ctx context.Context, q question) (any, error) { return v.End(ctx, q.ID, q.All) },
		"report": func(ctx context.Context, q question) (any, error) { return v.Report(ctx, q.ID, q.All) },
		"seen":   func(ctx context.Context, q question) (any, error) { return v.Seen(ctx, q.ID, q.All) },
		"want":   func(ctx context.Context, q question) (any, error) { return none(v.Want(ctx, q.Text, q.Want)) },
		"picks":  func(ctx context.Context, q question) (any, error) { return v.Picks(ctx, q.Range, q.Text) },
		"weeds":  func(ctx context.Context, q question) (any, error) { return v.Weeds(ctx, q.Range) },
		"return": func(ctx context.Context, q question) (any, error) { return none(v.Return(ctx, q.ID, q.Who, q.Item)) },
		"tell":   func(ctx context.Context, q question) (any, error) { return v.Tell(ctx, q.ID, q.Who, q.Items) },
		"plan": func(ctx context.Context, q question) (any, error) {
			return v.Plan(ctx, q.ID, q.Who, inventory.What(q.Text))
		},
		"takeback": func(ctx context.Context, q question) (any, error) {
			return v.TakeBack(ctx, q.ID, q.Who, inventory.What(q.Text))
		},
		"changes": func(ctx context.Context, q question) (any, error) { return v.Changes(ctx, q.ID) },
		"send":    func(ctx context.Context, q question) (any, error) { return v.Send(ctx, q.ID, q.Who) },
		"pair":    func(ctx context.Context, q question) (any, error) { return v.Neighbours(ctx, q.Text, q.Right) },
	} {
		mux.HandleFunc("POST /inventory/"+what, following(do))
	}
	mux.HandleFunc("POST /inventory/load/{id}", func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex() //nolint:errcheck // then it is told afterwards
		w.Header().Set("Connection", "close")            // what is left of a file that is refused is nobody's next question
		q := r.URL.Query()
		stepping(w, r, func(ctx context.Context) (any, error) {
			return v.Load(ctx, kiosk.ID(r.PathValue("id")), q.Get("who"), q.Get("name"), r.Body)
		})
	})
	mux.HandleFunc("POST /inventory/walk/{id}", func(rw http.ResponseWriter, r *http.Request) {
		enc, rc := json.NewEncoder(rw), http.NewResponseController(rw)
		say := func(s inventory.Said) {
			enc.Encode(s)
			rc.Flush()
		}
		rc.Flush() // it walks
		if err := w.Walk(r.Context(), kiosk.ID(r.PathValue("id")), say); err != nil && r.Context().Err() == nil {
			enc.Encode(walked{Failed: failureOf(err)})
		}
	})
	return mux
}

// Inventories are those of the daemon.
func (c *Client) Inventories() Inventories { return inventoryClient{c} }

type inventoryClient struct{ c *Client }

var _ Inventories = inventoryClient{}

func about[A any](ctx context.Context, c inventoryClient, what string, q question) (A, error) {
	if inventory.ProgressOf(ctx) != nil {
		return follow[A](ctx, c.c, "/inventory/"+what, q)
	}
	return ask[A](ctx, c.c, "/inventory/"+what, q)
}

func (c inventoryClient) tell(ctx context.Context, what string, q question) error {
	_, err := about[struct{}](ctx, c, what, q)
	return err
}

func (c inventoryClient) Begin(ctx context.Context, name string, r kiosk.ShelfRange) (kiosk.Inventory, []kiosk.Inventory, error) {
	b, err := about[begun](ctx, c, "begin", question{Name: name, Range: r})
	return b.Inventory, b.Overlap, err
}

func (c inventoryClient) List(ctx context.Context) ([]kiosk.Inventory, error) {
	return about[[]kiosk.Inventory](ctx, c, "list", question{})
}

func (c inventoryClient) Start(ctx context.Context, id kiosk.ID, who string, loose int) error {
	return c.tell(ctx, "start", question{ID: id, Who: who, Loose: loose})
}

// Load sends the file while it is told how far it is.
func (c inventoryClient) Load(ctx context.Context, id kiosk.ID, who, name string, file io.Reader) (inventory.Taken, error) {
	q := url.Values{"who": {who}, "name": {name}}
	return steps[inventory.Taken](ctx, c.c, "/inventory/load/"+url.PathEscape(string(id))+"?"+q.Encode(), file)
}

func (c inventoryClient) Unload(ctx context.Context, id kiosk.ID, who string, line int64) (int, error) {
	return about[int](ctx, c, "unload", question{ID: id, Who: who, Line: line})
}

func (c inventoryClient) Scan(ctx context.Context, id kiosk.ID, who string, reads ...inventory.Read) ([]inventory.Said, error) {
	return about[[]inventory.Said](ctx, c, "scan", question{ID: id, Who: who, Reads: reads})
}

func (c inventoryClient) Note(ctx context.Context, id kiosk.ID, who string, item kiosk.Barcode, text string) error {
	return c.tell(ctx, "note", question{ID: id, Who: who, Item: item, Text: text})
}

func (c inventoryClient) Undo(ctx context.Context, id kiosk.ID, who string, line int64) (int64, error) {
	return about[int64](ctx, c, "undo", question{ID: id, Who: who, Line: line})
}

func (c inventoryClient) Pause(ctx context.Context, id kiosk.ID) error {
	return c.tell(ctx, "pause", question{ID: id})
}

func (c inventoryClient) Resume(ctx context.Context, id kiosk.ID) error {
	return c.tell(ctx, "resume", question{ID: id})
}

func (c inventoryClient) Search(ctx context.Context, id kiosk.ID) error {
	return c.tell(ctx, "search", question{ID: id})
}

func (c inventoryClient) End(ctx context.Context, id kiosk.ID, whole bool) (inventory.Report, error) {
	return about[inventory.Report](ctx, c, "end", question{ID: id, All: whole})
}

func (c inventoryClient) Report(ctx context.Context, id kiosk.ID, whole bool) (inventory.Report, error) {
	return about[inventory.Report](ctx, c, "report", question{ID: id, All: whole})
}

func (c inventoryClient) Seen(ctx context.Context, id kiosk.ID, all bool) ([]kiosk.Barcode, error) {
	return about[[]kiosk.Barcode](ctx, c, "seen", question{ID: id, All: all})
}

func (c inventoryClient) Want(ctx context.Context, why string, list []kiosk.Wanted) error {
	return c.tell(ctx, "want", question{Text: why, Want: list})
}

func (c inventoryClient) Picks(ctx context.Context, r kiosk.ShelfRange, why string) ([]inventory.Pick, error) {
	return about[[]inventory.Pick](ctx, c, "picks", question{Range: r, Text: why})
}

func (c inventoryClient) Weeds(ctx context.Context, r kiosk.ShelfRange) ([]inventory.Pick, error) {
	return about[[]inventory.Pick](ctx, c, "weeds", question{Range: r})
}

func (c inventoryClient) Neighbours(ctx context.Context, left, right string) (inventory.Pair, error) {
	return about[inventory.Pair](ctx, c, "pair", question{Text: left, Right: right})
}

func (c inventoryClient) Return(ctx context.Context, id kiosk.ID, who string, item kiosk.Barcode) error {
	return c.tell(ctx, "return", question{ID: id, Who: who, Item: item})
}

func (c inventoryClient) Tell(ctx context.Context, id kiosk.ID, who string, items []kiosk.Barcode) (int, error) {
	return about[int](ctx, c, "tell", question{ID: id, Who: who, Items: items})
}

func (c inventoryClient) Plan(ctx context.Context, id kiosk.ID, who string, what inventory.What) (int, error) {
	return about[int](ctx, c, "plan", question{ID: id, Who: who, Text: string(what)})
}

func (c inventoryClient) TakeBack(ctx context.Context, id kiosk.ID, who string, what inventory.What) (int, error) {
	return about[int](ctx, c, "takeback", question{ID: id, Who: who, Text: string(what)})
}

func (c inventoryClient) Changes(ctx context.Context, id kiosk.ID) ([]inventory.Change, error) {
	return about[[]inventory.Change](ctx, c, "changes", question{ID: id})
}

func (c inventoryClient) Send(ctx context.Context, id kiosk.ID, who string) (int, error) {
	return about[int](ctx, c, "send", question{ID: id, Who: who})
}

// Walk implements Walker.
func (c *Client) Walk(ctx context.Context, id kiosk.ID, tell func(inventory.Said)) error {
	resp, err := c.call(ctx, "POST", "/inventory/walk/"+url.PathEscape(string(id)), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for dec := json.NewDecoder(resp.Body); ; {
		var l walked
		switch err := dec.Decode(&l); {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return brokeOff(err)
		case l.Failed != nil:
			return l.Failed.err()
		}
		tell(l.Said)
	}
}
