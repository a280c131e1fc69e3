package tagdata_test

import (
	"fmt"

	"github.com/carrel-kiosk/carrel/drivers/tagdata"
)

// A tag is written, and nine blocks are enough to know it again.
func Example() {
	book := tagdata.Contents{Item: "31234000010064", Owner: "DK-718500", Usage: tagdata.Circulating, Part: 2, Parts: 3}
	memory, err := tagdata.Encode(book, tagdata.ISO3, 112, 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	c := tagdata.Decode(tagdata.Memory{BlockSize: 4, Data: memory[:36]}, tagdata.Options{})
	fmt.Println(c.Model, c.Item, c.Owner, c.Usage, c.Part, "of", c.Parts)

	memory[7] ^= 1
	c = tagdata.Decode(tagdata.Memory{BlockSize: 4, Data: memory[:36]}, tagdata.Options{})
	fmt.Printf("%s, item %q, perhaps %s\n", c.Model, c.Item, c.Hint)
	for _, d := range c.Damage {
		fmt.Println(d.Text)
	}
	// Output:
	// iso28560-3 31234000010064 DK-718500 circulating 2 of 3
	// damaged, item "", perhaps 31235000010064
	// the check sum is 661C and should be 23A8
	// it may be half written: compare the number with the one printed, and write the tag anew
}
