package sonic

import (
	"regexp"
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
	for _, more := range [][]lens.Row{portRows(), vlanRows(), addressRows(), systemRows(), frameRows()} {
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
	"ethernet": regexp.MustCompile(`^Ethernet\d+$`), "portchannel": regexp.MustCompile(`^PortChannel\d+$`), "vlan": regexp.MustCompile(`^Vlan([1-9]\d{0,3})$`),
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
		"host":    lens.Or(lens.Builtin()["ip"], lens.Builtin()["domain"]),
		"hash":    hash(),
		"words":   lens.Many(lens.Word(nil), ""),
		"ip4s":    lens.Many(lens.Builtin()["ip4"], ""),
		"gateway": lens.Or(lens.Builtin()["ip"], lens.Word(func(s string) bool { return !strings.Contains(s, ",") })),
		"vrf":     lens.Word(func(s string) bool { return s != "default" }),
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
	return append(rows, lens.Row{Text: "VRF $vrf:vrf", Attrs: "{ vni=$n:1..16777215 } { fallback=$_ }", Set: at("cfgvault-vrfs:vrfs/vrf[name=$vrf]", "vni=$n")})
}

func systemRows() []lens.Row {
	const log, user = sys + "logging/server[host=$h]", sys + "users/user[name=$u]"
	return []lens.Row{
		{Text: "hostname", Attrs: "hostname=$h:host-name", Set: sys + "hostname=$h"},
		{Text: "timezone", Attrs: "timezone=$z", Set: sys + "clock/timezone=$z"},
		{Text: "NTP_SERVER $h:host", Attrs: "{ iburst=$b:on } { version=$v:1..4 } { association_type=$_ } { resolve_as=$_ }", Set: at(sys+"ntp/server[host=$h]", "iburst=$b", "version=$v")},
		{Text: "SYSLOG_SERVER $h:host", Attrs: "{ port=$p:1..65535 } { protocol=$proto:one-of=udp|tcp } { vrf=$vrf:vrf } { source=$s }", Set: at(log, "port=$p", "protocol=$proto", "vrf=$vrf", "source=$s")},
		{Text: "DNS_NAMESERVER $a:ip", Set: sys + "dns/server[address=$a]"},
		{Text: "SNMP_COMMUNITY $c:secret", Attrs: "{ TYPE=$t:one-of=RO>ro|RW>rw }", Set: at(sys+"snmp/community[name=$c]", "access=$t")},
		{Text: "SNMP LOCATION", Attrs: "Location=$l:value", Set: sys + "snmp/location=$l"},
		{Text: "USER $u", Attrs: "{ password=$h:hash } { role=$r }", Set: at(user, "password/type=$h.type", "password/value=$h.value", "role=$r")},
		{Text: "BANNER_MESSAGE global", Attrs: "{ login=$l:value } { motd=$m:value }", Set: sys + "banner/login=$l " + sys + "banner/motd=$m"},
	}
}

// frameRows are entries that carry nothing of their own.
func frameRows() []lens.Row {
	boiler := func(text, attrs, rule, why string) lens.Row {
		return lens.Row{Text: text, Attrs: attrs, Class: plugins.Boilerplate, Rule: rule, Why: why}
	}
	var crm strings.Builder
	for _, res := range []string{"acl_counter", "acl_entry", "acl_group", "acl_table", "dnat_entry", "fdb_entry", "ipmc_entry", "ipv4_neighbor", "ipv4_nexthop", "ipv4_route", "ipv6_neighbor", "ipv6_nexthop",
		"ipv6_route", "mpls_inseg", "mpls_nexthop", "nexthop_group", "nexthop_group_member", "snat_entry"} {
		crm.WriteString("{ " + res + "_threshold_type=percentage } { " + res + "_low_threshold=70 } { " + res + "_high_threshold=85 } ")
	}
	return []lens.Row{
		boiler("VERSIONS DATABASE", "{ VERSION=$_ }", "schema-version", "the version of the schema, written by db_migrator.py"),
		boiler("CRM Config", "{ polling_interval=300 } "+crm.String(), "crm-default", "files/build_templates/init_cfg.json.j2 writes it"),
		boiler("FLEX_COUNTER_TABLE $_", "{ FLEX_COUNTER_STATUS=enable } { POLL_INTERVAL=$_ } { FLEX_COUNTER_DELAY_STATUS=$_ }", "counters-on", "files/build_templates/init_cfg.json.j2 writes it"),
		boiler("NAT_GLOBAL Values", "{ nat_tcp_timeout=86400 } { nat_udp_timeout=300 } { nat_timeout=600 } { admin_mode=disabled }", "nat-default", "the defaults of the design of NAT (sonic-net/SONiC, doc/nat)"),
		boiler("SWITCH switch", "{ fdb_aging_time=600 }", "aging-default", "600 s is the default (sonic-swss, fdb)"),
		boiler("TELEMETRY gnmi", "{ port=8080 }", "gnmi-default", "8080 is the default of docker-sonic-telemetry"),
		boiler("COREDUMP config", "{ enabled=true }", "coredump-default", "on from the factory (Enterprise SONiC 3.1, recorded)"),
		boiler("KDUMP config", "{ enabled=true } { num_dumps=3 } { memory=0M-2G:256M,2G-4G:320M,4G-8G:384M,8G-:448M }", "kdump-default", "so from the factory (Enterprise SONiC 3.1, recorded; sonic-kdump.yang)"),
		boiler("ECMP_LOADSHARE_TABLE_IPV4 ipv4", "{ ipv4_dst_ip=true } { ipv4_src_ip=true } { ipv4_protocol=true } { ipv4_l4_dst_port=true } { ipv4_l4_src_port=true }", "hash-default", "all fields from the factory (Enterprise SONiC 3.1, recorded)"),
		boiler("ECMP_LOADSHARE_TABLE_IPV6 ipv6", "{ ipv6_dst_ip=true } { ipv6_src_ip=true } { ipv6_next_hdr=true } { ipv6_l4_dst_port=true } { ipv6_l4_src_port=true }", "hash-default", "all fields from the factory (Enterprise SONiC 3.1, recorded)"),
		boiler("HARDWARE ACCESS_LIST", "{ LOOKUP_MODE=optimized } { COUNTER_MODE=per-rule }", "acl-default", "so from the factory (Enterprise SONiC 3.1, recorded)"),
		boiler("ZTP config", "{ admin-mode=false }", "ztp-off", "written when zero touch provisioning ends"),
		boiler("VRF default", "{ enabled=true }", "default-vrf", "the global table, which is always there"),
		{Text: "DEVICE_METADATA localhost", ReadOnly: true},
		{Text: "LOOPBACK $if:loopback", Set: at(iface, "type=type-of($if)"), ReadOnly: true},
	}
}

// unit is a field of DEVICE_METADATA that says which hardware it is.
func unit(name string) lens.AttrRule {
	return lens.AttrRule{ID: "unit", Class: plugins.Boilerplate, Record: "DEVICE_METADATA", Name: name, Why: "says which hardware it is; sonic-cfggen writes it from the platform"}
}

// meta is one that init_cfg.json.j2 or minigraph.py sets so everywhere.
func meta(name, value string) lens.AttrRule {
	return lens.AttrRule{ID: "metadata-default", Class: plugins.Boilerplate, Record: "DEVICE_METADATA", Name: name, Value: value, Why: "files/build_templates/init_cfg.json.j2 and the model's default"}
}

// defaults are fields that say what the switch does without them.
func defaults() []lens.AttrRule {
	return []lens.AttrRule{
		unit("hwsku"), unit("platform"), unit("mac"), unit("chassis_serial_number"),
		meta("default_bgp_status", "up"), meta("default_config_profile", "l3"), meta("default_pfcwd_status", "disable"), meta("synchronous_mode", "enable"), meta("buffer_model", "traditional"), meta("yang_config_validation", "disable"),
		{ID: "secret", Class: plugins.SecretOpaque, Name: "password"},
		{ID: "secret", Class: plugins.SecretOpaque, Name: "passkey"},
	}
}
