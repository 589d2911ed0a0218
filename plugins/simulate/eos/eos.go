// Package eos simulates an Arista EOS switch: running and startup
// configuration, configuration sessions with their commit timer, and Zero
// Touch Provisioning.
//
// It is written from the EOS User Manual and from recorded sessions (vEOS
// 4.22, cEOS 4.35), never from what a driver of ours sends. Where the wording
// of the switch could not be confirmed the code says "unconfirmed", and a
// driver must not depend on it.
package eos

import (
	"fmt"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// Variant chooses between the forms that releases have, or may have. The zero
// value is the newest recorded.
type Variant struct {
	Layout  Layout  // of the list of sessions
	Expired Expired // what becomes of a session whose timer ran out
}

// Layout chooses between the recorded forms of the list of sessions.
type Layout string

// The layouts.
const (
	LayoutNew Layout = ""    // EOS 4.35: the armed session named above the table
	LayoutOld Layout = "old" // EOS 4.2x: a "Commit Time Left" column
)

// Expired says what a configuration session looks like after its timer put
// the old configuration back. No recording shows it, so there is a choice.
type Expired string

// What an expired session looks like.
const (
	ExpiredAborted Expired = ""     // listed as aborted
	ExpiredGone    Expired = "gone" // not listed any more
)

// Sample is a small leaf switch.
const Sample = `! Command: show running-config
! device: leaf1 (DCS-7050SX3-48YC8, EOS-4.29.2F)
!
! boot system flash:/EOS.swi
!
no aaa root
!
username admin privilege 15 role network-admin secret sha512 $6$cfgvault$N0tARealHashN0tARealHash
!
transceiver qsfp default-mode 4x10G
!
service routing protocols model multi-agent
!
hostname leaf1
!
ip name-server vrf default 192.0.2.53
dns domain example.net
!
ntp server 192.0.2.123
!
snmp-server community sample-community ro
!
spanning-tree mode mstp
!
vlan 10
   name users
!
vlan 20
   name voice
!
interface Ethernet1
   description uplink to spine1
   no switchport
   ip address 198.51.100.1/31
!
interface Ethernet2
   switchport access vlan 10
!
interface Ethernet3
   switchport mode trunk
   switchport trunk allowed vlan 10,20
!
interface Ethernet4
!
interface Loopback0
   ip address 203.0.113.1/32
!
interface Management1
   ip address 192.0.2.10/24
!
ip routing
!
ip route 0.0.0.0/0 192.0.2.1
!
router bgp 65001
   router-id 203.0.113.1
   neighbor 198.51.100.0 remote-as 65000
   neighbor 198.51.100.0 description spine1
   network 203.0.113.1/32
!
banner login
Authorised use only.
EOF
!
management api http-commands
   no shutdown
!
end
`

// eos is an Arista EOS switch.
type eos struct {
	d       *device.Device
	v       Variant
	grammar *statements.Grammar
	order   *statements.Order
	clean   *statements.Config // what "rollback clean-config" leaves

	model, serial, mac, version, image string
	address                            string // management address that the outside world dials; "" is any

	run         *statements.Config
	start       *statements.Config // nil: there is no startup configuration
	startTime   time.Time
	startUser   string
	zeroTouch   bool // Running in Zero Touch Provisioning mode
	ztpDisabled bool // flash:zerotouch-config
	bootTime    time.Time
	lock        string // who holds "configure lock"

	sessions    []*session
	unnamed     int
	timer       *timer
	checkpoints []string
}

// New makes an Arista EOS switch that has booted with o.Config. What o leaves
// empty is taken from the "! device:" line of the configuration.
func New(o device.Options, v Variant) *device.Device {
	d := device.New(o)
	e := &eos{d: d, v: v, model: "DCS-7050SX3-48YC8", version: "4.29.2F", serial: o.Serial, mac: o.MAC, image: "! boot system flash:/EOS.swi"}
	e.grammar, e.order = dialect().Learn(o.Config, o.Ports)
	for line := range strings.Lines(o.Config) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "! device: "); ok {
			_, rest, _ = strings.Cut(rest, " (")
			model, version, _ := strings.Cut(strings.TrimSuffix(rest, ")"), ", EOS-")
			e.model, e.version, e.image = model, version, ""
		}
		if strings.HasPrefix(line, "! boot system ") {
			e.image = line
		}
	}
	if o.Model != "" {
		e.model = o.Model
	}
	if o.Version != "" {
		e.version = o.Version
	}
	if e.serial == "" {
		e.serial = "SSJ00000001"
	}
	if o.NoSerial {
		e.serial = ""
	}
	if e.mac == "" {
		e.mac = "00:1c:73:00:00:01"
	}
	e.makeClean(o)
	if o.Config != "" {
		e.start = e.grammar.Parse(o.Config)
		e.startTime, e.startUser = d.Clock().Now(), d.Options().User
		e.address = managementAddress(e.start)
	}
	d.Install(e)
	return d
}

// makeClean builds the configuration without settings: the ports, and the
// defaults that this release shows. A configuration that shows a default in
// either form comes from a release that always does.
func (e *eos) makeClean(o device.Options) {
	var b strings.Builder
	sample := e.grammar.Parse(o.Config)
	for _, s := range []string{"no aaa root", "transceiver qsfp default-mode 4x10G", "spanning-tree mode mstp", "no ip routing"} {
		one := e.grammar.Parse(s)
		if o.Config == "" || sample.Find(one.Top[0].Key) != nil {
			b.WriteString(s + "\n")
		}
	}
	for _, p := range e.grammar.Ports {
		b.WriteString("interface " + p + "\n")
	}
	if o.Hostname != "" && o.Config == "" {
		b.WriteString("hostname " + o.Hostname + "\n")
	}
	e.clean = e.grammar.Parse(b.String())
}

// zeroTouchBanner is the login banner of a unit that was never set up.
const zeroTouchBanner = `No startup-config was found.
The device is in Zero Touch Provisioning mode and is attempting to
download the startup-config from a remote system. The device will not
be fully functional until either a valid startup-config is downloaded
from a remote system or Zero Touch Provisioning is cancelled.
To cancel Zero Touch Provisioning, login as admin and type
'zerotouch cancel' at the CLI. Alternatively, to disable Zero Touch
Provisioning permanently, type 'zerotouch disable' at the CLI.
Note: The device will reload when these commands are issued.
`

// Boot comes up: sessions and timers do not survive, startup becomes running.
func (e *eos) Boot() {
	if e.timer != nil {
		e.timer.stop()
		e.timer = nil
	}
	e.sessions, e.lock = nil, ""
	e.bootTime = e.d.Clock().Now()
	e.zeroTouch = e.start == nil && !e.ztpDisabled
	if e.start != nil {
		e.run = e.start.Clone()
		// Ports and the defaults that are always shown exist whatever the file says.
		for _, s := range e.clean.Clone().Top {
			if e.run.Find(s.Key) == nil {
				e.run.Top = append(e.run.Top, s)
			}
		}
		return
	}
	e.run = e.clean.Clone()
	if !e.zeroTouch {
		return
	}
	ed := e.grammar.Edit(e.run)
	for _, p := range e.grammar.Ports {
		ed.Enter("interface " + p)
		if strings.HasPrefix(p, "Management") {
			ed.Enter("ip address dhcp")
		} else {
			ed.Enter("no switchport")
		}
		ed.Enter("ipv6 enable")
		ed.Enter("ipv6 address auto-config")
		ed.Enter("ipv6 nd ra rx accept default-route")
	}
	ed.Enter("logging console informational")
	ed.Enter("logging level ZTP informational")
	ed.Enter("banner login")
	for line := range strings.Lines(zeroTouchBanner + "EOF\n") {
		ed.Enter(strings.TrimSuffix(line, "\n"))
	}
}

func (e *eos) FactoryReset() {
	e.start = nil
	e.ztpDisabled = false
}

func (e *eos) hostname() string {
	if s := e.run.Find("hostname"); s != nil {
		return strings.TrimPrefix(s.Text, "hostname ")
	}
	return "localhost"
}

func (e *eos) Banner() string {
	s := e.run.Find("banner login")
	if s == nil {
		return ""
	}
	return strings.Join(s.Body[:len(s.Body)-1], "\n") + "\n"
}

// Admits: without any user in the configuration (a unit in Zero Touch
// Provisioning mode, or users kept by an AAA server) the login is not checked
// here.
func (e *eos) Admits(user string) bool {
	kept := false
	for _, s := range e.run.Top {
		if w := strings.Fields(s.Text); w[0] == "username" {
			kept = true
			if w[1] == user {
				return true
			}
		}
	}
	return !kept
}

func managementAddress(c *statements.Config) string {
	for _, s := range c.Top {
		if strings.HasPrefix(s.Text, "interface Management") {
			if a := statements.FindIn(s.Inner, "ip address"); a != nil {
				return a.Text
			}
		}
	}
	return ""
}

// Reachable: the address that is dialled is still one of the unit's own, or
// comes from DHCP, where the unit keeps it by reservation.
func (e *eos) Reachable() bool {
	if s := e.run.Find("management ssh"); s != nil {
		if down := statements.FindIn(s.Inner, "shutdown"); down != nil && down.Text == "shutdown" {
			return false
		}
	}
	if e.address == "" {
		return true
	}
	for _, s := range e.run.Top {
		if !strings.HasPrefix(s.Text, "interface Management") || statements.FindIn(s.Inner, "shutdown") != nil {
			continue
		}
		if a := statements.FindIn(s.Inner, "ip address"); a != nil && (a.Text == e.address || a.Text == "ip address dhcp") {
			return true
		}
	}
	return false
}

func (e *eos) Running() string {
	return "! Command: show running-config\n" + e.head() + e.order.Render(e.run)
}

func (e *eos) Startup() string {
	if e.start == nil {
		return ""
	}
	return fmt.Sprintf("! Command: show startup-config\n! Startup-config last modified at  %s by %s\n",
		e.startTime.UTC().Format(time.ANSIC), e.startUser) + e.head() + e.order.Render(e.start)
}

func (e *eos) head() string {
	h := fmt.Sprintf("! device: %s (%s, EOS-%s)\n!\n", e.hostname(), e.model, e.version)
	if e.image != "" {
		h += e.image + "\n!\n"
	}
	return h
}

// save copies running to startup.
func (e *eos) save(user string) {
	e.start = e.run.Clone()
	e.startTime, e.startUser = e.d.Clock().Now(), user
}

// LoginPrompt is what Telnet and the console ask.
func (e *eos) LoginPrompt() string { return e.hostname() + " login: " }
