//go:build mutant_ack

package desk

const ackEarly = true
