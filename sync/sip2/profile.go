package sip2

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"
)

// Habit is what a server does with something that it is sent.
type Habit string

// The habits.
const (
	HabitUnknown Habit = ""           // not tried, or the answers did not tell
	Honoured     Habit = "honoured"   // as the protocol says
	Ignored      Habit = "ignored"    // taken as if it had not been said
	Refused      Habit = "refused"    // answered with a no
	Unanswered   Habit = "unanswered" // silence, or the line is dropped
)

// DueHabit is what a server does with the due date of a loan that has already
// happened.
type DueHabit string

// The due habits.
const (
	DueUnknown  DueHabit = ""          // not tried, or the answers did not tell
	DueKept     DueHabit = "kept"      // the loan is due when the patron was told
	DueLoanDate DueHabit = "loan-date" // it is taken for the date of the loan, and the server counts from there
	DueIgnored  DueHabit = "ignored"   // the server sets its own
)

// Profile is what a server does of what the protocol leaves open, or servers
// leave out. Some are known (see [Config]); [Conform] finds out the others.
type Profile struct {
	// Name is that of a known profile, or "probed".
	Name string `json:"name"`

	// NoBlock is what comes of a transaction that says that it has already
	// happened. Where it is known not to be honoured, it goes as a question.
	NoBlock Habit `json:"no_block,omitempty"`
	// Due is how the due date of such a checkout is used.
	Due DueHabit `json:"due,omitempty"`
	// Cancel is whether a return can be undone, and with it a loan (BI).
	Cancel Habit `json:"cancel,omitempty"`
	// StatusUpdate is what comes of 19, item status update.
	StatusUpdate Habit `json:"status_update,omitempty"`
	// Renews is what comes of a second 11 of the same card and item: honoured,
	// it is a renewal; ignored, a loan once more.
	Renews Habit `json:"renews,omitempty"`
	// Resend is what comes of 97.
	Resend Habit `json:"resend,omitempty"`
	// Charset is that of the answers: ascii, utf-8, latin-1, cp850. Ascii
	// means that nothing else has been seen. Empty: unknown.
	Charset string `json:"charset,omitempty"`
	// Hold is what comes of 15, hold.
	Hold Habit `json:"hold,omitempty"`
	// Longest is the longest request tried that was answered well, in bytes;
	// 0 means that none was tried.
	Longest int `json:"longest,omitempty"`

	// Tested is when the server was asked; zero for what is known.
	Tested time.Time `json:"tested,omitzero"`
	// Address is the server that was asked, host:port; empty for what is
	// known.
	Address string `json:"address,omitempty"`
}

// probed names a profile that was found out.
const probed = "probed"

// profiles are the known ones, by name. Koha as recorded from 23.05;
// Evergreen's SIPServer as recorded and read; edge-sip2 of FOLIO as read.
// Generic is what is not known: it is told all that the protocol has.
var profiles = map[string]Profile{
	"generic": {Name: "generic"},
	"koha": {Name: "koha", NoBlock: Honoured, Due: DueLoanDate, Cancel: Ignored, StatusUpdate: Honoured,
		Renews: Honoured, Resend: Refused, Hold: Honoured},
	"evergreen": {Name: "evergreen", NoBlock: Ignored, Due: DueIgnored, Cancel: Ignored, StatusUpdate: Unanswered,
		Renews: Honoured, Resend: Honoured, Charset: "ascii", Hold: Refused},
	"folio": {Name: "folio", NoBlock: Ignored, Due: DueIgnored, Hold: Refused},
}

// auto is the profile that was found out for the server, or else generic.
const auto = "auto"

// profileNames are what a configuration may choose.
func profileNames() []string { return append([]string{auto}, slices.Sorted(maps.Keys(profiles))...) }

// Habits is the profile in use: the one that is configured by name, or that
// was found out for this address, or generic.
func (c *Config) Habits() Profile {
	if p, ok := profiles[c.Profile]; ok {
		return p
	}
	if p := c.Probed; p != nil && strings.EqualFold(p.Address, c.Address) {
		return *p
	}
	return profiles["generic"]
}

// happened tells how a transaction that has already happened is sent: whether
// with no block, and whether its due date is replaced by the date of the loan.
func (p Profile) happened() (noBlock, loanDate bool) {
	return p.NoBlock == Honoured || p.NoBlock == HabitUnknown, p.Due == DueLoanDate
}

// maxProfile bounds a stored profile, in bytes; one has a few hundred.
const maxProfile = 16 << 10

// ParseProfile reads a profile that was found out and stored as JSON. Keys
// that it does not know are passed over: a later version may have more.
func ParseProfile(b []byte) (p Profile, err error) {
	if len(b) > maxProfile {
		return Profile{}, fmt.Errorf("sip2: profile: %d bytes", len(b))
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return Profile{}, fmt.Errorf("sip2: profile: %w", err)
	}
	if err := p.check(); err != nil {
		return Profile{}, fmt.Errorf("sip2: profile: %w", err)
	}
	return p, nil
}

// check tells whether a profile was found out by Conform.
func (p *Profile) check() error {
	if p.Name != probed || p.Tested.IsZero() {
		return errors.New("it is none that a probe has stored")
	}
	if _, _, err := net.SplitHostPort(p.Address); err != nil {
		return fmt.Errorf("address %q: must be host:port", p.Address)
	}
	for key, h := range map[string]Habit{"no_block": p.NoBlock, "cancel": p.Cancel, "status_update": p.StatusUpdate,
		"renews": p.Renews, "resend": p.Resend, "hold": p.Hold} {
		if !slices.Contains([]Habit{HabitUnknown, Honoured, Ignored, Refused, Unanswered}, h) {
			return fmt.Errorf("%s: %q is no habit", key, h)
		}
	}
	switch {
	case !slices.Contains([]DueHabit{DueUnknown, DueKept, DueLoanDate, DueIgnored}, p.Due):
		return fmt.Errorf("due: %q is no habit", p.Due)
	case !slices.Contains([]string{"", "ascii", "utf-8", "latin-1", "cp850"}, p.Charset):
		return fmt.Errorf("charset: %q is none", p.Charset)
	case p.Longest < 0 || p.Longest > MaxMessage:
		return fmt.Errorf("longest: %d bytes", p.Longest)
	}
	return nil
}
