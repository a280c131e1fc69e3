package tagdata

// Data storage format identifiers. They are hints: there are tags with 00
// and any contents.
const (
	DSFIDNone byte = 0x00
	DSFIDISO2 byte = 0x06 // ISO 28560-2: ISO/IEC 15962, no directory
	DSFIDISO3 byte = 0x3E // ISO 28560-3 and the Danish model
)

// Application family identifiers by which gates tell lent from not lent.
const (
	AFIInStock byte = 0x07 // not lent, the gate alarms (ISO 28560-1)
	AFIOnLoan  byte = 0xC2 // lent, the gate is silent; also where gates do not use the AFI
)

// Security is a pair of AFI values.
type Security struct {
	Name   string
	Stock  byte // the gate alarms
	OnLoan byte // the gate is silent
}

// Securities are the pairs in use.
//
// Of 3M's pair the sources contradict each other: a program in daily use
// writes D7 when it lends and DA when it takes back, its own documentation
// says the opposite. Here it is as the program does it; try it at the gate.
var Securities = []Security{
	{"iso", AFIInStock, AFIOnLoan},
	{"german-old", 0x07, 0x21},
	{"3m", 0xDA, 0xD7},
}

// SecurityByName gives a pair of Securities.
func SecurityByName(name string) (Security, bool) {
	for _, s := range Securities {
		if s.Name == name {
			return s, true
		}
	}
	return Security{}, false
}
