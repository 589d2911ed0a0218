package openwrt

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// iface takes a section "interface" apart.
func (x *reader) iface(r *syntax.Record) {
	name, device := x.tree(r.Words[1]), deviceOf(r)
	at := func(word string, more ...string) []string { return append([]string{word, name}, more...) }
	if t := r.Get("type"); t != nil && t.Value == "bridge" { // before 21.02
		x.each(r, "ifname", func(v string) []string { return []string{"port", v, device} })
		x.add(bare(piece(r, []string{"bridge", device}, "type")))
		if name != device {
			x.out = append(x.out, syntax.Record{Words: at("lower"), From: t.From, To: t.To, Attrs: []syntax.Attr{{Name: "device", Value: device, From: t.From, To: t.To}}})
		}
	} else {
		for _, n := range []string{"device", "ifname"} {
			p := piece(r, at("lower"), n)
			if p == nil {
				continue
			}
			p.Attrs[0].Name = "device"
			if logical, ok := strings.CutPrefix(p.Attrs[0].Value, "@"); ok { // the device of another one
				p.Attrs[0].Value = x.tree(logical)
			}
			if p.Attrs[0].Value == name {
				p = &syntax.Record{Words: at("interface"), From: p.From, To: p.To}
			}
			x.add(p)
		}
	}
	static := true
	if p := r.Get("proto"); p != nil {
		static = p.Value == "static" || p.Value == "none"
		switch p.Value {
		case "static", "none":
			x.add(bare(piece(r, at("interface"), "proto")))
		case "dhcp", "dhcpv6":
			x.add(bare(piece(r, at("proto", p.Value), "proto")))
		}
	}
	if static { // other protocols have no use for addresses
		x.addresses(r, at)
	}
	for _, word := range []struct{ word, option string }{{"mtu", "mtu"}, {"mac", "macaddr"}} {
		words := at(word.word)
		if device == "" || device == name {
			words = []string{map[string]string{"mtu": "device", "mac": "device-mac"}[word.word], name}
		}
		if p := piece(r, words, word.option); p != nil {
			x.late = append(x.late, *p)
		}
	}
	x.add(piece(r, at("disabled"), "disabled"))
	x.each(r, "dns", func(v string) []string { return []string{"dns", v} })
	for _, f := range []struct{ option, word, any string }{{"gateway", "route", "0.0.0.0/0"}, {"ip6gw", "route6", "::/0"}} {
		if !static {
			break
		}
		if p := piece(r, []string{f.word, f.any}, f.option); p != nil {
			p.Attrs[0].Name = "gateway"
			p.Attrs = append(p.Attrs, syntax.Attr{Name: "interface", Value: name, From: p.From, To: p.To})
			x.add(p)
		}
	}
}

// bare drops the attributes of a record whose words say all.
func bare(r *syntax.Record) *syntax.Record {
	if r != nil {
		r.Attrs = nil
	}
	return r
}

// addresses: an address has its length behind a slash or, if it is the only
// one, in netmask.
func (x *reader) addresses(r *syntax.Record, at func(string, ...string) []string) {
	mask := ""
	if m := r.Get("netmask"); m != nil {
		mask = maskLength(m.Value)
	}
	used := false
	for _, f := range []struct{ option, word string }{{"ipaddr", "address"}, {"ip6addr", "address6"}} {
		for i := range r.Attrs {
			a := &r.Attrs[i]
			if a.Name != f.option {
				continue
			}
			for _, v := range strings.Fields(a.Value) {
				if f.option == "ipaddr" && !strings.Contains(v, "/") && mask != "" {
					v, used = v+mask, true
				}
				x.out = append(x.out, syntax.Record{Words: at(f.word), From: a.From, To: a.To, Attrs: []syntax.Attr{{Name: "ip", Value: v, From: a.From, To: a.To}}})
			}
		}
		r.Attrs = slices.DeleteFunc(r.Attrs, func(a syntax.Attr) bool { return a.Name == f.option && strings.TrimSpace(a.Value) != "" })
	}
	if used {
		x.add(bare(piece(r, at("interface"), "netmask")))
	}
}

// maskLength is a mask as "/24", or "".
func maskLength(mask string) string {
	v, ok := mask4.Read("0.0.0.0 " + mask)
	if !ok {
		return ""
	}
	return "/" + strconv.FormatInt(v[1].(int64), 10)
}

// device takes a section "device" apart; false without a name.
func (x *reader) device(r *syntax.Record) bool {
	n := r.Get("name")
	if n == nil {
		return false
	}
	name := n.Value
	if t := r.Get("type"); t != nil && t.Value == "bridge" {
		x.add(bare(piece(r, []string{"bridge", name}, "type")))
	} else if t != nil && (t.Value == "8021q" || t.Value == "802.1q") && r.Get("ifname") != nil && r.Get("vid") != nil {
		p := piece(r, []string{"vlan", name}, "type", "ifname", "vid")
		p.Attrs = p.Attrs[1:]
		x.add(p)
		x.out = append(x.out, syntax.Record{Words: []string{"interface", name}, From: t.From, To: t.To})
	}
	x.add(bare(piece(r, []string{"interface", name}, "name")))
	x.each(r, "ports", func(v string) []string { return []string{"port", v, name} })
	x.add(piece(r, []string{"filtering", name}, "vlan_filtering"))
	if p := piece(r, []string{"device", name}, "mtu"); p != nil {
		x.late = append(x.late, *p)
	}
	if p := piece(r, []string{"device-mac", name}, "macaddr"); p != nil {
		x.late = append(x.late, *p)
	}
	x.out = append(x.out, syntax.Record{Words: []string{"interface", name}, From: r.From, To: r.From + 1})
	return true
}

// bridgeVLAN takes a section "bridge-vlan" apart: "lan1:t" is tagged, "lan2:u*"
// untagged and what comes in untagged.
func (x *reader) bridgeVLAN(r *syntax.Record) bool {
	bridge, vlan := r.Get("device"), r.Get("vlan")
	if bridge == nil || vlan == nil || r.Get("ports") == nil {
		return false
	}
	good := false
	for i := range r.Attrs {
		a := &r.Attrs[i]
		if a.Name != "ports" {
			continue
		}
		values := []string{a.Value}
		if !a.List {
			values = strings.Fields(a.Value)
		}
		for _, v := range values {
			port, how, _ := strings.Cut(v, ":")
			word := map[string]string{"t": "tagged", "u*": "pvid"}[how]
			if word == "" {
				word = "ports"
			}
			good = good || word != "ports"
			x.late = append(x.late, syntax.Record{Words: []string{word, port, bridge.Value, vlan.Value}, From: a.From, To: a.To})
		}
	}
	if !good {
		return false
	}
	for _, a := range []*syntax.Attr{bridge, vlan} {
		x.late = append(x.late, syntax.Record{Words: []string{"rest"}, From: a.From, To: a.To})
	}
	r.Attrs = slices.DeleteFunc(r.Attrs, func(a syntax.Attr) bool { return a.Name == "ports" || a.Name == "device" || a.Name == "vlan" })
	return true
}

// route brings a section "route" into one form: the prefix is a word.
func (x *reader) route(r *syntax.Record) {
	c := *r
	target := r.Get("target")
	if target == nil {
		x.out = append(x.out, *r)
		return
	}
	prefix := target.Value
	if !strings.Contains(prefix, "/") {
		length := "/32"
		if r.Words[0] == "route6" {
			length = "/128"
		}
		if m := r.Get("netmask"); m != nil {
			length = maskLength(m.Value)
		}
		prefix += length
	}
	if p, err := netip.ParsePrefix(prefix); err != nil || p.Masked() != p {
		x.out = append(x.out, *r)
		return
	}
	c.Words = []string{r.Words[0], prefix}
	c.Attrs = slices.Clone(r.Attrs)
	for i := range c.Attrs {
		if c.Attrs[i].Name == "interface" {
			c.Attrs[i].Value = x.tree(c.Attrs[i].Value)
		}
	}
	x.out = append(x.out, c)
}
