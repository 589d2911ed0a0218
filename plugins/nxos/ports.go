package nxos

import "github.com/cfgvault/cfgvault/plugins/cisco"

// links is how NX-OS tells its ports. LLDP is a feature, CDP runs by itself.
func links() cisco.Links {
	return cisco.Links{
		Driver: "nxos", Kinds: kinds(), List: "show interface status", Read: cisco.InterfaceStatus,
		LLDP: "show lldp neighbors detail", CDP: "show cdp neighbors detail",
		Refused: func(out string) bool { _, refused := refusedWhole(out, false); return refused },
	}
}
