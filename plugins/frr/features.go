package frr

import (
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

// features are statements of the whole router that switch one function on or
// off, or set it to a word, and that the tree keeps as they are. None of them
// can hold a secret.
func features() []string {
	return []string{
		"frr defaults datacenter", "service password-encryption", "service advanced-vty", "service integrated-vtysh-config", "service cputime-stats", "service cputime-warning ...",
		"service walltime-warning ...", "log commands", "log record-priority", "log timestamp precision ...", "log unique-id", "log error-category", "log trap ...", "log-filter ...", "log immediate-mode",
		"banner motd ...", "debug ...", "agentx", "zebra ...", "fpm ...", "ip nht ...", "ipv6 nht ...", "ip router-id ...", "ipv6 router-id ...", "router-id ...", "ip multicast rpf-lookup-mode ...",
		"ip pim ...", "ip igmp ...", "ip ssmpingd", "ip ssmpingd ...", "ip msdp ...", "ipv6 pim ...", "ipv6 mld ...", "ip mroute ...", "ip import-table ...", "ipv6 import-table ...", "ip prefix-list sequence-number",
		"bgp route-map delay-timer ...", "bgp update-delay ...", "bgp graceful-shutdown", "bgp graceful-restart ...", "bgp session-dscp ...", "bgp input-queue-limit ...", "bgp output-queue-limit ...",
		"bgp community alias ...", "bgp send-extra-data ...", "mpls label ...", "mpls lsp ...", "vrrp ...", "allow-external-route-update", "domainname ...", "route-map optimization", "route-map ... optimization",
		"evpn mh ...", "nhrp ...", "babel ...", "isis ...", "access-list sequence-number", "tc ...", "affinity-map ...",
	}
}

// portFeatures are the same for one interface. What OSPF says of one address of
// it has that address behind the value; without one it is a leaf of the tree, of
// which there is one.
func portFeatures() []string {
	return []string{
		"link-detect", "multicast", "mpls enable", "mpls bandwidth ...", "ip router isis ...", "ipv6 router isis ...", "isis ...", "ip router openfabric ...", "ipv6 router openfabric ...", "openfabric ...",
		"ip pim", "ip pim ...", "ipv6 pim", "ipv6 pim ...", "ip igmp", "ip igmp ...", "ipv6 mld", "ipv6 mld ...", "ip multicast ...", "ip mroute ...", "ipv6 mroute ...", "ip rip split-horizon ...",
		"ip rip split-horizon", "ip rip receive ...", "ip rip send ...", "ip rip v2-broadcast", "ip rip authentication mode ...", "ip rip authentication key-chain ...", "ipv6 ripng ...", "ip nhrp network-id ...",
		"ip nhrp nhs ...", "ip nhrp map ...", "ip nhrp shortcut", "ip nhrp redirect", "ip nhrp registration ...", "ip nhrp holdtime ...", "ipv6 nhrp network-id ...", "tunnel source ...", "tunnel protection ...",
		"ipv6 nd ...", "evpn mh ...", "vrrp ...", "babel ...", "delay ...", "pbr-policy ...", "ip ospf dead-interval minimal ...", "ip ospf prefix-suppression",
		"ip ospf bfd ...", "ip ospf graceful-restart ...", "ip ospf capability ...", "ip ospf network point-to-point dmvpn", "ip ospf neighbor-filter ...", "ip ospf passive ...", "ip ospf cost * *",
		"ip ospf priority * *", "ip ospf authentication ...", "ip ospf area ...", "ipv6 ospf6 instance-id ...", "ipv6 ospf6 ifmtu ...", "ipv6 ospf6 advertise ...", "ipv6 ospf6 bfd ...", "ipv6 ospf6 graceful-restart ...",
		"ipv6 ospf6 authentication keychain ...", "ip ospf hello-interval * *", "ip ospf dead-interval * *", "ip ospf retransmit-interval * *", "ip ospf transmit-delay * *", "ip eigrp ...", "eigrp ...",
		"ip summary-address eigrp ...", "affinity ...", "affinity-mode ...", "gmp ...",
	}
}

// routingCodecs are the statements of BGP and OSPF that the tree keeps as they
// are.
func routingCodecs() map[string]lens.Codec {
	return map[string]lens.Codec{
		"as-numbers": cisco.Many(lens.Builtin()["asn"]),
		"bgp-other": cisco.StatementCodec("bgp always-compare-med", "bgp bestpath ...", "bgp client-to-client reflection", "bgp coalesce-time ...", "bgp conditional-advertisement timer ...", "bgp dampening",
			"bgp dampening ...", "bgp default ...", "bgp disable-ebgp-connected-route-check", "bgp fast-convergence", "bgp fast-external-failover", "bgp graceful-restart ...", "bgp graceful-restart-disable",
			"bgp graceful-shutdown", "bgp hard-administrative-reset", "bgp listen limit ...", "bgp long-lived-graceful-restart ...", "bgp lu-explicit-null", "bgp ipv4-explicit-null", "bgp labeled-unicast ...", "bgp max-med ...", "bgp minimum-holdtime ...",
			"bgp reject-as-sets", "bgp route-reflector allow-outbound-policy", "bgp session-dscp ...", "bgp shutdown", "bgp shutdown ...", "bgp suppress-duplicates", "bgp suppress-fib-pending", "bgp tcp-keepalive ...",
			"bgp update-delay ...", "bgp allow-martian-nexthop", "bgp default-originate timer ...", "bgp network import-check", "bgp srv6 ...", "update-delay ...", "write-quanta ...", "read-quanta ...", "coalesce-time ...",
			"vnc ...", "bgp enforce-first-as", "bgp confederation ...", "bgp deterministic-med", "bgp cluster-id ..."),
		"family-other": cisco.StatementCodec("import vpn", "export vpn", "rd vpn export ...", "rt vpn ...", "label vpn export ...", "route-map vpn ...", "nexthop vpn export ...", "import vrf ...", "rd ...", "route-target ...",
			"sid vpn ...", "sid export ...", "table-map ...", "nexthop prefer-global", "retain route-target all", "bgp dampening", "bgp dampening ...", "bgp nexthop-tracking ...", "distance ...", "advertise ...", "advertise-default-gw", "advertise-svi-ip", "advertise-pip", "advertise-pip ...",
			"default-originate ...", "dup-addr-detection", "dup-addr-detection ...", "flooding ...", "autort rfc8365-compatible", "ead-es-frag ...", "ead-es-route-target ...", "disable-ead-evi-rx", "disable-ead-evi-tx",
			"use-es-l3nhg", "rd vpn ...", "local-install ...", "aggregate-address ...", "redistribute ...", "maximum-paths ..."),
		"neighbor-other": cisco.StatementCodec("enforce-first-as", "override-capability", "dont-capability-negotiate", "strict-capability-match", "capability ...", "port ...", "solo", "tcp-mss ...",
			"timers delayopen ...", "local-role ...", "sender-as-path-loop-detection", "extended-optional-parameters", "graceful-restart", "graceful-restart-helper", "graceful-restart-disable", "graceful-shutdown",
			"shutdown rtt ...", "bfd ...", "ebgp-multihop", "path-attribute ...", "aigp", "as-loop-detection", "disable-link-bw-encoding-ieee", "oad", "rpki strict"),
		"neighbor-family-other": cisco.StatementCodec("addpath-tx-all-paths", "addpath-tx-bestpath-per-AS", "addpath-tx-best-selected ...", "addpath-rx-paths-limit ...", "disable-addpath-rx", "advertise-map ...",
			"attribute-unchanged", "attribute-unchanged ...", "capability orf prefix-list ...", "default-originate ...", "maximum-prefix-out ...", "maximum-prefix ...", "next-hop-self force", "next-hop-self all", "remove-private-AS ...",
			"route-server-client", "send-community", "send-community ...", "unsuppress-map ...", "as-override", "soo ...", "accept-own", "nexthop-local unchanged", "allowas-in origin", "encap ...", "damp ...", "dampening", "dampening ...", "graceful-shutdown"),
		"area-other": cisco.StatementCodec("virtual-link ...", "shortcut ...", "export-list ...", "import-list ...", "nssa ...", "stub ...", "flood-reduction"),
		"ospf-other": cisco.StatementCodec("ospf abr-type ...", "compatible rfc1583", "ospf rfc1583compatibility", "capability opaque", "ospf opaque-lsa", "timers ...", "max-metric ...", "mpls-te ...", "mpls ldp-sync", "mpls ldp-sync ...",
			"segment-routing ...", "router-info ...", "proactive-arp", "write-multiplier ...", "ospf write-multiplier ...", "graceful-restart", "graceful-restart ...", "distance ospf ...", "distance ospf6 ...", "distribute-list ...",
			"neighbor ...", "passive-interface ...", "fast-reroute ...", "ospf maxage-delay ...", "aggregation timer ...", "ospf send-extra-data ...",
			"stub-router ...", "neighbor ...", "socket ...", "refresh timer ..."),
	}
}
