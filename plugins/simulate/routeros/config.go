package routeros

import (
	"fmt"
	"slices"
	"strings"
)

// item is one object of a menu, or the settings of a menu that has no objects.
type item struct {
	set     bool     // printed with "set": settings, or an object that cannot be added
	find    string   // for those: "default-name=ether1", or ""
	attrs   []string // name=value, values as they are, in the order in which export prints them
	dynamic bool
}

func (i *item) get(name string) string {
	for _, a := range i.attrs {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
	}
	return ""
}

func (i *item) put(name, value string) {
	for k, a := range i.attrs {
		if strings.HasPrefix(a, name+"=") {
			i.attrs[k] = name + "=" + value
			return
		}
	}
	i.attrs = append(i.attrs, name+"="+value)
	slices.Sort(i.attrs)
}

// config is the configuration in force, which RouterOS keeps on disk as it
// changes.
type config struct {
	menus []string // in the order of an export
	items map[string][]*item
}

func (c *config) clone() *config {
	out := &config{menus: slices.Clone(c.menus), items: map[string][]*item{}}
	for m, list := range c.items {
		for _, i := range list {
			k := *i
			k.attrs = slices.Clone(i.attrs)
			out.items[m] = append(out.items[m], &k)
		}
	}
	return out
}

func (c *config) add(menu string, i *item) {
	if !slices.Contains(c.menus, menu) {
		c.menus = append(c.menus, menu)
		slices.SortStableFunc(c.menus, func(a, b string) int { return rankOf(a) - rankOf(b) })
	}
	slices.Sort(i.attrs)
	c.items[menu] = append(c.items[menu], i)
}

// rankOf orders the menus of an export: what others refer to comes first.
func rankOf(menu string) int {
	for i, m := range []string{"/interface bridge", "/interface ethernet", "/interface vlan", "/interface bonding", "/interface list", "/ip pool", "/interface bridge port",
		"/interface bridge vlan", "/interface list member", "/ip address", "/ip dhcp-client", "/ip dhcp-server", "/ip dns", "/ip firewall filter", "/ip firewall nat", "/ip route"} {
		if m == menu {
			return i
		}
	}
	return 100
}

// quoted is a value as export prints it.
func quoted(s string) string {
	if s != "" && !strings.ContainsAny(s, " \"\\$?;={}[]()\n\r\t") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "?", `\?`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}

// export prints the configuration without the header. Secrets are left out
// unless sensitive is set.
func (c *config) export(sensitive bool) string {
	var b strings.Builder
	for _, m := range c.menus {
		if len(c.items[m]) == 0 {
			continue
		}
		b.WriteString(m + "\n")
		for _, i := range c.items[m] {
			line := "add"
			if i.set {
				line = "set"
				if i.find != "" {
					line += " [ find " + i.find + " ]"
				}
			}
			for _, a := range i.attrs {
				name, value, _ := strings.Cut(a, "=")
				if !sensitive && secret(name) {
					continue
				}
				line += " " + name + "=" + quoted(value)
			}
			b.WriteString(wrap(line) + "\n")
		}
	}
	return b.String()
}

func secret(name string) bool {
	return strings.Contains(name, "password") || strings.Contains(name, "passphrase") || strings.Contains(name, "secret") || strings.HasSuffix(name, "-key")
}

// wrap breaks a line near column 80: after an equals sign or a blank outside
// quotes, with four blanks on the next line.
func wrap(line string) string {
	var pieces []string
	from, quote := 0, false
	for i := range len(line) {
		if line[i] == '"' && (i == 0 || line[i-1] != '\\') {
			quote = !quote
		}
		if !quote && (line[i] == '=' || line[i] == ' ') || i == len(line)-1 {
			pieces = append(pieces, line[from:i+1])
			from = i + 1
		}
	}
	out, now := []string(nil), ""
	for _, p := range pieces {
		if len(now)+len(strings.TrimSuffix(p, " ")) > 77 && strings.TrimSpace(now) != "" {
			out, now = append(out, now+`\`), "    "
		}
		now += p
	}
	return strings.Join(append(out, now), "\n")
}

// parse reads a script of menus and commands into config; statements beyond
// the grammar are taken, because they stand in the unit's own configuration.
func parse(text string) (*config, error) {
	c := &config{items: map[string][]*item{}}
	statements, err := split(text)
	if err != nil {
		return nil, err
	}
	menu := ""
	for _, s := range statements {
		m, cmd, err := s.command(menu)
		if err != nil {
			return nil, err
		}
		if menu = m; cmd == nil {
			continue
		}
		i := &item{set: cmd.verb == "set", find: cmd.find}
		for _, a := range cmd.args {
			i.attrs = append(i.attrs, a[0]+"="+a[1])
		}
		c.add(menu, i)
	}
	return c, nil
}

// statement is one logical line of a script.
type statement struct {
	line int
	text string
}

// split cuts a script into statements: at newlines and semicolons outside
// quotes and braces. Lines that end in a backslash go on in the next, without
// its leading blanks.
func split(text string) ([]statement, error) {
	var out []statement
	var b strings.Builder
	line, start, depth := 1, 1, 0
	inQuote := false
	flush := func() {
		if s := strings.TrimSpace(b.String()); s != "" && s[0] != '#' {
			out = append(out, statement{start, s})
		}
		b.Reset()
		start = line
	}
	for i := 0; i < len(text); i++ {
		ch := text[i]
		if ch == '\n' {
			line++
		}
		switch {
		case ch == '\\' && i+1 < len(text) && text[i+1] == '\n':
			line++
			for i += 2; i < len(text) && (text[i] == ' ' || text[i] == '\t'); i++ {
			}
			i--
		case ch == '\\' && inQuote && i+1 < len(text):
			b.WriteString(text[i : i+2])
			i++
		case ch == '"':
			inQuote = !inQuote
			b.WriteByte(ch)
		case !inQuote && (ch == '{' || ch == '[' || ch == '('):
			depth++
			b.WriteByte(ch)
		case !inQuote && (ch == '}' || ch == ']' || ch == ')'):
			depth--
			b.WriteByte(ch)
		case !inQuote && ch == '#' && strings.TrimSpace(b.String()) == "":
			for i < len(text) && text[i] != '\n' {
				i++
			}
			i--
		case !inQuote && depth == 0 && (ch == '\n' || ch == ';'):
			flush()
		default:
			b.WriteByte(ch)
		}
	}
	if inQuote || depth != 0 {
		return nil, fmt.Errorf("expected closing brace or quote (line %d column 1)", start)
	}
	flush()
	return out, nil
}

// cmd is a command in a menu.
type cmd struct {
	verb string
	find string
	args [][2]string
	bare []string
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			default:
				b.WriteByte(s[i])
			}
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// words splits at blanks outside quotes, braces and brackets.
func words(s string) []string {
	var out []string
	from, depth, inQuote := -1, 0, false
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == '\\' && inQuote:
			i++
		case ch == '"':
			inQuote = !inQuote
		case inQuote:
		case ch == '{' || ch == '[' || ch == '(':
			depth++
		case ch == '}' || ch == ']' || ch == ')':
			depth--
		}
		if s[i] == ' ' && !inQuote && depth == 0 {
			if from >= 0 {
				out = append(out, s[from:i])
			}
			from = -1
			continue
		}
		if from < 0 {
			from = i
		}
	}
	if from >= 0 {
		out = append(out, s[from:])
	}
	return out
}

var verbs = []string{"add", "set", "remove", "print", "get", "save", "load", "export", "import-host-key", "export-host-key", "reset-configuration", "reboot", "import"}

// command reads a statement in a menu; a nil command only changes the menu.
func (s statement) command(menu string) (string, *cmd, error) {
	w := words(s.text)
	if w[0][0] == '/' {
		var path []string
		k := 0
		for ; k < len(w); k++ {
			if strings.ContainsAny(w[k], `="[`) || slices.Contains(verbs, strings.TrimPrefix(w[k], "/")) {
				w[k] = strings.TrimPrefix(w[k], "/")
				break
			}
			for part := range strings.SplitSeq(w[k], "/") {
				if part != "" {
					path = append(path, part)
				}
			}
		}
		if n := len(path); n > 1 && slices.Contains(verbs, path[n-1]) {
			w = append([]string{path[n-1]}, w[k:]...)
			path = path[:n-1]
		} else {
			w = w[k:]
		}
		menu = "/" + strings.Join(path, " ")
		if len(w) == 0 {
			return menu, nil, nil
		}
	}
	c := &cmd{verb: w[0]}
	if !slices.Contains(verbs, c.verb) {
		return menu, nil, fmt.Errorf("bad command name %s (line %d column 1)", c.verb, s.line)
	}
	for _, a := range w[1:] {
		if strings.HasPrefix(a, "[") {
			inner := strings.Fields(strings.Trim(a, "[]"))
			if len(inner) == 0 || inner[0] != "find" {
				return menu, nil, fmt.Errorf("expected command name (line %d column 1)", s.line)
			}
			c.find = strings.Join(inner[1:], " ")
			if c.find == "" {
				c.find = "*"
			}
			continue
		}
		name, value, ok := strings.Cut(a, "=")
		if !ok {
			c.bare = append(c.bare, unquote(a))
			continue
		}
		c.args = append(c.args, [2]string{name, unquote(value)})
	}
	return menu, c, nil
}

func (c *cmd) arg(name string) string {
	for _, a := range c.args {
		if a[0] == name {
			return a[1]
		}
	}
	return ""
}
