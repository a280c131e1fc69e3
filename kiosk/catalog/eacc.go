package catalog

import (
	_ "embed"
	"encoding/hex"
	"strings"
	"sync"
)

// eaccText is the East Asian set of MARC-8, ANSI/NISO Z39.64: in each line the
// code of its first character, a space, and the characters from there on; a
// space where a code has none. Source: Library of Congress, MARC 21 code
// tables, set 31, without the 61 codes for parts of characters that Unicode
// has only as private use.
//
//go:embed eacc.txt
var eaccText string

// eaccRunes is the table, made when the first such text is met.
var eaccRunes = sync.OnceValue(func() map[[3]byte]rune {
	table := make(map[[3]byte]rune, 16_000)
	for line := range strings.Lines(eaccText) {
		code, chars, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		var at [3]byte
		if _, err := hex.Decode(at[:], []byte(code)); err != nil {
			panic("catalog: eacc.txt: " + err.Error()) // our own file
		}
		for _, r := range chars {
			if r != ' ' {
				table[at] = r
			}
			at[2]++
		}
	}
	return table
})
