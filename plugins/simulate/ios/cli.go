package ios

import (
	"crypto/md5"
	"fmt"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

const locked = "Configuration mode is locked by process '484' user '%s' from terminal '2'. Please try later.\n"

// cli is one login.
type cli struct {
	b          *box
	t          *device.TTY
	privileged bool
	edit       *statements.Editor // in configuration mode
}

// Login implements device.Box.
func (b *box) Login(t *device.TTY) device.CommandLine {
	return &cli{b: b, t: t, privileged: b.privileged(t.User)}
}

// End implements device.Ender: an exclusive lock goes with its login.
func (c *cli) End() {
	if c.b.exclusive == c {
		c.b.exclusive = nil
	}
}

// Prompt implements device.CommandLine.
func (c *cli) Prompt() string {
	if c.inText() {
		return ""
	}
	c.b.d.Lock()
	defer c.b.d.Unlock()
	host := c.b.hostname()
	switch {
	case c.edit == nil && c.privileged:
		return host + "#"
	case c.edit == nil:
		return host + ">"
	case len(c.edit.Path) == 0:
		return host + "(config)#"
	}
	mode := c.edit.Mode()
	if !strings.HasPrefix(mode, "ca-") && !strings.HasPrefix(mode, "config-") {
		mode = "config-" + mode
	}
	return host + "(" + mode + ")#"
}

func (c *cli) inText() bool {
	if c.edit == nil {
		return false
	}
	in, _ := c.edit.InText()
	return in
}

// refuse is what IOS says of what it does not know.
func (c *cli) refuse() {
	c.t.Print("                          ^\n" + invalid + "\n\n")
}

// Run implements device.CommandLine.
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
			t.Print("Command authorization failed.\n\n")
			return true
		}
	}
	if c.edit != nil {
		if words[0] == "do" && len(words) > 1 {
			c.exec(words[1:])
			return true
		}
		switch {
		case text == "end", text == "exit" && len(c.edit.Path) == 0:
			c.leave()
		default:
			c.statement(line)
		}
		return true
	}
	switch words[0] {
	case "exit", "quit", "logout":
		return false
	}
	c.exec(words)
	return true
}

func (c *cli) leave() {
	c.b.d.Lock()
	defer c.b.d.Unlock()
	if c.b.exclusive == c {
		c.b.exclusive = nil
	}
	c.edit = nil
}

// statement types one line of configuration.
func (c *cli) statement(line string) {
	b := c.b
	b.d.Lock()
	c.edit.Retarget(b.run)
	refusal := ""
	if w := strings.Fields(line); len(w) > 1 && w[0] == "license" && w[1] == "udi" || !b.licensed(w) {
		refusal = invalid
	} else {
		refusal = c.edit.Enter(line)
	}
	_, begun := c.edit.InText()
	if refusal == "" {
		b.touch(c.t.User)
	}
	b.d.Changed()
	b.d.Unlock()
	switch {
	case refusal == invalid:
		c.refuse()
	case refusal != "":
		c.t.Print(refusal + "\n\n")
	case begun:
		w := strings.Fields(line)
		if w[0] == "banner" {
			c.t.Print("Enter TEXT message.  End with the character '" + w[2][:1] + "'.\n")
		}
	}
}

// exec runs a command of the exec mode.
func (c *cli) exec(words []string) {
	text := strings.Join(words, " ")
	verb := words[0]
	if verb == "enable" {
		c.enable()
		return
	}
	if verb == "terminal" && len(words) == 3 {
		n, err := strconv.Atoi(words[2])
		switch {
		case err != nil || n < 0 || n > 512:
			c.refuse()
		case words[1] == "length" && !c.b.d.Options().KeepPager:
			c.t.Length = n
		case words[1] == "width":
			c.t.Width = n
		}
		return
	}
	if verb == "show" && len(words) > 1 {
		c.show(text)
		return
	}
	if !c.privileged {
		c.refuse()
		return
	}
	switch {
	case verb == "disable":
		c.privileged = false
	case verb == "configure":
		c.configure(words[1:])
	case text == "write", text == "write memory":
		c.locked(c.b.save)
		c.t.Print("Building configuration...\n[OK]\n")
	case verb == "copy" && len(words) == 3:
		c.copy(words[1], words[2])
	case verb == "delete" && len(words) >= 2:
		c.delete(words[1:])
	case verb == "rename" && len(words) == 3:
		c.rename(words[1], words[2])
	case verb == "dir":
		c.dir()
	case verb == "more" && len(words) == 2:
		c.more(words[1])
	case verb == "verify" && len(words) == 3 && words[1] == "/md5":
		if data, err := c.b.ReadFile(words[2]); err != nil {
			c.t.Print("%Error verifying " + words[2] + " (No such file or directory)\n")
		} else {
			c.t.Print(fmt.Sprintf("Done!\nverify /md5 (%s) = %x\n\n", words[2], md5.Sum(data)))
		}
	case text == "write erase":
		if c.confirmed("Erasing the nvram filesystem will remove all configuration files! Continue? [confirm]") {
			c.locked(func() { c.b.start = "" })
			c.t.Print("[OK]\nErase of nvram: complete\n")
		}
	case text == "reload":
		c.reload()
	case text == "archive config":
		if c.b.archivePath() == "" {
			c.t.Print(" Archive feature not enabled\n% Error caught by command handler\n")
		}
	default:
		c.refuse()
	}
}

func (c *cli) locked(f func()) {
	c.b.d.Lock()
	defer c.b.d.Unlock()
	f()
}

func (c *cli) enable() {
	want := c.b.d.Options().Enable
	if c.privileged {
		return
	}
	for try := 0; want != "" && try < 3; try++ {
		got, err := c.t.Secret("Password: ")
		if err != nil {
			return
		}
		if got == want {
			break
		}
		if try == 2 {
			c.t.Print("% Bad secrets\n\n")
			return
		}
	}
	c.privileged = true
}

func (c *cli) configure(words []string) {
	b := c.b
	text := strings.Join(words, " ")
	switch {
	case text == "terminal", text == "terminal lock":
		b.d.Lock()
		held := b.exclusive
		if held == nil || held == c {
			c.edit = b.grammar.Edit(b.run)
			if text == "terminal lock" {
				b.exclusive = c
			}
		}
		b.d.Unlock()
		if held != nil && held != c {
			c.t.Print(fmt.Sprintf(locked, held.t.User))
			return
		}
		c.t.Print("Enter configuration commands, one per line.  End with CNTL/Z.\n")
	case text == "confirm":
		out := ""
		c.locked(func() { out = b.confirm() })
		c.t.Print(out)
	case text == "revert now":
		pending := false
		c.locked(func() { pending = b.pending != nil; b.revert() })
		if !pending {
			c.t.Print(noPending + "\n")
		} else {
			c.t.Print("\nTotal number of passes: 1\nRollback Done\n\n")
		}
	case words != nil && len(words) > 0 && words[0] == "replace":
		c.replace(words[1:])
	default:
		c.refuse()
	}
}

// confirmed asks a question that Enter or y agrees to.
func (c *cli) confirmed(question string) bool {
	k, err := c.t.Key(question)
	return err == nil && (k == '\r' || k == '\n' || k == 'y' || k == 'Y')
}

func (c *cli) copy(from, to string) {
	b := c.b
	quiet := false
	switch {
	case to == "startup-config" && from == "running-config":
		if _, err := c.t.Ask("Destination filename [startup-config]? "); err != nil {
			return
		}
		c.locked(b.save)
		c.t.Print("Building configuration...\n[OK]\n")
		return
	case to == "running-config":
		c.refuse() // merging is not simulated
		return
	}
	data, err := b.ReadFile(from)
	if err != nil {
		c.t.Print("%Error opening " + from + " (No such file or directory)\n")
		return
	}
	name, ok := path(to)
	if !ok || !strings.Contains(to, ":") {
		c.t.Print("%Error opening " + to + " (Invalid argument)\n") // unconfirmed
		return
	}
	if reply, err := c.t.Ask("Destination filename [" + name + "]? "); err != nil {
		return
	} else if reply != "" {
		name = reply
	}
	exists := false
	c.locked(func() { _, exists = b.files[name] })
	if exists && !quiet && !c.confirmed("%Warning:There is a file already existing with this name \nDo you want to over write? [confirm]") {
		return
	}
	if err := b.WriteFile("flash:"+name, data); err == nil {
		c.t.Print(fmt.Sprintf("%d bytes copied in 0.904 secs (%d bytes/sec)\n\n", len(data), len(data)))
	}
}

func (c *cli) delete(words []string) {
	force := words[0] == "/force"
	if force {
		words = words[1:]
	}
	if len(words) != 1 {
		c.refuse()
		return
	}
	name, _ := path(words[0])
	if !force {
		if _, err := c.t.Ask("Delete filename [" + name + "]? "); err != nil {
			return
		}
		if !c.confirmed("Delete bootflash:/" + name + "? [confirm]") {
			return
		}
	}
	gone := false
	c.locked(func() {
		_, gone = c.b.files[name]
		delete(c.b.files, name)
	})
	if !gone {
		c.t.Print("%Error deleting " + words[0] + " (No such file or directory)\n\n")
	}
}

func (c *cli) rename(from, to string) {
	old, _ := path(from)
	name, _ := path(to)
	reply, err := c.t.Ask("Destination filename [" + name + "]? ")
	if err != nil {
		return
	}
	if reply != "" {
		name = reply
	}
	missing := false
	c.locked(func() {
		data, ok := c.b.files[old]
		if missing = !ok; ok {
			delete(c.b.files, old)
			c.b.files[name] = data
		}
	})
	if missing {
		c.t.Print("%Error renaming " + from + " (No such file or directory)\n")
	}
}

func (c *cli) dir() {
	var out strings.Builder
	out.WriteString("Directory of bootflash:/\n\n")
	c.locked(func() {
		for i, n := range c.b.names() {
			fmt.Fprintf(&out, "%d  -rw-  %12d  Nov 23 2026 02:00:00 +00:00  %s\n", i+11, len(c.b.files[n]), n)
		}
	})
	out.WriteString("\n6286540800 bytes total (5490249728 bytes free)\n")
	c.t.Print(out.String())
}

func (c *cli) more(name string) {
	data, err := c.b.ReadFile(name)
	if err != nil {
		c.t.Print("%Error opening " + name + " (No such file or directory)\n")
		return
	}
	c.t.Print(listed(string(data)) + "\n")
}

func (c *cli) reload() {
	b := c.b
	modified := false
	c.locked(func() { modified = b.start != b.file(b.run) })
	if modified {
		reply, err := c.t.Ask("System configuration has been modified. Save? [yes/no]: ")
		if err != nil {
			return
		}
		if strings.HasPrefix(reply, "y") {
			c.locked(b.save)
		}
	}
	if c.confirmed("Proceed with reload? [confirm]") {
		c.t.Print("\n")
		b.d.Reload()
	}
}
