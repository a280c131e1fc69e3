package iso15693

import "time"

// Times of ISO/IEC 15693-2 and -3 at the high data rate, 1 out of 4, one
// subcarrier, in periods of the carrier: fc is 13.56 MHz.
const (
	byteTime  = 4096 // 8 bits, either direction
	readerSOF = 1024
	readerEOF = 512
	tagSOF    = 2048
	tagEOF    = 2048
	t1        = 4352 // from the request to the answer
	t1Max     = 4384
	t2        = 4192 // from the answer to the next request
)

func carrier(periods int) time.Duration {
	return time.Duration(float64(periods) / 13.56e6 * float64(time.Second))
}

// Down is the time of a request of n bytes and its CRC.
func Down(n int) time.Duration { return carrier(readerSOF + (n+2)*byteTime + readerEOF) }

// Up is the time of an answer of n bytes and its CRC.
func Up(n int) time.Duration { return carrier(tagSOF + (n+2)*byteTime + tagEOF) }

// Exchange is the time of a request of n bytes and its answer of m bytes, up
// to the next request.
func Exchange(n, m int) time.Duration { return Down(n) + Reply(m) }

// Reply is the time from the end of a request to the next one, with an answer
// of m bytes between.
func Reply(m int) time.Duration { return carrier(t1) + Up(m) + carrier(t2) }

// Unanswered is the time a slot, or a request, is given when no tag answers:
// t3 at a modulation of 100 %.
func Unanswered() time.Duration { return carrier(t1Max + tagSOF) }

// NextSlot is the time of the end of frame that begins another slot.
func NextSlot() time.Duration { return carrier(readerEOF) }

// Program is how long a tag takes to write a block, AFI or EAS. ISO/IEC
// 15693-3 allows up to 20 ms; chip makers give 5 ms (ST LRI2K).
const Program = 5 * time.Millisecond

// Written is the time of a request that writes, of n bytes: the tag answers
// with flags alone when it has programmed.
func Written(n int) time.Duration { return Down(n) + Program + Up(1) + carrier(t2) }

// Turn is the time from a request to its answer: t1.
var Turn = carrier(t1)

// Gap is the shortest time from an answer to the next request: t2.
var Gap = carrier(t2)

// StartOfFrame is the time of a tag's start of frame: when it is over a reader
// knows that there is an answer.
var StartOfFrame = carrier(tagSOF)
