package kiosk

import (
	"testing"
	"time"
)

// TestHelp: the patron calls and takes it back, staff come and end it; the
// visit goes on, and its end does not end the call.
func TestHelp(t *testing.T) {
	b := newBench(t, Rules{})
	care := func(calls, comes bool) {
		t.Helper()
		if c := b.s.Screen().Care; c.Calls() != calls || c.Comes() != comes {
			t.Fatalf("care = %+v; want calls %t, comes %t", c, calls, comes)
		}
	}
	b.open1("c1")
	ends := b.s.Screen().EndsAt
	b.now = b.now.Add(10 * time.Second)
	b.send(ComeHelp{}) // nobody has called
	care(false, false)
	b.send(CallHelp{})
	care(true, false)
	if sc := b.s.Screen(); !sc.EndsAt.After(ends) || sc.View != ViewItems {
		t.Errorf("after the call the view %s ends at %v, before it %v", sc.View, sc.EndsAt, ends)
	}
	since := b.s.Screen().Care.Help
	b.now = b.now.Add(time.Second)
	b.send(CallHelp{})
	if c := b.s.Screen().Care; !c.Help.Equal(since) {
		t.Error("a second call begins anew")
	}
	b.send(DropHelp{})
	care(false, false)
	b.send(PressHelp{})
	care(true, false)
	b.now = b.now.Add(2 * time.Minute)
	b.send(Tick{}) // the patron has gone to look for somebody
	b.view(ViewWelcome)
	care(true, false)
	b.send(ComeHelp{})
	care(true, true)
	b.send(EndCare{})
	care(false, false)
	b.send(PressHelp{})
	b.send(PressHelp{})
	care(false, false)
}

// TestHelpUncoversNothing: who walks by and calls sees nobody's account.
func TestHelpUncoversNothing(t *testing.T) {
	for _, ev := range []Event{CallHelp{}, PressHelp{}, DropHelp{}} {
		b := newBench(t, Rules{Idle: time.Hour, Cover: time.Minute})
		b.account()
		b.now = b.now.Add(2 * time.Minute)
		b.send(Tick{})
		ends := b.s.Screen().EndsAt
		b.send(ev)
		if sc := b.s.Screen(); !sc.Covered || sc.Account != nil || !sc.EndsAt.After(ends) {
			t.Errorf("after %T the screen is %+v", ev, sc)
		}
		b.send(Touched{})
		if sc := b.s.Screen(); sc.Covered {
			t.Errorf("after %T a touch does not uncover the account", ev)
		}
	}
}

// TestTriesInVain: three tries that fail in a row tell staff, kindly and once; what
// works, or staff, ends it; tries far apart are not in a row.
func TestTriesInVain(t *testing.T) {
	wrong := func(b *bench) {
		b.send(CardRead{"nobody"})
		take[Identify](b)
		b.send(Identified{Card: "nobody", Err: &Error{Code: CodeRefused, Reason: ReasonUnknownCard}})
	}
	code := func(b *bench) { b.send(Unreadable{Code: "?", Reason: ReasonUnreadable}) }
	wait := func(d time.Duration) func(*bench) { return func(b *bench) { b.now = b.now.Add(d); b.send(Tick{}) } }
	good := func(b *bench) { b.open1("c1") }
	refused := func(b *bench) {
		b.send(ItemPlaced{book.Barcode})
		b.find(book, nil)
		b.store()
		b.send(Answered{Entry: take[Ask](b).Entry.ID, Err: &Error{Code: CodeRefused, Reason: ReasonOnHold}})
		b.conclude()
	}
	short := wait(time.Second)
	for name, tt := range map[string]struct {
		steps []func(*bench)
		stuck bool
		why   Reason
	}{
		"two":                    {[]func(*bench){wrong, short, wrong}, false, ""},
		"three cards":            {[]func(*bench){wrong, short, wrong, short, wrong}, true, ReasonUnknownCard},
		"cards and codes":        {[]func(*bench){wrong, short, code, short, wrong, short, code}, true, ReasonUnreadable},
		"far apart":              {[]func(*bench){wrong, short, wrong, wait(tryGap + time.Second), wrong}, false, ""},
		"the card is good then":  {[]func(*bench){wrong, short, wrong, short, wrong, short, good}, false, ""},
		"one between works":      {[]func(*bench){wrong, short, wrong, short, good, code}, false, ""},
		"a book again and again": {[]func(*bench){good, refused, short, refused, short, refused}, true, ReasonOnHold},
		"one code that stays":    {[]func(*bench){good, code, short, code, short, code}, true, ReasonUnreadable},
		"seen by staff":          {[]func(*bench){wrong, short, wrong, short, wrong, func(b *bench) { b.send(EndCare{}) }, short, wrong, short, wrong}, false, ""},
		"returns need no card":   {[]func(*bench){func(b *bench) { b.send(StartReturn{}) }, short, short, short}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Rules{})
			for _, step := range tt.steps {
				step(b)
			}
			c := b.s.Screen().Care
			if c.IsStuck() != tt.stuck || c.Why != tt.why {
				t.Errorf("care = %+v; want stuck %t because %q", c, tt.stuck, tt.why)
			}
		})
	}
	b := newBench(t, Rules{})
	for range 3 {
		wrong(b)
		short(b)
	}
	if !b.s.Screen().Care.Kind {
		t.Error("there is no kind word for who has just failed")
	}
	wait(time.Minute)(b)
	if c := b.s.Screen().Care; c.Kind || !c.IsStuck() {
		t.Errorf("a minute later the care is %+v; want staff to know still, and nothing on the welcome view", c)
	}
}
