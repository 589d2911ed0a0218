// Package vyos is a simulated VyOS router: its shell with the commands of VyOS
// in it, a candidate for each login, commit-confirm with both of its actions,
// the saved configuration with its footer, and the files below /config.
//
// Sources: VyOS documentation and source of 1.4 (sagitta) and of 1.5, a
// dialogue recorded on 1.4.3. Of the shell it knows what its own commands are
// used with, not a language. Unconfirmed: the exact form of compare, and what a
// load says of a path that the release does not know.
package vyos

import (
	"slices"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// Footer ends a saved configuration of 1.4.3.
const Footer = `

// Warning: Do not remove the following line.
// vyos-config-version: "bgp@5:conntrack@5:firewall@15:interfaces@32:ntp@3:quagga@11:ssh@2:system@27"
// Release version: 1.4.3
`

// Sample is the saved configuration of a small router.
const Sample = `interfaces {
    ethernet eth0 {
        address 192.0.2.10/24
        description "management; not for traffic"
        hw-id 02:00:00:00:00:01
    }
    ethernet eth1 {
        address 198.51.100.1/30
        hw-id 02:00:00:00:00:02
        mtu 9000
        vif 10 {
            address 10.10.0.1/24
            description customers
        }
    }
    loopback lo {
        address 192.0.2.1/32
    }
}
protocols {
    bgp {
        neighbor 198.51.100.2 {
            password peerCanaryKey
            remote-as 65000
        }
        system-as 65001
    }
    static {
        route 0.0.0.0/0 {
            next-hop 192.0.2.254 {
            }
        }
    }
}
service {
    ntp {
        server time1.example.net {
        }
    }
    snmp {
        community communityCanary {
            authorization ro
        }
    }
    ssh {
        port 22
    }
}
system {
    config-management {
        commit-revisions 100
    }
    host-name edge1
    login {
        user vyos {
            authentication {
                encrypted-password $6$cfgvault$hashCanary1
                plaintext-password ""
            }
        }
    }
    name-server 192.0.2.53
    syslog {
        global {
            facility all {
                level info
            }
        }
    }
}
` + Footer

// shipped is config.boot.default.
const shipped = `interfaces {
    loopback lo {
    }
}
service {
    ntp {
        server time1.vyos.net {
        }
    }
    ssh {
    }
}
system {
    config-management {
        commit-revisions 100
    }
    host-name vyos
    login {
        user vyos {
            authentication {
                encrypted-password $6$QxPS.uk6mfo$9QBSo8u1FkH16gMyAVhus6fU3LOzvLR9Z9.82m3tiHFAxTtIkhaZSWssSgzt4v4dGAL8rhVQxTg0oAG9/q11h/
                plaintext-password ""
            }
        }
    }
    syslog {
        global {
            facility all {
                level info
            }
        }
    }
}
` + Footer

const (
	bootFile    = "/config/config.boot"
	defaultFile = "/opt/vyatta/etc/config.boot.default"
)

// Variant is what differs between releases.
type Variant struct {
	Old bool // 1.3: no commit-confirm without revisions, other texts
}

// vyos is the inside of the device.
type vyos struct {
	d *device.Device
	g grammar
	v Variant

	serial, version string
	address         string // that the outside world dials; "" is any

	files map[string]string
	times map[string]time.Time
	run   *node
	prior *node  // what ran before the commit that waits
	stop  func() // of the timer; nil: none runs
}

// New makes a router that has booted with o.Config.
func New(o device.Options, v Variant) *device.Device {
	if o.User == "" {
		o.User = "vyos"
	}
	d := device.New(o)
	y := &vyos{d: d, g: grammar{}, v: v, serial: o.Serial, version: o.Version, files: map[string]string{}, times: map[string]time.Time{}}
	for _, text := range []string{Sample, shipped, o.Config} {
		n, _, _ := grammar(nil).parse(text)
		y.g.learn(n, "", 0)
	}
	for _, w := range []string{"nat", "nat/source", "policy", "policy/prefix-list", "vrf", "vrf/name", "firewall", "firewall/ipv4", "interfaces/bonding", "interfaces/bridge", "interfaces/dummy", "system/domain-name", "system/time-zone", "protocols/ospf"} {
		y.g[w] = true
	}
	if y.serial == "" {
		y.serial = "VY0000000001"
	}
	if y.version == "" {
		if y.version = "1.4.3"; v.Old {
			y.version = "1.3.8"
		}
	}
	y.files[defaultFile] = shipped
	y.files["/config/scripts/vyos-postconfig-bootup.script"] = "#!/bin/sh\n# runs after boot\n"
	if o.Config != "" {
		y.files[bootFile] = o.Config
	} else {
		y.files[bootFile] = shipped
	}
	boot, _, _ := grammar(nil).parse(y.files[bootFile])
	if e := boot.at("interfaces", "ethernet eth0"); e != nil && o.Config != "" {
		y.address = e.leaf("address")
	}
	d.Install(y)
	return d
}

// Boot runs whatever config.boot holds, or the shipped configuration.
func (y *vyos) Boot() {
	y.halt()
	text, ok := y.files[bootFile]
	if !ok {
		text = shipped
	}
	y.run = y.migrated(text)
}

// Upgrade boots another release, whose migration scripts bring the saved
// configuration to its own syntax.
func Upgrade(d *device.Device, version string) {
	d.Lock()
	defer d.Unlock()
	y := d.Box().(*vyos)
	y.version, y.v.Old = version, false
	delete(y.g, "system/ntp")
	y.run = y.migrated(y.files[bootFile])
	y.save()
	d.Reboot()
}

// migrated parses a configuration and brings it to the release's syntax: of all
// migration scripts of VyOS only ntp/1-to-2, which moves "system ntp" to
// "service ntp". What version a text has its footer says.
func (y *vyos) migrated(text string) *node {
	n, _, _ := grammar(nil).parse(text)
	system := n.find("system")
	if strings.HasPrefix(y.version, "1.3") || !strings.Contains(text, "ntp@1:") || system.at("ntp") == nil {
		return n
	}
	ntp := system.find("ntp")
	system.inner = slices.DeleteFunc(system.inner, func(k *node) bool { return k == ntp })
	service := n.find("service")
	if service == nil {
		service = &node{text: "service", block: true}
		n.inner = append(n.inner, service)
	}
	service.inner = append(service.inner, ntp)
	slices.SortFunc(service.inner, func(a, b *node) int { return strings.Compare(a.text, b.text) })
	slices.SortFunc(n.inner, func(a, b *node) int { return strings.Compare(a.text, b.text) })
	return n
}

// footer says which version of each component's syntax a saved configuration has.
func (y *vyos) footer() string {
	f := strings.Replace(Footer, "1.4.3", y.version, 1)
	if strings.HasPrefix(y.version, "1.3") {
		f = strings.Replace(f, "ntp@3:", "ntp@1:", 1)
	}
	return f
}

func (y *vyos) halt() {
	if y.stop != nil {
		y.stop()
		y.stop = nil
	}
	y.prior = nil
}

// FactoryReset is what a technician does: the shipped configuration is saved.
func (y *vyos) FactoryReset() { y.files[bootFile] = shipped }

func (y *vyos) hostname() string {
	if h := y.run.at("system").leaf("host-name"); h != "" {
		return h
	}
	return "vyos"
}

func (y *vyos) Banner() string { return "Welcome to VyOS!\n" }

func (y *vyos) Admits(user string) bool {
	return y.run.at("system", "login", "user "+user) != nil
}

// Reachable: the address that is dialled is still the router's own. One
// without any address is reached by its console.
func (y *vyos) Reachable() bool {
	if y.run.at("service", "ssh") == nil {
		return false
	}
	e := y.run.at("interfaces", "ethernet eth0")
	return y.address == "" || e == nil || e.find("address "+y.address) != nil
}

func (y *vyos) Running() string { return y.run.String() }
func (y *vyos) Startup() string { return y.files[bootFile] }

// save writes the running configuration with the footer of the release.
func (y *vyos) save() {
	y.files[bootFile] = y.run.String() + y.footer()
	y.times[bootFile] = y.d.Clock().Now()
}
