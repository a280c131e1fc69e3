package field

import (
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
)

// Reader is what the firmware of a reader does on a field: the far ends of
// protocols translate their frames to it. By itself it is a pad whose
// protocol is a call.
type Reader struct {
	iso15693.Commands
	field *Field
}

var (
	_ drivers.Pad   = (*Reader)(nil)
	_ drivers.Radio = (*Reader)(nil)
)

// NewReader is a reader on a field.
func NewReader(f *Field) *Reader { return &Reader{iso15693.Commands{Air: f}, f} }

// resetTime is how long a field must be off for tags to forget.
const resetTime = 5 * time.Millisecond

// Reset turns the field off and on again: tags that were quiet are heard.
func (r *Reader) Reset() {
	r.field.Power(false)
	r.field.Pass(resetTime)
	r.field.Power(true)
}

// Radio implements drivers.Radio.
func (r *Reader) Radio(on bool) error {
	r.field.Power(on)
	return nil
}

// Close implements drivers.Pad.
func (r *Reader) Close() error { return nil }
