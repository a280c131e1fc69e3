package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// The tables of a roster. OneRoster 1.1 (1EdTech) has role,
// orgSourcedIds and grades in users.csv; 1.2 has role and org in roles.csv, and
// preferred names; Microsoft School Data Sync v2.1 has the grade in roles.csv
// too, and neither status nor enabledUser. userIds is "{TYPE:ID},{TYPE:ID}".
// Sources: the CSV tables of OneRoster, imsglobal.org/activity/onerosterlis;
// learn.microsoft.com/schooldatasync/sds-v2.1-csv-file-format.
var (
	userTable = columns{need: [][]string{{"sourcedId"}, {"familyName", "givenName"}}, names: [][]string{
		{"sourcedId"}, {"status"}, {"enabledUser"}, {"orgSourcedIds"}, {"primaryOrgSourcedId"}, {"role"}, {"grades"}, {"userIds"},
		{"identifier"}, {"username"}, {"userMasterIdentifier"}, {"email"}, // may be cards
		{"familyName"}, {"givenName"}, {"preferredFamilyName"}, {"preferredGivenName"},
	}}
	roleTable = columns{need: [][]string{{"userSourcedId"}, {"role"}}, names: [][]string{
		{"userSourcedId"}, {"status"}, {"role"}, {"roleType"}, {"isPrimary"}, {"grade"}, {"orgSourcedId"}, {"endDate", "roleEndDate"},
	}}
	orgTable  = columns{need: [][]string{{"sourcedId"}, {"name"}}, names: [][]string{{"sourcedId"}, {"name"}, {"type"}}}
	bornTable = columns{need: [][]string{{"userSourcedId"}, {"birthDate"}}, names: [][]string{{"userSourcedId", "sourcedId"}, {"birthDate"}}}
)

// Bounds of what is kept of a roster.
const (
	maxWords  = 20_000 // names of orgs, roles and grades
	maxDouble = 10_000 // cards of several users
)

var errWords = fmt.Errorf("it has more than %d orgs, roles and grades: this is no roster", maxWords)

// roster is what must be known of the other tables to read a user.
type roster struct {
	*archive
	users sheet
	card  string // as Options.Card; never empty
	loc   *time.Location
	now   time.Time

	seed  maphash.Seed // of users and orgs, which are kept by their hashes
	words []string
	index map[string]uint32
	orgs  map[uint64]org
	roles map[uint64]role  // nil: there is no table of them
	born  map[uint64]int64 // unix seconds; math.MinInt64 for a date that can't be read
	bad   int              // rows of roles.csv that can't be read
	sds   bool
}

// org is a school, or something above or below one.
type org struct {
	name   uint32
	school bool
}

// role is the one of a user's roles that counts.
type role struct {
	word, grade, org uint32
	rank             uint8 // of 7: 4 for no guardian, 2 for one that is not over, 1 for the first
}

const (
	notGuardian = 4
	notOver     = 2
	primary     = 1
)

// importRoster reads the users of a roster: what is beside them, then all of
// them for the cards, then all for the mirror.
func importRoster(ctx context.Context, im *importer[kiosk.Patron], r, in io.Reader) error {
	a, err := openArchive(r, in, im.Dir)
	if err != nil {
		return err
	}
	defer a.close()
	ro := &roster{archive: a, card: cmp.Or(im.Card, cardsKnown[0]), loc: cmp.Or(im.Location, time.Local), now: now(), seed: maphash.MakeSeed(),
		index: map[string]uint32{}, orgs: map[uint64]org{}, born: map[uint64]int64{}}
	ro.word("") // 0
	if err := ro.beside(ctx); err != nil {
		return err
	}
	doubles, err := ro.cards(ctx, im.Card != "")
	if err != nil {
		return err
	}
	im.report.Format = "oneroster"
	if ro.sds {
		im.report.Format = "sds"
	}
	err = ro.each(ctx, &ro.users, func(c *csvRow, why string, done float64) error {
		im.report.Rows++
		im.read = int64(done * float64(ro.size))
		u, err := ro.user(c, why)
		if err == nil {
			err = doubles[ro.hash(u.card)].judge(ro.hash(u.id), im.report.Rows)
		}
		im.take(u.Patron, err, c.notes)
		return im.flush(ctx, false)
	})
	if err != nil {
		return err
	}
	return im.flush(ctx, true)
}

// beside reads the tables that lie beside the users.
func (ro *roster) beside(ctx context.Context) error {
	f, err := ro.find("users.csv")
	switch {
	case err != nil:
		return err
	case f == nil && ro.workbook():
		return errors.New("this is a spreadsheet's workbook: save it as CSV (UTF-8) and import that")
	case f == nil:
		return fmt.Errorf("the archive is no roster (OneRoster or School Data Sync): it has no users.csv, but %s", ro.names())
	}
	ro.users = sheet{name: "users.csv", cols: userTable, file: f, own: map[string]string{ro.column(): cardColumn}}
	for _, t := range []struct {
		sheet
		row func(*csvRow, string) error
	}{
		{sheet{name: "orgs.csv", cols: orgTable}, ro.takeOrg},
		{sheet{name: "roles.csv", cols: roleTable}, ro.takeRole},
		{sheet{name: "demographics.csv", cols: bornTable}, ro.takeBorn},
	} {
		if t.file, err = ro.find(t.name); err != nil {
			return err
		}
		if t.file == nil {
			continue
		}
		if t.name == "roles.csv" {
			ro.roles = map[uint64]role{}
		}
		if err := ro.each(ctx, &t.sheet, func(c *csvRow, why string, _ float64) error { return t.row(c, why) }); err != nil {
			return err
		}
	}
	return nil
}

func (ro *roster) hash(s string) uint64 { return maphash.String(ro.seed, s) }

// word keeps a text once. The zero is the empty one.
func (ro *roster) word(s string) (uint32, error) {
	s = clean(s, maxText)
	if i, ok := ro.index[s]; ok {
		return i, nil
	}
	if len(ro.words) == maxWords {
		return 0, errWords
	}
	s = strings.Clone(s) // not the line it stands in
	ro.words = append(ro.words, s)
	ro.index[s] = uint32(len(ro.words) - 1)
	return ro.index[s], nil
}

func (ro *roster) takeOrg(c *csvRow, why string) error {
	if why != "" || c.get("sourcedId") == "" {
		return nil // its users are of the library of this ID
	}
	name, err := ro.word(c.get("name"))
	ro.orgs[ro.hash(c.get("sourcedId"))] = org{name, strings.EqualFold(c.get("type"), "school")}
	return err
}

// takeRole keeps a role of a user if it is the best so far.
func (ro *roster) takeRole(c *csvRow, why string) error {
	if why != "" || c.get("userSourcedId") == "" {
		ro.bad++
		return nil
	}
	var r role
	var errs [3]error
	r.word, errs[0] = ro.word(c.get("role"))
	r.grade, errs[1] = ro.word(c.get("grade"))
	r.org, errs[2] = ro.word(ro.library(c.get("orgSourcedId")))
	if !guardian(c.get("role")) {
		r.rank += notGuardian
	}
	if !ro.over(c) {
		r.rank += notOver
	}
	if strings.EqualFold(c.get("roleType"), "primary") || c.flag("isPrimary", false, false) {
		r.rank += primary
	}
	key := ro.hash(c.get("userSourcedId"))
	if had, ok := ro.roles[key]; !ok || had.rank < r.rank {
		ro.roles[key] = r
	}
	return errors.Join(errs[:]...)
}

// over tells whether a role is: by its status, or by its last day.
func (ro *roster) over(c *csvRow) bool {
	c.loc = ro.loc
	end, dateOnly, err := c.time("endDate")
	if dateOnly {
		end = end.AddDate(0, 0, 1)
	}
	return gone(c.get("status")) || err == nil && !end.IsZero() && !ro.now.Before(end)
}

func (ro *roster) takeBorn(c *csvRow, why string) error {
	if why != "" || c.get("birthDate") == "" {
		return nil
	}
	c.loc = ro.loc
	at := int64(math.MinInt64)
	if t, _, err := c.time("birthDate"); err == nil && !t.IsZero() {
		at = t.Unix()
	}
	ro.born[ro.hash(c.get("userSourcedId"))] = at
	return nil
}

// library is the name of an org, or its ID if it is not told.
func (ro *roster) library(id string) string {
	if o, ok := ro.orgs[ro.hash(id)]; ok && id != "" {
		return ro.words[o.name]
	}
	return id
}

// school is the first of a list of orgs that is a school, or the first.
func (ro *roster) school(list string) string {
	ids := strings.Split(list, ",")
	for _, id := range ids {
		if ro.orgs[ro.hash(strings.TrimSpace(id))].school {
			return ro.library(strings.TrimSpace(id))
		}
	}
	return ro.library(strings.TrimSpace(ids[0]))
}
