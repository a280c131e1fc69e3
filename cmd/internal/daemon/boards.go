package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// boards keep what staff has put up: in the ledger's file, and at hand.
type boards struct {
	*Daemon
	up atomic.Pointer[kiosk.Board]
}

var _ web.Boards = (*boards)(nil)

// boardSetting is its name among the settings.
const boardSetting = "board"

// load reads what was up when the program ended.
func (b *boards) load(ctx context.Context) error {
	board, err := b.read(ctx, 0)
	if err != nil && !errors.Is(err, kiosk.ErrUnknown) {
		return err
	}
	b.show(board)
	return nil
}

func (b *boards) read(ctx context.Context, back int) (board kiosk.Board, err error) {
	raw, err := b.store.Setting(ctx, boardSetting, back)
	if err != nil {
		return board, err
	}
	if err := json.Unmarshal(raw, &board); err != nil {
		return board, fmt.Errorf("board: %w", err)
	}
	return board, board.Valid()
}

// show has every screen show a board. A kiosk that is out of order says so as
// a fault does: who is at it may finish.
func (b *boards) show(board kiosk.Board) {
	b.up.Store(&board)
	if board.Closed {
		b.desk.Fault(kiosk.Fault{Source: web.OutOfOrder, Text: board.Why, Fatal: true})
	} else {
		b.desk.Mend(web.OutOfOrder)
	}
	b.desk.Again()
}

// Board implements web.Boards.
func (b *boards) Board() kiosk.Board {
	if up := b.up.Load(); up != nil {
		return *up
	}
	return kiosk.Board{}
}

// PutBoard implements web.Boards.
func (b *boards) PutBoard(ctx context.Context, board kiosk.Board, by kiosk.Act) error {
	raw, err := json.Marshal(board)
	if err != nil {
		return err
	}
	by.At = b.clock.Now()
	if err := b.store.PutSetting(ctx, boardSetting, raw, by); err != nil {
		return err
	}
	b.show(board)
	return nil
}

// Before implements web.Boards. Before the first one there was an empty board.
func (b *boards) Before(ctx context.Context) (kiosk.Board, error) {
	board, err := b.read(ctx, 1)
	if errors.Is(err, kiosk.ErrUnknown) {
		_, err = b.read(ctx, 0)
	}
	return board, err
}

// closed tells whether the kiosk is out of order for what happens now: whoever
// is at it already may finish.
func (b *boards) closed() bool {
	return b.Board().Closed && b.desk.Screen().View == kiosk.ViewWelcome
}
