// Package routeros simulates a MikroTik RouterOS device on its SSH exec channel
// and by SFTP: export and import, files, binary backups, schedulers, and a
// reset of the configuration that runs a script afterwards. It is written from
// help.mikrotik.com and recorded dialogues.
//
// Every change is on disk at once. An import stops at the first error while it
// runs and keeps what it did; one with a syntax error does nothing. The exec
// channel always ends with status 0. A job that :execute starts begins after
// the answer; loading a backup and resetting take every connection with them,
// and the script of a reset begins only after the unit answers again. Start-up
// is what a unit has in the end that is rebooted now and left alone, its
// schedulers run out.
//
// The console with its redrawn prompt, safe mode and the network itself are not
// simulated; neither are menus beyond those of the sample and of Options.Config.
package routeros

import (
	"io"
	"maps"
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

	jobs     []func() // ends what :execute started
	runAfter string   // the script of a reset that has not run yet; that it outlives another reboot is unconfirmed

	address string // that the outside world dials; "" is any
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
	b.now, b.address = c, dialled(c)
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

func (b *box) Running() string { return b.header() + b.now.export(true) }

// Startup: see the package comment.
func (b *box) Startup() string {
	c := b.now
	scripts := []string{b.runAfter}
	for _, s := range c.items["/system scheduler"] {
		scripts = append(scripts, s.get("on-event"))
	}
	for _, s := range scripts {
		if _, name, ok := strings.Cut(s, "/system backup load name="); ok {
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
	for _, end := range b.jobs {
		end()
	}
	b.jobs = nil
	if b.runAfter != "" {
		b.jobs = append(b.jobs, b.dev.After(b.dev.Options().BootTime+moment, func() {
			job := &execution{box: b}
			script := b.runAfter
			b.runAfter = ""
			_ = job.script(script) // its errors go to the log
			b.dev.Changed()
		}))
	}
	for _, s := range b.now.items["/system scheduler"] {
		b.arm(s)
	}
}

func (b *box) Banner() string     { return "" }
func (b *box) Admits(string) bool { return true }

// Reachable: the router has the address that is dialled, or that of a unit from
// the factory, on an interface that is not switched off.
func (b *box) Reachable() bool {
	if b.address == "" {
		return true
	}
	for _, i := range b.now.items["/ip address"] {
		if at := i.get("address"); (at == b.address || at == factoryAddress) && i.get("disabled") != "yes" {
			return true
		}
	}
	return false
}

// factoryAddress is where a unit answers that has its default configuration
// (help.mikrotik.com, Default configurations).
const factoryAddress = "192.168.88.1/24"

// dialled is the first address of a configuration.
func dialled(c *config) string {
	for _, i := range c.items["/ip address"] {
		return i.get("address")
	}
	return ""
}

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
	b.dev.Changed()
	return x.out.String()
}

// Offers implements device.Streamer: files by SFTP.
func (b *box) Offers(service, arg string) bool { return service == "subsystem" && arg == "sftp" }
