// Package junos is a simulated Juniper unit with the command line of Junos:
// one candidate that users share, private copies and the exclusive lock,
// confirmed commits with their timer, the list of commits, files in the home
// folder, and the errors of a load and of a check in the platform's own words.
//
// Sources: recorded sessions of vSRX 17.3, cJunosEvolved 26.2, vJunos-switch
// 23.2 and vQFX, Juniper's CLI reference and User Guide. Unconfirmed: the exact
// form of a syntax error in a load, the wording of file list and save, the
// question on leaving an exclusive edit, and that a unit which reboots while a
// commit waits for its confirmation comes up with the configuration before it.
package junos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// Sample is the configuration of a small router.
const Sample = `## Last commit: 2026-11-22 20:15:03 UTC by admin
version 23.2R1.14;
system {
    host-name edge1;
    root-authentication {
        encrypted-password "$6$cfgvault$hashCanaryRoot"; ## SECRET-DATA
    }
    login {
        message "Authorized users only.\nEverything is logged.";
        user admin {
            uid 2000;
            class super-user;
            authentication {
                encrypted-password "$6$cfgvault$hashCanaryAdmin"; ## SECRET-DATA
            }
        }
    }
    services {
        netconf {
            ssh;
        }
        ssh {
            root-login deny;
        }
    }
    time-zone UTC;
    name-server {
        192.0.2.53;
        192.0.2.54;
    }
    syslog {
        host 192.0.2.50 {
            any notice;
        }
        file messages {
            any notice;
            authorization info;
        }
    }
    ntp {
        server 192.0.2.123 prefer;
    }
}
interfaces {
    ge-0/0/0 {
        description "uplink to core1";
        mtu 9192;
        unit 0 {
            family inet {
                address 198.51.100.1/31;
            }
            family inet6 {
                address 2001:db8:1::1/64;
            }
        }
    }
    ge-0/0/1 {
        description customers;
        vlan-tagging;
        unit 10 {
            vlan-id 10;
            family inet {
                address 10.10.0.1/24;
            }
        }
        inactive: unit 20 {
            vlan-id 20;
        }
    }
    fxp0 {
        unit 0 {
            family inet {
                address 192.0.2.10/24;
            }
        }
    }
    lo0 {
        unit 0 {
            family inet {
                address 192.0.2.1/32;
            }
        }
    }
}
snmp {
    community communityCanary {
        authorization read-only;
    }
}
policy-options {
    /* everything that is ours */
    policy-statement OURS {
        term own {
            from protocol direct;
            then accept;
        }
    }
}
routing-options {
    router-id 192.0.2.1;
    autonomous-system 65001;
    static {
        route 0.0.0.0/0 next-hop 192.0.2.254;
    }
}
protocols {
    bgp {
        group CORE {
            type external;
            export OURS;
            peer-as 65000;
            neighbor 198.51.100.0 {
                authentication-key "$9$peerCanaryKey"; ## SECRET-DATA
            }
        }
    }
    lldp {
        interface all;
    }
}
`

// factory is what a unit runs as it leaves the factory.
const factory = `system {
    commit {
        factory-settings {
            reset-virtual-chassis-configuration;
        }
    }
    syslog {
        user * {
            any emergency;
        }
        file messages {
            any notice;
            authorization info;
        }
        file interactive-commands {
            interactive-commands any;
        }
    }
    services {
        ssh;
    }
}
interfaces {
    fxp0 {
        unit 0 {
            family inet {
                dhcp;
            }
        }
    }
}
`

// common are statements that every unit knows, beside those of its
// configuration.
const common = `groups { x; }
apply-groups x;
`

// commit is one entry of the list of commits.
type commit struct {
	at      time.Time
	by, via string
	minutes int // of a confirmed commit
	comment string
	waits   bool
	config  *statement
}

// junos is the inside of the device.
type junos struct {
	d *device.Device
	g grammar

	model, serial, version string
	address                string // management address that the outside world dials; "" is any

	commits   []*commit // the newest first; they survive a reboot
	candidate *statement
	edited    string // who has uncommitted changes in the shared candidate; "" nobody
	lock      *cli   // who holds it exclusively
	stop      func() // of the timer of a confirmed commit
	files     map[string]string
	scripts   map[string]string
	physical  map[string]string // ports, by name
	bootTime  time.Time
}

// New makes a unit that has booted with o.Config.
func New(o device.Options) *device.Device {
	d := device.New(o)
	j := &junos{d: d, g: grammar{}, model: "vmx", serial: o.Serial, version: "23.2R1.14", files: map[string]string{}, scripts: map[string]string{"op/hello.slax": "version 1.2;\nmatch / {\n}\n"}}
	for _, text := range []string{Sample, factory, o.Config} {
		s, _ := grammar(nil).parse(text)
		j.g.learn(s, "", 0)
	}
	for _, w := range []string{"version", "groups", "groups/*", "apply-groups", "chassis", "firewall", "vlans", "vlans/*", "routing-instances", "routing-instances/*", "protocols/ospf", "protocols/ospf/area", "forwarding-options", "security", "class-of-service",
		"system/domain-name", "system/login", "interfaces/*", "interfaces/*/disable", "interfaces/*/mtu", "interfaces/*/description", "interfaces/*/unit", "interfaces/*/vlan-tagging", "interfaces/*/gigether-options", "interfaces/*/ether-options"} {
		j.g[w] = true
	}
	if o.Model != "" {
		j.model = o.Model
	}
	if o.Version != "" {
		j.version = o.Version
	}
	if j.serial == "" {
		j.serial = "VM000000000A"
	}
	if o.NoSerial {
		j.serial = ""
	}
	start, _ := grammar(nil).parse(factory)
	by, via := "root", "other"
	if o.Config != "" {
		start, _ = grammar(nil).parse(o.Config)
		by, via = d.Options().User, "cli"
		j.address = management(start)
	}
	j.learnPorts(o.Ports, start)
	j.commits = []*commit{{at: d.Clock().Now(), by: by, via: via, config: start}}
	d.Install(j)
	return d
}

func management(s *statement) string {
	if inet := s.at("interfaces", "fxp0", "unit 0", "family inet"); inet != nil {
		return inet.leaf("address")
	}
	return ""
}

func (j *junos) running() *statement { return j.commits[0].config }

// Boot comes up. A commit that waited for its confirmation is not what the
// unit comes up with.
func (j *junos) Boot() {
	j.halt()
	if j.commits[0].waits {
		j.rollBack()
	}
	j.lock, j.edited = nil, ""
	j.candidate = j.running().clone()
	j.bootTime = j.d.Clock().Now()
}

func (j *junos) halt() {
	if j.stop != nil {
		j.stop()
		j.stop = nil
	}
}

// rollBack commits the configuration before the one that waits.
func (j *junos) rollBack() {
	j.commits[0].waits = false
	old := j.commits[1].config.clone()
	j.push(&commit{at: j.d.Clock().Now(), by: "root", via: "other", config: old})
}

func (j *junos) push(c *commit) {
	j.commits = slices.Insert(j.commits, 0, c)
	if len(j.commits) > 50 {
		j.commits = j.commits[:50]
	}
	if j.edited == "" && j.lock == nil {
		j.candidate = j.running().clone()
	}
}

// FactoryReset is what zeroize does.
func (j *junos) FactoryReset() {
	j.halt()
	start, _ := grammar(nil).parse(factory)
	j.commits = []*commit{{at: j.d.Clock().Now(), by: "root", via: "other", config: start}}
	j.files, j.scripts = map[string]string{}, map[string]string{}
	j.d.RenewHostKey()
}

func (j *junos) hostname() string { return j.running().at("system").leaf("host-name") }

// Banner is the message of "system login".
func (j *junos) Banner() string {
	m := j.running().at("system", "login").leaf("message")
	if m == "" {
		return ""
	}
	return strings.ReplaceAll(m, `\n`, "\n") + "\n"
}

// Admits: root always; a unit without users of its own is new, and the login is
// not checked here.
func (j *junos) Admits(user string) bool {
	login := j.running().at("system", "login")
	if user == "root" || login == nil {
		return true
	}
	return login.find("user "+user) != nil
}

// Reachable: the address that is dialled is still the unit's own, and ssh runs.
func (j *junos) Reachable() bool {
	services := j.running().at("system", "services")
	if services == nil || services.find("ssh") == nil {
		return false
	}
	inet := j.running().at("interfaces", "fxp0", "unit 0", "family inet")
	return j.address == "" || inet != nil && (inet.find("dhcp") != nil || inet.find("address "+j.address) != nil)
}

func (j *junos) Running() string { return j.show(j.commits[0], "commit") }

// Startup is what the unit would come up with, without the line that says when
// it was committed.
func (j *junos) Startup() string {
	if j.commits[0].waits && len(j.commits) > 1 {
		return j.commits[1].config.String()
	}
	return j.running().String()
}

func (j *junos) show(c *commit, what string) string {
	return fmt.Sprintf("## Last %s: %s by %s\nversion %s;\n", what, stamp(c.at), c.by, j.version) + c.config.String()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }
