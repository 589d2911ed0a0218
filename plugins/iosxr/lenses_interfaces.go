package iosxr

import (
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func interfaceRows() []lens.Row {
	const place = "cfgvault-interfaces:interfaces/interface[name=$if]"
	const acl = "cfgvault-acl:acls/interface[name=$if]/"
	rows := []lens.Row{
		{Text: "description $d:line", Set: "./description=$d"},
		{Text: "shutdown", Set: "./enabled=false"},
		{Text: "no shutdown", Set: "./enabled=true"},
		{Text: "mtu $n:64..65535", Set: "./mtu=$n"},
		{Text: "mac-address $m:mac", Set: "./mac-address=$m"},
		{Text: "bandwidth $n:1..4294967295", Set: "./bandwidth=$n"},
		{Text: "load-interval $n:0..600", Set: "./load-interval=$n"},
		{Text: "speed $n:10..400000", Set: "./speed=$n"},
		{Text: "duplex $d:one-of=full|half", Set: "./duplex=$d"},
		{Text: "negotiation auto", Set: "./auto-negotiation=true"},
		{Text: "bundle id $g:portchannel mode $m:one-of=active|passive|on", Set: "./lag/member-of=$g ./lag/mode=$m"},
		{Text: "bundle minimum-active links $n:1..64", Set: "./lag/min-links=$n"},
		{Text: "lacp period short", Set: "./lag/lacp-rate=fast"},
		{Text: "vrf $vrf:vrf", Set: "./vrf=$vrf"},
		{Text: "ipv4 address dhcp", Set: "./ipv4/dhcp=true"},
		{Text: "ipv4 address $a:mask4 $sec?secondary", Set: "./ipv4/address[ip=$a.ip]/prefix-length=$a.length ./ipv4/address[ip=$a.ip]/secondary=$sec"},
		{Text: "ipv4 address $a:if4", Set: "./ipv4/address[ip=$a.ip]/prefix-length=$a.length", ReadOnly: true},
		{Text: "ipv4 unnumbered $u:ifname", Set: "./ipv4/unnumbered=$u"},
		{Text: "ipv4 mtu $n:68..65535", Set: "./ipv4/mtu=$n"},
		{Text: "ipv4 redirects", Set: "./ipv4/redirects=true"},
		{Text: "ipv4 unreachables disable", Set: "./ipv4/unreachables=false"},
		{Text: "proxy-arp", Set: "./ipv4/proxy-arp=true"},
		{Text: "ipv6 enable", Set: "./ipv6/enabled=true"},
		{Text: "ipv6 mtu $n:1280..65535", Set: "./ipv6/mtu=$n"},
		{Text: "ipv6 address $a:link-local link-local", Set: "./ipv6/link-local=$a"},
		{Text: "ipv6 address $a:if6 $eui?eui-64", Set: "./ipv6/address[ip=$a.ip]/prefix-length=$a.length ./ipv6/address[ip=$a.ip]/eui-64=$eui"},
		{Text: "ipv6 nd suppress-ra", Set: "./ipv6/advertise=false"},
		{Text: "ipv4 access-group $a ingress", Set: acl + "ipv4-in=$a"},
		{Text: "ipv4 access-group $a egress", Set: acl + "ipv4-out=$a"},
		{Text: "ipv6 access-group $a ingress", Set: acl + "ipv6-in=$a"},
		{Text: "ipv6 access-group $a egress", Set: acl + "ipv6-out=$a"},
		{Text: "encapsulation dot1q $v:1..4094 { second-dot1q $w:1..4094 }", Set: "./sub-interface/vlan-id=$v ./sub-interface/inner-vlan-id=$w"},
		{Text: "encapsulation dot1q $v:1..4094 exact", Set: "./sub-interface/vlan-id=$v", ReadOnly: true},
		{Text: "lldp", Rows: []lens.Row{
			{Text: "enable", Set: "cfgvault-lldp:lldp/interface[name=$if]/enabled=true"},
			{Text: "receive disable", Set: "cfgvault-lldp:lldp/interface[name=$if]/receive=false"},
			{Text: "transmit disable", Set: "cfgvault-lldp:lldp/interface[name=$if]/transmit=false"},
		}},
		{Text: "cdp", Set: "cfgvault-lldp:cdp/interface[name=$if]/enabled=true"},
	}
	rows = append(rows, cisco.InterfaceFeatures()...)
	set := place + " " + place + "/type=type-of($if) " + place + "/sub-interface/parent=parent-of($if)"
	return []lens.Row{
		{Text: "interface $if:ifname l2transport", Rows: rows, Set: set + " " + place + "/sub-interface/layer2=true"},
		{Text: "interface $if:ifname", Rows: rows, Set: set},
		// A port whose card is not there yet.
		{Text: "interface preconfigure $if:ifname", Rows: rows, Set: set, ReadOnly: true},
	}
}

// features are statements of the whole device that the tree keeps as they are.
func features() []string {
	return []string{
		"ssh server vrf ...", "ssh server netconf vrf ...", "ssh server netconf port ...", "ssh server rate-limit ...", "ssh server session-limit ...", "ssh timeout ...", "ssh server logging",
		"ssh client ...", "telnet vrf ...", "telnet ipv4 server ...", "http client ...", "tftp client ...", "ftp client source-interface ...", "xml agent tty", "netconf agent tty", "netconf-yang agent ssh",
		"service timestamps ...", "clock summer-time ...", "domain vrf ...", "logging archive ...", "logging events ...", "logging correlator ...", "logging suppress ...", "logging format ...",
		"logging hostnameprefix ...", "logging history ...", "logging local...", "snmp-server vrf ...", "snmp-server ifindex persist", "snmp-server ifmib ...", "snmp-server packetsize ...",
		"snmp-server trap-source ...", "snmp-server engineID ...", "snmp-server queue-length ...", "snmp-server view ...", "snmp-server group ...", "snmp-server mibs ...", "snmp-server entityindex persist",
		"ipv4 netmask-format ...", "ipv4 unnumbered mpls ...", "ipv4 virtual address ...", "ipv4 conflict-policy ...", "ipv6 conflict-policy ...", "ipv4 source-route", "ipv6 source-route",
		"hw-module ...", "fpd auto-upgrade ...", "install ...", "load-balancing ...", "cef ...", "aaa accounting system ...", "aaa default-taskgroup ...", "icmp ipv4 ...", "tcp ...",
		"snmp-server chassis-id ...", "snmp-server community-map ...", "snmp-server context ...", "snmp-server contextmap ...", "snmp-server correlator ...", "snmp-server drop ...", "snmp-server inform ...", "snmp-server ipv4 ...", "snmp-server ipv6 ...", "snmp-server logging ...", "snmp-server mib ...", "snmp-server mroutemib ...",
		"snmp-server notification-log-mib ...", "snmp-server oid-poll-stats", "snmp-server overload-control ...", "snmp-server target ...", "snmp-server throttle-time ...", "snmp-server timeouts ...", "snmp-server trap ...", "snmp-server trap-timeout ...", "snmp-server trap link ...", "snmp-server interface ...",
		"logging file ...", "logging ipv4 ...", "logging ipv6 ...", "logging localfilesize ...", "logging source-interface ...", "logging disk ...", "logging container ...", "logging esm ...", "logging vrf ...", "logging tls-server ...",
		"domain ipv4 ...", "domain ipv6 ...", "domain lookup ...", "ipv4 assembler ...", "ipv4 virtual ...", "ipv6 virtual ...", "ipv6 hop-limit ...", "ipv6 path-mtu ...", "ipv6 nd ...", "ipv4 path-mtu ...", "bfd ...", "ethernet ...", "frequency ...", "nv ...", "pce ...",
		"vty-pool ...", "lacp system ...", "lldp ...", "cdp ...", "nsr process-failures switchover", "process ...", "cinetd rate-limit ...", "lpts ...", "banner-length ...",
		"performance-mgmt ...", "taskgroup ...", "configuration ...", "mpls oam", "mpls label ...", "forwarding-profile ...", "controller ...", "virtual-address ...", "linux networking",
	}
}

func portFeatures() []string {
	return []string{
		"carrier-delay ...", "dampening", "dampening ...", "logging events ...", "flow-control ...", "loopback ...", "l2transport", "service-policy ...", "ipv4 verify ...", "ipv6 verify ...",
		"ipv4 point-to-point", "ipv4 directed-broadcast", "ipv4 tcp-mss-adjust ...", "ipv6 nd ...", "arp ...", "local-proxy-arp", "flow ipv4 ...", "flow ipv6 ...", "flow mpls ...", "monitor-session ...",
		"lacp ...", "bundle ...", "mpls mtu ...", "ethernet ...", "rewrite ...", "tunnel ...", "ptp", "frequency synchronization", "host-routing", "tcp mss-adjust ...", "fec ...", "transceiver ...",
		"dot1q native vlan ...", "dot1q vlan ...", "ipv4 ttl-propagate ...", "ipv4 bgp ...", "ipv6 bgp ...", "ipv4 forwarding-enable", "ipv6 address autoconfig", "ipv6 address dhcp", "ipv4 helper-address ...", "port-mode ...",
		"logging ...", "source-interface ...", "priority-flow-control ...", "cdp", "mac-accounting ...", "load-sharing ...", "breakout ...", "macsec ...", "dwdm ...", "bfd ...", "negotiation ...",
		"punt ...", "secondary-alarm ...", "media-type ...", "keepalive ...", "encapsulation ...",
	}
}
