package config

import "github.com/carrel-kiosk/carrel/drivers"

func scan(text string) drivers.Scan { return drivers.Scan{Text: text} }
