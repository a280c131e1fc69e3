package web

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // photos
	_ "image/png"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// Pupil is one of a class that borrows by touching a picture, which stands for
// the card: an animal, or a photo.
type Pupil struct {
	Card   kiosk.Card
	Animal string // one of Animals; empty: there is a photo
	Photo  *Photo // nil: the animal
}

// Photo is a picture of a pupil. DrawClass makes Data and ID.
type Photo struct {
	Data inventory.Picture
	ID   string // tells it from others, in its address

	file string // beside the class list
	row  int    // of the class list, from 1
}

// MaxClass is how many pictures have room on the smallest panel.
const MaxClass = 30

// Most of a photo: a class of them is kept in memory, and drawn at once.
const (
	maxPhoto = 256 << 10 // bytes
	maxSide  = 2048      // pixels
)

// ReadClass reads a class list: a card and an animal in each row, with or
// without the heading "card,animal". In place of an animal there may be the
// name of a photo among the files beside the list, which is looked at and not
// drawn yet. The error names every row that is wrong.
func ReadClass(r io.Reader, beside fs.FS) (class []Pupil, err error) {
	in := csv.NewReader(io.LimitReader(r, 1<<20))
	in.FieldsPerRecord, in.TrimLeadingSpace = 2, true
	rows, err := in.ReadAll()
	if err != nil {
		return nil, err
	}
	var wrong []error
	cards, taken := map[kiosk.Card]bool{}, map[string]bool{}
	for i, row := range rows {
		card, name := kiosk.Card(strings.TrimSpace(strings.TrimPrefix(row[0], "\ufeff"))), strings.TrimSpace(row[1])
		if i == 0 && strings.EqualFold(string(card), "card") {
			continue
		}
		p, err := newPupil(card, name, i+1, beside)
		key := strings.ToLower(name)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("row %d: %w", i+1, err))
		case cards[card] || taken[key]:
			wrong = append(wrong, fmt.Errorf("row %d: the card or the %s stands there already", i+1, key))
		case len(class) == MaxClass:
			return nil, errors.Join(append(wrong, fmt.Errorf("row %d: at most %d have room on the screen", i+1, MaxClass))...)
		default:
			class = append(class, p)
		}
		cards[card], taken[key] = true, true
	}
	if len(class) == 0 && len(wrong) == 0 {
		wrong = append(wrong, errors.New("no card in it"))
	}
	return class, errors.Join(wrong...)
}

func newPupil(card kiosk.Card, name string, row int, beside fs.FS) (Pupil, error) {
	animal := strings.ToLower(name)
	_, drawn := animals[animal]
	switch {
	case card == "":
		return Pupil{}, errors.New("no card")
	case drawn:
		return Pupil{Card: card, Animal: animal}, nil
	case !photographed(animal):
		return Pupil{}, fmt.Errorf("%q: must be of %s, or a photo beside the list (.jpg, .png)", name, strings.Join(Animals(), ", "))
	}
	if err := lookAtPhoto(beside, name); err != nil {
		return Pupil{}, err
	}
	return Pupil{Card: card, Photo: &Photo{file: name, row: row}}, nil
}

func photographed(name string) bool {
	switch path.Ext(name) {
	case ".jpg", ".jpeg", ".png":
		return true
	}
	return false
}

// lookAtPhoto tells what is wrong with one, as far as its head and its size say.
func lookAtPhoto(beside fs.FS, name string) error {
	f, err := beside.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > maxPhoto {
		return fmt.Errorf("%q: has more than %d kB; make it smaller", name, maxPhoto>>10)
	}
	c, _, err := image.DecodeConfig(f)
	switch {
	case err != nil:
		return fmt.Errorf("%q: is no JPEG or PNG picture: %w", name, err)
	case max(c.Width, c.Height) > maxSide:
		return fmt.Errorf("%q: has %d x %d pixels; at most %d a side", name, c.Width, c.Height, maxSide)
	}
	return nil
}

// DrawClass draws the photos of a class that ReadClass gave: anybody near the
// kiosk can ask for what it shows, and what a camera writes into its pictures
// tells where a child was. It takes a while, some 100 ms a photo on a fast machine;
// the error names the row of each that is damaged.
func DrawClass(class []Pupil, beside fs.FS) error {
	var wrong []error
	for _, p := range class {
		if p.Photo == nil {
			continue
		}
		if err := p.Photo.draw(beside); err != nil {
			wrong = append(wrong, fmt.Errorf("row %d: %w", p.Photo.row, err))
		}
	}
	return errors.Join(wrong...)
}

func (p *Photo) draw(beside fs.FS) error {
	f, err := beside.Open(p.file)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPhoto)) // what has grown since is cut, so damaged
	if err != nil {
		return err
	}
	if p.Data, err = inventory.Shrink(b); err != nil {
		return fmt.Errorf("%q: %s", p.file, textOf(err))
	}
	sum := sha256.Sum256(p.Data)
	p.ID = hex.EncodeToString(sum[:12])
	return nil
}

// face is who stands for a card on the screen: an animal or a photo.
type face struct {
	animal
	N     int // its place in the class
	Name  string
	Photo string // its address; empty: it is an animal
}

// Class are the faces that stand for cards.
func (v view) Class() (fs []face) {
	for i, p := range v.class {
		f := face{animal: animals[p.Animal], N: i}
		if p.Photo != nil {
			f.Photo, f.Name = "/class/"+p.Photo.ID, v.T("class.photo", "n", v.Number(i+1))
		} else {
			f.Name = v.T("animal." + p.Animal)
		}
		fs = append(fs, f)
	}
	return fs
}

// Crowd is how many there are, for the style sheet.
func (v view) Crowd() string {
	switch n := len(v.class); {
	case n <= 6:
		return "few"
	case n <= 12:
		return "some"
	}
	return "many"
}

// pupil is the card of the picture that was touched.
func (s *site) pupil(form url.Values) (kiosk.Event, bool) {
	n, err := strconv.Atoi(form.Get("who"))
	if err != nil || n < 0 || n >= len(s.Class) {
		return nil, false
	}
	return kiosk.CardRead{Card: s.Class[n].Card}, true
}

// classPhoto is one of the class. Its address is made of what it holds: another list
// never shows one child where another was.
func (s *site) classPhoto(w http.ResponseWriter, r *http.Request) {
	for _, p := range s.Class {
		if p.Photo != nil && p.Photo.ID == r.PathValue("id") {
			w.Header().Set("Content-Type", "image/jpeg")
			w.Header().Set("Cache-Control", "private, max-age=86400, immutable")
			w.Write(p.Photo.Data) //nolint:errcheck // the browser is gone
			return
		}
	}
	http.NotFound(w, r)
}
