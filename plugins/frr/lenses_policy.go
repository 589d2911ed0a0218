package frr

import (
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

const policy = "cfgvault-routing-policy:routing-policy/"

// policyCodecs are those of route maps and of the lists that they match by.
func policyCodecs() map[string]lens.Codec {
	name := lens.Word(func(s string) bool {
		return s != "prefix-list" && s != "prefix-len" && s != "address" && s != "type" && s != "any"
	}).Max(255)
	b := lens.Builtin()
	return map[string]lens.Codec{
		"name1":      cisco.Single(name),
		"interface1": cisco.Single(lens.Word(interfaceName)),
		"tag1":       cisco.Single(lens.Int(1, 4294967295)),
		"hop4":       cisco.Single(lens.Or(b["ip4"], lens.OneOf("peer-address", "unchanged"))),
		"hop6":       cisco.Single(lens.Or(b["ip6"])),
		"peer6":      cisco.Single(lens.OneOf("peer-address")),
		// "none" takes all of them away and is no community.
		"members":    members(),
		"metric":     metric(),
		"expression": b["line"].Max(512),
		"as-path":    asPath(),
		"ext-community": {
			Words: lens.Rest,
			Read:  func(s string) ([]any, bool) { return []any{[]any{s}}, extended(s) },
			Write: func(v []any) (string, bool) {
				list, _ := v[0].([]any)
				if len(list) != 1 {
					return "", false
				}
				s, _ := list[0].(string)
				return s, extended(s)
			},
		},
		"match-other": cisco.StatementCodec("ip address prefix-len ...", "ipv6 address prefix-len ...", "ip next-hop prefix-len ...", "ip next-hop address ...", "ipv6 next-hop address ...",
			"ip next-hop type ...", "ipv6 next-hop type ...", "ip route-source ...", "evpn ...", "rpki ...", "probability ...", "source-vrf ...", "source-instance ...", "alias ...", "metric ...",
			"tag ...", "ipv6 next-hop ...", "mac address ..."),
		"set-other": cisco.StatementCodec("aggregator as ...", "atomic-aggregate", "as-path exclude ...", "as-path replace ...", "as-path prepend last-as ...", "forwarding-address ...",
			"ipv6 next-hop local ...", "ipv6 next-hop prefer-global", "ip vpn next-hop ...", "vpnv4 next-hop ...", "vpnv6 next-hop ...", "label-index ...", "local-preference ...", "originator-id ...",
			"table ...", "sr-te color ...", "evpn ...", "community none", "large-community none", "extcommunity none", "metric ...", "l3vpn next-hop ..."),
	}
}

// members is "65001:1 65001:2" up to the word that says how they are set.
func members() lens.Codec {
	c := cisco.PolicyCodecs(nil)["communities"]
	read, write := c.Read, c.Write
	c.Read = func(s string) ([]any, bool) {
		if s == "none" {
			return nil, false
		}
		return read(s)
	}
	c.Write = func(v []any) (string, bool) {
		s, ok := write(v)
		return s, ok && s != "none"
	}
	return c
}

// asPath is AS numbers; "last-as" is one of the others.
func asPath() lens.Codec {
	as := cisco.Many(lens.Builtin()["asn"])
	line := lens.Line()
	line.Read = func(s string) ([]any, bool) { _, ok := as.Read(strings.Join(distinct(s), " ")); return []any{s}, ok }
	write := line.Write
	line.Write = func(v []any) (string, bool) {
		s, ok := write(v)
		if ok {
			_, ok = line.Read(s)
		}
		return s, ok && strings.Join(strings.Fields(s), " ") == s
	}
	return line
}

func distinct(s string) []string {
	f := strings.Fields(s)
	slices.Sort(f)
	return slices.Compact(f)
}

// metric is a metric, or what is added to it. Left out is "rtt", which is one
// of the others.
func metric() lens.Codec { return cisco.PolicyCodecs(nil)["metric"] }

// extended accepts communities of one kind, "rt 65001:1 65001:2".
func extended(s string) bool {
	kind, rest, _ := strings.Cut(s, " ")
	return (kind == "rt" || kind == "soo" || kind == "bandwidth") && rest != "" && len(s) <= 255 && strings.Join(strings.Fields(s), " ") == s && lens.Storable(s)
}

// routeMapRows are route maps. A second statement of one kind takes the place
// of the first, so that each names one list.
func routeMapRows() []lens.Row {
	const match, set = "./match/", "./set/"
	below := []lens.Row{{Text: "description $d:line", Set: "./description=$d"}}
	for _, r := range []struct{ text, leaf string }{
		{"ip address prefix-list", "prefix-list"}, {"ip address", "acl"}, {"ip next-hop prefix-list", "next-hop-prefix-list"}, {"ip next-hop", "next-hop-acl"},
		{"ipv6 address prefix-list", "prefix-list6"}, {"ipv6 address", "acl6"}, {"ipv6 next-hop prefix-list", "next-hop-prefix-list6"},
		{"extcommunity", "extended-community"}, {"as-path", "as-path"}, {"large-community", "large-community"},
	} {
		below = append(below, lens.Row{Text: "match " + r.text + " $x:name1", Set: match + r.leaf + "*=$x"})
	}
	below = append(below,
		lens.Row{Text: "match community $x:name1 exact-match", Set: match + "community*=$x " + match + "community-exact=true"},
		lens.Row{Text: "match community $x:name1", Set: match + "community*=$x"},
		lens.Row{Text: "match interface $x:interface1", Set: match + "interface*=$x"},
		lens.Row{Text: "match tag $x:tag1", Set: match + "tag*=$x"},
		lens.Row{Text: "match metric $n:0..4294967295", Set: match + "metric=$n"},
		lens.Row{Text: "match local-preference $n:0..4294967295", Set: match + "local-preference=$n"},
		lens.Row{Text: "match origin $o:one-of=igp|egp|incomplete", Set: match + "origin=$o"},
		lens.Row{Text: "match peer $p", Set: match + "peer=$p"},
		lens.Row{Text: "match source-protocol $p", Set: match + "source-protocol=$p"},
		lens.Row{Text: "match $o:match-other", Set: match + "other+=$o"},
		lens.Row{Text: "set local-preference $n:0..4294967295", Set: set + "local-preference=$n"},
		lens.Row{Text: "set metric $n:metric", Set: set + "metric=$n"},
		lens.Row{Text: "set metric-type $t:one-of=type-1|type-2", Set: set + "metric-type=$t"},
		lens.Row{Text: "set weight $n:0..65535", Set: set + "weight=$n"},
		lens.Row{Text: "set tag $n:1..4294967295", Set: set + "tag=$n"},
		lens.Row{Text: "set distance $n:1..255", Set: set + "distance=$n"},
		lens.Row{Text: "set origin $o:one-of=igp|egp|incomplete", Set: set + "origin=$o"},
		lens.Row{Text: "set as-path prepend $p:as-path", Set: set + "as-path-prepend=$p"},
		lens.Row{Text: "set ip next-hop $x:hop4", Set: set + "next-hop*=$x"},
		lens.Row{Text: "set ipv6 next-hop global $x:hop6", Set: set + "next-hop6*=$x"},
		lens.Row{Text: "set ipv6 next-hop $x:peer6", Set: set + "next-hop6*=$x"},
		lens.Row{Text: "set src $a:ip", Set: set + "source-address=$a"},
		lens.Row{Text: "set comm-list $l delete", Set: set + "community-delete=$l"},
		lens.Row{Text: "set large-comm-list $l delete", Set: set + "large-community-delete=$l"},
		lens.Row{Text: "set community $x:members $add?additive", Set: set + "community*=$x " + set + "community-additive=$add"},
		lens.Row{Text: "set large-community $x:members $add?additive", Set: set + "large-community*=$x " + set + "large-community-additive=$add"},
		lens.Row{Text: "set extcommunity $x:ext-community", Set: set + "extended-community*=$x"},
		lens.Row{Text: "set $o:set-other", Set: set + "other+=$o"},
		lens.Row{Text: "call $m", Set: "./call=$m"},
		lens.Row{Text: "on-match goto $n:1..65535", Set: "./continue=$n"},
		lens.Row{Text: "continue $n:1..65535", Set: "./continue=$n", ReadOnly: true},
		lens.Row{Text: "on-match next", Set: "./continue=0"},
		lens.Row{Text: "continue", Set: "./continue=0", ReadOnly: true},
	)
	return append([]lens.Row{{
		Text: "route-map $name $action:one-of=permit|deny $seq:1..65535", Set: policy + "route-map[name=$name]/entry[seq=$seq]/action=$action", End: "exit", Rows: below,
	}}, installationRows()...)
}

// installationRows are the policies on the way into the table.
func installationRows() []lens.Row {
	var rows []lens.Row
	for _, f := range []struct{ command, family string }{{"ip", "ipv4"}, {"ipv6", "ipv6"}} {
		place := policy + "installation[vrf=default][family=" + f.family + "][source=$src]"
		rows = append(rows, lens.Row{Text: f.command + " protocol $src route-map $map", Set: place + "/route-map=$map"})
	}
	return rows
}

// listRows are the lists that route maps match by. 8.4 numbers their entries;
// releases before 7.4 did not, and call the lists "ip".
func listRows() []lens.Row {
	var rows []lens.Row
	for _, k := range []struct{ command, list string }{
		{"community-list", "community-list"}, {"large-community-list", "large-community-list"}, {"extcommunity-list", "extended-community-list"},
	} {
		list := policy + k.list + "[name=$name]"
		entry := list + "/entry[match=$m][action=$action]"
		rows = append(rows,
			lens.Row{Text: "bgp " + k.command + " $kind:one-of=standard|expanded $name seq $seq:1..4294967295 $action:one-of=permit|deny $m:expression", Set: list + "/kind=$kind " + entry + "/seq=$seq"},
			lens.Row{Text: "bgp " + k.command + " $kind:one-of=standard|expanded $name $action:one-of=permit|deny $m:expression", Set: list + "/kind=$kind " + entry},
			lens.Row{Text: "bgp " + k.command + " $name:list-number seq $seq:1..4294967295 $action:one-of=permit|deny $m:expression", Set: list + "/kind=standard " + entry + "/seq=$seq", ReadOnly: true},
			lens.Row{Text: "bgp " + k.command + " $name:pattern-number seq $seq:1..4294967295 $action:one-of=permit|deny $m:expression", Set: list + "/kind=expanded " + entry + "/seq=$seq", ReadOnly: true})
		for _, old := range []struct{ kind, text string }{{"$kind", " $kind:one-of=standard|expanded $name"}, {"standard", " $name:list-number"}, {"expanded", " $name:pattern-number"}} {
			rows = append(rows, lens.Row{Text: "ip " + k.command + old.text + " $action:one-of=permit|deny $m:expression", Set: list + "/kind=" + old.kind + " " + entry, ReadOnly: true},
				lens.Row{Text: "bgp " + k.command + old.text + " $action:one-of=permit|deny $m:expression", Set: list + "/kind=" + old.kind + " " + entry, ReadOnly: true})
		}
	}
	const paths = policy + "as-path-list[name=$name]/entry[match=$m][action=$action]"
	return append(rows,
		lens.Row{Text: "bgp as-path access-list $name seq $seq:1..4294967295 $action:one-of=permit|deny $m:expression", Set: paths + "/seq=$seq"},
		lens.Row{Text: "bgp as-path access-list $name $action:one-of=permit|deny $m:expression", Set: paths},
		lens.Row{Text: "ip as-path access-list $name $action:one-of=permit|deny $m:expression", Set: paths, ReadOnly: true})
}

// accessRows are access lists. FRR filters routes by them, so that most name
// one prefix; those of two ends keep the words of IOS.
func accessRows() []lens.Row {
	var rows []lens.Row
	// What is not about a source alone is no entry of a list of prefixes: without
	// the rest it would match more.
	const narrower = "ENTRY/options=$x1 | ENTRY/source-port=$x2 | ENTRY/destination-port=$x3 | ENTRY/icmp=$x4 | ENTRY/established=true | ENTRY/fragments=true | ENTRY/dscp=$x5"
	for _, f := range []struct{ command, family, prefix string }{{"access-list", "ipv4", "prefix4"}, {"ipv6 access-list", "ipv6", "prefix6"}} {
		list := "cfgvault-acl:acls/acl[family=" + f.family + "][name=$name]"
		entry := list + "/entry[seq=$seq]"
		unless := strings.ReplaceAll(narrower, "ENTRY", entry)
		set := cisco.Facts(entry, "action=$action", "source=$src", "exact=$exact")
		text := " $action:one-of=permit|deny $src:any-" + f.prefix + " $exact?exact-match"
		rows = append(rows,
			lens.Row{Text: f.command + " $name seq $seq:1..4294967295" + text, Set: set, Unless: unless + " | " + entry + "/protocol=$x6 | " + entry + "/destination=$x7"},
			lens.Row{Text: f.command + " $name" + text, Set: set, ReadOnly: true, Count: "seq"},
			lens.Row{Text: f.command + " $name remark $t:line", Set: list + "/description=$t"})
		if f.family == "ipv6" {
			continue
		}
		both := cisco.Facts(entry, "action=$action", "protocol=ip", "source=$src", "destination=$dst") + " " + list + "/kind=extended"
		one := cisco.Facts(entry, "action=$action", "source=$src") + " " + list + "/kind=standard"
		const ends = " $action:one-of=permit|deny ip $src:endpoint $dst:endpoint"
		const source = " $action:one-of=permit|deny $src:endpoint-standard"
		rows = append(rows,
			lens.Row{Text: "access-list $name:extended-number seq $seq:1..4294967295" + ends, Set: both,
				Unless: unless},
			lens.Row{Text: "access-list $name:extended-number" + ends, Set: both, ReadOnly: true, Count: "seq"},
			lens.Row{Text: "access-list $name:standard-number seq $seq:1..4294967295" + source, Set: one, ReadOnly: true},
			lens.Row{Text: "access-list $name:standard-number" + source, Set: one, ReadOnly: true, Count: "seq"})
	}
	return rows
}
