package ios

import (
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/cisco"
)

// links is how IOS tells its ports. Any login may ask. CDP, which runs by
// itself on a unit without configuration, stands in for LLDP, which does not.
func links() cisco.Links {
	return cisco.Links{
		Driver: "ios", Kinds: kinds(), List: "show interfaces | include line protocol", Read: cisco.InterfaceStates,
		LLDP: "show lldp neighbors detail", CDP: "show cdp neighbors detail",
		Refused: func(out string) bool { _, refused := refusedWhole(out); return refused },
		Manages: manages,
	}
}

// managementVRF is the VRF in which the management port of a unit lies from the
// factory on.
var managementVRF = regexp.MustCompile(`^ (?:ip )?vrf forwarding Mgmt-(?:vrf|intf)$`)

// manages reports a port that is for management: the one that has no module
// number, or one in the VRF for it.
func manages(running, port string) bool {
	if port == "GigabitEthernet0" {
		return true
	}
	in := false
	for line := range strings.Lines(running) {
		line = strings.TrimRight(line, " \r\n")
		if !strings.HasPrefix(line, " ") {
			in = line == "interface "+port
		} else if in && managementVRF.MatchString(line) {
			return true
		}
	}
	return false
}
