// Package twn4sim is the far end of package twn4: a reader with cards on it that
// speaks the Simple Protocol.
package twn4sim

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Options are the habits of real readers, and of their cables.
type Options struct {
	Think       time.Duration // what an answer takes; 0 means 5 ms
	LoseEvery   int           // each so-manyth answer is lost; 0: none
	DamageEvery int           // each so-manyth answer is damaged on the line; 0: none
	LateEvery   int           // each so-manyth answer takes Late; 0: none
	Flicker     bool          // each other search finds nothing
	LF          bool          // lines end with CR and LF
}

// Late is longer than hosts wait.
const Late = 1050 * time.Millisecond

// Types of cards.
const (
	ISO14443A = 0x80
	ISO15693  = 0x82
)

// Card is a card: ID nil is a phone, with another random one at each search.
type Card struct {
	Type byte
	ID   []byte
}

// Reader is a reader. The zero one has no habits.
type Reader struct {
	Options
	mu       sync.Mutex
	cards    []Card
	types    uint32 // of HF that it searches for
	searches int
	answers  int
	mute     bool
}

// New makes a reader that searches for everything.
func New(o Options) *Reader {
	if o.Think == 0 {
		o.Think = 5 * time.Millisecond
	}
	return &Reader{Options: o, types: 0xFFFFFFFF}
}

// Lay puts these cards, and no others, on it.
func (r *Reader) Lay(cards ...Card) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cards = cards
}

// Mute has it answer nothing from now on.
func (r *Reader) Mute() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mute = true
}

// Serve speaks to rw until it fails.
func (r *Reader) Serve(rw io.ReadWriter) error {
	var got []byte
	buf := make([]byte, 256)
	for {
		n, err := rw.Read(buf)
		if err != nil {
			return err
		}
		got = append(got, buf[:n]...)
		for {
			line, rest, ok := bytes.Cut(got, []byte{'\r'})
			if !ok {
				break
			}
			got = rest
			answer, think := r.hear(string(line))
			time.Sleep(think)
			if _, err := io.WriteString(rw, answer); err != nil {
				return err
			}
		}
	}
}

// hear gives the answer to a line, and what it takes.
func (r *Reader) hear(line string) (answer string, think time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mute {
		return "", 0
	}
	status, data := byte(5), []byte(nil)
	if cmd, err := hex.DecodeString(line); err == nil && len(cmd) >= 2 {
		status, data = r.do([2]byte(cmd), cmd[2:])
	}
	answer = fmt.Sprintf("%02X%X\r", status, data)
	if r.LF {
		answer += "\n"
	}
	r.answers++
	every := func(n int) bool { return n > 0 && r.answers%n == 0 }
	switch {
	case every(r.LoseEvery):
		return "", 0
	case every(r.DamageEvery):
		return answer[:1] + "?" + answer[2:], r.Think
	case every(r.LateEvery):
		return answer, Late
	}
	return answer, r.Think
}

const version = "TWN4/B1.06/CPRS3.11/PRS1.04"

// do carries a function out: 1 it is unknown, 2 a parameter is missing, 3 there
// are too many, 0 it is done.
func (r *Reader) do(function [2]byte, b []byte) (status byte, data []byte) {
	length := map[[2]byte]int{{0x00, 0x04}: 1, {0x05, 0x00}: 1, {0x05, 0x02}: 8}
	want, ok := length[function]
	switch {
	case !ok:
		return 1, nil
	case len(b) < want:
		return 2, nil
	case len(b) > want:
		return 3, nil
	case function[1] == 0x04:
		return 0, append([]byte{byte(len(version))}, version...)
	case function[1] == 0x02:
		r.types = binary.LittleEndian.Uint32(b[4:])
		return 0, nil
	}
	return 0, r.search(int(b[0]))
}

// search finds one card, and another one the next time.
func (r *Reader) search(most int) []byte {
	r.searches++
	fit := slices.DeleteFunc(slices.Clone(r.cards), func(c Card) bool { return r.types&(1<<(c.Type&0x1F)) == 0 })
	if len(fit) == 0 || r.Flicker && r.searches%2 == 0 {
		return []byte{0}
	}
	c := fit[r.searches%len(fit)]
	if c.ID == nil {
		c.ID = []byte{0x08, byte(r.searches >> 8), byte(r.searches), 0x33}
	}
	id := c.ID[:min(most, len(c.ID))]
	return append([]byte{1, c.Type, byte(8 * len(id)), byte(len(id))}, id...)
}
