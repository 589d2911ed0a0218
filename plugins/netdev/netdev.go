// Package netdev reads which network ports a Linux machine has, and who is at
// their other end: for the drivers of platforms that run on Linux. It reads
// sysfs, the kernel's addresses and, where lldpd runs and lets the login ask,
// what lldpcli prints. It changes nothing, needs no root, and does not know what
// is configured; Moved, for drivers of every platform, compares what they read of
// that.
package netdev

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Script is a POSIX shell function "ports" that prints one line per device,
// "port NAME KIND SPEED STATE", one "way NAME" for the device by whose address
// the login came, and what lldpcli says. Of a device without hardware of its own
// only one end of a cable between name spaces (veth) is a port.
const Script = `v(){ q=$2; if [ -r "$1" ]; then read -r q <"$1" || :; fi 2>/dev/null; }; ` +
	`ports(){ for i in /sys/class/net/*; do n=${i##*/}; k=virtual; if [ "$n" = lo ] || [ ! -d "$i" ]; then continue; fi; v "$i/iflink" 0; l=$q; v "$i/ifindex" 0; ` +
	`if [ -e "$i/device" ]; then k=data; elif [ "$l" != "$q" ] && ! grep -q DEVTYPE "$i/uevent" 2>/dev/null; then k=data; fi; ` +
	`v "$i/speed" 0; s=${q:-0}; v "$i/operstate" unknown; echo "port $n $k $s $q"; done; ` +
	`set -- $SSH_CONNECTION; if [ -n "$3" ]; then ip -o addr show to "$3" 2>/dev/null | while read -r x n y; do echo "way ${n%%@*}"; done; fi; ` +
	`! command -v lldpcli >/dev/null || lldpcli -f keyvalue show neighbors 2>/dev/null; true; }; `

// Ports reads what Script printed; nil if it printed no port.
func Ports(text string) []plugins.Port {
	var ports []plugins.Port
	way := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		f := strings.Fields(line)
		switch {
		case len(f) == 5 && f[0] == "port" && (f[2] == plugins.PortData || f[2] == plugins.PortVirtual):
			speed, err := strconv.Atoi(f[3])
			if err != nil || speed < 0 { // the kernel says -1 without a link
				speed = 0
			}
			ports = append(ports, plugins.Port{Name: f[1], Role: f[2], Speed: speed, Up: f[4] == "up"})
		case len(f) == 2 && f[0] == "way":
			way = f[1]
		}
	}
	at := Neighbors(text)
	for i := range ports {
		p := &ports[i]
		if p.Name == way && p.Role == plugins.PortData {
			p.Role = plugins.PortManagement
		}
		p.Neighbor = at[p.Name]
	}
	slices.SortFunc(ports, func(a, b plugins.Port) int { return strings.Compare(a.Name, b.Name) })
	return ports
}

// Neighbors reads what lldpcli printed as keys and values: who is at the other
// end, "core2 Et1", by the name of the port.
func Neighbors(text string) map[string]string {
	system, port := map[string]string{}, map[string]string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); strings.HasPrefix(line, "lldp.") {
			lldp(line, system, port)
		}
	}
	at := map[string]string{}
	for name, s := range system {
		if s != "" {
			at[name] = strings.TrimSpace(s + " " + port[name])
		}
	}
	return at
}

// lldp reads "lldp.eth0.chassis.name=core2" and "lldp.eth0.port.local=Et1", or
// .ifname, or .descr where there is nothing better. A name of a device may hold
// dots, so the key is read from its end.
func lldp(line string, system, port map[string]string) {
	key, value, ok := strings.Cut(strings.TrimPrefix(line, "lldp."), "=")
	if !ok {
		return
	}
	for _, suffix := range []string{".chassis.name", ".port.ifname", ".port.local", ".port.descr"} {
		name, found := strings.CutSuffix(key, suffix)
		switch {
		case !found:
		case suffix == ".chassis.name":
			system[name] = value
		case suffix != ".port.descr" || port[name] == "":
			port[name] = value
		}
	}
}
