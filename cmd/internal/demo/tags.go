package demo

import (
	"encoding/binary"
	"fmt"

	"github.com/carrel-kiosk/carrel/drivers"
	"github.com/carrel-kiosk/carrel/drivers/sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// Owner is the sample library's ISIL, as its tags say.
const Owner = "US-MAPLE"

// OldModel is a book that carries a second tag, of the model that the sample
// library used before.
const OldModel = "30417000010140"

// NewTag is a tag of the ICODE SLIX kind. n makes its UID.
func NewTag(n int) *field.Tag {
	var uid drivers.UID
	binary.BigEndian.PutUint64(uid[:], 0xE004015000000000|uint64(uint32(n)*2654435761))
	return field.NewTag(uid, 28, 4)
}

// Tagged makes the tags of an item as its library writes them, one for each
// part; n makes their UIDs. What is on loan is released.
func Tagged(i kiosk.Item, parts, n int) ([]*field.Tag, error) {
	var list []*field.Tag
	usage := tagdata.Circulating
	if i.Type == "equipment" {
		usage = tagdata.Equipment
	}
	for part := 1; part <= parts; part++ {
		t := NewTag(n*8 + part)
		data, err := tagdata.Encode(tagdata.Contents{Item: string(i.Barcode), Owner: Owner, Usage: usage,
			Part: part, Parts: parts}, tagdata.ISO3, len(t.Memory), t.Size)
		if err != nil {
			return nil, fmt.Errorf("demo: tag of %s: %w", i.Barcode, err)
		}
		t.Memory, t.DSFID = data, tagdata.DSFIDISO3
		t.AFI, t.EAS = tagdata.AFIInStock, true
		if i.Status == kiosk.StatusOnLoan {
			t.AFI, t.EAS = tagdata.AFIOnLoan, false
		}
		list = append(list, t)
	}
	return list, nil
}

// badge is the tag of a badge that is a card.
func badge() (*field.Tag, error) {
	t := NewTag(1<<20 + 8)
	data, err := tagdata.Encode(tagdata.Contents{Item: StaffBadge, Owner: Owner, Usage: tagdata.PatronCard}, tagdata.ISO3, len(t.Memory), t.Size)
	if err != nil {
		return nil, fmt.Errorf("demo: tag of the badge: %w", err)
	}
	t.Memory, t.DSFID = data, tagdata.DSFIDISO3
	return t, nil
}

// Alarms tells whether the sample library's gate rings for a tag.
func Alarms(t field.Tag) bool { return t.AFI == tagdata.AFIInStock || t.EAS }

// strangers are things with a tag that are none of the library's.
func strangers() ([]sim.Thing, error) {
	other := NewTag(1 << 20)
	data, err := tagdata.Encode(tagdata.Contents{Item: "1000000056", Owner: "DE-705", Usage: tagdata.Circulating}, tagdata.ISO3, len(other.Memory), other.Size)
	if err != nil {
		return nil, err
	}
	other.Memory, other.AFI = data, tagdata.AFIOnLoan
	pass := NewTag(1<<20 + 1)
	copy(pass.Memory, "SKI 24/25 ZONE A+B 8841 2207 5512")
	half := NewTag(1<<20 + 2)
	copy(half.Memory, data)
	half.Memory[7] ^= 0x55
	blank := NewTag(1<<20 + 3)
	old := NewTag(1<<20 + 4)
	if old.Memory, err = tagdata.Encode(tagdata.Contents{Item: OldModel}, tagdata.ThreeM, len(old.Memory), old.Size); err != nil {
		return nil, err
	}
	const kind = "Other things with a tag"
	return []sim.Thing{
		{Kind: kind, Code: "other-library", Label: "A book of another library", Note: "lent there", Tags: []*field.Tag{other}, NoLabel: true},
		{Kind: kind, Code: "ski-pass", Label: "A ski pass", Note: "no library's tag", Tags: []*field.Tag{pass}, NoLabel: true},
		{Kind: kind, Code: "half-written", Label: "A tag that was torn off while it was written", Note: "damaged", Tags: []*field.Tag{half}, NoLabel: true},
		{Kind: kind, Code: "old-model", Label: "A book with a tag of the model before", Note: "to convert", Tags: []*field.Tag{old}, NoLabel: true},
		{Kind: kind, Code: "blank", Label: "A blank tag", Note: "nothing on it", Tags: []*field.Tag{blank}, NoLabel: true},
	}, nil
}
