package kiosk

import (
	"errors"
	"fmt"
	"testing"
)

func TestWords(t *testing.T) {
	asked := &Error{Code: CodeInvalid, Text: `no library "X"`}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{asked, `no library "X"`},
		{fmt.Errorf("after 3 scans: %w", asked), `after 3 scans: no library "X"`},
		{&Error{Code: CodeRefused, Text: "lost"}, `refused: "lost"`},
		{&Error{Code: CodeInvalid, Text: "row 3", Err: errors.New("cut off")}, `invalid: "row 3": cut off`},
		{errors.New("disk"), "disk"},
	} {
		if got := Words(tt.err); got != tt.want {
			t.Errorf("Words(%v) = %s; want %s", tt.err, got, tt.want)
		}
	}
}
