// Package routeros drives MikroTik RouterOS by SSH exec and SFTP. A backup is
// the export with its secrets; a restore resets the configuration and lets the
// device run the export itself, under a scheduler that loads a binary backup
// unless the change is confirmed.
//
// RouterOS has no candidate, no transaction and no startup configuration: every
// change is on disk at once, and an import that fails stays half applied. Safe
// mode forgets a hundred actions, so that nothing but a whole backup is a way
// back. What no export holds – users, certificates, host keys, files, the
// databases of User Manager and Dude – is kept by a reset where it can be, and
// listed as lost where it cannot.
//
// The driver does not upgrade, does not touch licences and does not write
// binary backups of its own into the vault: they fit one unit and one release.
package routeros

import (
	"context"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// New returns the driver.
func New() plugins.Driver { return driver{pause} }

type driver struct {
	pause func(context.Context, time.Duration) error // passes the time in which the device is left alone
}

var (
	_ plugins.Restorer = driver{}
	_ plugins.Adapter  = driver{}
	_ plugins.Renderer = driver{}
	_ plugins.Resetter = driver{}
)

// The artefacts.
const (
	artExport = "export"
	artNames  = "not-exported"
)

const secretNames = `(?:[a-z0-9.-]*(?:password|passphrase|secret|pre-shared-key|preshared-key|private-key|wpa2?-key|-key-[0-9]|static-key-[0-9a-z]+|authentication-key|auth-key|encryption-key|ppp-secret|community)|key|tcp-md5-key)`

func (driver) Info() plugins.Info {
	return plugins.Info{
		Name: "routeros", Version: "1.0.0", Vendor: "MikroTik", Platform: "MikroTik RouterOS 6.43 and later, 7",
		Tested: plugins.TestedSimulator,
		Notes: []string{
			"tested on a simulated device written from help.mikrotik.com and recorded dialogues; exports of real devices were read",
			"a restore reboots the unit: its configuration is reset, then the export is run; users and passwords stay as they are on the unit",
			"certificates, files, User Manager and Dude are not in an export and are not restored; a reset removes certificates",
			"RouterOS has no startup configuration: a reboot before the confirmation keeps the change until the timer ends",
			"before 7.16 the device cannot check a script without running it: an error shows only after the commit, and the timer undoes it",
			"unconfirmed: whether a reset keeps the SSH host key; it is exported before and imported after",
			"a commit waits until the reset takes the connection; the timer begins only after the reboot, but whoever restores waits no longer than --within for all of it: by itself it is a minute and four for the reboot, which are a guess",
			"unconfirmed: how long a unit takes from the job to its reset, and from its first answer to the script of the reset; the driver gives it a minute, and 0.2 s were tried on the simulated device",
			"device-mode may forbid schedulers; then there is no restore",
		},
		Capabilities: []plugins.Capability{plugins.CapRestore, plugins.CapAdapt, plugins.CapRender, plugins.CapFactoryReset},
		Transports:   []plugins.Transport{plugins.TransportExec},
		Artefacts: []plugins.ArtefactSpec{
			{Name: artExport, Command: "/export show-sensitive", Role: plugins.RoleRunning, Required: true},
			{Name: artNames, Role: plugins.RoleState},
		},
		Volatile: []plugins.LineRule{
			{ID: "date", Pattern: `^# .* by RouterOS `, Why: "when the export was made (recorded, 6.49 and 7)"},
			{ID: "unit", Pattern: `^# (software id|model|serial number) ?=`, Why: "says which unit it is, and is no configuration (recorded, 6.49 and 7)"},
			{ID: "state", Pattern: `^# (inactive time|received packet from .* bad format|poe-out status: |.* not ready|Interface not active|Firmware upgraded successfully)`, Why: "what the unit knows of an item at this moment (recorded, 7.18; oxidized)"},
		},
		Secrets: []plugins.SecretRule{
			// A line may be broken behind the equals sign or inside the quotes.
			{ID: "wrapped", Pattern: `(?i)\b` + secretNames + `=("(?:[^"\\]|\\.)*\\|[^" ]*\\)$`, Until: `^[ +-]?(?:add|set|/|#)`},
			{ID: "attribute", Pattern: `(?i)\b` + secretNames + `=("(?:[^"\\]|\\.)*"?|[^" ]+)`},
			{ID: "snmp-name", Pattern: `addresses=\S+ .*\bname=(\S+)`},
			{ID: "open-password", Pattern: `(?i)password "([^"]+)"`},
		},
		Rollback: plugins.RollbackDeadman, RestartSeconds: 240,
	}
}

// Normalize implements plugins.Driver.
func (driver) Normalize(_ context.Context, f plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	return normalize(f, native)
}

// Render implements plugins.Renderer.
func (driver) Render(_ context.Context, tree []byte, onto plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	return render(tree, onto)
}

// Adapt implements plugins.Adapter.
func (driver) Adapt(_ context.Context, native []plugins.Artefact, from, to plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	return adapt(native, from, to, m)
}
