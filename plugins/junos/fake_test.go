package junos

import (
	"context"

	"github.com/cfgvault/cfgvault/plugins"
)

// says is a login that answers every command with the same text.
type says string

func (s says) Run(context.Context, plugins.Command) (plugins.Output, error) {
	return plugins.Output{Stdout: []byte(s), End: plugins.EndSentinel}, nil
}
