package sonic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/deadman"
	"github.com/cfgvault/cfgvault/plugins/netdev"
)

func timer(changeID string) deadman.Timer {
	return deadman.Timer{ID: changeID, Sudo: true, StartupIsOld: true}
}

// The scripts run in the change's folder; its name is the checkpoint's.
const lib = `PATH=$PATH:/usr/local/bin; export PATH; id=${PWD##*/}; cp_name=cfgvault-$id
`

func scripts() deadman.Scripts {
	return deadman.Scripts{
		Prepare: lib + `config checkpoint "$cp_name" && [ -s "/etc/sonic/checkpoints/$cp_name.cp.json" ]` + "\n",
		Apply:   lib + "config replace \"$PWD/want.json\"\n",
		Rollback: lib + `config rollback "$cp_name" || exit 1
config delete-checkpoint "$cp_name" || true
`,
		// Routing reads its own files when it starts.
		Save: lib + deadman.FileLib + `config save -y || exit 1
if [ -s plan ]; then files_put && systemctl restart bgp || exit 1; fi
config delete-checkpoint "$cp_name" || true
sync
`,
	}
}

// Stage implements plugins.Restorer. The running configuration is restored;
// FRR's own files are put back by Confirm.
func (d driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (plugins.Diff, error) {
	fail := func(err error) (plugins.Diff, error) { return plugins.Diff{}, fmt.Errorf("stage: %w", err) }
	target, files, losses, err := chosen(want)
	if err != nil {
		return fail(err)
	}
	t := timer(changeID)
	means, err := deadman.Probe(ctx, s, true)
	if err != nil {
		return fail(fmt.Errorf("a restore needs root, or sudo without a password: %w", err))
	}
	now, err := d.Export(ctx, s)
	if err != nil {
		return fail(err)
	}
	if now.Verdict != plugins.Complete {
		return fail(fmt.Errorf("the switch's own configuration could not be read whole (%s)", now.Reasons[0].Code))
	}
	c, err := frrChange(now.Artefacts, files)
	if err != nil {
		return fail(err)
	}
	staged := append(c.Staged(), deadman.File{Name: "want.json", Data: target})
	if err := t.Stage(ctx, s, means, false, scripts(), staged); err != nil {
		return plugins.Diff{}, err
	}
	if err := check(ctx, s, t); err != nil {
		if !errors.Is(err, plugins.ErrSessionLost) && ctx.Err() == nil {
			err = errors.Join(err, t.Discard(ctx, s))
		}
		return fail(err)
	}
	diff := plugins.Diff{Text: udiff.Unified("running", "restored", string(now.Artefacts[0].Data), string(target)) + c.Text, Losses: losses}
	diff.Steps = []string{"config checkpoint cfgvault-" + changeID, "config replace with the restored database, under the dead-man that rolls back to the checkpoint", "on confirmation, config save"}
	for _, name := range c.Changed {
		diff.Steps = append(diff.Steps, "on confirmation, put back /"+name+" and restart routing")
	}
	if len(c.Changed) > 0 {
		diff.Disruptive = append(diff.Disruptive, "routing restarts when the change is confirmed")
	}
	if diff.Address = netdev.Moved(managed(now.Artefacts[0].Data), managed(target)); diff.Address != "" {
		diff.Disruptive = append(diff.Disruptive, "the management address moves to "+diff.Address+", every login ends")
	}
	if portsChange(now.Artefacts[0].Data, target) {
		diff.Disruptive = append(diff.Disruptive, "ports are created, removed or change their lanes: links flap")
	}
	return diff, nil
}

// managed are the addresses of the management port, of which a database holds
// "eth0|ADDRESS/LENGTH".
func managed(data []byte) []string {
	var db struct {
		Management map[string]json.RawMessage `json:"MGMT_INTERFACE"`
	}
	if json.Unmarshal(data, &db) != nil {
		return nil
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(db.Management)) {
		if _, address, ok := strings.Cut(key, "|"); ok {
			out = append(out, address)
		}
	}
	return out
}

// chosen takes out of want what is put back.
func chosen(want []plugins.Artefact) (target []byte, files []plugins.Artefact, losses []plugins.Loss, err error) {
	for _, a := range want {
		switch {
		case a.Name == artRunning:
			target = a.Data
		case a.Name == artSaved || a.Role == plugins.RoleState: // saved by the switch, or evidence
		case strings.HasPrefix(a.Name, frrFolder):
			a.Role = plugins.RoleFile
			files = append(files, a)
		default:
			losses = append(losses, plugins.Loss{Artefact: a.Name, Code: plugins.LossNotRestorable, Text: "this driver does not put " + a.Name + " back"})
		}
	}
	if !json.Valid(target) {
		return nil, nil, nil, fmt.Errorf("%w: it is no JSON", &plugins.RejectedError{Artefact: artRunning})
	}
	return target, files, losses, nil
}

// frrChange is what changes of FRR's files; nothing where the snapshot has none.
func frrChange(now, files []plugins.Artefact) (*deadman.FileChange, error) {
	if len(files) == 0 {
		return &deadman.FileChange{}, nil
	}
	var have []plugins.Artefact
	for _, a := range now {
		if strings.HasPrefix(a.Name, frrFolder) {
			a.Role = plugins.RoleFile
			have = append(have, a)
		}
	}
	return deadman.CompareFiles(have, files, func(name string) bool { return strings.HasPrefix(name, frrFolder) })
}

// portsChange reports whether the ports differ in more than settings.
func portsChange(now, want []byte) bool {
	lanes := func(data []byte) string {
		var db struct {
			Port map[string]struct{ Lanes, Speed string } `json:"PORT"`
		}
		if json.Unmarshal(data, &db) != nil {
			return ""
		}
		return fmt.Sprint(db.Port)
	}
	return lanes(now) != lanes(want)
}

const checkScript = lib + deadman.Frames + `
try() { config replace --dry-run "$PWD/want.json" 2>&1; }
f try try
echo @end
`

// check lets the switch compute the change without making it: YANG and the
// order of the steps.
func check(ctx context.Context, s plugins.Session, t deadman.Timer) error {
	out, err := s.Run(ctx, t.Script(checkScript))
	if err != nil {
		return err
	}
	p, err := deadman.Unframe(out.Stdout)
	if err != nil {
		if out.End == plugins.EndCut {
			err = fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
		}
		return err
	}
	if p.OK("try") {
		return nil
	}
	if strings.Contains(p.Text("try"), "No such command") || p["try"].Status == 127 {
		return fmt.Errorf("the switch has no config replace; it came with 202111: %w", errors.ErrUnsupported)
	}
	return &plugins.RejectedError{Artefact: artRunning, Text: p.Text("try")}
}

// Commit implements plugins.Restorer.
func (driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	_, err := timer(changeID).Commit(ctx, s, within)
	var step *deadman.StepError
	if errors.As(err, &step) && step.Step == "apply" {
		return fmt.Errorf("commit: %w: %w", step, &plugins.RejectedError{Artefact: artRunning, Text: step.Text})
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

// FactoryReset implements plugins.Resetter: config-setup writes a new
// configuration, and the switch reboots into it. Users, keys and FRR's files
// stay.
func (d driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	f, err := d.Identify(ctx, s)
	if err != nil {
		return fmt.Errorf("factory reset: %w", err)
	}
	if len(f.Serials) == 0 || token == "" || f.Serials[0] != token {
		return fmt.Errorf("factory reset: %w", plugins.ErrWrongUnit)
	}
	out, err := s.Run(ctx, plugins.Command{Text: `sh -c 'if [ "$(id -u)" = 0 ]; then exec sh -c "$1"; else exec sudo -n sh -c "$1"; fi' sh ` + deadman.Quote("config-setup factory && reboot"), Write: true})
	switch {
	case errors.Is(err, plugins.ErrSessionLost):
		return nil // a switch that reboots hangs up
	case err != nil:
		return fmt.Errorf("factory reset: %w", err)
	case out.End != plugins.EndCut && !out.OK():
		return fmt.Errorf("factory reset: config-setup or reboot fails: %w", plugins.ErrNotPermitted)
	}
	return nil
}
