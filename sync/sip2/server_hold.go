package sip2

import (
	"fmt"

	"github.com/carrel-kiosk/carrel/kiosk"
)

func (s *session) takesHolds() bool {
	_, ok := s.backend.(Holder)
	return ok
}

// hold answers 15. Of the modes only + is taken.
func (s *session) hold(m Message, h Holder) Message {
	item := kiosk.Barcode(m.Value("AB"))
	i, _, _, known := s.backend.Item(item)
	var p kiosk.Placed
	err := error(&kiosk.Error{Code: kiosk.CodeRefused, Text: "Error with transaction drop_hold: "})
	if m.Part(0, 1) == "+" {
		p, err = h.PlaceHold(kiosk.Card(m.Value("AA")), item, m.Value("BS"))
	}
	a := s.echo("16", yes(err == nil, "1", "0")+yes(err == nil && known == nil && i.Status == kiosk.StatusAvailable, "Y", "N")+s.now(), m)
	if err == nil {
		a = a.With("BR", fmt.Sprint(p.Place)).With("BS", p.Pickup)
	}
	return spoken(a.With("AB", string(item)).With("AJ", i.Title), kiosk.Answer{Text: p.Text}, err)
}
