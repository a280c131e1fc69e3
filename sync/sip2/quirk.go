package sip2

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// mostQuirks is how many kinds of quirks are logged in one run: a server that
// invents ever new ones fills neither memory nor log.
const mostQuirks = 50

// quirks are the kinds that have been logged. Its zero value is good.
type quirks struct {
	mu   sync.Mutex
	seen map[string]bool
}

// first tells whether a kind is new, and how many more may be.
func (q *quirks) first(kind string) (is bool, left int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.seen[kind] || len(q.seen) == mostQuirks {
		return false, 0
	}
	if q.seen == nil {
		q.seen = make(map[string]bool)
	}
	q.seen[kind] = true
	return true, mostQuirks - len(q.seen)
}

// quirk logs what a server does that is not known here: each kind once, with
// the bytes, for whoever writes the next version of this package.
func (c *Config) quirk(kind string, raw []byte) {
	if c.quirks == nil {
		return
	}
	if first, left := c.quirks.first(kind); first {
		c.log().Warn("sip2: the server has a way that is not known here", "what", kind, "message", masked(raw))
		if left == 0 {
			c.log().Warn("sip2: more of such ways will not be logged", "logged", mostQuirks)
		}
	}
}

// layouts are the fixed fields of the answers that are asked for, character by
// character, as fits has them.
var layouts = map[string]string{
	"10": "0yuy" + dateLayout, "12": "0yuu" + dateLayout, "18": "######" + dateLayout, "20": "0" + dateLayout,
	"24": "bbbbbbbbbbbbbb###" + dateLayout, "30": "0yuu" + dateLayout, "36": "y" + dateLayout,
	"64": "bbbbbbbbbbbbbb###" + dateLayout + "########################",
	"94": "0", "96": "", "98": "yyyyyy######" + dateLayout + "#.##",
}

const dateLayout = "########____######"

// fits tells whether c is what a layout has there: # a digit or blank, _ of a
// time zone, 0 a yes as 0 or 1, y one as Y or N, u one that may be unknown, b
// one that may be blank.
func fits(class, c byte) bool {
	switch class {
	case '#':
		return c == ' ' || '0' <= c && c <= '9'
	case '_':
		return c == ' ' || 'A' <= c && c <= 'Z'
	case '0':
		return c == '0' || c == '1'
	case 'y':
		return c == 'Y' || c == 'N'
	case 'u':
		return c == 'Y' || c == 'N' || c == 'U'
	case 'b':
		return c == 'Y' || c == 'N' || c == ' '
	}
	return c == class
}

func fitsAll[T string | []byte](layout string, fixed T) bool {
	if len(fixed) != len(layout) {
		return false
	}
	for i := range len(fixed) {
		if !fits(layout[i], fixed[i]) {
			return false
		}
	}
	return true
}

// fields are the ids of the standard, and after them those that are known to
// be added: by 3M for sorting (CR to DA), EnvisionWare (PA to PI), Evergreen
// (XI).
var fields = strings.Fields("AA AB AC AD AE AF AG AH AJ AL AM AN AO AP AQ AS AT AU AV " +
	"BD BE BF BG BH BI BK BL BM BN BO BP BQ BR BS BT BU BV BW BX BY BZ " +
	"CA CB CC CD CF CG CH CI CJ CK CL CM CN CO CP CQ " +
	"CR CS CT CV CY DA PA PB PC PI XI")

// plainFields are those that say nothing of a patron, nor what somebody reads,
// and are no free text. All others are starred.
var plainFields = strings.Fields("AB AH AO BH BI BK BL BO BT BX CF CI CJ CK CL CM CQ CT CV")

// oddities are the ways of an answer that are not known here. Which they are
// is decided by what the server sends, so they are bounded where they are
// logged.
func oddities(m Message, raw []byte) (kinds []string) {
	odd := func(is bool, format string, args ...any) {
		if is {
			kinds = append(kinds, fmt.Sprintf(format, args...))
		}
	}
	odd(m.Sum == SumLoose, "checksum over other bytes than were sent")
	odd(m.Sum == SumBad, "wrong checksum")
	layout, ok := layouts[m.ID]
	odd(ok && !fitsAll(layout, m.Fixed), "fixed part of %s", m.ID)
	odd(stray(raw), "text without a field id")
	for _, f := range m.Fields {
		if !slices.Contains(fields, f.ID) {
			odd(true, "field %s", f.ID)
		}
	}
	if m.ID == "18" && len(m.Fixed) >= 6 {
		odd(!within(m.Part(0, 2), 1, 13), "circulation status %q", m.Part(0, 2))
		odd(!within(m.Part(2, 2), 0, 3), "security marker %q", m.Part(2, 2))
		odd(!within(m.Part(4, 2), 1, 9), "fee type %q", m.Part(4, 2))
	}
	ah := m.Value("AH")
	odd(ah != "" && parseDue(ah, time.UTC).IsZero(), "due date (AH) in a %s", m.ID)
	if cv := m.Value("CV"); !slices.Contains([]string{"", "00", "01", "02", "03", "04", "98", "99"}, cv) {
		odd(true, "alert type %.2q", cv)
	}
	return kinds
}

func within(code string, low, high int) bool {
	n, err := strconv.Atoi(code)
	return err == nil && low <= n && n <= high
}

// stray tells whether something stands between two delimiters that is no field.
func stray(raw []byte) bool {
	_, rest, _ := bytes.Cut(bytes.Trim(raw, "\r\n"), []byte{'|'})
	for seg := range bytes.SplitSeq(rest, []byte{'|'}) {
		if len(seg) > 0 && !isField(seg) {
			return true
		}
	}
	return false
}

// shownBytes is how much of a message is logged.
const shownBytes = 400

// masked is a message as a log may have it: in ASCII, of bounded length, and
// without what is a patron's. What can't be made out is starred.
func masked(raw []byte) string {
	line := bytes.Trim(raw, "\r\n")
	first, rest, more := bytes.Cut(line, []byte{'|'})
	out := maskedHead(first)
	for more && len(out) < shownBytes {
		var seg []byte
		seg, rest, more = bytes.Cut(rest, []byte{'|'})
		out = append(append(out, '|'), maskedField(seg)...)
	}
	if len(out) > shownBytes {
		out = append(out[:shownBytes], "..."...)
	}
	return strings.Trim(strconv.QuoteToASCII(string(out)), `"`)
}

// maskedHead is a message up to its first delimiter: id, fixed fields, and the
// field that follows them. Fixed fields that are too short have others in
// their place: of such the form is left, and no letter or digit but a flag.
func maskedHead(b []byte) []byte {
	if len(b) < 2 {
		return slices.Clone(b)
	}
	out, fixed := slices.Clone(b[:2]), b[2:]
	layout, ok := layouts[string(out)]
	if !ok {
		return append(out, stars(fixed)...)
	}
	var field []byte
	if len(fixed) > len(layout) {
		fixed, field = fixed[:len(layout)], fixed[len(layout):]
	}
	if fitsAll(layout, fixed) {
		return append(append(out, fixed...), maskedField(field)...)
	}
	for i, c := range fixed {
		flag := strings.IndexByte("0yub", layout[i]) >= 0
		switch {
		case flag && fits(layout[i], c) || c == ' ':
		case '0' <= c && c <= '9':
			c = '9'
		case c < 0x80 && !('a' <= c|0x20 && c|0x20 <= 'z'):
		default:
			c = 'x'
		}
		out = append(out, c)
	}
	return append(out, maskedField(field)...)
}

func maskedField(seg []byte) []byte {
	switch {
	case len(seg) == 0:
		return nil
	case !isField(seg):
		return stars(seg)
	case slices.Contains(plainFields, string(seg[:2])), isTrailer(seg):
		return seg
	}
	return append(slices.Clone(seg[:2]), stars(seg[2:])...)
}

func stars(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return []byte("***")
}

// isTrailer tells whether seg is AY<n>, AZ<hhhh> or both.
func isTrailer(seg []byte) bool {
	rest, _, _ := trailer(seg, seg, 0)
	return len(rest) == 0
}
