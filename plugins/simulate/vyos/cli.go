package vyos

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// cli is one login.
type cli struct {
	y    *vyos
	t    *device.TTY
	work *node // the candidate in configuration mode; nil in operational mode
}

// Login implements device.Box.
func (y *vyos) Login(t *device.TTY) device.CommandLine {
	t.More = ":"
	return &cli{y: y, t: t}
}

// Prompt is bash's; configuration mode says the place in the hierarchy.
func (c *cli) Prompt() string {
	c.y.d.Lock()
	defer c.y.d.Unlock()
	who := c.t.User + "@" + c.y.hostname()
	if c.work != nil {
		return "[edit]\n" + who + "# "
	}
	return who + ":~$ "
}

// Run executes one line.
func (c *cli) Run(t *device.TTY, line string) bool {
	text := strings.TrimSpace(line)
	if text == "" || text[0] == '#' {
		return true
	}
	for _, d := range c.y.d.Options().Deny {
		if strings.HasPrefix(text, d) {
			t.Print("You do not have permission to run this command\n") // unconfirmed
			return true
		}
	}
	if c.work != nil {
		return c.configuration(text)
	}
	words := strings.Fields(text)
	switch {
	case text == "exit" || text == "logout":
		return false
	case text == "configure":
		c.y.d.Lock()
		c.work = c.y.run.clone()
		c.y.d.Unlock()
	case len(words) == 4 && words[0] == "set" && words[1] == "terminal":
		n, err := strconv.Atoi(words[3])
		switch {
		case err != nil:
			t.Print("Invalid value\n")
		case words[2] == "length" && !c.y.d.Options().KeepPager:
			t.Length = n
		case words[2] == "width":
			t.Width = n
		}
	case text == "reboot now":
		c.y.d.Reload()
		return false
	default:
		c.shell(text, words)
	}
	return true
}

// shell runs what the shell is used for.
func (c *cli) shell(text string, words []string) {
	y := c.y
	if m := writes.FindStringSubmatch(text); m != nil {
		c.write(m[1])
		return
	}
	y.d.Lock()
	out := ""
	left, pipe, _ := strings.Cut(text, " | ")
	switch {
	case left == "show version":
		out = y.about()
	case left == "show configuration":
		out = y.run.String()
	case left == "show interfaces":
		out = y.interfaces()
	case left == "show lldp neighbors":
		out = y.neighbors()
	case left == "show system image":
		out = "The system currently has the following image(s) installed:\n\n   1: " + y.version + " (default boot) (running image)\n"
	case text == "hostname":
		out = y.hostname() + "\n"
	case text == "date +%s":
		out = strconv.FormatInt(y.d.Clock().Now().Unix(), 10) + "\n"
	case text == "systemctl is-active commit-confirm.timer":
		if out = "inactive\n"; y.stop != nil && !y.v.Old {
			out = "active\n"
		}
	case strings.HasPrefix(text, "find /config"):
		for _, name := range slices.Sorted(maps.Keys(y.files)) {
			for _, dir := range words[1:] {
				if strings.HasPrefix(dir, "/config/") && strings.HasPrefix(name, dir+"/") {
					out += name + "\n"
				}
			}
		}
	case text == "ls -1 /config":
		out = "auth\nconfig.boot\nscripts\nuser-data\n"
		for _, name := range slices.Sorted(maps.Keys(y.files)) {
			if rest, ok := strings.CutPrefix(name, "/config/"); ok && !strings.Contains(rest, "/") && rest != "config.boot" {
				out += rest + "\n"
			}
		}
	default:
		out = c.file(text, words)
	}
	if n, ok := strings.CutPrefix(pipe, "tail -n "); ok {
		count, _ := strconv.Atoi(n)
		lines := strings.SplitAfter(strings.TrimSuffix(out, "\n"), "\n")
		out = strings.Join(lines[max(0, len(lines)-count):], "") + "\n"
	}
	y.d.Unlock()
	length := c.t.Length
	if pipe != "" || strings.HasPrefix(text, "cat ") {
		c.t.Length = 0 // only the commands of VyOS page
	}
	c.t.Print(out)
	c.t.Length = length
}

// file runs the commands on files.
func (c *cli) file(text string, words []string) string {
	y := c.y
	missing := func(name string) string { return words[0] + ": " + name + ": No such file or directory\n" }
	last := words[len(words)-1]
	content, ok := y.files[last]
	switch {
	case words[0] == "cat" && len(words) == 2:
		if !ok {
			return missing(last)
		}
		return content
	case words[0] == "tail" && len(words) == 4 && ok:
		n, _ := strconv.Atoi(words[2])
		lines := strings.SplitAfter(strings.TrimSuffix(content, "\n"), "\n")
		return strings.Join(lines[max(0, len(lines)-n):], "") + "\n"
	case words[0] == "base64" && len(words) == 2 && ok:
		return wrap(base64.StdEncoding.EncodeToString([]byte(content)))
	case words[0] == "sha256sum" && len(words) == 2 && ok:
		return fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(content)), last)
	case strings.HasPrefix(text, "stat -c %Y ") && ok:
		return strconv.FormatInt(y.times[last].Unix(), 10) + "\n"
	case strings.HasPrefix(text, "rm -f "):
		for _, name := range words[2:] {
			delete(y.files, name)
		}
		return ""
	case words[0] == "cp" && len(words) == 3:
		from, ok := y.files[words[1]]
		if !ok {
			return missing(words[1])
		}
		y.files[words[2]] = from
		return ""
	case words[0] == "mv" && len(words) >= 3:
		from, ok := y.files[words[1]]
		if !ok {
			return missing(words[1])
		}
		y.files[words[2]] = from
		y.times[words[2]] = y.times[words[1]]
		delete(y.files, words[1])
		if len(words) == 6 && words[3] == "&&" && words[4] == "touch" {
			y.times[words[5]] = y.d.Clock().Now()
		}
		return ""
	case slices.Contains([]string{"cat", "base64", "sha256sum", "stat"}, words[0]):
		return missing(last)
	}
	return "\n  Invalid command: [" + words[0] + "]\n\n"
}

var writes = regexp.MustCompile(`^\(umask 077; base64 -d > (\S+)\)$`)

// write takes a file in base64 from the terminal.
func (c *cli) write(name string) {
	var b strings.Builder
	for {
		line, err := c.t.Paste()
		if err != nil {
			break
		}
		b.WriteString(line)
	}
	data, err := base64.StdEncoding.DecodeString(b.String())
	c.y.d.Lock()
	c.y.files[name], c.y.times[name] = string(data), c.y.d.Clock().Now()
	c.y.d.Unlock()
	if err != nil {
		c.t.Print("base64: invalid input\n")
	}
}

func wrap(s string) string {
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\n")
		s = s[76:]
	}
	return b.String() + s + "\n"
}

func (y *vyos) about() string {
	out := "Version:          VyOS " + y.version + "\nRelease train:    sagitta\n"
	if !y.v.Old {
		out += "Release flavor:   generic\n"
	}
	return out + "\nBuilt by:         autobuild@vyos.net\nArchitecture:     x86_64\nBoot via:         installed image\nSystem type:      bare metal\n\n" +
		"Hardware vendor:  Example\nHardware model:   EX-1\nHardware S/N:     " + y.serial + "\nHardware UUID:    00000000-0000-0000-0000-020000000001\n\nCopyright:        VyOS maintainers and contributors\n"
}

// configuration runs one line of configuration mode.
func (c *cli) configuration(text string) bool {
	y := c.y
	words := strings.Fields(text)
	switch {
	case words[0] == "commit-confirm":
		c.commitConfirm(words)
		return true
	case words[0] == "run" && len(words) > 1:
		c.shell(strings.TrimPrefix(text, "run "), words[1:])
		return true
	}
	y.d.Lock()
	defer y.d.Unlock()
	changed := c.work.String() != y.run.String()
	switch {
	case text == "exit" && changed:
		c.t.Print("Cannot exit: configuration modified.\nUse 'exit discard' to discard the changes and exit.\n")
	case text == "exit" || text == "exit discard":
		c.work = nil
		boot, _, _ := grammar(nil).parse(y.files[bootFile])
		if text == "exit" && boot.String() != y.run.String() {
			c.t.Print("Warning: configuration changes have not been saved.\n")
		}
	case words[0] == "set" && len(words) > 1:
		path := slices.Clone(words[1:])
		if !y.g.knows(path[:min(2, len(path))]) || !c.work.set(path) {
			c.t.Print("\n  Configuration path: [" + strings.Join(path, " ") + "] is not valid\n  Set failed\n\n")
		}
	case words[0] == "delete" && len(words) > 1:
		if !c.work.remove(words[1:]) {
			c.t.Print("\n  Nothing to delete (the specified node does not exist)\n\n") // unconfirmed
		}
	case words[0] == "load" && len(words) == 2:
		c.load(words[1], changed)
	case text == "compare":
		c.compare(y.run, c.work, "active")
	case text == "compare saved":
		boot, _, _ := grammar(nil).parse(y.files[bootFile])
		c.compare(boot, c.work, "saved")
	case text == "commit":
		c.commit()
	case text == "confirm":
		if y.stop == nil {
			c.t.Print("No confirm pending\n")
			return true
		}
		y.halt()
		if !y.v.Old {
			c.t.Print(title(y.action()) + " timer stopped\n")
		}
	case text == "save":
		y.save()
		if y.v.Old {
			c.t.Print("Saving configuration to '/config/config.boot'...\nDone\n")
		}
	case text == "show | cat" || text == "show":
		c.t.Print(c.work.String())
	default:
		c.t.Print("\n  Invalid command: [" + words[0] + "]\n\n")
	}
	return true
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// action is what happens to a commit that nobody confirms.
func (y *vyos) action() string {
	if cc := y.run.at("system", "config-management", "commit-confirm"); cc.leaf("action") == "reload" {
		return "reload"
	}
	return "reboot"
}

func (c *cli) load(name string, changed bool) {
	file, ok := c.y.files[name]
	switch {
	case changed:
		c.t.Print("Cannot load: configuration modified.\nCommit or discard the changes before loading a config file.\n")
		return
	case !ok:
		c.t.Print("No such file '" + name + "'\n")
		return
	}
	c.t.Print("Loading configuration from '" + name + "'\n")
	_, _, whole := grammar(nil).parse(file)
	n, unknown, _ := c.y.g.parse(c.y.migrated(file).String())
	if !whole {
		c.t.Print("Failed to parse config file\n") // unconfirmed
		return
	}
	for _, u := range unknown {
		c.t.Print("\n  Configuration path: " + u + " is not valid\n  Set failed\n\n")
	}
	c.work = n
	if n.String() == c.y.run.String() {
		c.t.Print("No configuration changes to commit.\n")
		return
	}
	c.t.Print("Load complete. Use 'commit' to make changes effective.\n")
}

func (c *cli) compare(from, to *node, what string) {
	var b strings.Builder
	compare(from, to, "", &b)
	if b.Len() == 0 {
		c.t.Print("No changes between working and " + what + " configurations.\n")
		return
	}
	c.t.Print(b.String())
}

// commit makes the candidate what runs. A router without the user that is
// logged in is not refused; one without an address on a port that a route needs
// neither.
func (c *cli) commit() bool {
	y := c.y
	if c.work.String() == y.run.String() {
		c.t.Print("No configuration changes to commit\n")
		return true
	}
	if c.work.at("system", "login") == nil {
		c.t.Print("[[system login]] failed\nCommit failed\n")
		return false
	}
	y.run = c.work.clone()
	y.d.Changed()
	return true
}

func (c *cli) commitConfirm(words []string) {
	y := c.y
	minutes := 10
	if len(words) > 1 {
		n, err := strconv.Atoi(words[1])
		if err != nil || n < 1 {
			c.t.Print("Invalid value\n")
			return
		}
		minutes = n
	}
	y.d.Lock()
	waits, action := y.stop != nil, y.action()
	y.d.Unlock()
	if waits {
		c.t.Print("Another confirm is pending\n")
		return
	}
	if y.v.Old {
		c.t.Print(fmt.Sprintf("commit confirm will be automatically reboot in %d minutes unless confirmed\n", minutes))
		if k, err := c.t.Key("Proceed? [confirm]"); err != nil || k != 'y' && k != '\r' && k != '\n' {
			c.t.Print("commit-confirm canceled\n")
			return
		}
	} else {
		if action == "reload" {
			c.t.Print(fmt.Sprintf("commit-confirm will automatically reload previous config in %d minutes\nunless changes are confirmed.\n", minutes))
		} else {
			c.t.Print(fmt.Sprintf("\ncommit-confirm will automatically reboot in %d minutes unless changes\nare confirmed.\n\n", minutes))
		}
		a, err := c.t.Ask("Proceed ? [Y/n] ")
		if err != nil || strings.HasPrefix(strings.ToLower(a), "n") {
			c.t.Print("commit-confirm canceled\n")
			return
		}
	}
	y.d.Lock()
	defer y.d.Unlock()
	prior := y.run.clone()
	y.stop = y.d.After(time.Duration(minutes)*time.Minute, func() {
		y.stop = nil
		if action == "reload" {
			y.run, y.prior = prior, nil
			y.d.Changed()
			return
		}
		y.d.Reboot()
	})
	y.prior = prior
	if !y.v.Old {
		c.t.Print(fmt.Sprintf("Initialized commit-confirm; %d minutes to confirm before %s\n", minutes, action))
	}
	c.commit()
}
