package inventory

import (
	"context"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Handed is something that was done where there was no network, and is handed
// over later: a scan, a note, or that somebody goes on elsewhere. What has the
// same ID counts once.
type Handed struct {
	ID   kiosk.ID
	Kind kiosk.ShelfKind // ShelfScan, ShelfNote or ShelfStart
	At   time.Time
	Text string        // that was read, or the note
	Item kiosk.Barcode // of the note
}

// HandOver takes what somebody has done without a network, in its order, and
// says of each scan what Scan would. What was taken before is answered again
// and changes nothing, even where the inventory takes no scans any more: the
// error then says why the rest was not taken, and all that is said was.
func (s *Service) HandOver(ctx context.Context, id kiosk.ID, who string, list []Handed) (all []Said, err error) {
	var refused error
	for len(list) > 0 {
		n := 0
		var reads []Read
		for n < len(list) && list[n].Kind == kiosk.ShelfScan {
			reads = append(reads, Read{ID: list[n].ID, Text: list[n].Text, At: list[n].At})
			n++
		}
		var said []Said
		if n > 0 {
			said, err = s.Scan(ctx, id, who, reads...)
		} else {
			n = 1
			said, err = s.once(ctx, id, who, list[0])
		}
		all, list = append(all, said...), list[n:]
		if err != nil && kiosk.CodeOf(err) != kiosk.CodeInvalid {
			return all, err
		}
		if err != nil {
			refused = err // what comes after it may have been taken before
		}
	}
	return all, refused
}

// once takes what is no scan, if it was not taken before.
func (s *Service) once(ctx context.Context, id kiosk.ID, who string, h Handed) ([]Said, error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	before, err := s.Store.Written(ctx, id, []kiosk.ID{h.ID})
	if err != nil {
		return nil, err
	}
	said := Said{Read: h.ID, Who: who, Book: Book{Item: h.Item}, Repeated: len(before) > 0}
	if said.Repeated {
		return []Said{said}, nil
	}
	if err := l.takes(); err != nil {
		return nil, err
	}
	line := kiosk.ShelfLine{Kind: h.Kind, Who: who, Item: h.Item, Text: h.Text, Read: h.ID}
	switch h.Kind {
	case kiosk.ShelfStart:
		line.Item, line.Text = "", ""
	case kiosk.ShelfNote:
		if len(h.Text) > maxNote {
			return nil, longNote()
		}
	default:
		return nil, invalid("%q can't be handed over", h.Kind)
	}
	return []Said{said}, s.write(ctx, l, line)
}

// repeats says of what was taken before what is known of it now.
func (s *Service) repeats(ctx context.Context, l *live, reads []Read) (map[kiosk.ID]Said, error) {
	var ids []kiosk.ID
	for _, r := range reads {
		if r.ID != "" {
			ids = append(ids, r.ID)
		}
	}
	all := map[kiosk.ID]Said{}
	before, err := s.Store.Written(ctx, l.v.ID, ids)
	if err != nil || len(before) == 0 {
		return all, err
	}
	var ask []kiosk.Barcode
	for _, line := range before {
		ask = append(ask, line.Item)
	}
	met, err := s.Store.Meet(ctx, ask)
	if err != nil {
		return nil, err
	}
	for i, line := range before {
		said := l.was(line, met[i])
		said.Repeated = true
		if line.Kind == kiosk.ShelfLabel {
			said.Shelf = line.Text
		}
		all[line.Read] = said
	}
	return all, nil
}

// Carried is a book of an inventory as a phone takes it along: enough to say
// something of a scan where there is no network.
type Carried struct {
	Item   kiosk.Barcode
	Wanted bool
}

// MaxCarried is how many books a phone takes along.
const MaxCarried = 100_000

// Carry lists the books of an inventory's range, in shelf order, those that
// are out too. All is false if there are more than MaxCarried: then none is
// given.
func (s *Service) Carry(ctx context.Context, id kiosk.ID) (list []Carried, all bool, err error) {
	l, err := s.open(ctx, id)
	if err != nil {
		return nil, false, err
	}
	defer l.mu.Unlock()
	books := l.s.Books()
	if len(books) > MaxCarried {
		return nil, false, nil
	}
	wanted, err := s.Store.WantedList(ctx)
	if err != nil {
		return nil, false, err
	}
	is := make(map[kiosk.Barcode]bool, len(wanted))
	for _, w := range wanted {
		is[w.Item] = true
	}
	list = make([]Carried, len(books))
	for i, b := range books {
		list[i] = Carried{b.Barcode, is[b.Barcode]}
	}
	return list, true, nil
}
