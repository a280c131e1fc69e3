package daemon

import (
	"context"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// brands keep how the library wants its kiosk to look.
type brands struct{ setting[kiosk.Brand] }

var _ web.Brands = (*brands)(nil)

func newBrands(d *Daemon) *brands {
	return &brands{setting[kiosk.Brand]{Daemon: d, name: "brand", show: func(kiosk.Brand) { d.desk.Again() }}}
}

// Brand implements web.Brands.
func (b *brands) Brand() kiosk.Brand { return b.now() }

// PutBrand implements web.Brands.
func (b *brands) PutBrand(ctx context.Context, brand kiosk.Brand, by kiosk.Act) error {
	return b.put(ctx, brand, by)
}

// BrandBefore implements web.Brands. Before the first one there was Carrel's own.
func (b *brands) BrandBefore(ctx context.Context) (kiosk.Brand, error) { return b.before(ctx) }
