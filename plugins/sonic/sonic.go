// Package sonic drives SONiC switches by SSH: it keeps CONFIG_DB and the files
// below /etc/sonic, and puts CONFIG_DB back with the Generic Config Updater
// under a dead-man on the switch.
//
// "config replace" has no lock and no way back of its own, and a change that
// fails half-way stays half-way: the dead-man rolls back to a checkpoint made
// before. config_db.json on disk stays the old one until Confirm, so that a
// reboot rolls back too.
//
// It does not handle multi-ASIC units, images, containers or local users (which
// are in /etc/shadow), and leaves FRR's own files, where routing is configured
// in split mode, to the confirmation.
package sonic

import (
	"context"

	"github.com/cfgvault/cfgvault/plugins"
)

// New returns the driver.
func New() plugins.Driver { return driver{} }

type driver struct{}

var (
	_ plugins.Restorer = driver{}
	_ plugins.Adapter  = driver{}
	_ plugins.Renderer = driver{}
	_ plugins.Resetter = driver{}
)

// The artefacts.
const (
	artRunning = "config-db"
	artSaved   = "etc/sonic/config_db.json"
	artVersion = "sonic-version"
	frrFolder  = "etc/sonic/frr/"
)

func (driver) Info() plugins.Info {
	return plugins.Info{
		Name: "sonic", Version: "1.0.0", Vendor: "SONiC", Platform: "SONiC 202111 and later (earlier and Enterprise: backup only)",
		Tested: plugins.TestedSimulator,
		Notes: []string{
			"tested on a simulated switch written from sonic-utilities; config_db.json of Enterprise SONiC 3.1 was read",
			"a restore needs root, or sudo without a password, and the Generic Config Updater (config replace)",
			"in split mode FRR's files are put back when the change is confirmed, and routing then restarts",
			"local users, image, certificates and host keys are not restored",
			"multi-ASIC units are backed up in part and not restored: each ASIC has a database of its own, which is not read",
			"tables without a YANG model cannot be changed by config replace; the switch says so when it stages",
		},
		Capabilities: []plugins.Capability{plugins.CapRestore, plugins.CapAdapt, plugins.CapRender, plugins.CapFactoryReset},
		Transports:   []plugins.Transport{plugins.TransportExec},
		Artefacts: []plugins.ArtefactSpec{
			{Name: artRunning, Command: "sonic-cfggen -d --print-data", Role: plugins.RoleRunning, Required: true, Terminator: `^\}$`},
			{Name: artSaved, Role: plugins.RoleStartup},
			{Name: frrFolder + "frr.conf", Role: plugins.RoleStartup},
			{Name: artVersion, Command: "cat /etc/sonic/sonic_version.yml", Role: plugins.RoleState, Bind: plugins.BindVersion},
			{Name: plugins.PortsArtefact, Role: plugins.RoleState},
		},
		Secrets: []plugins.SecretRule{
			{ID: "communities", Pattern: `"SNMP_(?:COMMUNITY|USER)": \{`, Until: `^[ +-]?    \},?$`},
			{ID: "field", Pattern: `(?i)"[A-Za-z0-9_-]*(?:passw(?:or)?d|passkey|secret|auth_key|_psk|community|token|primary_cak|fallback_cak|radius_key|tacacs_key)[A-Za-z0-9_-]*": "((?:[^"\\]|\\.)+)"`},
			{ID: "frr", Pattern: `\b(?:password|message-digest-key \d+ md5|authentication-key|key-string) (?:\d+ )?(\S.*)$`},
			{ID: "pem", Pattern: `BEGIN [A-Z ]*PRIVATE KEY`, Until: `END [A-Z ]*PRIVATE KEY`},
		},
		Rollback: plugins.RollbackDeadman,
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
