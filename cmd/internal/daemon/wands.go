package daemon

import (
	"context"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/intake"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// wand reads a UHF wand until it fails or ctx ends. It is for inventories
// alone: what is heard near the desk is nobody's loan.
func (s *staff) wand(ctx context.Context, name string, dev drivers.Wand) error {
	if n, ok := dev.(drivers.Named); ok {
		s.Log.Info("wand", "device", name, "is", n.Identity())
	}
	w := intake.NewWand(intake.WandConfig{Intake: s.Config.Intake, Owners: s.Config.Tags.Owners, Wanted: func() bool { return s.walks() != nil },
		Emit: func(x intake.Heard) { s.heard(ctx, name, x) }})
	return w.Run(ctx, dev)
}

// walks gives the inventory for which the devices scan; nil: none.
func (s *staff) walks() *walk {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.walk
}

// heard takes a tag that a wand has heard.
func (s *staff) heard(ctx context.Context, device string, x intake.Heard) {
	w := s.walks()
	switch {
	case w == nil:
	case s.label(x.Why, x.Code):
		s.enqueue(ctx, w, walkRead{device, s.Config.Shelf.Reach, inventory.Read{Text: x.Code}})
	case x.Item == "":
		w.tell([]inventory.Said{{Who: device, Code: x.Code, Why: "a tag that names no item of this library: " + string(x.Why), Tone: "take"}})
	default:
		s.enqueue(ctx, w, walkRead{device, s.Config.Shelf.Reach, inventory.Read{Text: string(x.Item), ByTag: true, Tag: x.Tag, Part: x.Part, Security: x.Security}})
	}
}

// label tells whether a tag that names none of the library's items is sound and
// names a shelf: a label on a shelf's end.
func (s *staff) label(why kiosk.Reason, code string) bool {
	return why == kiosk.ReasonTagForeign && s.Config.ShelfCode(code).Shelf != ""
}
