// Package openwrt drives OpenWrt by SSH: it keeps the files that "sysupgrade
// -l" names, byte for byte, and puts them back under a dead-man on the device.
//
// The device's own way back, rpcd's "uci apply" with rollback, is not used: it
// knows only /etc/config, rewrites it without its comments, and an rpcd that
// restarts or a device that reboots meanwhile keeps the new files (rpcd,
// uci.c). The dead-man restores every file, and before the network starts if
// the device reboots.
//
// It does not install packages, enable services, upgrade firmware or write
// flash partitions; those of calibration data are kept as evidence and belong
// to one unit.
package openwrt

import (
	"context"
	"path"
	"strings"

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

// The artefacts that are evidence.
const (
	artBoard    = "board"
	artPackages = "packages"
	artServices = "services"
	artChanges  = "uci-changes"
)

const secretOption = `(?i)(?:option|list)\s+['"]?[a-z0-9_]*(?:key|passw(?:or)?d|passphrase|secret|psk|token|community|pincode)\d*['"]?\s+(.+)$`

func (driver) Info() plugins.Info {
	i := plugins.Info{
		Name: "openwrt", Version: "1.0.0", Vendor: "OpenWrt", Platform: "OpenWrt 19.07 and later",
		Tested: plugins.TestedSimulator,
		Notes: []string{
			"tested on a simulated device written from the sources of uci, procd and base-files; the dead-man's start-stop-daemon was tested with Debian's",
			"which packages are installed and which services are enabled is kept as evidence, and is not restored",
			"a unit without a serial number is known by the hardware address of eth0",
			"a time zone is rendered by name; LuCI sets the rule string that belongs to it",
			"the partitions of calibration data (art, factory, caldata) are kept and never written",
		},
		Capabilities: []plugins.Capability{plugins.CapRestore, plugins.CapAdapt, plugins.CapRender, plugins.CapFactoryReset},
		Options: []plugins.Option{
			{Name: optNoBoot, Text: "\"allow\": restore although nothing on the device could roll back after a reboot", Pattern: `^(allow|refuse)$`},
		},
		Transports: []plugins.Transport{plugins.TransportExec},
		Artefacts: []plugins.ArtefactSpec{
			{Name: "etc/config/network", Role: plugins.RoleFile, Required: true},
			{Name: "etc/config/system", Role: plugins.RoleFile, Required: true},
			{Name: artBoard, Command: "ubus call system board", Role: plugins.RoleState, Bind: plugins.BindVersion, Required: true},
			{Name: artPackages, Role: plugins.RoleState, Bind: plugins.BindVersion},
			{Name: artServices, Role: plugins.RoleState},
			{Name: artChanges, Command: "uci changes", Role: plugins.RoleState},
		},
		Secrets: []plugins.SecretRule{
			{ID: "option", Pattern: secretOption},
			{ID: "change", Artefact: artChanges, Pattern: `(?i)\.[a-z0-9_]*(?:key|passw(?:or)?d|passphrase|secret|psk|token|community|pincode)\d*[+-]?=(.+)$`},
			{ID: "shadow", Artefact: "etc/shadow", Pattern: `[A-Za-z0-9_.-]+:([^:]+):`},
			{ID: "shadow-diff", Pattern: `[A-Za-z0-9_.-]+:(\$[^:]+):`},
			{ID: "pem", Pattern: `BEGIN [A-Z ]*PRIVATE KEY`, Until: `END [A-Z ]*PRIVATE KEY`},
		},
		Rollback: plugins.RollbackDeadman,
	}
	for _, kind := range []string{"rsa", "dss", "ecdsa", "ed25519"} {
		i.Secrets = append(i.Secrets, plugins.SecretRule{ID: "host-key-" + kind, Artefact: "etc/dropbear/dropbear_" + kind + "_host_key", Pattern: `(.+)`})
	}
	return i
}

// secretFile reports whether a file holds secrets throughout.
func secretFile(name string) bool {
	dir, base := path.Split(name)
	return name == "etc/shadow" || strings.HasPrefix(base, "dropbear_") && strings.HasSuffix(base, "_host_key") ||
		dir == "etc/ssh/" && strings.HasPrefix(base, "ssh_host_") && !strings.HasSuffix(base, ".pub") || strings.HasSuffix(base, ".key")
}

// unitBound reports whether a file belongs to one unit only.
func unitBound(name string) bool {
	dir, base := path.Split(name)
	return dir == "etc/dropbear/" && strings.HasPrefix(base, "dropbear_") || dir == "etc/ssh/" && strings.HasPrefix(base, "ssh_host_") ||
		name == "etc/uhttpd.crt" || name == "etc/uhttpd.key" || strings.HasPrefix(name, "mtd/")
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
