package tagdata

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// A UHF tag has its item in the EPC bank:
//
//	0,1  CRC-16 of what follows (polynomial 1021, begins with FFFF, inverted)
//	2    words of the UII in bits 7 to 3, bit 0 set where an AFI follows
//	3    AFI
//	4..  UII
//
// In ISO/TS 28560-4 the UII is owner, item and set information with dots
// between, in URN Code 40; the user bank has a DSFID and the chain of ISO
// 28560-2 without the item. The model of Chinese universities has no AFI; its
// facts are from dp2, the program of those libraries.
const (
	uiiAt       = 4
	gaoxiaoSize = 12 // bytes of UII: flags, version, 2 of content parameter, 8 of item
)

// DecodeUHF says what the EPC and the user bank of a UHF tag mean; either may
// be empty. A check sum of 0 was not told.
func DecodeUHF(epc, user []byte) Contents {
	c := Contents{Model: Foreign}
	isLibrary := false
	if len(epc) >= uiiAt {
		n := 2 * int(epc[2]>>3)
		if uiiAt+n > len(epc) {
			c.Model = Damaged
			c.harm(Short, fmt.Sprintf("the tag says that its UII has %d bytes, and %d were read", n, len(epc)-uiiAt))
			return c
		}
		told, sum := binary.BigEndian.Uint16(epc), ^crc(0xFFFF, epc[2:uiiAt+n])
		isLibrary = epc[2]&1 == 1 && (epc[3] == AFIInStock || epc[3] == AFIOnLoan)
		switch uii := epc[uiiAt : uiiAt+n]; {
		case told != 0 && told != sum:
			c.Model = Damaged
			c.harm(BadSum, fmt.Sprintf("the check sum is %04X and should be %04X", told, sum))
		case isLibrary:
			c.uii(uii)
		case told != 0 && epc[2]&1 == 0 && n >= gaoxiaoSize:
			c.gaoxiao(uii, user)
		}
	}
	if len(user) > 1 && user[0] == DSFIDISO2 && (isLibrary || len(epc) == 0) {
		c.userBank(user[1:])
	}
	return c.settle(2)
}

// uii reads owner, item and set information.
func (c *Contents) uii(b []byte) {
	c.Model = ISO4
	s, err := code40(b)
	fields := strings.Split(s, ".")
	if err != nil || len(fields) < 2 || len(fields) > 3 {
		c.Model, c.Likely = Damaged, ISO4
		c.harm(BadValue, fmt.Sprintf("the UII %q is not owner, item and set information", s))
		return
	}
	c.Elements = append(c.Elements, Element{ID: NameUII, Name: NameUII, Text: s, Raw: append([]byte(nil), b...), At: uiiAt, Size: len(b)})
	c.Owner = fields[0]
	c.take(fields[1])
	if len(fields) == 3 {
		c.set(fields[2])
	}
}

// userBank reads elements that follow a DSFID.
func (c *Contents) userBank(b []byte) {
	ch := best(b, true)
	if c.Model == Foreign {
		c.Model = ISO4
	}
	switch {
	case ch.bad != nil:
		c.Damage = append(c.Damage, *ch.bad)
	case ch.end > len(b):
		c.harm(BadLength, "the elements of the user bank go on behind its end")
	}
	item := c.Item
	c.meaning(b, ch.links)
	c.Item = item // the EPC bank's
}

const code40Signs = "\x00ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"

// code40 unpacks URN Code 40 of ISO/IEC 15962: three characters in 16 bits,
// FB before a long number.
func code40(b []byte) (string, error) {
	errCode := errors.New("not in URN code 40")
	var out strings.Builder
	for len(b) >= 2 {
		switch w := int(binary.BigEndian.Uint16(b)) - 1; {
		case w < 0:
			return out.String(), nil
		case b[0] == 0xFB:
			digits, n := 9+int(b[1]>>4), 4+int(b[1]&15)
			if 2+n > len(b) {
				return "", errCode
			}
			number := new(big.Int).SetBytes(b[2 : 2+n]).String()
			out.WriteString(strings.Repeat("0", max(0, digits-len(number))) + number)
			b = b[2+n:]
			continue
		case w >= 40*40*40:
			return "", errCode
		default:
			for _, v := range []int{w / 1600, w / 40 % 40, w % 40} {
				if v > 0 {
					out.WriteByte(code40Signs[v])
				}
			}
		}
		b = b[2:]
	}
	return out.String(), nil
}

// gaoxiao reads the model of Chinese universities: a byte of flags, of which
// bit 7 is on loan, coding and version, two bytes that list elements, the
// item. The user bank has elements of 4 times the OID, length, data.
func (c *Contents) gaoxiao(b, user []byte) {
	item, ok := gaoxiaoItem(b[4:gaoxiaoSize])
	if !ok {
		return
	}
	c.Model = Gaoxiao
	c.take(item)
	for len(user) >= 2 && user[0] != 0 {
		oid, n := int(user[0]>>2), int(user[1])
		if 2+n > len(user) {
			c.harm(BadLength, fmt.Sprintf("%s says it has %d bytes, more than there are", nameOf(oid), n))
			return
		}
		data := user[2 : 2+n]
		e := Element{ID: strconv.Itoa(oid), Name: nameOf(oid), Raw: append([]byte(nil), data...), Size: 2 + n}
		switch {
		case oid == 3 && n == 2: // a number that the ministry gives to a university
			e.Text = strconv.Itoa(int(binary.BigEndian.Uint16(data)))
			c.Owner = e.Text
		case oid == 4 && n == 4:
			e.Text = fmt.Sprintf("%d/%d", binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:]))
			c.set(e.Text)
		}
		c.Elements = append(c.Elements, e)
		user = user[2+n:]
	}
}

// gaoxiaoItem unpacks an item of 1 to 14 characters. The low nibble of the
// first byte is its length. Under 8 the characters follow; from 8 on, in 64
// bits, little endian: 4 bits length, 8 the last character, three of 6 bits in
// falling order, 4 bits a digit, 30 bits the other digits.
func gaoxiaoItem(b []byte) (string, bool) {
	n := int(b[0] & 15)
	if n < 8 {
		s := string(b[1 : 1+n])
		return s, printable(s) && b[0] == byte(n) && empty(b[1+n:])
	}
	v := binary.LittleEndian.Uint64(b)
	part := func(at, bits int) byte { return byte(v >> at & (1<<bits - 1)) }
	number := strconv.FormatUint(v>>34, 10)
	if n > 14 || len(number) > n-5 || part(30, 4) > 9 {
		return "", false
	}
	s := string([]byte{part(24, 6) + '0', part(18, 6) + '0', part(12, 6) + '0', part(30, 4) + '0'}) +
		strings.Repeat("0", n-5-len(number)) + number + string(rune(part(4, 8)))
	return s, printable(s)
}
