package catalog

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

// with is the roster of 1.1 with other files.
func with(files ...string) map[string]string {
	all := roster11()
	for i := 0; i < len(files); i += 2 {
		all[files[i]] = files[i+1]
	}
	return all
}

// flagged sets bits in the headers of the files of an archive: at is the place
// of the two bytes in a header of the directory.
func flagged(raw []byte, at int, value uint16) []byte {
	for i := range len(raw) - 46 {
		if string(raw[i:i+4]) == "PK\x01\x02" {
			binary.LittleEndian.PutUint16(raw[i+at:], value)
		}
	}
	return raw
}

// bomb is a roster of which a table unpacks to a thousand times its size.
func bomb(t testing.TB) []byte {
	return packed(t, with("users.csv", head11+strings.Repeat(strings.Repeat(",", 17)+"\n", 1<<18)))
}

func TestHostileArchives(t *testing.T) {
	whole := packed(t, roster11())
	spoilt := bytes.Clone(whole)
	copy(spoilt[bytes.Index(spoilt, []byte("users.csv"))+30:], "\xff\xff\xff\xff\xff\xff")
	many := map[string]string{}
	for i := range maxFiles + 1 {
		many[fmt.Sprintf("%04d.csv", i)] = ""
	}
	long := map[string]string{}
	for i := range 20 {
		long[fmt.Sprint(i)+strings.Repeat("x", 60_000)] = ""
	}
	for name, tt := range map[string]struct {
		raw  []byte
		want string
	}{
		"bomb":                    {bomb(t), "it unpacks to more than"},
		"many files":              {packed(t, many), "more than 1000 files"},
		"long names":              {packed(t, long), "more than 1000 files"},
		"nothing in it":           {packed(t, nil), "no users.csv, but nothing"},
		"no users.csv":            {packed(t, map[string]string{"students.csv": "a"}), `no users.csv, but "students.csv"`},
		"a workbook":              {packed(t, map[string]string{"xl/workbook.xml": "<a/>"}), "save it as CSV"},
		"two users.csv":           {packed(t, with("old/users.csv", "a")), `users.csv twice, as "old/users.csv" and "users.csv"`},
		"no roles":                {packed(t, map[string]string{"users.csv": "sourcedId,familyName,identifier\nu1,Ek,1\n"}), "no roles.csv: export the roles too"},
		"another table":           {packed(t, with("users.csv", orgs)), "users.csv: the first row has no column familyName or givenName"},
		"roles of another kind":   {packed(t, with("roles.csv", orgs)), "roles.csv: the first row has no column userSourcedId"},
		"empty users.csv":         {packed(t, with("users.csv", "")), "users.csv: the file is empty"},
		"an archive in it":        {packed(t, with("users.csv", string(whole))), "users.csv: it is zip, not CSV"},
		"encrypted":               {flagged(bytes.Clone(whole), 8, 1), "it is encrypted: ask for"},
		"another method":          {flagged(bytes.Clone(whole), 10, 9), "packed by method 9"},
		"cut off":                 {whole[:len(whole)/2], "damaged or cut off"},
		"spoilt":                  {spoilt, "damaged or cut off"},
		"a first row without end": {packed(t, with("users.csv", strings.Repeat("x", maxLine+1)+"\n")), "the first row: a line of more than"},
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := ImportPatrons(t.Context(), bytes.NewReader(tt.raw), Options{}, &kiosktest.Memory{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || rep.New > 0 {
				t.Errorf("%+v, %v; want %q", rep, err, tt.want)
			}
		})
	}
	for what, f := range map[string]load{"items": ImportItems, "loans": ImportLoans} {
		if _, err := f(t.Context(), bytes.NewReader(whole), Options{}, &kiosktest.Memory{}); err == nil || !strings.Contains(err.Error(), "unpack it") {
			t.Errorf("%s of a roster: %v", what, err)
		}
	}
}

// TestOddArchives: what is strange and can be read is.
func TestOddArchives(t *testing.T) {
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(roster11()["users.csv"])
	if err != nil {
		t.Fatal(err)
	}
	users := roster11()["users.csv"]
	moved := func(name string) map[string]string {
		all := with(name, users)
		delete(all, "users.csv")
		return all
	}
	for name, tt := range map[string]struct {
		files   map[string]string
		n, lost int
	}{
		"UTF-16":                     {with("users.csv", wide), 5, 1},
		"a Mac's":                    {with("__MACOSX/users.csv", "\x00\x05", "__MACOSX/._users.csv", "\x00"), 5, 1},
		"a way out":                  {moved("../../../etc/Users.CSV"), 5, 1},
		"of Windows":                 {moved(`C:\roster\users.csv`), 5, 1},
		"a quote without end":        {with("users.csv", users+`u7,active,,true,s1,student,"x`+"\n"), 5, 2},
		"a cell without end":         {with("users.csv", users+strings.Repeat("y", 1<<19)+"\n"), 5, 2},
		"roles that can't be read":   {with("roles.csv", "userSourcedId,role\n\"\n"), 5, 1},
		"orgs of no name":            {with("orgs.csv", "sourcedId,name\n,,,,\n"), 5, 1},
		"a card with a bad sign":     {with("users.csv", users+"u7,,,true,s1,student,,,A,B,,1|2,,,,,,\n"), 5, 2},
		"a status nobody knows":      {with("users.csv", users+"u7,napping,,true,s1,student,,,A,B,,18111,,,,,,\n"), 6, 1},
		"no orgs and no birthdays":   {map[string]string{"users.csv": users}, 5, 1},
		"columns in another order":   {with("users.csv", "identifier;role;familyName;SOURCEDID\n77;student;Ek;u1\n"), 1, 0},
		"a list without its last":    {with("users.csv", strings.TrimSuffix(users, "\n")), 5, 1},
		"a class list with headings": {with("classes.csv", "x", "enrollments.csv", "\x00"), 5, 1},
	} {
		t.Run(name, func(t *testing.T) {
			rep, refused, err := roll(t, tt.files, "", &kiosktest.Memory{})
			if err != nil || rep.New != tt.n || rep.Refused != tt.lost {
				t.Errorf("%+v, %v, %q; want %d taken and %d not", rep, err, refused, tt.n, tt.lost)
			}
		})
	}
}

// TestManyDoubles: a column that many share is none of card numbers.
func TestManyDoubles(t *testing.T) {
	var b strings.Builder
	b.WriteString("sourcedId,familyName,role,identifier\n")
	for i := range 2*maxDouble + 2 {
		fmt.Fprintf(&b, "u%d,Ek%d,student,%d\n", i, i, i/2)
	}
	_, _, err := roll(t, map[string]string{"users.csv": b.String()}, "", &sink{})
	if err == nil || !strings.Contains(err.Error(), "identifier is no card number: more than 10000") {
		t.Error(err)
	}
	b.Reset()
	b.WriteString("sourcedId,name\n")
	for i := range maxWords + 1 {
		fmt.Fprintf(&b, "o%d,School no. %d\n", i, i)
	}
	if _, _, err = roll(t, with("orgs.csv", b.String()), "", &sink{}); err == nil || !strings.Contains(err.Error(), "orgs.csv: it has more than 20000 orgs") {
		t.Error(err)
	}
}

// FuzzRoster: whatever the bytes of an archive are.
func FuzzRoster(f *testing.F) {
	var stored bytes.Buffer
	w := zip.NewWriter(&stored)
	for name, text := range roster12() {
		if e, err := w.CreateHeader(&zip.FileHeader{Name: name}); err == nil {
			io.WriteString(e, text)
		}
	}
	w.Close()
	fuzz(f, ImportPatrons, string(packed(f, roster11())), string(packed(f, rosterSDS())), stored.String(), string(bomb(f)), "PK\x05\x06"+strings.Repeat("\x00", 18))
}

// FuzzRosterTables: whatever the tables of an archive are, and the card.
func FuzzRosterTables(f *testing.F) {
	for card, files := range map[string]map[string]string{"": roster11(), "userIds:x": roster12(), "username": rosterSDS()} {
		f.Add([]byte(files["users.csv"]), []byte(files["roles.csv"]), []byte(files["orgs.csv"]), []byte(files["demographics.csv"]), card)
	}
	f.Fuzz(func(t *testing.T, users, roles, orgs, born []byte, card string) {
		raw := packed(t, map[string]string{"users.csv": string(users), "roles.csv": string(roles), "orgs.csv": string(orgs), "demographics.csv": string(born)})
		fuzzOne(t, ImportPatrons, raw, card)
	})
}
