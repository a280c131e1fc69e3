package carve

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
)

const (
	headerSize = 32 // bytes, of the log
	frameSize  = 24 // bytes before each page in it
)

// Log is what is in a write-ahead log up to the end of its last transaction.
type Log struct {
	// Cut tells that the log is damaged, not just cut off by a loss of power: a
	// frame is not as it was written, and transactions that were begun after it
	// was flushed follow. SQLite would drop them without a word.
	//
	// A damaged frame of the very last transaction can't be told from one that
	// was never flushed, and isn't.
	Cut bool

	frames []frame
}

// Holes tells whether frames are not as they were written.
func (l Log) Holes() bool {
	return slices.ContainsFunc(l.frames, func(f frame) bool { return !f.good })
}

// frame is a page in the log.
type frame struct {
	page   uint32
	at     int64 // of the page, in the file
	good   bool  // it is as it was written
	commit bool  // the last one of a transaction
}

// readLog reads a log. Each frame has a sum over itself and all before it, and
// so each can be checked with the sum that the one before it has stored,
// whatever became of that one's page.
func readLog(from *os.File, size int) (Log, error) {
	r := bufio.NewReaderSize(from, 1<<16)
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(r, head); err != nil {
		return Log{}, end(err)
	}
	magic := binary.BigEndian.Uint32(head)
	sum := summer(binary.LittleEndian)
	if magic == 0x377f0683 {
		sum = summer(binary.BigEndian)
	}
	a, b := sum(0, 0, head[:24])
	intact := magic&^1 == 0x377f0682 && a == binary.BigEndian.Uint32(head[24:]) && b == binary.BigEndian.Uint32(head[28:])
	salts := string(head[16:24])
	a, b = binary.BigEndian.Uint32(head[24:]), binary.BigEndian.Uint32(head[28:])
	var all []frame
	buf := make([]byte, frameSize+size)
	for at := int64(headerSize); ; at += int64(len(buf)) {
		if _, err := io.ReadFull(r, buf); err != nil {
			return cutOff(all, intact), end(err)
		}
		if !intact && len(all) == 0 {
			salts = string(buf[8:16]) // those of the newest round, which begins here
		}
		x, y := sum(a, b, buf[:8])
		x, y = sum(x, y, buf[frameSize:])
		a, b = binary.BigEndian.Uint32(buf[16:]), binary.BigEndian.Uint32(buf[20:])
		f := frame{page: binary.BigEndian.Uint32(buf), at: at + frameSize, commit: binary.BigEndian.Uint32(buf[4:]) != 0}
		same := string(buf[8:16]) == salts
		f.good, f.commit = same && f.page != 0 && x == a && y == b, f.commit && same
		all = append(all, f)
	}
}

// end of a file is none of its faults.
func end(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// cutOff is the log up to its last transaction.
func cutOff(all []frame, intact bool) Log {
	last, bad, commits := -1, len(all), 0
	if !intact {
		bad = 0
	}
	for i, f := range all {
		if !f.good {
			bad = min(bad, i)
		}
		if f.commit && f.good {
			last = i
		}
	}
	for _, f := range all[min(bad, last+1) : last+1] {
		if f.commit {
			commits++
		}
	}
	switch {
	case commits > 1:
		return Log{Cut: true, frames: all[:last+1]}
	case bad > last: // nothing is wrong
		return Log{frames: all[:last+1]}
	}
	for last = bad - 1; last >= 0 && !all[last].commit; last-- {
	}
	return Log{frames: all[:last+1]}
}

// summer is the log's sum, with words in an order of bytes.
func summer(order binary.ByteOrder) func(a, b uint32, data []byte) (uint32, uint32) {
	return func(a, b uint32, data []byte) (uint32, uint32) {
		for ; len(data) >= 8; data = data[8:] {
			a += order.Uint32(data) + b
			b += order.Uint32(data[4:]) + a
		}
		return a, b
	}
}
