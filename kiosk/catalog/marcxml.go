package catalog

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// marcXML reads the records of a MARCXML collection, one at a time. Other
// elements around them (OAI, SRU) are passed over.
type marcXML struct{ dec *xml.Decoder }

func newMARCXML(in *bufio.Reader) *marcXML {
	dec := xml.NewDecoder(in)
	dec.Strict = true
	return &marcXML{dec}
}

// maxFields bounds one record.
const maxFields = 20_000

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
		tok, err := r.dec.Token()
		if errors.Is(err, io.EOF) {
			return record{}, io.EOF
		}
		if err != nil {
			return record{}, fmt.Errorf("%w: %v", errBroken, err)
		}
		start, ok := tok.(xml.StartElement)
		if !ok || start.Name.Local != "record" {
			continue
		}
		if !hasMARC(start) {
			continue
		}
		var x xmlRecord
		if err := r.dec.DecodeElement(&x, &start); err != nil {
			return record{}, fmt.Errorf("%w: %v", errBroken, err)
		}
		return x.record()
	}
}

// hasMARC tells a MARC record from the <record> of a protocol around it.
func hasMARC(e xml.StartElement) bool {
	return e.Name.Space == "" || e.Name.Space == "http://www.loc.gov/MARC21/slim"
}

func (x xmlRecord) record() (record, error) {
	var rec record
	if len(x.Control)+len(x.Data) > maxFields {
		return rec, fmt.Errorf("a record of %d fields", len(x.Control)+len(x.Data))
	}
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
