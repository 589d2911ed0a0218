package ios

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// FactoryReset erases the startup configuration and the VLAN file and reloads.
// Images, licences and other files on flash stay, which "factory-reset all"
// would erase too, and with them the way back. The token is the serial number.
func (d driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	f, err := d.Identify(ctx, s)
	if err != nil {
		return err
	}
	if len(f.Serials) == 0 || token == "" || f.Serials[0] != token {
		return fmt.Errorf("ios: factory reset: %w", plugins.ErrWrongUnit)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("ios: factory reset: %w", err)
	}
	defer cli.Close()
	confirm := plugins.Answer{Prompt: `(?i)\[confirm\]\s*$`}
	out, err := write(ctx, cli, "write erase", confirm)
	if err != nil {
		return err
	}
	if text, refused := refusal(out); refused && !strings.Contains(text, "NV_BLOCK_INIT") {
		return refusedError("factory reset: write erase", text)
	}
	left, err := read(ctx, cli, "show startup-config")
	if err != nil {
		return err
	}
	if !noStartup(left) {
		return errors.New("ios: factory reset: the startup configuration is still there")
	}
	// A router has no such file, and says so.
	if _, err := write(ctx, cli, "delete /force "+flash(s)+vlanFile); err != nil {
		return err
	}
	end, err := cli.Run(ctx, reload())
	// A device that reloads hangs up; that it does not answer is what was asked.
	if err != nil && !errors.Is(err, plugins.ErrSessionLost) {
		return fmt.Errorf("ios: factory reset: reload: %w", err)
	}
	if text, refused := refusal(string(end.Stdout)); refused && !strings.Contains(text, "SYS-5-RELOAD") {
		return refusedError("factory reset: the startup configuration is erased, but reload", text)
	}
	return nil
}

// reload makes the device start anew, without saving.
func reload() plugins.Command {
	return plugins.Command{Text: "reload", Write: true, Answers: []plugins.Answer{
		{Prompt: `(?i)save\? \[yes/no\]:\s*$`, Reply: "no"}, {Prompt: `(?i)(?:confirm\]|anyway\[confirm\])\s*$`},
	}}
}
