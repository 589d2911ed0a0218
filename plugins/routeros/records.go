package routeros

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// most is how many records one command may become.
const most = 20000

// records yields what an export says. Commands that say several things – the
// VLANs and ports of a bridge, the slaves of a bond, a list of servers –
// become one record for each.
func records(text string) (*syntax.Doc, func(yield func(*syntax.Record) bool)) {
	d := syntax.ParseSections(text, syntax.RouterOS())
	return d, func(yield func(*syntax.Record) bool) {
		var x routing
		if strings.Contains(text, "routing") {
			x = scan(d)
		}
		syntax.RouterOSRecords(d, func(r *syntax.Record) bool {
			if !r.Bad && strings.HasPrefix(r.Words[0], "/routing/") {
				tidy(r)
				return x.resolve(r, yield)
			}
			return apart(r, yield)
		})
	}
}

// apart yields one command or its parts.
func apart(r *syntax.Record, yield func(*syntax.Record) bool) bool {
	if r.Bad {
		return yield(r)
	}
	menu := r.Words[0]
	tidy(r)
	if menu == "/ip/address" {
		n, a := r.Get("network"), r.Get("address")
		if a != nil && !strings.Contains(a.Value, "/") && (n == nil || n.Value == a.Value) {
			a.Value += "/32" // an export leaves it out
		}
		if n != nil {
			derived(r, n)
		}
	}
	switch menu + " " + r.Words[1] {
	case "/interface/bridge/vlan add":
		return bridgeVLAN(r, yield)
	case "/interface/bonding add":
		return each(r, "slaves", "slave", "name", yield)
	case "/ip/vrf add":
		return each(r, "interfaces", "interface", "name", yield)
	case "/ip/dns set":
		return each(r, "servers", "address", "", yield)
	case "/system/ntp/client set":
		for _, n := range []string{"primary-ntp", "secondary-ntp", "server-dns-names"} {
			if a := r.Get(n); a != nil && !each(r, n, "address", "", yield) {
				return false
			}
		}
		return yield(r)
	case "/snmp set":
		for _, n := range []string{"contact", "location"} {
			if a := r.Get(n); a != nil && a.Value != "" {
				p := part(r, n, a)
				p.Attrs[0].Name = "value"
				if !yield(p) {
					return false
				}
			}
		}
		return restOf(r, yield, "contact", "location")
	case "/ip/service set":
		if n := r.Get("numbers"); n != nil && n.Value == "ssh" {
			for _, name := range []string{"port", "disabled"} {
				if a := r.Get(name); a != nil {
					if !yield(part(r, "ssh-"+name, a)) {
						return false
					}
				}
			}
			return restOf(r, yield, "numbers", "port", "disabled")
		}
	}
	return yield(r)
}

// tidy writes out what an export abbreviates: ".ssid" after
// "configuration.country" is "configuration.ssid", and "blackhole" alone is a
// flag. An item that is switched off, where that is no leaf of its own, is a
// record of its own kind.
func tidy(r *syntax.Record) {
	prefix := ""
	for i := range r.Attrs {
		a := &r.Attrs[i]
		if dot := strings.LastIndexByte(a.Name, '.'); dot == 0 && prefix != "" {
			a.Name = prefix + a.Name
		} else if dot > 0 {
			prefix = a.Name[:dot]
		}
		if a.Name == "numbers" && a.Value == "blackhole" && strings.HasSuffix(r.Words[0], "/route") {
			a.Name, a.Value = "blackhole", "yes"
		}
	}
	if off := r.Get("disabled"); off != nil && (off.Value == "yes" || off.Value == "true") && r.Words[1] == "add" {
		switch r.Words[0] {
		case "/ip/address", "/ipv6/address", "/ip/route", "/ipv6/route", "/ip/dhcp-client", "/ipv6/dhcp-client", "/ip/dhcp-relay", "/interface/bridge/port", "/interface/bridge/vlan",
			"/interface/list/member", "/ip/vrf", "/routing/ospf/area", "/routing/ospf/interface-template", "/routing/ospf/network", "/routing/ospf/interface", "/snmp/community", "/system/ntp/client/servers", "/interface/wifi/security":
			r.Words[1] = "off"
		}
	}
}

// derived drops what an address says by itself: its network.
func derived(r *syntax.Record, n *syntax.Attr) {
	a := r.Get("address")
	if a == nil {
		return
	}
	p, err := netip.ParsePrefix(a.Value)
	if err == nil && p.Masked().Addr().String() == n.Value {
		r.Attrs = slices.DeleteFunc(r.Attrs, func(b syntax.Attr) bool { return b.Name == "network" })
	}
}

// part is a record of one attribute of a command.
func part(r *syntax.Record, verb string, a *syntax.Attr) *syntax.Record {
	return &syntax.Record{Words: []string{r.Words[0], verb}, Attrs: []syntax.Attr{*a}, From: a.From, To: a.To, Heads: r.Heads}
}

// restOf yields what is left of a command, if anything is.
func restOf(r *syntax.Record, yield func(*syntax.Record) bool, taken ...string) bool {
	c := *r
	c.Attrs = slices.DeleteFunc(slices.Clone(r.Attrs), func(a syntax.Attr) bool { return slices.Contains(taken, a.Name) })
	return len(c.Attrs) == 0 || yield(&c)
}

// each yields the values of a list one by one, and what is left of the command.
// The verb of such a record is what one value is called; about is the attribute
// that says what the list belongs to.
func each(r *syntax.Record, list, one, about string, yield func(*syntax.Record) bool) bool {
	a := r.Get(list)
	if a == nil || a.Value == "" {
		return yield(r)
	}
	verb := one
	if one == "address" {
		verb = "server"
	}
	if one == "interface" {
		verb = "member"
	}
	for v := range strings.SplitSeq(a.Value, ",") {
		p := syntax.Record{Words: []string{r.Words[0], verb}, From: a.From, To: a.To, Heads: r.Heads}
		if o := r.Get(about); o != nil {
			p.Attrs = append(p.Attrs, *o)
		}
		p.Attrs = append(p.Attrs, syntax.Attr{Name: one, Value: v, From: a.From, To: a.To})
		if !yield(&p) {
			return false
		}
	}
	return restOf(r, yield, list)
}

// bridgeVLAN yields each VLAN of each tagged port. Untagged ports follow from
// the ports' own pvid.
func bridgeVLAN(r *syntax.Record, yield func(*syntax.Record) bool) bool {
	bridge, ids, tagged := r.Get("bridge"), r.Get("vlan-ids"), r.Get("tagged")
	if bridge == nil || ids == nil || tagged == nil {
		return yield(r)
	}
	list, ok := vlans.Read(ids.Value)
	ports := strings.Split(tagged.Value, ",")
	if !ok || len(ports) > 256 {
		return yield(r)
	}
	all := lens.Expand(list[0].([]any))
	if len(all)*len(ports) > most {
		return yield(r)
	}
	for _, v := range all {
		for _, port := range ports {
			p := syntax.Record{Words: []string{r.Words[0], "tagged"}, From: r.From, To: r.To, Heads: r.Heads, Attrs: []syntax.Attr{
				*bridge, {Name: "interface", Value: port, From: tagged.From, To: tagged.To}, {Name: "vlan", Value: strconv.FormatInt(v.(int64), 10), From: ids.From, To: ids.To}}}
			if !yield(&p) {
				return false
			}
		}
	}
	c := *r
	c.Attrs = slices.DeleteFunc(slices.Clone(r.Attrs), func(a syntax.Attr) bool { return a.Name == "tagged" })
	return untagged(&c, yield)
}

// untagged yields each port that a single VLAN leaves without a tag.
func untagged(r *syntax.Record, yield func(*syntax.Record) bool) bool {
	ids, ports, bridge := r.Get("vlan-ids"), r.Get("untagged"), r.Get("bridge")
	if ids == nil || ports == nil || bridge == nil || strings.ContainsAny(ids.Value, ",-") {
		return restOf(r, yield, "vlan-ids", "bridge")
	}
	for port := range strings.SplitSeq(ports.Value, ",") {
		p := syntax.Record{Words: []string{r.Words[0], "untagged"}, From: r.From, To: r.To, Heads: r.Heads, Attrs: []syntax.Attr{
			*bridge, {Name: "interface", Value: port, From: ports.From, To: ports.To}, {Name: "vlan", Value: ids.Value, From: ids.From, To: ids.To}}}
		if !yield(&p) {
			return false
		}
	}
	return restOf(r, yield, "vlan-ids", "untagged", "bridge")
}

var vlans = lens.Builtin()["vlans"]

// printRecords writes a script: a menu, then its commands.
func printRecords(records []syntax.Record) string {
	var out []syntax.Record
	at := map[string]int{} // of records that gather others
	gather := func(key string, make func() syntax.Record) *syntax.Record {
		k, ok := at[key]
		if !ok {
			k = len(out)
			at[key] = k
			out = append(out, make())
		}
		return &out[k]
	}
	list := func(r *syntax.Record, name, value string) {
		if a := r.Get(name); a != nil {
			a.Value += "," + value
			return
		}
		r.Attrs = append(r.Attrs, syntax.Attr{Name: name, Value: value})
	}
	for _, r := range records {
		menu, verb := r.Words[0], r.Words[1]
		if strings.HasPrefix(menu, "/routing/") {
			if version, ok := strings.CutPrefix(verb, "redistribute-"); ok {
				vrf := r.Get("vrf").Value
				list(gather(menu+" "+version+" "+vrf, func() syntax.Record {
					c := syntax.Record{Words: []string{menu, version}, Attrs: []syntax.Attr{{Name: "vrf", Value: vrf}}}
					routed(&c)
					return c
				}), "redistribute", r.Get("source").Value)
				continue
			}
			if menu == "/routing/ospf/instance" {
				at[menu+" "+verb+" "+r.Get("vrf").Value] = len(out)
			}
			routed(&r)
			out = append(out, r)
			continue
		}
		value := func(name string) string {
			if a := r.Get(name); a != nil {
				return a.Value
			}
			return ""
		}
		set := func() syntax.Record { return syntax.Record{Words: []string{menu, "set"}} }
		switch menu + " " + verb {
		case "/interface/bridge/vlan tagged":
			b, v := value("bridge"), value("vlan")
			g := gather(menu+" "+b+" "+v, func() syntax.Record {
				return syntax.Record{Words: []string{menu, "add"}, Attrs: []syntax.Attr{{Name: "bridge", Value: b}, {Name: "vlan-ids", Value: v}}}
			})
			list(g, "tagged", value("interface"))
		case "/interface/bonding add", "/ip/vrf add":
			at[menu+" "+value("name")] = len(out)
			out = append(out, r)
		case "/interface/bonding slave":
			list(&out[at[menu+" "+value("name")]], "slaves", value("slave"))
		case "/ip/vrf member":
			list(&out[at[menu+" "+value("name")]], "interfaces", value("interface"))
		case "/ip/dns server":
			list(gather(menu, set), "servers", value("address"))
		case "/snmp contact", "/snmp location":
			g := gather(menu, set)
			g.Attrs = append(g.Attrs, syntax.Attr{Name: verb, Value: value("value")})
		case "/ip/service ssh-port", "/ip/service ssh-disabled":
			g := gather(menu, func() syntax.Record {
				return syntax.Record{Words: []string{menu, "set"}, Attrs: []syntax.Attr{{Name: "numbers", Value: "ssh"}}}
			})
			g.Attrs = append(g.Attrs, r.Attrs...)
		case "/system/logging/action add":
			r.Attrs = append(r.Attrs, syntax.Attr{Name: "name", Value: "remote" + strings.Map(func(c rune) rune {
				if c >= '0' && c <= '9' || c >= 'a' && c <= 'f' {
					return c
				}
				return -1
			}, value("remote"))})
			out = append(out, r)
		default:
			out = append(out, r)
		}
	}
	var b strings.Builder
	menu := ""
	for i := range out {
		r := &out[i]
		if r.Words[0] == "/system/ntp/client/servers" && menu != r.Words[0] {
			b.WriteString("/system ntp client\nset enabled=yes\n")
		}
		if r.Words[0] == "/snmp" && menu != r.Words[0] {
			r.Attrs = append(r.Attrs, syntax.Attr{Name: "enabled", Value: "yes"})
		}
		if r.Words[0] != menu {
			menu = r.Words[0]
			b.WriteString("/" + strings.ReplaceAll(menu[1:], "/", " ") + "\n")
		}
		b.WriteString(r.Words[1])
		for k := range r.Attrs {
			a := &r.Attrs[k]
			switch {
			case strings.HasPrefix(a.Name, "["):
				b.WriteString(" [ find " + a.Name[1:] + "=" + syntax.RouterOSQuote(a.Value) + " ]")
			case a.Name == "numbers":
				b.WriteString(" " + a.Value)
			default:
				b.WriteString(" " + a.Name + "=" + syntax.RouterOSQuote(a.Value))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
