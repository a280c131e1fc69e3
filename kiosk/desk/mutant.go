//go:build !mutant_ack

package desk

// ackEarly is a fault that is planted with the tag mutant_ack, to see that the
// simulation catches it: what is to be stored counts as stored before the disk
// has it.
const ackEarly = false
