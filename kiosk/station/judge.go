package station

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-kiosk/carrel/drivers/tagdata"
	"github.com/carrel-kiosk/carrel/kiosk"
)

// Wish is what staff wants of the tag on the pad.
type Wish struct {
	Item    kiosk.Barcode `json:"item"` // empty where Convert: the one that it has
	Part    int           `json:"part"` // 0: not told
	Parts   int           `json:"parts"`
	Model   tagdata.Model `json:"model"`   // empty: the library's
	Owner   string        `json:"owner"`   // empty: the library's
	Convert bool          `json:"convert"` // keep what the tag says, in the new model
	Sure    kiosk.TagID   `json:"sure"`    // this tag may be overwritten whatever it is
	Force   bool          `json:"force"`   // every tag may
	Lock    bool          `json:"lock"`    // lock the item afterwards
	Was     *Found        `json:"was"`     // what the tag said before an earlier write that was broken off; nil: not known
}

// Verdict is what became of a wish.
type Verdict string

// The verdicts.
const (
	Written Verdict = "written" // and read back
	Right   Verdict = "right"   // the tag was so already

	NoTag    Verdict = "no tag"
	Several  Verdict = "several tags" // and no way to tell which one is meant
	Complete Verdict = "complete"     // all that lies there is parts of the set that are written
	Lifted   Verdict = "lifted"       // taken away before it was finished: put it back
	Locked   Verdict = "locked"       // it can't be changed any more
	NoFit    Verdict = "no fit"       // the tag is too small, or the model has no place for it
	Failed   Verdict = "failed"       // the tag answers and does not write
	Nothing  Verdict = "nothing"      // there is nothing to convert

	AskPart    Verdict = "which part"
	AskOwner   Verdict = "another library"
	AskItem    Verdict = "another item"
	AskSet     Verdict = "another part"
	AskForeign Verdict = "not a library's"
	AskDamaged Verdict = "damaged"
	AskCard    Verdict = "patron card"

	goOn Verdict = "" // write
)

// Done tells whether the tag is what was wished.
func (v Verdict) Done() bool { return v == Written || v == Right }

// Question tells whether it goes on when staff is sure.
func (v Verdict) Question() bool {
	return slices.Contains([]Verdict{AskOwner, AskItem, AskSet, AskForeign, AskDamaged, AskCard}, v)
}

// Result is what became of a wish, and of which tag.
type Result struct {
	Verdict Verdict       `json:"verdict"`
	UID     kiosk.TagID   `json:"uid,omitempty"`
	Item    kiosk.Barcode `json:"item,omitempty"`
	Title   string        `json:"title,omitempty"`
	Unknown bool          `json:"unknown,omitempty"` // the catalogue has no such item
	Part    int           `json:"part,omitempty"`
	Parts   int           `json:"parts,omitempty"`
	Tags    int           `json:"tags"`              // on the pad
	Missing []int         `json:"missing,omitempty"` // parts of the set that do not lie there yet
	Dropped []string      `json:"dropped,omitempty"` // elements that the new model has no place for
	Unset   []string      `json:"unset,omitempty"`   // what this reader can't write: AFI, DSFID
	Blocks  int           `json:"blocks"`            // written
	Says    string        `json:"says,omitempty"`    // for staff
	Before  *Found        `json:"before,omitempty"`
	After   *Found        `json:"after,omitempty"`
	target  tagdata.Contents
	model   tagdata.Model
}

// judge decides whether a tag of those on the pad may be written, which, and
// with what.
func (s *Station) judge(found []Found, w Wish) Result {
	r := Result{Item: w.Item, Part: w.Part, Parts: w.Parts, Tags: len(found), model: w.Model}
	if r.model == "" {
		r.model = s.Model
	}
	if len(found) == 0 {
		r.Verdict = NoTag
		return r
	}
	rest := found
	if w.Parts > 1 && !w.Convert {
		rest = r.set(found, w)
	}
	switch {
	case len(rest) == 0:
		r.Verdict, r.Says = Complete, "what lies here is written already"
		if len(r.Missing) > 0 {
			r.Says += "; still to write: " + strings.Trim(fmt.Sprint(r.Missing), "[]")
		}
	case len(rest) > 1:
		r.Verdict, r.Says = Several, fmt.Sprintf("%d tags lie on the pad: leave only the one to be written", len(rest))
	case r.Verdict == goOn:
		s.judgeOne(&r, rest[0], w)
	}
	return r
}

// set takes the parts that are written already off the tags on the pad, and
// finds out which part the remaining one is to be.
func (r *Result) set(found []Found, w Wish) (rest []Found) {
	here := map[int]bool{}
	if w.Force && w.Part > 0 && len(found) == 1 {
		return found // the number of its part is put right
	}
	for _, f := range found {
		c := f.Contents
		if c.Item == string(w.Item) && len(c.Damage) == 0 && c.Parts == w.Parts && c.Part != w.Part && !here[c.Part] {
			here[c.Part] = true
			continue
		}
		rest = append(rest, f)
	}
	for part := 1; part <= w.Parts; part++ {
		if !here[part] {
			r.Missing = append(r.Missing, part)
		}
	}
	if w.Part == 0 && len(rest) == 1 {
		r.Verdict = AskPart
		if len(r.Missing) == 1 {
			r.Part, r.Verdict = r.Missing[0], goOn
		}
	}
	return rest
}

// judgeOne decides about one tag.
func (s *Station) judgeOne(r *Result, f Found, w Wish) {
	r.UID, r.Before = f.UID, &f
	c := f.Contents
	if w.Convert {
		if c.Item == "" || c.Model == r.model && len(c.Damage) == 0 && s.ours(c.Owner) && c.Owner != "" {
			r.Verdict, r.Says = Nothing, "there is nothing to convert on this tag"
			return
		}
		if w.Item == "" {
			r.Item, w.Item = kiosk.Barcode(c.Item), kiosk.Barcode(c.Item)
		}
		r.Part, r.Parts = c.Part, c.Parts
	}
	if r.Parts <= 1 {
		r.Part, r.Parts = 0, 0
	}
	switch {
	case len(f.Memory) == 0:
		r.Verdict, r.Says = Failed, "the tag can't be read"
		return
	case !w.Force && !s.Item(string(r.Item)):
		r.Verdict, r.Says = NoFit, fmt.Sprintf("%q is no item number of this library", r.Item)
		return
	}
	begun := w.Was != nil && w.Was.UID == f.UID && c.Item == ""
	if !w.Force && w.Sure != f.UID && !begun {
		if r.Verdict, r.Says = s.question(c, *r); r.Verdict != goOn {
			return
		}
	}
	s.aim(r, f, w)
}

// question tells why staff must be sure before a tag is overwritten.
func (s *Station) question(c tagdata.Contents, r Result) (Verdict, string) {
	was := c.Item
	switch {
	case c.Model == tagdata.Blank || half(c):
		return goOn, "" // nobody's number is lost
	case c.Usage == tagdata.PatronCard:
		return AskCard, "this is a patron's card"
	case c.Model == tagdata.Foreign:
		return AskForeign, "this tag holds something that is no library's"
	case c.Model == tagdata.Damaged && c.Hint != string(r.Item):
		return AskDamaged, fmt.Sprintf("this tag is damaged; it may be %q", c.Hint)
	case c.Model == tagdata.Damaged:
		return goOn, ""
	case c.Owner != "" && !s.ours(c.Owner):
		return AskOwner, fmt.Sprintf("this tag belongs to %s and says %s", c.Owner, was)
	case was != string(r.Item):
		return AskItem, fmt.Sprintf("this tag says %s", was)
	case max(c.Parts, 1) != max(r.Parts, 1) || max(c.Part, 1) != max(r.Part, 1):
		return AskSet, fmt.Sprintf("this tag says it is part %d of %d", max(c.Part, 1), max(c.Parts, 1))
	}
	return goOn, ""
}

// half tells whether a write of the tag was begun and not ended, by Plan's
// mark or another program's empty block 0.
func half(c tagdata.Contents) bool {
	return c.Model == tagdata.Damaged && len(c.Damage) == 1 && c.Damage[0].Code == tagdata.Torn
}

// aim makes what the tag is to say. What it says of the same item already is
// kept, as far as the model has a place for it.
func (s *Station) aim(r *Result, f Found, w Wish) {
	old := f.Contents
	if w.Was != nil && w.Was.UID == f.UID && old.Item == "" {
		old = w.Was.Contents
	}
	same := old.Item != "" && old.Item == string(r.Item) && len(old.Damage) == 0
	t := tagdata.Contents{Item: string(r.Item), Owner: w.Owner, Usage: tagdata.Circulating, Part: r.Part, Parts: r.Parts}
	if t.Owner == "" {
		t.Owner = s.owner()
	}
	if same {
		if old.Usage != "" && old.Usage != tagdata.NoInformation && old.Usage != tagdata.PatronCard {
			t.Usage, t.Sub = old.Usage, old.Sub
		}
		if s.ours(old.Owner) && old.Owner != "" && w.Owner == "" {
			t.Owner = old.Owner
		}
	}
	fits := func() error {
		_, err := tagdata.Encode(t, r.model, len(f.Memory), f.Block)
		return err
	}
	if err := fits(); err != nil && t.Sub != 0 {
		t.Sub = 0
	}
	if err := fits(); err != nil {
		r.Verdict, r.Says = NoFit, err.Error()
		return
	}
	if same {
		for _, e := range old.Elements {
			t.Elements = append(t.Elements, e)
			if fits() != nil {
				t.Elements = t.Elements[:len(t.Elements)-1]
				if e.Text != "0" { // a number that was never set
					r.Dropped = append(r.Dropped, strings.TrimSpace(e.Name+" "+e.Text))
				}
			}
		}
	}
	r.target = t
}
