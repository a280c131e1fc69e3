package sip2

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

const quirkDate = "20261123    080000"

func TestOddities(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"121NNY" + quirkDate + "AOx|AAC1|ABB1|AJTitle|AH20261207    235900|AFHere you are|", nil},
		{"121NUU" + quirkDate + "AOx|AAC1|ABB1|AJ|AH|CK|", nil},
		{"101YNN" + quirkDate + "AOx|ABB1|AQ|CV|CT|CY|DA|CR|CS|", nil},
		{"101YNY" + quirkDate + "AOx|ABB1|AQ|CV98|", nil},
		{"101YNY" + quirkDate + "AOx|ABB1|AQ|CV77|", []string{`alert type "77"`}},
		{"10YYNY" + quirkDate + "AOx|ABB1|AQ|", []string{"fixed part of 10"}},
		{"12" + quirkDate + "|AOx|", []string{"fixed part of 12"}},
		{"121NNY" + quirkDate + "AH7 décembre|AFPay 5|see staff|U1?|ZZ?|", []string{"text without a field id", "field U1", "field ZZ", "due date (AH) in a 12"}},
		{"18030201" + quirkDate + "ABB1|AJ|XI7|", nil},
		{"18990401" + quirkDate + "ABB1|AJ|", []string{`circulation status "99"`, `security marker "04"`}},
		{"180302  " + quirkDate + "ABB1|AJ|", []string{`fee type "  "`}},
		{"18030201" + quirkDate + "ABB1|AJ|AY0AZ0000", []string{"wrong checksum"}},
		{"98YYYYYN 10 10" + quirkDate + "2.00AOx|BX" + strings.Repeat("Y", 16) + strings.Repeat(" ", 160) + "|", nil},
		{"98YYYYYN1000031970-01-01  00:00:02.00AOx|", []string{"fixed part of 98"}},
		{"64" + strings.Repeat(" ", 14) + "001" + quirkDate + "    00000001000000000000AAC1|AEOlive|PA20270101|PB19800101|", nil},
	}
	for _, tt := range tests {
		m, err := Parse([]byte(tt.text), UTF8)
		if got := oddities(m, []byte(tt.text)); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("oddities(%q) = %q, %v; want %q", tt.text, got, err, tt.want)
		}
	}
}

func TestMasked(t *testing.T) {
	tests := map[string]string{
		"121NNY" + quirkDate + "AOx|AAC1|ABB1|AJTitle|AHsoon|AFOlive has it|AY1AZ0000\r": "121NNY" + quirkDate + "AOx|AA***|ABB1|AJ***|AHsoon|AF***|AY1AZ0000",
		"64" + strings.Repeat("Y", 14) + "001" + quirkDate + strings.Repeat(" ", 24) + "AOx|AAC1|AEOlive|BLY|AUB1|U1Olive|CQN|PB19800101|": "64YYYYYYYYYYYYYY001" + quirkDate + strings.Repeat(" ", 24) +
			"AOx|AA***|AE***|BLY|AU***|U1***|CQN|PB***|",
		"10" + quirkDate + "|CVüber|CY29|DAOlive|":  "1099999999    999999|CV\\u00fcber|CY***|DA***|",
		"12" + "1NNYAAC123456789012345678|AEOlive|": "121NNYxxx999999999999999***|AE***|",
		"24AAC1|AEOlive|":                   "24xxx9|AE***|",
		"Nobody 64   AAC1|Olive|\xffAE|AA|": "No***|***|***|AA|",
		"\x00\xff<html>|AY\x07 Bad|AY1":     `\x00\xff***|AY***|AY1`,
		"":                                  "",
		"9":                                 "9",
		"18030201" + quirkDate + "AB" + strings.Repeat("9", 500) + "|": "18030201" + quirkDate + "AB" + strings.Repeat("9", shownBytes-28) + "...",
	}
	for text, want := range tests {
		if got := masked([]byte(text)); got != want {
			t.Errorf("masked(%q) = %q; want %q", text, got, want)
		}
	}
}

// FuzzMasked puts a patron into whatever message: nothing of him comes out.
func FuzzMasked(f *testing.F) {
	f.Add([]byte("121NNY"+quirkDate+"AOx|"), []byte("|AHsoon|AY1AZ0000"), "AA")
	f.Add([]byte("64"), []byte("|AEOlive"), "AE")
	f.Add([]byte(""), []byte(""), "U1")
	f.Fuzz(func(t *testing.T, before, after []byte, id string) {
		if len(before) == 1 || slices.Contains(plainFields, id) || len(id) != 2 || !fieldID(id) {
			return
		}
		const name = "Okay Olive 29000000123456"
		out := masked(slices.Concat(before, []byte("|"+id+name+"|"), after))
		for _, r := range out {
			if r < ' ' || r > '~' {
				t.Fatalf("masked gives %q", out)
			}
		}
		if strings.Contains(out, "Olive") || strings.Contains(out, "29000000123456") || len(out) > 10*shownBytes {
			t.Errorf("masked gives %q", out)
		}
	})
}

// TestQuirks: each kind is logged once, and so many kinds.
func TestQuirks(t *testing.T) {
	var log bytes.Buffer
	c := Config{quirks: new(quirks), Log: slog.New(slog.NewTextHandler(&log, nil))}
	for i := range 1000 {
		for range 3 {
			c.quirk(fmt.Sprint("kind ", i), []byte("18AAC1"))
		}
	}
	if n := strings.Count(log.String(), "\n"); n != mostQuirks+1 || len(c.quirks.seen) != mostQuirks {
		t.Errorf("%d lines logged, %d kinds kept; want %d, and one that there will be no more", n, len(c.quirks.seen), mostQuirks)
	}
	if s := log.String(); strings.Count(s, `"kind 7"`) != 1 || strings.Contains(s, "C1") {
		t.Errorf("logged: %.300s", s)
	}
}
