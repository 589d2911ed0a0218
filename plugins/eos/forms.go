package eos

import (
	"context"
	"errors"
	"fmt"

	"github.com/cfgvault/cfgvault/plugins"
)

// capabilities lists what this driver can do.
func capabilities() []plugins.Capability {
	return []plugins.Capability{plugins.CapRestore, plugins.CapFactoryReset}
}

// Normalize turns native text into the common tree.
func (driver) Normalize(context.Context, plugins.Facts, []plugins.Artefact) (*plugins.Normalized, error) {
	return nil, fmt.Errorf("eos: normalize: %w", errors.ErrUnsupported)
}
