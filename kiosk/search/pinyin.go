package search

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// pinyinText has the readings of the characters of the block CJK Unified
// Ideographs, without tones: on a line a syllable and all that are read so;
// first how each is read mostly, then, below an empty line, how else. It is made
// from kMandarin and kHanyuPinlu of the Unihan Database, version 15.0 (UAX 38).
// For ü stands u, and v among the others, as it is typed.
//
//go:embed pinyin.txt
var pinyinText string

const (
	firstHan = 0x4E00
	lastHan  = 0x9FFF
	maxWord  = 4  // syllables of a word
	maxRun   = 12 // syllables of a text that may be written as one word
)

// readings of characters, as places in syllables; 0 is none.
type readings struct {
	syllables []string
	mostly    [lastHan - firstHan + 1]uint16
	others    map[rune][]uint16
}

var pinyin = sync.OnceValue(func() *readings {
	r := &readings{syllables: []string{""}, others: map[rune][]uint16{}}
	mostly, others, _ := strings.Cut(pinyinText, "\n\n")
	put := func(text string, put func(c rune, n uint16)) {
		for line := range strings.Lines(text) {
			syllable, chars, _ := strings.Cut(strings.TrimSpace(line), " ")
			if syllable == "#" {
				continue
			}
			for _, c := range chars {
				if c >= firstHan && c <= lastHan {
					put(c, uint16(len(r.syllables)))
				}
			}
			r.syllables = append(r.syllables, syllable)
		}
	}
	put(mostly, func(c rune, n uint16) { r.mostly[c-firstHan] = n })
	put(others, func(c rune, n uint16) { r.others[c] = append(r.others[c], n) })
	return r
})

// Sound are the Chinese characters of a text in Latin letters, as who has no
// keyboard for them would type: each run of them in syllables, then as one word
// and as words that may be in it, then what else they may be read as. 红楼梦 is
// hong, lou, meng, hongloumeng, honglou, loumeng. A text without any has none.
func Sound(text string) (words []string) {
	var run []string
	var others []uint16
	end := func() {
		words = append(words, run...)
		if len(run) > 1 {
			words = append(words, strings.Join(run[:min(len(run), maxRun)], ""))
		}
		for from := range run {
			for to := from + 2; to <= min(from+maxWord, len(run)); to++ {
				if to-from < len(run) {
					words = append(words, strings.Join(run[from:to], ""))
				}
			}
		}
		for _, n := range others {
			if s := pinyin().syllables[n]; !slices.Contains(words, s) {
				words = append(words, s)
			}
		}
		run, others = nil, nil
	}
	for _, c := range text {
		if c < firstHan || c > lastHan || pinyin().mostly[c-firstHan] == 0 {
			end()
			continue
		}
		run = append(run, pinyin().syllables[pinyin().mostly[c-firstHan]])
		others = append(others, pinyin().others[c]...)
	}
	end()
	return words
}
