package frr

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func ospfInstances() []lens.Row {
	instance := func(heading, container, vrf, process string, v6 bool) lens.Row {
		place := "cfgvault-ospf:" + container + "/instance[vrf=" + vrf + "][process=" + process + "]"
		return lens.Row{Text: heading, Set: place, End: "exit", Rows: ospfRows(v6)}
	}
	return []lens.Row{
		instance("router ospf", "ospf", "default", "0", false),
		instance("router ospf vrf $vrf:vrf", "ospf", "$vrf", "0", false),
		instance("router ospf $process:1..65535", "ospf", "default", "$process", false),
		instance("router ospf6", "ospf3", "default", "0", true),
		instance("router ospf6 vrf $vrf:vrf", "ospf3", "$vrf", "0", true),
	}
}

func ospfRows(v6 bool) []lens.Row {
	name, prefix := "ospf", "prefix4"
	if v6 {
		name, prefix = "ospf6", "prefix6"
	}
	source := "./redistribute[source=$src][process=0]"
	process := "./redistribute[source=$src][process=$p]"
	area, span := "./area[id=$area]", "./area[id=$area]/range[prefix=$p]"
	facts := func(place string, leaves ...string) string {
		out := []string{place}
		for _, l := range leaves {
			out = append(out, place+"/"+l)
		}
		return strings.Join(out, " ")
	}
	const options = " { metric $m:0..16777214 } { metric-type $t:1..2 } { route-map $map }"
	rows := []lens.Row{
		{Text: name + " router-id $id:quad", Set: "./router-id=$id"},
		{Text: "router-id $id:quad", Set: "./router-id=$id", ReadOnly: true},
		{Text: "log-adjacency-changes", Set: "./log-adjacency-changes=true"},
		{Text: "auto-cost reference-bandwidth $n:1..4294967", Set: "./reference-bandwidth=$n"},
		{Text: "maximum-paths $n:1..65535", Set: "./maximum-paths=$n"},
		{Text: "redistribute $src:from" + options, Set: facts(source, "metric=$m", "metric-type=$t", "route-map=$map")},
		{Text: "redistribute $src:one-of=ospf|table $p:1..65535" + options, Set: facts(process, "metric=$m", "metric-type=$t", "route-map=$map")},
		{Text: "passive-interface default", Set: "./passive-default=true"},
		{Text: "passive-interface $if:ifname", Set: "./passive-interface+=$if"},
		{Text: "no passive-interface $if:ifname", Set: "./active-interface+=$if"},
		{Text: "area $area:area $type:area-type no-summary", Set: area + "/no-summary=true " + area + "/type=$type"},
		{Text: "area $area:area $type:area-type", Set: area + "/type=$type"},
		{Text: "area $area:area default-cost $n:0..16777215", Set: area + "/default-cost=$n"},
		{Text: "area $area:area authentication", Set: area + "/authentication=simple"},
		{Text: "area $area:area authentication message-digest", Set: area + "/authentication=message-digest"},
		{Text: "area $area:area range $p:" + prefix + " not-advertise", Set: span + "/advertise=false"},
		{Text: "area $area:area range $p:" + prefix + " { cost $n:0..16777215 }", Set: facts(span, "cost=$n")},
		{Text: "area $area:area $o:area-other", Set: area + "/other+=$o"},
		{Text: "log-adjacency-changes detail", Set: "./log-adjacency-changes=true", ReadOnly: true},
		{Text: "default-metric $n:0..16777214", Set: "./default-metric=$n"},
		{Text: "default-information originate $always?always" + options,
			Set: facts("./default-information", "always=$always", "metric=$m", "metric-type=$t", "route-map=$map")},
		{Text: "distance $n:1..255", Set: "./distance=$n"},
		{Text: "area $area:area filter-list prefix $l in", Set: area + "/filter-list-in=$l"},
		{Text: "area $area:area filter-list prefix $l out", Set: area + "/filter-list-out=$l"},
		{Text: "summary-address $p:" + prefix + " no-advertise", Set: "./summary[prefix=$p]/advertise=false"},
		{Text: "summary-address $p:" + prefix + " { tag $tag:1..4294967295 }", Set: facts("./summary[prefix=$p]", "tag=$tag")},
		cisco.Others("ospf-other"),
	}
	if v6 {
		return append(rows, lens.Row{Text: "interface $if:ifname area $area:area", Set: area + "/interface+=$if"})
	}
	return append(rows, lens.Row{Text: "network $p:prefix4 area $area:area", Set: "./network[prefix=$p]/area=$area"})
}
