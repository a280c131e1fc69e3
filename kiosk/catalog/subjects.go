package catalog

import (
	"slices"
	"strings"
)

// subjectTags are the fields that say what a record is about: persons, bodies,
// meetings, titles, topics, places, and words that somebody chose, and its genre
// (MARC 21 Format for Bibliographic Data, 6XX). Chronological terms, events,
// functions, occupations and local fields are left out.
var subjectTags = []string{"600", "610", "611", "630", "650", "651", "653", "655"}

// subjects are the record's headings; those in their own script come last.
func (r *record) subjects() string {
	var list []string
	for _, f := range append(r.all(subjectTags...), r.originals()...) {
		if !slices.Contains(subjectTags, f.tag) {
			continue
		}
		if f.tag == "653" { // each $a is one
			for _, s := range f.subs {
				if s.code == 'a' {
					list = append(list, s.text)
				}
			}
			continue
		}
		list = append(list, f.heading())
	}
	return subjects(list)
}

// heading is a field's, with what it is divided by: form, topic, time and
// place stand behind it, as "Dragons -- Fiction".
func (f *field) heading() string {
	main := isbd(f.get("abcdnpqt"))
	if main == "" {
		return ""
	}
	parts := []string{main}
	for _, s := range f.subs {
		if text := isbd(s.text); text != "" && strings.IndexByte("vxyz", s.code) >= 0 {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " -- ")
}

// subjects puts headings together, each once, and no more than there is room
// for; none is cut. What stands between two must not stand within one.
func subjects(list []string) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	seen := map[string]bool{}
	for _, h := range list {
		h = clean(strings.ReplaceAll(isbd(h), ";", ","), maxAbout)
		key := strings.ToLower(h)
		if h == "" || seen[key] || b.Len()+len("; ")+len(h) > maxAbout {
			continue
		}
		seen[key] = true
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(h)
	}
	return b.String()
}
