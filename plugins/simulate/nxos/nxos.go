// Package nxos simulates a Cisco Nexus switch: running and startup
// configuration, files on bootflash with SCP, and "configure replace" with its
// commit timeout.
//
// It is written from Cisco's Nexus 9000 fundamentals and system management
// guides and from recorded sessions (N9Kv 9.2 and 9.3), never from what a driver
// of ours sends. What the switch says when a timeout is armed, when it runs out
// and when there is nothing to commit is recorded nowhere: the code says
// "unconfirmed" there, and a driver must not depend on it.
package nxos

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// Sample is a small leaf switch.
const Sample = `version 9.3(8) Bios:version 07.69
hostname leaf1

feature bgp
feature scp-server
no feature telnet

no password strength-check
username admin password 5 $5$cfgvault$N0tARealHash  role network-admin
ip domain-lookup
ip domain-name example.net
copp profile strict
snmp-server community sample-community group network-operator
ntp server 192.0.2.123 use-vrf management

vlan 1,10,20
vlan 10
  name users

vrf context management
  ip route 0.0.0.0/0 192.0.2.1

interface Ethernet1/1
  description uplink
  no switchport
  ip address 198.51.100.1/31
  no shutdown

interface Ethernet1/2
  switchport access vlan 10

interface Ethernet1/3

interface mgmt0
  vrf member management
  ip address 192.0.2.10/24

interface loopback0
  ip address 203.0.113.1/32
line console
line vty
boot nxos bootflash:/nxos.9.3.8.bin
router bgp 65001
  router-id 203.0.113.1
  address-family ipv4 unicast
    network 203.0.113.1/32
  neighbor 198.51.100.0
    remote-as 65000
    address-family ipv4 unicast
banner motd @
Authorised use only.
@
`

// Bootstrap is what a person types at the console of a unit without a
// configuration so that it can be restored from afar: SCP.
func Bootstrap() []string { return []string{"configure terminal", "feature scp-server", "end"} }

type box struct {
	d       *device.Device
	grammar *statements.Grammar
	order   *statements.Order

	model, version, serial string
	address                string

	run     *statements.Config
	start   *statements.Config // nil: there is none
	files   map[string][]byte
	done    string // when the running configuration was last changed
	pending *pending
	log     string // of the last configure replace
}

// pending is a replacement that is undone unless it is committed.
type pending struct {
	before *statements.Config
	stop   func()
}

// New makes a switch that has booted with o.Config.
func New(o device.Options) *device.Device {
	d := device.New(o)
	b := &box{d: d, model: "N9K-C93180YC-EX", version: "9.3(8)", serial: "FDO00000001", files: map[string][]byte{"nxos.9.3.8.bin": []byte("image")}}
	for line := range strings.Lines(o.Config) {
		if r, ok := strings.CutPrefix(strings.TrimSpace(line), "version "); ok {
			b.version, _, _ = strings.Cut(r, " ")
		}
	}
	if o.Model != "" {
		b.model = o.Model
	}
	if o.Version != "" {
		b.version = o.Version
	}
	if o.Serial != "" {
		b.serial = o.Serial
	}
	b.grammar, b.order = dialect().Learn(o.Config, o.Ports)
	if o.Config != "" {
		b.start = b.grammar.Parse(o.Config)
		b.address = management(b.start)
	}
	d.Install(b)
	return d
}

func management(c *statements.Config) string {
	if s := c.Find("interface mgmt0"); s != nil {
		if a := statements.FindIn(s.Inner, "ip address"); a != nil {
			return a.Text
		}
	}
	return ""
}

// complete adds what exists whatever a file says.
func (b *box) complete(c *statements.Config) {
	for _, p := range b.grammar.Ports {
		if c.Find("interface "+p) == nil {
			b.grammar.Edit(c).Enter("interface " + p)
		}
	}
	for _, l := range []string{"line console", "line vty"} {
		if c.Find(l) == nil {
			b.grammar.Edit(c).Enter(l)
		}
	}
}

// Boot implements device.Box. A commit timeout does not survive it.
func (b *box) Boot() {
	if b.pending != nil {
		b.pending.stop()
		b.pending = nil
	}
	b.done, b.log = "", ""
	if b.start != nil {
		b.run = b.start.Clone()
	} else {
		b.run = b.grammar.Parse("hostname switch\nip domain-lookup\ncopp profile strict\nvlan 1\nvrf context management\n")
	}
	b.complete(b.run)
}

// FactoryReset implements device.Box.
func (b *box) FactoryReset() { b.start = nil }

// Banner implements device.Box: nothing stands before a login over SSH.
func (b *box) Banner() string { return "" }

// Admits implements device.Box. A switch without users is at its console.
func (b *box) Admits(user string) bool {
	kept := false
	for _, s := range b.run.Top {
		if w := strings.Fields(s.Text); w[0] == "username" {
			kept = true
			if w[1] == user {
				return true
			}
		}
	}
	return !kept
}

// Reachable implements device.Box.
func (b *box) Reachable() bool {
	return b.address == "" || b.start == nil && management(b.run) == "" || management(b.run) == b.address
}

func (b *box) hostname() string {
	if s := b.run.Find("hostname"); s != nil {
		return strings.TrimPrefix(s.Text, "hostname ")
	}
	return "switch"
}

func (b *box) text(command string, c *statements.Config) string {
	changed := "!No configuration change since last restart\n"
	if b.done != "" {
		changed = "!Running configuration last done at: " + b.done + "\n"
	}
	return "\n!Command: " + command + "\n" + changed + "!Time: " + b.now() + "\n\nversion " + b.version + " Bios:version 07.69 \n" + b.order.Render(c) + "\n"
}

func (b *box) now() string { return b.d.Clock().Now().UTC().Format("Mon Jan _2 15:04:05 2006") }

// Running implements device.Box.
func (b *box) Running() string { return b.text("show running-config", b.run) }

// Startup implements device.Box.
func (b *box) Startup() string {
	if b.start == nil {
		return ""
	}
	return b.text("show startup-config", b.start)
}

func path(name string) (string, bool) {
	for _, p := range []string{"bootflash:///", "bootflash:/", "bootflash:"} {
		if n, ok := strings.CutPrefix(name, p); ok {
			return n, n != ""
		}
	}
	return name, !strings.Contains(name, ":")
}

// ReadFile implements device.Files.
func (b *box) ReadFile(name string) ([]byte, error) {
	b.d.Lock()
	defer b.d.Unlock()
	n, ok := path(name)
	data, have := b.files[n]
	if !ok || !have {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

// WriteFile implements device.Files.
func (b *box) WriteFile(name string, data []byte) error {
	n, ok := path(name)
	if !ok {
		return fs.ErrPermission
	}
	b.d.Lock()
	defer b.d.Unlock()
	b.files[n] = slices.Clone(data)
	return nil
}

// Offers implements device.Streamer: SCP, where the feature is on.
func (b *box) Offers(service, arg string) bool {
	b.d.Lock()
	defer b.d.Unlock()
	return service == "exec" && strings.HasPrefix(arg, "scp ") && b.run.Find("feature scp-server") != nil
}

// Stream implements device.Streamer.
func (b *box) Stream(p *device.Process) int { return p.SCP(b) }

func (b *box) names() []string { return slices.Sorted(maps.Keys(b.files)) }

// timed reports a release whose configure replace has a timeout.
func (b *box) timed() bool {
	major, rest, _ := strings.Cut(b.version, ".")
	minor, _, _ := strings.Cut(rest, "(")
	x, err1 := strconv.Atoi(major)
	y, err2 := strconv.Atoi(minor)
	return err1 == nil && err2 == nil && (x > 9 || x == 9 && y >= 3)
}

const advisory = `ADVISORY: Config Replace operation started...
Modifying running configuration from another VSH terminal in parallel
is not recommended, as this may lead to Config Replace failure.

Collecting Running-Config
`

// parse makes a file's configuration and lists the lines that NX-OS does not
// take.
func (b *box) parse(text string) (c *statements.Config, failed []string) {
	c = &statements.Config{}
	e := b.grammar.Edit(c)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if e.Enter(line) != "" {
			failed = append(failed, strings.TrimSpace(line))
		}
	}
	if in, _ := e.InText(); in {
		failed = append(failed, "banner")
	}
	b.complete(c)
	return c, failed
}

// patch are the commands that turn one configuration into another.
func (b *box) patch(from, to []*statements.Statement) []string {
	var out []string
	for _, s := range from {
		if statements.FindIn(to, s.Key) == nil {
			out = append(out, "no "+s.Text)
		}
	}
	for _, s := range to {
		had := statements.FindIn(from, s.Key)
		switch {
		case had == nil, had.Text != s.Text, !slices.Equal(had.Body, s.Body):
			out = append(out, strings.Split(strings.TrimRight(b.order.One(s, ""), "\n"), "\n")...)
		default:
			if inner := b.patch(had.Inner, s.Inner); len(inner) > 0 {
				out = append(append(out, s.Text), inner...)
			}
		}
	}
	return out
}

// verify is "configure replace FILE verify-only". It looks at each command out
// of its context, so that what it says of syntax means nothing.
func (b *box) verify(text string) string {
	c, failed := b.parse(text)
	patch := b.patch(b.run.Top, c.Top)
	out := advisory + "Converting to checkpoint file\nGenerating Rollback Patch\n"
	if len(patch) == 0 && len(failed) == 0 {
		return out + "Rollback Patch is Empty\n"
	}
	out += "\nValidating Patch\n================================================\n"
	for _, l := range patch {
		out += "`" + l + "`\n"
	}
	for _, l := range failed { // and yet it says that it validates
		out += "`" + l + "`\nSyntax error while parsing '" + l + "'\n"
	}
	return out + "================================================\nPatch validation completed successful\n"
}

// replace makes a file the running configuration, all or nothing.
func (b *box) replace(text string, timeout int) string {
	c, failed := b.parse(text)
	out := advisory + "Generating Rollback patch for switch profile\nRollback Patch is Empty\nCollecting Running-Config\nGenerating Rollback Patch\n"
	if len(failed) > 0 {
		b.log = "Rollback Status      : Failed\n"
		for _, l := range failed {
			out += "Syntax error while parsing '" + l + "'\n"
		}
		return out + "Executing Rollback Patch\nERROR: Config replace failed\nRolling back to previous configuration is successful\n" // first line unconfirmed
	}
	if len(b.patch(b.run.Top, c.Top)) == 0 {
		out += "Rollback Patch is Empty\n"
	} else {
		out += "Executing Rollback Patch\nDuring CR operation,will retain L3 configuration\nwhen vrf member change on interface\n"
	}
	before := b.run
	b.run = c
	b.done = b.now()
	b.log = "Rollback Status      : Success\n"
	if timeout > 0 {
		b.pending = &pending{before: before}
		b.pending.stop = b.d.After(seconds(timeout), b.abort)
	}
	b.d.Changed()
	return out + "Generating Running-config for verification\nGenerating Rollback Patch\n\nConfigure replace completed successfully. Please run 'show config-replace log exec' to see if there is any configuration that requires reload to take effect.\n\n"
}

// abort puts back what ran before the pending replacement.
func (b *box) abort() {
	p := b.pending
	if p == nil {
		return
	}
	p.stop()
	b.pending = nil
	b.run = p.before
	b.done = b.now()
	b.d.Changed()
}

func (b *box) commit() string {
	if b.pending == nil {
		return "ERROR: No config replace operation is pending\n" // unconfirmed
	}
	b.pending.stop()
	b.pending = nil
	return "" // unconfirmed
}

func (b *box) dir() string {
	out := ""
	for _, n := range b.names() {
		out += fmt.Sprintf("    %10d    Nov 23 02:00:00 2026  %s\n", len(b.files[n]), n)
	}
	return out + "\nUsage for bootflash://sup-local\n 3142492160 bytes used\n"
}
