// Package builtin is the explicit list of drivers linked into cfgvault. It
// starts nothing: plugins/host runs each as a process of its own.
package builtin

import (
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/eos"
	"github.com/cfgvault/cfgvault/plugins/frr"
	"github.com/cfgvault/cfgvault/plugins/ios"
	"github.com/cfgvault/cfgvault/plugins/linux"
)

// Drivers returns every built-in driver, sorted by name.
func Drivers() []plugins.Driver {
	return []plugins.Driver{eos.New(), frr.New(), ios.New(), linux.New()}
}

// Names returns the names of the built-in drivers, sorted.
func Names() []string {
	var names []string
	for _, d := range Drivers() {
		names = append(names, d.Info().Name)
	}
	return names
}

// Driver returns a built-in driver by name.
func Driver(name string) (plugins.Driver, bool) {
	for _, d := range Drivers() {
		if d.Info().Name == name {
			return d, true
		}
	}
	return nil, false
}
