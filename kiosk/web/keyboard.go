package web

import "strings"

// A keyboard on the screen, for what is looked for and for a PIN that has letters.
// Only that one has a shift: finding takes no notice of case. What a script puts
// above a letter is a key of its own, which goes onto the letter before. Chinese
// has the Latin one: titles and authors are found by pinyin.

// cap is one key.
type cap struct {
	Put  string // what it types
	Name string // for who does not see it; empty: Put
	Mark bool   // it goes onto the letter before
}

// standing are marks as they stand by themselves on the keys of a machine, in signs
// that our fonts have: a ring to put them onto they have not.
var standing = map[string]string{"\u0300": "`", "\u0301": "´", "\u0302": "ˆ", "\u0303": "˜", "\u0308": "¨", "\u0309": "ˀ", "\u0323": "."}

// Shown is what stands on it.
func (c cap) Shown() string {
	if c.Mark {
		return standing[c.Put]
	}
	return c.Put
}

// layer is one set of keys.
type layer struct {
	Name string // letters, latin, digits, signs
	Rows [][]cap
	Case bool // its letters are small and capital
}

const (
	qwerty = "q w e r t y u i o p|a s d f g h j k l|z x c v b n m ' -"
	signs  = "1 2 3 4 5 6 7 8 9 0|- . , : / & + # '|( ) ! ? \" * @ % _"
)

// layouts are the letters by language, as on the keyboards that are sold where it
// is spoken; "◌" begins a mark, named after "=".
var layouts = map[string]string{
	"en": qwerty,
	"es": "q w e r t y u i o p|a s d f g h j k l ñ|z x c v b n m ◌\u0301=acento ◌\u0308=diéresis ' -",
	"fr": "a z e r t y u i o p|q s d f g h j k l m ù|w x c v b n é è à ç ◌\u0302=circonflexe '",
	"de": "q w e r t z u i o p ü|a s d f g h j k l ö ä|y x c v b n m ß ' -",
	"vi": "ă â đ ê ô ơ ư ◌\u0300=huyền ◌\u0301=sắc ◌\u0309=hỏi ◌\u0303=ngã ◌\u0323=nặng|" + qwerty,
	"uk": "й ц у к е н г ш щ з х ї|ф і в а п р о л д ж є ґ|я ч с м и т ь б ю ' -",
	"ar": "ض ص ث ق ف غ ع ه خ ح ج د|ش س ي ب ل ا ت ن م ك ط ذ|ئ ء ؤ ر ى ة و ز ظ أ إ آ",
}

// secretSigns are those of a PIN: all that ASCII has beside letters and digits, and
// what else is on the keyboards that passwords are made with.
var secretSigns = []string{"!?#@&%$€£*+=", ".,:;'\"-_/\\|§", "()[]{}<>^~`"}

func rows(text string) (rs [][]cap) {
	for row := range strings.SplitSeq(text, "|") {
		var r []cap
		for k := range strings.SplitSeq(row, " ") {
			put, name, _ := strings.Cut(k, "=")
			mark, is := strings.CutPrefix(put, "◌")
			r = append(r, cap{Put: mark, Name: name, Mark: is})
		}
		rs = append(rs, r)
	}
	return rs
}

// letters are those of the language, and Latin ones.
func (l *language) letters() []layer {
	text, ok := layouts[l.Tag]
	if !ok {
		text = qwerty
	}
	ls := []layer{{"letters", rows(text), strings.ToUpper(text) != text}}
	if l.Tag == "uk" || l.Tag == "ar" {
		ls = append(ls, layer{"latin", rows(qwerty), true})
	}
	return ls
}

// Layers are those of the language's keyboard, the first is open.
func (l *language) Layers() []layer {
	return append(l.letters(), layer{Name: "digits", Rows: rows(signs)})
}

// Letters are the layers for a PIN that has more than digits, which have a pad of
// their own; none where all PINs are digits, or nobody reads.
func (v view) Letters() []layer {
	if v.digits || v.Pictures() {
		return nil
	}
	var all [][]cap
	for _, row := range secretSigns {
		var r []cap
		for _, sign := range row {
			r = append(r, cap{Put: string(sign)})
		}
		all = append(all, r)
	}
	return append(v.letters(), layer{Name: "signs", Rows: all})
}

// LayerName says which one it is.
func (l *language) LayerName(name string) string {
	switch name {
	case "digits":
		return l.T("keys.digits")
	case "signs":
		return l.T("keys.signs")
	case "latin":
		return l.T("keys.latin")
	}
	return l.T("keys.letters")
}

// First are the first three of its keys, by which it is known.
func (l layer) First() (s string) {
	for _, c := range l.Rows[0][:3] {
		s += c.Shown()
	}
	return s
}
