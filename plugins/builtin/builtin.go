// Package builtin is the explicit list of drivers linked into cfgvault, and of
// the profiles for platforms without one. It starts nothing: plugins/host runs
// each as a process of its own.
package builtin

import (
	"slices"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/eos"
	"github.com/cfgvault/cfgvault/plugins/frr"
	"github.com/cfgvault/cfgvault/plugins/ios"
	"github.com/cfgvault/cfgvault/plugins/iosxr"
	"github.com/cfgvault/cfgvault/plugins/junos"
	"github.com/cfgvault/cfgvault/plugins/linux"
	"github.com/cfgvault/cfgvault/plugins/nxos"
	"github.com/cfgvault/cfgvault/plugins/openwrt"
	"github.com/cfgvault/cfgvault/plugins/profile"
	"github.com/cfgvault/cfgvault/plugins/routeros"
	"github.com/cfgvault/cfgvault/plugins/sonic"
	"github.com/cfgvault/cfgvault/plugins/vyos"
)

// Drivers returns every built-in driver that is code, sorted by name.
func Drivers() []plugins.Driver {
	return []plugins.Driver{eos.New(), frr.New(), ios.New(), iosxr.New(), junos.New(), linux.New(), nxos.New(), openwrt.New(), routeros.New(), sonic.New(), vyos.New()}
}

// Profiles returns the names of the built-in profiles, sorted.
func Profiles() []string { return profile.Names() }

// Names returns the names of the built-in drivers and profiles, sorted.
func Names() []string {
	names := Profiles()
	for _, d := range Drivers() {
		names = append(names, d.Info().Name)
	}
	slices.Sort(names)
	return names
}

// Driver returns a built-in driver, or the profile, of that name.
func Driver(name string) (plugins.Driver, bool) {
	for _, d := range Drivers() {
		if d.Info().Name == name {
			return d, true
		}
	}
	p, err := profile.Open(name)
	return p, err == nil
}
