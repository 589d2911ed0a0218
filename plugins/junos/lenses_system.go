package junos

import (
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func systemRows() []lens.Row {
	const sys = "cfgvault-system:system/"
	const dns = sys + "dns/server[address=$a]"
	const user = sys + "users/user[name=$u]"
	const root = sys + "users/user[name=root]"
	const ntp = sys + "ntp/server[host=$h]"
	const key = sys + "ntp/key[id=$id]"
	const host = sys + "logging/server[host=$h]"
	const factory = "the factory configuration has it (EX, QFX and SRX: Understanding the Factory-Default Configuration)"
	login := []lens.Row{
		{Text: "class $c:policy", Set: user + "/role=$c"},
		boilerplate("uid $_:1..4294967295", "uid", "the system chooses one where none is given (CLI reference, uid)"),
		{Text: "authentication", Rows: keyRows(user)},
		{Text: "full-name $_:text", Class: plugins.Unparsed},
	}
	return []lens.Row{{Text: "system", Rows: []lens.Row{
		{Text: "host-name $h:host-name", Set: sys + "hostname=$h"},
		{Text: "root-authentication", Rows: keyRows(root)},
		{Text: "domain-name $d:domain", Set: sys + "domain-name=$d"},
		{Text: "domain-search $d:domain", Set: sys + "dns/search+=$d"},
		{Text: "time-zone $z", Set: sys + "clock/timezone=$z"},
		{Text: "management-instance", Set: "cfgvault-vrfs:vrfs/vrf[name=mgmt_junos]"},
		{Text: "name-server $a:ip routing-instance $vrf:vrf", Set: dns + "/vrf=$vrf"},
		{Text: "name-server $a:ip", Set: dns, Unless: dns + "/vrf=$other"},
		{Text: "login", Rows: []lens.Row{
			{Text: "message $m:text", Set: sys + "banner/login=$m"},
			{Text: "announcement $m:text", Set: sys + "banner/motd=$m"},
			{Text: "user $u:user", Set: user, Rows: login},
		}},
		{Text: "authentication-order $m:one-of=password>local|radius|tacplus>tacacs", Set: sys + "aaa/method-list[purpose=authentication][name=login]/group+=$m"},
		{Text: "tacplus-server $h:host", Set: server("tacacs"), Rows: serverRows("tacacs")},
		{Text: "radius-server $h:host", Set: server("radius"), Rows: serverRows("radius")},
		boilerplate("extensions providers $_:one-of=juniper|chef license-type juniper deployment-scope commercial", "extensions", factory),
		boilerplate("license autoupdate url https://ae1.juniper.net/junos/key_retrieval", "licence-server", factory),
		boilerplate("phone-home server https://redirect.juniper.net", "phone-home", factory),
		boilerplate("phone-home rfc-compliant", "phone-home", factory),
		boilerplate("auto-snapshot", "auto-snapshot", factory),
		boilerplate("processes dhcp-service traceoptions file dhcp_logfile size 10m", "dhcp-trace", "vMX and vQFX images ship it (recorded, 17.4 and 18.2)"),
		boilerplate("processes dhcp-service traceoptions level all", "dhcp-trace", "vMX and vQFX images ship it (recorded, 17.4 and 18.2)"),
		boilerplate("processes dhcp-service traceoptions flag packet", "dhcp-trace", "vMX and vQFX images ship it (recorded, 17.4 and 18.2)"),
		{Text: "services", Rows: []lens.Row{
			{Text: "web-management", Rows: []lens.Row{
				{Text: "http", Set: sys + "http-server/enabled=true", Rows: []lens.Row{{Text: "interface $_:if", ReadOnly: true, Class: plugins.Unparsed}}},
				{Text: "https system-generated-certificate", Set: sys + "http-server/secure-enabled=true"},
			}},
			service("netconf ssh", "netconf"), service("telnet", "telnet"), service("ftp", "ftp"), service("rest http", "rest"),
			{Text: "ssh", Set: sys + "ssh-server/enabled=true", Rows: []lens.Row{
				{Text: "root-login $r:one-of=allow|deny|deny-password", Set: sys + "ssh-server/root-login=$r"},
				{Text: "port $n:1..65535", Set: sys + "ssh-server/port+=$n"},
				boilerplate("protocol-version v2", "ssh-v2", "version 2 is the default, and the only one of later releases (CLI reference, protocol-version)"),
			}},
		}},
		{Text: "syslog", Rows: []lens.Row{
			boilerplate("archive size 100k files 3", "syslog-archive", factory),
			boilerplate("user * any emergency", "syslog-user", factory),
			boilerplate("file messages any $_:one-of=notice|critical|any", "syslog-messages", factory),
			boilerplate("file messages authorization info", "syslog-messages", factory),
			boilerplate("file interactive-commands interactive-commands $_:one-of=any|error", "syslog-commands", factory),
			{Text: "host $h:host", Set: host, Rows: []lens.Row{
				{Text: "any $s:severity", Set: host + "/severity=$s", Unless: host + "/facility=$other"},
				{Text: "$f:facility $s:severity", Set: host + "/facility=$f " + host + "/severity=$s"},
				{Text: "port $n:1..65535", Set: host + "/port=$n"},
				{Text: "source-address $s:ip", Set: host + "/source=$s"},
				{Text: "routing-instance $vrf:vrf", Set: host + "/vrf=$vrf"},
				{Text: "transport $p:one-of=udp|tcp|tls", Set: host + "/protocol=$p"},
			}},
		}},
		{Text: "ntp", Rows: []lens.Row{
			{Text: "authentication-key $id:1..65534 type $t value $k:secret-text", Set: key + "/type=$t " + key + "/value=$k"},
			{Text: "authentication-key $id:1..65534", Set: key, ReadOnly: true, Rows: []lens.Row{
				{Text: "type $t", Set: key + "/type=$t"},
				{Text: "value $k:secret-text", Set: key + "/value=$k"},
			}},
			{Text: "server $h:host { key $k:1..65534 } { version $v:1..4 } { routing-instance $vrf:vrf } $p?prefer", ReadOnly: true,
				Set: ntp + " " + ntp + "/key-id=$k " + ntp + "/version=$v " + ntp + "/vrf=$vrf " + ntp + "/prefer=$p"},
			{Text: "server $h:host", Set: ntp, Rows: []lens.Row{
				{Text: "key $k:1..65534", Set: ntp + "/key-id=$k"},
				{Text: "version $v:1..4", Set: ntp + "/version=$v"},
				{Text: "prefer", Set: ntp + "/prefer=true"},
				{Text: "routing-instance $vrf:vrf", Set: ntp + "/vrf=$vrf"},
				{Text: "iburst", Set: ntp + "/iburst=true"},
			}},
		}},
	}}}
}

// service is one of which the tree knows only that it is on.
func service(text, name string) lens.Row {
	return lens.Row{Text: text, Set: "cfgvault-system:system/feature[name=" + name + "]/enabled=true"}
}

func server(protocol string) string {
	place := "cfgvault-system:system/aaa/server[protocol=" + protocol + "][name=$h]"
	return place + " " + place + "/address=$h"
}

// serverRows are a server that says who may log in.
func serverRows(protocol string) []lens.Row {
	place := "cfgvault-system:system/aaa/server[protocol=" + protocol + "][name=$h]"
	rows := []lens.Row{
		{Text: "secret $k:hash", Set: place + "/key/type=$k.type " + place + "/key/value=$k.value"},
		{Text: "port $n:1..65535", Set: place + "/port=$n"},
		{Text: "timeout $n:1..1000", Set: place + "/timeout=$n"},
	}
	if protocol == "radius" {
		rows = append(rows, lens.Row{Text: "accounting-port $n:1..65535", Set: place + "/accounting-port=$n"})
	}
	return rows
}

// keyRows are by what a user is known.
func keyRows(user string) []lens.Row {
	return []lens.Row{
		{Text: "encrypted-password $p:hash", Set: user + "/password/type=$p.type " + user + "/password/value=$p.value"},
		{Text: "ssh-rsa $k:rsa", Set: user + "/ssh-key+=$k"},
		{Text: "ssh-ed25519 $k:ed25519", Set: user + "/ssh-key+=$k"},
		{Text: "ssh-ecdsa $k:ecdsa", Set: user + "/ssh-key+=$k"},
		{Text: "ssh-dsa $k:dsa", Set: user + "/ssh-key+=$k"},
	}
}

func snmpRows() []lens.Row {
	const snmp = "cfgvault-system:system/snmp/"
	const community = snmp + "community[name=$c]"
	const trap = snmp + "target[host=$h]"
	return []lens.Row{{Text: "snmp", Rows: []lens.Row{
		{Text: "location $t:text", Set: snmp + "location=$t"},
		{Text: "contact $t:text", Set: snmp + "contact=$t"},
		{Text: "community $c:secret", Set: community, Rows: []lens.Row{
			{Text: "authorization $a:one-of=read-only>ro|read-write>rw", Set: community + "/access=$a"},
			{Text: "view $v:policy", Set: community + "/view=$v"},
			{Text: "client-list-name $l:policy", Set: community + "/acl=$l"},
		}},
		{Each: snmp + "view[name=$v][subtree=$o]", Rows: []lens.Row{{Text: "view $v:policy", Rows: []lens.Row{
			{Text: "oid $o:policy include", Set: snmp + "view[name=$v][subtree=$o]/included=true"},
			{Text: "oid $o:policy exclude", Set: snmp + "view[name=$v][subtree=$o]/included=false"},
		}}}},
		// The name of a trap group is the community of its traps.
		{Each: trap + "/community=$g", Rows: []lens.Row{{Text: "trap-group $g:secret", Rows: []lens.Row{
			{Text: "version $_:one-of=v1|v2|all", Class: plugins.Unparsed},
			{Text: "targets $h:host", Set: trap + "/community=$g"},
		}}}},
		{Text: "v3", Class: plugins.SecretOpaque},
	}}}
}
