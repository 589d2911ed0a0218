package junos

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
)

const fw = "cfgvault-firewall:firewall/"

// labels are statements of two words whose second is kept behind the first,
// "protocol=tcp": conditions and actions that have no order.
func labels() []string {
	return strings.Fields("source-address destination-address address source-prefix-list destination-prefix-list prefix-list protocol protocol-except next-header payload-protocol " +
		"source-port destination-port port source-port-except destination-port-except tcp-flags icmp-type icmp-type-except icmp-code dscp precedence traffic-class fragment-flags fragment-offset packet-length ttl hop-limit " +
		"ip-options interface interface-group interface-set ether-type source-mac-address destination-mac-address user-vlan-id vlan learn-vlan-id loss-priority forwarding-class " +
		"reject count policer routing-instance port-mirror-instance next-interface next-ip next-ip6 three-color-policer " +
		"application source-identity source-zone destination-zone log system-services protocols screen dscp-code-point " +
		"origin preference preference2 metric2 tag2 color color2 priority source-class destination-class class bgp-output-queue-priority cos-next-hop-map install-nexthop level local-preference next-hop rib route-type area instance external-type " +
		"from-zone from-interface to-zone to-interface pool prefix alarm-threshold attack-threshold source-threshold destination-threshold timeout " +
		"rib-group as-path-group damping load-balance default-action as-path-expand multicast-scope route-distinguisher community-count large-community-count state nexthop-ip lsp")
}

// kept makes a row for each statement of two words that is kept in a
// leaf-list.
func kept(leaf string, names ...string) []lens.Row {
	var rows []lens.Row
	for _, n := range names {
		rows = append(rows, lens.Row{Text: n + " $x:=" + n, Set: leaf + "+=$x"})
	}
	return rows
}

// flags makes a row for each statement of one word.
func flags(leaf string, names ...string) []lens.Row {
	var rows []lens.Row
	for _, n := range names {
		rows = append(rows, lens.Row{Text: strings.ReplaceAll(n, "_", " "), Set: leaf + "+=" + n})
	}
	return rows
}

// firewallRows are the stateless filters: a rule is a term with a name.
func firewallRows() []lens.Row {
	filter := func(family string) lens.Row {
		place := fw + "filter[dialect=junos][kind=" + family + "][name=$f]"
		term := place + "/term[name=$t]"
		match, action := term+"/match", term+"/action"
		from := kept(match, strings.Fields("source-address destination-address address source-prefix-list destination-prefix-list prefix-list protocol protocol-except next-header payload-protocol source-port destination-port port "+
			"source-port-except destination-port-except tcp-flags icmp-type icmp-type-except icmp-code dscp precedence traffic-class fragment-flags fragment-offset packet-length ttl hop-limit ip-options interface interface-group interface-set "+
			"ether-type source-mac-address destination-mac-address user-vlan-id vlan learn-vlan-id loss-priority forwarding-class")...)
		from = append(from, flags(match, "tcp-established", "tcp-initial", "is-fragment", "first-fragment", "service-filter-hit")...)
		for _, n := range []string{"source-address", "destination-address", "address", "source-prefix-list", "destination-prefix-list", "prefix-list"} {
			from = append(from, lens.Row{Text: n + " $x:=not-" + n + " except", Set: match + "+=$x"})
		}
		then := append(flags(action, "accept", "discard", "reject", "log", "syslog", "sample", "next_term", "port-mirror"),
			kept(action, strings.Fields("reject count policer forwarding-class loss-priority routing-instance port-mirror-instance dscp next-interface next-ip next-ip6")...)...)
		return lens.Row{Text: "filter $f:policy", Set: place, Rows: []lens.Row{
			{Text: "interface-specific"},
			{Text: "term $t:policy", Set: term, Rows: []lens.Row{{Text: "from", Rows: from}, {Text: "then", Rows: then}, {Text: "then", Rows: nil, ReadOnly: true}}},
		}}
	}
	var rows []lens.Row
	for _, f := range []string{"inet", "inet6", "ethernet-switching", "any", "bridge"} {
		rows = append(rows, lens.Row{Text: "family " + f, Rows: []lens.Row{filter(f)}})
	}
	old := filter("inet") // without a family it is IPv4
	old.ReadOnly = true
	return []lens.Row{{Text: "firewall", Rows: append(rows, old)}}
}

// securityRows are the zones and policies of SRX.
func securityRows() []lens.Row {
	const zone = fw + "zone[dialect=junos][name=$z]"
	inbound := []lens.Row{{Text: "host-inbound-traffic", Rows: kept(zone+"/setting", "system-services", "protocols")}}
	policy := func(name string) []lens.Row {
		place := fw + "filter[dialect=junos][kind=security][name=" + name + "]"
		term := place + "/term[name=$t]"
		return []lens.Row{{Text: "policy $t:policy", Set: term, Rows: []lens.Row{
			{Text: "match", Rows: kept(term+"/match", "source-address", "destination-address", "application", "source-identity")},
			{Text: "then", Rows: append(flags(term+"/action", "permit", "deny", "reject", "count"), kept(term+"/action", "log")...)},
		}}}
	}
	address := fw + "object[dialect=junos][kind=address][name=$n]"
	book := []lens.Row{
		{Text: "address $n:policy $x:prefix", Set: address + "/setting+=$x"},
		{Text: "address $n:policy dns-name $x", Set: address + "/setting+=$x"},
		{Text: "address $n:policy", ReadOnly: true, Rows: []lens.Row{{Text: "$x:prefix", Set: address + "/setting+=$x"}}},
		{Text: "address-set $n:policy", Set: fw + "object[dialect=junos][kind=address-set][name=$n]", Rows: []lens.Row{
			{Text: "address $x:policy", Set: fw + "object[dialect=junos][kind=address-set][name=$n]/setting+=$x"},
		}},
	}
	return []lens.Row{
		{Text: "security", Rows: []lens.Row{
			{Text: "address-book global", Rows: book},
			{Text: "zones", Rows: []lens.Row{{Text: "security-zone $z:policy", Set: zone, Rows: append([]lens.Row{
				{Text: "description $d:text", Set: zone + "/description=$d"},
				{Text: "interfaces $i:if", Set: zone + "/interface+=$i", Rows: []lens.Row{{Text: "host-inbound-traffic", Rows: kept(fw+"object[dialect=junos][kind=zone-interface][name=$i]/setting", "system-services", "protocols")}}},
				{Text: "screen $x:=screen", Set: zone + "/setting+=$x"},
				flags(zone+"/setting", "tcp-rst")[0],
			}, inbound...)}}},
			screenRow(),
			{Text: "nat", Rows: []lens.Row{natRow("source"), natRow("destination"), natRow("static")}},
			{Text: "policies", Rows: []lens.Row{
				{Text: "global", Rows: policy("global")},
				{Each: fw + "forwarding[dialect=junos][from=$a][to=$b]", Rows: []lens.Row{
					{Text: "from-zone $a:zone to-zone $b:zone", Set: fw + "forwarding[dialect=junos][from=$a][to=$b] " + fw + "filter[dialect=junos][kind=security][name=$a.$b]", Rows: policy("$a.$b")},
				}},
			}},
		}},
		{Text: "applications", Rows: []lens.Row{
			{Text: "application $n:policy", Set: fw + "object[dialect=junos][kind=application][name=$n]",
				Rows: kept(fw+"object[dialect=junos][kind=application][name=$n]/setting", "protocol", "source-port", "destination-port", "icmp-type", "icmp-code")},
			{Text: "application-set $n:policy", Set: fw + "object[dialect=junos][kind=application-set][name=$n]", Rows: []lens.Row{
				{Text: "application $x:policy", Set: fw + "object[dialect=junos][kind=application-set][name=$n]/setting+=$x"},
			}},
		}},
	}
}

// screenRow is what a zone is protected from, as the factory configuration of
// SRX has it.
func screenRow() lens.Row {
	const screen = fw + "object[dialect=junos][kind=screen][name=$s]"
	rows := flags(screen+"/setting", "icmp_ping-death", "icmp_fragment", "icmp_large", "ip_source-route-option", "ip_tear-drop", "ip_bad-option", "ip_spoofing", "ip_block-frag", "tcp_land", "tcp_winnuke", "tcp_syn-fin", "tcp_fin-no-ack", "tcp_tcp-no-flag")
	for _, n := range []string{"alarm-threshold", "attack-threshold", "source-threshold", "destination-threshold", "timeout"} {
		rows = append(rows, lens.Row{Text: "tcp syn-flood " + n + " $x:=" + n, Set: screen + "/setting+=$x"})
	}
	return lens.Row{Text: "screen", Rows: []lens.Row{{Text: "ids-option $s:policy", Set: screen, Rows: rows}}}
}

// natRow is the rule sets of one kind of address translation.
func natRow(kind string) lens.Row {
	place := fw + "filter[dialect=junos][kind=nat-" + kind + "][name=$f]"
	term := place + "/term[name=$t]"
	rows := []lens.Row{
		{Text: "from zone $x:=from-zone", Set: place + "/setting+=$x"},
		{Text: "from interface $x:=from-interface", Set: place + "/setting+=$x"},
		{Text: "to zone $x:=to-zone", Set: place + "/setting+=$x"},
		{Text: "to interface $x:=to-interface", Set: place + "/setting+=$x"},
		{Text: "rule $t:policy", Set: term, Rows: []lens.Row{
			{Text: "match", Rows: kept(term+"/match", "source-address", "destination-address", "source-port", "destination-port", "protocol", "application")},
			{Text: "then " + kind + "-nat", Rows: []lens.Row{
				{Text: "interface", Set: term + "/action+=interface"},
				{Text: "off", Set: term + "/action+=off"},
				{Text: "pool $x:=pool", Set: term + "/action+=$x"},
				{Text: "prefix $x:=prefix", Set: term + "/action+=$x"},
			}},
		}},
	}
	return lens.Row{Text: kind, Rows: []lens.Row{{Text: "rule-set $f:policy", Set: place, Rows: rows}}}
}
