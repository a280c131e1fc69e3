package drivers

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"time"
)

// Connection is what a driver needs opened before it.
type Connection string

// The connections.
const (
	NeedsLink    Connection = "link"    // a byte stream: serial or TCP
	NeedsReports Connection = "reports" // a HID device
	NeedsBus     Connection = "bus"     // a chip on SPI or I2C
	NeedsEither  Connection = "link or bus"
	NeedsNothing Connection = "none" // it is a thing of its own, as a simulation
)

// Driver is a family of devices as the list in package all has it.
type Driver struct {
	Name  string     // as in the configuration
	Doc   string     // what it is for: devices, wiring, source of the protocol
	Needs Connection //

	// Baud and Parity are those of a serial line as the devices come; zero: the
	// usual ones.
	Baud   int
	Parity string

	device reflect.Type // what Open makes
	config func() any
	open   func(dev, config any) (any, error)
}

// IsPad tells whether the devices are Pads.
func (d Driver) IsPad() bool { return d.device.Implements(reflect.TypeFor[Pad]()) }

// IsScanner tells whether the driver's devices are Scanners.
func (d Driver) IsScanner() bool { return d.device.Implements(reflect.TypeFor[Scanner]()) }

// IsPrinter tells whether the devices are Printers.
func (d Driver) IsPrinter() bool { return d.device.Implements(reflect.TypeFor[Printer]()) }

// Define makes the Driver of a family that is opened over a Link.
func Define[C, D any](name, doc string, open func(Link, C) (D, error)) Driver {
	return define(name, doc, NeedsLink, open)
}

// At says how the serial line of the devices is set as they come.
func (d Driver) At(baud int, parity string) Driver {
	d.Baud, d.Parity = baud, parity
	return d
}

// DefineReports makes the Driver of a family of HID devices.
func DefineReports[C, D any](name, doc string, open func(Reports, C) (D, error)) Driver {
	return define(name, doc, NeedsReports, open)
}

// DefineBus makes the Driver of a family of chips on SPI or I2C.
func DefineBus[C, D any](name, doc string, open func(Bus, C) (D, error)) Driver {
	return define(name, doc, NeedsBus, open)
}

// DefineEither makes the Driver of a family that is opened over a Link or over
// a Bus, as the configuration names one.
func DefineEither[C, D any](name, doc string, link func(Link, C) (D, error), bus func(Bus, C) (D, error)) Driver {
	return define(name, doc, NeedsEither, func(dev any, c C) (D, error) {
		if b, ok := dev.(Bus); ok {
			return bus(b, c)
		}
		return link(dev.(Link), c)
	})
}

// DefineAlone makes the Driver of something that needs nothing opened.
func DefineAlone[C, D any](name, doc string, open func(C) (D, error)) Driver {
	return define(name, doc, NeedsNothing, func(_ any, c C) (D, error) { return open(c) })
}

func define[L, C, D any](name, doc string, needs Connection, open func(L, C) (D, error)) Driver {
	return Driver{
		Name: name, Doc: doc, Needs: needs, device: reflect.TypeFor[D](),
		config: func() any {
			c := new(C)
			if err := setDefaults(reflect.ValueOf(c).Elem()); err != nil {
				panic(fmt.Sprintf("drivers: %s: %v", name, err)) // a tag in our own source
			}
			return c
		},
		open: func(dev, config any) (any, error) {
			var l L
			if dev != nil {
				l = dev.(L)
			}
			return open(l, *config.(*C))
		},
	}
}

// NewConfig gives a pointer to the driver's options, set to their defaults.
func (d Driver) NewConfig() any { return d.config() }

// Check tells what is wrong with options, if they can tell: each as "key: why",
// several joined (errors.Join).
func (d Driver) Check(config any) error {
	if c, ok := config.(interface{ Check() error }); ok {
		return c.Check()
	}
	return nil
}

// Open opens a device over dev, which is a Link, Reports, a Bus or nil as Needs
// says, with options from NewConfig. What it returns implements Scanner or
// another ability. dev is closed if that fails, also by a panic: a port that
// stays open could not be opened again.
func (d Driver) Open(dev, config any) (device any, err error) {
	defer func() {
		if c, ok := dev.(io.Closer); ok && device == nil {
			c.Close()
		}
	}()
	a, err := d.open(dev, config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	return a, nil
}

// Option is one key of a driver's configuration.
type Option struct {
	Key     string // as in TOML
	Type    string // string, number, yes/no, duration
	Default string // as in TOML; empty means none
	Help    string
}

// Options lists the keys, in the order of the fields.
func (d Driver) Options() []Option { return OptionsOf(d.config()) }

// OptionsOf lists the keys of a pointer to a struct with tags toml, default
// and help.
func OptionsOf(config any) []Option {
	var list []Option
	t := reflect.TypeOf(config).Elem()
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("toml")
		if key == "" || key == "-" {
			continue
		}
		list = append(list, Option{Key: key, Type: kindName(f.Type), Default: f.Tag.Get("default"), Help: f.Tag.Get("help")})
	}
	return list
}

func kindName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Duration]():
		return "duration"
	case t.Kind() == reflect.Bool:
		return "yes/no"
	case t.Kind() == reflect.String:
		return "string"
	}
	return "number"
}

// Duration is a time.Duration that TOML writes as "60ms".
type Duration time.Duration

// UnmarshalText reads Go's notation; negative times are refused.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err == nil && v < 0 {
		err = fmt.Errorf("%s: must not be negative", b)
	}
	*d = Duration(v)
	return err
}

// SetDefaults fills the fields of a pointer to a struct from their default tags.
func SetDefaults(config any) error { return setDefaults(reflect.ValueOf(config).Elem()) }

func setDefaults(v reflect.Value) error {
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("default")
		if tag == "" {
			continue
		}
		if err := set(v.Field(i), tag); err != nil {
			return fmt.Errorf("default of %s: %w", v.Type().Field(i).Name, err)
		}
	}
	return nil
}

func set(f reflect.Value, text string) error {
	if u, ok := f.Addr().Interface().(interface{ UnmarshalText([]byte) error }); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch {
	case f.Kind() == reflect.String:
		f.SetString(text)
	case f.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		f.SetBool(b)
		return err
	case f.CanInt():
		n, err := strconv.ParseInt(text, 0, 64)
		f.SetInt(n)
		return err
	case f.CanUint():
		n, err := strconv.ParseUint(text, 0, 64)
		f.SetUint(n)
		return err
	default:
		return fmt.Errorf("a %s can't have one", f.Type())
	}
	return nil
}
