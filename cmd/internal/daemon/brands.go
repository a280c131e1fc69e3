package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/carrel-kiosk/carrel/kiosk"
	"github.com/carrel-kiosk/carrel/kiosk/web"
)

// brands keep how the library wants its kiosk to look.
type brands struct {
	*Daemon
	up atomic.Pointer[kiosk.Brand]
}

var _ web.Brands = (*brands)(nil)

// brandSetting is its name among the settings.
const brandSetting = "brand"

func (b *brands) load(ctx context.Context) error {
	brand, err := b.read(ctx, 0)
	if err != nil && !errors.Is(err, kiosk.ErrUnknown) {
		return err
	}
	b.up.Store(&brand)
	return nil
}

func (b *brands) read(ctx context.Context, back int) (brand kiosk.Brand, err error) {
	raw, err := b.store.Setting(ctx, brandSetting, back)
	if err != nil {
		return brand, err
	}
	if err := json.Unmarshal(raw, &brand); err != nil {
		return brand, fmt.Errorf("brand: %w", err)
	}
	return brand, brand.Valid()
}

// Brand implements web.Brands.
func (b *brands) Brand() kiosk.Brand {
	if up := b.up.Load(); up != nil {
		return *up
	}
	return kiosk.Brand{}
}

// PutBrand implements web.Brands.
func (b *brands) PutBrand(ctx context.Context, brand kiosk.Brand, by kiosk.Act) error {
	raw, err := json.Marshal(brand)
	if err != nil {
		return err
	}
	by.At = b.clock.Now()
	if err := b.store.PutSetting(ctx, brandSetting, raw, by); err != nil {
		return err
	}
	b.up.Store(&brand)
	b.desk.Again()
	return nil
}

// BrandBefore implements web.Brands. Before the first one there was Carrel's own.
func (b *brands) BrandBefore(ctx context.Context) (kiosk.Brand, error) {
	brand, err := b.read(ctx, 1)
	if errors.Is(err, kiosk.ErrUnknown) {
		_, err = b.read(ctx, 0)
	}
	return brand, err
}
