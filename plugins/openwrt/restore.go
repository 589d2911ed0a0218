package openwrt

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/deadman"
	"github.com/cfgvault/cfgvault/plugins/netdev"
)

const optNoBoot = "without-boot-job"

func timer(changeID string) deadman.Timer { return deadman.Timer{ID: changeID} }

// Stage implements plugins.Restorer. Files that want does not have are removed
// if they are part of the device's backup.
func (driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (plugins.Diff, error) {
	t := timer(changeID)
	means, err := deadman.Probe(ctx, s, false)
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("stage: %w", err)
	}
	if means.Boot == "none" && s.Options()[optNoBoot] != "allow" {
		return plugins.Diff{}, fmt.Errorf("stage: nothing on the device could roll back after a reboot; the option %s=allow restores all the same: %w", optNoBoot, errors.ErrUnsupported)
	}
	now, list, err := export(ctx, s)
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("stage: %w", err)
	}
	if now.Verdict != plugins.Complete {
		return plugins.Diff{}, fmt.Errorf("stage: the device's own files could not be read whole (%s), so they could not be put back", now.Reasons[0].Code)
	}
	covered := func(name string) bool {
		return slices.Contains(list, name) || strings.HasPrefix(name, "etc/config/") || slices.Contains(usual(), name) ||
			strings.HasPrefix(name, "etc/dropbear/") || strings.HasPrefix(name, "etc/crontabs/")
	}
	c, err := deadman.CompareFiles(now.Artefacts, want, covered)
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("stage: %w", err)
	}
	if err := t.Stage(ctx, s, means, true, scripts(), c.Staged()); err != nil {
		return plugins.Diff{}, err
	}
	if err := check(ctx, s, t); err != nil {
		if !errors.Is(err, plugins.ErrSessionLost) && ctx.Err() == nil {
			err = errors.Join(err, t.Discard(ctx, s))
		}
		return plugins.Diff{}, err
	}
	diff := plan(c, means)
	if diff.Address = netdev.Moved(addresses(now.Artefacts), addresses(want)); diff.Address != "" {
		diff.Disruptive = append(diff.Disruptive, "the address moves to "+diff.Address+", every login ends")
	}
	return diff, nil
}

var addressOption = regexp.MustCompile(`(?m)^\s*(?:option|list)\s+['"]?(?:ipaddr|ip6addr)['"]?\s+['"]?([0-9a-fA-F.:/]+)`)

// addresses are those that the network's configuration gives the unit.
func addresses(artefacts []plugins.Artefact) []string {
	var out []string
	for _, a := range artefacts {
		if a.Name != "etc/config/network" {
			continue
		}
		for _, m := range addressOption.FindAllSubmatch(a.Data, -1) {
			out = append(out, string(m[1]))
		}
	}
	return out
}

// usual are files of a full backup that a blank unit may not have yet.
func usual() []string {
	return []string{"etc/shadow", "etc/passwd", "etc/group", "etc/hosts", "etc/rc.local", "etc/sysctl.conf", "etc/sysupgrade.conf", "etc/profile", "etc/shells",
		"etc/inittab", "etc/uhttpd.crt", "etc/uhttpd.key", "etc/firewall.user", "etc/ethers", "etc/opkg.conf", "etc/opkg/customfeeds.conf"}
}

func plan(c *deadman.FileChange, means deadman.Means) plugins.Diff {
	d := plugins.Diff{Text: c.Text, Losses: c.Losses}
	config := false
	for _, name := range c.Changed {
		d.Steps = append(d.Steps, "replace or remove /"+name)
		config = config || strings.HasPrefix(name, "etc/config/")
		switch name {
		case "etc/config/network":
			d.Disruptive = append(d.Disruptive, "interfaces whose configuration changes are taken down and up")
		case "etc/config/wireless":
			d.Disruptive = append(d.Disruptive, "the radios restart, stations lose their connection")
		case "etc/config/dropbear", "etc/config/firewall":
			d.Disruptive = append(d.Disruptive, "/"+name+" changes: logins may end")
		case "etc/rc.local", "etc/inittab", "etc/sysctl.conf":
			d.Disruptive = append(d.Disruptive, "/"+name+" takes effect at the next boot")
		}
	}
	if config {
		d.Steps = append(d.Steps, "let the services read their configuration again (reload_config)")
	}
	d.Steps = append(d.Steps, "on confirmation, keep the files")
	if means.Boot == "none" {
		d.Disruptive = append(d.Disruptive, "a reboot before the confirmation keeps the change: nothing on the device can roll back then")
	}
	return d
}

func scripts() deadman.Scripts {
	const reread = `
reread() {
	bad=0
	if grep -q 'etc/config/' plan; then reload_config || bad=1; fi
	if grep -q 'etc/crontabs/' plan && [ -x /etc/init.d/cron ]; then /etc/init.d/cron restart || bad=1; fi
	return $bad
}
`
	return deadman.Scripts{
		Prepare: deadman.FileLib + "files_save_old\n",
		Apply:   deadman.FileLib + reread + "files_put && reread\n",
		// At boot, services read the files when they start.
		Rollback: deadman.FileLib + reread + "files_put_back || exit 1\n[ \"$1\" = boot ] || reread\n",
		Save:     deadman.FileLib + "files_check && sync\n",
	}
}

// checkScript lets uci read each staged package, and looks whether a change of
// the web interface waits for its confirmation: its rollback would undo ours.
const checkScript = deadman.Frames + `
f luci sh -c '[ ! -d /var/run/rpcd/snapshot-files ]'
for p in new/etc/config/*; do
	[ -f "$p" ] || continue
	try() { uci -c "$PWD/new/etc/config" export "${p##*/}" 2>&1 >/dev/null; }
	f "${p##*/}" try
done
echo @end
`

var parseError = regexp.MustCompile(`at line (\d+)`)

func check(ctx context.Context, s plugins.Session, t deadman.Timer) error {
	out, err := s.Run(ctx, t.Script(checkScript))
	if err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	p, err := deadman.Unframe(out.Stdout)
	if err != nil {
		if out.End == plugins.EndCut {
			err = fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
		}
		return fmt.Errorf("stage: %w", err)
	}
	if !p.OK("luci") {
		return fmt.Errorf("stage: a change made in the web interface waits for its confirmation: %w", plugins.ErrBusy)
	}
	for name, got := range p {
		if name == "luci" || got.Status == 0 {
			continue
		}
		bad := &plugins.RejectedError{Artefact: "etc/config/" + name, Text: string(got.Data)}
		if m := parseError.FindStringSubmatch(bad.Text); m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil {
				bad.Line = n
			}
		}
		return fmt.Errorf("stage: %w", bad)
	}
	return nil
}

// Commit implements plugins.Restorer.
func (driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	_, err := timer(changeID).Commit(ctx, s, within)
	var step *deadman.StepError
	if errors.As(err, &step) && step.Step == "apply" {
		return fmt.Errorf("commit: %w: %w", step, &plugins.RejectedError{Artefact: "etc/config", Text: step.Text})
	}
	return err
}

// Confirm implements plugins.Restorer.
func (driver) Confirm(ctx context.Context, s plugins.Session, changeID string) error {
	return timer(changeID).Confirm(ctx, s)
}

// Discard implements plugins.Restorer.
func (driver) Discard(ctx context.Context, s plugins.Session, changeID string) error {
	return timer(changeID).Discard(ctx, s)
}

// Status implements plugins.Restorer.
func (driver) Status(ctx context.Context, s plugins.Session, changeID string) (plugins.State, time.Duration, error) {
	return timer(changeID).Status(ctx, s)
}

// FactoryReset implements plugins.Resetter: everything that was written since
// the image was flashed goes, packages and host keys too, and the device
// reboots.
func (d driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	f, err := d.Identify(ctx, s)
	if err != nil {
		return fmt.Errorf("factory reset: %w", err)
	}
	if len(f.Serials) == 0 || token == "" || f.Serials[0] != token {
		return fmt.Errorf("factory reset: %w", plugins.ErrWrongUnit)
	}
	out, err := s.Run(ctx, plugins.Command{Text: "firstboot -y && reboot", Write: true})
	switch {
	case errors.Is(err, plugins.ErrSessionLost):
		return nil // a device that reboots hangs up
	case err != nil:
		return fmt.Errorf("factory reset: %w", err)
	case out.End != plugins.EndCut && !out.OK():
		return errors.New("factory reset: firstboot refuses; is the root file system writable (no overlay)?")
	}
	return nil
}
