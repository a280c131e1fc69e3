package catalog

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// packed makes an archive of files; none of the people in them is real.
func packed(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		f, err := w.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, files[n])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const orgs = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n" +
	"d1,,,Fjord District,district,,\n" + "s1,,,Alder School,school,0101,d1\n" + "s2,,,Birch School,school,0102,d1\n"

const head11 = "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n"

// roster11 is a OneRoster 1.1 archive.
func roster11() map[string]string {
	return map[string]string{
		"manifest.csv": "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.users,bulk\nfile.orgs,bulk\n",
		"orgs.csv":     orgs,
		"users.csv": head11 +
			"u1,active,2026-08-01,true,\"d1,s1\",student,oda.holm,{LDAP:oh1},Oda,Holm,,18090,oda@school.example,,,p1,03,secret\n" +
			"u2,,,true,s2,student,li.wei,\"{LDAP:lw2},{Lunch:4711}\",Wei,Li,,18091,,,,,\"04,05\",\n" +
			"u3,active,,true,s1,teacher,b.berg,{LDAP:bb3},Bo,Berg,,T7,,,,,,\n" +
			"p1,active,,true,s1,guardian,holm.parent,,Ada,Holm,,,,,,,,\n" +
			"u4,tobedeleted,,true,s1,student,j.roe,,Jo,Roe,,18040,,,,,05,\n" +
			"u5,active,,false,s1,student,k.ode,,Kim,Ode,,18050,,,,,05,\n" +
			"u6,active,,true,s1,aide,a.dahl,,Ann,Dahl,,,,,,,,\n",
		"demographics.csv": "sourcedId,status,dateLastModified,birthDate,sex\nu1,,,2017-04-05,female\nu2,,,soon,male\n",
	}
}

// roster12 is the same school by OneRoster 1.2.
func roster12() map[string]string {
	return map[string]string{
		"roster/orgs.csv": orgs,
		"roster/users.csv": "\xef\xbb\xbf" + "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns,metadata.libraryCard\n" +
			"u1,active,,true,oda.holm,,Oda,Holm,,18090,,,,,03,,m1,Odie,,,s1,,2123\n" +
			"u2,active,,true,li.wei,,Wei,Li,,18091,,,,,04,,m2,,,,,,2124\n" +
			"u3,active,,true,b.berg,,Bo,Berg,,T7,,,,,,,,,,,,,\n" +
			"p1,active,,true,holm.parent,,Ada,Holm,,,,,,,,,,,,,,,\n" +
			"u4,active,,true,j.roe,,Jo,Roe,,18040,,,,,05,,,,,,,,\n" +
			"u9,active,,true,n.one,,No,Role,,18099,,,,,05,,,,,,,,\n",
		"roster/roles.csv": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\n" +
			"r1,active,,u1,primary,student,,,s1,\n" +
			"r2,active,,u2,secondary,aide,,,s1,\n" + "r3,active,,u2,primary,student,,,s2,\n" +
			"r4,active,,u3,primary,guardian,,,s1,\n" + "r5,active,,u3,secondary,teacher,,,s2,\n" +
			"r6,active,,p1,primary,parent,,,s1,\n" +
			"r7,active,,u4,primary,student,,2025-06-30,s1,\n",
	}
}

// rosterSDS is one of School Data Sync v2.1, which has no number but the username.
func rosterSDS() map[string]string {
	return map[string]string{
		"orgs.csv":  "sourcedId,name,type,parentSourcedId\ns1,Alder School,school,\n",
		"users.csv": "sourcedId,username,givenName,familyName,password,activeDirectoryMatchId,email\nu1,oda.holm@school.example,Oda,Holm,,,\nu3,b.berg@school.example,Bo,Berg,,,\n",
		"roles.csv": "userSourcedId,orgSourcedId,role,sessionSourcedId,grade,isPrimary,roleStartDate,roleEndDate\nu1,s1,student,,03,true,,\nu3,s1,teacher,,,true,,\n",
	}
}

// roll reads a roster into a mirror.
func roll(t *testing.T, files map[string]string, card string, into kiosk.Loader) (Report, []string, error) {
	t.Helper()
	var refused []string
	rep, err := ImportPatrons(t.Context(), bytes.NewReader(packed(t, files)), Options{Location: time.UTC, Card: card,
		Refused: func(r Refused) { refused = append(refused, fmt.Sprintf("%d %s: %s", r.Row, r.Key, r.Why)) }}, into)
	return rep, refused, err
}

// mirrored shows a patron of the mirror in one line.
func mirrored(t *testing.T, m *kiosktest.Memory, card kiosk.Card) string {
	t.Helper()
	p, err := m.Patron(t.Context(), card)
	if err != nil {
		return err.Error()
	}
	born := ""
	if !p.Born.IsZero() {
		born = p.Born.UTC().Format(time.DateOnly)
	}
	return fmt.Sprintf("%s %s/%s/%s/%s/%s", p.FirstName, p.FamilyName, p.Category, p.Library, born, p.BlockText)
}

func TestRosters(t *testing.T) {
	for name, tt := range map[string]struct {
		files   map[string]string
		card    string
		rep     string
		refused []string
		want    map[kiosk.Card]string
	}{
		"1.1": {roster11(), "", "oneroster 7 5 1 1", []string{"7 : Ann Dahl has no identifier"}, map[kiosk.Card]string{
			"18090": "Oda Holm/03/Alder School/2017-04-05/", "18091": "Wei Li/04/Birch School//", "T7": "Bo Berg/teacher/Alder School//",
			"18040": "Jo Roe/05/Alder School//has left, by the roster", "18050": "Kim Ode/05/Alder School//inactive in the roster",
		}},
		"1.1 by one of the userIds": {roster11(), "userIds:lunch", "oneroster 7 1 5 1", nil, map[kiosk.Card]string{"4711": "Wei Li/04/Birch School//"}},
		"1.1 by the ID, if asked":   {roster11(), "sourcedId", "oneroster 7 6 0 1", nil, map[kiosk.Card]string{"u6": "Ann Dahl/aide/Alder School//"}},
		"1.2": {roster12(), "identifier", "oneroster 6 4 1 1", []string{"6 18099: has no role in roles.csv"}, map[kiosk.Card]string{
			"18090": "Odie Holm/03/Alder School//", "18091": "Wei Li/04/Birch School//", "T7": "Bo Berg/teacher/Birch School//", "18040": "Jo Roe/05/Alder School//has left, by the roster",
		}},
		"1.2 by what a school has added": {roster12(), "metadata.libraryCard", "oneroster 6 2 3 1", nil, map[kiosk.Card]string{"2123": "Odie Holm/03/Alder School//"}},
		"SDS": {rosterSDS(), "username", "sds 2 2 0 0", nil, map[kiosk.Card]string{
			"oda.holm@school.example": "Oda Holm/03/Alder School//", "b.berg@school.example": "Bo Berg/teacher/Alder School//",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var m kiosktest.Memory
			rep, refused, err := roll(t, tt.files, tt.card, &m)
			if got := fmt.Sprint(rep.Format, " ", rep.Rows, " ", rep.New, " ", rep.Refused, " ", rep.Skipped); err != nil || got != tt.rep {
				t.Errorf("%s, %v, refused %q; want %s", got, err, refused, tt.rep)
			}
			if tt.refused != nil && !slices.Equal(refused, tt.refused) {
				t.Errorf("refused %q; want %q", refused, tt.refused)
			}
			for card, want := range tt.want {
				if got := mirrored(t, &m, card); got != want {
					t.Errorf("%s is %q; want %q", card, got, want)
				}
			}
			if again, _, err := roll(t, tt.files, tt.card, &m); err != nil || again.New+again.Changed != 0 || again.Same != rep.New {
				t.Errorf("a second time: %+v, %v; want all the same", again, err)
			}
		})
	}
}

// TestRosterCard: a column that not every student has a number in is not
// guessed to be that of the cards; what there is is named.
func TestRosterCard(t *testing.T) {
	lacking := roster11()
	lacking["users.csv"] = strings.Replace(lacking["users.csv"], "18091", "", 1)
	for _, tt := range []struct {
		files map[string]string
		card  string
		want  string
	}{
		{lacking, "", "not every student has an identifier: say by -card which column has the numbers on the cards. Rows that have one, of students who are there (2): identifier 1, username 2, email 1, sourcedId 2, userIds:LDAP 2, userIds:Lunch 1"},
		{rosterSDS(), "", "not every student has an identifier: say by -card which column has the numbers on the cards. Rows that have one, of students who are there (1): username 1, sourcedId 1"},
		{roster11(), "userIds", `no column "userIds" that could be of card numbers: say by -card`},
		{roster11(), "userIds:Bus", "nobody who is there has a userIds:Bus: say by"},
		{roster11(), "password", `no column "password" that could be`},
		{roster11(), "barcode", `no column "barcode" that could be`},
	} {
		var m kiosktest.Memory
		rep, _, err := roll(t, tt.files, tt.card, &m)
		if err == nil || !strings.Contains(err.Error(), tt.want) || rep.New > 0 {
			t.Errorf("-card %q: %+v, %v; want %q", tt.card, rep, err, tt.want)
		}
	}
	_, err := ImportPatrons(t.Context(), strings.NewReader("barcode,first_name\n1,Ann\n"), Options{Card: "identifier"}, &sink{})
	if err == nil || !strings.Contains(err.Error(), "of a roster only") {
		t.Errorf("of CSV: %v", err)
	}
}

// TestRosterDoubles: a card of two users is nobody's, unless all but one have
// left.
func TestRosterDoubles(t *testing.T) {
	row := func(id, status, card, name string) string {
		return id + "," + status + ",,true,s1,student,,," + name + ",Ek,,1" + card + ",,,,,03,\n"
	}
	files := roster11()
	files["users.csv"] = head11 + row("a", "", "1", "Ann") + row("b", "", "1", "Ben") + row("c", "tobedeleted", "2", "Cy") + row("d", "", "2", "Dan") +
		row("e", "tobedeleted", "3", "Eli") + row("f", "tobedeleted", "3", "Fay") + row("g", "", "4", "Gus") + row("g", "", "4", "Gus") + row("h", "tobedeleted", "1", "Hal")
	var m kiosktest.Memory
	rep, refused, err := roll(t, files, "", &m)
	want := []string{
		"1 11: is the card of Ann Ek (row 1) and Ben Ek (row 2) and Hal Ek (row 9): none of them was taken; mend it in the school's system",
		"2 11: is the card of Ann Ek (row 1) and Ben Ek (row 2) and Hal Ek (row 9): none of them was taken; mend it in the school's system",
		"3 12: has left, and the card is now that of Dan Ek (row 4)",
		"6 13: is also the card of Eli Ek (row 5), who has left too: the first counts",
		"8 14: is in the file a second time: the first, row 7, counts",
		"9 11: is the card of Ann Ek (row 1) and Ben Ek (row 2) and Hal Ek (row 9): none of them was taken; mend it in the school's system",
	}
	if err != nil || !slices.Equal(refused, want) || rep.New != 3 {
		t.Errorf("%+v, %v, refused\n%s", rep, err, strings.Join(refused, "\n"))
	}
	for card, want := range map[kiosk.Card]string{"12": "Dan Ek/03/Alder School//", "13": "Eli Ek/03/Alder School//has left, by the roster", "14": "Gus Ek/03/Alder School//"} {
		if got := mirrored(t, &m, card); got != want {
			t.Errorf("%s is %q; want %q", card, got, want)
		}
	}
}

// TestRosterLeaves: who is gone from one roster to the next can't borrow, and
// who comes back can.
func TestRosterLeaves(t *testing.T) {
	var m kiosktest.Memory
	files := roster11()
	here := files["users.csv"]
	for _, tt := range []struct{ users, want string }{
		{here, "Oda Holm/03/Alder School/2017-04-05/"},
		{strings.Replace(here, "u1,active", "u1,tobedeleted", 1), "Oda Holm/03/Alder School/2017-04-05/has left, by the roster"},
		{here, "Oda Holm/03/Alder School/2017-04-05/"},
	} {
		files["users.csv"] = tt.users
		if _, _, err := roll(t, files, "", &m); err != nil {
			t.Fatal(err)
		}
		if got := mirrored(t, &m, "18090"); got != tt.want {
			t.Errorf("the patron is %q; want %q", got, tt.want)
		}
	}
}

// TestRosterProgress: rows are told as they are taken, and bytes up to the size
// of the archive.
func TestRosterProgress(t *testing.T) {
	var users strings.Builder
	users.WriteString(head11)
	for i := range 3 * batch {
		fmt.Fprintf(&users, "u%d,,,true,s1,student,,,Ann,Ek%d,,%d,,,,,03,\n", i, i, i)
	}
	raw := packed(t, with("users.csv", users.String()))
	var rows []int
	last := int64(0)
	rep, err := ImportPatrons(t.Context(), bytes.NewReader(raw), Options{Progress: func(bytes int64, n int) {
		if bytes < last || bytes > int64(len(raw)) {
			t.Errorf("%d bytes of %d, after %d", bytes, len(raw), last)
		}
		rows, last = append(rows, n), bytes
	}}, &sink{})
	if err != nil || rep.New != 3*batch || last != int64(len(raw)) || !slices.Equal(rows, []int{batch, 2 * batch, 3 * batch, 3 * batch}) {
		t.Errorf("%+v, %v; %d of %d bytes, rows %v", rep, err, last, len(raw), rows)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if rep, err := ImportPatrons(ctx, bytes.NewReader(raw), Options{}, &sink{}); !errors.Is(err, context.Canceled) || rep.New > 0 {
		t.Errorf("cancelled: %+v, %v", rep, err)
	}
}

// TestRosterOverSocket: what has no end that can be looked at before is read
// the same, and nothing stays behind.
func TestRosterOverSocket(t *testing.T) {
	dir := t.TempDir()
	var m kiosktest.Memory
	rep, err := ImportPatrons(t.Context(), io.MultiReader(bytes.NewReader(packed(t, roster11()))), Options{Dir: dir}, &m)
	if left, _ := os.ReadDir(dir); err != nil || rep.New != 5 || len(left) > 0 {
		t.Errorf("%+v, %v; %d files stay", rep, err, len(left))
	}
	broken := errors.New("the line is down")
	_, err = ImportPatrons(t.Context(), io.MultiReader(bytes.NewReader(packed(t, roster11())), failing{broken}), Options{Dir: dir}, &m)
	if left, _ := os.ReadDir(dir); !errors.Is(err, broken) || len(left) > 0 {
		t.Errorf("%v; %d files stay", err, len(left))
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// BenchmarkRoster reads a district by OneRoster 1.2.
func BenchmarkRoster(b *testing.B) {
	const n = 10_000
	files := roster12()
	var users, roles strings.Builder
	users.WriteString("sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,identifier,email,grades\n")
	roles.WriteString("sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\n")
	for i := range n {
		fmt.Fprintf(&users, "user-%d,active,2026-08-01T00:00:00Z,true,reader%d,{LDAP:r%d},Given%d,Family%d,%d,r%d@school.example,%02d\n", i, i, i, i%500, i%3000, 100_000+i, i, i%12)
		fmt.Fprintf(&roles, "role-%d,active,2026-08-01T00:00:00Z,user-%d,primary,student,2026-08-15,2100-06-30,s%d,\n", i, i, 1+i%2)
	}
	files["roster/users.csv"], files["roster/roles.csv"] = users.String(), roles.String()
	raw := packed(b, files)
	b.ReportAllocs()
	for b.Loop() {
		if rep, err := ImportPatrons(b.Context(), bytes.NewReader(raw), Options{}, &sink{}); err != nil || rep.New != n {
			b.Fatal(rep, err)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "rows/s")
}
