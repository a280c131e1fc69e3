// Package password keeps staff's passwords and PINs as hashes that take time
// and memory, so that who has stolen the disk tries few of them a second.
//
// A hash is one line, in the form that the reference implementation of Argon2
// writes (PHC string format):
//
//	$argon2id$v=19$m=19456,t=2,p=1$salt$hash
//
// with m in KiB, and salt and hash in base64 without padding. Argon2id is RFC
// 9106; its section 4 tells how the parameters are chosen, and OWASP's password
// storage cheat sheet which (m=19456, t=2). Lines of
// Carrel's before,
//
//	pbkdf2-sha512$iterations$salt$hash
//
// are still taken: PBKDF2 is RFC 8018, section 5.2.
package password

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// How new hashes are made, and what is taken at most of a line that says
// otherwise.
const (
	memory, passes, lanes = 19456, 2, 1 // KiB; a third of a second or so on a Raspberry Pi 4, which has no assembler for it
	hashSize              = 32          // bytes
	saltSize              = 16          // bytes

	maxMemory, maxPasses, maxLanes = 256 << 10, 16, 8
	maxIterations                  = 10_000_000 // of PBKDF2
	maxSalt                        = 64         // bytes

	// Least and Most are how long a password or PIN may be, in characters and
	// in bytes.
	Least, Most = 6, 256
)

// ErrHash says that a line is no hash of a password.
var ErrHash = errors.New("is no password's hash: set one with kioskctl staff password")

// Hash is what is kept of a password.
type Hash struct {
	sum   []byte
	again func(secret string) []byte // hashes as sum was made
}

// Make gives the line that is kept of a password.
func Make(secret string) (string, error) {
	if len([]rune(secret)) < Least || len(secret) > Most {
		return "", fmt.Errorf("a password or PIN has %d characters or more, up to %d bytes", Least, Most)
	}
	salt := make([]byte, saltSize)
	rand.Read(salt)
	sum := argon2.IDKey([]byte(secret), salt, passes, memory, lanes, hashSize)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, lanes, b64(salt), b64(sum)), nil
}

// Parse reads a line.
func Parse(line string) (Hash, error) {
	parts := strings.Split(strings.TrimSpace(line), "$")
	switch {
	case len(parts) == 6 && parts[0] == "" && parts[1] == "argon2id" && parts[2] == "v=19":
		return parseArgon2(parts[3], parts[4], parts[5])
	case len(parts) == 4 && parts[0] == "pbkdf2-sha512":
		return parsePBKDF2(parts[1], parts[2], parts[3])
	}
	return Hash{}, ErrHash
}

func parseArgon2(params, salt, sum string) (Hash, error) {
	var n [3]int
	fields := strings.Split(params, ",")
	if len(fields) != len(n) {
		return Hash{}, ErrHash
	}
	for i, name := range []string{"m=", "t=", "p="} {
		text, ok := strings.CutPrefix(fields[i], name)
		var err error
		if n[i], err = strconv.Atoi(text); !ok || err != nil {
			return Hash{}, ErrHash
		}
	}
	m, t, p := n[0], n[1], n[2]
	h, key, err := parts(salt, sum)
	if err != nil || p < 1 || p > maxLanes || t < 1 || t > maxPasses || m < 8*p || m > maxMemory {
		return Hash{}, ErrHash
	}
	h.again = func(secret string) []byte {
		return argon2.IDKey([]byte(secret), key, uint32(t), uint32(m), uint8(p), hashSize)
	}
	return h, nil
}

func parsePBKDF2(turns, salt, sum string) (Hash, error) {
	n, err := strconv.Atoi(turns)
	h, key, e2 := parts(salt, sum)
	if err != nil || e2 != nil || n < 1000 || n > maxIterations {
		return Hash{}, ErrHash
	}
	h.again = func(secret string) []byte {
		sum, _ := pbkdf2.Key(sha512.New, secret, key, n, hashSize) // the sizes are right; a sum of nothing fits none
		return sum
	}
	return h, nil
}

// parts reads salt and sum.
func parts(salt, sum string) (h Hash, key []byte, err error) {
	key, e1 := base64.RawStdEncoding.DecodeString(salt)
	h.sum, err = base64.RawStdEncoding.DecodeString(sum)
	if e1 != nil || err != nil || len(key) < 8 || len(key) > maxSalt || len(h.sum) != hashSize {
		return h, nil, ErrHash
	}
	return h, key, nil
}

// Check tells whether a password is the one that the hash was made of. One
// that is longer than any can be costs no time.
func (h Hash) Check(secret string) bool {
	return h.again != nil && len(secret) <= Most && subtle.ConstantTimeCompare(h.again(secret), h.sum) == 1
}
