package config

import (
	"bytes"
	"errors"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Decode fills a struct from a table, strictly: a key that the struct does
// not have is a problem, and so is a value of the wrong kind. It goes on after
// a problem, so that all are reported.
func Decode(table map[string]any, into any) []Problem {
	raw, err := toml.Marshal(table)
	if err != nil {
		return []Problem{{Key: "TOML", Why: err.Error()}}
	}
	var bad []Problem
	err = toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields().Decode(into)
	if e, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		for _, x := range e.Errors {
			bad = append(bad, Problem{Key: strings.Join(x.Key(), "."), Why: "is not a key of the configuration"})
		}
		return bad
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		key := e.Key()
		bad = append(bad, Problem{Key: strings.Join(key, "."), Why: strings.TrimPrefix(e.Error(), "toml: ")})
		if drop(table, key) { // the rest may have problems of its own
			bad = append(bad, Decode(table, into)...)
		}
		return bad
	}
	if err != nil {
		bad = append(bad, Problem{Key: "TOML", Why: err.Error()})
	}
	return bad
}

// drop removes the value at key; false if there is none.
func drop(table map[string]any, key []string) bool {
	for i, k := range key {
		v, ok := table[k]
		if !ok {
			return false
		}
		if i == len(key)-1 {
			delete(table, k)
			return true
		}
		if table, ok = v.(map[string]any); !ok {
			return false
		}
	}
	return false
}
