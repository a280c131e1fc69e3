package usbredir

import (
	"bytes"
	"testing"
)

// FuzzPacket: what is read is written again as it was, and a device answers
// whatever a host can say with packets that can be read.
func FuzzPacket(f *testing.F) {
	f.Add(packet{controlPacket, 7, []byte{0x80, 6, 0x80, 0xAA, 0, 1, 0, 0, 18, 0}}.append(nil, true))
	f.Add(packet{bulkPacket, 8, []byte{0x02, 0, 3, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c'}}.append(nil, true))
	f.Add(packet{startInterruptReceiving, 9, []byte{0x81}}.append(nil, true))
	f.Add(helloPacket().append(nil, false))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, long := range []bool{false, true} {
			p, err := readPacket(bytes.NewReader(raw), long)
			if err != nil {
				continue
			}
			if again := p.append(nil, long); !bytes.Equal(again, raw[:len(again)]) {
				t.Fatalf("% x becomes % x", raw[:len(again)], again)
			}
			list, err := scanner().answer(p)
			if err != nil {
				continue
			}
			for _, a := range list {
				back, err := readPacket(bytes.NewReader(a.append(nil, true)), true)
				if err != nil || back.kind != a.kind || back.id != p.id || !bytes.Equal(back.body, a.body) {
					t.Fatalf("the answer %+v is read as %+v, %v", a, back, err)
				}
			}
		}
	})
}

func TestTooLong(t *testing.T) {
	head := packet{kind: hello}.append(nil, false)
	head[7] = 0x7F // the length's upper byte
	if _, err := readPacket(bytes.NewReader(head), false); err == nil {
		t.Error("a packet of 2 GB is read")
	}
}
