//go:build !cgo

package daemon

const cgo = false
