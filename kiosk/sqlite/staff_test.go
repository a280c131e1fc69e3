package sqlite

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

var morning = time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)

func act(what string, at time.Time) kiosk.Act {
	return kiosk.Act{At: at, Badge: "S1", Name: "Ana", What: what, About: "3041", Note: "because", From: "127.0.0.1"}
}

func TestMembers(t *testing.T) {
	f := newFile(t)
	ana := kiosk.Member{Badge: "S1", Name: "Ana", Role: kiosk.Manager, Hash: "$h", Since: morning}
	bo := kiosk.Member{Badge: "S2", Name: "Bo", Role: kiosk.Helper, Hash: "$i", Since: morning}
	for _, m := range []kiosk.Member{bo, ana} {
		if err := f.PutMember(t.Context(), m, act("account", morning)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.PutMember(t.Context(), kiosk.Member{Badge: "S 3", Name: "X", Role: kiosk.Helper}, act("account", morning)); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("a badge with a space: %v", err)
	}
	bo.Role = kiosk.Librarian
	if err := f.PutMember(t.Context(), bo, act("account", morning)); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Members(t.Context()); err != nil || !slices.Equal(got, []kiosk.Member{ana, bo}) {
		t.Errorf("Members() = %+v, %v", got, err)
	}
	if got, err := f.Member(t.Context(), "S2"); err != nil || got != bo {
		t.Errorf("Member(S2) = %+v, %v", got, err)
	}
	if err := f.RemoveMember(t.Context(), "S2", act("account.remove", morning)); err != nil {
		t.Error(err)
	}
	if _, err := f.Member(t.Context(), "S2"); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("Member() of one who has gone: %v", err)
	}
	if err := f.RemoveMember(t.Context(), "S2", act("account.remove", morning)); !errors.Is(err, kiosk.ErrUnknown) {
		t.Errorf("removed twice: %v", err)
	}
	acts, err := f.Acts(t.Context(), kiosk.ActFilter{})
	if err != nil || len(acts) != 4 {
		t.Errorf("%d acts, %v; want the four that happened", len(acts), err)
	}
}

// TestActsOnlyGrow: what was noted is found again, after a restart, and
// nobody who has the file open can change it.
func TestActsOnlyGrow(t *testing.T) {
	f := newFile(t)
	for n, what := range []string{"sign-in", "lookup", "override", "sign-out"} {
		if err := f.Note(t.Context(), act(what, morning.Add(time.Duration(n)*time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Note(t.Context(), kiosk.Act{At: morning}); kiosk.CodeOf(err) != kiosk.CodeInvalid {
		t.Errorf("an act of no kind: %v", err)
	}
	for _, q := range []string{"UPDATE acts SET note = ''", "DELETE FROM acts", "DELETE FROM acts WHERE n = 4"} {
		if _, err := f.conn.ExecContext(t.Context(), q); err == nil || !strings.Contains(err.Error(), "only grows") {
			t.Errorf("%s: %v", q, err)
		}
	}
	if _, err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	whats := func(fl kiosk.ActFilter) string {
		t.Helper()
		acts, err := f.Acts(t.Context(), fl)
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, a := range acts {
			s = append(s, a.What)
		}
		return strings.Join(s, " ")
	}
	for _, tt := range []struct {
		f    kiosk.ActFilter
		want string
	}{
		{kiosk.ActFilter{}, "sign-out override lookup sign-in"},
		{kiosk.ActFilter{Limit: 2}, "sign-out override"},
		{kiosk.ActFilter{Before: 3}, "lookup sign-in"},
		{kiosk.ActFilter{Since: morning.Add(time.Hour), Until: morning.Add(3 * time.Hour)}, "override lookup"},
		{kiosk.ActFilter{Badge: "S2"}, ""},
		{kiosk.ActFilter{Badge: "S1", Limit: 1}, "sign-out"},
	} {
		if got := whats(tt.f); got != tt.want {
			t.Errorf("%+v: %q; want %q", tt.f, got, tt.want)
		}
	}
	acts, _ := f.Acts(t.Context(), kiosk.ActFilter{Limit: 1})
	if want := act("sign-out", morning.Add(3*time.Hour)); acts[0] != func() kiosk.Act { want.N = 4; return want }() {
		t.Errorf("read back %+v; want %+v", acts[0], want)
	}
}
