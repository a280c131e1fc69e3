package kiosk

import (
	"fmt"
	"strings"
	"testing"
)

func TestPhones(t *testing.T) {
	key := func(n int) string { return fmt.Sprintf("%064x", n) }
	var full Phones
	for i := range MaxPhones {
		full.List = append(full.List, Phone{Key: key(i), Name: "Ana’s phone"})
	}
	one := full.List[0]
	for _, tt := range []struct {
		name string
		p    Phones
		ok   bool
	}{
		{"none", Phones{}, true}, {"as many as may be", full, true},
		{"one more", Phones{append(full.List[:MaxPhones:MaxPhones], Phone{Key: key(99), Name: "x"})}, false},
		{"no key", Phones{[]Phone{{Name: "x"}}}, false}, {"a short key", Phones{[]Phone{{Key: "ab", Name: "x"}}}, false},
		{"no name", Phones{[]Phone{{Key: key(1)}}}, false}, {"a name of two lines", Phones{[]Phone{{Key: key(1), Name: "a\nb"}}}, false},
		{"a long name", Phones{[]Phone{{Key: key(1), Name: strings.Repeat("a", MaxName+1)}}}, false}, {"twice", Phones{[]Phone{one, one}}, false},
	} {
		if err := tt.p.Valid(); (err == nil) != tt.ok {
			t.Errorf("%s: Valid() = %v", tt.name, err)
		}
	}
	if x, ok := full.Of(key(3)); !ok || x.Key != key(3) {
		t.Errorf("Of() = %v %v", x, ok)
	}
	less := full.Without(key(3))
	if _, ok := less.Of(key(3)); ok || len(less.List) != MaxPhones-1 || len(full.List) != MaxPhones {
		t.Errorf("Without() leaves %d of %d", len(less.List), len(full.List))
	}
}
