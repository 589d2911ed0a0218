package vyos

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func systemRows() []lens.Row {
	const sys = "cfgvault-system:system/"
	const user = sys + "users/user[name=$u]"
	const host = sys + "logging/server[host=$h]"
	const shipped = "the configuration that VyOS ships has it (config.boot.default)"
	remote := []lens.Row{
		{Text: "facility all level $l:level", Set: host + "/severity=$l", Unless: host + "/facility=$other"},
		{Text: "facility $f:facility level $l:level", Set: host + "/facility=$f " + host + "/severity=$l"},
		{Text: "port $n:1..65535", Set: host + "/port=$n"},
		{Text: "protocol $p:one-of=udp|tcp", Set: host + "/protocol=$p"},
		{Text: "source-address $s:ip", Set: host + "/source=$s"},
		{Text: "vrf $v:vrf", Set: host + "/vrf=$v"},
	}
	return []lens.Row{{Text: "system", Rows: []lens.Row{
		{Text: "host-name $h:host-name", Set: sys + "hostname=$h"},
		{Text: "domain-name $d:domain", Set: sys + "domain-name=$d"},
		{Text: "domain-search $d:domain", Set: sys + "dns/search+=$d"},
		{Text: "domain-search domain $d:domain", Set: sys + "dns/search+=$d", ReadOnly: true}, // 1.3
		{Text: "name-server $a:ip", Set: sys + "dns/server[address=$a]"},
		{Text: "time-zone $z", Set: sys + "clock/timezone=$z"},
		{Text: "login", Rows: []lens.Row{
			{Text: "banner", Rows: []lens.Row{
				{Text: "pre-login $t:text", Set: sys + "banner/login=$t"},
				{Text: "post-login $t:text", Set: sys + "banner/motd=$t"},
			}},
			{Text: "user $u:user", Set: user, Rows: []lens.Row{
				{Text: "authentication", Rows: []lens.Row{
					{Text: "encrypted-password $p:hash", Set: user + "/password/type=$p.type " + user + "/password/value=$p.value"},
					{Text: "plaintext-password $_:secret-text", Class: plugins.SecretOpaque},
					boilerplate(`plaintext-password ""`, "no-plaintext", "VyOS keeps the hash alone and leaves this empty"),
					boilerplate(`plaintext-password ''`, "no-plaintext", "VyOS keeps the hash alone and leaves this empty"),
				}},
				boilerplate("level $_:one-of=admin", "level", "the default of releases that have it (1.2, login user level)"),
			}},
		}},
		{Text: "syslog", Rows: []lens.Row{
			boilerplate("global facility $_ level $_:level", "syslog-local", shipped),
			boilerplate("local facility $_ level $_:level", "syslog-local", shipped),
			{Text: "remote $h:host", Set: host, Rows: remote, ReadOnly: true}, // 1.5
			{Text: "host $h:host", Set: host, Rows: remote},
		}},
		{Text: "ntp", Rows: ntpRows(), ReadOnly: true}, // 1.3
		boilerplate("console device $_ speed $_:1200..115200", "console", shipped),
		boilerplate("config-management commit-revisions $_:0..65535", "revisions", shipped),
		{Text: "conntrack", Rows: conntrackRows(shipped)},
		{Text: "sysctl", Rows: []lens.Row{
			{Text: "parameter $n:policy value $v:text", Set: sys + "kernel/parameter[name=$n]/value=$v"},
			{Text: "parameter $n:policy", ReadOnly: true, Rows: []lens.Row{{Text: "value $v:text", Set: sys + "kernel/parameter[name=$n]/value=$v"}}},
			{Text: "custom $n:policy", ReadOnly: true, Rows: []lens.Row{{Text: "value $v:text", Set: sys + "kernel/parameter[name=$n]/value=$v"}}}, // 1.3
		}},
	}}}
}

// conntrackRows are what migrations wrote out; the values are those of the
// interface definitions.
func conntrackRows(shipped string) []lens.Row {
	rows := []lens.Row{boilerplate("modules $_", "conntrack-modules", shipped)}
	for _, line := range strings.Split("expect-table-size 2048;hash-size 32768;table-size 262144;tcp half-open-connections 512;tcp loose enable;tcp max-retrans 3;timeout icmp 30;timeout other 600;timeout tcp close 10;"+
		"timeout tcp close-wait 60;timeout tcp established 432000;timeout tcp fin-wait 120;timeout tcp last-ack 30;timeout tcp syn-recv 60;timeout tcp syn-sent 120;timeout tcp time-wait 120;timeout udp other 30;timeout udp stream 180", ";") {
		at := strings.LastIndexByte(line, ' ') + 1
		rows = append(rows, boilerplate(line[:at]+"$_:one-of="+line[at:], "conntrack-default", "the default (interface definitions, conntrack)"))
	}
	return rows
}

func ntpRows() []lens.Row {
	const ntp = "cfgvault-system:system/ntp/server[host=$h]"
	return []lens.Row{
		{Text: "server $h:host", Set: ntp, Rows: []lens.Row{
			{Text: "prefer", Set: ntp + "/prefer=true"},
			{Text: "pool", Set: ntp + "/pool=true"},
		}},
		boilerplate("allow-client address $_:prefix", "ntp-clients", "the configuration that VyOS ships has it (config.boot.default)"),
	}
}

func serviceRows() []lens.Row {
	const sys = "cfgvault-system:system/"
	const community = sys + "snmp/community[name=$c]"
	const target = sys + "snmp/target[host=$h]"
	const lldp = "cfgvault-lldp:lldp/"
	return []lens.Row{{Text: "service", Rows: []lens.Row{
		{Text: "lldp", Set: lldp + "enabled=true", Rows: []lens.Row{
			{Text: "interface all", Set: lldp + "enabled=true", ReadOnly: true},
			{Text: "interface $i:if", Set: lldp + "interface[name=$i]", Rows: []lens.Row{
				{Text: "disable", Set: lldp + "interface[name=$i]/enabled=false"},
			}},
		}},
		{Text: "ntp", Rows: ntpRows()},
		{Text: "snmp", Rows: []lens.Row{
			{Text: "community $c:secret", Set: community, Rows: []lens.Row{{Text: "authorization $a:one-of=ro|rw", Set: community + "/access=$a"}}},
			{Text: "contact $t:text", Set: sys + "snmp/contact=$t"},
			{Text: "location $t:text", Set: sys + "snmp/location=$t"},
			{Text: "trap-target $h:host", Set: target, Rows: []lens.Row{
				{Text: "community $c:secret", Set: target + "/community=$c"},
				{Text: "port $n:1..65535", Set: target + "/port=$n"},
			}},
			{Text: "v3", Class: plugins.SecretOpaque},
		}},
		{Text: "ssh", Set: sys + "ssh-server/enabled=true", Rows: []lens.Row{
			{Text: "port $n:1..65535", Set: sys + "ssh-server/port+=$n"},
			{Text: "disable-password-authentication", Set: sys + "ssh-server/password-authentication=false"},
		}},
	}}}
}
