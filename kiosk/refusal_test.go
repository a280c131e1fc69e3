package kiosk

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// TestRefusals: every reason stands in the catalogue once, with something to
// do and a picture; what is not in it sends to staff.
func TestRefusals(t *testing.T) {
	rows := map[Reason]int{}
	for _, r := range Refusals() {
		rows[r.Reason]++
		if r.Next == "" || r.Picture == "" {
			t.Errorf("%s has next %q and picture %q", r.Reason, r.Next, r.Picture)
		}
		if got := RefusalOf(r.Reason); got != r {
			t.Errorf("RefusalOf(%s) = %v; want %v", r.Reason, got, r)
		}
	}
	f, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	reasons := 0
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		s, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if reasons++; rows[Reason(s)] != 1 {
			t.Errorf("%s is in the catalogue %d times", s, rows[Reason(s)])
		}
		return true
	})
	if reasons < 25 || reasons != len(rows) {
		t.Errorf("%d reasons, %d rows", reasons, len(rows))
	}
	for _, r := range []Reason{"", "brand-new", "ask staff"} {
		if got := RefusalOf(r); got.Reason != ReasonAskStaff || got.Next != NextDesk {
			t.Errorf("RefusalOf(%q) = %v; want it to send to staff", r, got)
		}
	}
}
