package daemon

import (
	"context"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// boards keep what staff has put up.
type boards struct{ setting[kiosk.Board] }

var _ web.Boards = (*boards)(nil)

func newBoards(d *Daemon) *boards {
	return &boards{setting[kiosk.Board]{Daemon: d, name: "board", show: d.showBoard}}
}

// showBoard has every screen show a board. A kiosk that is out of order says
// so as a fault does: who is at it may finish.
func (d *Daemon) showBoard(board kiosk.Board) {
	if board.Closed {
		d.desk.Fault(kiosk.Fault{Source: web.OutOfOrder, Text: board.Why, Fatal: true})
	} else {
		d.desk.Mend(web.OutOfOrder)
	}
	d.desk.Again()
}

// Board implements web.Boards.
func (b *boards) Board() kiosk.Board { return b.now() }

// PutBoard implements web.Boards.
func (b *boards) PutBoard(ctx context.Context, board kiosk.Board, by kiosk.Act) error {
	return b.put(ctx, board, by)
}

// Before implements web.Boards. Before the first one there was an empty board.
func (b *boards) Before(ctx context.Context) (kiosk.Board, error) { return b.before(ctx) }

// closed tells whether the kiosk is out of order for what happens now: whoever
// is at it already may finish.
func (b *boards) closed() bool {
	return b.Board().Closed && b.desk.Screen().View == kiosk.ViewWelcome
}
