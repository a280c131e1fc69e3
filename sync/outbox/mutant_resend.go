//go:build mutant_resend

package outbox

const (
	sendsUnseen = true
	disordered  = false
)
