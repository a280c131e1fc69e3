package web

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/inventory"
)

// uploadTime is the longest wait for a picture or a file to come.
const uploadTime = 30 * time.Second

// bounded prepares a request that brings something of so many bytes at most: no
// more of it is read, and it is not waited for longer than uploadTime.
func bounded(w http.ResponseWriter, r *http.Request, most int64) error {
	r.Body = http.MaxBytesReader(w, r.Body, most+64<<10) // and the rest of a form
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime)); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil // a test's recorder
}

// takeUpload prepares a request with a picture.
func (s *site) takeUpload(w http.ResponseWriter, r *http.Request) bool {
	err := bounded(w, r, inventory.MaxPicture)
	if err != nil {
		s.refuse(w, r, http.StatusInternalServerError, s.asked(r).T("staff.wrong.cut"))
	}
	return err == nil
}

// failUpload answers what became of reading one; false: nothing is wrong.
func (s *site) failUpload(w http.ResponseWriter, r *http.Request, err error) bool {
	l := s.asked(r)
	_, large := errors.AsType[*http.MaxBytesError](err)
	switch {
	case err == nil:
		return false
	case large:
		s.refuse(w, r, http.StatusRequestEntityTooLarge, l.T("staff.wrong.large", "n", l.Number(inventory.MaxPicture>>20)))
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.refuse(w, r, http.StatusRequestTimeout, l.T("staff.wrong.cut"))
	case errors.Is(err, http.ErrMissingFile):
		s.refuse(w, r, http.StatusBadRequest, l.T("staff.inv.wrong.nopicture"))
	default:
		s.refuse(w, r, http.StatusBadRequest, l.T("staff.wrong.cut"))
	}
	return true
}

// shrunk reads a picture of a request and makes it small, or answers why it
// can't.
func (s *site) shrunk(w http.ResponseWriter, r *http.Request, in io.Reader) (inventory.Picture, bool) {
	raw, err := io.ReadAll(in)
	if s.failUpload(w, r, err) {
		return nil, false
	}
	small, err := inventory.Shrink(raw)
	if err != nil {
		s.refuse(w, r, http.StatusUnprocessableEntity, s.asked(r).wrong(err))
	}
	return small, err == nil
}

// phonePhoto takes a photo that a phone hands over: the body is the picture.
func (s *site) phonePhoto(w http.ResponseWriter, r *http.Request, _ kiosk.Member, walker string) {
	if !s.takeUpload(w, r) {
		return
	}
	q := r.URL.Query()
	age, err := strconv.ParseInt(q.Get("age"), 10, 64)
	if id := q.Get("id"); err != nil || id == "" || len(id) > longestID || len(q.Get("item")) > kiosk.MaxCode {
		http.Error(w, s.asked(r).T("staff.inv.wrong.nobook"), http.StatusBadRequest)
		return
	}
	picture, ok := s.shrunk(w, r, r.Body)
	if !ok {
		return
	}
	at := s.Clock().Add(-min(max(time.Duration(min(age, int64(oldest/time.Millisecond)))*time.Millisecond, 0), oldest))
	p := kiosk.ShelfPhoto{ID: kiosk.ID(q.Get("id")), Item: kiosk.Barcode(q.Get("item")), Who: walker, At: at}
	switch err := s.Staff.Inventories.TakePhoto(r.Context(), kiosk.ID(r.PathValue("id")), p, picture); {
	case errors.Is(err, inventory.ErrNoPhoto): // the phone forgets it, and goes on with what is behind it
		http.Error(w, s.asked(r).wrong(err), http.StatusUnprocessableEntity)
	case err != nil:
		s.failInventory(w, r, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// inventoryPhoto takes a photo from a form of the kiosk's own pages, with what
// it shows.
func (s *site) inventoryPhoto(w http.ResponseWriter, r *http.Request, who kiosk.Member) {
	if !s.takeUpload(w, r) || s.failUpload(w, r, r.ParseMultipartForm(inventory.MaxPicture)) {
		return
	}
	defer r.MultipartForm.RemoveAll() //nolint:errcheck // of temporary files
	f, _, err := r.FormFile("photo")
	if s.failUpload(w, r, err) {
		return
	}
	picture, ok := s.shrunk(w, r, f)
	if !ok {
		return
	}
	id, item, text := kiosk.ID(r.PathValue("id")), kiosk.Barcode(strings.TrimSpace(r.PostFormValue("item"))), strings.TrimSpace(r.PostFormValue("text"))
	if len(item) > kiosk.MaxCode {
		item = ""
	}
	v, as := s.Staff.Inventories, walker(r, who)
	err = v.TakePhoto(r.Context(), id, kiosk.ShelfPhoto{ID: kiosk.ID(rand.Text()), Item: item, Who: as}, picture)
	if err == nil && text != "" {
		err = v.Note(r.Context(), id, as, item, text)
	}
	if err != nil {
		s.failInventory(w, r, err)
		return
	}
	http.Redirect(w, r, "/staff/inventory/"+string(id)+"/report#notes", http.StatusSeeOther)
}

// photo shows one. It was drawn here, and never changes.
func (s *site) photo(w http.ResponseWriter, r *http.Request, _ kiosk.Member) {
	b, err := s.Staff.Inventories.Photo(r.Context(), kiosk.ID(r.PathValue("id")), kiosk.ID(r.PathValue("photo")))
	if err != nil {
		s.failInventory(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("Cache-Control", "private, max-age=3600")
	w.Write(b) //nolint:errcheck // the browser is gone
}
