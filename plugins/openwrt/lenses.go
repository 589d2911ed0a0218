package openwrt

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

// packages are those that the lenses read, in the order in which they are
// written.
func packages() []string {
	return []string{"dhcp", "dropbear", "firewall", "network", "system", "wireless"}
}

// lenses are the table once for each package, compiled at the first use: a
// file does not say which package it is.
var lenses = sync.OnceValue(func() map[string]*lens.Lens {
	out := map[string]*lens.Lens{"": lens.Check(table(""))}
	for _, p := range packages() {
		out[p] = lens.Check(table(p))
	}
	return out
})

// normalize reads the packages of UCI into the common tree and accounts for
// each line of every artefact.
func normalize(_ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	r := lens.NewReader()
	for _, a := range native {
		text := string(a.Data)
		dir, base := path.Split(a.Name)
		switch l := lenses()[base]; {
		case dir == "etc/config/" && l != nil:
			r.Read(l, a.Name, text, nil)
		case secretFile(a.Name):
			r.Opaque(a.Name, text, plugins.SecretOpaque, "")
		case a.Role == plugins.RoleState:
			r.Opaque(a.Name, text, plugins.Boilerplate, "evidence")
		default:
			r.Opaque(a.Name, text, plugins.Unparsed, "")
		}
	}
	return r.Normalized(), nil
}

// render writes the common tree as files in /etc/config.
func render(tree []byte, _ plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	text, losses, err := lenses()[""].Write(tree)
	if err != nil {
		return nil, nil, err
	}
	var out []plugins.Artefact
	for _, part := range strings.Split("\n"+text, "\npackage ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		body = strings.TrimRight(body, "\n") + "\n\n"
		sections := map[string]bool{}
		for _, line := range strings.Split(body, "\n") { // libuci would make one of both, silently
			if strings.HasPrefix(line, "config interface ") && sections[line] {
				return nil, nil, fmt.Errorf("openwrt: two interfaces would both be the section %s: rename one", strings.TrimPrefix(line, "config interface "))
			}
			sections[line] = true
		}
		out = append(out, plugins.Artefact{Name: "etc/config/" + name, Role: plugins.RoleFile, Source: "/etc/config/" + name,
			Attrs: map[string]string{"mode": "0644", "owner": "root", "group": "root"}, Data: []byte(body)})
	}
	return out, losses, nil
}

// countryCode is a country (ISO 3166-1), or the world.
var countryCode = regexp.MustCompile(`^([A-Z]{2}|00)$`)

const (
	iface = "cfgvault-interfaces:interfaces/interface[name=$if]"
	sys   = "cfgvault-system:system/"
	wifi  = "cfgvault-wifi:wifi/"
	fw    = "cfgvault-firewall:firewall/"
)

// table is what the records of records.go mean.
func table(of string) lens.Table {
	var rows []lens.Row
	for _, more := range [][]lens.Row{systemRows(), deviceRows(), interfaceRows(), routeRows(), wifiRows(), firewallRows(), {
		{Text: "rest", ReadOnly: true},
		shipped("odhcpd odhcpd", "{ maindhcp=0 } { leasefile=/tmp/hosts/odhcpd } { leasetrigger=/usr/sbin/odhcpd-update } { loglevel=4 }"),
		{Text: "package $_", Class: plugins.Boilerplate, Rule: "package", Why: "names the file (libuci, uci_export_package)"},
	}} {
		rows = append(rows, more...)
	}
	return lens.Table{
		Records: func(text string) (lensDoc, recordSource) { return records(of, text) },
		Print:   printRecords,
		Codecs:  codecs(), Rows: rows, Attrs: defaults(),
		Ordered:    []string{"cfgvault-firewall:firewall/rule"},
		Lines:      []lens.Rule{{ID: "comment", Class: plugins.Boilerplate, Pattern: `^#`, Why: "libuci ignores it, and loses it at the next commit"}},
		Vocabulary: vocabulary(),
	}
}

// shipped is a section that an image has from the start, as far as it is as it
// was.
func shipped(text, attrs string) lens.Row {
	return lens.Row{Text: text, Attrs: attrs, Class: plugins.Boilerplate, Rule: "shipped", Why: "package/network/services/odhcpd/files/odhcpd.defaults"}
}

func codecs() map[string]lens.Codec {
	return map[string]lens.Codec{
		"on":        boolean("1", "0", "on", "off", "true", "false", "yes", "no", "enabled", "disabled"),
		"off":       boolean("0", "1", "off", "on", "false", "true", "no", "yes", "disabled", "enabled"),
		"word-bool": boolean("on", "off", "1", "0", "true", "false", "yes", "no"),
		"ifname":    lens.Word(func(s string) bool { return len(s) <= 64 && !strings.ContainsAny(s, "@|'\"\\") }),
		"host":      lens.Or(lens.Builtin()["ip"], lens.Builtin()["domain"]),
		"words":     lens.Many(lens.Word(nil), ""),
		"ifnames":   lens.Many(lens.Word(nil), ""),
		"ports":     lens.Many(lens.Int(1, 65535), " "),
		"security":  security(),
		"section":   lens.Word(func(s string) bool { return sectionName(s) }),
		"country":   lens.Word(countryCode.MatchString),
		"zone":      lens.Word(nil).Max(64),
		"ssid":      lens.Value().Max(32),
	}
}

// boolean makes a codec of pairs of words, true first; the first pair is
// written.
func boolean(words ...string) lens.Codec {
	return lens.Codec{
		Domain: []any{true, false},
		Read: func(s string) ([]any, bool) {
			for i, w := range words {
				if s == w {
					return lens.One(i%2 == 0)
				}
			}
			return nil, false
		},
		Write: func(v []any) (string, bool) {
			b, ok := v[0].(bool)
			if b {
				return words[0], ok
			}
			return words[1], ok
		},
	}
}

// security is the word for encryption, which may name the cipher that is its
// default anyway (openwrt.org, "Wi-Fi /etc/config/wireless").
func security() lens.Codec {
	words := []struct{ word, list string }{
		{"none", "none"}, {"owe", "owe"}, {"wep-open", "wep"}, {"psk", "wpa-psk"}, {"psk2", "wpa2-psk"}, {"psk-mixed", "wpa-psk wpa2-psk"}, {"sae", "wpa3-psk"},
		{"sae-mixed", "wpa2-psk wpa3-psk"}, {"wpa", "wpa-eap"}, {"wpa2", "wpa2-eap"}, {"wpa-mixed", "wpa-eap wpa2-eap"}, {"wpa3", "wpa3-eap"}, {"wpa3-mixed", "wpa2-eap wpa3-eap"},
	}
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			s = strings.TrimSuffix(strings.TrimSuffix(s, "+ccmp"), "+aes")
			for _, w := range words {
				if w.word == s {
					var list []any
					for _, e := range strings.Fields(w.list) {
						list = append(list, e)
					}
					return []any{list}, true
				}
			}
			return nil, false
		},
		Write: func(v []any) (string, bool) {
			list, _ := v[0].([]any)
			var names []string
			for _, e := range list {
				s, _ := e.(string)
				names = append(names, s)
			}
			for _, w := range words {
				if w.list == strings.Join(names, " ") {
					return w.word, true
				}
			}
			return "", false
		},
	}
}

func systemRows() []lens.Row {
	const log = sys + "logging/server[host=$h]"
	return []lens.Row{
		{Text: "system", Attrs: "hostname=$h:host-name", Set: sys + "hostname=$h"},
		{Text: "timezone", Attrs: "name=$z", Set: sys + "clock/timezone=$z"},
		{Text: "log", Attrs: "ip=$h:host { port=$p:1..65535 } { proto=$proto:one-of=udp|tcp }", Once: true, Set: log + " " + log + "/port=$p " + log + "/protocol=$proto"},
		{Text: "ntp $h:host", Set: sys + "ntp/server[host=$h]"},
		{Text: "dnsmasq", Attrs: "domain=$d:domain", Set: sys + "domain-name=$d"},
		{Text: "server $a:ip", Set: sys + "dns/server[address=$a]"},
		{Text: "dns $a:ip", Set: sys + "dns/server[address=$a]", ReadOnly: true},
		{Text: "dropbear", Attrs: "Port=$p:ports", Set: sys + "ssh-server/port*=$p"},
		{Text: "dropbear-password", Attrs: "PasswordAuth=$b:word-bool", Set: sys + "ssh-server/password-authentication=$b"},
		{Text: "dropbear-enable", Attrs: "enable=$b:on", Set: sys + "ssh-server/enabled=$b"},
	}
}

func deviceRows() []lens.Row {
	const bridge = " cfgvault-interfaces:interfaces/interface[name=$b]"
	return []lens.Row{
		{Text: "bridge $if:ifname", Set: iface + "/type=cfgvault-interfaces:bridge"},
		{Text: "vlan $if:ifname", Attrs: "ifname=$p:ifname vid=$v:1..4094",
			Set: iface + "/type=cfgvault-interfaces:sub-interface " + iface + "/sub-interface/parent=$p " + iface + "/sub-interface/vlan-id=$v"},
		{Text: "filtering $if:ifname", Attrs: "vlan_filtering=$b:on", Set: iface + "/bridge/vlan-filtering=$b"},
		{Text: "device $if:ifname", Attrs: "mtu=$n:64..65536", Set: iface + "/mtu=$n", Unless: iface + "/lower=$l"},
		{Text: "device-mac $if:ifname", Attrs: "macaddr=$m:mac", Set: iface + "/mac-address=$m", Unless: iface + "/lower=$l"},
		{Text: "port $if:ifname $b:ifname", Set: iface + "/bridge/member-of=$b" + bridge},
		{Text: "tagged $if:ifname $b:ifname $v:1..4094", Set: iface + "/switchport/trunk-vlan~=$v" + bridge, If: iface + "/bridge/member-of=$b"},
		{Text: "pvid $if:ifname $b:ifname $v:1..4094", Set: iface + "/switchport/native-vlan=$v" + bridge, If: iface + "/bridge/member-of=$b"},
	}
}

func interfaceRows() []lens.Row {
	const dynamic = iface + "/ipv4/dhcp=true | " + iface + "/ipv6/dhcp=true"
	return []lens.Row{
		{Text: "lower $if:section", Attrs: "device=$l:ifname", Set: iface + "/lower=$l", Unless: iface + "/lower=$if"},
		{Text: "mtu $if:ifname", Attrs: "mtu=$n:64..65536", Set: iface + "/mtu=$n"},
		{Text: "mac $if:ifname", Attrs: "macaddr=$m:mac", Set: iface + "/mac-address=$m"},
		{Text: "disabled $if:ifname", Attrs: "disabled=$b:off", Set: iface + "/enabled=$b"},
		{Text: "proto $if:ifname dhcp", Set: iface + "/ipv4/dhcp=true"},
		{Text: "proto $if:ifname dhcpv6", Set: iface + "/ipv6/dhcp=true", Unless: iface + "/ipv4/dhcp=true"},
		{Text: "address $if:ifname", Attrs: "ip=$a:if4", Set: iface + "/ipv4/address[ip=$a.ip]/prefix-length=$a.length", Unless: dynamic},
		{Text: "address6 $if:ifname", Attrs: "ip=$a:if6", Set: iface + "/ipv6/address[ip=$a.ip]/prefix-length=$a.length", Unless: dynamic},
		{Text: "interface $if:ifname", Set: iface},
	}
}

func routeRows() []lens.Row {
	var rows []lens.Row
	for _, f := range []struct{ word, prefix, ip string }{{"route", "prefix4", "ip4"}, {"route6", "prefix6", "ip6"}} {
		const hop = "cfgvault-static-routes:static-routes/route[vrf=default][prefix=$p]/next-hop[gateway=$gw]"
		const more = " { target=$_ } { netmask=$_ } { metric=$m:0..4294967295 } { table=$t:1..4294967295 }"
		const set = " " + hop + "/metric=$m " + hop + "/table=$t"
		rows = append(rows,
			lens.Row{Text: f.word + " $p:" + f.prefix, Attrs: "gateway=$gw:" + f.ip + " { interface=$if:ifname }" + more, Set: hop + " " + hop + "/interface=$if" + set},
			lens.Row{Text: f.word + " $p:" + f.prefix, Attrs: "type=$gw:one-of=blackhole>blackhole|unreachable>reject" + more, Set: hop + set},
			lens.Row{Text: f.word + " $p:" + f.prefix, Attrs: "interface=$gw:ifname" + more, Set: hop + set, Unless: hop + "/interface=$_i"})
	}
	return rows
}

func wifiRows() []lens.Row {
	const radio, network = wifi + "radio[name=$n]", wifi + "network[name=$n]"
	at := func(place string, leaves ...string) string {
		out := place
		for _, l := range leaves {
			out += " " + place + "/" + l
		}
		return out
	}
	return []lens.Row{
		{Text: "wifi-device $n:section",
			Attrs: "{ type=$type } { path=$path } { band=$band:one-of=2g|5g|6g|60g } { channel=$channel } { htmode=$width } { country=$country:country } { txpower=$power:0..60 } { disabled=$off:off }",
			Set:   at(radio, "driver=$type", "path=$path", "band=$band", "channel=$channel", "width=$width", "country=$country", "tx-power=$power", "enabled=$off")},
		{Text: "wifi-iface $n:section",
			Attrs: "{ device=$r:words } { network=$if:ifnames } { mode=$mode:one-of=ap|sta>station|mesh|adhoc|monitor } { ssid=$ssid:ssid } { encryption=$e:security } { key=$k:value } { hidden=$hid:on } { isolate=$iso:on } { disabled=$off:off }",
			Set:   at(network, "radio*=$r", "interface*=$if", "mode=$mode", "ssid=$ssid", "authentication*=$e", "passphrase=$k", "hidden=$hid", "isolate=$iso", "enabled=$off")},
	}
}

func firewallRows() []lens.Row {
	const zone = fw + "zone[dialect=openwrt][name=$n]"
	const set = fw + "object[dialect=openwrt][kind=ipset][name=$n]"
	const from = fw + "forwarding[dialect=openwrt][from=$a][to=$b]"
	const policy = fw + "default[dialect=openwrt]"
	rows := []lens.Row{
		{Text: "defaults", Attrs: "{ input=$i } { output=$o } { forward=$f } { syn_flood=$s:on }",
			Set: policy + " " + policy + "/input=$i " + policy + "/output=$o " + policy + "/forward=$f " + policy + "/synflood-protect=$s"},
		{Text: "zone", Attrs: "name=$n:zone { network=$if:ifnames } { input=$i } { output=$o } { forward=$f } { masq=$m:on } { mtu_fix=$x:on }",
			Set: zone + " " + zone + "/interface*=$if " + zone + "/input=$i " + zone + "/output=$o " + zone + "/forward=$f " + zone + "/masquerade=$m " + zone + "/mss-fix=$x"},
		{Text: "ipset", Attrs: "name=$n:zone { comment=$c:value } *=$rest", Set: set + " " + set + "/description=$c " + set + "/setting*=$rest"},
		{Text: "forwarding", Attrs: "src=$a:zone dest=$b:zone { enabled=$e:on }", Set: from + " " + from + "/enabled=$e"},
	}
	for _, t := range []string{"rule", "redirect", "nat"} {
		rule := fw + "rule[dialect=openwrt][table=" + t + "][id=$#]"
		rows = append(rows, lens.Row{Text: "fw-" + t, Attrs: "{ name=$n:value } { target=$t } { enabled=$e:on } *=$rest",
			Set: rule + " " + rule + "/name=$n " + rule + "/action=$t " + rule + "/enabled=$e " + rule + "/condition*=$rest"})
	}
	return rows
}

// defaults are options that say what the programs do without them, as the
// image ships them.
func defaults() []lens.AttrRule {
	rule := func(record, name, value, why string) lens.AttrRule {
		return lens.AttrRule{ID: "default", Class: plugins.Boilerplate, Record: record, Name: name, Value: value, Why: why}
	}
	var out []lens.AttrRule
	const dnsmasq = "package/network/services/dnsmasq/files/dhcp.conf"
	for name, value := range map[string]string{
		"domainneeded": "1", "boguspriv": "1", "filterwin2k": "0", "localise_queries": "1", "rebind_protection": "1", "rebind_localhost": "1", "expandhosts": "1",
		"nonegcache": "0", "cachesize": "1000|150", "authoritative": "1", "readethers": "1", "nonwildcard": "1", "localservice": "1", "ednspacket_max": "1232",
		"filter_aaaa": "0", "filter_a": "0", "local": "/lan/", "leasefile": "/tmp/dhcp.leases", "resolvfile": "/tmp/resolv.conf.d/resolv.conf.auto",
	} {
		out = append(out, rule("dnsmasq", name, value, dnsmasq))
	}
	for name, value := range map[string]string{"ttylogin": "0", "log_size": "64|128", "urandom_seed": "0", "zram_comp_algo": "lzo"} {
		out = append(out, rule("system", name, value, "package/base-files/files/bin/config_generate"))
	}
	const generated = "package/base-files/files/bin/config_generate"
	out = append(out,
		rule("interface", "reqaddress", "try", "the default of odhcp6c"), rule("interface", "reqprefix", "auto", "the default of odhcp6c"),
		rule("system", "compat_version", "1\\.\\d+", generated), rule("system", "cronloglevel", "5|8", "the default of cron"), rule("system", "conloglevel", "7|8", "the default of the kernel's console"),
		rule("wifi-device", "cell_density", "0", "package/network/config/wifi-scripts"), rule("dropbear", "RootPasswordAuth", "on|1", "package/network/services/dropbear/files/dropbear.config"), rule("dropbear", "GatewayPorts", "off|0", "package/network/services/dropbear/files/dropbear.config"),
		rule("timeserver", "enabled", "1", "package/base-files/files/bin/config_generate"), rule("timeserver", "enable_server", "0", "package/base-files/files/bin/config_generate"))
	for _, name := range []string{"key", "key1", "key2", "key3", "key4", "password", "private_key", "preshared_key", "auth_secret", "acct_secret", "sae_password", "priv_key_pwd"} {
		out = append(out, lens.AttrRule{ID: "secret", Class: plugins.SecretOpaque, Name: name})
	}
	return out
}

// vocabulary are the types of sections that no row knows.
func vocabulary() []string {
	return []string{"globals", "rule6", "switch", "switch_vlan", "switch_port", "led", "host", "boot", "odhcpd", "dhcp", "include", "ipset", "snat", "wireguard", "package",
		"bridge-vlan", "device", "interface", "timeserver", "alias", "rule", "redirect", "nat", "network"}
}
