package config

import (
	"bytes"
	"errors"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Decode fills a struct from a table, strictly: a key that the struct does
// not have is a problem, and so is a value of the wrong kind. It goes on after
// a problem, so that all are reported. What is wrong is dropped from table.
func Decode(table map[string]any, into any) []Problem {
	err := decode(table, into)
	if e, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var bad []Problem
		for _, x := range e.Errors {
			bad = append(bad, Problem{Key: strings.Join(x.Key(), "."), Why: "is not a key of the configuration"})
		}
		return bad
	}
	if err == nil {
		return nil
	}
	key := keyOf(err)
	if key == nil {
		key = culprit(table, nil, into)
	}
	bad := []Problem{{Key: strings.Join(key, "."), Why: plain(err)}}
	if key == nil {
		bad[0].Key = "TOML"
	}
	if drop(table, key) { // the rest may have problems of its own
		bad = append(bad, Decode(table, into)...)
	}
	return bad
}

func decode(table map[string]any, into any) error {
	raw, err := toml.Marshal(table)
	if err != nil {
		return err
	}
	return toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields().Decode(into)
}

// keyOf is the key whose value can't be read; nil if the error does not tell.
func keyOf(err error) []string {
	if e, ok := errors.AsType[*toml.DecodeError](err); ok && len(e.Key()) > 0 {
		return e.Key()
	}
	return nil
}

// culprit finds a value that can't be read where the error does not tell its
// key, as that of an UnmarshalText: each is tried alone. nil: there is none.
func culprit(table map[string]any, above []string, into any) []string {
	for _, k := range slices.Sorted(maps.Keys(table)) {
		key := append(slices.Clone(above), k)
		if sub, ok := table[k].(map[string]any); ok {
			if found := culprit(sub, key, into); found != nil {
				return found
			}
			continue
		}
		alone := table[k]
		for _, name := range slices.Backward(key) {
			alone = map[string]any{name: alone}
		}
		err := decode(alone.(map[string]any), reflect.New(reflect.TypeOf(into).Elem()).Interface())
		if _, unknown := errors.AsType[*toml.StrictMissingError](err); err != nil && !unknown {
			return key
		}
	}
	return nil
}

// What go-toml says of values of the wrong kind.
var (
	wrongKind = regexp.MustCompile(`^cannot decode TOML (\S+) into (?:.* of type )?(\S+)$`)
	tooLarge  = regexp.MustCompile(`^integer value (\S+) cannot be stored in \S+$`)
)

// plain says what is wrong without the names of our types.
func plain(err error) string {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "toml: "), "time: ")
	if m := tooLarge.FindStringSubmatch(text); m != nil {
		return m[1] + " is out of range"
	}
	m := wrongKind.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	must := "a number"
	switch kind := m[2]; {
	case kind == "string":
		must = "text in quotes"
	case kind == "bool":
		must = "true or false, without quotes"
	case strings.HasPrefix(kind, "[]"):
		must = "a list, as [\"one\", \"two\"]"
	case !strings.HasPrefix(kind, "int") && !strings.HasPrefix(kind, "uint") && !strings.HasPrefix(kind, "float"):
		must = "a table"
	}
	return "must be " + must + ", not a TOML " + m[1]
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
