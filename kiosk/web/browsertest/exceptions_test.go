package browsertest_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web"
	"github.com/carrel-kiosk/carrel/kiosk/web/browsertest"
)

// exceptions are two, until they are settled.
type exceptions struct{ list []web.Exception }

func (x *exceptions) List(context.Context) ([]web.Exception, error) { return x.list, nil }

func (x *exceptions) Look(context.Context, kiosk.ID) (kiosk.Standing, error) {
	return kiosk.Standing{Known: true, Status: kiosk.StatusOnLoan, Mine: kiosk.No, Due: time.Now().AddDate(0, 0, 9)}, nil
}

func (x *exceptions) Resolve(_ context.Context, id kiosk.ID, how, note string) error {
	n := len(x.list)
	x.list = slices.DeleteFunc(x.list, func(e web.Exception) bool { return e.ID == id })
	if len(x.list) == n {
		return kiosk.ErrUnknown
	}
	return nil
}

func TestExceptions(t *testing.T) {
	x := &exceptions{list: []web.Exception{
		{ID: "e1", Kind: kiosk.Checkout, Item: "31234000010064", Title: "The Very Hungry Caterpillar and a title that goes on and on and on", Card: "21234000020601",
			At: time.Now().Add(-5 * time.Hour), Due: time.Now().AddDate(0, 0, 21), Advice: kiosk.AdviceIfYours, Says: "Item checked out to another patron"},
		{ID: "e2", Kind: kiosk.Checkin, Item: "31234000010072", At: time.Now().AddDate(0, 0, -1), Advice: kiosk.AdviceReturned, Says: "the ILS does not know the item"},
	}}
	h, err := web.New(web.Config{Desk: newDesk(kiosk.Screen{View: kiosk.ViewWelcome}), Name: "front-desk",
		Staff: &web.Staff{Password: func(p string) bool { return p == "letmein" }, Exceptions: x}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	browsertest.Run(t, "exceptions.cjs", "BASE="+srv.URL, "PASSWORD=letmein")
}
