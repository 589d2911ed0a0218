package statements

import (
	"fmt"
	"strings"
)

// Short is the short name of an interface, as tables have it: "Gi0/1".
func Short(name string) string {
	i := strings.IndexAny(name, "0123456789")
	if i < 2 {
		return name
	}
	return name[:2] + name[i:]
}

// Peer splits who is at the other end, "spine1 Ethernet7", into device and port.
func Peer(text string) (device, port string) {
	device, port, _ = strings.Cut(text, " ")
	return device, port
}

// LLDP is "show lldp neighbors detail" of IOS and IOS-XR, which name the local
// port in their own ways.
func LLDP(ports []string, at map[string]string, local func(port string) string) string {
	var b strings.Builder
	n := 0
	for _, p := range ports {
		if at[p] == "" {
			continue
		}
		n++
		device, port := Peer(at[p])
		fmt.Fprintf(&b, "------------------------------------------------\n%s\nChassis id: 0000.5e00.53%02x\nPort id: %s\nPort Description: %s\nSystem Name: %s\n\n", local(p), n, port, port, device)
		b.WriteString("System Description: \nSimulated neighbor: one\n\nTime remaining: 107 seconds\nSystem Capabilities: B,R\nEnabled Capabilities: R\nManagement Addresses - not advertised\n\n")
	}
	fmt.Fprintf(&b, "\nTotal entries displayed: %d\n\n", n)
	return b.String()
}
