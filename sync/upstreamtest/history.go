package upstreamtest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// maxLine bounds one line of a journal, in bytes; an effect has a few hundred.
const maxLine = 64 << 10

// History is everything the ILS was told, in order.
func (s *ILS) History() []Effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.history)
}

// Changed is closed once the history has grown beyond what it is now.
func (s *ILS) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Stall has Do go on acting but not answer until release is called: the
// answer is lost to whoever gives up waiting, and late for whoever does not.
func (s *ILS) Stall() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := make(chan struct{})
	s.stalled = c
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.stalled == c {
			s.stalled = nil
			close(c)
		}
	}
}

// Keep has the history survive in a file, one effect a line as JSON, each
// synced before Do answers. What the file holds already is done again first,
// so the library must be loaded as it was when the file began. A last line
// that was cut off was never answered, and goes.
func (s *ILS) Keep(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("upstreamtest: journal: %w", err)
	}
	effects, good, err := readJournal(f)
	if err == nil {
		err = f.Truncate(good)
	}
	if err == nil {
		_, err = f.Seek(good, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("upstreamtest: journal %s: %w", path, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range effects {
		s.apply(e)
	}
	s.journal = f
	return nil
}

// Close ends a journal begun by Keep.
func (s *ILS) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal == nil {
		return nil
	}
	err := s.journal.Close()
	s.journal = nil
	return err
}

// write appends an effect to the journal, durably. What could not be written
// whole is taken off again.
func (s *ILS) write(e Effect) error {
	if s.journal == nil {
		return nil
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("upstreamtest: journal: %w", err)
	}
	end, err := s.journal.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = s.journal.Write(append(line, '\n'))
	}
	if err == nil {
		err = s.journal.Sync()
	}
	if err == nil {
		return nil
	}
	if terr := s.journal.Truncate(end); terr == nil {
		_, terr = s.journal.Seek(end, io.SeekStart)
		err = errors.Join(err, terr)
	}
	return fmt.Errorf("upstreamtest: journal: %w", err)
}

// readJournal reads effects, and where the last whole line ends. Only a last
// line without its end is forgiven.
func readJournal(r io.Reader) (effects []Effect, good int64, err error) {
	br := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := br.ReadSlice('\n')
		if err == io.EOF {
			return effects, good, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", len(effects)+1, err)
		}
		var e Effect
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", len(effects)+1, err)
		}
		if e.N != len(effects)+1 {
			return nil, 0, fmt.Errorf("line %d: is numbered %d", len(effects)+1, e.N)
		}
		effects = append(effects, e)
		good += int64(len(line))
	}
}
