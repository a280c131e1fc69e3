package web

import (
	"net/http"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web/scene"
)

// refusal is a row of the catalogue, with all its words.
type refusal struct {
	Reason                string
	Scene                 string // that shows it
	Why, After            string // the pictures
	Title, Step           string
	ChildTitle, ChildStep string
}

// Refusals are the catalogue in the language that was picked.
func (p picked) Refusals() (rows []refusal) {
	child := view{language: p.language, child: true}
	adult := view{language: p.language}
	for _, r := range kiosk.Refusals() {
		rows = append(rows, refusal{Reason: string(r.Reason), Scene: scene.Refused(r.Reason), Why: string(r.Picture), After: string(r.Next),
			Title: adult.Because(r.Reason), Step: adult.Then(r.Reason), ChildTitle: child.Because(r.Reason), ChildStep: child.Then(r.Reason)})
	}
	return rows
}

// refusals shows the whole catalogue.
func (g gallery) refusals(w http.ResponseWriter, r *http.Request) {
	g.render(w, "gallery-refusals", g.picked(r))
}
