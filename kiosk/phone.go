package kiosk

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// Phone is a phone or tablet that staff has let in for inventories.
type Phone struct {
	Key    string    // SHA-256 of the token that it holds, in hex
	Name   string    // as staff calls it
	Paired time.Time //
	By     string    // who let it in
}

// Phones are those that were let in.
type Phones struct{ List []Phone }

// MaxPhones is how many are let in at most.
const MaxPhones = 50

// Valid tells what is wrong with a list.
func (p Phones) Valid() error {
	if len(p.List) > MaxPhones {
		return fmt.Errorf("at most %d phones are let in: forget one that is no longer used", MaxPhones)
	}
	for i, x := range p.List {
		if raw, err := hex.DecodeString(x.Key); err != nil || len(raw) != 32 {
			return fmt.Errorf("key %q: must be 64 hex digits", x.Key)
		}
		if !Printable(x.Name, 1, MaxName) {
			return fmt.Errorf("name: has 1 to %d printable characters", MaxName)
		}
		if slices.ContainsFunc(p.List[:i], func(o Phone) bool { return o.Key == x.Key }) {
			return fmt.Errorf("key %q is there twice", x.Key)
		}
	}
	return nil
}

// Of finds the phone with a key.
func (p Phones) Of(key string) (Phone, bool) {
	i := slices.IndexFunc(p.List, func(x Phone) bool { return x.Key == key })
	if i < 0 {
		return Phone{}, false
	}
	return p.List[i], true
}

// Without is the list without one.
func (p Phones) Without(key string) Phones {
	return Phones{slices.DeleteFunc(slices.Clone(p.List), func(x Phone) bool { return x.Key == key })}
}
