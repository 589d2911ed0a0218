package junos

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// edited is the candidate of the login.
func (c *cli) candidate() *statement {
	if c.mode == "private" {
		return c.private
	}
	return c.j.candidate
}

func (c *cli) replace(s *statement) {
	if c.mode == "private" {
		c.private = s
		return
	}
	c.j.candidate = s
	c.touch()
}

// touch notes that the shared candidate differs from what runs, or does not.
func (c *cli) touch() {
	if c.mode == "shared" {
		c.j.edited = ""
		if c.j.candidate.String() != c.j.running().String() {
			c.j.edited = c.t.User
		}
	}
}

// configuration runs one line of configuration mode.
func (c *cli) configuration(text string, words, pipes []string) {
	j := c.j
	if text == "load override terminal" {
		c.paste()
		return
	}
	if words[0] == "run" && len(words) > 1 {
		c.operational(strings.TrimPrefix(text, "run "), words[1:], pipes)
		return
	}
	if words[0] == "exit" || words[0] == "quit" {
		c.leave()
		return
	}
	j.d.Lock()
	defer j.d.Unlock()
	switch {
	case words[0] == "set" && len(words) > 2:
		if err := c.candidate().set(words[1:]); err != nil {
			c.t.Print("                   ^\n" + err.Error() + ".\n")
		}
		c.touch()
	case words[0] == "delete" && len(words) > 1:
		if !c.candidate().remove(words[1:]) {
			c.t.Print("warning: statement not found\n")
		}
		c.touch()
	case text == "show | compare", strings.HasPrefix(text, "show | compare |"):
		var b strings.Builder
		compare(j.running(), c.candidate(), "", &b)
		c.print(b.String(), pipes)
	case words[0] == "show" && len(words) == 1:
		c.print(j.show(&commit{at: j.d.Clock().Now(), by: c.t.User, config: c.candidate()}, "changed"), pipes)
	case words[0] == "load" && len(words) == 3 && words[1] == "override":
		file, ok := j.files[words[2]]
		if !ok {
			c.t.Print("error: could not open file: " + words[2] + ": No such file or directory\n")
			return
		}
		c.load(words[2], file)
	case words[0] == "rollback" && len(words) <= 2:
		c.rollback(append(words, "0")[1])
	case words[0] == "save" && len(words) == 2:
		shown := j.show(&commit{at: j.d.Clock().Now(), by: c.t.User, config: c.candidate()}, "changed")
		j.files[words[1]] = shown
		c.t.Print(fmt.Sprintf("Wrote %d lines of configuration to '%s'\n", strings.Count(shown, "\n"), words[1]))
	case words[0] == "commit":
		c.commit(words[1:])
	default:
		c.t.Print("                   ^\nunknown command.\n")
	}
}

// leave goes back to operational mode.
func (c *cli) leave() {
	j := c.j
	j.d.Lock()
	changed := c.candidate().String() != j.running().String()
	mode := c.mode
	j.d.Unlock()
	if changed {
		question := "Exit with uncommitted changes? [yes,no] (yes) "
		if mode != "shared" {
			question = "Discard uncommitted changes? [yes,no] (yes) " // unconfirmed
		}
		if a, err := c.t.Ask(question); err != nil || a == "no" {
			return
		}
	}
	j.d.Lock()
	c.End()
	c.mode, c.private = "", nil
	j.d.Unlock()
	c.t.Print("Exiting configuration mode\n")
}

// paste reads the text of "load override terminal".
func (c *cli) paste() {
	c.t.Print("[Type ^D at a new line to end input]\n")
	var b strings.Builder
	for {
		line, err := c.t.Paste()
		if err != nil {
			break
		}
		b.WriteString(line + "\n")
	}
	c.j.d.Lock()
	defer c.j.d.Unlock()
	c.load("terminal", b.String())
}

// load takes a text for the whole candidate. What is wrong is told, and the
// rest is loaded all the same.
func (c *cli) load(from, text string) {
	s, wrong := c.j.g.parse(text)
	if len(s.inner) == 0 && len(wrong) == 0 {
		c.t.Print("load complete\n")
		return
	}
	c.replace(s)
	for _, p := range wrong {
		word, _, _ := strings.Cut(p.text, " ")
		c.t.Print(fmt.Sprintf("%s:%d:(%d) syntax error: %s\n", from, p.line, len(word), word))
		if len(p.path) > 0 {
			c.t.Print("  [edit " + strings.Join(p.path, " ") + "]\n    '" + p.text + "'\n      syntax error\n")
		}
	}
	if len(wrong) > 0 {
		c.t.Print(fmt.Sprintf("load complete (%d errors)\n", len(wrong)))
		return
	}
	c.t.Print("|\bload complete\n")
}

func (c *cli) rollback(which string) {
	n, err := strconv.Atoi(which)
	if err != nil || n < 0 || n >= len(c.j.commits) {
		c.t.Print("error: rollback file " + which + " does not exist\n") // unconfirmed
		return
	}
	c.replace(c.j.commits[n].config.clone())
	if n == 0 && c.mode == "shared" {
		c.j.edited = ""
	}
	c.t.Print("load complete\n")
}

// check is what a commit looks at. A unit does not run without a password of
// root.
func (c *cli) check() bool {
	root := c.candidate().at("system", "root-authentication")
	if root != nil && len(root.inner) > 0 {
		return true
	}
	c.t.Print("[edit]\n  'system'\n    Missing mandatory statement: 'root-authentication'\nerror: configuration check-out failed: (missing mandatory statements)\n")
	return false
}

// commit runs "commit", "commit check" and "commit confirmed".
func (c *cli) commit(words []string) {
	j := c.j
	minutes, comment, only := 0, "", false
	for len(words) > 0 {
		switch {
		case words[0] == "check" && len(words) == 1:
			only, words = true, nil
		case words[0] == "confirmed":
			minutes, words = 10, words[1:]
			if len(words) > 0 {
				if n, err := strconv.Atoi(words[0]); err == nil {
					minutes, words = n, words[1:]
					if n < 1 || n > 65535 {
						c.t.Print("error: Value " + strconv.Itoa(n) + " is not within range (1..65535)\n")
						return
					}
				}
			}
		case words[0] == "comment" && len(words) > 1:
			comment, words = strings.Trim(words[1], `"`), words[2:]
		default:
			c.t.Print("                   ^\nsyntax error, expecting <command>.\n")
			return
		}
	}
	if minutes > 0 && c.mode == "private" {
		c.t.Print("error: commit confirmed is not allowed in private edit mode\n") // unconfirmed
		return
	}
	if !c.check() {
		return
	}
	if only || minutes > 0 {
		c.t.Print("configuration check succeeds\n")
	}
	first := j.commits[0]
	if first.waits { // a check is enough
		j.halt()
		first.waits = false
	}
	if only {
		return
	}
	to := c.candidate().clone()
	next := &commit{at: j.d.Clock().Now(), by: c.t.User, via: "cli", comment: comment, minutes: minutes, waits: minutes > 0, config: to}
	j.edited = ""
	j.commits = slices.Insert(j.commits, 0, next)
	j.candidate = to.clone()
	if c.mode == "private" {
		c.private = to.clone()
	}
	if minutes > 0 {
		c.t.Print(fmt.Sprintf("commit confirmed will be automatically rolled back in %d minutes unless confirmed\n", minutes))
		j.stop = j.d.After(time.Duration(minutes)*time.Minute, func() {
			j.stop = nil
			j.rollBack()
			j.d.Changed()
		})
	}
	c.t.Print("commit complete\n")
	j.d.Changed()
}
