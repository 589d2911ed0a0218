package routeros

import (
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// OSPF and BGP name areas, instances and templates of their own making; in the
// tree an area is known by its id, and an instance by its VRF. routing is what
// the names mean.
type routing struct {
	instances map[string]ospfInstance
	areas     map[string]ospfArea
	templates map[string]string // AS number, by template or instance of BGP
}

type ospfInstance struct{ version, vrf string }

type ospfArea struct{ id, instance string }

// scan looks for them before the records are read.
func scan(d *syntax.Doc) routing {
	x := routing{
		instances: map[string]ospfInstance{"default": {"v2", "default"}}, // of releases before 7, where they need not be made
		areas:     map[string]ospfArea{"backbone": {"0.0.0.0", "default"}},
		templates: map[string]string{},
	}
	value := func(r *syntax.Record, name, otherwise string) string {
		if a := r.Get(name); a != nil {
			return a.Value
		}
		return otherwise
	}
	syntax.RouterOSRecords(d, func(r *syntax.Record) bool {
		if r.Bad || !strings.HasPrefix(r.Words[0], "/routing/") {
			return true
		}
		name := value(r, "name", value(r, "numbers", "default"))
		switch r.Words[0] {
		case "/routing/ospf/instance":
			x.instances[name] = ospfInstance{"v" + value(r, "version", "2"), vrfOf(value(r, "vrf", "main"))}
		case "/routing/ospf/area":
			x.areas[name] = ospfArea{value(r, "area-id", "0.0.0.0"), value(r, "instance", "default")}
		case "/routing/bgp/template", "/routing/bgp/instance":
			if as := r.Get("as"); as != nil {
				x.templates[name] = as.Value
			}
		}
		return true
	})
	return x
}

func vrfOf(name string) string {
	if name == "main" {
		return "default"
	}
	return name
}

// put replaces or adds an attribute that no line stands for.
func put(r *syntax.Record, name, value string) {
	r.Attrs = slices.DeleteFunc(r.Attrs, func(a syntax.Attr) bool { return a.Name == name })
	r.Attrs = append(r.Attrs, syntax.Attr{Name: name, Value: value, From: r.From, To: r.From})
}

// resolve puts what names mean into a record of OSPF or BGP, and yields it. One
// whose names mean nothing stays as it is, and no row knows it.
func (x routing) resolve(r *syntax.Record, yield func(*syntax.Record) bool) bool {
	c := *r
	c.Words, c.Attrs = slices.Clone(r.Words), slices.Clone(r.Attrs)
	for i := range c.Attrs { // a flag stands alone
		if a := &c.Attrs[i]; a.Name == "numbers" && (a.Value == "passive" || a.Value == "no-summaries") {
			a.Name, a.Value = a.Value, "yes"
		}
	}
	switch menu := c.Words[0]; menu {
	case "/routing/ospf/instance":
		n := c.Get("name")
		if n == nil || c.Words[1] != "add" {
			break
		}
		in := x.instances[n.Value]
		c.Words[1] = in.version
		put(&c, "vrf", in.vrf)
		if from := c.Get("redistribute"); from != nil {
			for _, source := range strings.Split(from.Value, ",") {
				p := syntax.Record{Words: []string{menu, "redistribute-" + in.version}, From: from.From, To: from.To, Heads: c.Heads, Attrs: []syntax.Attr{
					{Name: "vrf", Value: in.vrf, From: from.From, To: from.From}, {Name: "source", Value: source, From: from.From, To: from.To}}}
				if !yield(&p) {
					return false
				}
			}
			c.Attrs = slices.DeleteFunc(c.Attrs, func(a syntax.Attr) bool { return a.Name == "redistribute" })
		}
	case "/routing/ospf/area":
		n := c.Get("name")
		if n == nil || c.Words[1] != "add" {
			break
		}
		area := x.areas[n.Value]
		if in, ok := x.instances[area.instance]; ok {
			c.Words[1] = in.version
			put(&c, "vrf", in.vrf)
			if c.Get("area-id") == nil {
				put(&c, "area-id", area.id)
			}
		}
	case "/routing/ospf/interface-template", "/routing/ospf/network":
		n := c.Get("area")
		if n == nil || c.Words[1] != "add" {
			break
		}
		area, ok := x.areas[n.Value]
		in, known := x.instances[area.instance]
		if !ok || !known {
			break
		}
		put(&c, "area-id", area.id)
		put(&c, "vrf", in.vrf)
		c.Attrs = slices.DeleteFunc(c.Attrs, func(a syntax.Attr) bool { return a.Name == "area" })
		c.Words[1] = in.version
		faces := c.Get("interfaces")
		if faces == nil {
			c.Words[1] = "network-" + in.version
			break
		}
		for _, face := range strings.Split(faces.Value, ",") {
			p := c
			p.Attrs = slices.Clone(c.Attrs)
			p.Get("interfaces").Value = face
			if !yield(&p) {
				return false
			}
		}
		return true
	case "/routing/bgp/connection", "/routing/bgp/peer":
		as := ""
		if a := c.Get("as"); a != nil {
			as = a.Value
		}
		for _, by := range []string{"instance", "templates"} {
			if a := c.Get(by); a != nil && as == "" {
				as = x.templates[a.Value]
			}
		}
		if as == "" {
			as = x.templates["default"]
		}
		if as != "" {
			put(&c, ownAS, as)
		}
	}
	return yield(&c)
}

// ownAS is an attribute that no export has.
const ownAS = "own-as"

// routingRows are OSPF and BGP of version 7, and what they were before.
func routingRows() []lens.Row {
	var rows []lens.Row
	for _, v := range []struct{ version, container string }{{"v2", "ospf"}, {"v3", "ospf3"}} {
		in := "cfgvault-ospf:" + v.container + "/instance[vrf=$vrf][process=0]"
		area := in + "/area[id=$a]"
		face := "cfgvault-ospf:" + v.container + "/interface[name=$if]"
		const menu = "/routing/ospf/"
		rows = append(rows,
			lens.Row{Text: menu + "instance " + v.version, Attrs: "vrf=$vrf { router-id=$id:quad } { disabled=$off:no } { originate-default=$def:origin } { name=$_ } { version=$_ }",
				Set: at(in, "router-id=$id", "enabled=$off", "default-information/always=$def")},
			lens.Row{Text: menu + "instance redistribute-" + v.version, Attrs: "vrf=$vrf source=$s:one-of=connected|static|bgp|rip", Set: in + "/redistribute[source=$s][process=0]"},
			lens.Row{Text: menu + "area " + v.version, Attrs: "vrf=$vrf area-id=$a:quad { type=$t:one-of=stub|nssa } { no-summaries=$ns:yes } { default-cost=$c:0..16777215 } { name=$_ } { instance=$_ }",
				Set: at(area, "type=$t", "no-summary=$ns", "default-cost=$c")},
			lens.Row{Text: menu + "interface-template " + v.version, Attrs: "interfaces=$if:ifname area-id=$a:quad { cost=$c:1..65535 } { priority=$p:0..255 } { type=$t:one-of=ptp>point-to-point|broadcast|nbma>non-broadcast|ptmp>point-to-multipoint } { passive=$pas:yes } { hello-interval=$h:seconds } { dead-interval=$d:seconds } { auth=md5 auth-id=$kid:1..255 auth-key=$key:secret-text } vrf=$vrf",
				Set: at(face, "area=$a", "cost=$c", "priority=$p", "network-type=$t", "passive=$pas", "hello-interval=$h", "dead-interval=$d", "message-digest-key[id=$kid]/value=$key") + " " + area},
			lens.Row{Text: menu + "interface-template network-" + v.version, Attrs: "vrf=$vrf networks=$n:prefix4 area-id=$a:quad", Set: in + "/network[prefix=$n]/area=$a " + area},
			lens.Row{Text: menu + "network network-" + v.version, Attrs: "vrf=$vrf network=$n:prefix4 area-id=$a:quad", Set: in + "/network[prefix=$n]/area=$a " + area, ReadOnly: true})
	}
	const old = "cfgvault-ospf:ospf/"
	rows = append(rows,
		lens.Row{Text: "/routing/ospf/instance set", Attrs: "{ [default=yes } { numbers=$_ } { router-id=$id:quad }", Set: old + "instance[vrf=default][process=0]/router-id=$id", ReadOnly: true})
	const bgp = "cfgvault-bgp:bgp/instance[vrf=default]"
	const peer = bgp + "/neighbor[address=$n]"
	set := at(peer, "remote-as=$x", "update-source=$src", "description=$d", "enabled=$off", "timers/hold-time=$h", "timers/keepalive=$k", "password/value=$key") + " " + bgp + "/as=$as"
	const common = " own-as=$as:asn { comment=$d:value } { disabled=$off:no } { hold-time=$h:seconds } { keepalive-time=$k:seconds } { tcp-md5-key=$key:secret-text } { name=$_ } { as=$_ } { templates=$_ } { instance=$_ }"
	return append(rows,
		lens.Row{Text: "/routing/bgp/template set", Attrs: "numbers=default as=$as:asn { router-id=$id:quad }", Set: bgp + "/as=$as " + bgp + "/router-id=$id"},
		lens.Row{Text: "/routing/bgp/template add", Attrs: "name=$_ as=$as:asn { router-id=$id:quad } { routing-table=main }", Set: bgp + "/as=$as " + bgp + "/router-id=$id", ReadOnly: true},
		lens.Row{Text: "/routing/bgp/instance set", Attrs: "{ numbers=$_ } { [default=yes } as=$as:asn { router-id=$id:quad }", Set: bgp + "/as=$as " + bgp + "/router-id=$id", ReadOnly: true},
		lens.Row{Text: "/routing/bgp/instance add", Attrs: "name=$_ as=$as:asn { router-id=$id:quad }", Set: bgp + "/as=$as " + bgp + "/router-id=$id", ReadOnly: true},
		lens.Row{Text: "/routing/bgp/connection add", Attrs: "remote.address=$n:peer { remote.as=$x:asn } { local.address=$src:ip } { local.role=$_ }" + common, Set: set},
		lens.Row{Text: "/routing/bgp/peer add", Attrs: "remote-address=$n:peer { remote-as=$x:asn } { update-source=$src:ip }" + common, Set: set, ReadOnly: true})
}

// routed gives the records that are written the names by which they refer to
// each other.
func routed(r *syntax.Record) {
	value := func(name string) string {
		if a := r.Get(name); a != nil {
			return a.Value
		}
		return ""
	}
	drop := func(names ...string) {
		r.Attrs = slices.DeleteFunc(r.Attrs, func(a syntax.Attr) bool { return slices.Contains(names, a.Name) })
	}
	version := strings.TrimPrefix(r.Words[1], "network-")
	vrf := value("vrf")
	if vrf == "" {
		vrf = "default"
	}
	instance := version + "-" + vrf
	switch r.Words[0] {
	case "/routing/ospf/instance":
		drop("vrf")
		head := []syntax.Attr{{Name: "name", Value: instance}, {Name: "version", Value: version[1:]}}
		if vrf != "default" {
			head = append(head, syntax.Attr{Name: "vrf", Value: vrf})
		}
		r.Attrs = append(head, r.Attrs...)
	case "/routing/ospf/area":
		drop("vrf")
		r.Attrs = append([]syntax.Attr{{Name: "name", Value: instance + "-" + value("area-id")}, {Name: "instance", Value: instance}}, r.Attrs...)
	case "/routing/ospf/interface-template":
		area := instance + "-" + value("area-id")
		drop("vrf", "area-id")
		r.Attrs = append([]syntax.Attr{{Name: "area", Value: area}}, r.Attrs...)
	case "/routing/bgp/connection":
		as := value(ownAS)
		drop(ownAS)
		role := "ebgp"
		if value("remote.as") == as {
			role = "ibgp"
		}
		name := strings.Map(func(c rune) rune {
			if c == ':' {
				return '-'
			}
			return c
		}, "peer-"+value("remote.address"))
		r.Attrs = append([]syntax.Attr{{Name: "name", Value: name}, {Name: "as", Value: as}, {Name: "local.role", Value: role}}, r.Attrs...)
	default:
		return
	}
	if strings.HasPrefix(r.Words[0], "/routing/ospf/") {
		r.Words = []string{r.Words[0], "add"}
	}
}
