package web

import (
	"bytes"
	"image"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

func pictureOf(t *testing.T) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPhonePhoto: a photo from a phone is in the report, once; what is no
// picture is refused and says so.
func TestPhonePhoto(t *testing.T) {
	s := newPhoneSite(t)
	at := "/phone/inventory/v1/photo?id=p1&item=B03&age=1000"
	s.phone.want(http.StatusUnauthorized, "POST", at, string(pictureOf(t)))
	s.pair(t)
	s.phone.want(http.StatusNoContent, "POST", at, string(pictureOf(t)))
	s.phone.want(http.StatusNoContent, "POST", at, string(pictureOf(t)))
	s.phone.want(http.StatusUnprocessableEntity, "POST", "/phone/inventory/v1/photo?id=p2&item=B03&age=0", "<html>")
	s.phone.want(http.StatusRequestEntityTooLarge, "POST", "/phone/inventory/v1/photo?id=p2&item=B03&age=0", strings.Repeat("x", inventory.MaxPicture+70<<10))
	for _, bad := range []string{"?item=B03&age=0", "?id=p2&item=B03", "?id=p2&age=x", "?id=" + strings.Repeat("x", 65) + "&age=0", "?id=p2&age=0&item=" + strings.Repeat("x", 65)} {
		s.phone.want(http.StatusBadRequest, "POST", "/phone/inventory/v1/photo"+bad, string(pictureOf(t)))
	}
	s.phone.want(http.StatusUnprocessableEntity, "POST", "/phone/inventory/v1/photo?id=p2&age=-99999999999999999", string(pictureOf(t))) // of no book
	s.phone.want(http.StatusNotFound, "POST", "/phone/inventory/none/photo?id=p2&item=B03&age=99999999999999999", string(pictureOf(t)))
	body := s.staff.want(http.StatusOK, "GET", "/staff/inventory/v1/report", nil)
	if n := strings.Count(body, `<img src="/staff/inventory/v1/photo/p1"`); n != 1 || !strings.Contains(body, "503 A") {
		t.Errorf("the report has %d photos: %s", n, body)
	}
	w := s.staff.ask("GET", "/staff/inventory/v1/photo/p1", nil)
	if _, err := jpeg.Decode(w.Body); err != nil || w.Header().Get("Content-Type") != "image/jpeg" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the photo: %v %v", err, w.Header())
	}
	s.staff.want(http.StatusSeeOther, "POST", "/staff/inventory/v1/unphoto", url.Values{"value": {"p1"}})
	s.staff.want(http.StatusNotFound, "GET", "/staff/inventory/v1/photo/p1", nil)
	if w := newJar(t, s.staff.h).ask("GET", "/staff/inventory/v1/photo/p1", nil); w.Code != http.StatusSeeOther {
		t.Errorf("a stranger gets %d", w.Code)
	}
}

// TestOnePhotoTooMany: it is refused by itself, and what is behind it in the
// phone is taken.
func TestOnePhotoTooMany(t *testing.T) {
	s := newPhoneSite(t)
	s.pair(t)
	for n := range 300 {
		p := kiosk.ShelfPhoto{ID: kiosk.ID("p" + strconv.Itoa(n)), Item: "B03", Who: "ann"}
		if err := s.shelves.TakePhoto(t.Context(), "v1", p, pictureOf(t)); err != nil {
			t.Fatal(err)
		}
	}
	s.phone.want(http.StatusNoContent, "POST", "/phone/inventory/v1/photo?id=p7&item=B03&age=0", string(pictureOf(t)))
	if x := s.phone.want(http.StatusUnprocessableEntity, "POST", "/phone/inventory/v1/photo?id=more&item=B03&age=0", string(pictureOf(t))); !strings.Contains(x, "300 photos already") {
		t.Errorf("it says %s", x)
	}
	if _, err := s.shelves.End(t.Context(), "v1", false); err != nil {
		t.Fatal(err)
	}
	s.phone.want(http.StatusConflict, "POST", "/phone/inventory/v1/photo?id=late&item=B03&age=0", string(pictureOf(t)))
}

// TestStaffPhoto: a photo from a file, with what it shows.
func TestStaffPhoto(t *testing.T) {
	s := newPhoneSite(t)
	send := func(picture []byte, pairs ...string) *httptest.ResponseRecorder {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for i := 0; i < len(pairs); i += 2 {
			m.WriteField(pairs[i], pairs[i+1])
		}
		if picture != nil {
			f, _ := m.CreateFormFile("photo", "../../x.jpg")
			f.Write(picture)
		}
		m.Close()
		r := httptest.NewRequest("POST", "http://localhost/staff/inventory/v1/photo", &b)
		r.Header.Set("Content-Type", m.FormDataContentType())
		for _, c := range s.staff.cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		s.staff.h.ServeHTTP(w, r)
		return w
	}
	if w := send(pictureOf(t), "item", "B03", "text", "cover"); w.Code != http.StatusSeeOther {
		t.Errorf("a photo: %d %s", w.Code, w.Body)
	}
	body := s.staff.want(http.StatusOK, "GET", "/staff/inventory/v1/report", nil)
	if !strings.Contains(body, "<bdi>Cover</bdi>") || strings.Count(body, "<img ") != 1 {
		t.Errorf("the report: %s", body)
	}
	for name, tt := range map[string]struct {
		picture []byte
		code    int
		says    string
	}{"none": {nil, 400, "This is no picture"}, "text": {[]byte("hello"), 422, "This is no picture"}, "too large": {make([]byte, inventory.MaxPicture+70<<10), 413, "The picture is larger than 8 MB."}} {
		if w := send(tt.picture, "item", "B03", "text", "cover"); w.Code != tt.code || !strings.HasPrefix(w.Body.String(), tt.says) {
			t.Errorf("%s: %d %s; want %d %s", name, w.Code, w.Body, tt.code, tt.says)
		}
	}
	if w := send(pictureOf(t), "text", "cover"); w.Code != http.StatusConflict {
		t.Errorf("of no book: %d", w.Code)
	}
}
