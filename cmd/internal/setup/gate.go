package setup

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"
)

const (
	codeLives    = 15 * time.Minute // then the screen shows another
	codeTries    = 5                // wrong ones, then the screen shows another
	tryEvery     = time.Second      // between two tries, whoever makes them
	sessionLives = 2 * time.Hour
)

// Why a code opens nothing.
var (
	errWrong = errors.New("wrong")
	errSoon  = errors.New("soon")
)

// gate lets in who has read the code on the kiosk's own screen.
type gate struct {
	mu      sync.Mutex
	code    string
	made    time.Time
	wrong   int
	last    time.Time // try
	session string
	until   time.Time
}

// Code is the one that opens now.
func (g *gate) Code() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fresh()
}

func (g *gate) fresh() string {
	if g.code == "" || time.Since(g.made) >= codeLives || g.wrong >= codeTries {
		n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
		if err != nil {
			panic(err) // crypto/rand does not fail
		}
		g.code, g.made, g.wrong = fmt.Sprintf("%08d", n), time.Now(), 0
	}
	return g.code
}

// Try gives a session for the code. A new session ends the one before.
func (g *gate) Try(code string) (session string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.last.IsZero() && time.Since(g.last) < tryEvery {
		return "", errSoon
	}
	g.last = time.Now()
	if subtle.ConstantTimeCompare([]byte(code), []byte(g.fresh())) != 1 {
		g.wrong++
		return "", errWrong
	}
	b := make([]byte, 32)
	rand.Read(b) // never fails
	g.code, g.session, g.until = "", hex.EncodeToString(b), time.Now().Add(sessionLives)
	return g.session, nil
}

// In tells whether a session is the one that was given.
func (g *gate) In(session string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.session != "" && time.Now().Before(g.until) && subtle.ConstantTimeCompare([]byte(session), []byte(g.session)) == 1
}
