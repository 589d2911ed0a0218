package eos

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

func (c *cli) enable() {
	if c.privileged {
		return
	}
	want := c.e.d.Options().Enable
	for try := 0; want != "" && try < 3; try++ {
		got, err := c.t.Secret("Password: ")
		if err != nil {
			return
		}
		if got == want {
			break
		}
		if try == 2 {
			c.t.Print("% Bad secret\n") // unconfirmed
			return
		}
	}
	c.privileged = true
}

func (c *cli) terminal(what, value string) {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n < 0 || n > 32767:
		c.t.Print(eosInvalid + "\n")
	case what == "length":
		if n == 0 {
			c.t.Print("Pagination disabled.\n")
		} else {
			c.t.Print(fmt.Sprintf("Pagination length set to %d.\n", n)) // unconfirmed
		}
		if !c.e.d.Options().KeepPager {
			c.t.Length = n
		}
	case what == "width":
		c.t.Print(fmt.Sprintf("Width set to %d columns.\n", n))
		c.t.Width = n
	default:
		c.t.Print(eosInvalid + "\n")
	}
}

// paste reads a configuration up to Ctrl-D into the session. A line that is
// refused does not stop it, nor keep it from reporting success.
func (c *cli) paste() {
	if c.in == nil {
		c.t.Print(fmt.Sprintf(eosNotSession) + "\n")
		return
	}
	var lines []string
	for {
		line, err := c.t.Paste()
		if err == io.EOF {
			break
		}
		if err != nil {
			return
		}
		lines = append(lines, line)
	}
	var refused strings.Builder
	c.e.d.Lock()
	if c.in.state == pending {
		ed := c.e.grammar.Edit(c.in.content)
		for i, line := range lines {
			if r := ed.Enter(line); r != "" {
				fmt.Fprintf(&refused, "> %s\n%s at line %d\n", line, r, i+1)
			}
		}
	} else { // somebody ended the session meanwhile
		refused.WriteString("% Error: the session is " + string(c.in.state) + "\n") // unconfirmed
	}
	c.e.d.Unlock()
	c.t.Print(refused.String() + "Copy completed successfully\n")
}

// confirmed asks a question that Enter or y agrees to. Anything else, such as
// the next command typed ahead, does not.
func (c *cli) confirmed(question string) bool {
	reply, err := c.t.Ask(question)
	return err == nil && (reply == "" || reply == "y" || reply == "yes")
}

func (c *cli) reload(now bool) {
	e := c.e
	if !now {
		e.d.Lock()
		modified := e.start == nil || e.order.Render(e.start) != e.order.Render(e.run)
		e.d.Unlock()
		if modified {
			reply, err := c.t.Ask("System configuration has been modified. Save? [yes/no/cancel/diff]:")
			switch {
			case err != nil:
				return
			case reply == "yes" || reply == "y":
				e.d.Lock()
				e.save(c.t.User)
				e.d.Unlock()
			case reply != "no" && reply != "n":
				return
			}
		}
		if !c.confirmed("Proceed with reload? [confirm]") {
			return
		}
	}
	e.d.Lock()
	host := e.hostname()
	e.d.Unlock()
	c.t.Print("\nBroadcast message from root@" + host + "\n\nThe system is going down for reboot NOW!\n")
	e.d.Reload()
}
