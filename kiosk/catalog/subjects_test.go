package catalog

import (
	"strings"
	"testing"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/kiosktest"
)

func TestSubjects(t *testing.T) {
	long := strings.Repeat("x", maxAbout-3)
	for name, c := range map[string]struct {
		fields []field
		want   string
	}{
		"a person, divided": {[]field{{tag: "600", subs: []subfield{{'a', "Shakespeare, William,"}, {'d', "1564-1616"}, {'x', "Criticism and interpretation."}}}}, "Shakespeare, William, 1564-1616 -- Criticism and interpretation"},
		"a work of his":     {[]field{{tag: "600", subs: []subfield{{'a', "Shakespeare, William."}, {'t', "Hamlet."}, {'2', "fast"}, {'0', "(OCoLC)1"}}}}, "Shakespeare, William. Hamlet"},
		"topics": {[]field{{tag: "650", subs: []subfield{{'a', "Dragons"}, {'v', "Fiction."}}}, {tag: "650", subs: []subfield{{'a', "Jazz"}, {'z', "France"}, {'z', "Paris"}, {'y', "20th century."}}}},
			"Dragons -- Fiction; Jazz -- France -- Paris -- 20th century"},
		"of every kind":     {[]field{{tag: "610", subs: []subfield{{'a', "NASA."}}}, {tag: "611", subs: []subfield{{'a', "Olympics"}, {'n', "(33rd :"}}}, {tag: "630", subs: []subfield{{'a', "Bible."}}}, {tag: "651", subs: []subfield{{'a', "Rome."}}}, {tag: "655", subs: []subfield{{'a', "Poetry."}}}}, "NASA; Olympics (33rd; Bible; Rome; Poetry"},
		"words":             {[]field{{tag: "653", subs: []subfield{{'a', "cats"}, {'a', "dogs;mice"}}}}, "cats; dogs,mice"},
		"the same twice":    {[]field{{tag: "650", ind1: ' ', subs: []subfield{{'a', "Cats."}}}, {tag: "650", subs: []subfield{{'a', "cats"}}}}, "Cats"},
		"nothing":           {[]field{{tag: "650", subs: []subfield{{'a', " : "}, {'x', "Fiction"}}}, {tag: "659", subs: []subfield{{'a', "local"}}}}, ""},
		"more than fits":    {[]field{{tag: "650", subs: []subfield{{'a', long}}}, {tag: "650", subs: []subfield{{'a', "Cats"}}}}, long},
		"another script":    {[]field{{tag: "650", subs: []subfield{{'a', "Дракони"}, {'v', "Казки"}}}}, "Дракони -- Казки"},
		"an empty division": {[]field{{tag: "650", subs: []subfield{{'a', "Cats"}, {'x', " "}, {'v', "Fiction"}}}}, "Cats -- Fiction"},
	} {
		rec := record{fields: c.fields}
		if got := rec.subjects(); got != c.want {
			t.Errorf("%s: subjects = %q; want %q", name, got, c.want)
		}
	}
}

// TestOriginalScript: what a record has in its own script comes first, and what
// it names in Latin letters stays: it can be typed.
func TestOriginalScript(t *testing.T) {
	linked := func(tag, six string, subs ...subfield) field {
		return field{tag: tag, subs: append([]subfield{{'6', six}}, subs...)}
	}
	long := strings.Repeat("Hong lou meng ", maxTitle/len("Hong lou meng "))
	for name, c := range map[string]struct {
		fields                  []field
		title, author, subjects string
	}{
		"all of them": {[]field{
			linked("100", "880-01", subfield{'a', "Cao, Xueqin,"}, subfield{'d', "approximately 1717-1763."}),
			linked("245", "880-02", subfield{'a', "Hong lou meng /"}, subfield{'c', "Cao Xueqin zhu."}),
			linked("650", "880-03", subfield{'a', "Jia zu"}, subfield{'v', "Xiao shuo."}),
			linked("880", "100-01/$1", subfield{'a', "曹雪芹."}),
			linked("880", "245-02/$1", subfield{'a', "红楼梦 /"}, subfield{'c', "曹雪芹著."}),
			linked("880", "650-03/$1", subfield{'a', "家族"}, subfield{'v', "小说."}),
		}, "红楼梦 · Hong lou meng", "曹雪芹 · Cao, Xueqin, approximately 1717-1763", "Jia zu -- Xiao shuo; 家族 -- 小说"},
		"from right to left": {[]field{linked("245", "880-01", subfield{'a', "Alf laylah"}, subfield{'b', "wa-laylah."}), linked("880", "245-01/(3/r", subfield{'a', "ألف ليلة"}, subfield{'b', "وليلة."})}, "ألف ليلة وليلة · Alf laylah wa-laylah", "", ""},
		"of other fields":    {[]field{linked("245", "880-01", subfield{'a', "Momo"}), linked("880", "246-01/$1", subfield{'a', "毛毛"}), linked("880", "245-02/$1", subfield{'a', "默默"})}, "Momo", "", ""},
		"without one":        {[]field{linked("245", "880-00", subfield{'a', "Momo"}), linked("880", "245-00/$1", subfield{'a', "毛毛"}), linked("880", "650-00/$1", subfield{'a', "时间"})}, "Momo", "", "时间"},
		"damaged":            {[]field{linked("245", "880-", subfield{'a', "Momo"}), linked("880", "", subfield{'a', "毛毛"}), linked("880", "245", subfield{'a', "毛毛"}), {tag: "880"}}, "Momo", "", ""},
		"no room for both":   {[]field{linked("245", "880-01", subfield{'a', long}), linked("880", "245-01/$1", subfield{'a', "红楼梦"})}, "红楼梦", "", ""},
		"nothing in Latin":   {[]field{linked("245", "880-01"), linked("880", "245-01/$1", subfield{'a', "红楼梦"})}, "红楼梦", "", ""},
	} {
		rec := record{fields: c.fields}
		if title, author, subjects := rec.title(), rec.author(), rec.subjects(); title != c.title || author != c.author || subjects != c.subjects {
			t.Errorf("%s: %q by %q about %q; want %q by %q about %q", name, title, author, subjects, c.title, c.author, c.subjects)
		}
	}
}

// Subjects come with the copies of a record and with the rows of a CSV file.
func TestSubjectsAreTaken(t *testing.T) {
	var m kiosktest.Memory
	xml := `<record><datafield tag="245"><subfield code="a">Eragon</subfield></datafield><datafield tag="650"><subfield code="a">Dragons</subfield><subfield code="v">Fiction.</subfield></datafield><datafield tag="852"><subfield code="p">31</subfield></datafield></record>`
	run(t, ImportItems, []byte(xml), &m)
	run(t, ImportItems, []byte("barcode,title,Subject\n32,Momo,Time;  Children | time;Friendship\n"), &m)
	run(t, ImportItems, []byte("barcode,title\n32,Momo!\n"), &m) // tells none: they stay
	for b, want := range map[string]string{"31": "Dragons -- Fiction", "32": "Time; Children; Friendship"} {
		if it, err := m.Item(t.Context(), kiosk.Barcode(b)); err != nil || it.Subjects != want {
			t.Errorf("%s has the subjects %q, %v; want %q", b, it.Subjects, err, want)
		}
	}
	if it, _ := m.Item(t.Context(), "32"); it.Title != "Momo!" {
		t.Errorf("%+v; want the newer title", it)
	}
}
