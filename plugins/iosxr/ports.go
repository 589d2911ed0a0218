package iosxr

import "github.com/cfgvault/cfgvault/plugins/cisco"

// links is how IOS-XR tells its ports. LLDP runs where it is configured.
func links() cisco.Links {
	return cisco.Links{
		Driver: "iosxr", Kinds: kinds(), List: "show interfaces brief", Read: cisco.InterfaceBrief,
		LLDP:    "show lldp neighbors detail",
		Refused: func(out string) bool { _, refused := refusedWhole(out); return refused },
	}
}
