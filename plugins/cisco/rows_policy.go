package cisco

import (
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
	const match = "$action:one-of=permit|deny $proto:acl-protocol $src:ENDPOINT { $sp:ports } $dst:ENDPOINT { $dp:ports } { $icmp:icmp } $est?established $frag?fragments { dscp $dscp } $log?log"
	text := strings.ReplaceAll(match, "ENDPOINT", endpoint)
	return entries(text, set)
}

// entries are written in the order of their numbers, remarks among them.
func entries(text, set string) []lens.Row {
	return []lens.Row{
		{Each: aclEntry, Rows: []lens.Row{
			{Text: "$seq:1..4294967295 remark $t:line", Set: aclEntry + "/remark=$t"},
			{Text: "$seq:1..4294967295 " + text, Set: set},
		}},
		{Text: "remark $t:line", Set: aclEntry + "/remark=$t", ReadOnly: true, Count: "seq"},
		{Text: text, Set: set, ReadOnly: true, Count: "seq"},
	}
}

// StandardEntries are the entries of a list that looks at sources only.
func StandardEntries() []lens.Row {
	set := Facts(aclEntry, "action=$action", "source=$src", "log=$log")
	const text = "$action:one-of=permit|deny $src:endpoint-standard $log?log"
	return entries(text, set)
}

// Icmp is the codec of a message of ICMP in an entry: a name, or type and code.
func Icmp() lens.Codec {
	return lens.OneOf("echo", "echo-reply", "unreachable", "host-unreachable", "net-unreachable", "port-unreachable", "protocol-unreachable",
		"time-exceeded", "ttl-exceeded", "packet-too-big", "traceroute", "redirect", "parameter-problem", "source-quench", "administratively-prohibited",
		"router-advertisement", "router-solicitation", "nd-na", "nd-ns", "echo-request", "timestamp-request", "timestamp-reply", "mask-request", "mask-reply")
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
	below = append(below, lens.Row{Text: acl + " $x:names", Set: match + "acl*=$x"})
	lists("match community", "community")
	lists("match extcommunity", "extended-community")
	lists("match as-path", "as-path")
	below = append(below,
		lens.Row{Text: "match interface $x:ifnames", Set: match + "interface*=$x"},
		lens.Row{Text: "match tag $x:numbers", Set: match + "tag*=$x"},
		lens.Row{Text: "match metric $n:0..4294967295", Set: match + "metric=$n"},
		lens.Row{Text: "match source-protocol $p:line", Set: match + "source-protocol=$p"},
		lens.Row{Text: "match route-type $x:names", Set: match + "route-type*=$x"},
		lens.Row{Text: "set local-preference $n:0..4294967295", Set: set + "local-preference=$n"},
		lens.Row{Text: "set metric $n:metric", Set: set + "metric=$n"},
		lens.Row{Text: "set metric-type $t", Set: set + "metric-type=$t"},
		lens.Row{Text: "set weight $n:0..65535", Set: set + "weight=$n"},
		lens.Row{Text: "set tag $n:0..4294967295", Set: set + "tag=$n"},
		lens.Row{Text: "set origin $o:one-of=igp|incomplete", Set: set + "origin=$o"},
		lens.Row{Text: "set as-path prepend $p:line", Set: set + "as-path-prepend=$p"},
		lens.Row{Text: "set ip next-hop $x:hops", Set: set + "next-hop*=$x"},
		lens.Row{Text: "set comm-list $l delete", Set: set + "community-delete=$l"},
		lens.Row{Text: "set community $x:communities $add?additive", Set: set + "community*=$x " + set + "community-additive=$add"},
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
		return s != "prefix-list" && s != "exact-match" && s != "route-source" && s != "additive" && s != "exact"
	})
	return map[string]lens.Codec{
		"names":   Many(reserved),
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

// communities is "1:2 3:4" up to the word that says how they are set.
func communities() lens.Codec {
	c := Many(lens.Word(func(s string) bool { return s != "additive" }))
	c.Words = lens.Some
	c.Take = func(words []syntax.Word) int {
		n := 0
		for n < len(words) && words[n].Text != "additive" {
			n++
		}
		return n
	}
	return c
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
		"cfgvault-routing-policy:routing-policy/community-list/entry", "cfgvault-routing-policy:routing-policy/as-path-list/entry",
		"cfgvault-routing-policy:routing-policy/route-map/entry/set/next-hop",
	}
}
