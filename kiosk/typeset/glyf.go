package typeset

import (
	"encoding/binary"
	"math"
)

// glyf is the transformed table of outlines as streams (section 5.1).
type glyf struct {
	contours, points, flags, triplets, composites, boxes, instructions reader
	boxed                                                              []byte // a bit for each glyph that has a box of its own
}

// glyphs restores glyf and loca, with offsets of four bytes, and tells where
// each glyph begins at its left.
func glyphs(b []byte) (outlines, offsets []byte, left []int16, err error) {
	r := &reader{b: b}
	r.bytes(4) // reserved, options: marks of overlap are not needed
	count := int(r.uint16())
	r.uint16() // the format of loca, which is ours to choose
	var size [7]int
	for i := range size {
		size[i] = int(r.uint32())
	}
	var g glyf
	for i, s := range []*reader{&g.contours, &g.points, &g.flags, &g.triplets, &g.composites, &g.boxes, &g.instructions} {
		s.b = r.bytes(size[i])
	}
	g.boxed = g.boxes.bytes((count + 31) / 32 * 4)
	if r.bad || g.boxes.bad {
		return nil, nil, nil, errFont
	}
	for i := range count {
		offsets = binary.BigEndian.AppendUint32(offsets, uint32(len(outlines)))
		glyph, begins, ok := g.glyph(g.boxed[i/8]&(0x80>>(i%8)) != 0)
		if !ok || len(outlines)+len(glyph) > maxFont {
			return nil, nil, nil, errFont
		}
		outlines = append(outlines, glyph...)
		outlines = append(outlines, make([]byte, -len(outlines)&3)...)
		left = append(left, begins)
	}
	return outlines, binary.BigEndian.AppendUint32(offsets, uint32(len(outlines))), left, nil
}

func (g *glyf) bad() bool {
	return g.contours.bad || g.points.bad || g.flags.bad || g.triplets.bad || g.composites.bad || g.boxes.bad || g.instructions.bad
}

// glyph restores the next glyph.
func (g *glyf) glyph(boxed bool) (b []byte, left int16, ok bool) {
	switch n := int16(g.contours.uint16()); {
	case n == 0:
		return nil, 0, !boxed && !g.bad()
	case n == -1 && boxed:
		b = g.composite()
	case n > 0:
		b = g.simple(int(n), boxed)
	}
	if b == nil || g.bad() {
		return nil, 0, false
	}
	return b, int16(binary.BigEndian.Uint16(b[2:])), true
}

// Flags of the parts of a composite glyph (OpenType, glyf).
const (
	wordArguments = 0x0001
	oneScale      = 0x0008
	moreParts     = 0x0020
	twoScales     = 0x0040
	fourScales    = 0x0080
	hasProgram    = 0x0100
)

func (g *glyf) composite() []byte {
	b := append([]byte{0xFF, 0xFF}, g.boxes.bytes(8)...)
	program := false
	for more := true; more && !g.bad(); {
		flags := g.composites.uint16()
		more, program = flags&moreParts != 0, program || flags&hasProgram != 0
		n := 4 // glyph and two arguments of a byte
		if flags&wordArguments != 0 {
			n += 2
		}
		switch {
		case flags&oneScale != 0:
			n += 2
		case flags&twoScales != 0:
			n += 4
		case flags&fourScales != 0:
			n += 8
		}
		b = binary.BigEndian.AppendUint16(b, flags)
		b = append(b, g.composites.bytes(n)...)
	}
	if program {
		b = g.program(b)
	}
	return b
}

// program adds the instructions of a glyph.
func (g *glyf) program(b []byte) []byte {
	n := g.triplets.short()
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	return append(b, g.instructions.bytes(n)...)
}

// simple restores a glyph of contours. Its points are written with two bytes
// for each step.
func (g *glyf) simple(contours int, boxed bool) []byte {
	var ends []byte
	total := 0
	for range contours {
		if total += g.points.short(); total > math.MaxUint16 || g.points.bad {
			return nil
		}
		ends = binary.BigEndian.AppendUint16(ends, uint16(total-1))
	}
	flags, xs, ys := make([]byte, 0, total), make([]byte, 0, 2*total), make([]byte, 0, 2*total)
	x, y, box := 0, 0, [4]int{math.MaxInt16, math.MaxInt16, math.MinInt16, math.MinInt16}
	for range total {
		flag := g.flags.byte()
		dx, dy := g.step(int(flag & 0x7F))
		x, y = x+dx, y+dy
		box = [4]int{min(box[0], x), min(box[1], y), max(box[2], x), max(box[3], y)}
		flags = append(flags, 1-flag>>7)
		xs, ys = binary.BigEndian.AppendUint16(xs, uint16(dx)), binary.BigEndian.AppendUint16(ys, uint16(dy))
		if g.flags.bad || g.triplets.bad {
			return nil
		}
	}
	b := binary.BigEndian.AppendUint16(nil, uint16(contours))
	if boxed {
		b = append(b, g.boxes.bytes(8)...)
	} else {
		for _, v := range box {
			b = binary.BigEndian.AppendUint16(b, uint16(v))
		}
	}
	if g.boxes.bad {
		return nil
	}
	b = g.program(append(b, ends...))
	return append(append(append(b, flags...), xs...), ys...)
}

// step reads how far the next point is from the one before (section 5.2).
func (g *glyf) step(f int) (dx, dy int) {
	in := func() int { return int(g.triplets.byte()) }
	sign := func(flag, v int) int {
		if flag&1 != 0 {
			return v
		}
		return -v
	}
	switch {
	case f < 10:
		return 0, sign(f, (f&14)<<7+in())
	case f < 20:
		return sign(f, ((f-10)&14)<<7+in()), 0
	case f < 84:
		k, b := f-20, in()
		return sign(f, 1+k&0x30+b>>4), sign(f>>1, 1+k&0x0C<<2+b&0x0F)
	case f < 120:
		k := f - 84
		a, b := in(), in()
		return sign(f, 1+k/12<<8+a), sign(f>>1, 1+k%12>>2<<8+b)
	case f < 124:
		a, b, c := in(), in(), in()
		return sign(f, a<<4+b>>4), sign(f>>1, (b&0x0F)<<8+c)
	}
	a, b, c, d := in(), in(), in(), in()
	return sign(f, a<<8+b), sign(f>>1, c<<8+d)
}
