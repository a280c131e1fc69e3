package station

import (
	"context"
	"sync"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// Ops is what is done with a pad, here or by a daemon.
type Ops interface {
	List(ctx context.Context) ([]kiosk.TagID, error)
	Put(ctx context.Context, w Wish) (Result, error)
	Restore(ctx context.Context, f Found) (Result, error)
}

// View is a Batch as somebody looks at it.
type View struct {
	Batch
	Seq  uint64
	Rate int // books an hour
}

// Bench runs a Batch on a pad.
type Bench struct {
	ops   Ops
	every time.Duration
	steps chan Step

	mu   sync.Mutex
	view View
	news chan struct{}
}

// pollEvery is the pause between two looks at the pad.
const pollEvery = 120 * time.Millisecond

// NewBench makes one; Run works.
func NewBench(ops Ops) *Bench {
	b := &Bench{ops: ops, every: pollEvery, steps: make(chan Step, 64), news: make(chan struct{})}
	b.view = View{Batch: *NewBatch(), Seq: 1}
	return b
}

// Send tells of something that happened. It waits until the pad has taken
// what came before, at most until ctx ends.
func (b *Bench) Send(ctx context.Context, s Step) error {
	select {
	case b.steps <- s:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// View is the newest.
func (b *Bench) View() View {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view
}

// Next waits for a view newer than seq.
func (b *Bench) Next(ctx context.Context, seq uint64) (View, error) {
	for {
		b.mu.Lock()
		v, news := b.view, b.news
		b.mu.Unlock()
		if v.Seq > seq {
			return v, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return View{}, ctx.Err()
		}
	}
}

// Run works until ctx ends.
func (b *Bench) Run(ctx context.Context) error {
	batch := NewBatch()
	tick := time.NewTicker(b.every)
	defer tick.Stop()
	for {
		var s Step
		select {
		case <-ctx.Done():
			return nil
		case s = <-b.steps:
		case <-tick.C:
			s = b.look(ctx)
		}
		for want := b.step(batch, s); want != (Wanted{}); want = b.step(batch, s) {
			if s = b.do(ctx, want); ctx.Err() != nil {
				return nil
			}
		}
	}
}

func (b *Bench) look(ctx context.Context) Step {
	tags, err := b.ops.List(ctx)
	if err != nil {
		return Unseen{err}
	}
	return Seen{tags}
}

func (b *Bench) do(ctx context.Context, w Wanted) Step {
	if w.Put != nil {
		r, err := b.ops.Put(ctx, *w.Put)
		return Did{Result: r, Err: err}
	}
	r, err := b.ops.Restore(ctx, *w.Restore)
	return Did{Result: r, Err: err, Redo: true}
}

// step has the batch take a step and shows what became of it.
func (b *Bench) step(batch *Batch, s Step) Wanted {
	want := batch.Step(s, time.Now())
	b.mu.Lock()
	defer b.mu.Unlock()
	v := View{Batch: batch.copy(), Seq: b.view.Seq, Rate: batch.Rate()}
	if same(v, b.view) {
		return want
	}
	v.Seq++
	b.view = v
	close(b.news)
	b.news = make(chan struct{})
	return want
}
