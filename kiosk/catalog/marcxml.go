package catalog

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// marcXML reads the records of a MARCXML collection (Library of Congress,
// MARC21slim.xsd) or of its twin MarcXchange (ISO 25577), one at a time. Other
// elements around them (OAI-PMH, SRU) are passed over. The decoder expands no
// entities but XML's own five, so a record takes memory by its length alone.
type marcXML struct {
	dec   *xml.Decoder
	limit *limit
	depth int // open elements around the records
}

const (
	maxXML   = 8 << 20 // bytes of a record, and of all between two records' tags
	maxDepth = 100     // elements around a record
)

func newMARCXML(in *bufio.Reader) *marcXML {
	l := &limit{in: in}
	dec := xml.NewDecoder(l)
	dec.CharsetReader = charset1
	return &marcXML{dec: dec, limit: l}
}

// limit ends a file that has used up what it was given.
type limit struct {
	in   *bufio.Reader
	left int // bytes
}

func (l *limit) ReadByte() (byte, error) {
	if l.left--; l.left < 0 {
		return 0, fmt.Errorf("a record or tag of more than %d bytes", maxXML)
	}
	return l.in.ReadByte()
}

// Read makes limit an io.Reader; the decoder reads bytes.
func (l *limit) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := l.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// charset1 reads the encodings that a declaration may name. UTF-16 has been
// decoded by its byte order mark before.
func charset1(name string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "utf-16", "utf-8", "us-ascii":
		return in, nil
	case "iso-8859-1", "latin1", "windows-1252":
		return charmap.Windows1252.NewDecoder().Reader(in), nil
	}
	return nil, fmt.Errorf("the encoding %.40q; save the file as UTF-8", name)
}

type xmlRecord struct {
	Control []struct {
		Tag  string `xml:"tag,attr"`
		Text string `xml:",chardata"`
	} `xml:"controlfield"`
	Data []struct {
		Tag  string `xml:"tag,attr"`
		Ind1 string `xml:"ind1,attr"`
		Subs []struct {
			Code string `xml:"code,attr"`
			Text string `xml:",chardata"`
		} `xml:"subfield"`
	} `xml:"datafield"`
}

func (r *marcXML) next() (record, error) {
	for {
		r.limit.left = maxXML
		tok, err := r.dec.Token()
		if errors.Is(err, io.EOF) {
			return record{}, io.EOF
		}
		if err != nil {
			return record{}, fmt.Errorf("%w: %w", errBroken, err)
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			r.depth--
		case xml.StartElement:
			if isRecord(tok) {
				return r.record(tok)
			}
			if r.depth++; r.depth > maxDepth {
				return record{}, fmt.Errorf("%w: elements within %d others", errBroken, maxDepth)
			}
		}
	}
}

// isRecord tells a MARC record from the <record> of a protocol around it.
func isRecord(e xml.StartElement) bool {
	return e.Name.Local == "record" && (e.Name.Space == "" || e.Name.Space == "http://www.loc.gov/MARC21/slim" ||
		strings.HasPrefix(e.Name.Space, "info:lc/xmlns/marcxchange-v"))
}

func (r *marcXML) record(start xml.StartElement) (record, error) {
	var x xmlRecord
	if err := r.dec.DecodeElement(&x, &start); err != nil {
		return record{}, fmt.Errorf("%w: %w", errBroken, err)
	}
	var rec record
	for _, c := range x.Control {
		rec.fields = append(rec.fields, field{tag: c.Tag, text: c.Text})
	}
	for _, d := range x.Data {
		f := field{tag: d.Tag}
		if d.Ind1 != "" {
			f.ind1 = d.Ind1[0]
		}
		for _, s := range d.Subs {
			if s.Code != "" {
				f.subs = append(f.subs, subfield{s.Code[0], s.Text})
			}
		}
		rec.fields = append(rec.fields, f)
	}
	return rec, nil
}
