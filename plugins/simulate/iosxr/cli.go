package iosxr

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// cli is one login.
type cli struct {
	b     *box
	t     *device.TTY
	in    *session // in configuration mode
	quiet bool     // no time before an answer
}

// Login implements device.Box.
func (b *box) Login(t *device.TTY) device.CommandLine { return &cli{b: b, t: t} }

// End implements device.Ender: the session goes with its login; a trial does
// not, and nobody can confirm it any more.
func (c *cli) End() {
	if c.in != nil {
		c.b.close(c.in)
	}
}

// Prompt implements device.CommandLine.
func (c *cli) Prompt() string {
	c.b.d.Lock()
	defer c.b.d.Unlock()
	host := "RP/0/RP0/CPU0:" + c.b.hostname()
	if c.in == nil {
		return host + "#"
	}
	if in, _ := c.in.edit.InText(); in {
		return ""
	}
	if len(c.in.edit.Path) == 0 {
		return host + "(config)#"
	}
	return host + "(config-" + c.in.edit.Mode() + ")#"
}

func (c *cli) refuse() { c.t.Print("                     ^\n" + invalid + "\n") }

func (c *cli) locked(f func()) {
	c.b.d.Lock()
	defer c.b.d.Unlock()
	f()
}

// Run implements device.CommandLine.
func (c *cli) Run(t *device.TTY, line string) bool {
	b := c.b
	if c.in != nil {
		if in, _ := c.in.edit.InText(); in {
			c.statement(line)
			return true
		}
	}
	text := strings.TrimSpace(line)
	words := strings.Fields(text)
	if len(words) == 0 || text[0] == '!' {
		return true
	}
	for _, d := range b.d.Options().Deny {
		if strings.HasPrefix(text, d) {
			t.Print("% This command is not authorized\n")
			return true
		}
	}
	if text == "terminal exec prompt no-timestamp" {
		c.quiet = true
		return true
	}
	if !c.quiet && (c.in == nil || words[0] == "commit" || words[0] == "show" || words[0] == "load") {
		stamp := ""
		c.locked(func() { stamp = b.stamp() })
		t.Print(stamp)
	}
	if c.in != nil {
		c.config(text, words, line)
		return true
	}
	switch {
	case text == "exit", text == "logout":
		return false
	case text == "enable":
	case words[0] == "terminal" && len(words) == 3:
		n, err := strconv.Atoi(words[2])
		switch {
		case err != nil || n < 0 || n > 512:
			c.refuse()
		case words[1] == "length" && !b.d.Options().KeepPager:
			t.Length = n
		case words[1] == "width":
			t.Width = n
		}
	case text == "configure", text == "configure terminal":
		c.locked(func() { c.in = b.open(t) })
	case text == "configure exclusive":
		c.exclusiveMode()
	case words[0] == "show", words[0] == "admin":
		c.show(text)
	case words[0] == "delete" && len(words) >= 2:
		c.delete(words[1:])
	case words[0] == "dir":
		var out strings.Builder
		c.locked(func() {
			for i, n := range b.names() {
				fmt.Fprintf(&out, "%6d -rw-r--r-- 1 %8d Nov 23 02:00 %s\n", i+100, len(b.files[n]), n)
			}
		})
		t.Print("\nDirectory of disk0:\n\n" + out.String() + "\n1012660 kbytes total (939108 kbytes free)\n")
	default:
		c.refuse()
	}
	return true
}

func (c *cli) exclusiveMode() {
	b := c.b
	out := ""
	c.locked(func() {
		switch {
		case b.trial != nil:
			out = "Cannot enter exclusive mode. A trial commit is underway in another configuration session.\n"
		case b.exclusive != nil:
			s := b.exclusive
			out = fmt.Sprintf("Current Configuration Session  Line       User     Date                     Lock\n%-30s %-10s %-8s %s *\nCannot enter exclusive mode. The Configuration Namespace is locked by another agent.\n",
				s.id, s.line, s.user, s.opened.UTC().Format("Mon Jan _2 15:04:05 2006"))
		default:
			c.in = b.open(c.t)
			b.exclusive = c.in
		}
	})
	c.t.Print(out)
}

// config runs a line in configuration mode.
func (c *cli) config(text string, words []string, line string) {
	b := c.b
	switch {
	case text == "abort":
		c.locked(func() { b.close(c.in) })
		c.in = nil
	case text == "end", text == "exit" && len(c.in.edit.Path) == 0:
		edits := false
		c.locked(func() { edits = len(c.in.typed) > 0 })
		if edits {
			reply, err := c.t.Ask("Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:")
			switch {
			case err != nil || reply != "yes" && reply != "no":
				return
			case reply == "yes":
				out := ""
				c.locked(func() { out = b.commit(c.in, b.merged(c.in), 0) })
				c.t.Print(out)
			}
		}
		c.locked(func() { b.close(c.in) })
		c.in = nil
	case words[0] == "commit":
		c.commit(words[1:])
	case words[0] == "load" && len(words) == 2:
		c.load(words[1])
	case words[0] == "show":
		c.show(text)
	case words[0] == "do" && len(words) > 1:
		c.show(strings.TrimPrefix(text, "do "))
	default:
		c.statement(line)
	}
}

func (c *cli) statement(line string) {
	refusal := ""
	c.locked(func() { refusal = c.enter(line) })
	if refusal == invalid {
		c.refuse()
	} else if refusal != "" {
		c.t.Print(refusal + "\n")
	}
}

// enter types a line into the target configuration.
func (c *cli) enter(line string) string {
	refusal := c.in.edit.Enter(line)
	if refusal == "" {
		c.in.typed = append(c.in.typed, line)
	}
	return refusal
}

// load types a file into the target; the lines that are refused are kept for
// "show configuration failed load". What it prints is unconfirmed.
func (c *cli) load(name string) {
	data, err := c.b.ReadFile(name)
	if err != nil {
		c.t.Print("% Couldn't open file " + name + ": No such file or directory\n")
		return
	}
	c.locked(func() {
		for line := range strings.Lines(string(data)) {
			line = strings.TrimRight(line, "\r\n")
			if c.enter(line) != "" {
				c.in.failed = append(c.in.failed, line)
			}
		}
		c.in.edit.Path = nil
	})
	c.t.Print(fmt.Sprintf("Loading.\n%d bytes parsed in 1 sec (%d)bytes/sec\n", len(data), len(data)))
}

func (c *cli) commit(words []string) {
	b := c.b
	replace := len(words) > 0 && words[0] == "replace"
	if replace {
		words = words[1:]
	}
	within := time.Duration(0)
	if len(words) > 0 && words[0] == "confirmed" {
		n, unit := 0, time.Second
		rest := words[1:]
		if len(rest) > 0 && rest[0] == "minutes" {
			rest, unit = rest[1:], time.Minute
		}
		if len(rest) > 0 {
			n, _ = strconv.Atoi(rest[0])
		}
		if len(rest) != 1 || unit == time.Second && (n < 30 || n > 65535) || unit == time.Minute && (n < 1 || n > 1024) {
			c.refuse()
			return
		}
		words, within = nil, time.Duration(n)*unit
	}
	if len(words) > 0 {
		c.refuse()
		return
	}
	if replace {
		reply, err := c.t.Ask("\nThis commit will replace or remove the entire running configuration. This\noperation can be service affecting.\nDo you wish to proceed? [no]: ")
		if err != nil || reply != "yes" && reply != "y" {
			return
		}
	}
	out := ""
	c.locked(func() {
		switch {
		case replace:
			out = b.commit(c.in, b.replaced(c.in), within)
		case len(c.in.typed) == 0:
			out = b.confirm(c.in)
		default:
			out = b.commit(c.in, b.merged(c.in), within)
		}
	})
	c.t.Print(out)
}

func (c *cli) delete(words []string) {
	if words[0] == "/noprompt" {
		words = words[1:]
	} else if k, err := c.t.Key("Delete " + words[0] + "[confirm]"); err != nil || k != '\r' && k != 'y' {
		return
	}
	if len(words) != 1 {
		c.refuse()
		return
	}
	name, _ := path(words[0])
	missing := false
	c.locked(func() {
		_, ok := c.b.files[name]
		missing = !ok
		delete(c.b.files, name)
	})
	if missing {
		c.t.Print("% Delete of " + words[0] + " failed: No such file or directory\n") // unconfirmed
	}
}

func (c *cli) show(text string) {
	command, filters, _ := strings.Cut(text, "|")
	command = strings.TrimSpace(command)
	out, ok := "", false
	c.locked(func() { out, ok = c.answer(command) })
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
	case "show running-config":
		return b.Running(), true
	case "show version":
		return fmt.Sprintf("Cisco IOS XR Software, Version %s\nCopyright (c) 2013-2021 by Cisco Systems, Inc.\n\nBuild Information:\n Version      : %s\n\ncisco 8000 () processor\nSystem uptime is 1 day, 2 hours, 3 minutes\n\n", b.version, b.version), true
	case "show inventory", "show inventory all":
		return fmt.Sprintf("NAME: \"Rack 0\", DESCR: \"Cisco 8200 2RU\"\nPID: %-17s , VID: V03, SN: %s\n\nNAME: \"0/RP0/CPU0\", DESCR: \"Route Processor\"\nPID: %-17s , VID: V03, SN: %s\n\n", b.model, b.serial, b.model, b.serial), true
	case "show hostname":
		return "", false
	case "show install active summary":
		return "Active Packages:    1\n        " + strings.ToLower(b.model) + "-x-" + b.version + "\n\n", true
	case "show configuration sessions detail":
		return b.detail(), c.in == nil
	case "show interfaces brief":
		return b.brief(), true
	case "show lldp neighbors detail":
		if b.run.Find("lldp") == nil {
			return "% LLDP is not enabled\n", true // unconfirmed
		}
		return statements.LLDP(b.grammar.Ports, b.d.Options().Neighbors, func(p string) string { return "Local Interface: " + p }), true
	case "show clock":
		return b.d.Clock().Now().UTC().Format("15:04:05.000 UTC Mon Jan 02 2006") + "\n", true
	case "admin show running-config":
		return "% This command is not available on this platform\n", true
	}
	if c.in == nil {
		return "", false
	}
	switch command {
	case "show configuration":
		return "Building configuration...\n!! IOS XR Configuration version = " + b.version + "\n" + b.order.Render(c.in.target) + "\n", true
	case "show configuration changes diff":
		return b.changes(c.in), true
	case "show configuration failed":
		if len(c.in.failed) == 0 {
			return "% No such configuration item(s)\n", true
		}
		return "!! SEMANTIC ERRORS: This configuration was rejected by \n!! the system due to semantic errors. The individual \n!! errors with each failed configuration command can be \n!! found below.\n\n\n" + c.in.failed[0] + "end\n\n", true
	case "show configuration failed load":
		if len(c.in.failed) == 0 {
			return "% No such configuration item(s)\n", true
		}
		return "!! SYNTAX/AUTHORIZATION ERRORS: This configuration failed due to\n!! one or more of the following reasons:\n!!  - the entered commands do not exist,\n!!  - the entered commands have errors in their syntax.\n\n" + strings.Join(c.in.failed, "\n") + "\nend\n\n", true
	}
	return "", false
}

// brief is "show interfaces brief".
func (b *box) brief() string {
	var out strings.Builder
	out.WriteString("\n               Intf       Intf        LineP              Encap  MTU        BW\n               Name       State       State               Type (byte)    (Kbps)\n" + strings.Repeat("-", 80) + "\n")
	for _, s := range b.run.Top {
		name, ok := strings.CutPrefix(s.Text, "interface ")
		if !ok {
			continue
		}
		port := slices.Contains(b.grammar.Ports, name)
		state, line, kind, kbit := "up", "up", "ARPA", 1000000
		switch {
		case !port:
			kind, kbit = "Loopback", 0
		case statements.FindIn(s.Inner, "shutdown") != nil:
			state, line = "admin-down", "admin-down"
		case b.d.Options().Neighbors[name] == "":
			state, line = "down", "down"
		}
		fmt.Fprintf(&out, "%19s  %10s  %10s  %17s  %4d  %9d\n", statements.Short(name), state, line, kind, 1514, kbit)
	}
	return out.String()
}
