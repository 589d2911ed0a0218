package ios

// features are statements of the whole device that switch one function on or
// off, or set it to a word, and that the tree keeps as they are. None of them
// can hold a secret.
func features() []string {
	return []string{
		"service ...", "ip source-route", "ip bootp server", "ip cef", "ip cef distributed", "ipv6 cef", "ip gratuitous-arps", "ip finger",
		"ip icmp rate-limit unreachable", "ip tcp synwait-time ...", "ip tcp path-mtu-discovery", "ip bgp-community new-format", "ip classless", "ip subnet-zero",
		"ip multicast-routing", "ip multicast-routing distributed", "ip scp server enable", "ip http max-connections ...", "ip http timeout-policy ...",
		"ip http active-session-modules ...", "ip http secure-active-session-modules ...", "ip http client source-interface ...", "ip http secure-trustpoint ...",
		"ip ssh time-out ...", "ip ssh authentication-retries ...", "ip ssh source-interface ...", "ip ssh server algorithm ...", "ip ssh client algorithm ...",
		"ip tftp source-interface ...", "ip ftp source-interface ...", "ip ftp passive", "ip tacacs source-interface ...", "ip radius source-interface ...",
		"ip dhcp snooping", "ip dhcp snooping vlan ...", "ip dhcp snooping information option", "ip arp inspection vlan ...", "ip dhcp smart-relay",
		"ip dhcp bootp ignore", "ip dhcp excluded-address ...", "ip dhcp relay information ...", "ip nbar http-services", "ip igmp snooping", "ipv6 source-route",
		"ip default-gateway ...", "ip default-network ...", "ip domain round-robin", "ip domain lookup source-interface ...", "ip host ...", "ip pim ...",
		"ip nat translation ...", "ip local policy ...", "ip sla enable ...", "ip sla schedule ...", "ip device tracking ...", "ip routing protocol ...",
		"ipv6 nd ...", "ipv6 hop-limit ...", "ipv6 icmp error-interval ...", "ipv6 multicast-routing",
		"platform ...", "scheduler ...", "cdp log mismatch duplex", "cdp advertise-v2", "cdp timer ...", "cdp holdtime ...", "errdisable ...", "udld ...",
		"vtp mode ...", "vtp domain ...", "vtp version ...", "vtp pruning", "vtp interface ...", "system mtu ...", "system ignore startupconfig ...",
		"clock summer-time ...", "clock calendar-valid", "ntp authenticate", "ntp trusted-key ...", "ntp update-calendar", "ntp master ...", "ntp logging", "ntp access-group ...",
		"snmp-server ifindex persist", "snmp-server trap-source ...", "snmp-server source-interface ...", "snmp-server packetsize ...", "snmp-server queue-length ...",
		"snmp-server chassis-id ...", "snmp ifmib ifindex persist", "snmp mib persist cbqos",
		"logging rate-limit ...", "logging count", "logging userinfo", "logging origin-id ...", "logging event ...", "logging esm config", "logging on",
		"logging discriminator ...", "logging alarm ...", "logging snmp-authfail", "logging history ...", "logging file ...", "logging monitor",
		"license smart enable", "license smart transport ...", "license boot level ...", "license accept end user agreement", "netconf-yang", "netconf ssh", "restconf",
		"security passwords min-length ...", "security authentication failure rate ...", "login block-for ...", "login on-failure log", "login on-success log",
		"login quiet-mode ...", "login delay ...", "mls qos", "mls qos map ...", "mls qos srr-queue ...", "mls qos queue-set ...", "port-channel load-balance ...",
		"lacp system-priority ...", "lldp tlv-select ...", "spanning-tree uplinkfast", "spanning-tree backbonefast", "spanning-tree logging",
		"spanning-tree pathcost method ...", "spanning-tree etherchannel guard misconfig", "spanning-tree transmit hold-count ...", "switch ...", "sdm prefer ...",
		"stack-power ...", "stack-mac ...", "power redundancy-mode ...", "aaa authentication attempts ...", "aaa local authentication ...", "aaa accounting update ...",
		"aaa authorization console", "aaa authorization config-commands", "aaa accounting nested", "aaa local authentication attempts ...",
		"buffers ...", "memory ...", "process ...", "hw-module ...", "transceiver ...", "authentication mac-move permit", "dot1x system-auth-control", "access-session mac-move deny",
		"device-tracking ...", "boot system flash ...", "boot system switch ...", "file prompt quiet", "diagnostic ...", "facility-alarm ...", "mpls ip", "mpls label ...",
		"mpls ldp router-id ...", "mpls ldp graceful-restart", "mpls traffic-eng tunnels", "parser ...", "tacacs-server directed-request", "tacacs-server timeout ...",
		"radius-server attribute ...", "radius-server vsa ...", "radius-server dead-criteria ...", "radius-server deadtime ...", "radius-server timeout ...",
		"radius-server retransmit ...", "network-clock ...", "flow hardware usage ...", "bfd-template ...", "exec-timeout ...", "avb ...", "archive log ...",
		"no-summary ...", "fips ...", "monitor session ...", "cpu ...", "card type ...", "voice-card ...", "dialer-list ...", "virtual-service ...", "iox",
	}
}

// portFeatures are the same for one interface.
func portFeatures() []string {
	return []string{
		"mop enabled", "mop sysid", "keepalive", "keepalive ...", "carrier-delay ...", "delay ...", "logging event ...", "snmp trap ...", "udld port ...", "udld enable",
		"ip nat inside", "ip nat outside", "ip nat enable", "ip virtual-reassembly", "ip virtual-reassembly in", "ip mask-reply", "ip directed-broadcast", "ip local-proxy-arp",
		"ip route-cache", "ip route-cache ...", "ip verify ...", "ip policy route-map ...", "ip flow ingress", "ip flow egress", "ip flow monitor ...", "ip nbar ...",
		"ip accounting ...", "ip pim ...", "ip igmp ...", "ip dhcp snooping trust", "ip dhcp snooping limit ...", "ip dhcp relay ...", "ip arp inspection trust",
		"ip arp inspection limit ...", "ip summary-address ...", "ip hello-interval eigrp ...", "ip hold-time eigrp ...", "ip split-horizon", "ip split-horizon eigrp ...",
		"ip bandwidth-percent eigrp ...", "ip bgp ...", "ip mroute-cache", "ip cef accounting ...", "ip rip ...", "ip router isis", "ip router isis ...", "ip tcp ...",
		"ip ospf database-filter ...", "ip ospf flood-reduction", "ip ospf transmit-delay ...", "ip ospf retransmit-interval ...", "ip ospf demand-circuit",
		"ip ospf dead-interval minimal ...", "ip ospf shutdown", "ip ospf prefix-suppression", "ip urd", "ip wccp ...", "ip source binding ...", "ip inspect ...",
		"ipv6 nd ...", "ipv6 redirects", "ipv6 unreachables", "ipv6 ospf cost ...", "ipv6 ospf network ...", "ipv6 ospf priority ...", "ospfv3 network ...", "ospfv3 cost ...", "ipv6 eigrp ...", "ipv6 rip ...", "ipv6 pim ...", "ipv6 mld ...", "ipv6 dhcp relay ...",
		"ipv6 dhcp server ...", "ipv6 verify ...", "ipv6 tcp ...", "ipv6 router isis", "isis circuit-type ...", "isis metric ...",
		"isis network point-to-point", "isis ipv6 metric ...", "bfd interval ...", "bfd template ...", "bfd echo", "mpls ip", "mpls label protocol ldp", "mpls mtu ...",
		"mpls traffic-eng tunnels", "service-policy ...", "max-reserved-bandwidth ...", "random-detect", "fair-queue", "fair-queue ...", "hold-queue ...", "tx-ring-limit ...",
		"priority-queue ...", "srr-queue ...", "queue-set ...", "wrr-queue ...", "mls qos ...", "auto qos ...", "trust device ...", "qos trust ...", "storm-control ...",
		"switchport nonegotiate", "switchport port-security", "switchport port-security ...", "switchport protected", "switchport block ...", "switchport private-vlan ...",
		"switchport trunk pruning vlan ...", "switchport backup ...", "switchport priority ...", "switchport autostate exclude", "autostate", "macro description ...",
		"macro auto ...", "power inline ...", "power ...", "flowcontrol ...", "mdix auto", "lacp port-priority ...", "lacp max-bundle ...", "lacp fast-switchover",
		"port-channel load-defer", "lldp med-tlv-select ...", "lldp tlv-select ...", "cdp tlv ...", "authentication ...", "access-session ...", "dot1x pae ...",
		"dot1x timeout ...", "dot1x max-req ...", "mab", "mab eap", "device-tracking", "device-tracking ...", "source template ...", "spanning-tree vlan ...",
		"spanning-tree mst ...", "spanning-tree loopguard ...", "spanning-tree uplinkfast", "l2protocol-tunnel", "l2protocol-tunnel ...", "ethernet ...", "xconnect ...",
		"tunnel source ...", "tunnel destination ...", "tunnel mode ...", "tunnel vrf ...", "tunnel path-mtu-discovery", "tunnel ttl ...", "crypto map ...", "zone-member ...",
		"standby version ...", "standby use-bia", "standby delay ...", "vrrp delay ...", "nat64 ...", "dialer pool ...",
		"dialer-group ...", "dialer idle-timeout ...", "encapsulation ppp", "encapsulation hdlc", "encapsulation frame-relay", "ppp multilink", "ppp multilink ...",
		"ppp authentication ...", "clock rate ...", "serial restart-delay ...", "fec ...", "plim ...", "hold-time ...", "arp timeout ...", "cts manual", "energywise", "mka policy ...",
		"bridge-group ...", "pppoe enable", "pppoe enable ...", "pppoe-client ...", "peer default ip address ...", "member vni ...", "source-interface ...", "host-reachability ...",
		"transceiver ...", "speed auto ...", "vlan-range ...", "beacon", "nmsp ...", "remote-span", "private-vlan ...",
	}
}
