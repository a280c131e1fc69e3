//go:build !mutant_resend && !mutant_order

package outbox

// Faults that are planted with build tags, to see that the simulation catches
// them: each of these makes the worker break one of its rules.
const (
	sendsUnseen = false // mutant_resend: what may have been told is told again without a look
	disordered  = false // mutant_order: nothing waits for an earlier entry of its item or patron
)
