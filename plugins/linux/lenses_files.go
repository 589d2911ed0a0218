package linux

import (
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

type lensSet struct {
	networkd                                                       map[string]*lens.Lens
	ifupdown, hostname, timezone, resolver, sysctl, sshd, nftables *lens.Lens
}

// lenses are the tables, compiled at the first use.
var lenses = sync.OnceValue(func() lensSet {
	return lensSet{
		networkd: map[string]*lens.Lens{
			".network": lens.Check(networkTable()), ".netdev": lens.Check(netdevTable()), ".link": lens.Check(linkTable()),
		},
		ifupdown: lens.Check(ifupdownTable()),
		hostname: lens.Check(flat(lens.Row{Text: "$h:host-name", Set: "cfgvault-system:system/hostname=$h"})),
		timezone: lens.Check(flat(lens.Row{Text: "$z:zone", Set: "cfgvault-system:system/clock/timezone=$z"})),
		resolver: lens.Check(flat(
			lens.Row{Text: "nameserver $a:ip", Set: "cfgvault-system:system/dns/server[address=$a]"},
			lens.Row{Text: "domain $d:domain", Set: "cfgvault-system:system/domain-name=$d"},
			each("search", 1, domain, dnsSearch))),
		sysctl:   lens.Check(sysctlTable()),
		sshd:     lens.Check(sshdTable()),
		nftables: lens.Check(nftablesTable()),
	}
})

// flat is a file of single statements.
func flat(rows ...lens.Row) lens.Table {
	c := codecs()
	c["zone"] = lens.Word(nil).Max(64)
	return lens.Table{
		Parse:  func(text string) *syntax.Doc { return syntax.ParseSections(text, syntax.Properties()) },
		Codecs: c, Rows: rows, Lines: comments(),
	}
}

func sysctlTable() lens.Table {
	const parameter = "cfgvault-system:system/kernel/parameter[name=$k]/value=$v"
	var rows []lens.Row
	for _, s := range []struct{ key, leaf string }{
		{"net.ipv4.ip_forward", "ipv4"}, {"net.ipv6.conf.all.forwarding", "ipv6"},
	} {
		for value, set := range map[string]string{"0": "false", "1": "true"} {
			rows = append(rows, lens.Row{Text: "$k:one-of=" + s.key + " = $v:one-of=" + value,
				Set: parameter + " cfgvault-system:system/forwarding/" + s.leaf + "=" + set})
		}
	}
	t := flat(append(rows, lens.Row{Text: "$k:sysctl = $v:line", Set: parameter})...)
	t.Words = lens.Assignments
	return t
}

// sysctlName is a parameter with dots between its parts. Where the first
// separator is a slash, slashes separate and dots belong to names
// (sysctl.d(5)). Patterns, and the sign that ignores errors, are not read.
func sysctlName() lens.Codec {
	return lens.Word(nil).Max(255).With(func(s string) (string, bool) {
		if strings.ContainsAny(s, "*?[]= \t\r") || strings.HasPrefix(s, "-") {
			return "", false
		}
		if i := strings.IndexAny(s, "./"); i >= 0 && s[i] == '/' {
			s = strings.NewReplacer("/", ".", ".", "/").Replace(s)
		}
		return s, true
	})
}

// sshdTable: of several values for one keyword the first counts
// (sshd_config(5)), as it does in the tree. What stands below Match is
// conditional and not in the tree.
func sshdTable() lens.Table {
	const ssh = "cfgvault-system:system/ssh-server/"
	shipped := func(text string) lens.Row {
		return lens.Row{Text: text, Class: plugins.Boilerplate, Rule: "shipped", Why: "the openssh-server package of Debian 12 ships it"}
	}
	return lens.Table{
		Parse: func(text string) *syntax.Doc {
			return syntax.ParseSections(text, syntax.Sections{Comment: "#", Heads: func(w []syntax.Word) bool { return strings.EqualFold(w[0].Text, "match") }})
		},
		Words: func(buf []syntax.Word, s string) []syntax.Word {
			from := len(buf)
			buf = syntax.Words(buf, s)
			if len(buf) > from {
				buf[from].Text = strings.ToLower(buf[from].Text)
			}
			return buf
		},
		Codecs: codecs(),
		Rows: []lens.Row{
			{Text: "port $p:1..65535", Set: ssh + "port+=$p"},
			{Text: "permitrootlogin $w", Set: ssh + "root-login=$w"},
			{Text: "passwordauthentication yes", Set: ssh + "password-authentication=true"},
			{Text: "passwordauthentication no", Set: ssh + "password-authentication=false"},
			shipped("include /etc/ssh/sshd_config.d/*.conf"), shipped("kbdinteractiveauthentication no"), shipped("usepam yes"),
			shipped("x11forwarding yes"), shipped("printmotd no"), shipped("acceptenv LANG LC_*"), shipped("subsystem sftp /usr/lib/openssh/sftp-server"),
		},
		Lines:      comments(),
		Vocabulary: []string{"match", "User", "Group", "Host", "Address", "LocalAddress", "LocalPort", "all"},
	}
}

func nftablesTable() lens.Table {
	return lens.Table{
		Parse: func(text string) *syntax.Doc { return syntax.ParseSections(text, syntax.Sections{Comment: "#"}) },
		Lines: comments(),
	}
}

// joinNetmask joins "address A" with the "netmask" of the same stanza.
func joinNetmask(d *syntax.Doc, i int) []int {
	w := syntax.Words(nil, d.Lines[i].Body)
	head := d.Lines[i].Parent
	if len(w) != 2 || w[0].Text != "address" || strings.Contains(w[1].Text, "/") || head == syntax.None {
		return nil
	}
	// It stands close behind; a stanza of any length costs no more.
	for j := i + 1; j < min(d.Lines[head].Next, i+9); j++ {
		if w := syntax.Words(nil, d.Lines[j].Body); d.Lines[j].Kind == syntax.Statement && len(w) > 0 && w[0].Text == "netmask" {
			return []int{j}
		}
	}
	return nil
}

// ifupdownTable is interfaces(5), with the words of the vlan and ifenslave
// packages and of ifupdown2.
func ifupdownTable() lens.Table {
	hop := func(prefix string) string {
		return "cfgvault-static-routes:static-routes/route[vrf=default][prefix=" + prefix + "]/next-hop[gateway=$gw]"
	}
	options := []lens.Row{
		{Text: "address $a:if4", Set: iface + "/ipv4/address[ip=$a.ip]/prefix-length=$a.length"},
		{Text: "address $a:if6", Set: iface + "/ipv6/address[ip=$a.ip]/prefix-length=$a.length"},
		{Text: "address $ip:ip4 netmask $n:netmask", Set: iface + "/ipv4/address[ip=$ip]/prefix-length=$n"},
		{Text: "address $ip:ip6 netmask $n:0..128", Set: iface + "/ipv6/address[ip=$ip]/prefix-length=$n"},
		{Text: "gateway $gw:ip4", Set: hop("0.0.0.0/0") + "/interface=$if"},
		{Text: "gateway $gw:ip6", Set: hop("::/0") + "/interface=$if"},
		{Text: "mtu $n:64..65536", Set: iface + "/mtu=$n"},
		{Text: "hwaddress ether $m:mac", Set: iface + "/mac-address=$m"},
		{Text: "hwaddress $m:mac", Set: iface + "/mac-address=$m"},
		{Text: "alias $d:line", Set: iface + "/description=$d"},
		{Text: "vlan-raw-device $p:ifname", Set: iface + "/sub-interface/parent=$p"},
		{Text: "vlan-id $v:1..4094", Set: iface + "/sub-interface/vlan-id=$v"},
		{Text: "bond-master $b:ifname", Set: iface + "/lag/member-of=$b"},
		{Text: "bond-mode 802.3ad", Set: iface + "/lag/mode=active"},
		{Text: "bond-mode 4", Set: iface + "/lag/mode=active"},
		{Text: "bond-lacp-rate $r:one-of=slow|fast|0>slow|1>fast", Set: iface + "/lag/lacp-rate=$r"},
		{Text: "bond-min-links $n:1..65535", Set: iface + "/lag/min-links=$n"},
		{Text: "vrf $v:ifname", Set: iface + "/vrf=$v"},
		{Text: "link-down yes", Set: iface + "/enabled=false"},
		{Text: "wpa-psk $_:secret-line", Class: plugins.SecretOpaque},
		{Text: "wpa-password $_:secret-line", Class: plugins.SecretOpaque},
		{Text: "wireless-key $_:secret-line", Class: plugins.SecretOpaque},
		each("dns-nameservers", 1, address, dnsServer),
		each("dns-nameserver", 1, address, dnsServer),
		each("dns-search", 1, domain, dnsSearch),
	}
	const derived = " " + iface + "/sub-interface/parent=parent-of($if) " + iface + "/sub-interface/vlan-id=vlan-of($if) " + iface + "/type=type-of($if)"
	stanza := func(text, set string) lens.Row {
		return lens.Row{Text: "iface $if:ifname " + text, Set: iface + derived + " " + set, Rows: options}
	}
	rows := []lens.Row{
		{Text: "iface $if:ifname", Set: iface + derived, Rows: options},
		stanza("inet loopback", ""),
		stanza("inet static", ""),
		stanza("inet manual", ""),
		stanza("inet dhcp", iface+"/ipv4/dhcp=true"),
		stanza("inet6 loopback", ""),
		stanza("inet6 static", ""),
		stanza("inet6 manual", ""),
		stanza("inet6 dhcp", iface+"/ipv6/dhcp=true"),
		stanza("inet6 auto", iface+"/ipv6/autoconf=true"),
		{Text: "source /etc/network/interfaces.d/*", Class: plugins.Boilerplate, Rule: "shipped", Why: "the ifupdown package of Debian 12 ships it; the files it names are read"},
		{Text: "source-directory /etc/network/interfaces.d", Class: plugins.Boilerplate, Rule: "shipped", Why: "the ifupdown package of Debian 12 ships it; the files it names are read"},
	}
	for _, first := range []string{"auto", "allow-auto", "allow-hotplug"} {
		rows = append(rows, each(first, 1, name, interfaceExists))
	}
	c := codecs()
	c["netmask"] = netmask()
	return lens.Table{
		Parse:      func(text string) *syntax.Doc { return syntax.ParseSections(text, syntax.Interfaces()) },
		Join:       joinNetmask,
		Codecs:     c,
		Funcs:      map[string]func(any) (any, bool){"parent-of": parentOf, "vlan-of": vlanOf, "type-of": typeOf},
		Rows:       rows,
		Lines:      comments(),
		Vocabulary: []string{"iface", "mapping", "template", "inet", "inet6", "ppp", "wvdial", "tunnel", "can", "bootp", "v4tunnel", "6to4"},
	}
}

// netmask is a mask or a length, as a length.
func netmask() lens.Codec {
	mask, length := lens.Builtin()["mask4"], lens.Int(0, 32)
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			if v, ok := length.Read(s); ok {
				return v, true
			}
			v, ok := mask.Read("0.0.0.0 " + s)
			if !ok {
				return nil, false
			}
			return v[1:], true
		},
		Write: length.Write,
	}
}

// parentOf and vlanOf know the name that both the kernel and ifupdown make
// for a VLAN: "eth0.10".
func parentOf(v any) (any, bool) {
	s, _ := v.(string)
	parent, id, ok := strings.Cut(s, ".")
	if _, isID := lens.Int(1, 4094).Read(id); !ok || !isID || parent == "" {
		return nil, false
	}
	return parent, true
}

func vlanOf(v any) (any, bool) {
	s, _ := v.(string)
	_, id, _ := strings.Cut(s, ".")
	n, ok := lens.Int(1, 4094).Read(id)
	if !ok {
		return nil, false
	}
	return n[0], true
}

func typeOf(v any) (any, bool) {
	if v == "lo" {
		return "cfgvault-interfaces:loopback", true
	}
	_, ok := parentOf(v)
	return "cfgvault-interfaces:sub-interface", ok
}
