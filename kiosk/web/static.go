package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed static templates api
var assets embed.FS

// version changes with any asset, template or word: it is part of the assets'
// addresses, so that a browser may keep them for ever.
var version = digest(assets, langFS)

func digest(trees ...fs.FS) string {
	h := sha256.New()
	for _, tree := range trees {
		err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := fs.ReadFile(tree, p)
			fmt.Fprintf(h, "%s %d\n", p, len(b))
			h.Write(b)
			return err
		})
		if err != nil {
			panic(err) // what is embedded can be read
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// asset serves what is embedded. An address with an old version still gives
// the newest file, but the browser must ask again.
func (s *site) asset(w http.ResponseWriter, r *http.Request) {
	v := r.PathValue("version")
	if v == version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	name := "static/" + strings.TrimPrefix(r.URL.Path, "/static/"+v+"/")
	if info, err := fs.Stat(assets, name); err != nil || info.IsDir() {
		w.Header().Set("Cache-Control", "no-store")
		http.NotFound(w, r)
		return
	}
	http.ServeFileFS(w, r, assets, name)
}

func templates() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{
		"static": func(name string) string { return "/static/" + version + "/" + name },
		"args":   args,
		"list":   func(all ...string) []string { return all },
	}).ParseFS(assets, "templates/*.html")
}

// args gives a template several values by name.
func args(pairs ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("args: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}
