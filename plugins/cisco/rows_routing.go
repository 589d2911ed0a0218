package cisco

import (
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// OSPFTypes is which routes of OSPF are redistributed: "internal external 1".
func OSPFTypes() lens.Codec {
	// one returns how many words say one type.
	one := func(words []string) int {
		if len(words) == 0 || words[0] != "internal" && words[0] != "external" && words[0] != "nssa-external" {
			return 0
		}
		if words[0] != "internal" && len(words) > 1 && (words[1] == "1" || words[1] == "2") {
			return 2
		}
		return 1
	}
	split := func(words []string) (list []any, taken int) {
		for {
			n := one(words[taken:])
			if n == 0 {
				return list, taken
			}
			list = append(list, strings.Join(words[taken:taken+n], " "))
			taken += n
		}
	}
	return lens.Codec{
		Words: lens.Some,
		Take: func(words []syntax.Word) int {
			var text []string
			for _, w := range words {
				text = append(text, w.Text)
			}
			_, n := split(text)
			return n
		},
		Read: func(s string) ([]any, bool) {
			list, n := split(strings.Fields(s))
			for i, v := range list {
				if slices.Contains(list[:i], v) {
					return nil, false
				}
			}
			return []any{list}, n > 0
		},
		Write: func(v []any) (string, bool) {
			list, _ := v[0].([]any)
			var words []string
			for _, e := range list {
				s, _ := e.(string)
				if f := strings.Fields(s); one(f) != len(f) || len(f) == 0 || strings.Join(f, " ") != s {
					return "", false
				}
				words = append(words, s)
			}
			return strings.Join(words, " "), len(words) > 0
		},
	}
}

// RoutingCodecs are the statements of BGP and OSPF that the tree keeps as they
// are, in the words of IOS and those that EOS and NX-OS have beside them.
func RoutingCodecs() map[string]lens.Codec {
	return map[string]lens.Codec{
		"vrf-other": StatementCodec("rd auto", "route-target both auto", "route-target both auto ...", "route-target import ...", "route-target export ...", "route-target both ...", "import map ...", "export map ...", "import ipv4 ...",
			"import ipv6 ...", "export ipv4 ...", "export ipv6 ...", "import route-policy ...", "export route-policy ...", "import from ...", "export to ...", "maximum routes ...", "maximum prefix ...", "bgp next-hop ...", "import path ...", "import vrf ...",
			"export vrf ...", "vpn id ...", "vnid ...", "mode big", "fallback-vrf ...", "evpn-route-sync ...", "mdt ...", "ip domain-name ...", "ip name-server ...", "ip multicast ...", "ip pim ...", "ip igmp ...", "ipv6 pim ...", "shutdown", "remote-route-filtering disable"),
		"as-numbers": Many(lens.Builtin()["asn"]),
		"bgp-other": StatementCodec("bgp advertise-best-external", "bgp aggregate-timer ...", "bgp asnotation dot", "bgp bestpath ...", "bgp bmp ...", "bgp client-to-client reflection",
			"bgp client-to-client reflection ...",
			"bgp consistency-checker ...", "bgp convergence ...", "bgp default ...", "bgp dmzlink-bw", "bgp enforce-first-as", "bgp fast-external-fallover", "bgp graceful-restart ...",
			"bgp graceful-shutdown ...",
			"bgp listen limit ...", "bgp maxas-limit ...", "bgp maxcommunity-limit ...", "bgp mpls-local-label", "bgp nopeerup-delay ...", "bgp refresh ...", "bgp regexp deterministic",
			"bgp route-map priority", "bgp route-reflector ...",
			"bgp rpki server ...", "bgp scan-time ...", "bgp slow-peer ...", "bgp sso ...", "bgp suppress-inactive", "bgp transport ...", "bgp update-delay ...", "bgp update-group ...",
			"bgp upgrade-cli ...", "bgp redistribute-internal",
			"bgp next-hop-unchanged", "bgp advertise-inactive", "bgp auto-local-addr", "bgp missing-policy ...", "bgp session ...", "bgp skip ...", "bgp trace ...", "bgp monitoring",
			"bgp host-routes ...", "bgp peer-mac-resolution-timeout ...", "bgp labeled-unicast ...", "bgp inactivity-timer ...", "bgp additional-paths ...", "bgp control-plane-filter ...",
			"update wait-for-convergence", "update wait-install", "update wait-install ...", "rib-fib ...", "no-synchronization",
			"graceful-restart ...", "graceful-restart-helper", "graceful-restart-helper ...", "distance bgp ...", "timers bgp ...", "ucmp ...", "dynamic peer max ...", "route-target ...",
			"bestpath ...", "dampen-igp-metric ...", "disable-policy-batching", "disable-policy-batching ...", "enforce-first-as", "event-history ...", "fast-external-fallover",
			"flush-routes", "graceful-shutdown ...",
			"isolate", "isolate ...", "low-memory exempt", "maxas-limit ...", "neighbor-down fib-accelerate", "nsr", "reconnect-interval ...", "suppress-fib-pending",
			"timers bestpath-limit ...", "timers prefix-peer-timeout ...", "timers prefix-peer-wait ...", "affinity-group ...",
			"allocate-index ...", "bmp-activate-server ...", "wait-for-rib", "default-information originate", "rd dual", "suppress-inactive", "wait-igp-convergence",
			"ibgp policy out enforce-modifications", "nexthop ...", "socket ...", "mpls activate", "mvpn",
			"update limit ...", "update in ...", "as-path-loopcheck ...", "bgp policy ...", "bgp install diversion", "bgp lpts-secure-binding", "bgp multipath ...", "bgp unsafe-ebgp-policy",
			"bgp origin-as ...", "bgp as-path-loopcheck", "bgp write-limit ...", "rpki ..."),
		"family-other": StatementCodec("auto-summary", "synchronization", "bgp aggregate-timer ...", "bgp advertise-best-external", "bgp bestpath ...", "bgp dmzlink-bw",
			"bgp inject-map ...", "bgp mpls-local-label", "bgp next-hop-unchanged", "bgp nexthop ...", "bgp recursion host",
			"bgp redistribute-internal", "bgp route-map priority", "bgp scan-time ...", "bgp slow-peer ...", "bgp soft-reconfig-backup", "bgp sourced-paths ...", "bgp suppress-inactive",
			"bgp update-group ...", "bgp route install-map", "bgp missing-policy ...",
			"bgp label ...", "bgp origin-as ...", "bgp attribute-download", "bgp client-to-client reflection ...", "bgp scan-time ...", "bgp import-delay ...", "bgp label-delay ...",
			"default-information originate", "distance ...", "distribute-list ...", "table-map ...", "import path ...", "export map ...", "import map ...",
			"retain route-target ...", "rewrite-evpn-rt-asn", "advertise ...", "advertise-only", "nexthop ...", "next-hop ...", "dampening ...", "dampen-igp-metric ...",
			"client-to-client reflection", "suppress-inactive", "wait-igp-convergence", "additional-paths ...", "advertise-pip", "advertise-system-mac",
			"export-gateway-ip", "allocate-label ...", "label mode ...", "label-allocation-mode ...", "dynamic-med ...", "permanent-network ...", "segmented-multicast", "inter-as install",
			"vrf all", "as-path-loopcheck ...", "optimal-route-reflection ...", "global-table-multicast", "route-target download", "host-flap ...", "route import match-failure ..."),
		"neighbor-other": StatementCodec("capability ...", "cluster-id ...", "dmzlink-bw", "dont-capability-negotiate", "dont-capability-negotiate ...", "enforce-first-as", "fall-over",
			"fall-over ...", "ha-mode ...", "inherit peer-session ...", "log-neighbor-changes ...", "path-attribute ...",
			"shutdown graceful ...", "slow-peer ...", "timers ...", "translate-update ...", "transport ...", "version ...", "local-as ...", "ebgp-multihop", "idle-restart-timer ...",
			"auto-local-addr", "bfd ...", "graceful-restart", "graceful-restart ...", "graceful-restart-helper", "graceful-restart-helper ...", "link-bandwidth", "link-bandwidth ...",
			"out-delay ...", "peer-tag ...", "rib-in pre-policy retain", "rib-in pre-policy retain ...", "route-to-peer", "session tracker ...", "missing-policy ...", "monitoring",
			"metric-out ...", "export-localpref ...", "import-localpref ...", "idle-hold-timer ...", "as-path ...", "next-hop resolution ...",
			"dynamic-capability", "low-memory exempt", "affinity-group ...", "bmp-activate-server ...", "maximum-peers ...", "logging neighbor-events", "peer-type ...",
			"ignore-connected-check", "precedence ...", "dscp ...", "tcp ...", "receive-buffer-size ...",
			"send-buffer-size ...", "session-open-mode ...", "additional-paths ...", "maximum-accepted-routes ...", "speaker-id ...", "egress-engineering", "internal-vpn-client",
			"allow-4octet-as", "idle-watch-time ...", "enforce-first-as ..."),
		"neighbor-family-other": StatementCodec("additional-paths ...", "advertise ...", "advertise-map ...", "aigp", "aigp ...", "allow-policy", "capability ...", "default-originate ...",
			"dmzlink-bw", "inherit peer-policy ...", "internal-vpn-client", "next-hop-self all", "next-hop-self ...", "next-hop-unchanged ...",
			"prefix-length-size ...", "remove-private-as ...", "route-server-client", "route-server-client ...", "send-label", "send-label ...", "slow-peer ...", "soo ...",
			"suppress-signaling-protocol ...", "unsuppress-map ...", "validation", "validation ...", "as-override ...", "allowas-in ...", "as-path-loopcheck out disable",
			"suppress-inactive", "disable-peer-as-check", "advertise-gw-ip", "next-hop-third-party", "next-hop address-family ...", "graceful-restart", "link-bandwidth", "link-bandwidth ...",
			"missing-policy ...", "rewrite-evpn-rt-asn", "export-originated-only",
			"multipath", "long-lived-graceful-restart ...", "accept-own", "signalling ...", "flowspec validation ...", "default-policy-action ...", "send-extended-community-ebgp",
			"send-community-gshut-ebgp", "send-multicast-attributes", "site-of-origin ...", "validation disable", "optimal-route-reflection ...",
			"remove-private-AS ..."),
		"area-other": StatementCodec("capability ...", "nssa ...", "stub ...", "sham-link ...", "virtual-link ...", "filter ...", "filter-list ...", "route-policy ...",
			"distribute-list ...", "mpls ...", "bfd ...", "cost-fallback ...", "fast-reroute ...", "segment-routing ...",
			"demand-circuit ...", "flood-reduction ...", "prefix-suppression ...", "translate ..."),
		"ospf-other": StatementCodec("adjacency ...", "bfd", "bfd ...", "capability ...", "compatible ...", "discard-route ...", "discard-route", "distance ...", "distribute-list ...",
			"domain-id ...", "domain-tag ...", "fast-reroute ...", "graceful-restart", "graceful-restart ...", "graceful-restart-helper", "ignore lsa mospf", "interface-id ...",
			"ispf", "limit ...", "local-rib-criteria ...", "log ...", "max-lsa ...", "max-metric ...", "maximum-prefix ...", "microloop ...", "mpls ...", "neighbor ...", "nsf", "nsf ...",
			"nsr", "nsr ...", "prefix-priority ...", "prefix-suppression", "process-min-time ...", "queue-depth ...", "segment-routing ...",
			"snmp ...", "spf ...", "table-map ...", "timers ...", "traffic-share ...", "ttl-security ...", "dn-bit-ignore", "point-to-point routes", "tunnel routes", "flush-routes", "isolate",
			"rfc1583compatibility", "down-bit-ignore", "lsa-group-pacing ...",
			"demand-circuit ...", "flood-reduction ...", "packet-size ...", "ucmp ...", "external-out ...", "exchange-timer ...", "link-down ...", "protocol shutdown", "summary-in ...",
			"default-weight ...", "apply-weight ...", "fips ..."),
	}
}
