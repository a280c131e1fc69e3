package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/search"
)

var _ kiosk.Finder = (*Reader)(nil)

const (
	maxHits   = 300 // items that are looked at for one question
	maxCopies = 100 // of one title that are listed
	maxNear   = 4   // words that a misspelled one may stand for
	maxLike   = 80  // words that are compared with it
)

// Find is kiosk.Finder's. It asks the index ever less strictly, until there is
// something: what begins so, what has these words together, what has them
// anywhere, what is about them, what has words that are near, and what lacks one of them. Each
// question is bounded, so that the answer takes as long in a large catalogue as
// in a small one.
func (r *Reader) Find(ctx context.Context, text string, page int) (f kiosk.Findings, err error) {
	h := hunt{Reader: r, ctx: ctx, text: text, q: search.Parse(text), have: map[int64]int{}}
	if f.Unread, err = r.unread(ctx); err != nil {
		return f, wrap("find", err)
	}
	if err := h.run(); err != nil {
		return f, wrap("find", err)
	}
	titles := h.titles()
	f.Total, f.More, f.Near, f.Meant = len(titles), len(h.hits) >= maxHits, h.near, h.meant()
	from := min(max(page, 0)*kiosk.FindPage, len(titles))
	for _, t := range titles[from:min(from+kiosk.FindPage, len(titles))] {
		whole, err := h.whole(t)
		if err != nil {
			return f, wrap("find", err)
		}
		f.Titles = append(f.Titles, whole)
	}
	return f, nil
}

// hunt is one Find under way.
type hunt struct {
	*Reader
	ctx  context.Context
	text string
	q    search.Query
	have map[int64]int // places in hits, by rowid
	hits []hit
	near bool
	like [][]string // for each word, what it may stand for; nil: it was not needed
}

// hit is an item that was found.
type hit struct {
	kiosk.Item
	fit search.Fit
}

const hitSQL = "SELECT rowid, " + itemColumns + " FROM items WHERE "

// run asks until there is enough.
func (h *hunt) run() error {
	if err := h.codes(); err != nil || len(h.hits) > 0 || h.q.Empty() {
		return err
	}
	q := h.q.Settled()
	words, end := q.Words(), ""
	if q.Open() {
		end = " *"
	}
	phrase := quoted(words) + end
	for _, ask := range []string{
		"title : ^ " + quoted(words), // first: among many that only go on from it, it would not be looked at
		"title : ^ " + phrase, "call : ^ " + phrase, "title : " + phrase, "{title author call} : (" + parts(q, end) + ")", "author : (" + parts(q, end) + ")",
		"subjects : " + phrase, parts(q, end),
	} {
		if err := h.match(ask); err != nil {
			return err
		}
	}
	if len(h.hits) > 0 {
		return nil
	}
	h.near = true
	return h.nearly(q)
}

// codes finds what is a number: of a copy, or of a book.
func (h *hunt) codes() error {
	code := strings.TrimSpace(h.text)
	if code == "" || len(code) > kiosk.MaxCode {
		return nil
	}
	if err := h.read("barcode = ?1 LIMIT ?2", code); err != nil {
		return err
	}
	switch isbn := search.ISBN(code); {
	case len(isbn) == 13:
		return h.read("isbn = ?1 AND isbn <> '' LIMIT ?2", isbn)
	case isbn != "":
		return h.read("isbn >= ?1 AND isbn < ?1 || ':' AND isbn <> '' LIMIT ?2", isbn)
	}
	return nil
}

// nearly finds what is spelled otherwise, or lacks a word.
func (h *hunt) nearly(q search.Query) error {
	var groups []string
	for _, p := range q.Parts {
		like := p
		if len(p) == 1 && search.Slips(p[0]) > 0 {
			near, err := h.alike(p[0])
			if err != nil {
				return err
			}
			like = near
			h.like = append(h.like, near)
			groups = append(groups, "("+strings.Join(apart(near), " OR ")+")")
			continue
		}
		h.like = append(h.like, []string{strings.Join(like, " ")})
		groups = append(groups, quoted(p))
	}
	if err := h.match(strings.Join(groups, " AND ")); err != nil || len(h.hits) > 0 || len(groups) < 2 {
		return err
	}
	for i := range groups {
		if err := h.match(strings.Join(slices.Delete(slices.Clone(groups), i, i+1), " AND ")); err != nil {
			return err
		}
	}
	return nil
}

// alike are the words that one may stand for: itself if it is there, what goes
// on from it, and those that are near.
func (h *hunt) alike(word string) ([]string, error) {
	rows, err := h.db.QueryContext(h.ctx, "SELECT word FROM find_words WHERE word >= ?1 AND word < ?1 || char(1114111) ORDER BY word LIMIT 2", word)
	out, err := all("words", rows, err, scanWord)
	if err != nil {
		return nil, err
	}
	padded := []rune("_" + word + "_")
	var grams []string
	for i := range len(padded) - 2 {
		grams = append(grams, string(padded[i:i+3]))
	}
	rows, err = h.db.QueryContext(h.ctx, `
SELECT w.word FROM (SELECT rowid AS id FROM find_grams WHERE find_grams MATCH ? ORDER BY rank LIMIT ?) g JOIN find_words w ON w.id = g.id`,
		strings.Join(apart(grams), " OR "), maxLike)
	near, err := all("words", rows, err, scanWord)
	if err != nil {
		return nil, err
	}
	out = append(out, search.Nearest(word, near, maxNear)...)
	if len(out) == 0 {
		out = []string{word}
	}
	return out, nil
}

func scanWord(r row) (w string, err error) { return w, r.Scan(&w) }

// match adds what the index has.
func (h *hunt) match(ask string) error {
	return h.read("rowid IN (SELECT rowid FROM find_items WHERE find_items MATCH ?1 LIMIT ?2)", ask)
}

// read adds items, as many as there is room for.
func (h *hunt) read(where, arg string) error {
	if len(h.hits) >= maxHits {
		return nil
	}
	rows, err := h.db.QueryContext(h.ctx, hitSQL+where, arg, maxHits)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() && len(h.hits) < maxHits {
		var id int64
		i, err := scanItem(behind{rows, &id})
		if err != nil {
			return err
		}
		if _, ok := h.have[id]; ok {
			continue
		}
		h.have[id] = len(h.hits)
		h.hits = append(h.hits, hit{i, h.q.Of(search.Book{Title: i.Title, Author: i.Author, Call: i.CallNumber, Subjects: i.Headings()})})
	}
	return rows.Err()
}

// behind scans a row that has one column before those of others.
type behind struct {
	row
	first any
}

func (b behind) Scan(to ...any) error { return b.row.Scan(append([]any{b.first}, to...)...) }

// titles puts the copies of a title together, and what fits best first.
func (h *hunt) titles() []kiosk.Title {
	type group struct {
		kiosk.Title
		fit search.Fit
	}
	var list []*group
	by := map[string]*group{}
	for _, x := range h.hits {
		key := titleKey(x.Item)
		g := by[key]
		if g == nil {
			g = &group{kiosk.Title{Title: x.Title, Author: x.Author, ISBN: x.ISBN}, x.fit}
			by[key], list = g, append(list, g)
		}
		if x.fit.Less(g.fit) < 0 {
			g.fit = x.fit
		}
		g.Copies = append(g.Copies, kiosk.Whereabouts{Item: x.Item})
	}
	slices.SortStableFunc(list, func(a, b *group) int {
		return cmp.Or(a.fit.Less(b.fit), strings.Compare(a.Title.Title, b.Title.Title))
	})
	out := make([]kiosk.Title, len(list))
	for i, g := range list {
		out[i] = g.Title
	}
	return out
}

// titleKey is the same for the copies of one title.
func titleKey(i kiosk.Item) string {
	return search.Fold(i.Title) + "\x00" + search.Fold(i.Author) + "\x00" + i.ISBN
}

// whole adds the copies that were not found, a call number differs, and where
// each is.
func (h *hunt) whole(t kiosk.Title) (kiosk.Title, error) {
	key := titleKey(t.Copies[0].Item)
	more, err := h.siblings(t)
	if err != nil {
		return t, err
	}
	for _, i := range more {
		if titleKey(i) == key && len(t.Copies) < maxCopies && !slices.ContainsFunc(t.Copies, func(c kiosk.Whereabouts) bool { return c.Barcode == i.Barcode }) {
			t.Copies = append(t.Copies, kiosk.Whereabouts{Item: i})
		}
	}
	for i := range t.Copies {
		if err := h.where(&t.Copies[i]); err != nil {
			return t, err
		}
	}
	slices.SortStableFunc(t.Copies, func(a, b kiosk.Whereabouts) int {
		switch {
		case a.In() == b.In():
			return strings.Compare(string(a.Barcode), string(b.Barcode))
		case a.In():
			return -1
		}
		return 1
	})
	return t, nil
}

func (h *hunt) siblings(t kiosk.Title) ([]kiosk.Item, error) {
	if t.ISBN != "" {
		return h.Copies(h.ctx, t.ISBN, maxCopies)
	}
	words := search.Words(t.Title)
	if len(words) == 0 {
		return nil, nil
	}
	rows, err := h.db.QueryContext(h.ctx, itemSQL+" WHERE isbn = '' AND rowid IN (SELECT rowid FROM find_items WHERE find_items MATCH ?1 LIMIT ?2)",
		"title : ^ "+quoted(words), maxCopies)
	return all("copies", rows, err, scanItem)
}

// where tells whether a copy is out. A loan that is known here counts for more
// than what the catalogue said when it was read.
func (h *hunt) where(c *kiosk.Whereabouts) error {
	var due instant
	switch err := h.db.QueryRowContext(h.ctx, "SELECT due FROM loans WHERE item = ?", string(c.Barcode)).Scan(&due); {
	case errors.Is(err, sql.ErrNoRows):
		return h.since(c)
	case err != nil:
		return err
	}
	c.Out, c.Due = true, due.Time
	return nil
}

// sinceSQL is the newest thing that happened to an item here and that the
// catalogue can't know: the ILS has not heard of it, or heard of it after the
// catalogue was read. ?2 is when the item itself was, in unix ms.
const sinceSQL = `
SELECT kind FROM ledger WHERE item = ?1 AND (state IN ('offline', 'unsure') OR state IN ('granted', 'settled', 'differs')
    AND changed > max(coalesce(?2, 0), coalesce((SELECT coalesce(since, whole) FROM lists WHERE list = 'items'), 0)))
ORDER BY seq DESC LIMIT 1`

// since puts right what the catalogue says of a copy that is in nobody's list
// of loans: it was out when that was read, and may have come back here, or have
// been seen on its shelf.
func (h *hunt) since(c *kiosk.Whereabouts) error {
	if c.Status != kiosk.StatusOnLoan {
		return nil
	}
	var last kiosk.Kind
	err := h.db.QueryRowContext(h.ctx, sinceSQL, string(c.Barcode), ms(c.Seen)).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if c.Out = last != kiosk.Checkin && last != kiosk.Seen; !c.Out {
		c.Status = kiosk.StatusAvailable
	}
	return nil
}

// meant is the query as what was found spells it, "" where that is no news.
func (h *hunt) meant() string {
	if len(h.hits) == 0 || h.like == nil {
		return ""
	}
	best := slices.MinFunc(h.hits, func(a, b hit) int { return a.fit.Less(b.fit) })
	text := best.Title + " " + best.Author + " " + best.Subjects
	there := search.Words(text)
	var out []string
	changed := false
	for i, p := range h.q.Settled().Parts {
		word := strings.Join(p, " ")
		if len(p) == 1 && !slices.Contains(there, word) {
			for _, like := range h.like[i] {
				if slices.Contains(there, like) {
					word, changed = search.Spelled(like, text), true
					break
				}
			}
		}
		out = append(out, word)
	}
	if !changed {
		return ""
	}
	return strings.Join(out, " ")
}

// quoted is a phrase of the index's language. Words hold no quotes.
func quoted(words []string) string { return `"` + strings.Join(words, " ") + `"` }

func apart(words []string) (out []string) {
	for _, w := range words {
		out = append(out, quoted([]string{w}))
	}
	return out
}

// parts asks for all parts, in any order.
func parts(q search.Query, end string) string {
	var out []string
	for _, p := range q.Parts {
		out = append(out, quoted(p))
	}
	return strings.Join(out, " AND ") + end
}
