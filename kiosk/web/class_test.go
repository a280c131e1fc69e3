package web

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/carrel-kiosk/carrel/kiosk"
)

// pictureFile is a picture of a size, as a file.
func pictureFile(t *testing.T, kind string, w, h int) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, w, h))
	err := png.Encode(&b, img)
	if kind == "jpeg" {
		b.Reset()
		err = jpeg.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

// byPhone puts into a JPEG what a phone does: where it was taken, and that it is
// to be turned to the right (EXIF orientation 6).
func byPhone(f *fstest.MapFile) *fstest.MapFile {
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00GPS: at home"
	b := append([]byte("\xFF\xD8\xFF\xE1\x00"), byte(len(exif)+2))
	return &fstest.MapFile{Data: append(append(b, exif...), f.Data[2:]...)}
}

// TestClassPhotos: a photo beside the list stands for a card as an animal does;
// what is none, or has no room, is told by its row.
func TestClassPhotos(t *testing.T) {
	beside := fstest.MapFS{"Ada.JPG": byPhone(pictureFile(t, "jpeg", 400, 300)), "Ben.png": pictureFile(t, "png", 30, 30), "long.png": pictureFile(t, "png", 1, 3000),
		"cut.jpg": {Data: pictureFile(t, "jpeg", 300, 400).Data[:700]}, "words.jpg": {Data: []byte("no picture")}, "large.jpg": {Data: make([]byte, 1<<20)}}
	class, err := ReadClass(strings.NewReader("card,animal\n2001,Ada.JPG\n2002,fox\n2003,Ben.png\n"), beside)
	if err != nil || len(class) != 3 || class[0].Photo == nil || class[1].Photo != nil || class[2].Photo == nil {
		t.Fatalf("ReadClass() = %v, %v", class, err)
	}
	if class[0].Photo.Data != nil {
		t.Error("who only reads the list waits for its photos to be drawn")
	}
	if err := DrawClass(class, beside); err != nil {
		t.Fatal(err)
	}
	for list, why := range map[string]string{
		"2001,Zoe.jpg\n":                  "row 1: open Zoe.jpg",
		"2001,../Ben.png\n":               "row 1: open ../Ben.png",
		"2001,Ben.png\n2002,Ben.png\n":    "row 2: the card or the ben.png",
		"2001,long.png\n":                 "1 x 3000 pixels",
		"2001,fox\n2002,words.jpg\n":      `row 2: "words.jpg": is no JPEG or PNG`,
		"2001,large.jpg\n":                "more than 256 kB",
		"2001,Ada.gif\n":                  "or a photo beside the list",
		strings.Repeat("1,bear\n", 2):     "row 2",
		"card,animal\n2001,Ada.JPG\n,x\n": "row 3: no card",
	} {
		if _, err := ReadClass(strings.NewReader(list), beside); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("ReadClass(%q): %v; want %s", list, err, why)
		}
	}
	some, err := ReadClass(strings.NewReader("card,animal\n2001,Ben.png\n2002,cut.jpg\n2003,owl\n2004,gone.png\n"), fstest.MapFS{"Ben.png": beside["Ben.png"], "cut.jpg": beside["cut.jpg"], "gone.png": beside["Ben.png"]})
	if err != nil {
		t.Fatal(err)
	}
	if err := DrawClass(some, beside); err == nil || err.Error() != "row 3: \"cut.jpg\": the picture is damaged: take it again\nrow 5: open gone.png: file does not exist" {
		t.Errorf("DrawClass() = %v; want the rows of the damaged one and of the one that is gone", err)
	}

	h, d := newSite(t, kiosk.Screen{View: kiosk.ViewWelcome}, func(c *Config) { c.Manner, c.Class = Manner{Kind: PreReader}, class })
	body := get(h, "/").Body.String()
	at := "/class/" + class[0].Photo.ID
	if !strings.Contains(body, `aria-label="Photo 1"><img src="`+at+`" alt="">`) || strings.Contains(body, "Ada") {
		t.Errorf("the photo is not shown, or its file is named: %s", body)
	}
	if w := get(h, at); w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("%s: %d %v", at, w.Code, w.Header())
	} else if c, _, err := image.DecodeConfig(w.Body); err != nil || c.Width != 300 || c.Height != 400 {
		t.Errorf("the photo is %d x %d, %v; want it the right way up", c.Width, c.Height, err)
	}
	if b := get(h, at).Body.String(); strings.Contains(b, "Exif") || strings.Contains(b, "GPS") {
		t.Error("the photo tells where it was taken")
	}
	for _, none := range []string{"/class/", "/class/0", "/class/" + class[0].Photo.ID[1:]} {
		if w := get(h, none); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", none, w.Code)
		}
	}
	if w := post(h, "/touch/pupil", "who=2&view=welcome&visit="); w.Code != http.StatusNoContent || len(d.sent) != 1 || d.sent[0] != (kiosk.CardRead{Card: "2003"}) {
		t.Errorf("the third photo: %d, %v", w.Code, d.sent)
	}
}
