package sonic

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

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
		boiler("empty $_", "", "empty-table", "a table without entries is as one that is not there (sonic-py-swsscommon, ConfigDBConnector.mod_config)"),
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
		boiler("FEATURE $_", "state=$_:one-of=always_enabled|always_disabled", "fixed-feature", "nothing to choose: the image fixes it (init_cfg.json.j2)"),
		boiler("BGP_DEVICE_GLOBAL STATE", "{ tsa_enabled=false } { wcmp_enabled=false } { originate_bandwidth=disabled } { idf_isolation_state=unisolated }", "initial", "files/build_templates/init_cfg.json.j2 writes it"),
		boiler("AUTO_TECHSUPPORT GLOBAL", "{ state=enabled } { rate_limit_interval=180 } { max_techsupport_limit=10.0 } { max_core_limit=5.0 } { available_mem_threshold=10.0 } { min_available_mem=200 }", "initial", "files/build_templates/init_cfg.json.j2 writes it"),
		boiler("AUTO_TECHSUPPORT_FEATURE $_", "{ state=enabled } { rate_limit_interval=600 } { available_mem_threshold=10.0 }", "initial", "files/build_templates/init_cfg.json.j2 writes it"),
		boiler("SYSLOG_CONFIG GLOBAL", "{ rate_limit_interval=0 } { rate_limit_burst=0 }", "initial", "files/build_templates/init_cfg.json.j2 writes it"),
		boiler("SYSLOG_CONFIG_FEATURE $_", "{ rate_limit_interval=300 } { rate_limit_burst=20000 }", "initial", "files/build_templates/init_cfg.json.j2 writes it"),
		boiler("PASSW_HARDENING POLICIES", "{ state=disabled } { expiration=180 } { expiration_warning=15 } { history_cnt=10 } { len_min=8 } { reject_user_passw_match=true } { lower_class=true } { upper_class=true } { digits_class=true } { special_class=true }",
			"initial", "files/build_templates/init_cfg.json.j2 writes it"),
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

// feature is a field of FEATURE that says how a container is run.
func feature(name, value string) lens.AttrRule { return initial("FEATURE", name, value) }

func initial(table, name, value string) lens.AttrRule {
	return lens.AttrRule{ID: "initial", Class: plugins.Boilerplate, Record: table, Name: name, Value: value, Why: "files/build_templates/init_cfg.json.j2, or the default of the table's model"}
}

// defaults are fields that say what the switch does without them.
func defaults() []lens.AttrRule {
	return []lens.AttrRule{
		unit("hwsku"), unit("platform"), unit("mac"), unit("chassis_serial_number"),
		meta("default_bgp_status", "up"), meta("default_config_profile", "l3"), meta("default_pfcwd_status", "disable"), meta("synchronous_mode", "enable"), meta("buffer_model", "traditional"), meta("yang_config_validation", "disable"),
		meta("bgp_asn", "none|None|null|"), meta("deployment_id", "none|None|null|"),
		feature("auto_restart", "enabled|always_enabled"), feature("high_mem_alert", "disabled"), feature("delayed", "(?i:true|false)"), feature("has_timer", "(?i:true|false)"),
		feature("has_global_scope", "(?i:true|false)"), feature("has_per_asic_scope", "(?i:true|false)"), feature("has_per_dpu_scope", "(?i:true|false)"), feature("set_owner", "local|kube"),
		feature("support_syslog_rate_limit", "true"), feature("check_up_status", "false"),
		initial("PORTCHANNEL", "lacp_key", "auto"), initial("PORTCHANNEL", "fallback", "false"),
		initial("NTP", "authentication", "disabled"), initial("NTP", "dhcp", "enabled"), initial("NTP", "server_role", "disabled"), initial("NTP", "admin_state", "enabled"), initial("NTP", "vrf", "default"),
		initial("TACPLUS_SERVER", "priority", "1"), initial("RADIUS_SERVER", "priority", "1"),
		initial("NTP_SERVER", "admin_state", "enabled"), initial("NTP_SERVER", "trusted", "no"),
		initial("AUTO_TECHSUPPORT", "since", "2 days ago"), initial("BANNER_MESSAGE", "logout", ""),
		{ID: "secret", Class: plugins.SecretOpaque, Name: "password"},
		{ID: "secret", Class: plugins.SecretOpaque, Name: "passkey"},
	}
}
