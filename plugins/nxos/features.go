package nxos

// features are statements of the whole device that switch one function on or
// off, or set it to a word, and that the tree keeps as they are. None of them
// can hold a secret.
func features() []string {
	return []string{
		"feature ...", "feature-set ...", "install feature-set ...", "password strength-check", "copp profile ...", "boot nxos ...", "boot system ...", "boot kickstart ...",
		"clock summer-time ...", "clock protocol ...", "system default switchport", "system default switchport ...", "system jumbomtu ...", "system routing template-...",
		"system vlan ...", "system nve ...", "system inband ...", "system qos", "hardware ...", "vlan dot1Q ...", "vtp mode ...", "vtp domain ...", "fabric forwarding ...",
		"ip routing ...", "ip arp ...", "ip dhcp relay", "ip dhcp relay ...", "ip dhcp snooping", "ip dhcp snooping ...", "service dhcp", "ipv6 dhcp relay", "ip igmp ...",
		"ip pim ...", "ip load-sharing ...", "ip tacacs source-interface ...", "ip radius source-interface ...", "ip ftp source-interface ...", "ip tftp source-interface ...",
		"ip source-route", "ip icmp-errors ...", "ip tcp ...", "ip community-list ...", "ip nat ...", "ipv6 nd ...", "nv overlay evpn", "nxapi ...", "no-more", "ssh key ...",
		"ssh login-attempts ...", "ssh idle-timeout ...", "telnet server enable", "errdisable ...", "udld ...", "lacp system-priority ...", "lldp tlv-select ...",
		"lldp dcbxp", "cdp timer ...", "cdp holdtime ...", "cdp advertise ...", "cdp format ...", "mac address-table ...", "port-channel load-balance ...", "power redundancy-mode ...",
		"spanning-tree pathcost ...", "spanning-tree port type network default", "spanning-tree loopguard ...", "spanning-tree bridge assurance", "spanning-tree mst ...",
		"ntp logging", "ntp master ...", "ntp authenticate", "ntp trusted-key ...", "ntp access-group ...", "logging level ...", "logging logfile ...", "logging timestamp ...",
		"logging module", "logging module ...", "logging event ...", "logging origin-id ...", "logging ip ...", "logging monitor", "logging rate-limit",
		"snmp-server source-interface ...", "snmp-server globalEnforcePriv", "snmp-server protocol ...", "snmp-server tcp-session", "snmp-server aaa-user ...",
		"aaa authentication login ascii-authentication", "aaa authentication login error-enable", "aaa authentication login console ...", "aaa accounting default ...",
		"aaa user default-role", "tacacs-server directed-request", "tacacs-server timeout ...", "tacacs-server deadtime ...", "radius-server timeout ...", "radius-server deadtime ...",
		"radius-server retransmit ...", "rmon ...", "license grace-period", "license smart ...", "track resolve-all", "terminal ...", "xml server ...",
		"poap transit", "l2vpn", "l3vpn", "interface breakout module ...", "rate-limit ...", "callhome", "vpc ...", "banner-length ...",
		"ntp passive", "ntp allow ...", "logging severity ...", "logging distribute", "logging abort", "logging timestamp", "lacp system-mac ...", "lldp portid-subtype ...", "ip access-list match-local-traffic", "ip adjacency ...", "ip amt ...", "ip auto-config", "ip ftp ...", "ip host ...", "ip http ...", "ip mfwd ...",
		"ip mroute ...", "ip multicast ...", "ip prefix-list sequence-number", "ip route static ...", "ip sla ...", "ip telnet ...", "ip ssh ...", "ip verify ...", "ip wccp ...", "ipv6 adjacency ...", "ipv6 dhcp ...", "ipv6 host ...", "ipv6 icmp ...", "ipv6 mld ...", "ipv6 neighbor ...", "ipv6 pim ...", "ipv6 route static ...", "ipv6 switch-packets ...",
		"mac-list ...", "msdp ...", "nve ...", "otv ...", "aaa authentication rejected ...", "cli alias ...", "cli var ...", "fcoe ...", "flex-link ...", "guestshell ...", "logging facility ...", "macsec ...", "mpls ...", "multicast ...", "port-security ...", "scheduler ...", "segment-routing ...",
		"snmp-server context ...", "snmp-server mib ...", "snmp-server counter ...", "snmp-server drop ...", "snmp-server engineID ...", "spanning-tree domain ...", "spanning-tree port type ...", "ssh ...", "system cli-timeout ...", "telnet ...", "vrrs ...",
		"icam ...", "congestion-control ...", "priority-flow-control ...", "qos statistics", "ngoam ...", "sflow ...", "fips mode enable", "hsrp anycast ...",
	}
}

// portFeatures are the same for one interface.
func portFeatures() []string {
	return []string{
		"beacon", "carrier-delay ...", "delay ...", "link debounce ...", "logging event ...", "snmp trap ...", "udld ...", "flowcontrol ...", "mdix auto", "fec ...", "priority-flow-control ...",
		"ip directed-broadcast", "ip port-unreachable", "ip local-proxy-arp", "ip verify ...", "ip policy route-map ...", "ip flow ...", "ip pim ...", "ip igmp ...", "ip forward",
		"ip dhcp snooping trust", "ip arp ...", "ip router eigrp ...", "ip router isis ...", "ip router rip ...", "ip summary-address ...", "ip passive-interface ...", "ip tcp ...",
		"ip ospf shutdown", "ip ospf advertise-subnet", "ip nat inside", "ip nat outside", "ip urpf ...", "ip load-sharing ...",
		"ipv6 nd ...", "ipv6 redirects", "bfd interval ...", "isis circuit-type ...", "isis metric ...", "isis network point-to-point", "ipv6 router ...", "ipv6 dhcp relay address ...", "ipv6 pim ...", "ipv6 mld ...", "bfd",
		"service-policy ...", "storm-control ...", "switchport monitor", "switchport isolated", "switchport autostate exclude", "switchport block ...", "switchport port-security",
		"switchport port-security ...", "switchport private-vlan ...", "switchport priority ...", "switchport host", "switchport vlan mapping ...", "switchport dot1q ...", "autostate",
		"vpc ...", "vpc orphan-port suspend", "lacp port-priority ...", "lacp suspend-individual", "lacp graceful-convergence", "lacp vpc-convergence", "lacp mode ...", "lacp max-bundle ...",
		"lldp tlv-set ...", "lldp dcbx ...", "spanning-tree mst ...", "spanning-tree bpdu...", "fabric forwarding mode anycast-gateway", "fabric forwarding ...", "fex associate ...",
		"hsrp version ...", "hsrp delay ...", "hsrp bfd", "hsrp use-bia", "source-interface ...", "host-reachability ...", "member vni ...", "global ...", "advertise virtual-rmac", "tunnel source ...",
		"tunnel destination ...", "tunnel mode ...", "management", "keepalive", "evpn multihoming ...", "ethernet-segment ...", "system nve ...", "no-more", "port-type ...", "buffer-boost",
		"ip router ospf multi-area ...", "ip ospf authentication key-chain ...", "ip ospf cost ...", "ip ospf prefix-suppression", "ip ospf network ...", "ip ospf bfd ...", "ip mtu ...", "ip mroute ...", "ip multicast ...", "ip mfwd ...", "ip wccp ...", "ip dvif",
		"ospfv3 shutdown", "ospfv3 ...", "ipv6 ospfv3 ...", "ipv6 verify ...", "ipv6 policy route-map ...", "ipv6 tcp ...", "bfd ...", "isis ...", "mpls ...", "mac port ...", "dot1x ...", "dhcp ...", "ttag", "ttag ...", "ttag-strip", "vrrpv3 ...", "xcvr ...", "itd ...", "inherit port-profile ...",
		"hardware ...", "queuing ...", "qos ...", "ptp", "ptp ...", "macsec keychain ...", "rate-mode ...", "layer3 ...", "bandwidth inherit", "encapsulation ...", "vtp",
	}
}
