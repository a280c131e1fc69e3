package cli

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// complete gives what the last of words may become: commands, options, or the
// values of an option that has a list of them. Nothing means a file's name, or
// something that only the user knows; a shell then offers files.
func complete(app *kong.Application, words []string) []string {
	if len(words) == 0 {
		words = []string{""}
	}
	last := words[len(words)-1]
	n, open := reach(app.Node, words[:len(words)-1])
	var all []string
	switch {
	case open != nil:
		all = slices.Sorted(slices.Values(open.EnumSlice()))
	case strings.HasPrefix(last, "-"):
		for m := n; m != nil; m = m.Parent {
			for _, f := range m.Flags {
				if !f.Hidden {
					all = append(all, "-"+f.Name)
				}
			}
		}
		last = "-" + strings.TrimLeft(last, "-")
	default:
		for _, c := range n.Children {
			if !c.Hidden {
				all = append(all, c.Name)
			}
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" || !strings.HasPrefix(s, last) })
}

// reach walks down the commands that words name, and gives the last of them,
// and the option that still wants its value.
func reach(n *kong.Node, words []string) (*kong.Node, *kong.Flag) {
	var open *kong.Flag
	for _, w := range words {
		switch {
		case open != nil:
			open = nil // this was its value
		case strings.HasPrefix(w, "-"):
			if f := flagOf(n, strings.TrimLeft(w, "-")); f != nil && !f.IsBool() {
				open = f
			}
		default:
			if i := slices.IndexFunc(n.Children, func(c *kong.Node) bool { return c.Name == w }); i >= 0 {
				n = n.Children[i]
			}
		}
	}
	return n, open
}

// flagOf finds an option of a command or of those above it; none for one that
// is written with its value.
func flagOf(n *kong.Node, name string) *kong.Flag {
	for ; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if f.Name == name {
				return f
			}
		}
	}
	return nil
}
