package typeset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
)

// maxFont is the largest font that is unpacked, in bytes.
const maxFont = 32 << 20

var errFont = errors.New("font is damaged")

// tags are the tables that WOFF2 names by a number (W3C WOFF2, section 4.1).
const tags = "cmapheadhheahmtxmaxpnameOS/2postcvt fpgmglyflocaprepCFF VORGEBDTEBLCgasphdmxkernLTSHPCLTVDMXvheavmtx" +
	"BASEGDEFGPOSGSUBEBSCJSTFMATHCBDTCBLCCOLRCPALSVG sbixacntavarbdatblocbslncvarfdscfeatfmtxfvargvarhstyjustlcar" +
	"mortmorxopbdproptrakZapfSilfGlatGlocFeatSill"

// table is a table of a font.
type table struct {
	tag         string
	transformed bool
	length      int // within the compressed data
	data        []byte
}

// unpack makes an OpenType font of a WOFF2 file (W3C Recommendation of 2024).
// A collection is an error.
func unpack(file []byte) ([]byte, error) {
	if len(file) < 48 || string(file[:4]) != "wOF2" || string(file[4:8]) == "ttcf" {
		return nil, errFont
	}
	count, packed := int(binary.BigEndian.Uint16(file[12:])), int(binary.BigEndian.Uint32(file[20:]))
	r := &reader{b: file[48:]}
	tables := make([]table, 0, count)
	for range count {
		tables = append(tables, r.entry())
	}
	if r.bad || packed > len(r.b) {
		return nil, errFont
	}
	all, err := io.ReadAll(io.LimitReader(brotli.NewReader(bytes.NewReader(r.b[:packed])), maxFont))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFont, err)
	}
	rest := &reader{b: all}
	for i := range tables {
		tables[i].data = rest.bytes(tables[i].length)
	}
	if rest.bad {
		return nil, errFont
	}
	if err := restore(tables); err != nil {
		return nil, err
	}
	return assemble(file[4:8], tables), nil
}

// entry reads one entry of the directory.
func (r *reader) entry() (t table) {
	flags := r.byte()
	if n := int(flags & 0x3F); n < len(tags)/4 {
		t.tag = tags[4*n : 4*n+4]
	} else {
		t.tag = string(r.bytes(4))
	}
	t.length = r.base128()
	version := flags >> 6
	t.transformed = version != 0
	if t.tag == "glyf" || t.tag == "loca" {
		t.transformed = version == 0
	}
	if t.transformed {
		t.length = r.base128()
	}
	return t
}

// restore undoes the transformations of tables.
func restore(tables []table) error {
	find := func(tag string) *table {
		for i := range tables {
			if tables[i].tag == tag {
				return &tables[i]
			}
		}
		return &table{}
	}
	glyf, loca, head, hmtx, hhea := find("glyf"), find("loca"), find("head"), find("hmtx"), find("hhea")
	if glyf.transformed != loca.transformed || len(head.data) < 54 || len(hhea.data) < 36 {
		return errFont
	}
	var left []int16
	if glyf.transformed {
		var err error
		if glyf.data, loca.data, left, err = glyphs(glyf.data); err != nil {
			return err
		}
		head.data = bytes.Clone(head.data)
		binary.BigEndian.PutUint16(head.data[50:], 1) // offsets of four bytes
	}
	if hmtx.transformed {
		var err error
		hmtx.data, err = metrics(hmtx.data, int(binary.BigEndian.Uint16(hhea.data[34:])), left)
		return err
	}
	return nil
}

// metrics restores hmtx, whose left side bearings are where the glyphs begin
// (section 5.4).
func metrics(b []byte, long int, left []int16) ([]byte, error) {
	r := &reader{b: b}
	flags := r.byte()
	if long < 1 || long > len(left) {
		return nil, errFont
	}
	advances := r.bytes(2 * long)
	if r.bad {
		return nil, errFont
	}
	var out []byte
	for i, begins := range left {
		omitted := flags&1 != 0
		if i < long {
			out = append(out, advances[2*i:2*i+2]...)
		} else {
			omitted = flags&2 != 0
		}
		if !omitted {
			begins = int16(r.uint16())
		}
		out = binary.BigEndian.AppendUint16(out, uint16(begins))
	}
	if r.bad {
		return nil, errFont
	}
	return out, nil
}

// assemble puts tables together as a file. Checksums are zero: nobody looks.
func assemble(flavor []byte, tables []table) []byte {
	out := append(bytes.Clone(flavor), 0, 0, 0, 0, 0, 0, 0, 0)
	binary.BigEndian.PutUint16(out[4:], uint16(len(tables)))
	at := 12 + 16*len(tables)
	for _, t := range tables {
		out = append(out, t.tag...)
		out = binary.BigEndian.AppendUint32(out, 0)
		out = binary.BigEndian.AppendUint32(out, uint32(at))
		out = binary.BigEndian.AppendUint32(out, uint32(len(t.data)))
		at += (len(t.data) + 3) &^ 3
	}
	for _, t := range tables {
		out = append(out, t.data...)
		out = append(out, make([]byte, -len(t.data)&3)...)
	}
	return out
}

// reader reads numbers; what is not there makes it bad and gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 { return uint16(r.byte())<<8 | uint16(r.byte()) }
func (r *reader) uint32() uint32 { return uint32(r.uint16())<<16 | uint32(r.uint16()) }

// base128 reads a UIntBase128 (section 4.1.1).
func (r *reader) base128() int {
	n := uint64(0)
	for range 5 {
		b := r.byte()
		n = n<<7 | uint64(b&0x7F)
		if b&0x80 == 0 {
			if n > maxFont {
				r.bad = true
			}
			return int(min(n, maxFont))
		}
	}
	r.bad = true
	return 0
}

// short reads a 255UInt16 (section 4.1.2).
func (r *reader) short() int {
	switch b := r.byte(); b {
	case 253:
		return int(r.uint16())
	case 254:
		return 506 + int(r.byte())
	case 255:
		return 253 + int(r.byte())
	default:
		return int(b)
	}
}
