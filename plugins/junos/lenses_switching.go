package junos

import (
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
)

// vlanRows: a VLAN is known by its name here and by its number in the tree.
func vlanRows() []lens.Row {
	const vlan = "cfgvault-vlans:vlans/vlan[id=$id]"
	const l3 = "cfgvault-interfaces:interfaces/interface[name=$l3]/sub-interface/vlan-id=vlan-of($n)"
	const port = "cfgvault-interfaces:interfaces/interface[name=$p]/switchport"
	body := []lens.Row{
		{Text: "vlan-id $id:1..4094", Set: vlan + " " + vlan + "/name=$n"},
		// That irb.10 routes for the VLAN; its own unit number says no more than that.
		{Text: "l3-interface $l3:logical", Set: l3},
		// Before ELS a VLAN could say which ports are in it.
		{Text: "interface $p:port", Set: port + "/trunk-vlan+=vlan-of($n)", If: port + "/mode=trunk", ReadOnly: true},
		{Text: "interface $p:port", Set: port + "/access-vlan=vlan-of($n)", ReadOnly: true},
	}
	domain := []lens.Row{
		{Text: "domain-type bridge", ReadOnly: true},
		{Text: "vlan-id $id:1..4094", Set: vlan + " " + vlan + "/name=$n", ReadOnly: true},
		{Text: "routing-interface $l3:logical", Set: l3, ReadOnly: true},
	}
	named := func(text string, rows []lens.Row, readOnly bool) lens.Row {
		return lens.Row{Text: text, ReadOnly: readOnly, Rows: []lens.Row{{Each: vlan + "/name=$n", Rows: []lens.Row{{Text: "$n:policy", Rows: rows}}}}}
	}
	voice := []lens.Row{{Text: "voip interface $p:port", Rows: []lens.Row{{Text: "vlan $v:one-vlan", Set: port + "/voice-vlan=$v"}}}}
	return []lens.Row{
		named("vlans", body, false), named("bridge-domains", domain, true), // of MX
		{Each: port + "/voice-vlan=$any", Rows: []lens.Row{{Text: "switch-options", Rows: voice}}},
		{Text: "ethernet-switching-options", ReadOnly: true, Rows: voice}, // before ELS
		{Text: "poe", Rows: []lens.Row{boilerplate("interface all", "poe", "the factory configuration of EX has it")}},
	}
}

// treeRows are the spanning tree: the protocol that is configured is the mode.
// What a port is to it is said per protocol, and rendered for the tree's mode.
func treeRows() []lens.Row {
	const stp = "cfgvault-stp:stp/"
	const port = stp + "interface[name=$i]"
	ports := []lens.Row{
		{Text: "interface all"},
		{Text: "interface $i:port", Set: port, Rows: []lens.Row{
			{Text: "edge", Set: port + "/edge=always"},
			{Text: "no-root-port", Set: port + "/guard=root"},
			{Text: "cost $n:1..200000000", Set: port + "/cost=$n"},
			{Text: "priority $n:0..240", Set: port + "/priority=$n"},
			{Text: "mode $t:one-of=point-to-point|shared", Set: port + "/link-type=$t"},
		}},
		{Text: "bpdu-block-on-edge", Set: stp + "bpdu-guard-default=true"},
	}
	priority := func(place string) lens.Row {
		return lens.Row{Text: "bridge-priority $p:bridge", Set: place + "/priority=$p"}
	}
	tree := func(word, mode string, rows ...lens.Row) lens.Row {
		is := stp + "mode=" + mode
		var body []lens.Row
		for _, r := range append(rows, ports...) {
			r.If = is
			body = append(body, r)
		}
		return lens.Row{Text: word, Set: is, Rows: body}
	}
	const instance = stp + "mst/instance[id=$m]"
	return []lens.Row{
		tree("rstp", "rstp", priority(strings.TrimSuffix(stp, "/"))),
		tree("stp", "stp", priority(strings.TrimSuffix(stp, "/"))),
		tree("mstp", "mstp", priority(strings.TrimSuffix(stp, "/")),
			lens.Row{Text: "configuration-name $n:text", Set: stp + "mst/name=$n"},
			lens.Row{Text: "revision-level $n:0..65535", Set: stp + "mst/revision=$n"},
			lens.Row{Text: "msti $m:1..64", Set: instance, Rows: []lens.Row{
				priority(instance),
				{Text: "vlan $v:vlan", Set: instance + "/vlan+=$v"},
			}}),
		tree("vstp", "rapid-pvst",
			lens.Row{Text: "vlan all", Rows: []lens.Row{priority(strings.TrimSuffix(stp, "/"))}},
			lens.Row{Text: "vlan $v:vlan-text", Set: stp + "vlan[vlans=$v]", Rows: []lens.Row{priority(stp + "vlan[vlans=$v]")}}),
	}
}

// bridgePriority is a number of 4096 steps, which Junos writes as "4k".
func bridgePriority() lens.Codec {
	n := lens.Int(0, 61440)
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			if k, ok := strings.CutSuffix(s, "k"); ok {
				v, err := strconv.Atoi(k)
				if err != nil || v > 60 {
					return nil, false
				}
				s = strconv.Itoa(v * 1024)
				if v%4 == 0 {
					s = strconv.Itoa(v / 4 * 4096)
				}
			}
			return n.Read(s)
		},
		Write: n.Write,
	}
}

// portOf is an interface, whose unit 0 older releases name.
func portOf() lens.Codec {
	word := lens.Word(func(s string) bool { return physical(s) && strings.ContainsAny(s, "0123456789") })
	return lens.Codec{
		Read:  func(s string) ([]any, bool) { return word.Read(strings.TrimSuffix(s, ".0")) },
		Write: word.Write,
	}
}

func lldpRows() []lens.Row {
	return []lens.Row{{Text: "lldp", Rows: []lens.Row{
		{Text: "interface all", Set: "cfgvault-lldp:lldp/enabled=true"},
		{Text: "interface all disable", Set: "cfgvault-lldp:lldp/enabled=false"},
		// A block of one says whether it is on only by what is in it.
		{Text: "interface all", ReadOnly: true, Rows: []lens.Row{{Text: "disable", Set: "cfgvault-lldp:lldp/enabled=false"}}},
		{Text: "interface $i:port", ReadOnly: true, Rows: []lens.Row{
			{Text: "disable", Set: "cfgvault-lldp:lldp/interface[name=$i]/enabled=false"},
		}},
		{Text: "interface $i:port", Set: "cfgvault-lldp:lldp/interface[name=$i]/enabled=true", Unless: "cfgvault-lldp:lldp/interface[name=$i]/enabled=false"},
		{Text: "interface $i:port disable", Set: "cfgvault-lldp:lldp/interface[name=$i]/enabled=false"},
		{Text: "advertisement-interval $n:5..32768", Set: "cfgvault-lldp:lldp/hello-timer=$n"},
	}}}
}
