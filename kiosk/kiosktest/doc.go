// Package kiosktest helps to test what is built on package kiosk: things to
// test with, a ledger in memory, an upstream that follows a script, and the
// suite that every ledger must pass.
package kiosktest
