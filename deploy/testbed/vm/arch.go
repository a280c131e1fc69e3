package vm

// Arch is a kind of machine.
type Arch struct {
	Name    string // Debian's and Go's
	CC      string // compiler for its programs
	emulate []string
	console string
	loader  string            // of programs with cgo, with its folder
	needed  map[string]string // programs, with Debian's package of each
}

// Arches are the machines that there are. The first is what a kiosk has.
var Arches = []*Arch{
	{
		Name: "arm64", CC: "aarch64-linux-gnu-gcc", console: "ttyAMA0", loader: "lib/ld-linux-aarch64.so.1",
		emulate: []string{"qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"},
		needed: map[string]string{"qemu-system-aarch64": "qemu-system-arm",
			"aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"},
	},
	{
		Name: "amd64", CC: "x86_64-linux-gnu-gcc", console: "ttyS0", loader: "lib64/ld-linux-x86-64.so.2",
		emulate: []string{"qemu-system-x86_64", "-M", "q35,i8042=off", "-cpu", "qemu64"},
		needed: map[string]string{"qemu-system-x86_64": "qemu-system-x86",
			"x86_64-linux-gnu-gcc": "gcc-x86-64-linux-gnu libc6-dev-amd64-cross"},
	},
}

// ArchNamed is one of Arches, or nil.
func ArchNamed(name string) *Arch {
	for _, a := range Arches {
		if a.Name == name {
			return a
		}
	}
	return nil
}
