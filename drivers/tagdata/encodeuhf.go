package tagdata

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The protocol control word of the EPC bank (ISO/IEC 18000-63).
const (
	pcUser = 0x0400 // there is something in the user bank
	pcISO  = 0x0100 // its low byte is an AFI
)

// maxUII is the longest UII that a PC can tell, in bytes.
const maxUII = 62

// UHF is what is written on a UHF tag.
type UHF struct {
	PC   uint16 // word 1 of the EPC bank; the chip makes the check sum before it
	UII  []byte // words from 2 on
	User []byte // user bank, from its begin; empty: nothing
}

// EPCBank is the EPC bank of a tag of which a reader tells PC and UII, for
// DecodeUHF. Its check sum is computed: the reader has compared that of the air.
func EPCBank(pc uint16, uii []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0, 0}, pc)
	b = append(b, uii...)
	binary.BigEndian.PutUint16(b, ^crc(0xFFFF, b[2:]))
	return b
}

// OnLoanUHF tells whether an EPC bank says that its item is lent, so that the
// gate stays silent; told is false where the model says nothing of that.
func OnLoanUHF(m Model, epc []byte) (onLoan, told bool) {
	if len(epc) <= uiiAt {
		return false, false
	}
	switch m {
	case ISO4:
		return epc[3] == AFIOnLoan, true
	case Gaoxiao:
		return epc[uiiAt]&gaoxiaoLent != 0, true
	}
	return false, false
}

const gaoxiaoLent = 0x80 // of the first byte of flags

// EncodeUHF makes what is written on a fresh UHF tag of a model: ISO4 or
// Gaoxiao. It refuses what the model has no place or no letters for.
func EncodeUHF(c Contents, model Model, onLoan bool) (u UHF, err error) {
	if c.Part < 0 || c.Part > c.Parts || c.Parts > 0 && c.Part == 0 {
		return u, fmt.Errorf("part %d of %d can't be", c.Part, c.Parts)
	}
	switch model {
	case ISO4:
		u, err = encodeISO4(c)
		if u.PC |= pcISO | uint16(AFIInStock); onLoan {
			u.PC ^= uint16(AFIInStock ^ AFIOnLoan)
		}
	case Gaoxiao:
		u, err = encodeGaoxiao(c)
		if err == nil && onLoan {
			u.UII[0] |= gaoxiaoLent
		}
	default:
		err = fmt.Errorf("the model %q can't be written on UHF tags", model)
	}
	if err != nil {
		return UHF{}, err
	}
	if len(u.UII) > maxUII {
		return UHF{}, tooLong(len(u.UII), maxUII)
	}
	if u.PC |= uint16(len(u.UII)/2) << 11; len(u.User) > 0 {
		u.PC |= pcUser
		u.User = append(u.User, make([]byte, len(u.User)%2)...)
	}
	return u, nil
}

// encodeISO4 puts owner, item and set into the UII, all else into the user
// bank.
func encodeISO4(c Contents) (u UHF, err error) {
	c.Elements = slices.DeleteFunc(slices.Clone(c.Elements), func(e Element) bool { return e.Name == NameUII })
	texts, locks, err := c.texts()
	if err != nil {
		return u, err
	}
	fields := []string{c.Owner, c.Item}
	if c.Parts > 0 {
		fields = append(fields, texts[4])
	}
	for _, f := range fields[:2] {
		if f == "" || strings.Contains(f, ".") {
			return u, fmt.Errorf("%q can't be in the UII of %s, whose fields have dots between", f, ISO4)
		}
	}
	if u.UII, err = packCode40(strings.Join(fields, ".")); err != nil {
		return u, err
	}
	delete(texts, 1)
	delete(texts, 3)
	delete(texts, 4)
	if len(texts) == 0 {
		return u, nil
	}
	pieces, err := arrange(texts, locks)
	if err != nil {
		return u, err
	}
	u.User = []byte{DSFIDISO2}
	for _, p := range pieces {
		u.User = p.append(u.User, 2, false)
	}
	u.User = append(u.User, 0)
	return u, nil
}

// packCode40 is code40 the other way. Long numbers are written as all letters
// are: every decoder knows that.
func packCode40(s string) (b []byte, err error) {
	for part := range slices.Chunk([]byte(s), 3) {
		var v [3]int
		for i, c := range part {
			if v[i] = strings.IndexByte(code40Signs, c); v[i] <= 0 {
				return nil, fmt.Errorf("%q has letters that %s can't have: capitals, digits, - and : alone", s, ISO4)
			}
		}
		b = binary.BigEndian.AppendUint16(b, uint16(1600*v[0]+40*v[1]+v[2]+1))
	}
	return b, nil
}

// The parts of the Chinese universities' model that are written: version 4,
// and a bit for each element of the user bank from OID 3 on.
const (
	gaoxiaoVersion = 3 // it is one less
	gaoxiaoOwner   = 1 << 0
	gaoxiaoSet     = 1 << 1
)

func encodeGaoxiao(c Contents) (u UHF, err error) {
	if c.Usage != "" {
		return u, fmt.Errorf("%s has no place for a usage", Gaoxiao)
	}
	content := uint16(0)
	if c.Owner != "" {
		n, err := strconv.ParseUint(c.Owner, 10, 16)
		if err != nil || strconv.Itoa(int(n)) != c.Owner {
			return u, fmt.Errorf("the owner %q is no number of a university, to 65535", c.Owner)
		}
		content |= gaoxiaoOwner
		u.User = binary.BigEndian.AppendUint16([]byte{3 << 2, 2}, uint16(n))
	}
	if c.Parts > 0 {
		if c.Parts > 999 {
			return u, fmt.Errorf("%d parts are more than can be read again", c.Parts)
		}
		content |= gaoxiaoSet
		u.User = append(u.User, 4<<2, 4)
		u.User = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(u.User, uint16(c.Part)), uint16(c.Parts))
	}
	item, err := packGaoxiao(c.Item)
	if err != nil {
		return u, err
	}
	u.UII = append(binary.BigEndian.AppendUint16([]byte{0, gaoxiaoVersion}, content), item...)
	if len(u.User) > 0 {
		u.User = append(u.User, 0, 0)
	}
	return u, nil
}

// packGaoxiao is gaoxiaoItem the other way.
func packGaoxiao(s string) ([]byte, error) {
	n, bad := len(s), fmt.Errorf("%q is no item number of %s: up to 7 letters, or 3, digits and one more letter, 14 in all", s, Gaoxiao)
	if !printable(s) || n > 14 {
		return nil, bad
	}
	if n < 8 {
		return append(append([]byte{byte(n)}, s...), make([]byte, 7-n)...), nil
	}
	number, err := strconv.ParseUint(s[4:n-1], 10, 30)
	if err != nil || !digits(s[3:n-1]) {
		return nil, bad
	}
	v := uint64(n) | uint64(s[n-1])<<4 | uint64(s[3]-'0')<<30 | number<<34
	for i, at := range []int{24, 18, 12} {
		if s[i] < '0' || s[i] >= '0'+64 {
			return nil, bad
		}
		v |= uint64(s[i]-'0') << at
	}
	return binary.LittleEndian.AppendUint64(nil, v), nil
}
