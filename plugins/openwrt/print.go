package openwrt

import (
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// uciSection is one section to be written.
type uciSection struct {
	kind, name string
	options    []syntax.Attr
}

func (s *uciSection) option(name, value string) {
	s.options = append(s.options, syntax.Attr{Name: name, Value: value})
}

// list adds a value to a list.
func (s *uciSection) list(name, value string) {
	for i := range s.options {
		if s.options[i].Name == name {
			s.options[i].More = append(s.options[i].More, value)
			return
		}
	}
	s.options = append(s.options, syntax.Attr{Name: name, Value: value, List: true})
}

// printer gathers records into the sections that they are parts of.
type printer struct {
	packages map[string][]*uciSection
	at       map[string]*uciSection
}

// of returns the section of a package with a key, making it if need be.
func (p *printer) of(pkg, key, kind, name string) *uciSection {
	full := pkg + "\x00" + kind + "\x00" + key
	if s := p.at[full]; s != nil {
		return s
	}
	s := &uciSection{kind: kind, name: name}
	p.at[full] = s
	p.packages[pkg] = append(p.packages[pkg], s)
	return s
}

func (p *printer) device(name string) *uciSection {
	s := p.of("network", name, "device", "")
	if len(s.options) == 0 {
		s.option("name", name)
	}
	return s
}

func (p *printer) iface(name string) *uciSection {
	return p.of("network", name, "interface", sectionFor(name))
}

// printRecords writes what records gave, in the form of "uci export".
func printRecords(records []syntax.Record) string {
	p := &printer{packages: map[string][]*uciSection{}, at: map[string]*uciSection{}}
	ports := map[string]bool{}
	for _, r := range records { // devices stand before what is on them
		switch r.Words[0] {
		case "port":
			ports[r.Words[1]] = true
			p.device(r.Words[2]).list("ports", r.Words[1])
		case "bridge":
			p.device(r.Words[1]).option("type", "bridge")
		case "vlan":
			s := p.device(r.Words[1])
			s.option("type", "8021q")
			s.options = append(s.options, r.Attrs...)
		case "filtering", "device", "device-mac":
			s := p.device(r.Words[1])
			s.options = append(s.options, r.Attrs...)
		}
	}
	for i := range records {
		p.record(&records[i], ports)
	}
	p.finish()
	return p.String()
}

func (p *printer) record(r *syntax.Record, ports map[string]bool) {
	switch word := r.Words[0]; word {
	case "tagged", "pvid":
		s := p.of("network", r.Words[2]+" "+r.Words[3], "bridge-vlan", "")
		if len(s.options) == 0 {
			s.option("device", r.Words[2])
			s.option("vlan", r.Words[3])
		}
		s.list("ports", r.Words[1]+map[string]string{"tagged": ":t", "pvid": ":u*"}[word])
	case "lower", "mtu", "mac", "disabled":
		s := p.iface(r.Words[1])
		s.options = append(s.options, r.Attrs...)
	case "proto":
		p.iface(r.Words[1]).option("proto", r.Words[2])
	case "address":
		p.iface(r.Words[1]).list("ipaddr", r.Attrs[0].Value)
	case "address6":
		p.iface(r.Words[1]).list("ip6addr", r.Attrs[0].Value)
	case "interface":
		name := r.Words[1]
		if ports[name] || p.at["network\x00device\x00"+name] != nil || p.at["network\x00interface\x00"+name] != nil {
			return
		}
		p.iface(name)
	case "route", "route6":
		s := &uciSection{kind: word}
		s.option("target", r.Words[1])
		s.options = append(s.options, r.Attrs...)
		p.packages["network"] = append(p.packages["network"], s)
	case "wifi-device", "wifi-iface":
		p.plainSection("wireless", word, r.Words[1], r)
	case "defaults", "zone", "forwarding", "ipset":
		p.plainSection("firewall", word, "", r)
	case "fw-rule", "fw-redirect", "fw-nat":
		p.plainSection("firewall", strings.TrimPrefix(word, "fw-"), "", r)
	case "system":
		s := p.of("system", "", "system", "")
		s.options = append(s.options, r.Attrs...)
	case "timezone":
		option := "timezone"
		if v := r.Attrs[0].Value; strings.Contains(v, "/") || !strings.ContainsAny(v, "0123456789") {
			option = "zonename"
		}
		p.of("system", "", "system", "").option(option, r.Attrs[0].Value)
	case "log":
		s := p.of("system", "", "system", "")
		for _, a := range r.Attrs {
			s.option("log_"+a.Name, a.Value)
		}
	case "ntp":
		p.of("system", "ntp", "timeserver", "ntp").list("server", r.Words[1])
	case "dnsmasq":
		s := p.of("dhcp", "", "dnsmasq", "")
		s.options = append(s.options, r.Attrs...)
	case "server":
		p.of("dhcp", "", "dnsmasq", "").list("server", r.Words[1])
	case "dropbear", "dropbear-password", "dropbear-enable":
		s := p.of("dropbear", "", "dropbear", "")
		s.options = append(s.options, r.Attrs...)
	}
}

func (p *printer) plainSection(pkg, kind, name string, r *syntax.Record) {
	s := &uciSection{kind: kind, name: name}
	s.options = append(s.options, r.Attrs...)
	p.packages[pkg] = append(p.packages[pkg], s)
}

// ref is how options name an interface: by its section, if it has one.
func (p *printer) ref(name string) string {
	if s := p.at["network\x00interface\x00"+name]; s != nil {
		return s.name
	}
	return name
}

// finish gives each interface its device and its protocol, and has what refers
// to an interface name its section.
func (p *printer) finish() {
	for _, sections := range p.packages {
		for _, s := range sections {
			for i := range s.options {
				o := &s.options[i]
				if o.Name != "network" && (o.Name != "interface" || s.kind != "route" && s.kind != "route6") {
					continue
				}
				o.Value, o.More = p.ref(o.Value), slices.Clone(o.More)
				for k, v := range o.More {
					o.More[k] = p.ref(v)
				}
			}
		}
	}
	for key, s := range p.at {
		if s.kind != "interface" {
			continue
		}
		name := key[strings.LastIndexByte(key, 0)+1:]
		var device, proto, address bool
		for i, o := range s.options {
			if o.Name == "device" && p.at["network\x00interface\x00"+o.Value] != nil && p.at["network\x00device\x00"+o.Value] == nil {
				s.options[i].Value = "@" + sectionFor(o.Value)
			}
			device = device || o.Name == "device"
			proto = proto || o.Name == "proto"
			address = address || o.Name == "ipaddr" || o.Name == "ip6addr"
		}
		var first []syntax.Attr
		if !device {
			first = append(first, syntax.Attr{Name: "device", Value: name})
		}
		if !proto {
			first = append(first, syntax.Attr{Name: "proto", Value: map[bool]string{true: "static", false: "none"}[address]})
		}
		s.options = append(first, s.options...)
	}
}

func (p *printer) String() string {
	var b strings.Builder
	for _, pkg := range packages() {
		if len(p.packages[pkg]) == 0 {
			continue
		}
		b.WriteString("package " + pkg + "\n")
		for _, s := range p.packages[pkg] {
			b.WriteString("\nconfig " + s.kind)
			if s.name != "" {
				b.WriteString(" " + syntax.UCIQuote(s.name))
			}
			b.WriteByte('\n')
			for _, o := range s.options {
				word := "option"
				if o.List {
					word = "list"
				}
				for _, v := range o.Values() {
					b.WriteString("\t" + word + " " + o.Name + " " + syntax.UCIQuote(v) + "\n")
				}
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
