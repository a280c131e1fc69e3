package config

// Find is the catalogue on the touch screen.
type Find struct {
	Off bool `toml:"off"` // it can't be searched there
}
