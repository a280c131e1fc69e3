package kiosk

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Member is somebody of the staff who may sign in at this kiosk.
type Member struct {
	Badge Card   // what they sign in with; its number may be any card's
	Name  string // as the audit log has it
	Role  Role
	Hash  string    // of their PIN or password, as package password makes it
	Since time.Time // when the account was made or last changed
}

// Role is what somebody of the staff may do. Each may all that the one before
// it may.
type Role string

// The roles.
const (
	Helper    Role = "helper"  // sees how the kiosk is, and prepares tags: volunteers, students
	Librarian Role = "staff"   // also sees patrons and loans, settles and overrides
	Manager   Role = "manager" // also changes what the kiosk shows, and reads the audit log
)

// May tells whether a role includes another.
func (r Role) May(other Role) bool {
	rank := map[Role]int{Helper: 1, Librarian: 2, Manager: 3}
	return rank[r] > 0 && rank[other] > 0 && rank[r] >= rank[other]
}

// Valid tells what is wrong with a member, nil if nothing is.
func (m Member) Valid() error {
	switch {
	case !printable(string(m.Badge), MaxCode):
		return fmt.Errorf("a badge's number has 1 to %d printable characters and no space", MaxCode)
	case !Printable(m.Name, 1, MaxName):
		return fmt.Errorf("a name has 1 to %d printable characters", MaxName)
	case !m.Role.May(Helper):
		return fmt.Errorf("role %q: must be one of %s, %s, %s", m.Role, Helper, Librarian, Manager)
	}
	return nil
}

// MaxName is the longest name of a person or a library that staff may give, in
// characters.
const MaxName = 80

// printable tells whether a code can be one of a label: no spaces, no control
// characters, at most so many bytes.
func printable(code string, most int) bool {
	return code != "" && len(code) <= most && utf8.ValidString(code) &&
		!strings.ContainsFunc(code, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}

// Printable tells whether a text that somebody typed is one line of from least
// to most characters that can all be shown, and none of which only turns the
// direction of others.
func Printable(text string, least, most int) bool {
	n := utf8.RuneCountInString(text)
	return utf8.ValidString(text) && n >= least && n <= most && strings.TrimSpace(text) == text &&
		!strings.ContainsFunc(text, func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar || r == '\u2028' || r == '\u2029'
		})
}

// Act is something that somebody of the staff has done: a row of the audit log.
type Act struct {
	N     int64     // its place in the log, from 1; 0: not yet in it
	At    time.Time // by the kiosk's clock
	Badge Card      // who; empty: the password that all share, or the machine's shell
	Name  string    // theirs, as it was then
	What  string    // "sign-in", "exception.retry": the web's words have a text for it
	About string    // the item, card or entry that it was about, or empty
	Note  string    // why, or what it was changed to
	From  string    // the network address, or "kioskctl"
}

// ActFilter chooses acts; what is empty chooses all.
type ActFilter struct {
	Before       int64     // only those with a smaller N
	Since, Until time.Time // from Since on, and before Until
	Badge        Card
	Limit        int // 0 means no limit
}
