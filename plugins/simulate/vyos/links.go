package vyos

import (
	"fmt"
	"strings"
)

// each tells every interface of the configuration: its kind and its name.
func (y *vyos) each(tell func(kind, name string)) {
	top := y.run.at("interfaces")
	if top == nil {
		return
	}
	for _, k := range top.inner {
		if kind, name, ok := strings.Cut(k.text, " "); ok {
			tell(kind, name)
		}
	}
}

// interfaces is "show interfaces" of 1.4.
func (y *vyos) interfaces() string {
	var b strings.Builder
	b.WriteString("Codes: S - State, L - Link, u - Up, D - Down, A - Admin Down\n")
	fmt.Fprintf(&b, "%-17s%-34s%-5s%s\n%-17s%-34s%-5s%s\n", "Interface", "IP Address", "S/L", "Description", "---------", "----------", "---", "-----------")
	y.each(func(kind, name string) {
		state := "u/u"
		if kind == "ethernet" && y.d.Options().Neighbors[name] == "" {
			state = "u/D"
		}
		fmt.Fprintf(&b, "%-17s%-34s%-5s\n", name, "-", state)
	})
	return b.String()
}

// neighbors is "show lldp neighbors" of 1.4.
func (y *vyos) neighbors() string {
	if service := y.run.at("service"); service == nil || service.find("lldp") == nil {
		return "Service LLDP is not configured\n" // unconfirmed
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-20s%-14s%-12s%-14s%-26s%s\n", "Device", "Local Port", "Protocol", "Capability", "Platform", "Remote Port")
	y.each(func(kind, name string) {
		if device, port, ok := strings.Cut(y.d.Options().Neighbors[name], " "); ok {
			fmt.Fprintf(&b, "%-20s%-14s%-12s%-14s%-26s%s\n", device, name, "LLDP", "BR", "Simulated neighbor", port)
		}
	})
	return b.String()
}
