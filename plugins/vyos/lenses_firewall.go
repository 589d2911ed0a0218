package vyos

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
)

const fw = "cfgvault-firewall:firewall/"

// conditions are the statements of a rule whose last word is a value, by the
// words before it joined with "/": in rules of firewalls and of NAT, 1.3 to
// 1.5.
func conditions() []string {
	var out []string
	for _, side := range []string{"source", "destination"} {
		for _, leaf := range strings.Fields("address address-mask port mac-address fqdn geoip/country-code group/address-group group/network-group group/port-group group/mac-group group/domain-group group/dynamic-address-group") {
			out = append(out, side+"/"+leaf)
		}
	}
	return append(out, strings.Fields("protocol state state/established state/related state/new state/invalid log icmp/type icmp/code icmp/type-name icmpv6/type icmpv6/type-name inbound-interface inbound-interface/name inbound-interface/interface-name inbound-interface/group "+
		"inbound-interface/interface-group outbound-interface outbound-interface/name outbound-interface/interface-name outbound-interface/group tcp/flags tcp/mss tcp/flags/not limit/burst limit/rate recent/count recent/time hop-limit/eq ttl/eq connection-status/nat connection-mark dscp mark "+
		"packet-length packet-type ipsec fragment time/starttime time/stoptime time/weekdays jump-target queue log-options/level set/mark set/dscp set/tcp-mss set/table translation/address translation/port translation/options/address-mapping translation/options/port-mapping "+
		"translation/redirect/port default-jump-target offload-target synproxy/tcp/mss destination/group source/group set/connection-mark conntrack-helper add-address-to-group/source-address/address-group")...)
}

// ruleRows are what one rule says: its number is the name of a term.
func ruleRows(place string) []lens.Row {
	term := place + "/term[name=$n]"
	rows := []lens.Row{
		{Text: "description $d:text", Set: term + "/description=$d"},
		{Text: "disable", Set: term + "/enabled=false"},
		{Text: "action $a:word", Set: term + "/action+=$a"},
	}
	var changes []lens.Row
	for _, c := range conditions() {
		row := lens.Row{Text: strings.ReplaceAll(c, "/", " ") + " $x:=" + c, Set: term + "/match+=$x"}
		if rest, ok := strings.CutPrefix(row.Text, "set "); ok { // in a block: a line that begins with "set" would be a command
			row.Text = rest
			changes = append(changes, row)
			continue
		}
		rows = append(rows, row)
	}
	rows = append(rows, lens.Row{Text: "set", Rows: changes})
	for _, flag := range strings.Fields("log exclude tcp/flags/syn tcp/flags/ack tcp/flags/fin tcp/flags/rst tcp/flags/not/ack tcp/flags/not/syn tcp/flags/not/fin tcp/flags/not/rst ipsec/match-ipsec ipsec/match-none ipsec/match-ipsec-in ipsec/match-none-in fragment/match-frag fragment/match-non-frag") {
		rows = append(rows, lens.Row{Text: strings.ReplaceAll(flag, "/", " "), Set: term + "/match+=" + strings.ReplaceAll(flag, "/", "-")})
	}
	return []lens.Row{{Text: "rule $n:rule", Set: term, Rows: rows}}
}

// setRows are what a set of rules says.
func setRows(place string) []lens.Row {
	return append([]lens.Row{
		{Text: "description $d:text", Set: place + "/description=$d"},
		{Text: "default-action $a:word", Set: place + "/default-action=$a"},
		{Text: "default-log", Set: place + "/setting+=log"},
		{Text: "enable-default-log", Set: place + "/setting+=log", ReadOnly: true}, // 1.3
	}, ruleRows(place)...)
}

func filterPlace(kind, name string) string {
	return fw + "filter[dialect=vyos][kind=" + kind + "][name=" + name + "]"
}

// firewallRows are groups, sets of rules, zones, and NAT.
func firewallRows() []lens.Row {
	const group = fw + "object[dialect=vyos][kind=$k][name=$g]"
	const option = fw + "object[dialect=vyos][kind=global][name=$o]/setting+=$v"
	const zone = fw + "zone[dialect=vyos][name=$z]"
	members := []lens.Row{{Text: "description $d:text", Set: group + "/description=$d"}}
	for _, m := range strings.Fields("address network port mac-address interface include") {
		members = append(members, lens.Row{Text: m + " $x:=" + m, Set: group + "/setting+=$x"})
	}
	zones := []lens.Row{
		{Text: "description $d:text", Set: zone + "/description=$d"},
		{Text: "default-action $a:word", Set: zone + "/forward=$a"},
		{Text: "local-zone", Set: zone + "/setting+=local"},
		{Text: "member interface $i:if", Set: zone + "/interface+=$i", ReadOnly: true}, // 1.5
		{Text: "interface $i:if", Set: zone + "/interface+=$i"},
	}
	rows := []lens.Row{
		{Text: "global-options state-policy $o:word action $v:word", Set: fw + "object[dialect=vyos][kind=state-policy][name=$o]/setting+=$v"},
		{Text: "state-policy $o:word action $v:word", Set: fw + "object[dialect=vyos][kind=state-policy][name=$o]/setting+=$v", ReadOnly: true}, // 1.3
		{Text: "global-options $o:word $v:word", Set: option},
		{Text: "$o:one-of=all-ping|broadcast-ping|config-trap|ip-src-route|ipv6-receive-redirects|ipv6-src-route|log-martians|receive-redirects|send-redirects|source-validation|syn-cookies|twa-hazards-protection $v:word", Set: option, ReadOnly: true}, // 1.3
		{Text: "group", Rows: []lens.Row{
			{Text: "$k:one-of=address-group|ipv6-address-group|network-group|ipv6-network-group|port-group|mac-group|interface-group|domain-group $g:policy", Set: group, Rows: members},
		}},
		{Text: "zone $z:policy", Set: zone, Rows: zones},
		{Text: "name $f:policy", Set: filterPlace("ipv4", "$f"), Rows: setRows(filterPlace("ipv4", "$f")), ReadOnly: true},      // 1.3
		{Text: "ipv6-name $f:policy", Set: filterPlace("ipv6", "$f"), Rows: setRows(filterPlace("ipv6", "$f")), ReadOnly: true}, // 1.3
	}
	for _, family := range []string{"ipv4", "ipv6", "bridge"} {
		body := []lens.Row{{Text: "name $f:policy", Set: filterPlace(family, "$f"), Rows: setRows(filterPlace(family, "$f"))}}
		for _, hook := range []string{"forward filter", "input filter", "output filter", "output raw", "prerouting raw"} {
			place := filterPlace(family+"-hook", strings.ReplaceAll(hook, " ", "-"))
			body = append(body, lens.Row{Text: hook, Set: place, Rows: setRows(place)})
		}
		rows = append(rows, lens.Row{Text: family, Rows: body})
	}
	nat := func(word string) lens.Row {
		var sides []lens.Row
		for _, side := range []string{"source", "destination"} {
			sides = append(sides, lens.Row{Text: side, Rows: ruleRows(filterPlace(word, side))})
		}
		return lens.Row{Text: word, Rows: sides}
	}
	return []lens.Row{
		{Text: "firewall", Rows: rows},
		{Text: "zone-policy", ReadOnly: true, Rows: []lens.Row{{Text: "zone $z:policy", Set: zone, Rows: zones}}}, // 1.3
		nat("nat"), nat("nat66"),
	}
}

// policyRouteRows choose routing tables by rules.
func policyRouteRows() []lens.Row {
	var rows []lens.Row
	for _, word := range []string{"route", "route6"} {
		place := filterPlace("policy-"+word, "$f")
		binding := lens.Row{Text: "interface $x:=interface", Set: place + "/setting+=$x"}
		rows = append(rows, lens.Row{Text: word + " $f:policy", Set: place, Rows: append(setRows(place), binding)})
	}
	return rows
}
