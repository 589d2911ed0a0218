// Package frr drives FRRouting on Linux by SSH: it reads the running
// configuration through vtysh and puts it back with FRR's own frr-reload.py,
// under a dead-man on the device.
//
// Three kinds of login are known: one with a shell (groups frr and frrvty), one
// whose ForceCommand is vtysh, one whose login shell is vtysh. The last two can
// read the running configuration and nothing else; they cannot restore.
//
// It does not configure the Linux machine below FRR (package linux does), does
// not start or stop daemons, and does not handle per-daemon configuration files
// beyond keeping them.
package frr

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

// showVersion is the artefact that keeps what the daemons say of themselves.
const showVersion = "show-version"

// optDaemons names the daemons that must run, for logins that cannot read
// /etc/frr/daemons.
const optDaemons = "daemons"

func (driver) Info() plugins.Info {
	return plugins.Info{
		Name: "frr", Version: "1.1.0", Vendor: "FRRouting", Platform: "FRRouting 8 and later on Linux",
		Tested: plugins.TestedReal,
		Notes: []string{
			"tested with FRR 8.4.4 of Debian 12, behind its own sshd",
			"a restore needs a login with a shell in the groups frr and frrvty, and frr-pythontools on the device",
			"frr-reload.py hands commands to vtysh as arguments: for a moment other users of the device can see them, passwords included",
			"the host name is the machine's: FRR prints it and cannot set it",
			"a factory reset empties FRR's configuration; /etc/frr/daemons and the Linux machine below stay as they are",
			"with per-daemon configuration files (no service integrated-vtysh-config) a backup is complete, a restore is refused",
		},
		Capabilities: []plugins.Capability{plugins.CapRestore, plugins.CapAdapt, plugins.CapRender, plugins.CapFactoryReset, plugins.CapFacts},
		Options: []plugins.Option{{
			Name: optDaemons, Text: "daemons that must run, comma-separated, for a login that cannot read /etc/frr/daemons: zebra,bgpd",
			Pattern: `^[a-z0-9]+(,[a-z0-9]+)*$`,
		}},
		Transports: []plugins.Transport{plugins.TransportExec},
		Artefacts: []plugins.ArtefactSpec{
			{Name: runningConfig, Command: "show running-config", Role: plugins.RoleRunning, Required: true, Terminator: `^end$`},
			{Name: frrConf, Role: plugins.RoleStartup},
			{Name: daemonsFile, Role: plugins.RoleStartup},
			{Name: vtyshConf, Role: plugins.RoleStartup},
			{Name: showVersion, Command: "show version", Role: plugins.RoleState},
			{Name: plugins.PortsArtefact, Role: plugins.RoleState},
		},
		Volatile: []plugins.LineRule{
			{ID: "frame", Pattern: `^(Building configuration\.\.\.|Current configuration:|)$`, Why: "vtysh prints it around the configuration (measured, FRR 8.4.4)"},
			{ID: "frr-version", Pattern: `^frr version `, Why: "the daemons' own version, not a setting (measured, FRR 8.4.4)"},
			{ID: "machine-name", Pattern: `^hostname `, Why: "the name of the machine when the daemons started, and that which it has now if that is another; no hostname command changes it (measured, FRR 8.4.4)"},
		},
		Unordered: []plugins.LineRule{
			{ID: "lists", Artefact: runningConfig, Pattern: `^(ipv6 |mac )?access-list |^(ip|ipv6) prefix-list |^bgp (community|large-community|extcommunity)-list |^bgp as-path access-list `,
				Why: "printed in the order in which they were made; their entries have sequence numbers (measured, FRR 8.4.4)"},
			{ID: "route-maps", Artefact: runningConfig, Pattern: `^route-map \S+ (permit|deny) \d+$`, Why: "printed in the order in which they were made; entries have sequence numbers (measured, FRR 8.4.4)"},
		},
		Secrets: []plugins.SecretRule{
			{ID: "password", Pattern: `password (?:8 |clear |md5 )?(.+)$`},
			{ID: "md5-key", Pattern: `message-digest-key \d+ md5 (.+)$`},
			{ID: "authentication-key", Pattern: `authentication-key (.+)$`},
			{ID: "key-string", Pattern: `key-string (.+)$`},
			{ID: "rip", Pattern: `authentication string (.+)$`},
			{ID: "ospf6", Pattern: `ospf6 authentication key-id \S+ hash-algo \S+ key (.+)$`},
			{ID: "nhrp", Pattern: `nhrp authentication (.+)$`},
			{ID: "tcp-md5", Pattern: `tcp-md5-auth (.+)$`},
		},
		Rollback: plugins.RollbackDeadman,
	}
}

// Normalize implements plugins.Driver.
func (driver) Normalize(_ context.Context, f plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	return normalize(f, native)
}

// Adapt implements plugins.Adapter.
func (driver) Adapt(_ context.Context, native []plugins.Artefact, from, to plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	return adapt(native, from, to, m)
}

// Render implements plugins.Renderer.
func (driver) Render(_ context.Context, tree []byte, onto plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	return render(tree, onto)
}
