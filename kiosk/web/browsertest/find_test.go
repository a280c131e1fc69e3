package browsertest_test

import (
	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// plan has a room with two shelves, and a script that no browser may run.
type plan struct{}

func (plan) Spot(i kiosk.Item) (web.Spot, bool) {
	return web.Spot{X: 30, Y: 45}, i.Location == "Fiction"
}

func (plan) Picture() ([]byte, string) {
	return []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 240" width="400" height="240" onload="fetch('/touch/return',{method:'POST'})">
<script>fetch('/touch/return',{method:'POST'})</script>
<rect width="400" height="240" fill="#fff" stroke="#333" stroke-width="4"/><rect x="60" y="60" width="120" height="26" fill="#9bb"/><rect x="60" y="140" width="120" height="26" fill="#9bb"/>
<text x="70" y="130" font-size="20">Fiction</text><text x="300" y="220" font-size="20">Desk</text></svg>`), "image/svg+xml"
}
