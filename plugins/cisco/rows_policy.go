package cisco

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Facts are leaves below one place, the place itself first.
func Facts(place string, leaves ...string) string {
	out := []string{place}
	for _, l := range leaves {
		out = append(out, place+"/"+l)
	}
	return strings.Join(out, " ")
}

// OnOff are a statement and its "no" for one leaf.
func OnOff(text, leaf string) []lens.Row {
	return []lens.Row{{Text: text, Set: leaf + "=true"}, {Text: "no " + text, Set: leaf + "=false"}}
}

const aclEntry = "./entry[seq=$seq]"

// AccessEntries are the entries of an access list that is the place at hand.
// Releases differ in whether they print sequence numbers; they are always
// written.
func AccessEntries(endpoint string) []lens.Row {
	set := Facts(aclEntry, "action=$action", "protocol=$proto", "source=$src", "source-port=$sp", "destination=$dst", "destination-port=$dp",
		"icmp=$icmp", "established=$est", "fragments=$frag", "dscp=$dscp", "log=$log")
	const match = "$action:one-of=permit|deny $proto:acl-protocol $src:ENDPOINT { $sp:ports } $dst:ENDPOINT { $dp:ports } { $icmp:icmp } $est?established $frag?fragments { dscp $dscp }"
	text := strings.ReplaceAll(match, "ENDPOINT", endpoint)
	return entries(
		// Without what an entry says besides, it would match more.
		lens.Row{Text: text + " $log?log", Set: set, Unless: aclEntry + "/options=$any"},
		lens.Row{Text: text + " $opt:acl-options $log?log", Set: set + " " + aclEntry + "/options=$opt"})
}

// entries are written in the order of their numbers, remarks among them.
func entries(forms ...lens.Row) []lens.Row {
	numbered := []lens.Row{{Text: "$seq:1..4294967295 remark $t:line", Set: aclEntry + "/remark=$t"}}
	plain := []lens.Row{{Text: "remark $t:line", Set: aclEntry + "/remark=$t", ReadOnly: true, Count: "seq"}}
	for _, f := range forms {
		numbered = append(numbered, lens.Row{Text: "$seq:1..4294967295 " + f.Text, Set: f.Set, Unless: f.Unless})
		plain = append(plain, lens.Row{Text: f.Text, Set: f.Set, ReadOnly: true, Count: "seq"})
	}
	return append([]lens.Row{{Each: aclEntry, Rows: numbered}}, plain...)
}

// StandardEntries are the entries of a list that looks at sources only.
func StandardEntries() []lens.Row {
	return entries(lens.Row{Text: "$action:one-of=permit|deny $src:endpoint-standard $log?log", Set: Facts(aclEntry, "action=$action", "source=$src", "log=$log")})
}

// aclOptions is what an entry of an access list says besides, up to its last
// word if that is "log".
func aclOptions() lens.Codec {
	first := "ack fin psh rst syn urg match-all match-any time-range ttl tos precedence option reflect log-input packet-length capture counter nexthop1 default udf set police hop-limit flow-label routing dest-option " +
		"routing-type tracked http-method vlan flags +ack +fin +psh +rst +syn +urg -ack -fin -psh -rst -syn -urg dscp fragments established echo undetermined-transport"
	known := map[string]bool{}
	for w := range strings.FieldsSeq(first) {
		known[w] = true
	}
	take := func(words []syntax.Word) int {
		if !known[words[0].Text] {
			return 0
		}
		n := 1
		for n < len(words) && words[n].Text != "log" && words[n].Text != "sequence" {
			n++
		}
		return n
	}
	return lens.Codec{
		Words: lens.Some, Take: take,
		Read: func(s string) ([]any, bool) { return []any{s}, len(s) <= 255 && lens.Storable(s) },
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			words := syntax.Words(nil, s)
			return s, len(words) > 0 && len(s) <= 255 && lens.Storable(s) && strings.Join(strings.Fields(s), " ") == s && take(words) == len(words)
		},
	}
}

// Icmp is the codec of a message of ICMP in an entry: a name, or type and code.
func Icmp() lens.Codec {
	const names = "administratively-prohibited alternate-address beyond-scope conversion-error destination-unreachable dod-host-prohibited dod-net-prohibited dhaad-reply dhaad-request echo echo-reply echo-request " +
		"general-parameter-problem header host-isolated host-precedence-unreachable host-redirect host-tos-redirect host-tos-unreachable host-unknown host-unreachable information-reply " +
		"information-request mask-reply mask-request mld-query mld-reduction mld-report mld-v2-report mobile-redirect mpd-advertisement mpd-solicitation nd-na nd-ns neighbor-redirect net-redirect net-tos-redirect net-tos-unreachable " +
		"net-unreachable network-unknown next-header no-admin no-room-for-option no-route option-missing packet-too-big parameter-option parameter-problem port-unreachable precedence-unreachable " +
		"protocol-unreachable reassembly-timeout redirect renum-command renum-result renum-seq-number router-advertisement router-renumbering router-solicitation source-quench source-route-failed " +
		"time-exceeded timestamp-reply timestamp-request traceroute ttl-exceeded unreachable"
	known := map[string]bool{}
	for w := range strings.FieldsSeq(names) {
		known[w] = true
	}
	number := Number(0, 255)
	take := func(words []syntax.Word) int {
		if known[words[0].Text] {
			return 1
		}
		n := 0
		for n < len(words) && n < 2 {
			if _, ok := number.Read(words[n].Text); !ok {
				break
			}
			n++
		}
		return n
	}
	return lens.Codec{
		Words: lens.Some, Take: take,
		Read: func(s string) ([]any, bool) { return []any{s}, true },
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			words := syntax.Words(nil, s)
			return s, len(words) > 0 && strings.Join(strings.Fields(s), " ") == s && take(words) == len(words)
		},
	}
}

// RouteMaps are route maps. acl is the statement that names access lists:
// "match ip address", or "match ip address access-list" on EOS.
func RouteMaps(acl string) []lens.Row {
	const place = "cfgvault-routing-policy:routing-policy/route-map[name=$name]/entry[seq=$seq]"
	match, set := "./match/", "./set/"
	below := []lens.Row{{Text: "description $d:line", Set: "./description=$d"}}
	lists := func(text, leaf string) {
		below = append(below, lens.Row{Text: text + " $x:names", Set: match + leaf + "*=$x"})
	}
	lists("match ip address prefix-list", "prefix-list")
	lists("match ipv6 address prefix-list", "prefix-list6")
	lists("match ip next-hop prefix-list", "next-hop-prefix-list")
	lists("match ipv6 next-hop prefix-list", "next-hop-prefix-list6")
	lists(acl, "acl")
	lists(strings.Replace(acl, "ip address", "ipv6 address", 1), "acl6")
	lists(strings.Replace(acl, "ip address", "ip next-hop", 1), "next-hop-acl")
	below = append(below, lens.Row{Text: "match community $x:names-until $exact?exact-match", Set: match + "community*=$x " + match + "community-exact=$exact"})
	lists("match large-community", "large-community")
	lists("match extcommunity", "extended-community")
	lists("match as-path", "as-path")
	below = append(below,
		lens.Row{Text: "match interface $x:ifnames", Set: match + "interface*=$x"},
		lens.Row{Text: "match tag $x:numbers", Set: match + "tag*=$x"},
		lens.Row{Text: "match metric $n:0..4294967295", Set: match + "metric=$n"},
		lens.Row{Text: "match local-preference $n:0..4294967295", Set: match + "local-preference=$n"},
		lens.Row{Text: "match origin $o:one-of=igp|egp|incomplete", Set: match + "origin=$o"},
		lens.Row{Text: "match source-protocol $p:line", Set: match + "source-protocol=$p"},
		lens.Row{Text: "match route-type $x:names", Set: match + "route-type*=$x"},
		lens.Row{Text: "match $o:match-other", Set: match + "other+=$o"},
		lens.Row{Text: "set local-preference $n:0..4294967295", Set: set + "local-preference=$n"},
		lens.Row{Text: "set metric $n:metric", Set: set + "metric=$n"},
		lens.Row{Text: "set metric-type $t", Set: set + "metric-type=$t"},
		lens.Row{Text: "set weight $n:0..65535", Set: set + "weight=$n"},
		lens.Row{Text: "set tag $n:0..4294967295", Set: set + "tag=$n"},
		lens.Row{Text: "set distance $n:1..255", Set: set + "distance=$n"},
		lens.Row{Text: "set origin $o:one-of=igp|egp|incomplete", Set: set + "origin=$o"},
		lens.Row{Text: "set as-path prepend $p:line", Set: set + "as-path-prepend=$p"},
		lens.Row{Text: "set ip next-hop $x:hops", Set: set + "next-hop*=$x"},
		lens.Row{Text: "set ipv6 next-hop $x:hops6", Set: set + "next-hop6*=$x"},
		lens.Row{Text: "set comm-list $l delete", Set: set + "community-delete=$l"},
		lens.Row{Text: "set large-comm-list $l delete", Set: set + "large-community-delete=$l"},
		lens.Row{Text: "set large-community $x:communities $add?additive", Set: set + "large-community*=$x " + set + "large-community-additive=$add"},
		lens.Row{Text: "set extcommunity $x:extended-communities $add?additive", Set: set + "extended-community*=$x " + set + "extended-community-additive=$add"},
		lens.Row{Text: "set community $x:communities $add?additive", Set: set + "community*=$x " + set + "community-additive=$add"},
		lens.Row{Text: "set $o:set-other", Set: set + "other+=$o"},
		lens.Row{Text: "continue $n:1..65535", Set: "./continue=$n"},
		lens.Row{Text: "continue", Set: "./continue=0"},
	)
	return []lens.Row{{Text: "route-map $name $action:one-of=permit|deny $seq:0..65535", Set: place + "/action=$action", Rows: below}}
}

// PolicyCodecs are those of RouteMaps.
func PolicyCodecs(k Kinds) map[string]lens.Codec {
	ifname := lens.Codec{
		Read:  func(s string) ([]any, bool) { c, ok := k.Canonical(s); return []any{c}, ok },
		Write: func(v []any) (string, bool) { s, _ := v[0].(string); c, ok := k.Canonical(s); return s, ok && c == s },
	}
	reserved := lens.Word(func(s string) bool {
		switch s {
		case "prefix-list", "exact-match", "route-source", "additive", "exact", "list", "access-list", "flowspec", "delete", "recursive", "verify-availability", "redist-unchanged", "multicast", "any", "and", "or", "not-in":
			return false
		}
		return true
	})
	return map[string]lens.Codec{
		"names":                Many(reserved),
		"names-until":          until(Many(reserved), "exact-match"),
		"hops6":                Many(lens.Or(lens.Builtin()["ip6"], lens.OneOf("peer-address", "unchanged", "self"))),
		"extended-communities": extendedCommunities(),
		"match-other": StatementCodec("additional-paths ...", "aggregate-role ...", "as-number ...", "community ...", "extcommunity ...", "evpn ...", "flowspec ...", "interface ...", "invert-result ...", "ip address ...", "ip flowspec ...",
			"ip multicast ...", "ip next-hop ...", "ip precedence ...", "ip redistribution-source ...", "ip resolved-next-hop ...", "ip route-source ...", "ipv6 address ...", "ipv6 flowspec ...", "ipv6 multicast ...", "ipv6 next-hop ...",
			"ipv6 resolved-next-hop ...", "ipv6 route-source ...", "isis ...", "large-community ...", "length ...", "mac-list ...", "mdt-group ...", "metric ...", "metric-type ...", "mpls-label", "ospf-area ...", "policy-list ...", "router-id ...",
			"rpki ...", "security-group ...", "tag ...", "track ...", "vlan ...", "l2 ...", "nlri ...", "contributor ..."),
		"set-other": StatementCodec("aigp-metric ...", "as-path tag", "as-path match ...", "as-path replace ...", "atomic-aggregate", "attribute-set ...", "automatic-tag", "bgp bestpath ...", "clns ...", "community-list ...", "dampening ...", "default interface ...",
			"evpn ...", "extcommunity ...", "extcomm-list ...", "forwarding-address ...", "global", "interface ...", "ip address ...", "ip default ...", "ip df ...", "ip global ...", "ip next-hop ...", "ip precedence ...", "ip qos-group ...",
			"ip tos ...", "ip vrf ...", "ipv6 address ...", "ipv6 default ...", "ipv6 global ...", "ipv6 next-hop ...", "ipv6 precedence ...", "ipv6 vrf ...", "isis level ...", "large-community ...", "level ...", "lisp ...", "local-preference ...", "metric ...", "metric-type ...", "mpls-label",
			"nssa-only", "originator-id ...", "path-selection ...", "tag ...", "traffic-index ...", "vrf ...", "weight ...", "resolution ...", "bfd", "large-comm-list ...", "comm-list ...", "community ..."),
		"ifnames": Many(ifname),
		"numbers": Many(lens.Int(0, 4294967295)),
		"hops":    Many(lens.Or(lens.Builtin()["ip"], lens.OneOf("peer-address", "unchanged", "self"))),
		"metric": lens.Word(func(s string) bool {
			digits := strings.TrimLeft(s, "+-")
			return len(s)-len(digits) <= 1 && digits != "" && len(digits) < 11 && strings.Trim(digits, "0123456789") == ""
		}),
		"communities": communities(),
		// The number of a community list says what its entries are.
		"community-number":  Number(1, 99),
		"expression-number": Number(100, 500),
	}
}

// Number is a number from lo to hi as a name.
func Number(lo, hi int) lens.Codec {
	return lens.Word(func(s string) bool {
		n, err := strconv.Atoi(s)
		return err == nil && n >= lo && n <= hi && strconv.Itoa(n) == s
	})
}

// Many is the rest of the line as the entries of a leaf-list.
func Many(one lens.Codec) lens.Codec {
	return lens.Codec{
		Words: lens.Rest,
		Read: func(s string) ([]any, bool) {
			var list []any
			for w := range strings.FieldsSeq(s) {
				v, ok := one.Read(w)
				if !ok {
					return nil, false
				}
				for _, had := range list {
					if had == v[0] {
						return nil, false
					}
				}
				list = append(list, v[0])
			}
			return []any{list}, len(list) > 0
		},
		Write: func(v []any) (string, bool) {
			list, ok := v[0].([]any)
			var words []string
			for _, e := range list {
				s, fits := one.Write([]any{e})
				ok = ok && fits
				words = append(words, s)
			}
			return strings.Join(words, " "), ok && len(words) > 0
		},
	}
}

// Single is one word as the only entry of a leaf-list, for platforms whose
// statement takes no second one.
func Single(one lens.Codec) lens.Codec {
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			v, ok := one.Read(s)
			return []any{v}, ok
		},
		Write: func(v []any) (string, bool) {
			list, _ := v[0].([]any)
			if len(list) != 1 {
				return "", false
			}
			return one.Write(list)
		},
	}
}

// until makes a codec of the rest of the line take the words before one that
// is not its own.
func until(c lens.Codec, word string) lens.Codec {
	c.Words = lens.Some
	c.Take = func(words []syntax.Word) int {
		n := 0
		for n < len(words) && words[n].Text != word {
			n++
		}
		return n
	}
	return c
}

// extendedCommunities is "rt 65001:1 65001:2 soo 65001:3" with one entry for
// each kind.
func extendedCommunities() lens.Codec {
	kind := func(s string) bool { return s == "rt" || s == "soo" }
	c := lens.Codec{
		Read: func(s string) ([]any, bool) {
			var list []any
			at := ""
			for w := range strings.FieldsSeq(s) {
				switch {
				case kind(w):
					at = w
				case at == "" || !strings.Contains(w, ":") || !lens.Storable(w) || slices.Contains(list, any(at+" "+w)):
					return nil, false
				default:
					list = append(list, at+" "+w)
				}
			}
			return []any{list}, len(list) > 0 && !kind(s[strings.LastIndexByte(s, ' ')+1:])
		},
		Write: func(v []any) (string, bool) {
			list, _ := v[0].([]any)
			var words []string
			last := ""
			for _, e := range list {
				s, _ := e.(string)
				k, value, _ := strings.Cut(s, " ")
				if !kind(k) || !strings.Contains(value, ":") || len(strings.Fields(value)) != 1 || strings.TrimSpace(value) != value || !lens.Storable(s) {
					return "", false
				}
				if k != last {
					words = append(words, k)
				}
				last = k
				words = append(words, value)
			}
			return strings.Join(words, " "), len(words) > 0
		},
	}
	return until(c, "additive")
}

// communities is "1:2 3:4" up to the word that says how they are set.
func communities() lens.Codec {
	return until(Many(lens.Word(func(s string) bool { return s != "additive" })), "additive")
}

// PolicyLists are the lists that route maps match by, as IOS and EOS print
// them: an entry has no number.
func PolicyLists() []lens.Row {
	const communities = "cfgvault-routing-policy:routing-policy/community-list[name=$name]"
	const paths = "cfgvault-routing-policy:routing-policy/as-path-list[name=$name]/entry[match=$m][action=$action]"
	entry := communities + "/entry[match=$m][action=$action]"
	return []lens.Row{
		{Text: "ip community-list $kind:one-of=standard|expanded $name $action:one-of=permit|deny $m:expression", Set: communities + "/kind=$kind " + entry},
		{Text: "ip community-list $name:community-number $action:one-of=permit|deny $m:expression", Set: communities + "/kind=standard " + entry, ReadOnly: true},
		{Text: "ip community-list $name:expression-number $action:one-of=permit|deny $m:expression", Set: communities + "/kind=expanded " + entry, ReadOnly: true},
		{Text: "ip as-path access-list $name:word $action:one-of=permit|deny $m:expression", Set: paths},
	}
}

// PolicyOrdered are the lists of PolicyLists whose order decides.
func PolicyOrdered() []string {
	return []string{
		"cfgvault-routing-policy:routing-policy/route-map/entry/set/next-hop6",
		"cfgvault-routing-policy:routing-policy/community-list/entry", "cfgvault-routing-policy:routing-policy/as-path-list/entry",
		"cfgvault-routing-policy:routing-policy/route-map/entry/set/next-hop",
	}
}
