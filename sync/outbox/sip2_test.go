package outbox_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/sync/sip2"
	"github.com/carrel-kiosk/carrel/sync/upstreamtest"
)

// What stands between the child of TestKilledProcess and its ILS: SIP2 over
// TCP.

const answerTime = 300 * time.Millisecond

func serve(t *testing.T, ils *upstreamtest.ILS) string {
	t.Helper()
	ils.AddUser("kiosk1", "secret")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sip2.Serve(ctx, ln, ils, sip2.ServerConfig{}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve() = %v", err)
		}
	})
	return ln.Addr().String()
}

func openUpstream(addr string) (kiosk.Upstream, error) {
	return sip2.NewUpstream(sip2.Config{Address: addr, User: "kiosk1", Password: "secret"})
}
