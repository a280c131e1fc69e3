package web

import "github.com/carrel-kiosk/carrel/kiosk"

// Words are one language of the screen, for what is said elsewhere, as on
// paper. Its methods are those of the language.
type Words struct{ *language }

// RightToLeft tells which way the language runs.
func (w Words) RightToLeft() bool { return w.Dir == "rtl" }

// Reason says why something was refused, and what to do; "" for no reason.
func (w Words) Reason(r kiosk.Reason) string {
	if r == "" {
		return ""
	}
	return w.reason(r, "title") + " " + w.reason(r, "step")
}

// Speaker finds the words for a BCP 47 tag among the languages that are
// offered: the first one, where it has none.
func Speaker(offered []string) (func(tag string) Words, error) {
	ls, err := languages(offered)
	if err != nil {
		return nil, err
	}
	s := &site{langs: ls, matcher: matcher(ls)}
	return func(tag string) Words { return Words{s.speak(nil, tag)} }, nil
}
