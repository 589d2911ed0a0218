package eos

import (
	"context"
	"errors"
	"fmt"

	"github.com/cfgvault/cfgvault/plugins"
)

// FactoryReset erases the startup configuration and reloads: the switch comes
// up in Zero Touch Provisioning mode. Host keys, certificates and files on
// flash stay. The token is the serial number, or the system MAC address of a
// virtual switch, which has no serial number.
func (d driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	f, err := d.Identify(ctx, s)
	if err != nil {
		return err
	}
	unit := f.Serials
	if len(unit) == 0 {
		unit = f.MACs
	}
	if len(unit) == 0 || token == "" || unit[0] != token {
		return fmt.Errorf("eos: factory reset: %w", plugins.ErrWrongUnit)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("eos: factory reset: %w", err)
	}
	defer cli.Close()
	out, err := do(ctx, cli, plugins.Command{
		Text: "write erase", Write: true, Answers: []plugins.Answer{{Prompt: `\[confirm\]\s*$`}},
	})
	if err != nil {
		return err
	}
	if text, refused := refusal(out); refused {
		return refusedError("factory reset: write erase", text)
	}
	left, err := read(ctx, cli, "show startup-config")
	if err != nil {
		return err
	}
	if _, refused := refusedWhole([]byte(left)); !refused && len(statements([]byte(left))) > 0 {
		return errors.New("eos: factory reset: the startup configuration is still there")
	}
	end, err := cli.Run(ctx, reload())
	// A switch that reloads hangs up; that it does not answer is what was asked.
	if err != nil && !errors.Is(err, plugins.ErrSessionLost) {
		return fmt.Errorf("eos: factory reset: reload: %w", err)
	}
	if text, refused := refusal(string(end.Stdout)); refused {
		return refusedError("factory reset: the startup configuration is erased, but reload now", text)
	}
	return nil
}

// reload makes the switch start anew, without saving.
func reload() plugins.Command {
	return plugins.Command{
		Text: "reload now", Write: true, Answers: []plugins.Answer{
			{Prompt: `\[yes/no/cancel/diff\]:?\s*$`, Reply: "no"},
			{Prompt: `\[confirm\]\s*$`},
		},
	}
}
