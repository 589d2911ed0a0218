package nxos

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// cli is one login. NX-OS has no separate enable.
type cli struct {
	b    *box
	t    *device.TTY
	edit *statements.Editor
}

// Login implements device.Box.
func (b *box) Login(t *device.TTY) device.CommandLine {
	t.More = "--More--"
	return &cli{b: b, t: t}
}

// Prompt implements device.CommandLine.
func (c *cli) Prompt() string {
	if c.inText() {
		return ""
	}
	c.b.d.Lock()
	defer c.b.d.Unlock()
	switch {
	case c.edit == nil:
		return c.b.hostname() + "# "
	case len(c.edit.Path) == 0:
		return c.b.hostname() + "(config)# "
	}
	return c.b.hostname() + "(config-" + strings.TrimPrefix(c.edit.Mode(), "config-") + ")# "
}

func (c *cli) inText() bool {
	if c.edit == nil {
		return false
	}
	in, _ := c.edit.InText()
	return in
}

func (c *cli) refuse() { c.t.Print("                      ^\n" + invalid + "\n") }

// Run implements device.CommandLine. Commands of the exec mode work in every
// mode.
func (c *cli) Run(t *device.TTY, line string) bool {
	if c.inText() {
		c.statement(line)
		return true
	}
	text := strings.TrimSpace(line)
	words := strings.Fields(text)
	if len(words) == 0 || text[0] == '!' {
		return true
	}
	for _, d := range c.b.d.Options().Deny {
		if strings.HasPrefix(text, d) {
			t.Print("% Permission denied for the role\n") // unconfirmed
			return true
		}
	}
	switch {
	case text == "exit" && c.edit == nil, text == "logout":
		return false
	case text == "end", text == "exit" && len(c.edit.Path) == 0:
		c.edit = nil
		return true
	}
	if c.exec(text, words) {
		return true
	}
	if c.edit != nil {
		c.statement(line)
		return true
	}
	c.refuse()
	return true
}

func (c *cli) statement(line string) {
	b := c.b
	b.d.Lock()
	c.edit.Retarget(b.run)
	refusal := c.edit.Enter(line)
	if refusal == "" {
		b.done = b.now()
	}
	b.d.Changed()
	b.d.Unlock()
	if refusal == invalid {
		c.refuse()
	} else if refusal != "" {
		c.t.Print(refusal + "\n")
	}
}

func (c *cli) locked(f func()) {
	c.b.d.Lock()
	defer c.b.d.Unlock()
	f()
}

func (c *cli) exec(text string, words []string) bool {
	b := c.b
	switch words[0] {
	case "enable":
	case "terminal":
		if len(words) == 3 {
			n, err := strconv.Atoi(words[2])
			switch {
			case err != nil || n < 0 || n > 511:
				c.refuse()
			case words[1] == "length" && !b.d.Options().KeepPager:
				c.t.Length = n
			case words[1] == "width":
				c.t.Width = n
			}
		}
	case "show":
		c.show(text)
	case "configure":
		c.configure(words[1:])
	case "copy":
		c.copy(words[1:])
	case "move":
		if len(words) != 3 {
			c.refuse()
			return true
		}
		from, _ := path(words[1])
		to, _ := path(words[2])
		missing := false
		c.locked(func() {
			data, ok := b.files[from]
			if missing = !ok; ok {
				delete(b.files, from)
				b.files[to] = data
			}
		})
		if missing {
			c.t.Print("No such file or directory\n")
		}
	case "delete":
		c.delete(words[1:])
	case "dir":
		out := ""
		c.locked(func() { out = b.dir() })
		c.t.Print(out)
	case "write":
		if text != "write erase" {
			c.refuse()
			return true
		}
		reply, err := c.t.Ask("Warning: This command will erase the startup-configuration.\nDo you wish to proceed anyway? (y/n)  [n] ")
		if err == nil && reply == "y" {
			c.locked(func() { b.start = nil })
		}
	case "reload":
		reply, err := c.t.Ask("This command will reboot the system. (y/n)?  [n] ")
		if err == nil && reply == "y" {
			b.d.Reload()
		}
	default:
		return false
	}
	return true
}

func (c *cli) configure(words []string) {
	b := c.b
	text := strings.Join(words, " ")
	switch {
	case text == "terminal", text == "":
		c.locked(func() { c.edit = b.grammar.Edit(b.run) })
		c.t.Print("Enter configuration commands, one per line. End with CNTL/Z.\n")
	case words[0] == "replace" && len(words) > 1:
		c.replace(words[1:])
	default:
		c.refuse()
	}
}

func (c *cli) replace(words []string) {
	b := c.b
	out := ""
	switch {
	case words[0] == "commit" && len(words) == 1 && b.timed():
		c.locked(func() { out = b.commit() })
	case words[0] == "abort" && len(words) == 1 && b.timed():
		c.locked(func() {
			if b.pending == nil {
				out = "ERROR: No config replace operation is pending\n" // unconfirmed
			}
			b.abort()
		})
	default:
		data, err := b.ReadFile(words[0])
		timeout, verify, ok := 0, false, true
		switch {
		case len(words) == 1:
		case len(words) == 2 && words[1] == "verify-only":
			verify = true
		case len(words) == 2 && words[1] == "best-effort":
		case len(words) == 3 && words[1] == "commit-timeout" && b.timed():
			timeout, _ = strconv.Atoi(words[2])
			ok = timeout >= 30 && timeout <= 3600
		default:
			ok = false
		}
		if !ok {
			c.refuse()
			return
		}
		if err != nil {
			c.t.Print("ERROR: File not found\n") // unconfirmed
			return
		}
		if !strings.Contains("\n"+string(data), "\nversion "+b.version) {
			c.t.Print("\nERROR: Version mismatch between user file and running configuration.\n") // unconfirmed
			return
		}
		c.locked(func() {
			switch {
			case verify:
				out = b.verify(string(data))
			case b.pending != nil:
				out = "ERROR: Config replace operation is in progress\n" // unconfirmed
				return
			default:
				out = b.replace(string(data), timeout)
			}
			out = "\nVersion match between user file and running configuration.\nPre-check for User config PASSED\n" + out
		})
	}
	c.t.Print(out)
}

func (c *cli) copy(words []string) {
	b := c.b
	if len(words) != 2 {
		c.refuse()
		return
	}
	switch {
	case words[0] == "running-config" && words[1] == "startup-config":
		c.locked(func() { b.start = b.run.Clone() })
		c.t.Print("[########################################] 100%\nCopy complete, now saving to disk (please wait)...\nCopy complete.\n")
	case words[0] == "running-config":
		name, ok := path(words[1])
		if !ok {
			c.refuse()
			return
		}
		c.locked(func() { b.files[name] = []byte(b.Running()) })
		c.t.Print("Copy complete, now saving to disk (please wait)...\nCopy complete.\n")
	default:
		c.refuse()
	}
}

func (c *cli) delete(words []string) {
	if len(words) == 0 {
		c.refuse()
		return
	}
	name, _ := path(words[0])
	if len(words) < 2 || words[1] != "no-prompt" {
		reply, err := c.t.Ask("Do you want to delete \"/" + name + "\" ? (yes/no/abort)   [y] ")
		if err != nil || reply != "" && reply[0] != 'y' {
			return
		}
	}
	missing := false
	c.locked(func() {
		_, ok := c.b.files[name]
		missing = !ok
		delete(c.b.files, name)
	})
	if missing {
		c.t.Print("No such file or directory\n")
	}
}

func (c *cli) show(text string) {
	command, filters, _ := strings.Cut(text, "|")
	command = strings.TrimSpace(command)
	c.b.d.Lock()
	out, ok := c.answer(command)
	c.b.d.Unlock()
	if !ok {
		c.refuse()
		return
	}
	paged := c.t.Length
	for f := range strings.SplitSeq(filters, "|") {
		f = strings.TrimSpace(f)
		verb, arg, _ := strings.Cut(f, " ")
		switch {
		case f == "":
		case f == "no-more":
			c.t.Length = 0
		case f == "count":
			out = strconv.Itoa(strings.Count(out, "\n")) + "\n"
		case verb == "last":
			n, _ := strconv.Atoi(arg)
			lines := strings.SplitAfter(strings.TrimSuffix(out, "\n"), "\n")
			out = strings.Join(lines[max(0, len(lines)-n):], "") + "\n"
		default:
			out = statements.Filter(out, f, invalid)
		}
	}
	c.t.Print(out)
	c.t.Length = paged
}

func (c *cli) answer(command string) (string, bool) {
	b := c.b
	switch command {
	case "show running-config":
		return b.Running(), true
	case "show startup-config":
		if b.start == nil {
			return "No startup configuration\n", true // unconfirmed
		}
		return b.Startup(), true
	case "show version":
		return fmt.Sprintf("Cisco Nexus Operating System (NX-OS) Software\nTAC support: http://www.cisco.com/tac\n\nSoftware\n  BIOS: version 07.69\n  NXOS: version %s\n  NXOS image file is: bootflash:///nxos.9.3.8.bin\n\nHardware\n  cisco Nexus9000 %s Chassis\n  Intel(R) Xeon(R) CPU with 24632048 kB of memory.\n  Processor Board ID %s\n\n  Device name: %s\n",
			b.version, b.model, b.serial, b.hostname()), true
	case "show inventory":
		return fmt.Sprintf("NAME: \"Chassis\",  DESCR: \"Nexus9000 %s Chassis\"       \nPID: %-20s ,  VID: V04 ,  SN: %s          \n\nNAME: \"Slot 1\",  DESCR: \"48x10/25G\"\nPID: %-20s ,  VID: V04 ,  SN: %s          \n\n", b.model, b.model, b.serial, b.model, b.serial), true
	case "show clock":
		return b.d.Clock().Now().UTC().Format("15:04:05.000 UTC Mon Jan 02 2006") + "\nTime source is NTP\n", true
	case "show boot":
		return "Current Boot Variables:\n\nsup-1\nNXOS variable = bootflash:/nxos.9.3.8.bin\nNo module boot variable set\n\n", true
	case "show license host-id":
		return "License hostid: VDH=" + b.serial + "\n", true
	case "show interface status":
		return b.status(), true
	case "show lldp neighbors detail":
		return b.lldp(), b.run.Find("feature lldp") != nil
	case "show cdp neighbors detail":
		return b.cdp(), true
	case "show config-replace log exec":
		return "Operation            : Config-replace to user config\n" + b.log, true
	}
	return "", false
}
