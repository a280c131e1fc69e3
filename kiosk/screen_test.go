package kiosk

import (
	"reflect"
	"testing"
	"time"
)

// TestSameSeesEveryField: a field that Same forgets would never reach a
// browser on its own.
func TestSameSeesEveryField(t *testing.T) {
	for name, change := range changes(Screen{Lines: []Line{{}}}) {
		var s Screen
		s.Lines = []Line{{}}
		o := s
		change(reflect.ValueOf(&o).Elem())
		if s.Same(o) {
			t.Errorf("Same does not see Screen.%s", name)
		}
	}
	for name, change := range changes(Line{}) {
		s, o := Screen{Lines: []Line{{}}}, Screen{Lines: []Line{{}}}
		change(reflect.ValueOf(&o.Lines[0]).Elem())
		if s.Same(o) {
			t.Errorf("Same does not see Line.%s", name)
		}
	}
	for name, change := range changes(Care{}) {
		var s, o Screen
		change(reflect.ValueOf(&o.Care).Elem())
		if s.Same(o) {
			t.Errorf("Same does not see Care.%s", name)
		}
	}
	if s := (Screen{Lines: []Line{{Title: "x"}}, Faults: []Fault{{}}}); !s.Same(s) {
		t.Error("a screen is not the same as itself")
	}
}

// changes gives a change of each exported field of a struct.
func changes(v any) map[string]func(reflect.Value) {
	all := map[string]func(reflect.Value){}
	typ := reflect.TypeOf(v)
	for i := range typ.NumField() {
		f := typ.Field(i)
		if !f.IsExported() {
			continue
		}
		all[f.Name] = func(v reflect.Value) {
			switch x := v.Field(i); {
			case f.Type == reflect.TypeFor[time.Time]():
				x.Set(reflect.ValueOf(time.Unix(1, 0)))
			case f.Type == reflect.TypeFor[Notice]():
				x.Set(reflect.ValueOf(Notice{Code: "x"}))
			case f.Type == reflect.TypeFor[Tray]():
				x.Set(reflect.ValueOf(Tray{Tags: 1}))
			case f.Type == reflect.TypeFor[Route]():
				x.Set(reflect.ValueOf(Route{To: "x"}))
			case x.Kind() == reflect.Pointer:
				x.Set(reflect.New(f.Type.Elem()))
			case f.Type == reflect.TypeFor[Slip]():
				x.Set(reflect.ValueOf(Slip{Print: Offered}))
			case f.Type == reflect.TypeFor[Care]():
				x.Set(reflect.ValueOf(Care{Kind: true}))
			case x.Kind() == reflect.String:
				x.SetString("x")
			case x.Kind() == reflect.Bool:
				x.SetBool(true)
			case x.CanInt():
				x.SetInt(1)
			case x.CanUint():
				x.SetUint(1)
			case x.Kind() == reflect.Slice:
				x.Set(reflect.MakeSlice(x.Type(), 2, 2))
			}
		}
	}
	return all
}
