package iso15693

import (
	"errors"
	"fmt"

	"github.com/carrel-kiosk/carrel/drivers"
)

// Commands is all that drivers say of a pad, for a reader that leaves the
// protocol of the air to its driver: it makes requests and sends them.
type Commands struct {
	Air
	Tries int // how often a request to one tag is sent that is not answered well; 0 means once
}

var (
	_ drivers.BlockWriter = (*Commands)(nil)
	_ drivers.BlockLocker = (*Commands)(nil)
	_ drivers.LockReader  = (*Commands)(nil)
	_ drivers.AFIWriter   = (*Commands)(nil)
	_ drivers.EASWriter   = (*Commands)(nil)
	_ drivers.DSFIDWriter = (*Commands)(nil)
	_ drivers.Informer    = (*Commands)(nil)
)

// Inventory lists the tags in the field.
func (c *Commands) Inventory() ([]drivers.Tag, error) { return Inventory(c.Air) }

// Command sends a request to one tag and gives what is behind the flags of
// its answer. What the air has swallowed is said again; a reader that fails,
// and a tag that refuses, are heard at once.
func (c *Commands) Command(req []byte) (data []byte, err error) {
	for range max(1, c.Tries) {
		var answer []byte
		if answer, err = c.Send(req); err == nil {
			return Answer(answer)
		}
		if !errors.Is(err, drivers.ErrNoTag) && !errors.Is(err, drivers.ErrAir) {
			return nil, err
		}
	}
	return nil, err
}

// atOnce is how many blocks are read with one request: a reader's buffer must
// hold the answer.
const atOnce = 40

// Read implements drivers.Pad. The size of blocks shows in the length of the
// answer unless the memory ended in it.
func (c *Commands) Read(uid drivers.UID, first, n int) (drivers.Blocks, error) {
	var all drivers.Blocks
	for n > 0 {
		k := min(n, atOnce)
		b, err := c.read(uid, first, k, all.Size)
		if err != nil && all.Size > 0 && !errors.Is(err, drivers.ErrNoTag) && !errors.Is(err, drivers.ErrAir) {
			return all, nil // the memory has ended
		}
		if err != nil {
			return drivers.Blocks{}, err
		}
		all.Size, all.Data = b.Size, append(all.Data, b.Data...)
		if b.N() < k {
			break
		}
		first, n = first+k, n-k
	}
	return all, nil
}

func (c *Commands) read(uid drivers.UID, first, n, size int) (drivers.Blocks, error) {
	data, err := c.Command(Read(uid, first, n))
	if err != nil {
		return drivers.Blocks{}, err
	}
	if size == 0 {
		size = 4
		if len(data) != 4*n {
			i, err := c.Info(uid)
			if err != nil {
				return drivers.Blocks{}, err
			}
			if size = i.Size; size == 0 {
				return drivers.Blocks{}, fmt.Errorf("block size: %w", drivers.ErrUnsupported)
			}
		}
	}
	return drivers.Blocks{Size: size, Data: data[:len(data)/size*size]}, nil
}

// Write implements drivers.BlockWriter, block by block: not every tag knows
// more at once.
func (c *Commands) Write(uid drivers.UID, first int, b drivers.Blocks) error {
	for i := range b.N() {
		if _, err := c.Command(WriteBlock(uid, first+i, b.Data[i*b.Size:(i+1)*b.Size])); err != nil {
			return fmt.Errorf("block %d: %w", first+i, err)
		}
	}
	return nil
}

// Lock implements drivers.BlockLocker.
func (c *Commands) Lock(uid drivers.UID, block int) error {
	_, err := c.Command(LockBlock(uid, block))
	return err
}

// Locked implements drivers.LockReader.
func (c *Commands) Locked(uid drivers.UID, first, n int) ([]bool, error) {
	data, err := c.Command(Security(uid, first, n))
	var list []bool
	for _, b := range data {
		list = append(list, b&1 != 0)
	}
	return list, err
}

// Info implements drivers.Informer.
func (c *Commands) Info(uid drivers.UID) (drivers.Info, error) {
	data, err := c.Command(Info(uid))
	if err != nil {
		return drivers.Info{}, err
	}
	i, _, err := ParseInfo(data)
	return i, err
}

// AFI implements drivers.AFIWriter.
func (c *Commands) AFI(uid drivers.UID) (byte, error) {
	i, err := c.Info(uid)
	return i.AFI, err
}

// WriteAFI implements drivers.AFIWriter.
func (c *Commands) WriteAFI(uid drivers.UID, afi byte) error {
	_, err := c.Command(WriteAFI(uid, afi))
	return err
}

// WriteDSFID implements drivers.DSFIDWriter.
func (c *Commands) WriteDSFID(uid drivers.UID, dsfid byte) error {
	_, err := c.Command(WriteDSFID(uid, dsfid))
	return err
}

// EAS implements drivers.EASWriter. A tag whose EAS is off is silent, as is
// one that is away: system information tells them apart.
func (c *Commands) EAS(uid drivers.UID) (bool, error) {
	_, err := c.Command(EASAlarm(uid))
	if errors.Is(err, drivers.ErrNoTag) {
		_, err = c.Info(uid)
		return false, err
	}
	return err == nil, err
}

// WriteEAS implements drivers.EASWriter.
func (c *Commands) WriteEAS(uid drivers.UID, on bool) error {
	_, err := c.Command(SetEAS(uid, on))
	if errors.Is(err, drivers.ErrNoTag) && Maker(uid) != NXP {
		return fmt.Errorf("EAS: %w", drivers.ErrUnsupported)
	}
	return err
}
