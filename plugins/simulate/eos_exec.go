package simulate

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

func (c *eosCLI) enable() {
	if c.privileged {
		return
	}
	want := c.e.d.opts.Enable
	for try := 0; want != "" && try < 3; try++ {
		got, err := c.t.secret("Password: ")
		if err != nil {
			return
		}
		if got == want {
			break
		}
		if try == 2 {
			c.t.print("% Bad secret\n") // unconfirmed
			return
		}
	}
	c.privileged = true
}

func (c *eosCLI) terminal(what, value string) {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n < 0 || n > 32767:
		c.t.print(eosInvalid + "\n")
	case what == "length":
		if n == 0 {
			c.t.print("Pagination disabled.\n")
		} else {
			c.t.print(fmt.Sprintf("Pagination length set to %d.\n", n)) // unconfirmed
		}
		if !c.e.d.opts.KeepPager {
			c.t.length = n
		}
	case what == "width":
		c.t.print(fmt.Sprintf("Width set to %d columns.\n", n))
		c.t.width = n
	default:
		c.t.print(eosInvalid + "\n")
	}
}

// paste reads a configuration up to Ctrl-D into the session. A line that is
// refused does not stop it, nor keep it from reporting success.
func (c *eosCLI) paste() {
	if c.in == nil {
		c.t.print(fmt.Sprintf(eosNotSession) + "\n")
		return
	}
	var lines []string
	for {
		line, err := c.t.paste()
		if err == io.EOF {
			break
		}
		if err != nil {
			return
		}
		lines = append(lines, line)
	}
	var refused strings.Builder
	c.e.d.mu.Lock()
	if c.in.state == eosPending {
		ed := &eosEditor{g: c.e.grammar, c: c.in.content}
		for i, line := range lines {
			if r := ed.enter(line); r != "" {
				fmt.Fprintf(&refused, "> %s\n%s at line %d\n", line, r, i+1)
			}
		}
	} else { // somebody ended the session meanwhile
		refused.WriteString("% Error: the session is " + string(c.in.state) + "\n") // unconfirmed
	}
	c.e.d.mu.Unlock()
	c.t.print(refused.String() + "Copy completed successfully\n")
}

// confirmed asks a question that Enter or y agrees to. Anything else, such as
// the next command typed ahead, does not.
func (c *eosCLI) confirmed(question string) bool {
	reply, err := c.t.ask(question)
	return err == nil && (reply == "" || reply == "y" || reply == "yes")
}

func (c *eosCLI) reload(now bool) {
	e := c.e
	if !now {
		e.d.mu.Lock()
		modified := e.start == nil || e.order.render(e.start) != e.order.render(e.run)
		e.d.mu.Unlock()
		if modified {
			reply, err := c.t.ask("System configuration has been modified. Save? [yes/no/cancel/diff]:")
			switch {
			case err != nil:
				return
			case reply == "yes" || reply == "y":
				e.d.mu.Lock()
				e.save(c.t.user)
				e.d.mu.Unlock()
			case reply != "no" && reply != "n":
				return
			}
		}
		if !c.confirmed("Proceed with reload? [confirm]") {
			return
		}
	}
	e.d.mu.Lock()
	host := e.hostname()
	e.d.mu.Unlock()
	c.t.print("\nBroadcast message from root@" + host + "\n\nThe system is going down for reboot NOW!\n")
	e.d.Reload()
}
