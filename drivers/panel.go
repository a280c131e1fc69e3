package drivers

import "context"

// Panel is what stands around the screen: a light, a buzzer, a button to call
// for help, a contact at a door. Each may be missing.
type Panel interface {
	// Run shows what comes in signals and calls yield for each change of a
	// contact, first as it is if it is closed, until ctx ends (nil) or the panel
	// fails. At the end everything is dark and silent, and the device closed.
	Run(ctx context.Context, signals <-chan Signal, yield func(Contact)) error
}

// Light is what the light says. It is told apart by its blinking too: not
// everybody sees colours.
type Light string

// The lights.
const (
	LightOff       Light = ""
	LightReady     Light = "ready"     // steady: the desk works
	LightAttention Light = "attention" // slow: something at the desk needs a person
	LightHelp      Light = "help"      // quick: somebody asks for help
)

// Tone is what the buzzer says, beside what the screen says.
type Tone string

// The tones.
const (
	ToneNone    Tone = ""
	ToneTaken   Tone = "taken"   // one short
	ToneRefused Tone = "refused" // two long
)

// Signal is what a panel shows, and sounds once.
type Signal struct {
	Light Light
	Tone  Tone
}

// Contact is a change of a contact.
type Contact struct {
	Name   string // help, door
	Closed bool   // the button is held, the door is shut
}

// The contacts.
const (
	ContactHelp = "help"
	ContactDoor = "door"
)
