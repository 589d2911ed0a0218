package nxos

import (
	"fmt"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// status is "show interface status".
func (b *box) status() string {
	rule := strings.Repeat("-", 80) + "\n"
	var out strings.Builder
	fmt.Fprintf(&out, "%s%-14s%-19s%-10s%-10s%-8s%-8s%s\n%s", rule, "Port", "Name", "Status", "Vlan", "Duplex", "Speed", "Type", rule)
	for _, s := range b.run.Top {
		name, ok := strings.CutPrefix(s.Text, "interface ")
		if !ok || strings.Contains(name, ".") {
			continue
		}
		description := "--"
		if d := statements.FindIn(s.Inner, "description"); d != nil {
			description = strings.TrimPrefix(d.Text, "description ")
		}
		state, duplex, speed, kind := "notconnec", "auto", "auto", "1000base-T"
		switch {
		case !strings.HasPrefix(name, "Ethernet") && name != "mgmt0":
			state, kind = "connected", "--"
		case b.d.Options().Neighbors[name] != "":
			state, duplex, speed = "connected", "full", "1000"
		}
		fmt.Fprintf(&out, "%-14s%-19.18s%-10s%-10s%-8s%-8s%s\n", short(name), description, state, "routed", duplex, speed, kind)
	}
	return out.String()
}

// short is how tables name a port.
func short(name string) string {
	return strings.NewReplacer("Ethernet", "Eth", "port-channel", "Po", "loopback", "Lo").Replace(name)
}

// lldp is "show lldp neighbors detail".
func (b *box) lldp() string {
	out := "Capability codes:\n  (R) Router, (B) Bridge, (T) Telephone, (C) DOCSIS Cable Device\n  (W) WLAN Access Point, (P) Repeater, (S) Station, (O) Other\nDevice ID            Local Intf      Hold-time  Capability  Port ID  \n\n"
	n := 0
	for _, p := range b.grammar.Ports {
		if peer, ok := b.d.Options().Neighbors[p]; ok {
			n++
			device, port := statements.Peer(peer)
			out += fmt.Sprintf("Chassis id: 0000.5e00.53%02x\nPort id: %s\nLocal Port id: %s\nPort Description: to us\nSystem Name: %s\nSystem Description: Simulated neighbor: one\nTime remaining: 97 seconds\nSystem Capabilities: B, R\nEnabled Capabilities: B, R\nManagement Address: 192.0.2.%d\nVlan ID: not advertised\n\n", n, port, short(p), device, n)
		}
	}
	return out + fmt.Sprintf("Total entries displayed: %d\n", n)
}

// cdp is "show cdp neighbors detail".
func (b *box) cdp() string {
	var out strings.Builder
	for _, p := range b.grammar.Ports {
		if peer, ok := b.d.Options().Neighbors[p]; ok {
			device, port := statements.Peer(peer)
			fmt.Fprintf(&out, "----------------------------------------\nDevice ID:%s(FDO00000001)\nSystem Name: %s\n\nInterface address(es):\n    IPv4 Address: 192.0.2.1\nPlatform: N9K-C93180YC-EX, Capabilities: Router Switch\nInterface: %s, Port ID (outgoing port): %s\nHoldtime: 133 sec\n\n", device, device, p, port)
		}
	}
	return out.String()
}
