//go:build mutant_order

package outbox

const (
	sendsUnseen = false
	disordered  = true
)
