// Package routeros simulates a MikroTik RouterOS device on its SSH exec channel
// and by SFTP: export and import, files, binary backups, schedulers, and a
// reset of the configuration that runs a script afterwards. It is written from
// help.mikrotik.com and recorded dialogues.
//
// Every change is on disk at once. An import stops at the first error while it
// runs and keeps what it did; one with a syntax error does nothing. The exec
// channel always ends with status 0. Start-up is what a unit has in the end
// that is rebooted now and left alone, its schedulers run out.
//
// The console with its redrawn prompt, safe mode and the network itself are not
// simulated; neither are menus beyond those of the sample and of Options.Config.
package routeros

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// Variant is what differs between devices beyond device.Options.
type Variant struct {
	Flash      bool // files outlive a reboot only in the folder flash
	DeviceMode bool // device-mode forbids the scheduler
	NoBoard    bool // a virtual unit: no serial number
}

type box struct {
	dev   *device.Device
	v     Variant
	now   *config
	files map[string][]byte
	saved map[string]*config // binary backups, by name of the file
	known map[string]bool    // menus and "menu attribute" that the unit has
	stop  map[string]func()  // timers of schedulers
	next  map[string]time.Time
}

// New makes a device that boots with o.Config, an export, or as from the
// factory.
func New(o device.Options, v Variant) *device.Device {
	if o.Version == "" {
		o.Version = "7.18.2"
	}
	if o.Model == "" {
		o.Model = "RB5009UPr+S+"
	}
	if o.Serial == "" && !o.NoSerial {
		o.Serial = "HC000000001"
	}
	d := device.New(o)
	b := &box{dev: d, v: v, files: map[string][]byte{}, saved: map[string]*config{}, known: map[string]bool{}, stop: map[string]func(){}, next: map[string]time.Time{}}
	for _, text := range []string{Factory, Sample, o.Config} {
		if c, err := parse(text); err == nil {
			b.learn(c)
		}
	}
	for _, n := range []string{"name", "interval", "on-event", "comment", "policy", "start-time", "start-date"} {
		b.known["/system scheduler "+n] = true
	}
	b.known["/system scheduler"] = true
	text := o.Config
	if text == "" {
		text = Factory
	}
	c, err := parse(text)
	if err != nil {
		c = &config{items: map[string][]*item{}}
	}
	b.now = c
	d.Install(b)
	return d
}

func (b *box) learn(c *config) {
	for m, list := range c.items {
		b.known[m] = true
		for _, i := range list {
			for _, a := range i.attrs {
				name, _, _ := strings.Cut(a, "=")
				b.known[m+" "+name] = true
			}
		}
	}
	for m := range maps.Keys(c.items) {
		for _, n := range []string{"comment", "disabled"} {
			b.known[m+" "+n] = true
		}
	}
}

func (b *box) header() string {
	o := b.dev.Options()
	date := b.dev.Clock().Now().UTC().Format("2006-01-02 15:04:05")
	if strings.HasPrefix(o.Version, "6.") {
		date = strings.ToLower(b.dev.Clock().Now().UTC().Format("Jan/02/2006 15:04:05"))
	}
	h := "# " + date + " by RouterOS " + o.Version + "\n# software id = ABCD-1234\n#\n"
	if !b.v.NoBoard {
		h += "# model = " + o.Model + "\n# serial number = " + o.Serial + "\n"
	}
	return h
}

// plain is the configuration without the schedulers of a change under way,
// which are no part of what is restored.
func (b *box) Running() string { return b.header() + b.now.export(true) }

// Startup: see the package comment.
func (b *box) Startup() string {
	c := b.now
	for _, s := range c.items["/system scheduler"] {
		if name, ok := strings.CutPrefix(s.get("on-event"), "/system backup load name="); ok {
			name, _, _ = strings.Cut(name, " ")
			if old := b.saved[withSuffix(unquote(name), ".backup")]; old != nil {
				c = old
			}
		}
	}
	return b.header() + c.export(true)
}

func withSuffix(name, suffix string) string {
	if strings.HasSuffix(name, suffix) {
		return name
	}
	return name + suffix
}

func (b *box) FactoryReset() {
	if c, err := parse(Factory); err == nil {
		b.now = c
	}
}

// Boot: files outside flash are gone where there is one; timers start anew.
func (b *box) Boot() {
	if b.v.Flash {
		for n := range b.files {
			if !strings.HasPrefix(n, "flash/") {
				delete(b.files, n)
				delete(b.saved, n)
			}
		}
	}
	for _, stop := range b.stop {
		stop()
	}
	clear(b.stop)
	for _, s := range b.now.items["/system scheduler"] {
		b.arm(s)
	}
}

func (b *box) Banner() string     { return "" }
func (b *box) Admits(string) bool { return true }
func (b *box) Reachable() bool    { return true }

func (b *box) Login(*device.TTY) device.CommandLine { return &login{b} }

type login struct{ b *box }

func (l *login) Prompt() string { return "[admin@" + l.b.identity() + "] > " }
func (l *login) Run(t *device.TTY, line string) bool {
	if strings.TrimSpace(line) == "/quit" || strings.TrimSpace(line) == "quit" {
		return false
	}
	t.Print(l.b.run(line))
	return true
}

func (b *box) identity() string {
	for _, i := range b.now.items["/system identity"] {
		return i.get("name")
	}
	return "MikroTik"
}

// Exec runs a script; its status is 0 whatever happens.
func (b *box) Exec(p *device.Process) int {
	io.WriteString(p.Out, b.run(p.Arg))
	return 0
}

func (b *box) run(text string) string {
	b.dev.Lock()
	defer b.dev.Unlock()
	x := &execution{box: b}
	if err := x.script(text); err != nil {
		x.out.WriteString(err.Error() + "\n")
	}
	return x.out.String()
}

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
				job := &execution{box: x.box}
				_ = job.script(unquote(script)) // its errors go to the log
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
		x.Boot()
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
		x.Boot()
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

// reset erases the configuration and runs a script.
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
	file := c.arg("run-after-reset")
	script := string(x.files[file])
	x.Boot()
	if file == "" {
		return nil
	}
	job := &execution{box: x.box}
	_ = job.script(script) // its errors go to the log
	return nil
}

// Offers implements device.Streamer: files by SFTP.
func (b *box) Offers(service, arg string) bool { return service == "subsystem" && arg == "sftp" }
