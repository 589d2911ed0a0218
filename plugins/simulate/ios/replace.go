package ios

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

const noPending = "%No Rollback Confirmed Change pending"

// warning is the question of "configure replace" without "force".
const warning = `This will apply all necessary additions and deletions
to replace the current running configuration with the
contents of the specified configuration file, which is
assumed to be a complete configuration, not a partial
configuration. Enter Y if you are sure you want to proceed. ? [no]: `

// archivePath is where the archive keeps its copies, "" if it is off.
func (b *box) archivePath() string {
	if a := b.run.Find("archive"); a != nil {
		if p := statements.FindIn(a.Inner, "path"); p != nil {
			return strings.TrimPrefix(p.Text, "path ")
		}
	}
	return ""
}

// replaceOptions are what follows the name of the file.
type replaceOptions struct {
	force, list, trigger bool
	minutes              int
}

func parseReplace(words []string) (o replaceOptions, ok bool) {
	for i := 0; i < len(words); i++ {
		switch {
		case words[i] == "force":
			o.force = true
		case words[i] == "list", words[i] == "ignorecase", words[i] == "nolock":
			o.list = o.list || words[i] == "list"
		case words[i] == "revert" && i+2 < len(words) && words[i+1] == "trigger" && words[i+2] == "error":
			o.trigger = true
			i += 2
		case words[i] == "revert":
		case (words[i] == "timer" || words[i] == "time") && i+1 < len(words):
			n, err := strconv.Atoi(words[i+1])
			if err != nil || n < 1 || n > 120 {
				return o, false
			}
			o.minutes = n
			i++
		default:
			return o, false
		}
	}
	return o, true
}

// replace is "configure replace FILE …".
func (c *cli) replace(words []string) {
	b := c.b
	if len(words) == 0 {
		c.t.Print(incomplete + "\n")
		return
	}
	o, ok := parseReplace(words[1:])
	if !ok || b.v.NoTimer && (o.minutes > 0 || o.trigger) {
		c.refuse()
		return
	}
	b.d.Lock()
	data, err := b.read(words[0])
	archive := b.archivePath()
	armed, held := b.pending != nil, b.exclusive
	b.d.Unlock()
	switch {
	case err != nil:
		c.t.Print("%Error opening " + words[0] + " (No such file or directory)\n")
		return
	case !valid(string(data)):
		c.t.Print("%The input file is not a valid config file.\n")
		return
	case (o.minutes > 0 || o.trigger) && archive == "":
		c.t.Print("%Turn config archive on before using Rollback Confirmed Change\n")
		return
	case o.minutes > 0 && armed:
		c.t.Print("%Rollback Confirmed Change already pending\n") // unconfirmed
		return
	case held != nil && held != c:
		c.t.Print(fmt.Sprintf(locked, held.t.User))
		return
	}
	if !o.force {
		reply, err := c.t.Ask(warning)
		if err != nil || !strings.HasPrefix(strings.ToLower(reply), "y") {
			return
		}
	}
	b.d.Lock()
	out := b.apply(string(data), o, c.t.User)
	b.d.Changed()
	b.d.Unlock()
	c.t.Print(out)
}

// valid: a configuration file begins with its version and ends with "end".
func valid(text string) bool {
	first, last := "", ""
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '!' {
			continue
		}
		if first == "" {
			first = l
		}
		last = l
	}
	return strings.HasPrefix(first, "version ") && last == "end"
}

// apply makes a file the running configuration. Lines that IOS does not take
// are left out; five passes do not change that.
func (b *box) apply(text string, o replaceOptions, user string) string {
	before := b.run
	out := ""
	if o.minutes > 0 {
		b.archived++
		out = fmt.Sprintf("Rollback Confirmed Change: Backing up current running config to %s-%s-%d\n\n",
			b.archivePath(), b.d.Clock().Now().UTC().Format("Jan--2-15-04-05.000"), b.archived)
	}
	after := &statements.Config{}
	e := b.grammar.Edit(after)
	var failed []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		w := strings.Fields(line)
		if len(w) > 1 && w[0] == "license" && w[1] == "udi" {
			if strings.Join(w, " ") != b.license() {
				failed = append(failed, strings.Join(w, " "))
			}
			continue
		}
		if !b.licensed(w) || e.Enter(line) != "" {
			failed = append(failed, strings.TrimSpace(line))
		}
	}
	if in, _ := e.InText(); in { // a banner or a certificate that never ended
		failed = append(failed, "end")
	}
	if b.vlansElsewhere(after) {
		for _, s := range before.Top {
			if strings.HasPrefix(s.Text, "vlan ") {
				after.Top = append(after.Top, s)
			}
		}
	}
	b.complete(after)
	if b.order.Render(before) == b.order.Render(after) && len(failed) == 0 {
		out += "\nTotal number of passes: 0\nRollback Done\n\n"
	} else {
		b.run = after
		b.touch(user)
	}
	if len(failed) > 0 {
		out += failure(failed)
		if o.trigger {
			b.run = before
			return out + "\nThe original configuration has been successfully restored.\n" // unconfirmed but for the last words
		}
	} else if b.run == after {
		out += "\nTotal number of passes: 1\nRollback Done\n\n"
	}
	if o.minutes > 0 {
		p := &pending{before: before, user: user, minutes: o.minutes, ends: b.d.Clock().Now().Add(time.Duration(o.minutes) * time.Minute)}
		p.stop = b.d.After(time.Duration(o.minutes)*time.Minute, b.revert)
		b.pending = p
	}
	return out
}

func failure(lines []string) string {
	var b strings.Builder
	b.WriteString("The rollback configlet from the last pass is listed below:\n********\n!List of Rollback Commands:\n")
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	b.WriteString("end\n********\n\n\nRollback aborted after 5 passes\nThe following commands are failed to apply to the IOS image.\n********\n")
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	b.WriteString("********\n\n")
	return b.String()
}

// revert puts back what ran before the pending change.
func (b *box) revert() {
	p := b.pending
	if p == nil {
		return
	}
	p.stop()
	b.pending = nil
	b.run = p.before
	b.touch(p.user)
	b.d.Changed()
}

func (b *box) confirm() string {
	if b.pending == nil {
		return noPending + "\n"
	}
	b.pending.stop()
	b.pending = nil
	return ""
}

// rollbackTimer is "show archive config rollback timer".
func (b *box) rollbackTimer() string {
	p := b.pending
	if p == nil {
		return noPending + "\n"
	}
	return fmt.Sprintf("Time configured(%s): %s\nTimer type: absolute timer\nTimer value: %d min\nUser: %s\n", // layout unconfirmed
		b.d.Clock().Now().UTC().Format("MST"), p.ends.Add(-time.Duration(p.minutes)*time.Minute).UTC().Format("15:04:05 UTC Mon Jan 2 2006"), p.minutes, p.user)
}

// differences is "show archive config differences A B": what of B is not in A
// with a plus, what of A is not in B with a minus, under the headings of their
// blocks.
func (b *box) differences(from, to string) string {
	out := b.contextual(b.asWritten(from), b.asWritten(to), "")
	if out == "" {
		return "!No changes were found\n"
	}
	return "!Contextual Config Diffs:\n" + out
}

// asWritten is a file as text: a line that IOS would not take is in it too.
func (b *box) asWritten(text string) []*statements.Statement {
	c := &statements.Config{}
	e := b.grammar.Edit(c)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if e.Enter(line) != "" {
			t := strings.TrimSpace(line)
			c.Top = append(c.Top, &statements.Statement{Text: t, Key: t})
		}
	}
	return c.Top
}

func (b *box) contextual(from, to []*statements.Statement, indent string) string {
	var out strings.Builder
	side := func(sign string, list, other []*statements.Statement, both bool) {
		for _, s := range list {
			same := find(other, s)
			if same == nil {
				out.WriteString(sign + strings.ReplaceAll(strings.TrimSuffix(listed(b.order.One(s, indent)), "\n"), "\n", "\n"+sign) + "\n")
				continue
			}
			if both {
				if inner := b.contextual(same.Inner, s.Inner, indent+" "); inner != "" {
					out.WriteString(indent + s.Text + "\n" + inner)
				}
			}
		}
	}
	side("+", to, from, true)
	side("-", from, to, false)
	return out.String()
}

func find(list []*statements.Statement, s *statements.Statement) *statements.Statement {
	for _, x := range list {
		if x.Text == s.Text && strings.Join(x.Body, "\n") == strings.Join(s.Body, "\n") {
			return x
		}
	}
	return nil
}
