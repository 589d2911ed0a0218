package junos

import (
	"context"
	"errors"
	"fmt"

	"github.com/cfgvault/cfgvault/plugins"
)

// FactoryReset zeroizes the unit: configuration, keys, secrets, files of users
// and logs are gone, and it reboots with the factory configuration. The token
// is the serial number of the chassis.
func (d driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	f, err := d.Identify(ctx, s)
	if err != nil {
		return err
	}
	if len(f.Serials) == 0 || token == "" || f.Serials[0] != token {
		return fmt.Errorf("junos: factory reset: %w", plugins.ErrWrongUnit)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("junos: factory reset: %w", err)
	}
	defer cli.Close()
	out, err := cli.Run(ctx, plugins.Command{Text: "request system zeroize", Write: true, Answers: []plugins.Answer{
		{Prompt: `\[yes,no\] \(no\) ?$`, Reply: "yes"},
	}})
	// A unit that reboots hangs up; that it does not answer is what was asked.
	if err != nil && !errors.Is(err, plugins.ErrSessionLost) {
		return fmt.Errorf("junos: factory reset: %w", err)
	}
	if _, refused := refusal(string(out.Stdout)); refused {
		return refusedError("factory reset: request system zeroize", string(out.Stdout))
	}
	return nil
}
