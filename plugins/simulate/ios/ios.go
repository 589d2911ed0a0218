// Package ios simulates a Cisco IOS or IOS-XE device: running and startup
// configuration, a configuration archive, "configure replace" with its
// rollback timer, files on flash with SCP, and the VLAN file of a switch.
//
// It is written from Cisco's command references (Configuration Fundamentals,
// Configuration Replace and Configuration Rollback) and from recorded sessions
// (CSR1000v 16.12, Catalyst 9000), never from what a driver of ours sends. Where
// the wording of the device could not be confirmed the code says
// "unconfirmed", and a driver must not depend on it.
package ios

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// Variant chooses between the kinds of unit. The zero value is a router.
type Variant struct {
	Switch  bool     // has a VLAN file, in which VTP servers and clients keep their VLANs
	Stack   []string // serial numbers of further members
	NoTimer bool     // a release before rollback timers (12.4(15)T)
	// AutoInstall is what a unit without a startup configuration is given by
	// the network that it boots in; it runs that and does not save it. "": it
	// is given nothing and waits at its console.
	AutoInstall string
}

// Sample is a small branch router.
const Sample = `version 16.12
service timestamps debug datetime msec
service timestamps log datetime msec
!
hostname branch1
!
boot-start-marker
boot-end-marker
!
enable secret 9 $9$cfgvault$N0tARealHash
!
no aaa new-model
!
no ip domain lookup
ip domain name example.net
ip name-server 192.0.2.53
!
crypto pki trustpoint TP-self-signed-1
 enrollment selfsigned
 subject-name cn=IOS-Self-Signed-Certificate-1
 revocation-check none
 rsakeypair TP-self-signed-1
!
crypto pki certificate chain TP-self-signed-1
 certificate self-signed 01
  30820330 30820218 A0030201 02020101 300D0609 2A864886 F70D0101 05050030
  00010203
  	quit
!
archive
 path flash:archive
 maximum 5
!
username admin privilege 15 secret 9 $9$cfgvault$N0tARealHash
!
interface GigabitEthernet1
 description uplink
 ip address 192.0.2.10 255.255.255.0
 negotiation auto
!
interface GigabitEthernet2
 description lan
 ip address 198.51.100.1 255.255.255.0
 negotiation auto
!
interface Loopback0
 ip address 203.0.113.1 255.255.255.255
!
router ospf 1
 router-id 203.0.113.1
 network 198.51.100.0 0.0.0.255 area 0
!
ip forward-protocol nd
no ip http server
no ip http secure-server
ip scp server enable
ip ssh version 2
!
ip route 0.0.0.0 0.0.0.0 192.0.2.1
!
logging host 192.0.2.14
snmp-server community sample-community RO
!
banner login ^C
Authorised use only.
^C
!
line con 0
 stopbits 1
line vty 0 4
 login local
 transport input ssh
!
ntp server 192.0.2.123
end
`

// Bootstrap is what a person types at the console of a unit without a
// configuration so that it can be restored from afar: a login with privilege
// 15, SCP, and an archive, without which there is no rollback timer. $USER is
// the name of the login.
func Bootstrap() []string {
	return []string{"configure terminal", "username $USER privilege 15 secret 0 bootstrap", "ip scp server enable", "archive", "path flash:archive", "end"}
}

// box is the device.
type box struct {
	d       *device.Device
	v       Variant
	grammar *statements.Grammar
	order   *statements.Order

	model, version, serial string
	address                string // that the outside world dials; "" is any

	level     string // the feature sets that it has booted with, from "license boot level"
	run       *statements.Config
	start     string // nvram:startup-config, as a file; "" if there is none
	files     map[string][]byte
	changed   string // the line that tells of the last change
	exclusive *cli   // the login that holds "configure terminal lock"
	pending   *pending
	archived  int
}

// New makes a device that has booted with o.Config, in the form of a listing.
func New(o device.Options, v Variant) *device.Device {
	d := device.New(o)
	b := &box{d: d, v: v, model: "CSR1000V", version: "16.12.03", serial: "9FK0UZW73QE", files: map[string][]byte{}}
	if v.Switch {
		b.model, b.version, b.serial = "C9300-48T", "17.9.4", "FCW0000A001"
	}
	for line := range strings.Lines(o.Config) {
		if r, ok := strings.CutPrefix(strings.TrimSpace(line), "version "); ok {
			b.version = r
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
	if o.NoSerial {
		b.serial = ""
	}
	config := strings.ReplaceAll(o.Config, "^C", etx)
	b.grammar, b.order = dialect().Learn(config, o.Ports)
	b.files["packages.conf"] = []byte("#! simulated\n")
	if config != "" {
		c := b.grammar.Parse(config)
		b.setLicense(c)
		b.saveVLANs(c)
		b.start = b.file(c)
		b.address = management(c)
	}
	d.Install(b)
	return d
}

// setLicense writes the unit's identity into a configuration.
func (b *box) setLicense(c *statements.Config) {
	c.Top = slices.DeleteFunc(c.Top, func(s *statements.Statement) bool { return strings.HasPrefix(s.Text, "license udi ") })
	if text := b.license(); text != "" {
		c.Top = append(c.Top, &statements.Statement{Text: text, Key: text})
	}
}

func (b *box) license() string {
	if b.serial == "" {
		return ""
	}
	return "license udi pid " + b.model + " sn " + b.serial
}

// blank is the configuration of a unit that has none: its ports and identity.
func (b *box) blank() *statements.Config {
	host := "Router"
	if b.v.Switch {
		host = "Switch"
	}
	if b.d.Options().Hostname != "" {
		host = b.d.Options().Hostname
	}
	c := b.grammar.Parse("hostname " + host + "\n")
	b.setLicense(c)
	return c
}

// complete adds what exists whatever a file says: the ports, shut down on a
// router, and the identity.
func (b *box) complete(c *statements.Config) {
	for _, p := range b.grammar.Ports {
		if c.Find("interface "+p) == nil {
			e := b.grammar.Edit(c)
			e.Enter("interface " + p)
			if !b.v.Switch {
				e.Enter("no ip address")
				e.Enter("shutdown")
			}
		}
	}
	b.setLicense(c)
}

// Boot implements device.Box. A timer does not survive it.
func (b *box) Boot() {
	if b.pending != nil {
		b.pending.stop()
		b.pending = nil
	}
	b.exclusive, b.changed = nil, ""
	b.run = b.blank()
	switch {
	case b.start != "":
		b.run = b.grammar.Parse(b.start)
	case b.v.AutoInstall != "":
		b.run = b.grammar.Parse(b.v.AutoInstall)
	}
	b.loadVLANs(b.run)
	b.complete(b.run)
	b.level = ""
	if s := b.run.Find("license boot level"); s != nil {
		b.level = s.Text
	}
}

// licensed: encryption is part of a feature set that counts from the next boot
// on; without it the device does not know the words (Software Activation
// Configuration Guide).
func (b *box) licensed(words []string) bool {
	return len(words) < 2 || words[0] != "crypto" || words[1] != "isakmp" || strings.Contains(b.level, "security")
}

// FactoryReset implements device.Box: "write erase", and a new VLAN file.
func (b *box) FactoryReset() {
	b.start = ""
	delete(b.files, vlanFile)
}

// Banner implements device.Box.
func (b *box) Banner() string {
	s := b.run.Find("banner login")
	if s == nil {
		return ""
	}
	return strings.Join(s.Body, "\n") + "\n"
}

// Admits implements device.Box: a unit without users is reached at its
// console.
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

func management(c *statements.Config) string {
	for _, s := range c.Top {
		if strings.HasPrefix(s.Text, "interface ") {
			if a := statements.FindIn(s.Inner, "ip address"); a != nil && strings.HasPrefix(a.Text, "ip address 192.0.2.") {
				return a.Text
			}
		}
	}
	return ""
}

// Reachable implements device.Box: the address that is dialled is still one of
// the unit's own. A unit without any configuration is at its console.
func (b *box) Reachable() bool {
	if b.address == "" || management(b.run) == "" && b.start == "" {
		return true
	}
	for _, s := range b.run.Top {
		if !strings.HasPrefix(s.Text, "interface ") || statements.FindIn(s.Inner, "shutdown") != nil {
			continue
		}
		if a := statements.FindIn(s.Inner, "ip address"); a != nil && a.Text == b.address {
			return true
		}
	}
	return false
}

func (b *box) hostname() string {
	if s := b.run.Find("hostname"); s != nil {
		return strings.TrimPrefix(s.Text, "hostname ")
	}
	return "Router"
}

// file is a configuration as it lies in a file.
func (b *box) file(c *statements.Config) string {
	return "!\nversion " + release(b.version) + "\n" + "!\nboot-start-marker\nboot-end-marker\n!\n" + b.order.Render(b.shown(c))
}

// shown is a configuration without what IOS keeps elsewhere.
func (b *box) shown(c *statements.Config) *statements.Config {
	if !b.vlansElsewhere(c) {
		return c
	}
	out := &statements.Config{}
	for _, s := range c.Top {
		if !strings.HasPrefix(s.Text, "vlan ") {
			out.Top = append(out.Top, s)
		}
	}
	return out
}

// release is "16.12" for 16.12.03 and "15.7" for 15.7(3)M2.
func release(version string) string {
	f := strings.FieldsFunc(version, func(r rune) bool { return r == '.' || r == '(' })
	return strings.Join(f[:min(2, len(f))], ".")
}

// Running implements device.Box.
func (b *box) Running() string {
	body := ""
	if b.changed != "" {
		body = "!\n" + b.changed + "\n"
	}
	body += b.file(b.run)
	return fmt.Sprintf("Building configuration...\n\nCurrent configuration : %d bytes\n%s\n", len(body), listed(body))
}

// Startup implements device.Box.
func (b *box) Startup() string {
	if b.start == "" {
		return ""
	}
	return fmt.Sprintf("Using %d out of 33554432 bytes\n%s\n", len(b.start), listed(b.start))
}

// listed is a file as a terminal shows it.
func listed(file string) string { return strings.ReplaceAll(file, etx, "^C") }

// touch notes a change of the running configuration.
func (b *box) touch(user string) {
	b.changed = "! Last configuration change at " + b.d.Clock().Now().UTC().Format("15:04:05 UTC Mon Jan 2 2006") + " by " + user
}

func (b *box) save() {
	b.start = b.file(b.run)
	b.saveVLANs(b.run)
}

// vlanFile is where a switch keeps the VLANs of VTP.
const vlanFile = "vlan.dat"

// vlansElsewhere: VTP servers and clients, which switches are by default, keep
// their VLANs in the VLAN file alone.
func (b *box) vlansElsewhere(c *statements.Config) bool {
	if !b.v.Switch {
		return false
	}
	for _, s := range c.Top {
		if s.Text == "vtp mode transparent" || s.Text == "vtp mode off" {
			return false
		}
	}
	return true
}

func (b *box) saveVLANs(c *statements.Config) {
	if !b.v.Switch {
		return
	}
	out := "\x01\x02\x03\x04vlan.dat\x00"
	for _, s := range c.Top {
		if strings.HasPrefix(s.Text, "vlan ") {
			out += s.Text + "\n"
			for _, k := range s.Inner {
				out += " " + k.Text + "\n"
			}
		}
	}
	b.files[vlanFile] = []byte(out)
}

func (b *box) loadVLANs(c *statements.Config) {
	data, ok := b.files[vlanFile]
	if !ok || !b.vlansElsewhere(c) {
		return
	}
	_, text, _ := strings.Cut(string(data), "\x00")
	c.Top = append(c.Top, b.grammar.Parse(text).Top...)
}

// path is the name of a file below flash.
func path(name string) (string, bool) {
	for _, p := range []string{"flash:/", "flash:", "bootflash:/", "bootflash:"} {
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
	return b.read(name)
}

func (b *box) read(name string) ([]byte, error) {
	switch name {
	case "system:running-config", "running-config":
		return []byte(b.file(b.run)), nil
	case "nvram:startup-config", "startup-config", "nvram:/startup-config":
		if b.start == "" {
			return nil, fs.ErrNotExist
		}
		return []byte(b.start), nil
	}
	n, ok := path(name)
	data, have := b.files[n]
	if !ok || !have {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

// WriteFile implements device.Files. A new VLAN file counts from the next
// boot on.
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

// Offers implements device.Streamer: SCP, where it is switched on.
func (b *box) Offers(service, arg string) bool {
	b.d.Lock()
	defer b.d.Unlock()
	return service == "exec" && strings.HasPrefix(arg, "scp ") && b.run.Find("ip scp server enable") != nil
}

// Stream implements device.Streamer. Only a login that begins with privilege
// 15 may copy.
func (b *box) Stream(p *device.Process) int {
	if !b.privileged(p.User) {
		fmt.Fprint(p.Out, "\x01Privilege denied.\n")
		return 1
	}
	return p.SCP(b)
}

// privileged: the login begins with privilege 15.
func (b *box) privileged(user string) bool {
	if b.d.Options().Privileged {
		return true
	}
	b.d.Lock()
	defer b.d.Unlock()
	s := b.run.Find("username " + user)
	return s != nil && strings.Contains(s.Text, " privilege 15 ")
}

func (b *box) names() []string { return slices.Sorted(maps.Keys(b.files)) }

// pending is a change that is rolled back unless it is confirmed.
type pending struct {
	before  *statements.Config
	user    string
	minutes int
	ends    time.Time
	stop    func()
}
