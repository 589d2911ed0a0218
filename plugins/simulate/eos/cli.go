package eos

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// cli is one login on an EOS command line.
type cli struct {
	e          *eos
	t          *device.TTY
	privileged bool
	config     bool // in configuration mode, or in a session
	in         *session
	edit       *statements.Editor
}

// Login implements device.Box.
func (e *eos) Login(t *device.TTY) device.CommandLine {
	return &cli{e: e, t: t, privileged: e.d.Options().Privileged}
}

// Prompt shows the host name of the running configuration, the first six
// characters of a session's name and the mode.
func (c *cli) Prompt() string {
	if c.inText() {
		return ""
	}
	c.e.d.Lock()
	defer c.e.d.Unlock()
	host := c.e.hostname()
	if !c.config {
		if c.privileged {
			return host + "#"
		}
		return host + ">"
	}
	mode := "config"
	if c.in != nil {
		mode += "-s-" + c.in.name[:min(6, len(c.in.name))]
	}
	if len(c.edit.Path) > 0 {
		mode += "-" + modeName(c.edit.Path[len(c.edit.Path)-1])
	}
	return host + "(" + mode + ")#"
}

// inText reports that a banner is being typed.
func (c *cli) inText() bool {
	if c.edit == nil {
		return false
	}
	in, _ := c.edit.InText()
	return in
}

// modeName is what the prompt shows for a block.
func modeName(s *statements.Statement) string {
	last := s.Text[strings.LastIndexByte(s.Text, ' ')+1:]
	switch s.Mode {
	case "if":
		kind := strings.TrimRight(last, "0123456789/.")
		return "if-" + kind[:min(2, len(kind))] + last[len(kind):]
	case "vlan", "vrf", "acl", "role", "sg":
		return s.Mode + "-" + last
	}
	return strings.TrimPrefix(s.Mode, "~")
}

// Run executes one line. Statements of the mode go first, commands second: so
// it is on the device, where "show" and "copy" work in every mode.
func (c *cli) Run(t *device.TTY, line string) bool {
	if c.inText() {
		c.statement(line)
		return true
	}
	text := strings.TrimSpace(line)
	words := strings.Fields(text)
	if len(words) == 0 || words[0][0] == '!' && len(words[0]) > 1 && words[0][1] != '!' || text == "!" {
		return true
	}
	for _, d := range c.e.d.Options().Deny {
		if strings.HasPrefix(text, d) {
			t.Print("% Authorization denied for command '" + text + "'\n") // unconfirmed
			return true
		}
	}
	switch words[0] {
	case "logout", "quit":
		if !c.config {
			return false
		}
	case "exit":
		if !c.config {
			return false
		}
		if len(c.edit.Path) == 0 {
			c.leave()
			return true
		}
	case "end":
		if c.config {
			c.leave()
			return true
		}
	}
	if handled := c.command(text, words); handled {
		return true
	}
	if c.config {
		c.statement(line)
		return true
	}
	t.Print(eosInvalid + "\n")
	return true
}

// leave goes back to the exec prompt. A session stays as it is.
func (c *cli) leave() { c.config, c.in, c.edit = false, nil, nil }

func (c *cli) statement(line string) {
	c.e.d.Lock()
	refusal := ""
	if c.in == nil && c.e.lock != "" && c.e.lock != c.t.User {
		refusal = fmt.Sprintf(eosLocked, c.e.lock)
	} else {
		if c.in == nil { // the running configuration may have been replaced meanwhile
			c.edit.Retarget(c.e.run)
		}
		refusal = c.edit.Enter(line)
		if _, begun := c.edit.InText(); begun {
			refusal = "Enter TEXT message. Type 'EOF' on its own line to end."
		}
		if c.in == nil {
			c.e.d.Changed()
		}
	}
	c.e.d.Unlock()
	if refusal != "" {
		c.t.Print(refusal + "\n")
	}
}

// command runs what is not a statement. handled is false if the words are no
// command of the mode.
func (c *cli) command(text string, words []string) (handled bool) {
	verb, _, _ := strings.Cut(text, " ")
	switch {
	case text == "enable" || text == "enable 15":
		c.enable()
	case text == "disable":
		c.privileged = false
		c.leave()
	case verb == "terminal" && len(words) == 3:
		c.terminal(words[1], words[2])
	case verb == "show" && len(words) > 1:
		c.show(text)
	case verb == "ping" || text == "bash":
		c.t.Print(eosInvalid + "\n")
	case !c.privileged && privilegedVerb(verb):
		c.t.Print("% Invalid input (privileged mode required)\n")
	case verb == "configure":
		c.configure(words[1:])
	case text == "copy terminal: session-config":
		c.paste()
	case text == "copy running-config startup-config", text == "write memory", text == "write":
		c.e.d.Lock()
		c.e.save(c.t.User)
		c.e.d.Unlock()
		c.t.Print("Copy completed successfully.\n")
	case text == "write erase", text == "write erase now":
		if strings.HasSuffix(text, "now") || c.confirmed("Proceed with erasing startup configuration? [confirm]") {
			c.e.d.Lock()
			c.e.FactoryReset()
			c.e.d.Unlock()
		}
	case text == "reload", text == "reload now":
		c.reload(strings.HasSuffix(text, "now"))
	case text == "zerotouch cancel", text == "zerotouch disable":
		c.e.d.Lock()
		c.e.ztpDisabled = true
		c.e.d.Reboot()
		c.e.d.Unlock()
	case c.in != nil && (verb == "commit" || verb == "abort" || verb == "rollback"):
		return c.inSession(words)
	default:
		return false
	}
	return true
}

func privilegedVerb(v string) bool {
	switch v {
	case "configure", "copy", "write", "reload", "zerotouch", "delete", "more", "dir":
		return true
	}
	return false
}

// configure enters configuration mode or a session, or ends one from outside.
func (c *cli) configure(words []string) {
	e := c.e
	e.d.Lock()
	refusal := ""
	switch {
	case len(words) == 0, len(words) == 1 && words[0] == "terminal":
		c.config, c.in = true, nil
		c.edit = e.grammar.Edit(e.run)
	case words[0] == "lock":
		if e.lock != "" && e.lock != c.t.User {
			refusal = fmt.Sprintf(eosLocked, e.lock)
		} else {
			e.lock = c.t.User
		}
	case words[0] == "unlock":
		e.lock = ""
	case words[0] != "session" || len(words) > 3:
		refusal = eosInvalid
	case len(words) < 3:
		name := ""
		if len(words) == 2 {
			name = words[1]
		}
		var s *session
		if s, refusal = e.openSession(name, c.t); s != nil {
			c.config, c.in = true, s
			c.edit = e.grammar.Edit(s.content)
		}
	case words[2] == "commit" || words[2] == "abort":
		// Naming a session opens it; one that is not there is made, and
		// committing it changes nothing and says nothing.
		s := e.session(words[1])
		if s == nil || s.state == aborted {
			s, refusal = e.openSession(words[1], c.t)
		}
		if s != nil && words[2] == "commit" {
			refusal = e.commit(s, c.t.User, 0)
		} else if s != nil {
			refusal = e.abort(s)
		}
	default:
		refusal = eosInvalid
	}
	e.d.Unlock()
	if refusal != "" {
		c.t.Print(refusal + "\n")
	}
}

// inSession runs the commands that only a session has. All but "rollback"
// leave it.
func (c *cli) inSession(words []string) bool {
	e := c.e
	e.d.Lock()
	refusal, leave := "", true
	switch text := strings.Join(words, " "); {
	case text == "rollback clean-config":
		c.in.content = e.clean.Clone()
		c.edit = e.grammar.Edit(c.in.content)
		leave = false
	case text == "commit":
		refusal = e.commit(c.in, c.t.User, 0)
	case text == "abort":
		refusal = e.abort(c.in)
	case len(words) == 3 && words[0] == "commit" && words[1] == "timer":
		within, ok := clockTime(words[2])
		if !ok {
			refusal, leave = eosInvalid, false
			break
		}
		refusal = e.commit(c.in, c.t.User, within)
	default:
		refusal, leave = eosInvalid, false
	}
	e.d.Unlock()
	if leave {
		c.leave()
	}
	if refusal != "" {
		c.t.Print(refusal + "\n")
	}
	return true
}

// clockTime reads hh:mm:ss.
func clockTime(s string) (time.Duration, bool) {
	f := strings.Split(s, ":")
	if len(f) != 3 {
		return 0, false
	}
	var sum time.Duration
	for i, part := range f {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || len(part) > 2 || i > 0 && n > 59 {
			return 0, false
		}
		sum = sum*60 + time.Duration(n)*time.Second
	}
	return sum, sum > 0
}
