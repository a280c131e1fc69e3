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

// TestWriteOfflineDoubt: a loan that was made under a wrong clock is left to
// staff with what comes behind it; what was seen on the shelf holds up nothing.
func TestWriteOfflineDoubt(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	var b strings.Builder
	left, err := koha.WriteOffline(&b, []kiosk.Entry{
		{ID: "1970", Kind: kiosk.Checkout, Patron: "C1", Item: "B1", At: time.Unix(0, 0), Doubt: true},
		{ID: "behind", Kind: kiosk.Checkin, Item: "B1", At: at},
		{ID: "renewed", Kind: kiosk.Renew, Patron: "C1", Item: "B2", At: at, Doubt: true},
		{ID: "seen", Kind: kiosk.Seen, Item: "B3", At: at},
		{ID: "lent", Kind: kiosk.Checkout, Patron: "C1", Item: "B3", At: at},
		{ID: "back", Kind: kiosk.Checkin, Item: "B4", At: at, Doubt: true},
	}, time.UTC)
	var out []string
	for _, e := range left {
		out = append(out, string(e.ID))
	}
	want := "2026-11-21 09:00:00 001\tissue\tC1\tB3\n2026-11-21 09:00:00 002\treturn\tB4\n"
	if _, lines, _ := strings.Cut(b.String(), "\n"); err != nil || lines != want || strings.Join(out, " ") != "1970 behind renewed seen" {
		t.Errorf("WriteOffline() = %q, %v left, %v; want %q", lines, out, err, want)
	}
}

// TestWriteOfflineSummer: Koha sorts by the letters of a time, and those come
// twice when the clocks go back. A return must not come before its loan.
func TestWriteOfflineSummer(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for day, times := range map[string][3]string{
		"2026-10-25T00:50:00Z": {"2026-10-25 02:50:00", "2026-10-25 02:50:00", "2026-10-25 03:10:00"}, // 02:50, 02:10, 03:10
		"2026-03-29T00:50:00Z": {"2026-03-29 01:50:00", "2026-03-29 03:10:00", "2026-03-29 04:10:00"},
	} {
		at, err := time.Parse(time.RFC3339, day)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		left, err := koha.WriteOffline(&b, []kiosk.Entry{
			{Kind: kiosk.Checkout, Patron: "C1", Item: "B1", At: at},
			{Kind: kiosk.Checkin, Item: "B1", At: at.Add(20 * time.Minute)},
			{Kind: kiosk.Checkout, Patron: "C2", Item: "B1", At: at.Add(80 * time.Minute)},
		}, berlin)
		want := times[0] + " 001\tissue\tC1\tB1\n" + times[1] + " 002\treturn\tB1\n" + times[2] + " 003\tissue\tC2\tB1\n"
		if _, lines, _ := strings.Cut(b.String(), "\n"); err != nil || len(left) > 0 || lines != want {
			t.Errorf("%s: WriteOffline() = %q, %v, %v; want %q", day, lines, left, err, want)
		}
	}
}
