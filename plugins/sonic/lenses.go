package sonic

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/frr"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

// databaseLens is the table, compiled at the first use.
var databaseLens = sync.OnceValue(func() *lens.Lens { return lens.Check(table()) })

// normalize reads CONFIG_DB, and FRR's files with FRR's own lens, into the
// common tree. The saved database is accounted for by what the running one
// says.
func normalize(_ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	r := lens.NewReader()
	running := false
	// First: where FRR has files of its own they count, and not what the
	// database says of BGP.
	native = slices.Clone(native)
	slices.SortStableFunc(native, func(a, b plugins.Artefact) int { return rank(a) - rank(b) })
	for _, a := range native {
		text := string(a.Data)
		switch {
		case a.Name == artRunning:
			r.Read(databaseLens(), a.Name, text, nil)
			running = true
		case a.Name == artSaved && running:
			r.Verify(databaseLens(), a.Name, text)
		case a.Name == artSaved:
			r.Read(databaseLens(), a.Name, text, nil)
		case a.Name == frrFolder+"frr.conf":
			r.Read(frr.Lens(), a.Name, text, nil)
		case a.Role == plugins.RoleState:
			r.Opaque(a.Name, text, plugins.Boilerplate, "evidence")
		default:
			r.Opaque(a.Name, text, plugins.Unparsed, "")
		}
	}
	return r.Normalized(), nil
}

func rank(a plugins.Artefact) int {
	if a.Name == frrFolder+"frr.conf" {
		return 0
	}
	return 1
}

// render writes the common tree as a database. It holds what the tree says and
// nothing of the hardware: it is for reading beside the switch's own, not for
// config replace.
func render(tree []byte, _ plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	text, losses, err := databaseLens().Write(tree)
	if err != nil {
		return nil, nil, err
	}
	return []plugins.Artefact{{Name: artRunning, Role: plugins.RoleRunning, Data: []byte(text)}}, losses, nil
}

const (
	iface = "cfgvault-interfaces:interfaces/interface[name=$if]"
	sys   = "cfgvault-system:system/"
)

// table is what the entries of CONFIG_DB say (sonic-net/SONiC, doc/mgmt;
// src/sonic-yang-models).
func table() lens.Table {
	var rows []lens.Row
	for _, more := range [][]lens.Row{portRows(), vlanRows(), addressRows(), bgpRows(), aclRows(), systemRows(), frameRows()} {
		rows = append(rows, more...)
	}
	return lens.Table{
		Records: records, Print: printRecords, Codecs: codecs(), Rows: rows, Attrs: defaults(),
		Funcs: map[string]func(any) (any, bool){"type-of": typeOf, "parent-of": parentOf},
		Vocabulary: strings.Fields("FLEX_COUNTER_TABLE TELEMETRY CRM FEATURE KDUMP NAT_GLOBAL COREDUMP SWITCH CLASSIFIER_TABLE POLICY_SECTIONS_TABLE POLICY_TABLE POLICY_BINDING_TABLE " +
			"ECMP_LOADSHARE_TABLE_IPV4 ECMP_LOADSHARE_TABLE_IPV6 HARDWARE ZTP ACL_TABLE ACL_RULE BGP_NEIGHBOR BGP_GLOBALS BGP_PEER_RANGE BUFFER_POOL BUFFER_PROFILE BUFFER_PG BUFFER_QUEUE QUEUE SCHEDULER " +
			"DSCP_TO_TC_MAP TC_TO_QUEUE_MAP TC_TO_PRIORITY_GROUP_MAP MAP_PFC_PRIORITY_TO_QUEUE PORT_QOS_MAP WRED_PROFILE CABLE_LENGTH PFC_WD AAA TACPLUS TACPLUS_SERVER RADIUS RADIUS_SERVER LLDP STP MCLAG_DOMAIN " +
			"VXLAN_TUNNEL VXLAN_TUNNEL_MAP VXLAN_EVPN_NVO SFLOW SFLOW_COLLECTOR MIRROR_SESSION DEVICE_NEIGHBOR DEVICE_NEIGHBOR_METADATA RESTAPI GNMI CONTAINER_FEATURE AUTO_TECHSUPPORT AUTO_TECHSUPPORT_FEATURE " +
			"SYSTEM_DEFAULTS PASSW_HARDENING SSH_SERVER BANNER_MESSAGE MGMT_VRF_CONFIG NTP LOGGER SYSLOG_CONFIG SYSLOG_CONFIG_FEATURE DHCP_RELAY DHCP_SERVER_IPV4 BREAKOUT_CFG VERSIONS VLAN_SUB_INTERFACE DEVICE_METADATA"),
	}
}

var names = map[string]*regexp.Regexp{
	"ethernet": regexp.MustCompile(`^Ethernet(?:-(?:BP|IB|Rec))?\d+$`), "portchannel": regexp.MustCompile(`^PortChannel\d+$`), "vlan": regexp.MustCompile(`^Vlan([1-9]\d{0,3})$`),
	"loopback": regexp.MustCompile(`^Loopback\d+$`), "mgmt": regexp.MustCompile(`^eth\d+$`), "sub": regexp.MustCompile(`^(Ethernet\d+|Eth\d+|PortChannel\d+|Po\d+)\.\d+$`),
}

func named(kind string) lens.Codec { return lens.Word(names[kind].MatchString) }

func typeOf(v any) (any, bool) {
	s, _ := v.(string)
	for kind, t := range map[string]string{"ethernet": "ethernet", "portchannel": "lag", "vlan": "routed-vlan", "loopback": "loopback", "mgmt": "management", "sub": "sub-interface"} {
		if names[kind].MatchString(s) {
			return "cfgvault-interfaces:" + t, true
		}
	}
	return nil, false
}

func parentOf(v any) (any, bool) {
	s, _ := v.(string)
	parent, _, ok := strings.Cut(s, ".")
	return parent, ok && !strings.HasPrefix(s, "Eth") || strings.HasPrefix(s, "Ethernet") && ok
}

func codecs() map[string]lens.Codec {
	out := map[string]lens.Codec{
		"up":     pair("up", "down"),
		"on":     pair("on", "off"),
		"true":   pair("true", "false"),
		"enable": pair("enable", "disable"),
		"vlanif": vlanName(), "vlan-pair": vlanPair(),
		"host":      lens.Or(lens.Builtin()["ip"], lens.Builtin()["domain"]),
		"hash":      hash(),
		"words":     lens.Many(lens.Word(nil), ""),
		"ip4s":      lens.Many(lens.Builtin()["ip4"], ""),
		"prefixes":  lens.Many(lens.Builtin()["prefix"], ""),
		"flag":      pair("1", "0"),
		"pool":      pair("pool", "server"),
		"vlan-text": vlanText(),
		"enabled":   pair("enabled", "disabled"),
		"severity":  lens.OneOf("debug", "info>informational", "notice", "warn>warning", "error", "crit>critical"),
		"status":    status(),
		"afi":       lens.OneOf("ipv4_unicast>ipv4-unicast", "ipv6_unicast>ipv6-unicast", "l2vpn_evpn>l2vpn-evpn"),
		"gateway":   lens.Or(lens.Builtin()["ip"], lens.Word(func(s string) bool { return !strings.Contains(s, ",") })),
		"vrf":       lens.Word(func(s string) bool { return s != "default" }),
	}
	for kind := range names {
		out[kind] = named(kind)
	}
	return out
}

// pair makes a codec of two words, true first.
func pair(yes, no string) lens.Codec {
	return lens.Codec{
		Domain: []any{true, false},
		Read: func(s string) ([]any, bool) {
			return []any{s == yes}, s == yes || s == no
		},
		Write: func(v []any) (string, bool) {
			b, ok := v[0].(bool)
			if b {
				return yes, ok
			}
			return no, ok
		},
	}
}

// status is "up" or "down", or true or false as the management framework has
// it.
func status() lens.Codec {
	c := pair("up", "down")
	read := c.Read
	c.Read = func(s string) ([]any, bool) {
		if s == "true" || s == "false" {
			return []any{s == "true"}, true
		}
		return read(s)
	}
	return c
}

// vlanName is "Vlan100" as a number.
func vlanName() lens.Codec {
	number := lens.Int(1, 4094)
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			if !names["vlan"].MatchString(s) {
				return nil, false
			}
			return number.Read(s[len("Vlan"):])
		},
		Write: func(v []any) (string, bool) {
			s, ok := number.Write(v)
			return "Vlan" + s, ok
		},
	}
}

// vlanText is "Vlan100" as the text of its number.
func vlanText() lens.Codec {
	id := vlanName()
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			if _, ok := id.Read(s); !ok {
				return nil, false
			}
			return lens.One(s[len("Vlan"):])
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			s = "Vlan" + s
			_, ok := id.Read(s)
			return s, ok
		},
	}
}

// vlanPair is "Vlan100" as an interface and as a number; parts name and id.
func vlanPair() lens.Codec {
	id := vlanName()
	return lens.Codec{
		Parts: []string{"name", "id"},
		Read: func(s string) ([]any, bool) {
			v, ok := id.Read(s)
			return append([]any{s}, v...), ok
		},
		Write: func(v []any) (string, bool) {
			s, ok := id.Write(v[1:])
			return s, ok && s == v[0]
		},
	}
}

// hash is a password as crypt(3) writes it; parts type and value.
func hash() lens.Codec {
	kinds := map[string]string{"$1$": "md5-crypt", "$5$": "sha256-crypt", "$6$": "sha512-crypt", "$y$": "yescrypt", "$2b": "bcrypt"}
	of := func(s string) string {
		for prefix, k := range kinds {
			if strings.HasPrefix(s, prefix) {
				return k
			}
		}
		return ""
	}
	word := lens.Word(nil)
	return lens.Codec{
		Parts: []string{"type", "value"}, Secret: true,
		Read: func(s string) ([]any, bool) {
			_, ok := word.Read(s)
			return []any{of(s), s}, ok && of(s) != ""
		},
		Write: func(v []any) (string, bool) {
			s, ok := word.Write(v[1:])
			return s, ok && of(s) == v[0]
		},
	}
}

// at makes facts of leaves at a place, the place first.
func at(place string, leaves ...string) string {
	out := place
	for _, l := range leaves {
		out += " " + place + "/" + l
	}
	return out
}

func portRows() []lens.Row {
	const common = "{ admin_status=$up:up } { mtu=$mtu:64..65536 } { description=$d:value }"
	set := func(more ...string) string {
		return at(iface, append(more, "enabled=$up", "mtu=$mtu", "description=$d", "type=type-of($if)")...)
	}
	const hard = " { alias=$alias:value } { index=$index } { lanes=$lanes } { fec=$fec } { speed=$speed:1..4294967295 } { valid_speeds=$speeds:value } { autoneg=$auto:on } *=$rest"
	hardSet := []string{"port/alias=$alias", "port/index=$index", "port/lanes=$lanes", "port/fec=$fec", "speed=$speed", "port/speeds=$speeds", "auto-negotiation=$auto", "port/setting*=$rest"}
	const bundle = " cfgvault-interfaces:interfaces/interface[name=$b]"
	return []lens.Row{
		{Text: "PORT $if:ethernet", Attrs: common + hard, Set: set(hardSet...)},
		{Text: "MGMT_PORT $if:mgmt", Attrs: common + " { alias=$alias:value } { speed=$speed:1..4294967295 } { autoneg=$auto:true }", Set: set("port/alias=$alias", "speed=$speed", "auto-negotiation=$auto")},
		{Text: "PORTCHANNEL $if:portchannel", Attrs: common + " { min_links=$n:1..65535 } { fast_rate=$r:one-of=true>fast|false>slow } { members=$_:words }",
			Set: set("lag/min-links=$n", "lag/lacp-rate=$r")},
		{Text: "DEVICE_NEIGHBOR $if:word", Attrs: "{ name=$n:value } { port=$p:value } { local_port=$if }", Set: iface + " " + iface + "/neighbor/name=$n " + iface + "/neighbor/port=$p"},
		{Text: "PORTCHANNEL_MEMBER $b:portchannel $if:ethernet", Set: iface + "/lag/member-of=$b" + bundle},
	}
}

func vlanRows() []lens.Row {
	const vlan = "cfgvault-vlans:vlans/vlan[id=$v]"
	return []lens.Row{
		{Text: "VLAN $v:vlanif", Attrs: "{ vlanid=$v:1..4094 } { admin_status=$up:up } { description=$n:value } { members=$_:words }", Set: at(vlan, "enabled=$up", "name=$n")},
		{Text: "VLAN_MEMBER $v:vlanif $if:word", Attrs: "tagging_mode=tagged", Set: iface + "/switchport/trunk-vlan~=$v " + vlan},
		{Text: "VLAN_MEMBER $v:vlanif $if:word", Attrs: "tagging_mode=untagged", Set: iface + "/switchport/access-vlan=$v " + vlan},
		{Text: "helper $n:vlan-pair", Attrs: "dhcp_servers=$h:ip4s",
			Set: "cfgvault-interfaces:interfaces/interface[name=$n.name]/ipv4/helper-address*=$h cfgvault-vlans:vlans/vlan[id=$n.id]"},
	}
}

func addressRows() []lens.Row {
	var rows []lens.Row
	for _, t := range []struct{ name, kind string }{
		{"INTERFACE", "ethernet"}, {"PORTCHANNEL_INTERFACE", "portchannel"}, {"VLAN_INTERFACE", "vlan"}, {"LOOPBACK_INTERFACE", "loopback"}, {"MGMT_INTERFACE", "mgmt"}, {"VLAN_SUB_INTERFACE", "sub"},
	} {
		key := t.name + " $if:" + t.kind
		more, set := "{ vrf_name=$vrf:vrf } { ipv6_use_link_local_only=$ll:enable }", at(iface, "vrf=$vrf", "ipv6/enabled=$ll", "type=type-of($if)")
		bare := lens.Row{Text: key, Attrs: more, Set: set}
		switch t.kind {
		case "sub":
			bare.Attrs += " { admin_status=$up:up } { vlan=$v:1..4094 } { mtu=$mtu:64..65536 }"
			bare.Set += " " + iface + "/enabled=$up " + iface + "/sub-interface/vlan-id=$v " + iface + "/sub-interface/parent=parent-of($if) " + iface + "/mtu=$mtu"
		case "loopback", "vlan":
		default:
			// A port is routed by being in this table, even without an address.
			rows = append(rows,
				lens.Row{Text: key, Attrs: "vrf_name=$vrf:vrf", Set: iface + "/vrf=$vrf"},
				lens.Row{Text: key + " link-local", Attrs: "ipv6_use_link_local_only=$ll:enable", Set: iface + "/ipv6/enabled=$ll"})
			bare.ReadOnly = true
		}
		rows = append(rows, bare,
			lens.Row{Text: key + " $a:if4", Attrs: "{ scope=$_ } { family=$_ }", Set: iface + "/ipv4/address[ip=$a.ip]/prefix-length=$a.length " + iface + "/type=type-of($if)"},
			lens.Row{Text: key + " $a:if6", Attrs: "{ scope=$_ } { family=$_ }", Set: iface + "/ipv6/address[ip=$a.ip]/prefix-length=$a.length " + iface + "/type=type-of($if)"})
	}
	// The gateway of the management port is the default route there.
	for _, m := range []struct{ table, vrf string }{{"MGMT_INTERFACE", "default"}, {"mgmt-vrf", "mgmt"}} {
		for _, f := range []struct{ address, ip, any string }{{"if4", "ip4", "0.0.0.0/0"}, {"if6", "ip6", "::/0"}} {
			version := "ipv" + f.ip[2:]
			hop := "cfgvault-static-routes:static-routes/route[vrf=" + m.vrf + "][prefix=" + f.any + "]/next-hop[gateway=$gw]"
			gateway := lens.Row{Text: m.table + " $if:mgmt $a:" + f.address, Attrs: "gwaddr=$gw:" + f.ip,
				Set: at(iface, version+"/address[ip=$a.ip]/prefix-length=$a.length", "type=type-of($if)") + " " + hop + " " + hop + "/interface=$if"}
			if m.vrf == "mgmt" {
				gateway.Set += " " + iface + "/vrf=mgmt"
			}
			rows = append([]lens.Row{gateway}, rows...)
		}
	}
	hop := func(vrf string) string {
		return "cfgvault-static-routes:static-routes/route[vrf=" + vrf + "][prefix=$p]/next-hop[gateway=$gw]"
	}
	for _, p := range []string{"prefix4", "prefix6"} {
		for _, vrf := range []string{"default", "$vrf"} {
			text := "STATIC_ROUTE default $p:" + p
			if vrf == "$vrf" {
				text = "STATIC_ROUTE $vrf:vrf $p:" + p
			}
			rows = append(rows, lens.Row{Text: text, Attrs: "nexthop=$gw:gateway { ifname=$if } { distance=$d:1..255 }", Set: at(hop(vrf), "interface=$if", "distance=$d")})
		}
	}
	return append(rows,
		lens.Row{Text: "MGMT_VRF_CONFIG vrf_global", Attrs: "mgmtVrfEnabled=true", Set: "cfgvault-vrfs:vrfs/vrf[name=mgmt]"},
		lens.Row{Text: "VRF $vrf:vrf", Attrs: "{ vni=$n:1..16777215 } { fallback=$_ }", Set: at("cfgvault-vrfs:vrfs/vrf[name=$vrf]", "vni=$n")})
}

func systemRows() []lens.Row {
	const log, user = sys + "logging/server[host=$h]", sys + "users/user[name=$u]"
	return []lens.Row{
		{Text: "hostname", Attrs: "hostname=$h:host-name", Set: sys + "hostname=$h"},
		{Text: "timezone", Attrs: "timezone=$z", Set: sys + "clock/timezone=$z"},
		{Text: "NTP_SERVER $h:host", Attrs: "{ iburst=$b:on } { version=$v:1..4 } { key=$k:1..65535 } { association_type=$pool:pool } { resolve_as=$_ }", Set: at(sys+"ntp/server[host=$h]", "iburst=$b", "version=$v", "key-id=$k", "pool=$pool")},
		{Text: "NTP_KEY $id:1..65535", Attrs: "{ type=$t } { value=$k:secret-text } { trusted=$_ }", Set: at(sys+"ntp/key[id=$id]", "type=$t", "value=$k")},
		{Text: "NTP global", Attrs: "src_intf=$if", Set: sys + "ntp/source-interface=$if"},
		{Text: "SYSLOG_SERVER $h:host", Attrs: "{ port=$p:1..65535 } { protocol=$proto:one-of=udp|tcp } { vrf=$vrf:vrf } { source=$s } { severity=$sev:severity }", Set: at(log, "port=$p", "protocol=$proto", "vrf=$vrf", "source=$s", "severity=$sev")},
		{Text: "TACPLUS_SERVER $h:host", Attrs: "{ tcp_port=$p:1..65535 } { timeout=$to:1..65535 } { passkey=$k:secret-text }", Set: at(sys+"aaa/server[protocol=tacacs][name=$h]", "address=$h", "port=$p", "timeout=$to", "key/value=$k")},
		{Text: "RADIUS_SERVER $h:host", Attrs: "{ auth_port=$p:1..65535 } { timeout=$to:1..65535 } { passkey=$k:secret-text }", Set: at(sys+"aaa/server[protocol=radius][name=$h]", "address=$h", "port=$p", "timeout=$to", "key/value=$k")},
		{Text: "FEATURE $n", Attrs: "state=$on:enabled", Set: at(sys+"feature[name=$n]", "enabled=$on")},
		{Text: "FEATURE $n", Attrs: "status=$on:enabled", Set: at(sys+"feature[name=$n]", "enabled=$on"), ReadOnly: true}, // before 202012
		{Text: "LLDP $_:one-of=GLOBAL|Global", Attrs: "{ hello_time=$h:5..254 } { enabled=$b:true }", Set: "cfgvault-lldp:lldp/hello-timer=$h cfgvault-lldp:lldp/enabled=$b", ReadOnly: true},
		{Text: "LLDP GLOBAL", Attrs: "hello_time=$h:5..254", Set: "cfgvault-lldp:lldp/hello-timer=$h"},
		{Text: "STP GLOBAL", Attrs: "mode=$m:one-of=pvst|mstp { priority=$p:0..61440 }", Set: "cfgvault-stp:stp/mode=$m cfgvault-stp:stp/priority=$p"},
		{Text: "STP_VLAN $v:vlan-text", Attrs: "{ vlanid=$_:1..4094 } { enabled=$b:true } { priority=$p:0..61440 }", Set: "cfgvault-stp:stp/vlan[vlans=$v] cfgvault-stp:stp/vlan[vlans=$v]/enabled=$b cfgvault-stp:stp/vlan[vlans=$v]/priority=$p"},
		{Text: "DNS_NAMESERVER $a:ip", Set: sys + "dns/server[address=$a]"},
		{Text: "SNMP_COMMUNITY $c:secret", Attrs: "{ TYPE=$t:one-of=RO>ro|RW>rw }", Set: at(sys+"snmp/community[name=$c]", "access=$t")},
		{Text: "SNMP LOCATION", Attrs: "Location=$l:value", Set: sys + "snmp/location=$l"},
		{Text: "USER $u", Attrs: "{ password=$h:hash } { role=$r }", Set: at(user, "password/type=$h.type", "password/value=$h.value", "role=$r")},
		{Text: "BANNER_MESSAGE global", Attrs: "{ login=$l:value } { motd=$m:value }", Set: sys + "banner/login=$l " + sys + "banner/motd=$m"},
	}
}
