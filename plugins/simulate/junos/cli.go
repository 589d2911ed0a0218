package junos

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// cli is one login.
type cli struct {
	j       *junos
	t       *device.TTY
	mode    string     // "": operational; "shared", "exclusive", "private"
	private *statement // the copy of a private edit
}

// Login implements device.Box.
func (j *junos) Login(t *device.TTY) device.CommandLine {
	t.More = "---(more)---"
	t.Print(fmt.Sprintf("--- JUNOS %s Kernel 64-bit\n", j.version))
	return &cli{j: j, t: t}
}

// End throws a private or exclusive edit away; edits of the shared candidate
// stay.
func (c *cli) End() {
	if c.j.lock == c {
		c.j.lock = nil
		c.j.candidate = c.j.running().clone()
	}
}

// Prompt is preceded by an empty line, by what waits for a confirmation, and
// in configuration mode by the place in the hierarchy.
func (c *cli) Prompt() string {
	c.j.d.Lock()
	defer c.j.d.Unlock()
	who := c.t.User
	if h := c.j.hostname(); h != "" {
		who += "@" + h
	}
	if c.mode == "" {
		return "\n" + who + "> "
	}
	waits := ""
	if first := c.j.commits[0]; first.waits {
		left := first.at.Add(time.Duration(first.minutes) * time.Minute).Sub(c.j.d.Clock().Now())
		waits = fmt.Sprintf("\n# commit confirmed will be rolled back in %d minutes", int((left+time.Minute-1)/time.Minute))
	}
	return waits + "\n[edit]\n" + who + "# "
}

// Run executes one line.
func (c *cli) Run(t *device.TTY, line string) bool {
	text := strings.TrimSpace(line)
	if text == "" || text[0] == '#' { // that a comment is harmless is unconfirmed
		return true
	}
	for _, d := range c.j.d.Options().Deny {
		if strings.HasPrefix(text, d) {
			t.Print("error: permission denied: " + strings.Fields(text)[0] + "\n") // unconfirmed
			return true
		}
	}
	parts := strings.Split(text, " | ")
	words := strings.Fields(parts[0])
	if c.mode == "" {
		return c.operational(text, words, parts[1:])
	}
	c.configuration(text, words, parts[1:])
	return true
}

// print sends an output through the pipes.
func (c *cli) print(out string, pipes []string) {
	more := true
	for _, p := range pipes {
		w := strings.Fields(p)
		switch {
		case p == "no-more":
			more = false
		case p == "display omit", p == "compare":
		case len(w) == 2 && w[0] == "last":
			n, _ := strconv.Atoi(w[1])
			lines := strings.SplitAfter(strings.TrimSuffix(out, "\n"), "\n")
			out = strings.Join(lines[max(0, len(lines)-n):], "")
			if out != "" {
				out += "\n"
			}
		case len(w) == 2 && (w[0] == "match" || w[0] == "except"):
			var b strings.Builder
			for l := range strings.Lines(out) {
				if strings.Contains(l, strings.Trim(w[1], `"`)) == (w[0] == "match") {
					b.WriteString(l)
				}
			}
			out = b.String()
		default:
			c.t.Print("syntax error, expecting <command>.\n")
			return
		}
	}
	length := c.t.Length
	if !more {
		c.t.Length = 0
	}
	c.t.Print(out)
	c.t.Length = length
}

func (c *cli) operational(text string, words, pipes []string) bool {
	j := c.j
	switch {
	case text == "exit", text == "quit":
		return false
	case words[0] == "configure" || words[0] == "edit":
		c.configure(strings.Join(words[1:], " "))
	case len(words) == 4 && words[0] == "set" && words[1] == "cli":
		c.terminal(words[2], words[3])
	case text == "request system zeroize":
		c.t.Print("warning: System will be rebooted and may not boot without configuration\n")
		if a, err := c.t.Ask("Erase all data, including configuration and log files? [yes,no] (no) "); err == nil && a == "yes" {
			c.t.Print("\nwarning: zeroizing re0\n")
			j.d.Lock()
			j.FactoryReset()
			j.d.Reboot()
			j.d.Unlock()
		}
	case text == "request system reboot":
		if a, err := c.t.Ask("Reboot the system ? [yes,no] (no) "); err == nil && a == "yes" {
			j.d.Reload()
		}
	default:
		c.query(words, pipes)
	}
	return true
}

func (c *cli) terminal(what, value string) {
	n, err := strconv.Atoi(value)
	switch {
	case what == "screen-length" && err == nil:
		if !c.j.d.Options().KeepPager {
			c.t.Length = n
		}
		c.t.Print("Screen length set to " + value + "\n")
	case what == "screen-width" && err == nil:
		c.t.Width = n
		c.t.Print("Screen width set to " + value + "\n")
	case what == "complete-on-space" && value == "off":
		c.t.Print("Disabling complete-on-space\n")
	default:
		c.t.Print("unknown command.\n")
	}
}

// query runs what only reads, and the commands on files.
func (c *cli) query(words, pipes []string) {
	j := c.j
	j.d.Lock()
	defer j.d.Unlock()
	out := ""
	switch text := strings.Join(words, " "); {
	case text == "show version":
		if h := j.hostname(); h != "" {
			out = "Hostname: " + h + "\n"
		}
		out += fmt.Sprintf("Model: %s\nJunos: %s\nJUNOS OS Kernel 64-bit  [20230629.f1c9ae5_builder]\n", j.model, j.version)
	case text == "show chassis hardware":
		out = "Hardware inventory:\nItem             Version  Part number  Serial number     Description\n"
		if j.serial != "" {
			out += fmt.Sprintf("%-39s%-18s%s\n", "Chassis", j.serial, strings.ToUpper(j.model))
		}
		out += "Midplane        \nRouting Engine 0                                         RE-VMX\n"
	case text == "show configuration":
		out = j.Running()
	case text == "show system configuration rescue":
		out = "error: no rescue configuration is set\n"
	case text == "show system license keys":
		out = ""
	case text == "show virtual-chassis":
		out = "                   ^\nsyntax error, expecting <command>.\n"
	case text == "show interfaces terse":
		out = j.terse()
	case text == "show lldp neighbors":
		out = j.lldp()
	case text == "show system commit":
		out = j.list()
	case text == "show system uptime":
		out = "Current time: " + stamp(j.d.Clock().Now()) + "\nTime Source:  LOCAL CLOCK\nSystem booted: " + stamp(j.bootTime) + "\n"
	case len(words) == 3 && words[0] == "file" && words[1] == "list":
		if _, ok := j.files[words[2]]; ok {
			out = "/var/home/" + c.t.User + "/" + words[2] + "\n"
		} else {
			out = "/var/home/" + c.t.User + "/" + words[2] + ": No such file or directory\n"
		}
	case text == "file list /var/db/scripts/ recursive":
		out = "/var/db/scripts/:\ncommit/\nevent/\nop/\nsnmp/\n"
		for _, name := range slices.Sorted(mapKeys(j.scripts)) {
			dir, file, _ := strings.Cut(name, "/")
			out += "\n/var/db/scripts/" + dir + ":\n" + file + "\n"
		}
	case len(words) == 3 && words[0] == "file" && words[1] == "show":
		if script, ok := j.scripts[strings.TrimPrefix(words[2], "/var/db/scripts/")]; ok {
			out = script
		} else if file, ok := j.files[words[2]]; ok {
			out = file
		} else {
			out = "error: could not open file: " + words[2] + "\n"
		}
	case len(words) == 3 && words[0] == "file" && words[1] == "delete":
		if _, ok := j.files[words[2]]; !ok {
			out = "error: could not delete file: " + words[2] + "\n"
		}
		delete(j.files, words[2])
	default:
		out = "                   ^\nunknown command.\n"
	}
	c.print(out, pipes)
}

func mapKeys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// list prints the list of commits.
func (j *junos) list() string {
	var b strings.Builder
	for i, e := range j.commits {
		fmt.Fprintf(&b, "%-3d %s by %s via %s", i, stamp(e.at), e.by, e.via)
		if e.minutes > 0 {
			fmt.Fprintf(&b, " commit confirmed, rollback in %dmins", e.minutes)
		}
		b.WriteString("\n")
		if e.comment != "" {
			b.WriteString("    " + e.comment + "\n")
		}
		if e.waits {
			b.WriteString("    rollback pending\n")
		}
	}
	return b.String()
}

// configure enters configuration mode.
func (c *cli) configure(how string) {
	j := c.j
	j.d.Lock()
	defer j.d.Unlock()
	since := stamp(j.bootTime)
	switch {
	case j.lock != nil:
		c.t.Print(fmt.Sprintf("error: configuration database locked by:\n  %s terminal %s (pid 4681) on since %s, idle 00:01:12\n      exclusive [edit]\n", j.lock.t.User, j.lock.t.Name, since))
		return
	case how == "exclusive" && j.edited != "":
		c.t.Print(fmt.Sprintf("Users currently editing the configuration:\n  %s terminal pts/0 (pid 31745) on since %s\n      [edit]\nerror: configuration database modified\n", j.edited, since))
		return
	case how == "private" && j.edited != "":
		c.t.Print("error: shared configuration database modified\n")
		return
	case how == "exclusive":
		c.t.Print("warning: uncommitted changes will be discarded on exit\n")
		c.mode, j.lock = "exclusive", c
		j.candidate = j.running().clone()
	case how == "private":
		c.t.Print("warning: uncommitted changes will be discarded on exit\n")
		c.mode, c.private = "private", j.running().clone()
	case how == "":
		c.mode = "shared"
	default:
		c.t.Print("                   ^\nsyntax error, expecting <command>.\n")
		return
	}
	c.t.Print("Entering configuration mode\n")
	if how == "" && j.edited != "" {
		c.t.Print("The configuration has been changed but not committed\n")
	}
}
