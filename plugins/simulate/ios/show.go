package ios

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// show runs a "show" command and the filters behind its "|".
func (c *cli) show(text string) {
	command, filters, _ := strings.Cut(text, "|")
	command = strings.TrimSpace(command)
	if !c.privileged {
		switch command {
		case "show version", "show inventory", "show privilege", "show license udi", "show vtp status", "show clock", "show interfaces", "show lldp neighbors detail", "show cdp neighbors detail":
		default:
			c.refuse()
			return
		}
	}
	c.b.d.Lock()
	out, ok := c.answer(command)
	c.b.d.Unlock()
	if !ok {
		c.refuse()
		return
	}
	for f := range strings.SplitSeq(filters, "|") {
		if f = strings.TrimSpace(f); f != "" {
			out = statements.Filter(out, f, invalid)
		}
	}
	c.t.Print(out)
}

func (c *cli) answer(command string) (string, bool) {
	b := c.b
	switch command {
	case "show running-config", "show running-config view full":
		return b.Running(), true
	case "show startup-config":
		if b.start == "" {
			return "startup-config is not present\n", true
		}
		return b.Startup(), true
	case "show version":
		return b.showVersion(), true
	case "show inventory":
		return b.inventory(), true
	case "show license udi":
		if b.serial == "" {
			return "", false
		}
		return fmt.Sprintf("UDI: PID:%s,SN:%s\n\n", b.model, b.serial), true
	case "show privilege":
		if c.privileged {
			return "Current privilege level is 15\n", true
		}
		return "Current privilege level is 1\n", true
	case "show clock":
		return "*" + b.d.Clock().Now().UTC().Format("15:04:05.000 UTC Mon Jan 2 2006") + "\n", true
	case "show boot", "show bootvar":
		return "BOOT variable does not exist\nCONFIG_FILE variable does not exist\nConfiguration register is 0x2102\n", true
	case "show interfaces":
		return b.interfaces(), true
	case "show lldp neighbors detail":
		if b.run.Find("lldp run") == nil {
			return "% LLDP is not enabled\n", true
		}
		return statements.LLDP(b.grammar.Ports, b.d.Options().Neighbors, func(p string) string { return "Local Intf: " + statements.Short(p) }), true
	case "show cdp neighbors detail":
		if b.run.Find("no cdp run") != nil {
			return "% CDP is not enabled\n", true
		}
		return b.cdp(), true
	case "show archive":
		if b.archivePath() == "" {
			return " Archive feature not enabled\n", true
		}
		return fmt.Sprintf("The maximum archive configurations allowed is 10.\nThere are currently %d archive configurations saved.\nThe next archive file will be named %s-<timestamp>-%d\n",
			b.archived, b.archivePath(), b.archived), true
	case "show archive config rollback timer":
		return b.rollbackTimer(), !b.v.NoTimer
	case "show vtp status":
		if !b.v.Switch {
			return "", false
		}
		mode := "Server"
		if !b.vlansElsewhere(b.run) {
			mode = "Transparent"
		}
		return "VTP Version capable             : 1 to 3\nVTP version running             : 1\nVTP Domain Name                 : \nVTP Pruning Mode                : Disabled\n" +
			"\nFeature VLAN:\n--------------\nVTP Operating Mode                : " + mode + "\nMaximum VLANs supported locally   : 1005\n", true
	case "show vlan brief":
		return "VLAN Name                             Status    Ports\n---- -------------------------------- --------- -------------------------------\n1    default                          active    \n", b.v.Switch
	}
	if rest, ok := strings.CutPrefix(command, "show archive config differences "); ok {
		f := strings.Fields(rest)
		if len(f) == 1 {
			f = append([]string{"system:running-config"}, f...)
		}
		if len(f) != 2 {
			return "", false
		}
		var texts []string
		for _, name := range f {
			data, err := b.read(name)
			if err == fs.ErrNotExist {
				return "%Error opening " + name + " (No such file or directory)\n", true
			}
			texts = append(texts, string(data))
		}
		return b.differences(texts[0], texts[1]), true
	}
	return "", false
}

func (b *box) showVersion() string {
	xe := !strings.HasPrefix(b.version, "15.") && !strings.HasPrefix(b.version, "12.")
	out := ""
	if xe {
		out = fmt.Sprintf("Cisco IOS XE Software, Version %s\nCisco IOS Software [Amsterdam], Virtual XE Software (X86_64_LINUX_IOSD-UNIVERSALK9-M), Version %s, RELEASE SOFTWARE (fc5)\n", b.version, b.version)
	} else {
		out = fmt.Sprintf("Cisco IOS Software, C2900 Software (C2900-UNIVERSALK9-M), Version %s, RELEASE SOFTWARE (fc2)\n", b.version)
	}
	out += fmt.Sprintf("Technical Support: http://www.cisco.com/techsupport\n\n%s uptime is 3 hours, 11 minutes\nSystem image file is \"bootflash:packages.conf\"\n\n", b.hostname())
	out += fmt.Sprintf("cisco %s (VXE) processor (revision VXE) with 2378575K/3075K bytes of memory.\nProcessor board ID %s\n", b.model, b.serial)
	if b.v.Switch {
		out += fmt.Sprintf("Base Ethernet MAC Address          : 00:00:5e:00:53:01\nModel Number                       : %s\nSystem Serial Number               : %s\n", b.model, b.serial)
	}
	return out + "\nConfiguration register is 0x2102\n\n"
}

func (b *box) inventory() string {
	row := func(name, pid, serial string) string {
		return fmt.Sprintf("NAME: \"%s\", DESCR: \"Cisco %s\"\nPID: %-17s , VID: V01  , SN: %s\n\n", name, pid, pid, serial)
	}
	if len(b.v.Stack) == 0 {
		return row("Chassis", b.model, b.serial)
	}
	out := row("c93xx Stack", b.model, b.serial) + row("Switch 1", b.model, b.serial)
	for i, s := range b.v.Stack {
		out += row(fmt.Sprintf("Switch %d", i+2), b.model, s)
	}
	return out
}

// interfaces is "show interfaces": of each, the state, what it is and how fast
// it runs.
func (b *box) interfaces() string {
	var out strings.Builder
	for _, s := range b.run.Top {
		name, ok := strings.CutPrefix(s.Text, "interface ")
		if !ok {
			continue
		}
		port := slices.Contains(b.grammar.Ports, name)
		state, protocol := "up", "up"
		switch {
		case statements.FindIn(s.Inner, "shutdown") != nil:
			state, protocol = "administratively down", "down"
		case port && b.d.Options().Neighbors[name] == "":
			state, protocol = "down", "down"
		}
		fmt.Fprintf(&out, "%s is %s, line protocol is %s \n  Hardware is simulated, address is 0000.5e00.5301 (bia 0000.5e00.5301)\n", name, state, protocol)
		out.WriteString("  MTU 1500 bytes, BW 1000000 Kbit/sec, DLY 10 usec, \n     reliability 255/255, txload 1/255, rxload 1/255\n  Encapsulation ARPA, loopback not set\n")
	}
	return out.String()
}

// cdp is "show cdp neighbors detail". A device tells its ports by their whole
// names there.
func (b *box) cdp() string {
	var out strings.Builder
	n := 0
	for _, p := range b.grammar.Ports {
		peer, ok := b.d.Options().Neighbors[p]
		if !ok {
			continue
		}
		n++
		device, port := statements.Peer(peer)
		port = strings.NewReplacer("Gi", "GigabitEthernet", "Te", "TenGigabitEthernet").Replace(port)
		fmt.Fprintf(&out, "-------------------------\nDevice ID: %s\nEntry address(es): \n  IP address: 192.0.2.%d\nPlatform: cisco C9300-48T,  Capabilities: Router Switch IGMP \nInterface: %s,  Port ID (outgoing port): %s\nHoldtime : 151 sec\n\n", device, n, p, port)
	}
	fmt.Fprintf(&out, "\nTotal cdp entries displayed : %d\n", n)
	return out.String()
}
