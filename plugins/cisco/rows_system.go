package cisco

import (
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

const sys = "cfgvault-system:system/"

// InterfaceFeatures are the same for one interface, the place at hand; they
// need the codec "port-feature".
func InterfaceFeatures() []lens.Row {
	const place = "./feature[name=$f]/enabled="
	return []lens.Row{
		{Text: "$f:port-feature", Set: place + "true"},
		{Text: "no $f:port-feature", Set: place + "false"},
	}
}

// Features are the statements that switch one function on or off: the name in
// the tree is the statement without its "no". They need the codec "feature",
// from FeatureCodec.
func Features() []lens.Row {
	const place = sys + "feature[name=$f]/enabled="
	return []lens.Row{
		{Text: "$f:feature", Set: place + "true"},
		{Text: "no $f:feature", Set: place + "false"},
	}
}

// FeatureCodec accepts the given statements; one that ends in "..." goes on
// with any words but those that a secret follows, and "*" is any one word.
func FeatureCodec(statements ...string) lens.Codec {
	byFirst := map[string][]string{}
	for _, s := range statements {
		first, _, _ := strings.Cut(s, " ")
		byFirst[first] = append(byFirst[first], s)
	}
	take := func(words []syntax.Word) int {
		best := 0
	next:
		for _, s := range byFirst[words[0].Text] {
			n := 0
			for w := range strings.FieldsSeq(s) {
				if w == "..." {
					if n = len(words); slices.ContainsFunc(words, secretFollows) {
						continue next
					}
					break
				}
				if n >= len(words) || w != "*" && words[n].Text != w {
					continue next
				}
				n++
			}
			best = max(best, n)
		}
		return best
	}
	return lens.Codec{
		Words: lens.Some, Take: take,
		Read: func(s string) ([]any, bool) { return []any{s}, len(s) <= 255 && lens.Storable(s) },
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			words := syntax.Words(nil, s)
			ok := len(words) > 0 && len(s) <= 255 && lens.Storable(s) && strings.Join(strings.Fields(s), " ") == s
			return s, ok && take(words) == len(words)
		},
	}
}

// secretFollows reports whether what follows the word may be a secret.
func secretFollows(w syntax.Word) bool {
	switch w.Text {
	case "authentication-key", "auth-string", "cipher", "key-string", "md5", "message-digest-key", "passphrase", "password", "secret", "string", "text":
		return true
	}
	return false
}

// Others are statements about the place at hand that the tree keeps as they
// are, each an entry of its leaf-list "other"; they need a codec from
// StatementCodec.
func Others(codec string) lens.Row { return lens.Row{Text: "$o:" + codec, Set: "./other+=$o"} }

// StatementCodec accepts the given statements as FeatureCodec does, and the
// "no" of each; the "no" is part of the value.
func StatementCodec(statements ...string) lens.Codec {
	plain := FeatureCodec(statements...)
	take := func(words []syntax.Word) int {
		if len(words) > 1 && words[0].Text == "no" {
			if n := plain.Take(words[1:]); n > 0 {
				return n + 1
			}
			return 0
		}
		return plain.Take(words)
	}
	return lens.Codec{
		Words: lens.Some, Take: take, Read: plain.Read,
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			if rest, ok := strings.CutPrefix(s, "no "); ok {
				_, ok = plain.Write([]any{rest})
				return s, ok && len(s) <= 255
			}
			return plain.Write(v)
		},
	}
}

// Lines are the blocks of the console and of virtual terminals.
func Lines() []lens.Row {
	below := []lens.Row{
		{Text: "exec-timeout $t:timeout", Set: "./exec-timeout=$t"},
		{Text: "privilege level $n:0..15", Set: "./privilege=$n"},
		{Text: "access-class $a in $also?vrf-also", Set: "./access-class-in=$a ./access-class-vrf-also=$also"},
		{Text: "ipv6 access-class $a in", Set: "./access-class-in6=$a"},
		{Text: "logging synchronous", Set: "./logging-synchronous=true"},
		{Text: "password $t:one-of=0|5|7 $p:secret", Set: "./password/type=$t ./password/value=$p"},
		{Text: "password $p:secret", Set: "./password/value=$p"},
		{Text: "login", Set: "./login=password"},
		{Text: "no login", Set: "./login=none"},
		{Text: "login local", Set: "./login=local"},
		{Text: "login authentication $l", Set: "./login-list=$l"},
		{Text: "authorization exec $l", Set: "./authorization-list=$l"},
		{Text: "length $n:0..512", Set: "./length=$n"},
		{Text: "speed $n:300..4294967295", Set: "./speed=$n"},
		{Text: "transport input $p:words", Set: "./transport-input*=$p"},
	}
	below = append(below,
		lens.Row{Text: "stopbits 1", Class: plugins.Boilerplate, Rule: "stopbits", Why: "a console line prints it as the default (IOSv 15.x, CSR1000v 16.x, without configuration of their own)"},
		lens.Row{Text: "transport preferred none", Class: plugins.Boilerplate, Rule: "transport-preferred", Why: "printed by releases whose default it is (IOS-XE 16 and later)"},
		lens.Row{Text: "transport output $p:words", Set: "./transport-output*=$p"},
		lens.Row{Text: "no exec", Set: "./exec=false"},
		lens.Row{Text: "history size $n:0..256", Set: "./history-size=$n"})
	var rows []lens.Row
	for _, k := range []struct{ text, kind string }{{"con", "console"}, {"console", "console"}, {"aux", "aux"}, {"vty", "vty"}} {
		place := sys + "lines/line[kind=" + k.kind + "][first=$line]"
		rows = append(rows, lens.Row{Text: "line " + k.text + " $line:0..65535 { $last:0..65535 }", Set: place + " " + place + "/last=$last", Rows: below, ReadOnly: k.text == "console"})
	}
	return rows
}

// AAA are method lists, groups and servers.
func AAA() []lens.Row {
	const list = sys + "aaa/method-list[purpose=$p][name=$n]"
	rows := []lens.Row{
		{Text: "aaa new-model", Set: sys + "aaa/enabled=true"},
		{Text: "no aaa new-model", Set: sys + "aaa/enabled=false"},
		{Text: "aaa session-id common", Class: plugins.Boilerplate, Rule: "aaa-session-id", Why: "the default (Cisco IOS Security Command Reference, aaa session-id)"},
		{Text: "aaa $p:purpose $n $m:line", Set: list + "/methods=$m"},
		{Text: "aaa $p:purpose $n", Set: list, Unless: list + "/methods=$m", Rows: []lens.Row{
			{Text: "action-type $t", Set: "./record=$t"},
			{Text: "group $g", Set: "./group+=$g"},
			{Text: "broadcast", Set: "./broadcast=true"},
		}},
	}
	for _, p := range []struct{ word, protocol string }{{"tacacs+", "tacacs"}, {"radius", "radius"}, {"ldap", "ldap"}} {
		group := sys + "aaa/server-group[name=$g]"
		rows = append(rows, lens.Row{Text: "aaa group server " + p.word + " $g", Set: group + "/protocol=" + p.protocol, Rows: []lens.Row{
			{Text: "server name $s", Set: "./server+=$s"},
			{Text: "server $s", Set: "./server+=$s", ReadOnly: true},
			{Text: "ip vrf forwarding $v", Set: "./vrf=$v"},
			{Text: "use-vrf $v", Set: "./vrf=$v", ReadOnly: true},
			{Text: "ip tacacs source-interface $if:ifname", Set: "./source-interface=$if"},
			{Text: "ip radius source-interface $if:ifname", Set: "./source-interface=$if", ReadOnly: true},
			{Text: "server-private $_:secret-line", Class: plugins.SecretOpaque},
			{Text: "deadtime $n:1..1440", Set: "./deadtime=$n"},
		}})
	}
	for _, p := range []struct{ word, protocol string }{{"tacacs", "tacacs"}, {"radius", "radius"}} {
		server := sys + "aaa/server[protocol=" + p.protocol + "][name=$s]"
		rows = append(rows, lens.Row{Text: p.word + " server $s", Set: server, Rows: []lens.Row{
			{Text: "address ipv4 $a:host", Set: "./address=$a"},
			{Text: "address ipv6 $a:ip6", Set: "./address=$a", ReadOnly: true},
			{Text: "address ipv4 $a:host auth-port $x:0..65535 acct-port $y:0..65535", Set: "./address=$a ./port=$x ./accounting-port=$y"},
			{Text: "port $x:1..65535", Set: "./port=$x"},
			{Text: "timeout $t:1..1000", Set: "./timeout=$t"},
			{Text: "retransmit $n:0..100", Set: "./retransmit=$n"},
			{Text: "key $t:one-of=0|5|6|7 $k:secret", Set: "./key/type=$t ./key/value=$k"},
			{Text: "key $k:secret", Set: "./key/value=$k"},
		}})
		server = sys + "aaa/server[protocol=" + p.protocol + "][name=$h]"
		rows = append(rows,
			lens.Row{Text: p.word + "-server host $h:host key $t:one-of=0|5|6|7 $k:secret { timeout $o:1..1000 }", Set: Facts(server, "key/type=$t", "key/value=$k", "timeout=$o"), ReadOnly: true},
			lens.Row{Text: p.word + "-server host $h:host", Set: server, ReadOnly: true})
	}
	return rows
}

// SystemCodecs are those of the rows of this file.
func SystemCodecs() map[string]lens.Codec {
	return map[string]lens.Codec{
		"timeout": lens.Line().With(func(s string) (string, bool) {
			for i := 0; i < len(s); i++ {
				if (s[i] < '0' || s[i] > '9') && s[i] != ' ' {
					return "", false
				}
			}
			return s, s != "" && s[0] != ' '
		}).Max(16),
		"words":   Many(lens.Word(nil)),
		"purpose": purpose(),
	}
}

// purpose is what a method list is for: "authentication login",
// "authorization commands 15".
func purpose() lens.Codec {
	kinds := map[string]string{
		"authentication": " login enable ppp dot1x arap sgbp ", "authorization": " exec network config-commands console commands reverse-access auth-proxy configuration ",
		"accounting": " exec network connection system commands auth-proxy dot1x identity ",
	}
	take := func(words []syntax.Word) int {
		if len(words) < 3 || !strings.Contains(kinds[words[0].Text], " "+words[1].Text+" ") {
			return 0
		}
		if words[1].Text == "commands" && strings.Trim(words[2].Text, "0123456789") == "" {
			return 3
		}
		return 2
	}
	return lens.Codec{
		Words: lens.Some, Take: take,
		Read: func(s string) ([]any, bool) { return []any{s}, lens.Storable(s) },
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			return s, lens.Storable(s) && len(s) <= 64 && strings.Join(strings.Fields(s), " ") == s && take(syntax.Words(nil, s+" x")) == len(strings.Fields(s))
		},
	}
}

// SNMP are communities, views, groups and notifications.
func SNMP() []lens.Row {
	const snmp = sys + "snmp/"
	const community, view, group = snmp + "community[name=$c]", snmp + "view[name=$n][subtree=$o]", snmp + "group[name=$n][version=$v][level=$l]"
	return []lens.Row{
		{Text: "snmp-server contact $t:line", Set: snmp + "contact=$t"},
		{Text: "snmp-server location $t:line", Set: snmp + "location=$t"},
		{Text: "snmp-server community $c:secret { view $view } $a:one-of=RO>ro|RW>rw { ipv6 $acl6 } { $acl:word }",
			Set: Facts(community, "access=$a", "view=$view", "acl6=$acl6", "acl=$acl")},
		{Text: "snmp-server community $c:secret { view $view } $a:one-of=ro|rw { ipv6 $acl6 } { $acl:word }",
			Set: Facts(community, "access=$a", "view=$view", "acl6=$acl6", "acl=$acl"), ReadOnly: true},
		{Text: "snmp-server view $n $o included", Set: view + "/included=true"},
		{Text: "snmp-server view $n $o excluded", Set: view + "/included=false"},
		{Text: "snmp-server group $n v3 $l:one-of=noauth|auth|priv { read $r } { write $w } { notify $y } { access $acl }",
			Set: group3(snmp, "v3", "$l") + "read=$r " + group3(snmp, "v3", "$l") + "write=$w " + group3(snmp, "v3", "$l") + "notify=$y " + group3(snmp, "v3", "$l") + "acl=$acl"},
		{Text: "snmp-server group $n $v:one-of=v1|v2c { read $r } { write $w } { notify $y } { access $acl }",
			Set: group3(snmp, "$v", "noauth") + "read=$r " + group3(snmp, "$v", "noauth") + "write=$w " + group3(snmp, "$v", "noauth") + "notify=$y " + group3(snmp, "$v", "noauth") + "acl=$acl"},
		{Text: "snmp-server enable traps $t:line", Set: snmp + "trap+=$t"},
		{Text: "snmp-server user $_:secret-line", Class: plugins.SecretOpaque},
	}
}

func group3(snmp, version, level string) string {
	place := snmp + "group[name=$n][version=" + version + "][level=" + level + "]"
	return place + " " + place + "/"
}

// SpanningTree are the statements outside interfaces.
func SpanningTree() []lens.Row {
	const stp = "cfgvault-stp:stp/"
	rows := []lens.Row{
		{Text: "spanning-tree mode $m:one-of=pvst|rapid-pvst|mst>mstp", Set: stp + "mode=$m"},
		{Text: "spanning-tree extend system-id", Set: stp + "extend-system-id=true"},
		{Text: "no spanning-tree vlan $v:vlan-text", Set: stp + "vlan[vlans=$v]/enabled=false"},
		{Text: "spanning-tree vlan $v:vlan-text priority $p:0..61440", Set: stp + "vlan[vlans=$v]/priority=$p"},
		{Text: "spanning-tree mst $i:0..4094 priority $p:0..61440", Set: stp + "mst/instance[id=$i]/priority=$p"},
		{Text: "spanning-tree mst configuration", Set: stp + "mst", Rows: []lens.Row{
			{Text: "name $n:line", Set: stp + "mst/name=$n"},
			{Text: "revision $r:0..65535", Set: stp + "mst/revision=$r"},
			{Text: "instance $i:0..4094 vlan $v:vlans", Set: stp + "mst/instance[id=$i]/vlan*=$v"},
		}},
		{Text: "spanning-tree loopguard default", Set: stp + "loop-guard-default=true"},
	}
	// Releases differ in whether they say "edge".
	for _, edge := range []string{"", "edge "} {
		rows = append(rows,
			lens.Row{Text: "spanning-tree portfast " + edge + "default", Set: stp + "edge-default=true", ReadOnly: edge != ""},
			lens.Row{Text: "spanning-tree portfast " + edge + "bpduguard default", Set: stp + "bpdu-guard-default=true", ReadOnly: edge != ""},
			lens.Row{Text: "spanning-tree portfast " + edge + "bpdufilter default", Set: stp + "bpdu-filter-default=true", ReadOnly: edge != ""})
	}
	return rows
}

// SpanningTreePort are the statements of an interface whose name is $if.
func SpanningTreePort() []lens.Row {
	const port = "cfgvault-stp:stp/interface[name=$if]/"
	return []lens.Row{
		{Text: "spanning-tree portfast", Set: port + "edge=access"},
		{Text: "spanning-tree portfast edge", Set: port + "edge=access", ReadOnly: true},
		{Text: "spanning-tree portfast trunk", Set: port + "edge=always"},
		{Text: "spanning-tree portfast edge trunk", Set: port + "edge=always", ReadOnly: true},
		{Text: "spanning-tree portfast network", Set: port + "edge=network"},
		{Text: "spanning-tree portfast disable", Set: port + "edge=disabled"},
		{Text: "spanning-tree bpduguard enable", Set: port + "bpdu-guard=true"},
		{Text: "spanning-tree bpduguard disable", Set: port + "bpdu-guard=false"},
		{Text: "spanning-tree bpdufilter enable", Set: port + "bpdu-filter=true"},
		{Text: "spanning-tree bpdufilter disable", Set: port + "bpdu-filter=false"},
		{Text: "spanning-tree guard $g:one-of=root|loop|none", Set: port + "guard=$g"},
		{Text: "spanning-tree link-type $t:one-of=point-to-point|shared", Set: port + "link-type=$t"},
		{Text: "spanning-tree cost $n:1..200000000", Set: port + "cost=$n"},
		{Text: "spanning-tree port-priority $n:0..240", Set: port + "priority=$n"},
	}
}

// VLANText is the codec of several VLANs as one value, "1,10-20".
func VLANText() lens.Codec {
	list := lens.Builtin()["vlans"]
	return lens.Word(nil).With(func(s string) (string, bool) {
		v, ok := list.Read(s)
		if !ok {
			return "", false
		}
		return list.Write(v)
	})
}

// VLANRange reads "vlan 10-12,20", by which VLANs without a name are
// shown together. They are written one by one.
func VLANRange() *lens.Pair {
	list := lens.Builtin()["vlans"]
	return &lens.Pair{
		First: "vlan",
		Read: func(words []string) ([]lens.Assign, bool) {
			if len(words) != 2 {
				return nil, false
			}
			values, ok := list.Read(words[1])
			if !ok {
				return nil, false
			}
			var out []lens.Assign
			for _, id := range lens.Expand(values[0].([]any)) {
				out = append(out, lens.Assign{Path: []lens.Step{
					{Name: "cfgvault-vlans:vlans"}, {Name: "vlan", Keys: []lens.Key{{Name: "id", Value: id}}},
				}})
			}
			return out, true
		},
		Write: func(lens.Tree) []lens.Emit { return nil },
	}
}
