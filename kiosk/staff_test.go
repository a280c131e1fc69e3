package kiosk

import (
	"strings"
	"testing"
)

func TestRoles(t *testing.T) {
	roles := []Role{Helper, Librarian, Manager} // the smallest first
	for i, r := range roles {
		for j, other := range roles {
			if r.May(other) != (i >= j) {
				t.Errorf("%s.May(%s) = %t", r, other, r.May(other))
			}
		}
		if r.May("") || Role("").May(r) || Role("root").May(r) || r.May("root") {
			t.Errorf("%s and no role", r)
		}
	}
}

func TestMemberValid(t *testing.T) {
	for _, tt := range []struct {
		m  Member
		ok bool
	}{
		{Member{Badge: "S1", Name: "Ana Ñ. ليلى", Role: Manager}, true},
		{Member{Badge: "", Name: "Ana", Role: Manager}, false},
		{Member{Badge: "S 1", Name: "Ana", Role: Manager}, false},
		{Member{Badge: "S1\n", Name: "Ana", Role: Manager}, false},
		{Member{Badge: Card(strings.Repeat("1", MaxCode+1)), Name: "Ana", Role: Manager}, false},
		{Member{Badge: "S1", Name: "", Role: Manager}, false},
		{Member{Badge: "S1", Name: "  Ana", Role: Manager}, false},
		{Member{Badge: "S1", Name: "Ana\x1b[2J", Role: Manager}, false},
		{Member{Badge: "S1", Name: "Ana\u202eanA", Role: Manager}, false},
		{Member{Badge: "S1", Name: "Ana\xff", Role: Manager}, false},
		{Member{Badge: "S1", Name: strings.Repeat("ü", MaxName), Role: Helper}, true},
		{Member{Badge: "S1", Name: strings.Repeat("ü", MaxName+1), Role: Helper}, false},
		{Member{Badge: "S1", Name: "Ana", Role: "root"}, false},
	} {
		if err := tt.m.Valid(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.m, err)
		}
	}
}
