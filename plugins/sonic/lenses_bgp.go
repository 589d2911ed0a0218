package sonic

import "github.com/cfgvault/cfgvault/plugins/lens"

// bgpRows are BGP as bgpcfgd reads it, and as the management framework's
// translation does, which says the VRF and the address family of everything.
// A neighbor is nothing without the AS number of the router, which stands
// elsewhere: records has put it into the entry.
func bgpRows() []lens.Row {
	const (
		instance = "cfgvault-bgp:bgp/instance[vrf=$vrf]"
		neighbor = instance + "/neighbor[address=$n]"
		group    = instance + "/peer-group[name=$g]"
		own      = "own-as=$as:asn"
		router   = " " + instance + "/as=$as"
	)
	rows := []lens.Row{
		{Text: "bgp-asn", Attrs: "bgp_asn=$as:asn", Set: "cfgvault-bgp:bgp/instance[vrf=default]/as=$as"},
		{Text: "BGP_GLOBALS $vrf", Attrs: "local_asn=$as:asn { router_id=$id:quad } { rr_cluster_id=$c:quad } { log_nbr_state_changes=$log:true } { load_balance_mp_relax=$relax:true } { default_ipv4_unicast=$v4:true } { network_import_check=$check:true } { holdtime=$h:0..65535 } { keepalive=$k:0..65535 } { default_local_preference=$pref:0..4294967295 }",
			Set: at(instance, "as=$as", "router-id=$id", "cluster-id=$c", "log-neighbor-changes=$log", "bestpath-multipath-relax=$relax", "default-ipv4-unicast=$v4", "network-import-check=$check", "timers/hold-time=$h", "timers/keepalive=$k", "default-local-preference=$pref")},
		{Text: "BGP_PEER_GROUP $vrf $g", Attrs: own + " { asn=$x:asn } { peer_type=$x:one-of=internal|external } { local_addr=$src:host } { holdtime=$h:0..65535 } { keepalive=$k:0..65535 } { admin_status=$up:true } { ebgp_multihop_ttl=$ttl:1..255 } { bfd=$bfd:true }",
			Set: at(group, "remote-as=$x", "update-source=$src", "timers/hold-time=$h", "timers/keepalive=$k", "enabled=$up", "ebgp-multihop=$ttl", "bfd=$bfd") + router},
		{Text: "BGP_PEER_RANGE $vrf $g", Attrs: own + " { name=$_:value } { ip_range=$r:prefixes } { src_address=$src:ip } { peer_asn=$x:asn }",
			Set: at(group, "listen-range*=$r", "update-source=$src", "remote-as=$x") + router},
	}
	for _, f := range []struct{ ip, family string }{{"ip4", "ipv4-unicast"}, {"ip6", "ipv6-unicast"}} {
		af := neighbor + "/address-family[name=" + f.family + "]"
		rows = append(rows, lens.Row{Text: "BGP_NEIGHBOR $vrf $n:" + f.ip,
			Attrs: own + " { asn=$x:asn } { peer_type=$x:one-of=internal|external } { name=$d:value } { local_addr=$src:host } { holdtime=$h:0..65535 } { keepalive=$k:0..65535 } { admin_status=$up:status } { peer_group_name=$g } { local_asn=$las:asn } { ebgp_multihop_ttl=$ttl:1..255 } { bfd=$bfd:true } { passive_mode=$pas:true } { auth_password=$pw:secret-text } { nhopself=$nhs:flag } { rrclient=$rr:flag }",
			Set: at(neighbor, "remote-as=$x", "description=$d", "update-source=$src", "timers/hold-time=$h", "timers/keepalive=$k", "enabled=$up", "peer-group=$g", "local-as=$las", "ebgp-multihop=$ttl", "bfd=$bfd", "passive=$pas", "password/value=$pw") +
				" " + af + "/next-hop-self=$nhs " + af + "/route-reflector-client=$rr" + router})
	}
	const familyAttrs = own + " { admin_status=$on:true } { nhself=$nhs:true } { rrclient=$rr:true } { soft_reconfiguration_in=$soft:true } { send_default_route=$def:true } { max_prefix_limit=$max:1..4294967295 } { route_map_in=$rmi } { route_map_out=$rmo } { prefix_list_in=$pli } { prefix_list_out=$plo } { filter_list_in=$fli } { filter_list_out=$flo }"
	family := func(place string) string {
		af := place + "/address-family[name=$af]"
		return at(af, "activate=$on", "next-hop-self=$nhs", "route-reflector-client=$rr", "soft-reconfiguration=$soft", "default-originate=$def", "maximum-prefix=$max",
			"route-map-in=$rmi", "route-map-out=$rmo", "prefix-list-in=$pli", "prefix-list-out=$plo", "filter-list-in=$fli", "filter-list-out=$flo") + router
	}
	const wide = instance + "/address-family[name=$af]"
	return append(rows,
		lens.Row{Text: "BGP_NEIGHBOR_AF $vrf $n:ip $af:afi", Attrs: familyAttrs, Set: family(neighbor)},
		lens.Row{Text: "BGP_PEER_GROUP_AF $vrf $g $af:afi", Attrs: familyAttrs, Set: family(group)},
		lens.Row{Text: "BGP_GLOBALS_AF $vrf $af:afi", Attrs: own + " { max_ebgp_paths=$e:1..65535 } { max_ibgp_paths=$i:1..65535 } { advertise-all-vni=$vni:true }",
			Set: at(wide, "maximum-paths=$e", "maximum-paths-ibgp=$i", "advertise-all-vni=$vni") + router},
		lens.Row{Text: "BGP_GLOBALS_AF_NETWORK $vrf $af:afi $p:prefix", Attrs: own + " { policy=$m }", Set: at(wide+"/network[prefix=$p]", "route-map=$m") + router},
		lens.Row{Text: "BGP_GLOBALS_AF_AGGREGATE_ADDR $vrf $af:afi $p:prefix", Attrs: own + " { as_set=$set:true } { summary_only=$only:true }",
			Set: at(wide+"/aggregate[prefix=$p]", "as-set=$set", "summary-only=$only") + router},
		lens.Row{Text: "BGP_GLOBALS_LISTEN_PREFIX $vrf $r:prefix", Attrs: own + " peer_group=$g", Set: group + "/listen-range+=$r" + router},
	)
}
