package iosxr

import (
	"context"

	"github.com/cfgvault/cfgvault/plugins"
)

const runningConfig = "running-config"

type driver struct{}

// New returns the driver.
func New() plugins.Driver { return driver{} }

func (driver) Info() plugins.Info { return plugins.Info{Name: "iosxr", Version: "0.1.0"} }
func (driver) Identify(context.Context, plugins.Session) (plugins.Facts, error) {
	return plugins.Facts{}, nil
}
func (driver) Export(context.Context, plugins.Session) (*plugins.Export, error) { return nil, nil }
func (driver) Normalize(_ context.Context, f plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	return normalize(f, native)
}
