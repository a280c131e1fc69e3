package upstreamtest

import (
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// account: an upstream that tells of accounts tells what is out, what is ready,
// what is waited for and what is owed, and nothing of somebody else.
func (s *suite) account() {
	up, ok := s.up.(kiosk.Accountant)
	if !ok {
		s.Skip("this upstream tells nothing of accounts")
	}
	now := time.Now()
	due := now.AddDate(0, 0, 9)
	for _, err := range []error{
		s.ils.AddLoan(kiosk.Loan{Item: "B1", Patron: "C1", At: now, Due: due}),
		s.ils.AddHold("B2", "C1"), s.ils.AddHold("B4", "C1"), // B4 is out to C2
		s.ils.SetOwed("C1", 250),
	} {
		if err != nil {
			s.Fatal(err)
		}
	}
	ctx := s.ctx(patience)
	a, err := up.Account(ctx, "C1")
	if code := kiosk.CodeOf(err); code == kiosk.CodeInvalid {
		s.Skip("this upstream tells nothing of accounts: ", err)
	}
	if err != nil || a.Local || a.Seen.IsZero() {
		s.Fatalf("Account(C1) = %+v, %v", a, err)
	}
	if len(a.Loans) != 1 || a.Loans[0].Item != "B1" || a.Loans[0].Title != "The one" || a.Loans[0].Due.Sub(due).Abs() > 24*time.Hour {
		s.Errorf("loans = %+v; want B1, due %v", a.Loans, due)
	}
	if len(a.Holds) != 3 || // B7 is one of Sample's
		a.Holds[0].Item != "B2" || !a.Holds[0].Ready || a.Holds[1].Title != "Out to C2" || a.Holds[1].Ready {
		s.Errorf("holds = %+v; want B2 ready, B4 and B7 not", a.Holds)
	}
	if a.Owed != "2.50 USD" {
		s.Errorf("owed = %q; want 2.50 USD", a.Owed)
	}
	if _, err := up.Account(ctx, "NOBODY"); kiosk.CodeOf(err) != kiosk.CodeRefused {
		s.Errorf("the account of nobody: %v; want a refusal", err)
	}
}
