package upstreamtest

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"time"
)

// Mishap is what can happen to a question and its answer on the way.
type Mishap string

// The mishaps.
const (
	None            Mishap = ""
	DropRequest     Mishap = "drop-request"     // the server never sees it; the line stays open
	CutRequest      Mishap = "cut-request"      // the server never sees it, and the line is cut
	DropAnswer      Mishap = "drop-answer"      // the server has acted; the line stays open
	CutAnswer       Mishap = "cut-answer"       // the server has acted, and the line is cut
	CloseMidAnswer  Mishap = "close-mid-answer" // half an answer, then the line is cut
	TruncateAnswer  Mishap = "truncate-answer"  // half an answer, closed with CR as if it were whole
	DelayAnswer     Mishap = "delay-answer"     // the answer comes after Fault.Delay
	DuplicateAnswer Mishap = "duplicate-answer" // the answer comes twice
	Garbage         Mishap = "garbage"          // rubbish comes in place of the answer
)

// Mishaps lists them all but None.
var Mishaps = []Mishap{DropRequest, CutRequest, DropAnswer, CutAnswer, CloseMidAnswer,
	TruncateAnswer, DelayAnswer, DuplicateAnswer, Garbage}

// Fault is a mishap and whom it befalls.
type Fault struct {
	Mishap Mishap
	Match  string        // how the question begins, such as "11"; empty means any
	Delay  time.Duration // for DelayAnswer; 0 means one second
}

// Chance is a fault plan by lot: the share Rate of all questions meets one of
// Faults. The same seed and the same questions in the same order give the
// same mishaps.
type Chance struct {
	Seed   uint64
	Rate   float64 // 0 to 1
	Faults []Fault // none means every mishap, for any question
}

// plan decides what happens to the next question: what is due once goes
// first, then what lasts, then the lot.
type plan struct {
	once   []Fault
	lasts  []Fault
	chance Chance
	lot    *rand.Rand
}

func (p *plan) next(request []byte) Fault {
	for i, f := range p.once {
		if f.meets(request) {
			p.once = append(p.once[:i:i], p.once[i+1:]...)
			return f
		}
	}
	for _, f := range p.lasts {
		if f.meets(request) {
			return f
		}
	}
	if p.lot == nil || p.lot.Float64() >= p.chance.Rate {
		return Fault{}
	}
	if f := p.chance.Faults[p.lot.IntN(len(p.chance.Faults))]; f.meets(request) {
		return f
	}
	return Fault{}
}

func (p *plan) draw(c Chance) {
	if len(c.Faults) == 0 {
		for _, m := range Mishaps {
			c.Faults = append(c.Faults, Fault{Mishap: m})
		}
	}
	p.chance, p.lot = c, rand.New(rand.NewPCG(c.Seed, 0))
}

func (f Fault) meets(request []byte) bool {
	return strings.HasPrefix(string(bytes.TrimLeft(request, "\n")), f.Match)
}

// spoil is what is sent in place of an answer, and whether the line is cut
// after it.
func (f Fault) spoil(answer []byte) (out []byte, cut bool) {
	half := answer[:len(answer)/2]
	switch f.Mishap {
	case DropAnswer:
		return nil, false
	case CutAnswer:
		return nil, true
	case CloseMidAnswer:
		return half, true
	case TruncateAnswer:
		return append(bytes.Clone(half), '\r'), false
	case DuplicateAnswer:
		return append(bytes.Clone(answer), answer...), false
	case Garbage:
		return []byte("\x00\xff<html>502|||AY\x07 Bad Gateway\r"), false
	}
	return answer, false
}
