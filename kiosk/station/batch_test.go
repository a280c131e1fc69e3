package station

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/intake"
)

// hand is staff at a station whose pad is read for the desk, too.
type hand struct {
	*shelf
	*Bench
}

// atStation runs a test in a bubble.
func atStation(t *testing.T, test func(*hand)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t)
		s.field.Wait = time.Sleep
		in, err := intake.New(intake.Config{})
		if err != nil {
			t.Fatal(err)
		}
		pad := intake.NewPad(intake.PadConfig{Intake: in, Emit: func(kiosk.Event) {}})
		s.Station = New(s.Settings, pad, nil)
		h := &hand{s, NewBench(s.Station)}
		var all sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); all.Wait() }()
		all.Go(func() { pad.Run(ctx, field.NewReader(s.field)) })
		all.Go(func() { h.Run(ctx) })
		time.Sleep(time.Second)
		test(h)
	})
}

func (h *hand) step(s Step) {
	h.Helper()
	if err := h.Send(h.Context(), s); err != nil {
		h.Fatal(err)
	}
}

// until waits for a stage.
func (h *hand) until(stage Stage, what string) View {
	h.Helper()
	for range 200 {
		synctest.Wait()
		if v := h.View(); v.Stage == stage {
			return v
		}
		time.Sleep(50 * time.Millisecond)
	}
	h.Fatalf("%s: %+v; want stage %s", what, h.View(), stage)
	return View{}
}

func (h *hand) down(t *field.Tag) { h.field.Place(t, field.Coupling{}) }
func (h *hand) up(t *field.Tag)   { h.field.Remove(t.UID) }

func number(n int) kiosk.Barcode { return kiosk.Barcode(fmt.Sprintf("312340000%05d", n)) }

// TestHour: a hundred books one after the other, the barcode now before the
// tag and now after it, go at 300 an hour or more, at a person's speed.
func TestHour(t *testing.T) {
	atStation(t, func(h *hand) {
		begin := time.Now()
		for n := range 100 {
			tag := fresh(n)
			if n%2 == 0 {
				h.step(Scanned{number(n)})
				time.Sleep(2 * time.Second)
				h.down(tag)
			} else {
				h.down(tag)
				time.Sleep(2 * time.Second)
				h.step(Scanned{number(n)})
			}
			v := h.until(Lift, "a book")
			if v.Count != n+1 || v.Result.Verdict != Written || v.Result.Item != number(n) {
				t.Fatalf("book %d: %+v", n, v)
			}
			h.is(tag.UID, tagdata.ISO3, string(number(n)))
			time.Sleep(time.Second) // a hand
			h.up(tag)
			h.until(Scan, "lifted")
			time.Sleep(3 * time.Second)
		}
		took := time.Since(begin)
		if rate := 100 * time.Hour / took; rate < 300 {
			t.Errorf("%d books an hour; want 300", rate)
		}
		if v := h.View(); v.Rate < 300 {
			t.Errorf("Rate = %d", v.Rate)
		}
	})
}

// TestNextBeforeLift: the next barcode while the last book still lies there is
// for the next book.
func TestNextBeforeLift(t *testing.T) {
	atStation(t, func(h *hand) {
		a, b := fresh(1), fresh(2)
		h.down(a)
		h.step(Scanned{book})
		h.until(Lift, "the first")
		h.step(Scanned{book}) // a second beep over the same book
		h.step(Scanned{other})
		time.Sleep(5 * time.Second)
		h.is(a.UID, tagdata.ISO3, book)
		h.down(b) // beside the first: which one is meant?
		v := h.until(Trouble, "the second beside the first")
		if v.Result.Verdict != Several {
			t.Errorf("two books: %s; want several tags", v.Result.Verdict)
		}
		h.up(a)
		h.until(Lift, "the second alone")
		h.is(b.UID, tagdata.ISO3, other)
		if v := h.View(); v.Count != 2 || v.Item != "" {
			t.Errorf("view %+v; want two done", v)
		}
	})
}

// TestQuestion: an answer is for one tag and one number.
func TestQuestion(t *testing.T) {
	atStation(t, func(h *hand) {
		stranger := tagged(1, tagdata.Contents{Item: book, Owner: "DE-705", Usage: tagdata.Circulating}, tagdata.ISO3)
		h.down(stranger)
		h.step(Scanned{book})
		v := h.until(Ask, "a stranger")
		if v.Result.Verdict != AskOwner {
			t.Fatalf("asked %s", v.Result.Verdict)
		}
		h.up(stranger)
		h.until(Place, "taken away")
		h.step(Sure{v.Result.UID}) // too late
		h.down(stranger)
		h.until(Ask, "put back")
		h.step(Sure{"E004010000000000"})
		time.Sleep(time.Second)
		h.until(Ask, "sure of another")
		if now, _ := h.field.Tag(stranger.UID); now.Written > 0 {
			t.Fatal("written without an answer")
		}
		h.step(Sure{v.Result.UID})
		h.until(Lift, "sure")
		h.is(stranger.UID, tagdata.ISO3, book)
		h.up(stranger)
		h.until(Scan, "lifted")
		h.down(tagged(2, tagdata.Contents{Item: other, Owner: ours, Usage: tagdata.Circulating}, tagdata.ISO3))
		h.step(Scanned{book})
		h.until(Ask, "another item")
		h.step(Drop{})
		if v := h.until(Scan, "dropped"); v.Item != "" || v.Count != 1 {
			t.Errorf("view %+v", v)
		}
	})
}

// TestTornAndNext: a book lifted too early is remembered and finished when it
// comes back, although another was done meanwhile.
func TestTornAndNext(t *testing.T) {
	atStation(t, func(h *hand) {
		a, b := fresh(1), fresh(2)
		h.field.Place(a, field.Coupling{Tear: 1})
		h.step(Scanned{book})
		for range 100 {
			time.Sleep(20 * time.Millisecond)
			if len(h.View().Open) > 0 {
				break
			}
		}
		h.up(a)
		v := h.until(Place, "torn")
		if len(v.Open) != 1 || v.Open[0].Item != book {
			t.Fatalf("open: %+v", v.Open)
		}
		h.step(Scanned{other})
		h.down(b)
		h.until(Lift, "the other")
		h.is(b.UID, tagdata.ISO3, other)
		h.up(b)
		h.until(Scan, "the other lifted")
		h.down(a)
		if v = h.until(Lift, "finishing"); len(v.Open) != 0 || v.Count != 2 {
			t.Errorf("view %+v; want nothing open", v)
		}
		h.is(a.UID, tagdata.ISO3, book)
	})
}

func TestUndoRedo(t *testing.T) {
	atStation(t, func(h *hand) {
		a := tagged(1, tagdata.Contents{Item: other}, tagdata.ThreeM)
		was := slices.Clone(a.Memory)
		h.down(a)
		h.step(SetMode{Convert})
		h.until(Lift, "converted")
		h.is(a.UID, tagdata.ISO3, other)
		h.step(Undo{})
		h.until(Working, "undoing")
		v := h.until(Lift, "undone")
		if now, _ := h.field.Tag(a.UID); !slices.Equal(now.Memory, was) || v.Count != 0 || !v.Done[0].Undone {
			t.Errorf("undone: %X, %+v", now.Memory, v)
		}
		h.up(a)
		h.until(Place, "lifted")
		h.step(Redo{})
		time.Sleep(time.Second)
		if v := h.View(); v.Needs == "" {
			t.Error("Redo of a book that is away says nothing")
		}
		h.step(SetMode{Write})
		h.down(a)
		time.Sleep(time.Second)
		h.step(Redo{})
		h.until(Working, "redoing")
		if v := h.until(Lift, "redone"); v.Count != 1 || v.Done[0].Undone {
			t.Errorf("view %+v", v)
		}
		h.is(a.UID, tagdata.ISO3, other)
	})
}

// TestSet: three parts, each lifted before the next; the last one is not asked for.
func TestSet(t *testing.T) {
	atStation(t, func(h *hand) {
		h.step(Set{3})
		h.step(Scanned{book})
		parts := []*field.Tag{fresh(1), fresh(2), fresh(3)}
		for n, tag := range parts {
			h.down(tag)
			if n < 2 {
				v := h.until(Part, "a part")
				if len(v.Result.Missing) != 3-n {
					t.Fatalf("missing %v", v.Result.Missing)
				}
				h.step(Chosen{9})
				h.step(Chosen{v.Result.Missing[len(v.Result.Missing)-1]})
			}
			want := Place
			if n == 2 {
				want = Lift
			}
			for range 100 {
				time.Sleep(50 * time.Millisecond)
				if h.View().Count == n+1 {
					break
				}
			}
			if v := h.until(want, "written"); v.Count != n+1 || v.Result.Part != 3-n {
				t.Fatalf("part %d: %+v", 3-n, v)
			}
			h.is(tag.UID, tagdata.ISO3, book)
			h.up(tag)
			time.Sleep(time.Second)
		}
		if v := h.until(Scan, "all"); v.Item != "" {
			t.Errorf("%+v", v)
		}
	})
}

// TestPadAway: without a pad the station says so, and goes on when it is back.
func TestPadAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t)
		pad := intake.NewPad(intake.PadConfig{Emit: func(kiosk.Event) {}})
		s.Station = New(s.Settings, pad, nil)
		h := &hand{s, NewBench(s.Station)}
		var all sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); all.Wait() }()
		all.Go(func() { h.Run(ctx) })
		time.Sleep(10 * time.Second)
		if v := h.View(); v.Err == "" {
			t.Errorf("no pad: %+v", v)
		}
		all.Go(func() { pad.Run(ctx, field.NewReader(s.field)) })
		h.step(Scanned{book})
		h.down(fresh(1))
		if v := h.until(Lift, "back"); v.Err != "" || v.Count != 1 {
			t.Errorf("%+v", v)
		}
	})
}

// TestWalk: whatever staff does, a tag that was called done says what was
// scanned for it, and no tag is written with a number that was scanned for
// another one and not confirmed.
func TestWalk(t *testing.T) {
	written := 0
	for seed := range uint64(60) {
		written += walk(t, seed)
	}
	if written < 100 {
		t.Errorf("%d tags were written: that is no test", written)
	}
}

func walk(t *testing.T, seed uint64) (count int) {
	rng := rand.New(rand.NewPCG(seed, 3))
	s := newShelf(t)
	s.field = field.New(seed)
	s.pad = direct{field.NewReader(s.field)}
	b := NewBatch()
	tags := []*field.Tag{fresh(1), fresh(2), fresh(3), tagged(4, tagdata.Contents{Item: other}, tagdata.ThreeM)}
	now := time.Unix(0, 0)
	turn := func(st Step) {
		for w := b.Step(st, now); w != (Wanted{}); {
			var r Result
			var err error
			if w.Put != nil {
				r, err = s.Put(t.Context(), *w.Put)
			} else {
				r, err = s.Restore(t.Context(), *w.Restore)
			}
			if err != nil {
				t.Fatal(err)
			}
			if w.Put != nil && r.Verdict.Done() {
				count++
				tag := tags[slices.IndexFunc(tags, func(x *field.Tag) bool { return kiosk.TagID(x.UID.String()) == r.UID })]
				if c := decode(*tag); c.Item != string(r.Item) || w.Put.Item != "" && r.Item != w.Put.Item {
					t.Fatalf("seed %d: done %+v, the tag says %q", seed, r, c.Item)
				}
			}
			w = b.Step(Did{Result: r, Redo: w.Restore != nil}, now)
		}
	}
	for range 400 {
		now = now.Add(time.Second)
		tag := tags[rng.IntN(len(tags))]
		switch rng.IntN(10) {
		case 0:
			s.field.Place(tag, field.Coupling{Miss: 0.1, Tear: rng.Float64() / 4})
		case 1, 2:
			s.field.Remove(tag.UID)
		case 3:
			turn(Scanned{number(rng.IntN(3))})
		case 4:
			turn([]Step{Undo{}, Redo{}, Drop{}, Set{rng.IntN(4)}, SetMode{Convert}, SetMode{Write}, Chosen{rng.IntN(4)}}[rng.IntN(7)])
		case 5:
			turn(Sure{b.Result.UID})
		default:
			ids, err := s.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			turn(Seen{ids})
		}
		if b.working || b.Count < 0 {
			t.Fatalf("seed %d: %+v", seed, b)
		}
	}
	return count
}
