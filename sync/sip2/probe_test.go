package sip2_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// trialLibrary has a card and items for a trial, and others that are not.
func trialLibrary(t *testing.T, r upstreamtest.Rules) *upstreamtest.ILS {
	t.Helper()
	ils := upstreamtest.New(r)
	for _, c := range []kiosk.Card{"TRIAL", "READER", "WAITS"} {
		ils.AddPatron(kiosk.Patron{Card: c, FamilyName: string(c)}, "1234")
	}
	ils.AddPatron(kiosk.Patron{Card: "BARRED", Blocked: kiosk.ReasonCardBlocked, BlockText: "Patron debarred"}, "")
	ils.AddItems(kiosk.Item{Barcode: "B1", Title: "Le deuxième sexe"}, kiosk.Item{Barcode: "OUT", Title: "Dune"},
		kiosk.Item{Barcode: "HELD", Title: "Emma"}, kiosk.Item{Barcode: "LOST", Title: "Ulysses", Status: kiosk.StatusLost},
		kiosk.Item{Barcode: "ATLAS", Title: "Atlas", Reference: true})
	if err := ils.AddLoan(kiosk.Loan{Item: "OUT", Patron: "READER", At: time.Now(), Due: time.Now().AddDate(0, 0, 14)}); err != nil {
		t.Fatal(err)
	}
	if err := ils.AddHold("HELD", "WAITS"); err != nil {
		t.Fatal(err)
	}
	return ils
}

func long(t *testing.T) context.Context {
	c, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return c
}

func config(addr string, change func(*sip2.Config)) sip2.Config {
	c := sip2.Config{Address: addr, User: "kiosk1", Password: "secret", Institution: "CPL"}
	if change != nil {
		change(&c)
	}
	return c
}

var trial = sip2.Trial{Card: "TRIAL", PIN: "1234", Item: "B1", Wait: 5 * time.Second}

// TestConform: whatever a server's habits are, they are found out, and the
// item is back in the end.
func TestConform(t *testing.T) {
	type rules = upstreamtest.Rules
	type server = sip2.ServerConfig
	good := sip2.Profile{NoBlock: sip2.Honoured, Due: sip2.DueKept, Cancel: sip2.Honoured, StatusUpdate: sip2.Honoured,
		Renews: sip2.Honoured, Resend: sip2.Honoured, Charset: "utf-8", Longest: 10000}
	but := func(change func(*sip2.Profile)) sip2.Profile {
		p := good
		change(&p)
		return p
	}
	tests := []struct {
		name   string
		rules  rules
		server server
		client func(*sip2.Config)
		want   sip2.Profile
	}{
		{"by the book", rules{}, server{}, nil, good},
		{"no block ignored", rules{IgnoreNoBlock: true}, server{}, nil,
			but(func(p *sip2.Profile) { p.NoBlock, p.Due = sip2.Ignored, sip2.DueIgnored })},
		{"due date is loan date", rules{DueIsLoanDate: true}, server{}, nil, but(func(p *sip2.Profile) { p.Due = sip2.DueLoanDate })},
		{"both: it is ignored", rules{DueIsLoanDate: true, IgnoreNoBlock: true}, server{}, nil,
			but(func(p *sip2.Profile) { p.NoBlock, p.Due = sip2.Ignored, sip2.DueIgnored })},
		{"no cancel", rules{}, server{NoCancel: true}, nil, but(func(p *sip2.Profile) { p.Cancel = sip2.Ignored })},
		{"no status update", rules{}, server{NoStatusUpdate: true}, nil, but(func(p *sip2.Profile) { p.StatusUpdate = sip2.Unanswered })},
		{"no resend", rules{}, server{NoResend: true}, nil, but(func(p *sip2.Profile) { p.Resend = sip2.Refused })},
		{"as Koha", rules{DueIsLoanDate: true}, server{NoCancel: true, NoResend: true, CRLF: true}, nil,
			but(func(p *sip2.Profile) { p.Due, p.Cancel, p.Resend = sip2.DueLoanDate, sip2.Ignored, sip2.Refused })},
		{"as Evergreen", rules{IgnoreNoBlock: true}, server{NoCancel: true, NoStatusUpdate: true, Charset: "latin-1"}, func(c *sip2.Config) { c.Charset = "latin-1" },
			but(func(p *sip2.Profile) {
				p.NoBlock, p.Due, p.Cancel, p.StatusUpdate, p.Charset = sip2.Ignored, sip2.DueIgnored, sip2.Ignored, sip2.Unanswered, "latin-1"
			})},
		{"nothing at all", rules{IgnoreNoBlock: true}, server{NoCancel: true, NoStatusUpdate: true, NoResend: true}, nil,
			but(func(p *sip2.Profile) {
				p.NoBlock, p.Due, p.Cancel, p.StatusUpdate, p.Resend = sip2.Ignored, sip2.DueIgnored, sip2.Ignored, sip2.Unanswered, sip2.Refused
			})},
		{"no renewals: of a cancel nothing shows but by the promised date", rules{MaxRenewals: -1}, server{}, nil,
			but(func(p *sip2.Profile) { p.Renews = sip2.Refused })},
		{"no renewals, no block ignored: of a cancel nothing shows", rules{MaxRenewals: -1, IgnoreNoBlock: true}, server{}, nil,
			but(func(p *sip2.Profile) {
				p.Renews, p.NoBlock, p.Due, p.Cancel = sip2.Refused, sip2.Ignored, sip2.DueIgnored, sip2.HabitUnknown
			})},
		{"two days", rules{Days: 2}, server{}, nil, good},
		{"two days, ignored", rules{Days: 2, IgnoreNoBlock: true}, server{}, nil,
			but(func(p *sip2.Profile) { p.NoBlock, p.Due = sip2.Ignored, sip2.DueIgnored })},
		{"two days, loan date", rules{Days: 2, DueIsLoanDate: true}, server{}, nil, but(func(p *sip2.Profile) { p.Due = sip2.DueLoanDate })},
		{"cp850, no checksums", rules{}, server{Charset: "cp850"}, func(c *sip2.Config) { c.Charset, c.Checksum = "cp850", "off" },
			but(func(p *sip2.Profile) { p.Charset = "cp850" })},
		{"another charset than is configured", rules{}, server{Charset: "cp850"}, nil, but(func(p *sip2.Profile) { p.Charset = "cp850" })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ils := trialLibrary(t, tt.rules)
			c := config(serve(t, ils, tt.server).Addr(), tt.client)
			steps := 0
			tr := trial
			tr.Seen = func(sip2.Step) { steps++ }
			report, got, err := sip2.Conform(long(t), c, tr)
			if err != nil {
				t.Fatalf("Conform() = %v\n%s", err, text(report))
			}
			if time.Since(got.Tested) > time.Minute || got.Longest < tt.want.Longest || len(report) != steps {
				t.Errorf("tested %v, longest %d, %d steps, %d seen", got.Tested, got.Longest, len(report), steps)
			}
			tt.want.Name, tt.want.Address, tt.want.Tested, tt.want.Longest = "probed", c.Address, got.Tested, got.Longest
			if got != tt.want {
				t.Errorf("Conform() = %+v\nwant        %+v\n%s", got, tt.want, text(report))
			}
			if loans := ils.Loans(); len(loans) != 1 {
				t.Errorf("loans after the trial: %+v", loans)
			}
			if s := text(report); strings.Contains(s, "1234") || strings.Contains(s, "secret") {
				t.Errorf("the report tells a secret:\n%s", s)
			}
			if last := report[len(report)-1]; last.Name != "end" || last.Verdict != sip2.OK {
				t.Errorf("the last step is %+v", last)
			}
		})
	}
}

func text(r sip2.Report) string {
	var b strings.Builder
	for _, s := range r {
		b.WriteString(string(s.Verdict) + " " + s.Name + ": " + s.Words + "\n    > " + s.Asked + "\n    < " + s.Came + "\n")
	}
	return b.String()
}

// TestTrialOfSomebodys: card and item of anybody are left alone.
func TestTrialOfSomebodys(t *testing.T) {
	for name, tr := range map[string]sip2.Trial{
		"an item that is out":         {Card: "TRIAL", Item: "OUT"},
		"an item somebody waits for":  {Card: "TRIAL", Item: "HELD"},
		"an item that is lost":        {Card: "TRIAL", Item: "LOST"},
		"an item that is not known":   {Card: "TRIAL", Item: "NONE"},
		"a card with loans":           {Card: "READER", Item: "B1"},
		"the card that has the item":  {Card: "READER", Item: "OUT"},
		"a card that is not known":    {Card: "NOBODY", Item: "B1"},
		"a card that may not borrow":  {Card: "BARRED", Item: "B1"},
		"an item that is not lent":    {Card: "TRIAL", Item: "ATLAS"},
		"no card":                     {Item: "B1"},
		"a barcode that is a message": {Card: "TRIAL", Item: "B1|AAREADER"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ils := trialLibrary(t, upstreamtest.Rules{})
			tr.Wait = 2 * time.Second
			report, p, err := sip2.Conform(long(t), config(serve(t, ils, sip2.ServerConfig{}).Addr(), nil), tr)
			if !errors.Is(err, sip2.ErrTrial) || p != (sip2.Profile{}) || len(report) == 0 {
				t.Errorf("Conform() = %+v, %v; want ErrTrial\n%s", p, err, text(report))
			}
			for _, e := range ils.History() {
				if e.Did != upstreamtest.DidRefuse {
					t.Errorf("it did %+v", e)
				}
			}
		})
	}
}

// TestTrialWaitedFor: an item that is on its shelf but that somebody waits for,
// and a card that waits for something.
func TestTrialWaitedFor(t *testing.T) {
	for _, tt := range []struct{ name, holds, queue string }{{"the item", "0000", "CF1|"}, {"the card", "0001", ""}} {
		s := &script{}
		addr := s.serve(t, func(_ int, q string) string {
			switch q[:2] {
			case "99":
				return hello
			case "63":
				return "64" + strings.Repeat(" ", 14) + "001" + date + tt.holds + strings.Repeat("0000", 5) + "AOx|AATRIAL|AETrial|BLY|\r"
			}
			return "18030201" + date + "ABB1|AJDune|" + tt.queue + "\r"
		})
		report, _, err := sip2.Conform(long(t), config(addr, plain), trial)
		if !errors.Is(err, sip2.ErrTrial) || s.count("11") != 0 {
			t.Errorf("somebody waits for %s: %v, and %d checkouts\n%s", tt.name, err, s.count("11"), text(report))
		}
	}
}

// TestTrialLongest: the longest request that a server takes is found out; one
// that takes less than a kiosk's own is told of.
func TestTrialLongest(t *testing.T) {
	for _, tt := range []struct {
		takes, from, to int
		verdict         sip2.Verdict
	}{{0, 10000, sip2.MaxMessage, sip2.OK}, {2000, 1200, 2000, sip2.OK}, {400, 300, 400, sip2.Different}} {
		ils := trialLibrary(t, upstreamtest.Rules{})
		report, p, err := sip2.Conform(long(t), config(serve(t, ils, sip2.ServerConfig{Longest: tt.takes}).Addr(), nil), trial)
		if err != nil || p.Longest < tt.from || p.Longest > tt.to || len(ils.Loans()) != 1 {
			t.Errorf("takes %d: Conform() = %+v, %v\n%s", tt.takes, p, err, text(report))
		}
		if n := slices.IndexFunc(report, func(s sip2.Step) bool { return s.Name == "long request" }); n < 0 || report[n].Verdict != tt.verdict {
			t.Errorf("takes %d: want %s\n%s", tt.takes, tt.verdict, text(report))
		}
	}
}

// TestTrialASCII: what comes back of a letter that was sent tells nothing of
// how the server writes its own.
func TestTrialASCII(t *testing.T) {
	ils := trialLibrary(t, upstreamtest.Rules{})
	ils.AddItems(kiosk.Item{Barcode: "PLAIN", Title: "Dune"})
	tr := trial
	tr.Item = "PLAIN"
	if report, p, err := sip2.Conform(long(t), config(serve(t, ils, sip2.ServerConfig{}).Addr(), nil), tr); err != nil || p.Charset != "ascii" {
		t.Errorf("Conform() = %+v, %v; want ascii\n%s", p, err, text(report))
	}
}

// TestTrialAway: a server that goes away in the middle and comes back gets the
// item back.
func TestTrialAway(t *testing.T) {
	t.Parallel()
	ils := trialLibrary(t, upstreamtest.Rules{})
	p := serve(t, ils, sip2.ServerConfig{})
	tr := trial
	tr.Seen = func(s sip2.Step) {
		switch {
		case s.Name == "checkout":
			p.Away(true)
		case s.Verdict == sip2.Failed:
			p.Away(false)
		}
	}
	report, prof, err := sip2.Conform(long(t), config(p.Addr(), nil), tr)
	if kiosk.CodeOf(err) != kiosk.CodeOffline || errors.Is(err, sip2.ErrLeft) || prof != (sip2.Profile{}) || len(ils.Loans()) != 1 {
		t.Errorf("Conform() = %+v, %v with %d loans\n%s", prof, err, len(ils.Loans()), text(report))
	}
}

// TestTrialCut: whatever breaks on the way, the item is given back as soon as
// the server is there, and otherwise is called out.
func TestTrialCut(t *testing.T) {
	for _, mishap := range []upstreamtest.Mishap{upstreamtest.CutAnswer, upstreamtest.DropAnswer, upstreamtest.Garbage, upstreamtest.CutRequest} {
		for _, at := range []string{"11", "09", "17", "63"} {
			t.Run(string(mishap)+" of "+at, func(t *testing.T) {
				t.Parallel()
				ils := trialLibrary(t, upstreamtest.Rules{})
				p := serve(t, ils, sip2.ServerConfig{})
				for range 2 {
					p.Once(upstreamtest.Fault{Mishap: mishap, Match: at})
				}
				tr := trial
				tr.Wait = 300 * time.Millisecond
				report, prof, err := sip2.Conform(long(t), config(p.Addr(), nil), tr)
				if len(ils.Loans()) != 1 && !errors.Is(err, sip2.ErrLeft) {
					t.Errorf("the item is left out, and nobody told: %v\n%s", err, text(report))
				}
				if err != nil && !errors.Is(err, sip2.ErrLeft) && prof != (sip2.Profile{}) {
					t.Errorf("a profile with %v: %+v", err, prof)
				}
			})
		}
	}
}

// TestTrialDropped: a line that is dropped, or silent, at what a server does
// not know is a habit, and the trial goes on.
func TestTrialDropped(t *testing.T) {
	for match, habit := range map[string]func(sip2.Profile) sip2.Habit{
		"11NY": func(p sip2.Profile) sip2.Habit { return p.NoBlock },
		"19":   func(p sip2.Profile) sip2.Habit { return p.StatusUpdate },
		"97":   func(p sip2.Profile) sip2.Habit { return p.Resend },
	} {
		for _, mishap := range []upstreamtest.Mishap{upstreamtest.CutRequest, upstreamtest.DropRequest} {
			t.Run(string(mishap)+" of "+match, func(t *testing.T) {
				t.Parallel()
				ils := trialLibrary(t, upstreamtest.Rules{})
				p := serve(t, ils, sip2.ServerConfig{})
				p.Always(upstreamtest.Fault{Mishap: mishap, Match: match})
				tr := trial
				tr.Wait = time.Second
				report, prof, err := sip2.Conform(long(t), config(p.Addr(), nil), tr)
				if err != nil || habit(prof) != sip2.Unanswered || prof.Longest < 10000 || prof.Cancel != sip2.Honoured || len(ils.Loans()) != 1 {
					t.Errorf("Conform() = %+v, %v\n%s", prof, err, text(report))
				}
			})
		}
	}
}

// TestTrialEnded: who ends a trial in its middle gets the item back.
func TestTrialEnded(t *testing.T) {
	ils := trialLibrary(t, upstreamtest.Rules{})
	p := serve(t, ils, sip2.ServerConfig{})
	c, cancel := context.WithCancel(t.Context())
	tr := trial
	tr.Seen = func(s sip2.Step) {
		if s.Name == "checkout" {
			cancel()
		}
	}
	report, _, err := sip2.Conform(c, config(p.Addr(), nil), tr)
	if !errors.Is(err, context.Canceled) || errors.Is(err, sip2.ErrLeft) || len(ils.Loans()) != 1 {
		t.Errorf("Conform() = %v with %d loans\n%s", err, len(ils.Loans()), text(report))
	}
}

// TestTrialLeft: an item that can't be given back is said to be out.
func TestTrialLeft(t *testing.T) {
	ils := trialLibrary(t, upstreamtest.Rules{})
	p := serve(t, ils, sip2.ServerConfig{})
	tr := trial
	tr.Wait = 200 * time.Millisecond
	tr.Seen = func(s sip2.Step) {
		if s.Name == "checkout" {
			p.Always(upstreamtest.Fault{Mishap: upstreamtest.CutRequest, Match: "09"})
		}
	}
	report, prof, err := sip2.Conform(long(t), config(p.Addr(), nil), tr)
	if !errors.Is(err, sip2.ErrLeft) || prof != (sip2.Profile{}) {
		t.Fatalf("Conform() = %+v, %v; want ErrLeft\n%s", prof, err, text(report))
	}
	if last := report[len(report)-1]; last.Verdict != sip2.Failed || !strings.Contains(last.Words, "B1") {
		t.Errorf("the last step is %+v", last)
	}
}

// TestTrialNoServer: nobody there, and a login that is refused.
func TestTrialNoServer(t *testing.T) {
	p := serve(t, trialLibrary(t, upstreamtest.Rules{}), sip2.ServerConfig{})
	report, _, err := sip2.Conform(long(t), config(p.Addr(), func(c *sip2.Config) { c.Password = "wrong" }), trial)
	if !errors.Is(err, sip2.ErrLogin) || len(report) != 1 || report[0].Verdict != sip2.Failed {
		t.Errorf("with a wrong password: %v\n%s", err, text(report))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if _, _, err := sip2.Conform(long(t), config(ln.Addr().String(), nil), trial); kiosk.CodeOf(err) != kiosk.CodeOffline {
		t.Errorf("with nobody there: %v; want offline", err)
	}
}
