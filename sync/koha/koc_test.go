package koha_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/koha"
)

// TestOfflineSample: what a real Koha was seen to take, we write to the byte, but
// for payments and who made it.
func TestOfflineSample(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "testdata", "koha", "offline", "sample.koc"))
	if err != nil {
		if strings.Contains(os.Getenv("CARREL_REQUIRE"), "shared") {
			t.Fatal(err)
		}
		t.Skip("needs the files in ../shared/testdata/koha/offline")
	}
	operation := regexp.MustCompile(`(?m)^(\S+ \S+) \d+\t(issue|return)\t(?:(\d+)\t)?(\d+)$`)
	var entries []kiosk.Entry
	var want []string
	for _, m := range operation.FindAllStringSubmatch(string(raw), -1) {
		at, err := time.ParseInLocation(time.DateTime, m[1], time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		kind := map[string]kiosk.Kind{"issue": kiosk.Checkout, "return": kiosk.Checkin}[m[2]]
		entries = append(entries, kiosk.Entry{Kind: kind, Patron: kiosk.Card(m[3]), Item: kiosk.Barcode(m[4]), At: at})
		want = append(want, m[0])
	}
	if len(entries) != 3 {
		t.Fatalf("%d operations in the sample; want 3", len(entries))
	}
	var b strings.Builder
	left, err := koha.WriteOffline(&b, entries, time.UTC)
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if err != nil || len(left) > 0 || !strings.HasPrefix(string(raw), strings.Split(lines[0], "\t")[0]+"\tGenerator=") {
		t.Fatalf("WriteOffline() = %q, %v, %v", lines[0], left, err)
	}
	number := regexp.MustCompile(` \d{3}\t`)
	for i, l := range lines[1:] {
		if got, want := number.ReplaceAllString(l, "\t"), number.ReplaceAllString(want[i], "\t"); got != want {
			t.Errorf("line %d is %q; want %q", i+1, got, want)
		}
	}
}

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
