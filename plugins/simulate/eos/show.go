package eos

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// show runs a "show" command and the filter behind its "|".
func (c *cli) show(text string) {
	command, filters, _ := strings.Cut(text, "|")
	command = strings.TrimSpace(command)
	c.e.d.Lock()
	var out string
	if strings.TrimSpace(filters) == "json" {
		out = c.showJSON(command)
		filters = ""
	} else {
		out = c.showText(command)
	}
	c.e.d.Unlock()
	paged := c.t.Length
	for f := range strings.SplitSeq(filters, "|") {
		f = strings.TrimSpace(f)
		if f == "no-more" {
			c.t.Length = 0
			continue
		}
		if f == "" {
			continue
		}
		if out = statements.Filter(out, f, eosInvalid); out == "" {
			break
		}
	}
	c.t.Print(out)
	c.t.Length = paged
}

func (c *cli) showText(command string) string {
	e := c.e
	switch command {
	case "show version":
		return e.versionText()
	case "show inventory":
		return e.inventory()
	case "show hostname":
		h := e.hostname()
		fqdn := h
		if s := e.run.Find("dns domain"); s != nil {
			fqdn += "." + strings.TrimPrefix(s.Text, "dns domain ")
		}
		return fmt.Sprintf("Hostname: %s\nFQDN:     %s\n", h, fqdn)
	case "show privilege":
		if c.privileged {
			return "Current privilege level is 15\n"
		}
		return "Current privilege level is 1\n"
	case "show zerotouch": // layout unconfirmed
		mode := "Disabled"
		if e.zeroTouch {
			mode = "Enabled"
		}
		return "ZeroTouch Mode: " + mode + "\n"
	}
	if !c.privileged {
		switch command {
		case "show running-config", "show startup-config", "show configuration sessions", "show configuration sessions detail",
			"show session-config", "show session-config diffs", "show boot-config", "show configuration checkpoints":
			return "% Invalid input (privileged mode required)\n"
		}
		return eosInvalid + "\n"
	}
	switch command {
	case "show running-config":
		return e.Running()
	case "show startup-config":
		if e.start == nil { // wording unconfirmed
			return "% Error displaying startup-config (No such file or directory)\n"
		}
		return e.Startup()
	case "show boot-config":
		return "Software image: flash:/EOS.swi\nConsole speed: (not set)\nAboot password (encrypted): (not set)\nMemory test iterations: (not set)\n"
	case "show configuration sessions detail", "show configuration sessions":
		return e.sessionsDetail(c.in)
	case "show session-config":
		if c.in == nil {
			return fmt.Sprintf(eosNotSession) + "\n"
		}
		return "! Command: show session-configuration named " + c.in.name + "\n" + e.head() + e.order.Render(c.in.content)
	case "show session-config diffs":
		if c.in == nil {
			return fmt.Sprintf(eosNotSession) + "\n"
		}
		return e.diffs(c.in)
	case "show configuration checkpoints":
		out := "Maximum number of checkpoints: 20\n"
		for _, n := range e.checkpoints {
			out += "  " + n + "\n"
		}
		return out
	}
	return eosInvalid + "\n"
}

// ciscoMAC writes a MAC address in the form of "show version": 001c.7300.0001.
func ciscoMAC(s string) string {
	h := strings.ReplaceAll(s, ":", "")
	if len(h) != 12 {
		return s
	}
	return h[:4] + "." + h[4:8] + "." + h[8:]
}

func (e *eos) versionText() string {
	maker := "Arista "
	if e.serial == "" {
		maker = "" // virtual units name themselves alone
	}
	up := e.d.Clock().Now().Sub(e.bootTime)
	hours := int(up.Hours())
	return fmt.Sprintf(`%s%s
Hardware version:      11.03
Serial number:         %s
Hardware MAC address:  %[4]s
System MAC address:    %[4]s

Software image version: %s
Architecture:           x86_64
Internal build version: %[5]s-00000000.0000
Internal build ID:      00000000-0000-0000-0000-000000000000

Uptime:                 %d weeks, %d days, %d hours and %d minutes
Total memory:           8155912 kB
Free memory:            6155912 kB

`, maker, e.model, e.serial, ciscoMAC(e.mac), e.version, hours/168, hours/24%7, hours%24, int(up.Minutes())%60)
}

func (e *eos) inventory() string {
	return fmt.Sprintf(`System Information
  Model                     Description
  ------------------------- ------------------------------------
  %-25s %s
  HW Version    Serial Number    Mfg Date
  ------------  ---------------  ----------
  11.03         %-15s  2021-05-14
`, e.model, "Simulated switch", e.serial)
}

func (c *cli) showJSON(command string) string {
	e := c.e
	if command == "show lldp neighbors" && c.privileged {
		return e.lldpJSON()
	}
	if command != "show version" {
		return "% This is an unconverted command\n"
	}
	out, err := json.MarshalIndent(map[string]any{
		"modelName": e.model, "serialNumber": e.serial, "systemMacAddress": e.mac, "hwMacAddress": e.mac,
		"version": e.version, "internalVersion": e.version + "-00000000.0000", "architecture": "x86_64",
		"uptime": e.d.Clock().Now().Sub(e.bootTime).Seconds(), "bootupTimestamp": float64(e.bootTime.UnixNano()) / float64(time.Second),
	}, "", "    ")
	if err != nil {
		return eosInvalid + "\n"
	}
	return string(out) + "\n"
}

// lldpJSON is who answers on the cables that are plugged in.
func (e *eos) lldpJSON() string {
	type neighbor struct {
		Port   string `json:"port"`
		Device string `json:"neighborDevice"`
		Peer   string `json:"neighborPort"`
		TTL    int    `json:"ttl"`
	}
	list := []neighbor{}
	for _, p := range e.grammar.Ports {
		if peer, ok := e.d.Options().Neighbors[p]; ok {
			device, port, _ := strings.Cut(peer, " ")
			list = append(list, neighbor{p, device, port, 120})
		}
	}
	out, err := json.MarshalIndent(map[string]any{
		"tablesInserts": len(list), "tablesDeletes": 0, "tablesDrops": 0, "tablesAgeOuts": 0, "lldpNeighbors": list,
	}, "", "    ")
	if err != nil {
		return eosInvalid + "\n"
	}
	return string(out) + "\n"
}
