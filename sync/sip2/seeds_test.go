package sip2

import _ "github.com/carrel-kiosk/carrel/sync/upstreamtest/seeds" // so that go test ./sync/... -seeds is known here
