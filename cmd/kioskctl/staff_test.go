package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestStaffAccounts makes, changes and removes accounts, without a daemon and
// beside one; the audit log has all of it.
func TestStaffAccounts(t *testing.T) {
	s := newSite(t)
	answers(t, "S1\nAna Ñ.\nsecret-1\n") // asked for, one after the other
	contains(t, s.ctl(0, "staff", "add", "--role", "manager"), "badge's number", "Ana Ñ. can sign in")
	answers(t, "secret-2\n")
	s.ctl(0, "staff", "add", "S2", "--name", "Bo")
	answers(t, "secret-2\n")
	s.ctl(1, "staff", "add", "S2", "--name", "Another") // the badge has an account
	s.ctl(2, "staff", "add", "S 3", "--name", "Cy")
	s.ctl(2, "staff", "add", "S3", "--name", "Cy", "--role", "root")
	answers(t, "12345\n")
	s.ctl(1, "staff", "add", "S3", "--name", "Cy") // too short
	answers(t, "")
	s.ctl(1, "staff", "add", "S3", "--name", "Cy")
	s.start()
	answers(t, "secret-3\n")
	s.ctl(0, "staff", "add", "S3", "--name", "Cy", "--role", "helper")
	answers(t, "secret-4\n")
	s.ctl(0, "staff", "password", "S3")
	answers(t, "secret-4\n")
	s.ctl(1, "staff", "password", "S9")
	s.ctl(0, "staff", "remove", "S2")
	contains(t, s.ctl(1, "staff", "remove", "S2")) // there is none any more
	list := s.ctl(0, "staff", "list")
	contains(t, list, "S1", "Ana Ñ.", "manager", "S3", "Cy", "helper")
	if strings.Contains(list, "Bo") || strings.Contains(list, "argon2") {
		t.Errorf("list: %s", list)
	}
	var whats []string
	dec := json.NewDecoder(strings.NewReader(s.ctl(0, "-json", "staff", "audit")))
	for dec.More() {
		var a act
		if err := dec.Decode(&a); err != nil {
			t.Fatal(err)
		}
		if a.From != "kioskctl" || a.Name == "" || a.At.IsZero() {
			t.Errorf("act %+v", a)
		}
		whats = append(whats, a.What+" "+a.About)
	}
	if got := strings.Join(whats, "; "); got != "account.remove S2; account S3; account S3; account S2; account S1" {
		t.Errorf("audit: %s", got)
	}
	contains(t, s.ctl(0, "staff", "audit", "--csv"), "n,at,badge,name,what,about,note,from\r\n5,", "\"Ana Ñ., manager\"")
	if out := s.ctl(0, "-json", "staff", "audit", "--since", "2099-01-01"); out != "" {
		t.Errorf("of the future: %s", out)
	}
	s.ctl(2, "staff", "audit", "--since", "yesterday")
}
