package routeros

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// execution is one script.
type execution struct {
	*box
	out bytes.Buffer
}

// script runs a text: first all of it is parsed.
func (x *execution) script(text string) error {
	statements, err := split(text)
	if err != nil {
		return err
	}
	if err := x.check(statements); err != nil {
		return err
	}
	menu := ""
	for _, s := range statements {
		if menu, err = x.statement(menu, s); err != nil {
			return err
		}
	}
	return nil
}

// check is what the parser refuses.
func (x *execution) check(statements []statement) error {
	menu := ""
	for _, s := range statements {
		if s.text[0] == ':' {
			continue
		}
		m, c, err := s.command(menu)
		if err != nil {
			return err
		}
		if menu = m; c == nil || c.verb != "add" && c.verb != "set" {
			continue
		}
		if !x.known[menu] {
			return fmt.Errorf("bad command name %s (line %d column 1)", path.Base(strings.ReplaceAll(menu, " ", "/")), s.line)
		}
		for _, a := range c.args {
			if !x.known[menu+" "+a[0]] {
				return fmt.Errorf("expected end of command (line %d column %d)", s.line, len(c.verb)+2)
			}
		}
	}
	return nil
}

// moment passes before a job begins, and after a boot before the script of a
// reset does: what was asked for is answered first (help.mikrotik.com,
// Scripting: :execute; how long it takes on hardware is unconfirmed).
const moment = 200 * time.Millisecond

// background starts a job of its own, which a reboot ends. Its errors go to the
// log.
func (b *box) background(script string) {
	b.jobs = append(b.jobs, b.dev.After(moment, func() {
		job := &execution{box: b}
		_ = job.script(script)
		b.dev.Changed()
	}))
}

// block is the text of {…}.
func block(s string) string { return strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}") }

func (x *execution) statement(menu string, s statement) (string, error) {
	w := words(s.text)
	switch w[0] {
	case ":put":
		v, err := x.value(strings.TrimSpace(strings.TrimPrefix(s.text, ":put")))
		if err == nil {
			x.out.WriteString(v + "\n")
		}
		return menu, err
	case ":do":
		err := x.script(block(w[1]))
		if err == nil {
			return menu, nil
		}
		for _, a := range w[2:] {
			if on, ok := strings.CutPrefix(a, "on-error="); ok {
				return menu, x.script(block(on))
			}
		}
		return menu, err
	case ":execute":
		for _, a := range w[1:] {
			if script, ok := strings.CutPrefix(a, "script="); ok {
				x.background(unquote(script))
			}
		}
		return menu, nil
	case ":delay", ":while", ":local", ":global", ":set":
		return menu, nil
	}
	m, c, err := s.command(menu)
	if err != nil || c == nil {
		return m, err
	}
	return m, x.command(m, c)
}

// value is a literal, or [/menu get …].
func (x *execution) value(s string) (string, error) {
	inner, ok := strings.CutPrefix(s, "[")
	if !ok {
		return unquote(s), nil
	}
	inner = strings.TrimSuffix(inner, "]")
	st := statement{1, inner}
	m, c, err := st.command("")
	if err != nil || c == nil || c.verb != "get" || len(c.bare) != 1 {
		return "", fmt.Errorf("syntax error (line 1 column 6)")
	}
	now := x.dev.Clock().Now().UTC()
	old := strings.HasPrefix(x.dev.Options().Version, "6.")
	switch m + " " + c.bare[0] {
	case "/system clock date":
		if old {
			return strings.ToLower(now.Format("Jan/02/2006")), nil
		}
		return now.Format("2006-01-02"), nil
	case "/system clock time":
		return now.Format("15:04:05"), nil
	case "/system identity name":
		return x.identity(), nil
	}
	list := x.match(m, c.find)
	if len(list) == 0 {
		return "", fmt.Errorf("no such item")
	}
	if m == "/system scheduler" && c.bare[0] == "next-run" {
		at := x.next[list[0].get("name")].UTC()
		if old {
			return strings.ToLower(at.Format("Jan/02/2006")) + " " + at.Format("15:04:05"), nil
		}
		return at.Format("2006-01-02 15:04:05"), nil
	}
	return list[0].get(c.bare[0]), nil
}

// match lists the items that find finds; "" is the settings of the menu.
func (x *execution) match(menu, find string) []*item {
	var out []*item
	for _, i := range x.now.items[menu] {
		ok := true
		if find != "*" {
			for f := range strings.FieldsSeq(find) {
				name, value, _ := strings.Cut(f, "=")
				value = unquote(value)
				ok = ok && (i.get(name) == value || i.find == f || name == "default-name" && i.find == "default-name="+value)
			}
		}
		if ok {
			out = append(out, i)
		}
	}
	return out
}

func (x *execution) command(menu string, c *cmd) error {
	switch menu + " " + c.verb {
	case "/system resource print":
		o := x.dev.Options()
		fmt.Fprintf(&x.out, "                   uptime: 1h2m3s\n                  version: %s (stable)\n               build-time: 2025-03-11 11:59:04\n              free-memory: 876.2MiB\n        architecture-name: arm64\n               board-name: %s\n                 platform: MikroTik\n\n", o.Version, o.Model)
		return nil
	case "/system identity print":
		fmt.Fprintf(&x.out, "  name: %s\n\n", x.identity())
		return nil
	case "/system routerboard print":
		if x.v.NoBoard {
			fmt.Fprint(&x.out, "       routerboard: no\n\n")
			return nil
		}
		o := x.dev.Options()
		fmt.Fprintf(&x.out, "       routerboard: yes\n             model: %s\n     serial-number: %s\n  current-firmware: %s\n\n", o.Model, o.Serial, o.Version)
		return nil
	case "/ export":
		return x.export(c)
	case "/system backup save":
		name := withSuffix(c.arg("name"), ".backup")
		x.files[name], x.saved[name] = []byte("\x88\xac\xa1\xb1"+x.now.export(true)), x.now.clone()
		fmt.Fprint(&x.out, "Configuration backup saved\n")
		return nil
	case "/system backup load":
		old := x.saved[withSuffix(c.arg("name"), ".backup")]
		if old == nil || x.files[withSuffix(c.arg("name"), ".backup")] == nil {
			return fmt.Errorf("Cannot open backup file, file does not exist")
		}
		if !slices.ContainsFunc(c.args, func(a [2]string) bool { return a[0] == "password" }) {
			return fmt.Errorf("password: ") // and waits
		}
		x.now = old.clone()
		x.dev.Reboot()
		return nil
	case "/system reset-configuration":
		return x.reset(c)
	case "/ import":
		return x.import_(c)
	case "/ip ssh export-host-key":
		x.files[c.arg("key-file-prefix")+"_rsa.pem"] = []byte("private")
		return nil
	case "/ip ssh import-host-key":
		return nil
	case "/system reboot":
		x.dev.Reboot()
		return nil
	}
	switch c.verb {
	case "add":
		return x.add(menu, c)
	case "set":
		list := x.match(menu, c.find)
		if c.find == "" && len(c.bare) == 0 && len(list) == 0 {
			list = []*item{{set: true}}
			x.now.add(menu, list[0])
		}
		if len(list) == 0 && strings.HasPrefix(c.find, "default-name=") {
			list = []*item{{set: true, find: c.find}}
			x.now.add(menu, list[0])
		}
		for _, i := range list {
			for _, a := range c.args {
				i.put(a[0], a[1])
			}
		}
		return nil
	case "remove":
		gone := x.match(menu, c.find)
		x.now.items[menu] = slices.DeleteFunc(x.now.items[menu], func(i *item) bool { return slices.Contains(gone, i) })
		for _, i := range gone {
			if stop := x.stop[i.get("name")]; stop != nil && menu == "/system scheduler" {
				stop()
				delete(x.stop, i.get("name"))
			}
		}
		if menu == "/file" {
			for n := range x.files {
				if c.find == "name="+n || c.find == `name="`+n+`"` {
					delete(x.files, n)
					delete(x.saved, n)
				}
			}
		}
		return nil
	case "print":
		for _, i := range x.now.items[menu] {
			fmt.Fprintf(&x.out, " %s\n", strings.Join(i.attrs, " "))
		}
		return nil
	}
	return fmt.Errorf("no such command")
}

func (x *execution) export(c *cmd) error {
	old := strings.HasPrefix(x.dev.Options().Version, "6.")
	sensitive := slices.Contains(c.bare, "show-sensitive")
	if old && sensitive {
		return fmt.Errorf("expected end of command (line 1 column 9)")
	}
	x.out.WriteString(x.header() + x.now.export(sensitive || old && !slices.Contains(c.bare, "hide-sensitive")))
	return nil
}

// import_ runs a file; "dry-run" is a bare flag, from 7.16 on, and only with
// verbose=yes.
func (x *execution) import_(c *cmd) error {
	data, ok := x.files[c.arg("file-name")]
	if !ok {
		return fmt.Errorf("Cannot open import file, file does not exist (:import; line 1)")
	}
	dry := slices.Contains(c.bare, "dry-run")
	if dry && (c.arg("verbose") != "yes" || strings.HasPrefix(x.dev.Options().Version, "6.")) {
		return fmt.Errorf("expected end of command (line 1 column 9)")
	}
	statements, err := split(string(data))
	if err == nil {
		err = x.check(statements)
	}
	if err == nil && !dry {
		job := &execution{box: x.box}
		err = job.script(string(data))
	}
	if err != nil {
		return fmt.Errorf("%w (:import; line 1)", err)
	}
	x.out.WriteString("\nScript file loaded and executed successfully\n")
	return nil
}

// add refuses what refers to an interface that is not there.
func (x *execution) add(menu string, c *cmd) error {
	if menu == "/system scheduler" && x.v.DeviceMode {
		return fmt.Errorf("failure: not allowed by device-mode")
	}
	i := &item{}
	for _, a := range c.args {
		if a[0] == "interface" && !x.hasInterface(a[1]) {
			return fmt.Errorf("input does not match any value of interface")
		}
		i.attrs = append(i.attrs, a[0]+"="+a[1])
	}
	if strings.HasPrefix(menu, "/interface") && i.get("name") != "" && x.hasInterface(i.get("name")) && menu != "/interface list" {
		return fmt.Errorf("failure: already have interface with name %s", i.get("name"))
	}
	x.now.add(menu, i)
	if menu == "/system scheduler" {
		x.arm(i)
	}
	return nil
}

func (x *execution) hasInterface(name string) bool {
	for n := 1; n <= 8; n++ {
		port := "ether" + strconv.Itoa(n)
		if name == port && !slices.ContainsFunc(x.now.items["/interface ethernet"], func(i *item) bool { return i.find == "default-name="+port && i.get("name") != "" }) {
			return true
		}
	}
	for m, list := range x.now.items {
		if strings.HasPrefix(m, "/interface") && m != "/interface bridge port" && m != "/interface list member" {
			for _, i := range list {
				if i.get("name") == name {
					return true
				}
			}
		}
	}
	return name == "lo" || name == "sfp-sfpplus1"
}

// arm starts the timer of a scheduler: it fires one interval after it was
// added, or after a boot.
func (b *box) arm(s *item) {
	d, err := time.ParseDuration(s.get("interval"))
	if err != nil {
		if parts := strings.Split(s.get("interval"), ":"); len(parts) == 3 {
			d, err = time.ParseDuration(parts[0] + "h" + parts[1] + "m" + parts[2] + "s")
		}
	}
	if err != nil || d <= 0 {
		return
	}
	name := s.get("name")
	b.next[name] = b.dev.Clock().Now().Add(d)
	b.stop[name] = b.dev.After(d, func() {
		delete(b.stop, name)
		x := &execution{box: b}
		_ = x.script(s.get("on-event")) // its errors go to the log
	})
}

// reset erases the configuration and reboots; the script runs after that.
func (x *execution) reset(c *cmd) error {
	empty := &config{items: map[string][]*item{}}
	if c.arg("no-defaults") != "yes" {
		if f, err := parse(Factory); err == nil {
			empty = f
		}
	}
	if c.arg("keep-users") != "yes" && c.arg("run-after-reset") != "" {
		empty.add("/user", &item{attrs: []string{"name=admin", "password="}})
	}
	x.now = empty
	x.runAfter = string(x.files[c.arg("run-after-reset")])
	x.dev.Reboot()
	return nil
}
