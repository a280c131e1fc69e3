package koha_test

import (
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/koha"
)

func TestWriteOffline(t *testing.T) {
	zone := time.FixedZone("CST", -6*3600)
	at := time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC)
	var b strings.Builder
	left, err := koha.WriteOffline(&b, []kiosk.Entry{
		{Kind: kiosk.Checkout, Patron: "23529000000101", Item: "39999000000016", At: at},
		{Kind: kiosk.Checkin, Patron: "23529000000101", Item: "39999000000012", At: at.Add(time.Minute)},
		{Kind: kiosk.Renew, Patron: "C1", Item: "B2", At: at.Add(2 * time.Minute)},
		{Kind: kiosk.Checkout, Patron: "", Item: "B3", At: at},
		{Kind: kiosk.Checkout, Patron: "C\t1", Item: "B4", At: at},
		{Kind: kiosk.Checkin, Item: "B4", At: at}, // behind one that is left out
		{Kind: kiosk.Checkin, Item: "Bü5", At: at},
		{Kind: "other", Patron: "C1", Item: "B6", At: at},
	}, zone)
	want := "Version=1.0\tGenerator=Carrel\tGeneratorVersion=1\n" +
		"2026-11-21 09:00:00 001\tissue\t23529000000101\t39999000000016\n" +
		"2026-11-21 09:01:00 002\treturn\t39999000000012\n" +
		"2026-11-21 09:02:00 003\tissue\tC1\tB2\n"
	if err != nil || b.String() != want || len(left) != 5 {
		t.Errorf("WriteOffline() = %q, %d left, %v; want %q", b.String(), len(left), err, want)
	}
}
