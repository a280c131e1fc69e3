package field

import (
	"errors"
	"fmt"
	"time"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/iso15693"
)

// Reader is what the firmware of a reader does on a field: the far ends of
// protocols translate their frames to it. By itself it is a pad whose
// protocol is a call.
type Reader struct {
	Field *Field
	// Tries is how often a request to one tag is sent; 0 means once.
	Tries int
}

var (
	_ drivers.Pad         = (*Reader)(nil)
	_ drivers.BlockWriter = (*Reader)(nil)
	_ drivers.BlockLocker = (*Reader)(nil)
	_ drivers.LockReader  = (*Reader)(nil)
	_ drivers.AFIWriter   = (*Reader)(nil)
	_ drivers.EASWriter   = (*Reader)(nil)
	_ drivers.DSFIDWriter = (*Reader)(nil)
	_ drivers.Informer    = (*Reader)(nil)
	_ drivers.Radio       = (*Reader)(nil)
)

// resetTime is how long a field must be off for tags to forget.
const resetTime = 5 * time.Millisecond

// Inventory implements drivers.Pad.
func (r *Reader) Inventory() ([]drivers.Tag, error) { return iso15693.Inventory(r.Field) }

// Reset turns the field off and on again: tags that were quiet are heard.
func (r *Reader) Reset() {
	r.Field.Power(false)
	r.Field.Pass(resetTime)
	r.Field.Power(true)
}

// Radio implements drivers.Radio.
func (r *Reader) Radio(on bool) error {
	r.Field.Power(on)
	return nil
}

// Command sends a request to one tag and gives what is behind the flags of
// its answer.
func (r *Reader) Command(req []byte) (data []byte, err error) {
	for range max(1, r.Tries) {
		var answer []byte
		if answer, err = r.Field.Send(req); err == nil {
			return iso15693.Answer(answer)
		}
	}
	return nil, err
}

// blockSize is the size of a tag's blocks, from its system information.
func (r *Reader) blockSize(uid drivers.UID) (int, error) {
	i, err := r.Info(uid)
	if err == nil && i.Size == 0 {
		err = fmt.Errorf("block size: %w", drivers.ErrUnsupported)
	}
	return i.Size, err
}

// Read implements drivers.Pad. The size of blocks shows in the length of the
// answer unless the memory ended in it.
func (r *Reader) Read(uid drivers.UID, first, n int) (drivers.Blocks, error) {
	data, err := r.Command(iso15693.Read(uid, first, n))
	if err != nil {
		return drivers.Blocks{}, err
	}
	size := 4
	if len(data) != 4*n {
		if size, err = r.blockSize(uid); err != nil {
			return drivers.Blocks{}, err
		}
	}
	return drivers.Blocks{Size: size, Data: data[:len(data)/size*size]}, nil
}

// Write implements drivers.BlockWriter, block by block.
func (r *Reader) Write(uid drivers.UID, first int, b drivers.Blocks) error {
	for i := range b.N() {
		if _, err := r.Command(iso15693.WriteBlock(uid, first+i, b.Data[i*b.Size:(i+1)*b.Size])); err != nil {
			return fmt.Errorf("block %d: %w", first+i, err)
		}
	}
	return nil
}

// Lock implements drivers.BlockLocker.
func (r *Reader) Lock(uid drivers.UID, block int) error {
	_, err := r.Command(iso15693.LockBlock(uid, block))
	return err
}

// Locked implements drivers.LockReader.
func (r *Reader) Locked(uid drivers.UID, first, n int) ([]bool, error) {
	data, err := r.Command(iso15693.Security(uid, first, n))
	var list []bool
	for _, b := range data {
		list = append(list, b&1 != 0)
	}
	return list, err
}

// Info implements drivers.Informer.
func (r *Reader) Info(uid drivers.UID) (drivers.Info, error) {
	data, err := r.Command(iso15693.Info(uid))
	if err != nil {
		return drivers.Info{}, err
	}
	i, _, err := iso15693.ParseInfo(data)
	return i, err
}

// AFI implements drivers.AFIWriter.
func (r *Reader) AFI(uid drivers.UID) (byte, error) {
	i, err := r.Info(uid)
	return i.AFI, err
}

// WriteAFI implements drivers.AFIWriter.
func (r *Reader) WriteAFI(uid drivers.UID, afi byte) error {
	_, err := r.Command(iso15693.WriteAFI(uid, afi))
	return err
}

// WriteDSFID implements drivers.DSFIDWriter.
func (r *Reader) WriteDSFID(uid drivers.UID, dsfid byte) error {
	_, err := r.Command(iso15693.WriteDSFID(uid, dsfid))
	return err
}

// EAS implements drivers.EASWriter. A tag whose EAS is off is silent, as is
// one that is away: system information tells them apart.
func (r *Reader) EAS(uid drivers.UID) (bool, error) {
	_, err := r.Command(iso15693.EASAlarm(uid))
	if errors.Is(err, drivers.ErrNoTag) {
		_, err = r.Info(uid)
		return false, err
	}
	return err == nil, err
}

// WriteEAS implements drivers.EASWriter.
func (r *Reader) WriteEAS(uid drivers.UID, on bool) error {
	_, err := r.Command(iso15693.SetEAS(uid, on))
	if errors.Is(err, drivers.ErrNoTag) && iso15693.Maker(uid) != iso15693.NXP {
		return fmt.Errorf("EAS: %w", drivers.ErrUnsupported)
	}
	return err
}

// Close implements drivers.Pad.
func (r *Reader) Close() error { return nil }
