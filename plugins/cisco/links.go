package cisco

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Links says how a platform tells which ports a unit has, and who is at their
// other end.
type Links struct {
	Driver  string
	Kinds   Kinds
	List    string // the command that lists every interface with its state
	Read    func(k Kinds, out string) []plugins.Port
	LLDP    string                       // the command that tells who answers by LLDP, one block for each
	CDP     string                       // the same by CDP, asked where LLDP tells nobody; "" for none
	Refused func(string) bool            // an output is a refusal
	Manages func(running, p string) bool // a port is for management; nil: the kind of its name tells
}

// Ask keeps the ports as evidence with an export whose first artefact is the
// running configuration. Of a unit that refuses to tell its interfaces or its
// neighbours nothing is kept; an output that is cut makes the export partial.
func (l Links) Ask(ctx context.Context, s plugins.Session, e *plugins.Export) error {
	if len(e.Artefacts) == 0 || e.Artefacts[0].Role != plugins.RoleRunning {
		return nil
	}
	list, _, err := l.run(ctx, s, e, l.List)
	if err != nil || list == "" {
		return err
	}
	ports := l.Read(l.Kinds, list)
	if len(ports) == 0 {
		return nil
	}
	source := []string{l.List}
	at, told := map[string]string{}, false
	for _, command := range []string{l.LLDP, l.CDP} {
		if command == "" || len(at) > 0 {
			continue
		}
		var out string
		if out, told, err = l.run(ctx, s, e, command); err != nil {
			return err
		}
		source = append(source, command)
		if at = neighbors(l.Kinds, out); len(at) == 0 {
			at = cdpNeighbors(l.Kinds, out)
		}
	}
	if !told {
		return nil
	}
	running := string(e.Artefacts[0].Data)
	for i := range ports {
		p := &ports[i]
		p.Neighbor = at[p.Name]
		if p.Role == plugins.PortData && l.Manages != nil && l.Manages(running, p.Name) {
			p.Role = plugins.PortManagement
		}
	}
	a, err := plugins.NewPortsArtefact(strings.Join(source, ", "), ports)
	if err != nil {
		return err
	}
	e.Artefacts = append(e.Artefacts, a)
	return nil
}

// run reads a command. It was not told what the unit refuses, or what did not
// come whole; that a protocol is not enabled is an answer.
func (l Links) run(ctx context.Context, s plugins.Session, e *plugins.Export, command string) (text string, told bool, err error) {
	partly := func(code, text string) {
		e.Reasons = append(e.Reasons, plugins.Reason{Code: code, Text: text})
	}
	out, err := s.Run(ctx, plugins.Command{Text: command})
	text = string(out.Stdout)
	switch {
	case err != nil && ctx.Err() != nil:
		return "", false, fmt.Errorf("%s: %s: %w", l.Driver, command, err)
	case errors.Is(err, plugins.ErrSessionLost):
		partly("connection-lost", "the connection went away during "+command)
		return "", false, nil
	case err != nil:
		partly("read-failed", command+" could not be read")
		return "", false, nil
	case !out.OK():
		partly("cut", "the output of "+command+" stops before its end was proved")
		return "", false, nil
	case l.Refused(text):
		return "", strings.Contains(text, " is not enabled"), nil
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f }) || strings.Contains(text, "--More--"):
		partly("control-bytes", "the output of "+command+" holds what a terminal or a pager left")
		return "", false, nil
	}
	return text, true, nil
}

// port describes an interface by its name alone; false for a sub-interface,
// and for what is none.
func (k Kinds) port(name string) (plugins.Port, bool) {
	full, ok := k.Canonical(name)
	if !ok || strings.Contains(full, ".") {
		return plugins.Port{}, false
	}
	kind, _, _ := k.kindOf(full)
	p := plugins.Port{Name: full, Role: plugins.PortVirtual, Speed: kind.speed()}
	switch kind.Type {
	case "ethernet":
		p.Role = plugins.PortData
	case "management":
		p.Role = plugins.PortManagement
	}
	return p, true
}

// speed is what a kind of port can do by its name, in Mbit/s.
func (k Kind) speed() int {
	for _, s := range []struct {
		word string
		mbit int
	}{
		{"FourHundredGig", 400000}, {"TwoHundredGig", 200000}, {"HundredGig", 100000}, {"FiftyGig", 50000}, {"FortyGig", 40000}, {"TwentyFiveGig", 25000},
		{"TenGig", 10000}, {"FiveGig", 5000}, {"TwoGig", 2500}, {"GigabitEthernet", 1000}, {"FastEthernet", 100},
	} {
		if strings.Contains(k.Name, s.word) {
			return s.mbit
		}
	}
	return 0
}

var stateLine = regexp.MustCompile(`^(\S+) is ([^,]+), line protocol is (\w+)`)

// InterfaceStates reads the heads of "show interfaces" (Interface Command
// Reference): "GigabitEthernet1/0/1 is up, line protocol is up (connected)".
func InterfaceStates(k Kinds, out string) []plugins.Port {
	return each(out, func(line string) (plugins.Port, bool) {
		m := stateLine.FindStringSubmatch(line)
		if m == nil {
			return plugins.Port{}, false
		}
		p, ok := k.port(m[1])
		p.Up = m[2] == "up" && m[3] == "up"
		return p, ok
	})
}

// InterfaceStatus reads the table of "show interface status" (NX-OS Interfaces
// Configuration Guide): "Eth1/1  to-core  connected trunk  full  10G  10Gbase-SR".
// Its columns are as wide as its heading says; descriptions are cut to theirs.
func InterfaceStatus(k Kinds, out string) []plugins.Port {
	status := -1
	return each(out, func(line string) (plugins.Port, bool) {
		if strings.HasPrefix(line, "Port ") {
			status = strings.Index(line, " Status")
		}
		if status < 0 || len(line) <= status {
			return plugins.Port{}, false
		}
		name, cells := strings.Fields(line[:status]), strings.Fields(line[status:])
		if len(name) == 0 || len(cells) < 4 {
			return plugins.Port{}, false
		}
		p, ok := k.port(name[0])
		p.Up = cells[0] == "connected"
		if n := mbit(cells[3]); n > 0 && p.Role != plugins.PortVirtual {
			p.Speed = n
		}
		return p, ok
	})
}

// mbit reads "1000", "a-1000", "10G" and "2.5G"; "auto" is 0.
func mbit(s string) int {
	s = strings.TrimPrefix(s, "a-")
	factor := 1.0
	if g, ok := strings.CutSuffix(s, "G"); ok {
		s, factor = g, 1000
	}
	n, err := strconv.ParseFloat(s, 32)
	if err != nil || n < 0 || n*factor > 1e7 {
		return 0
	}
	return int(n * factor)
}

// InterfaceBrief reads the table of "show interfaces brief" (IOS XR Interface
// Command Reference): name, state, line protocol, encapsulation, MTU, kbit/s.
func InterfaceBrief(k Kinds, out string) []plugins.Port {
	return each(out, func(line string) (plugins.Port, bool) {
		f := strings.Fields(line)
		if len(f) != 6 {
			return plugins.Port{}, false
		}
		kbit, err := strconv.Atoi(f[5])
		if err != nil || kbit < 0 {
			return plugins.Port{}, false
		}
		p, ok := k.port(f[0])
		p.Up = f[1] == "up" && f[2] == "up"
		if p.Role != plugins.PortVirtual && kbit >= 1000 {
			p.Speed = kbit / 1000
		}
		return p, ok
	})
}

// each reads a table, one port at most from a line, and no port twice.
func each(out string, read func(line string) (plugins.Port, bool)) []plugins.Port {
	var ports []plugins.Port
	for line := range strings.Lines(out) {
		if p, ok := read(line); ok && !slices.ContainsFunc(ports, func(o plugins.Port) bool { return o.Name == p.Name }) {
			ports = append(ports, p)
		}
	}
	return ports
}

// neighbors reads "show lldp neighbors detail": who is at the other end, by the
// full name of the port. A block begins with a rule or with the chassis, and a
// device that is not advertised is known by its chassis.
func neighbors(k Kinds, out string) map[string]string {
	at := map[string]string{}
	var local, chassis, port, system string
	keep := func() {
		name, ok := k.Canonical(local)
		if system == "" || strings.HasPrefix(system, "not advertised") {
			system = chassis
		}
		if ok && system != "" {
			at[name] = strings.TrimSpace(system + " " + port)
		}
		local, chassis, port, system = "", "", "", ""
	}
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, " \r\n")
		if strings.HasPrefix(line, "-----") {
			keep()
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); !ok {
			continue
		}
		switch key {
		case "Local Intf", "Local Interface", "Local Port id":
			if local != "" {
				keep()
			}
			local = value
		case "Chassis id":
			if chassis != "" {
				keep()
			}
			chassis = value
		case "Port id":
			if port == "" {
				port = value
			}
		case "System Name":
			if system == "" {
				system = value
			}
		}
	}
	keep()
	return at
}

var cdpPort = regexp.MustCompile(`^Interface: ?(\S+?), +Port ID \(outgoing port\): ?(.+)$`)

// cdpNeighbors reads "show cdp neighbors detail". The names of ports are cut to
// what LLDP calls them, so that a link is known again by either.
func cdpNeighbors(k Kinds, out string) map[string]string {
	at := map[string]string{}
	system := ""
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, " \r\n")
		if id, ok := strings.CutPrefix(line, "Device ID:"); ok {
			system, _, _ = strings.Cut(strings.TrimSpace(id), "(") // NX-OS adds its serial number
		}
		m := cdpPort.FindStringSubmatch(line)
		if m == nil || system == "" {
			continue
		}
		if name, ok := k.Canonical(m[1]); ok && at[name] == "" {
			at[name] = system + " " + advertised(m[2])
		}
	}
	return at
}

// advertised is the port id that a device of Cisco's sends by LLDP for the name
// that it sends by CDP: "Gi1/0/1" for "GigabitEthernet1/0/1".
func advertised(port string) string {
	for _, s := range []struct{ long, short string }{
		{"TwentyFiveGigE", "Twe"}, {"TwoGigabitEthernet", "Tw"}, {"FiveGigabitEthernet", "Fi"}, {"FortyGigabitEthernet", "Fo"}, {"HundredGigE", "Hu"},
		{"TenGigabitEthernet", "Te"}, {"GigabitEthernet", "Gi"}, {"FastEthernet", "Fa"},
	} {
		if rest, ok := strings.CutPrefix(port, s.long); ok {
			return s.short + rest
		}
	}
	return port
}
