package sqlite

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"sync"

	sqlite "modernc.org/sqlite"
)

// What the sums of rows are made of, in the order of the tables.
const (
	entryColumns = `seq, id, session, kind, item, patron, at, doubt, due, was_due, state, title, text,
    newest, had_patron, had_at, had_due, had_entry`
	outcomeColumns = `entry, n, state, at, due, reason, text, dated`

	entrySum   = `row_sum(` + entryColumns + `)`
	outcomeSum = `row_sum(` + outcomeColumns + `)`
)

// registerSum makes row_sum known to SQLite; again is no error.
var registerSum = sync.OnceValue(func() error {
	err := sqlite.RegisterDeterministicScalarFunction("row_sum", -1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return rowSum(args), nil
	})
	if err != nil {
		return fmt.Errorf("row_sum: %w", err)
	}
	return nil
})

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// rowSum is CRC-32C over the values of a row, each with its type and length:
// no other row of as many columns has the same text to sum. Positive, of 32 bits.
func rowSum(values []driver.Value) int64 {
	b := make([]byte, 0, 512)
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.LittleEndian.AppendUint64(append(b, 'i'), uint64(v))
		case float64:
			b = binary.LittleEndian.AppendUint64(append(b, 'f'), math.Float64bits(v))
		case string:
			b = append(binary.LittleEndian.AppendUint32(append(b, 't'), uint32(len(v))), v...)
		case []byte:
			b = append(binary.LittleEndian.AppendUint32(append(b, 'b'), uint32(len(v))), v...)
		default:
			b = fmt.Appendf(append(b, '?'), "%v", v)
		}
	}
	return int64(crc32.Checksum(b, castagnoli))
}
