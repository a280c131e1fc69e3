package setup

import (
	"encoding/json"
	"net/http"
	"strings"

	bcp47 "golang.org/x/text/language"

	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// words are the page's, in one language.
type words map[string]string

func readWords() (map[string]words, error) {
	all := map[string]words{}
	for _, l := range web.Languages() {
		raw, err := files.ReadFile("words/" + l + ".json")
		if err != nil {
			return nil, err
		}
		t := words{}
		if err := json.Unmarshal(raw, &t); err != nil {
			return nil, err
		}
		all[l] = t
	}
	return all, nil
}

// language is the one that was chosen, or else the browser's.
func (s *server) language(r *http.Request) string {
	tags, offered := []bcp47.Tag{bcp47.English}, []string{"en"}
	for _, l := range web.Languages() {
		if l != "en" {
			tags, offered = append(tags, bcp47.Make(l)), append(offered, l)
		}
	}
	_, i := bcp47.MatchStrings(bcp47.NewMatcher(tags), r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	return offered[i]
}

// Get is for the page.
func (t words) Get(key string) string { return t[key] }

// With is Get with the place of the page in it.
func (t words) With(key, at string) string { return strings.ReplaceAll(t[key], "{at}", at) }

// JSON is for the script.
func (t words) JSON() (string, error) {
	b, err := json.Marshal(t)
	return string(b), err
}
