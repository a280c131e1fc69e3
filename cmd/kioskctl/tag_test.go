package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/cmd/internal/config"
	"github.com/carrel-kiosk/carrel/drivers/drivertest"
	"github.com/carrel-kiosk/carrel/drivers/sim"
	"github.com/carrel-kiosk/carrel/drivers/sim/field"
	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
	"github.com/carrel-kiosk/carrel/kiosk/station"
)

// padSite is a site with a simulated pad.
type padSite struct {
	*site
	field *field.Field
}

func newPadSite(t *testing.T) *padSite {
	s := newSite(t)
	b := sim.New(t.Name())
	b.Field = field.New(1)
	raw, err := os.ReadFile(s.conf)
	if err != nil {
		t.Fatal(err)
	}
	s.write("kiosk.toml", string(raw)+fmt.Sprintf("[[device]]\nname = \"scanner\"\ndriver = \"sim\"\nbench = %[1]q\n"+
		"[[device]]\nname = \"pad\"\ndriver = \"simpad\"\nbench = %[1]q\n[tags]\neas = true\nowners = [\"US-CARREL\"]\n[barcodes]\ncheck = \"mod10\"\n", t.Name()))
	s.ctl(0, "import", "items", s.write("items.csv", "barcode,title\n31234000010064,Dune\n31234000010072,Emma\n31234000010080,Momo\n"))
	return &padSite{s, b.Field}
}

// answers lets a command read from the standard input.
func answers(t *testing.T, text string) {
	old := stdin
	stdin = strings.NewReader(text)
	t.Cleanup(func() { stdin = old })
}

func blank(n int) *field.Tag {
	t := field.NewTag(drivertest.NewUID(n), 28, 4)
	t.AFI, t.DSFID = 0x5A, 0xA5
	return t
}

func (s *padSite) down(t *field.Tag) *field.Tag {
	s.field.Clear()
	s.field.Place(t, field.Coupling{})
	return t
}

// both runs a test with a daemon and without.
func both(t *testing.T, test func(s *padSite)) {
	for _, running := range []bool{false, true} {
		t.Run(fmt.Sprintf("daemon %v", running), func(t *testing.T) {
			s := newPadSite(t)
			if running {
				s.start()
				waitFor(t, func() bool { return !strings.Contains(s.ctlAny("status"), "MISSING") })
			}
			test(s)
		})
	}
}

// ctlAny is ctl whatever the exit status.
func (s *site) ctlAny(args ...string) string {
	var out strings.Builder
	run(append([]string{"-config", s.conf}, args...), &out)
	return out.String()
}

// waitFor waits at most 10 s.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatal("it does not come to that")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestTagWriteReadVerify(t *testing.T) {
	both(t, func(s *padSite) {
		s.ctl(1, "tag", "read")
		s.ctl(1, "tag", "verify")
		s.down(blank(1))
		s.ctl(1, "tag", "verify")
		contains(s.T, s.ctl(0, "tag", "write", "31234000010064"), "written: 31234000010064, Dune")
		contains(s.T, s.ctl(0, "tag", "write", "31234000010064"), "right")
		contains(s.T, s.ctl(0, "tag", "read", "-raw"), drivertest.NewUID(1).String(), "iso28560-3", "US-CARREL", "07 (in stock)", "3E", "EAS", "on", "block 27", "check sum")
		s.ctl(0, "tag", "verify")
		s.ctl(0, "tag", "verify", "31234000010064")
		contains(s.T, s.ctl(1, "tag", "verify", "31234000010072"), "NOT RIGHT", "says 31234000010064, and not 31234000010072")
		var v tagView
		if err := json.Unmarshal([]byte(s.ctl(0, "-json", "tag", "read")), &v); err != nil || v.Item != "31234000010064" || len(v.Memory) != 112 || *v.AFI != 7 || len(v.Elements) == 0 {
			t.Errorf("read = %+v, %v", v, err)
		}
		contains(s.T, s.ctl(0, "tag", "write", "31234000010064", "-lock"), "right and locked: 31234000010064")
		s.ctl(1, "tag", "write", "31234000010065", "-force=false") // check digit
		s.ctl(2, "tag", "write", "31234000010064", "-part", "4", "-parts", "3")
	})
}

// TestTagGivesTheDeskBack: soon after a command, and not between two of a
// script.
func TestTagGivesTheDeskBack(t *testing.T) {
	s := newPadSite(t)
	s.start()
	waitFor(t, func() bool { return !strings.Contains(s.ctlAny("status"), "MISSING") })
	staff := func() bool { return strings.Contains(s.ctlAny("status"), "staff") }
	s.down(blank(1))
	s.ctl(0, "tag", "write", "31234000010064")
	if !staff() {
		t.Error("the desk had the pad between two commands")
	}
	s.ctl(0, "tag", "write", "31234000010064")
	begin := time.Now()
	waitFor(t, func() bool { return !staff() })
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("the desk had the pad again after %v; want about 1s", took)
	}
}

func TestTagAsksFirst(t *testing.T) {
	both(t, func(s *padSite) {
		tag := blank(1)
		data, err := tagdata.Encode(tagdata.Contents{Item: "1000000056", Owner: "DE-705", Usage: tagdata.Circulating}, tagdata.ISO3, 112, 4)
		if err != nil {
			t.Fatal(err)
		}
		tag.Memory = data
		s.down(tag)
		answers(s.T, "n\n")
		contains(s.T, s.ctl(1, "tag", "write", "31234000010064"), "belongs to DE-705", "[y/N]")
		if now, _ := s.field.Tag(tag.UID); now.Written != 0 {
			t.Fatal("written after a no")
		}
		s.ctl(1, "-json", "tag", "write", "31234000010064") // a script is not asked
		answers(s.T, "y\n")
		contains(s.T, s.ctl(0, "tag", "write", "31234000010064"), "written: 31234000010064")
		contains(s.T, s.ctl(0, "tag", "write", "31234000010072", "-part", "2", "-parts", "3", "-model", "iso28560-2", "-owner", "US-OTHER", "-force"), "part 2 of 3")
		contains(s.T, s.ctl(1, "tag", "verify"), "belongs to US-OTHER")
		s.field.Place(blank(2), field.Coupling{})
		s.ctl(1, "tag", "write", "31234000010072", "-force")
	})
}

func TestTagConvertAndLock(t *testing.T) {
	both(t, func(s *padSite) {
		tag := blank(1)
		data, err := tagdata.Encode(tagdata.Contents{Item: "31234000010064", Part: 1, Parts: 2}, tagdata.ThreeM, 112, 4)
		if err != nil {
			t.Fatal(err)
		}
		tag.Memory = data
		s.down(tag)
		contains(s.T, s.ctl(1, "tag", "verify"), "older model 3m")
		contains(s.T, s.ctl(0, "tag", "convert"), "written: 31234000010064, part 1 of 2")
		s.ctl(0, "tag", "verify")
		s.ctl(1, "tag", "convert") // nothing to convert
		answers(s.T, "")
		s.ctl(1, "tag", "lock")
		contains(s.T, s.ctl(0, "tag", "lock", "-yes"), " locked: 31234000010064")
		contains(s.T, s.ctl(0, "-json", "tag", "lock", "-yes"), `"verdict":"right"`) // for scripts as ever
		contains(s.T, s.ctl(0, "tag", "lock", "-yes"), " locked already: 31234000010064")
		if now, _ := s.field.Tag(tag.UID); !now.Locked[0] || !now.Locked[8] || now.Locked[9] {
			t.Errorf("locked %v", now.Locked)
		}
		s.ctl(1, "tag", "write", "31234000010072", "-force")
	})
}

// TestTagBatch: barcodes come from a pipe, books from a hand.
func TestTagBatch(t *testing.T) {
	both(t, func(s *padSite) {
		in, typed := io.Pipe()
		old := stdin
		stdin = in
		t.Cleanup(func() { stdin = old })
		codes := []string{"31234000010064", "31234000010072", "31234000010080"}
		go func() {
			for _, c := range codes {
				fmt.Fprintln(typed, c)
			}
			typed.Close()
		}()
		done := make(chan string, 1)
		go func() { done <- s.ctl(0, "-json", "tag", "batch") }()
		for n, code := range codes {
			tag := s.down(blank(n + 1))
			waitFor(t, func() bool {
				now, _ := s.field.Tag(tag.UID)
				return tagdata.Decode(tagdata.Memory{BlockSize: 4, Data: now.Memory, Whole: true}, tagdata.Options{}).Item == code && now.EAS
			})
		}
		out := <-done
		if n := strings.Count(out, "\n"); n != 3 {
			t.Errorf("%d lines of JSON; want 3:\n%s", n, out)
		}
		for line := range strings.Lines(out) {
			var r station.Result
			if err := json.Unmarshal([]byte(line), &r); err != nil || !r.Verdict.Done() {
				t.Errorf("%q: %v", line, err)
			}
		}
	})
}

// TestTagBatchUnanswered: a list that ends at a question ends the command.
func TestTagBatchUnanswered(t *testing.T) {
	both(t, func(s *padSite) {
		pass := blank(7)
		copy(pass.Memory, "SKI 24/25 ZONE A+B 8841 2207 5512")
		s.down(pass)
		for _, list := range []string{"31234000010064\n", "31234000010064\n31234000010072\n"} {
			answers(t, list)
			s.ctl(1, "tag", "batch")
		}
		if tag, _ := s.field.Tag(pass.UID); !strings.HasPrefix(string(tag.Memory), "SKI") {
			t.Errorf("the tag was overwritten: %q", tag.Memory)
		}
	})
}

func TestWork(t *testing.T) {
	for _, running := range []bool{false, true} {
		s := newSite(t)
		s.ctl(0, "import", "items", s.write("items.csv", items))
		contains(t, s.ctl(0, "work"), "no tag waits")
		e := kiosktest.As(kiosktest.Checkout(1, 31, 1), kiosk.Offline, kiosktest.Morning.AddDate(0, 0, 14))
		e.Tags = []kiosk.TagID{"E004015000000001"}
		s.record(e)
		if running {
			s.start()
		}
		contains(t, s.ctl(0, "work"), "E004015000000001", "released", string(e.Item))
		s.ctl(2, "work", "clear", "E004015000000001")
		contains(t, s.wrong(1, "work", "clear", "E004015000000002", "-note", "x"), "invalid: E004015000000002 is not on the work list")
		s.ctl(0, "work", "clear", "E004015000000001", "-note", "the tag was torn out")
		contains(t, s.ctl(0, "work"), "no tag waits")
	}
}

func TestStaffPassword(t *testing.T) {
	s := newSite(t)
	answers(t, "open sesame\n")
	s.ctl(2, "staff", "password") // no file is named
	raw, err := os.ReadFile(s.conf)
	if err != nil {
		t.Fatal(err)
	}
	s.write("kiosk.toml", string(raw)+"[staff]\npassword_file = \"staff.password\"\n")
	answers(t, "12345\n")
	s.ctl(1, "staff", "password")
	answers(t, "")
	s.ctl(1, "staff", "password")
	for _, password := range []string{"open sesame", "another one"} {
		answers(t, password+"\n")
		s.ctl(0, "staff", "password")
		conf, err := config.Load(s.conf)
		if err != nil || !conf.Staff.Password()(password) {
			t.Errorf("%q is not the password: %v", password, err)
		}
	}
}
