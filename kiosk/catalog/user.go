package catalog

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// gone tells the status of what is no more; 1.0 said inactive.
func gone(status string) bool {
	return strings.EqualFold(status, "tobedeleted") || strings.EqualFold(status, "inactive")
}

// guardian tells the roles of those who are in a roster for a pupil's sake.
func guardian(role string) bool {
	switch strings.ToLower(role) {
	case "guardian", "parent", "relative":
		return true
	}
	return false
}

// user is a row of users.csv.
type user struct {
	kiosk.Patron
	id, card string
	student  bool
	active   bool // and has not left
}

func (u *user) name() string { return strings.TrimSpace(u.FirstName + " " + u.FamilyName) }

// user reads a row. Guardians are skipped; who has left is blocked, and can
// still return.
func (ro *roster) user(c *csvRow, why string) (u user, err error) {
	u.id, u.card = c.get("sourcedId"), ro.cardOf(c)
	u.Card = kiosk.Card(u.card)
	u.FamilyName, u.FirstName = c.first("preferredFamilyName", "familyName"), c.first("preferredGivenName", "givenName")
	if why != "" {
		return u, errors.New(why)
	}
	r, told, err := ro.roleOf(c, u.id)
	if err != nil {
		return u, err
	}
	left := gone(c.get("status")) || told && r.rank&notOver == 0
	u.active = !left && c.flag("enabledUser", true, true)
	switch {
	case told && r.rank&notGuardian == 0:
		return u, errSkip
	case !told && u.active:
		return u, ro.noRole()
	case left:
		u.Blocked, u.BlockText = kiosk.ReasonCardBlocked, "has left, by the roster"
	case !u.active:
		u.Blocked, u.BlockText = kiosk.ReasonCardBlocked, "inactive in the roster"
	}
	u.student = strings.EqualFold(ro.words[r.word], "student")
	u.Category, u.Library = ro.category(r, u.student), ro.words[r.org]
	ro.date(&u, c)
	if u.card == "" {
		return u, fmt.Errorf("%s has no %s", u.name(), ro.card)
	}
	return u, valid(u.card, "card")
}

// category is a student's grade, as in a CSV file of patrons, or the role.
func (ro *roster) category(r role, student bool) string {
	if student && r.grade != 0 {
		return ro.words[r.grade]
	}
	return ro.words[r.word]
}

// first is the first of cells with a text.
func (r *csvRow) first(names ...string) string {
	for _, n := range names {
		if s := r.text(n); s != "" {
			return s
		}
	}
	return ""
}

// roleOf gives the role that counts, with the grade and the library. A user of
// OneRoster 1.1 has it in the row.
func (ro *roster) roleOf(c *csvRow, id string) (r role, told bool, err error) {
	r, told = ro.roles[ro.hash(id)]
	var e1, e2, e3 error
	if word := c.get("role"); word != "" {
		told = true
		r = role{rank: notOver, grade: r.grade, org: r.org}
		if !guardian(word) {
			r.rank += notGuardian
		}
		r.word, e1 = ro.word(word)
	}
	if list := c.get("grades"); list != "" {
		first, _, _ := strings.Cut(list, ",")
		r.grade, e2 = ro.word(first)
	}
	if list := c.first("primaryOrgSourcedId", "orgSourcedIds"); list != "" {
		r.org, e3 = ro.word(ro.school(list))
	}
	return r, told, errors.Join(e1, e2, e3)
}

func (ro *roster) noRole() error {
	switch {
	case ro.roles == nil:
		return errors.New("has no role")
	case ro.bad > 0:
		return fmt.Errorf("has no role in roles.csv, of which %d rows can't be read", ro.bad)
	}
	return errors.New("has no role in roles.csv")
}

// date tells when a user was born, if the roster does.
func (ro *roster) date(u *user, c *csvRow) {
	switch at, ok := ro.born[ro.hash(u.id)]; {
	case ok && at == math.MinInt64:
		c.notes = append(c.notes, "the birthDate in demographics.csv is no date and was left out")
	case ok:
		u.Born = time.Unix(at, 0).In(ro.loc)
	}
}
